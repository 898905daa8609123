"""BVH files of other makers, one generated file for each kind: what they mean, or that they are refused for what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.anatomy.tables import LIMBS
from mocapgen.core.kinematics import forward_kinematics, global_rotations
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import IDENTITY, from_euler, multiply, rotate, shortest_arc
from mocapgen.formats.bvh import Bvh
from mocapgen.reading.interpretation import Interpretation, interpret
from mocapgen.retarget import Posed, retarget
from mocapgen.retarget.floor import level_floor
from schemas.errors import FormatError
from tests.bvh_figures import as_bvh, sample_motion

MOTION = sample_motion("walk", 120)
AVATAR = avatar_skeleton(load_avatar("average_man"))
MIXAMO = {
    **{side + role: side + name for side in ("Left", "Right") for role, name in (("UpperArm", "Arm"), ("LowerArm", "ForeArm"))},
    **{side + role: side + name for side in ("Left", "Right") for role, name in (("UpperLeg", "UpLeg"), ("LowerLeg", "Leg"), ("Toes", "ToeBase"))},
    "Chest": "Spine1",
    "UpperChest": "Spine2",
}


def mixamo(name: str) -> str:
    return MIXAMO.get(name, name)


def performed(found: Interpretation) -> Array:
    """Where the avatar's joints go, feet left as they are."""
    return forward_kinematics(retarget(Posed.of(found.motion, found.roles), AVATAR, plant_feet=False))


def limb_error(found: Interpretation) -> float:
    """The worst angle, degrees, between a limb of the avatar and that of the motion which the file was made of."""
    wanted, got = forward_kinematics(MOTION), performed(found)
    worst = 0.0
    for start, end in LIMBS.items():
        a, b = (at[:, AVATAR.index(end)] - at[:, AVATAR.index(start)] for at in (wanted, got))
        cosine = np.einsum("ti,ti->t", a, b) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))
        worst = max(worst, float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).max()))
    return worst


def distance(found: Interpretation, *parts: str) -> float:
    """The mean distance, metres, of joints of the avatar from where they were in the motion which the file was made of."""
    joints = AVATAR.indices([side + part for side in ("Left", "Right") for part in parts])
    return float(np.linalg.norm(performed(found) - forward_kinematics(MOTION), axis=-1)[:, joints].mean())


def under_a_still_root(bvh: Bvh, root: str = "Reference") -> Bvh:
    """The same file with a root above its own that does not move."""
    channels = bvh.channels[0]
    return replace(
        bvh,
        names=(root, *bvh.names),
        parents=(-1, *(parent + 1 for parent in bvh.parents)),
        offsets=np.concatenate([np.zeros((1, 3)), bvh.offsets]),
        channels=(channels, *bvh.channels),
        values=np.concatenate([np.zeros((len(bvh), len(channels))), bvh.values], axis=1),
    )


def with_joint(bvh: Bvh, before: str, name: str, turns: Array, share: float = 0.0) -> Bvh:
    """The same file with a joint put into the bone above `before`, at a share of it, which turns by angles (T, 3), Y X Z degrees."""
    at = bvh.names.index(before)
    names = (*bvh.names[:at], name, *bvh.names[at:])
    shifted = [parent if parent < at else parent + 1 for parent in bvh.parents]
    parents = (*shifted[:at], shifted[at], *(shifted[at:]))
    parents = (*parents[: at + 1], at, *parents[at + 2 :])
    offsets = np.insert(np.array(bvh.offsets), at, share * bvh.offsets[at], axis=0)
    offsets[at + 1] *= 1.0 - share
    column = sum(map(len, bvh.channels[:at]))
    turning = ("Yrotation", "Xrotation", "Zrotation")
    return replace(
        bvh,
        names=names,
        parents=parents,
        offsets=offsets,
        channels=(*bvh.channels[:at], turning, *bvh.channels[at:]),
        values=np.concatenate([bvh.values[:, :column], turns, bvh.values[:, column:]], axis=1),
    )


def without(motion: Motion, *joints: str) -> Motion:
    """The same motion on a skeleton without some joints, which turn and go along with nothing."""
    skeleton = motion.skeleton
    kept = [index for index, name in enumerate(skeleton.names) if name not in joints]
    rotations, rest = global_rotations(skeleton, motion.rotations), skeleton.rest_positions
    parents, locals_, offsets = [], [], []
    for index in kept:
        above = skeleton.parents[index]
        while above >= 0 and above not in kept:
            above = skeleton.parents[above]
        parents.append(-1 if above < 0 else kept.index(above))
        own = rotations[:, index]
        locals_.append(own if above < 0 else multiply(rotations[:, above] * [-1, -1, -1, 1], own))
        offsets.append(rest[index] - rest[above] if above >= 0 else np.zeros(3))
    names = tuple(skeleton.names[index] for index in kept)
    part = Skeleton(names, tuple(parents), np.array(offsets), skeleton.end_sites & set(names))
    return replace(motion, skeleton=part, rotations=np.stack(locals_, axis=1))


def bones_along_x() -> Array:
    """Global rotations of the pose in which every bone points along x: the zero pose of many exporters."""
    zero = np.tile(IDENTITY, (len(AVATAR.names), 1))
    for index, name in enumerate(AVATAR.names):
        children = [child for child in AVATAR.children(name) if AVATAR.bone_length(child) > 0]
        if index and children:
            main = max(children, key=lambda child: child in ("Neck", f"{name[:5]}Arm"))
            zero[index] = shortest_arc(AVATAR.offsets[AVATAR.index(main)], np.array([1.0, 0.0, 0.0]))
        elif index:
            zero[index] = zero[AVATAR.parents[index]]
    zero[0] = from_euler("XYZ", np.radians([0.0, 0.0, -90.0]))
    return zero


# Where the body is -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("root", ["Reference", "joint_Root", "Armature"])
def test_the_hips_carry_the_body_below_a_still_root(root: str, lenient: bool) -> None:
    found = interpret(under_a_still_root(as_bvh(MOTION, mixamo), root), lenient=lenient)
    assert "joint Hips carries the body" in " ".join(found.notes)
    np.testing.assert_allclose(performed(found), forward_kinematics(MOTION), atol=1e-6)


def test_stretch_of_a_centimetre_is_one_note_and_more_is_refused() -> None:
    bvh = as_bvh(MOTION, mixamo, unit=0.01)
    at = bvh.names.index("LeftForeArm")
    column = sum(map(len, bvh.channels[:at]))
    moving = ("Xposition", "Yposition", "Zposition", *bvh.channels[at])
    path = bvh.offsets[at] + np.outer(np.sin(np.arange(len(bvh))), [1.0, 0.0, 0.0])

    def stretched(by: float) -> Bvh:
        middle = np.median(path, axis=0)
        values = np.concatenate([bvh.values[:, :column], middle + by * (path - middle), bvh.values[:, column:]], axis=1)
        return replace(bvh, channels=(*bvh.channels[:at], moving, *bvh.channels[at + 1 :]), values=values)

    found = interpret(stretched(1.0))
    assert sum("would stretch" in note for note in found.notes) == 1
    with pytest.raises(FormatError, match=r"joint LeftForeArm: .*would stretch; expected at most .*lenient=True"):
        interpret(stretched(10.0))
    assert sum("would stretch" in note for note in interpret(stretched(10.0), lenient=True).notes) == 1


# Rest poses --------------------------------------------------------------------------------------------


def test_bones_along_one_axis() -> None:
    found = interpret(as_bvh(MOTION, mixamo, zero_pose=bones_along_x()))
    assert "most upright frame" in " ".join(found.notes)
    assert found.confidence < 1.0
    assert limb_error(found) < 0.1
    assert distance(found, "UpperLeg", "LowerLeg", "Foot") < 0.005


def test_without_an_upright_frame_rotations_are_solved_from_positions() -> None:
    lying = replace(MOTION, rotations=np.array(MOTION.rotations))
    turned = np.array(MOTION.rotations)
    turned[:, 0] = multiply(from_euler("XYZ", np.radians([-80.0, 0.0, 0.0])), turned[:, 0])
    lying = replace(MOTION, rotations=turned)
    found = interpret(as_bvh(lying, mixamo, zero_pose=bones_along_x()), up="y")
    assert any("solved from the joints' positions" in warning for warning in found.warnings)
    assert found.confidence < 0.7


# Names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: f"Character1_{mixamo(name)}",
        lambda name: f"mixamorig7:{mixamo(name)}",
        lambda name: f"f_mosh_cmu05_{mixamo(name)}",
        lambda name: f"{mixamo(name)} #0",
        lambda name: f"Armature|{name}",
        lambda name: f"Bip01 {name[0]} {name[4:] if name.startswith('Left') else name[5:]}" if name[0] in "LR" else f"Bip01 {name}",
        lambda name: f"{name[0]}_{name[4:] if name.startswith('Left') else name[5:]}_jnt" if name[0] in "LR" else f"{name}_jnt",
    ],
    ids=["MotionBuilder", "namespace", "figure", "number", "path", "Biped", "jnt"],
)
def test_decorated_names(rename: Callable[[str], str]) -> None:
    found = interpret(as_bvh(MOTION, rename))
    np.testing.assert_allclose(performed(found), forward_kinematics(MOTION), atol=1e-6)


@pytest.mark.parametrize("absent", [("Neck",), ("Head",), ("Neck", "Chest", "UpperChest")], ids=str)
def test_a_neck_or_a_head_that_is_not_there(absent: tuple[str, ...]) -> None:
    found = interpret(as_bvh(without(MOTION, *absent), mixamo))
    assert {"Neck", "Head"} <= set(found.roles.joints)
    assert limb_error(found) < 0.1
    assert distance(found, "UpperLeg", "LowerLeg", "Foot") < 0.005


def test_limbs_in_two_parts_and_helper_joints() -> None:
    bvh = as_bvh(MOTION, mixamo)
    twist = np.outer(20 * np.sin(np.arange(len(MOTION)) / 9), [0.0, 1.0, 0.0])
    for side in ("Left", "Right"):
        bvh = with_joint(bvh, f"{side}Leg", f"{side}UpLegTwist", np.zeros((len(bvh), 3)), 0.5)
        bvh = with_joint(bvh, f"{side}ForeArm", f"{side}ArmTwist", twist, 0.5)  # turns the forearm with it
    found = interpret(bvh)
    positions = bvh.positions()
    got = performed(found)
    for role, (start, end) in {"LowerArm": ("ForeArm", "Hand"), "UpperArm": ("Arm", "ForeArm")}.items():
        wanted = positions[:, bvh.names.index(f"Left{end}")] - positions[:, bvh.names.index(f"Left{start}")]
        line = got[:, AVATAR.index(LIMBS[f"Left{role}"])] - got[:, AVATAR.index(f"Left{role}")]
        cosine = np.einsum("ti,ti->t", wanted, line) / (np.linalg.norm(wanted, axis=-1) * np.linalg.norm(line, axis=-1))
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 0.1
    assert found.metres_per_unit == 1.0


def test_a_heel_is_no_toe() -> None:
    def heel(name: str) -> str:
        return {"LeftToes": "LeftFootHeel", "RightToes": "RightFootHeel"}.get(name, mixamo(name))

    bvh = as_bvh(MOTION, heel)
    offsets = np.array(bvh.offsets)
    for side in ("Left", "Right"):
        at = bvh.names.index(f"{side}FootHeel")
        offsets[at], offsets[at + 1] = [0.0, -0.09, -0.04], [0.0, 0.0, 0.15]
    found = interpret(replace(bvh, offsets=offsets))
    assert "Heel" not in found.roles.joints["LeftToes"] or found.roles.joints["LeftToes"] in found.motion.skeleton.end_sites
    assert limb_error(found) < 0.1


def test_of_a_wrist_only_the_twist_turns_the_forearm() -> None:
    """The forearm of a profile may be turned by the wrist; where that bends, too, the forearm points where it is."""
    found = interpret(as_bvh(MOTION))
    bent = np.array(found.motion.rotations)
    for side in ("Left", "Right"):
        hand = found.motion.skeleton.index(f"{side}Hand")
        bent[:, hand] = multiply(bent[:, hand], from_euler("XYZ", np.radians([0.0, 40.0, 0.0])))
    roles = replace(found.roles, drivers={"LeftLowerArm": "LeftHand", "RightLowerArm": "RightHand"})
    assert limb_error(replace(found, motion=replace(found.motion, rotations=bent), roles=roles)) < 0.1


# Units, axes, times ------------------------------------------------------------------------------------


def test_decimetres_and_figures_that_are_not_of_human_size() -> None:
    assert interpret(as_bvh(MOTION, mixamo, unit=0.1)).metres_per_unit == 0.1
    giant = interpret(as_bvh(MOTION, mixamo, unit=0.005))
    assert any("scaled to a person's size" in warning for warning in giant.warnings)
    assert limb_error(giant) < 0.1
    with pytest.raises(FormatError, match=r"give the unit with scale=METRES, such as scale=95\.6") as refused:
        interpret(as_bvh(MOTION, mixamo, unit=100.0))
    scale = float(str(refused.value).split("such as scale=")[1].split(",")[0])
    assert limb_error(interpret(as_bvh(MOTION, mixamo, unit=100.0), scale=scale)) < 0.1


@pytest.mark.parametrize("up", ["-y", "-z", "x", "-x"])
def test_other_axes_may_point_up(up: str) -> None:
    turns = {"-y": [180.0, 0.0, 0.0], "-z": [-90.0, 0.0, 0.0], "x": [0.0, 0.0, -90.0], "-x": [0.0, 0.0, 90.0]}
    turn = from_euler("XYZ", np.radians(turns[up]))
    rotations = np.array(MOTION.rotations)
    rotations[:, 0] = multiply(turn, rotations[:, 0])
    found = interpret(as_bvh(replace(MOTION, rotations=rotations, root_positions=rotate(turn, MOTION.root_positions)), mixamo))
    assert found.up == up
    assert limb_error(found) < 0.1


def test_a_rate_that_is_slow_for_motion_capture_is_a_warning() -> None:
    assert any("2 frames per second" in warning for warning in interpret(replace(as_bvh(MOTION), frame_time=0.5)).warnings)
    assert interpret(as_bvh(MOTION)).warnings == ()


def test_a_body_that_travels_without_turning_a_joint_is_a_warning() -> None:
    bvh = as_bvh(MOTION)
    channels = [channel for own in bvh.channels for channel in own]
    in_radians = np.where([channel.endswith("rotation") for channel in channels], np.radians(bvh.values), bvh.values)
    (warning,) = interpret(replace(bvh, values=in_radians)).warnings
    assert "the file's angles may be radians" in warning


def test_a_frame_time_in_milliseconds() -> None:
    found = interpret(replace(as_bvh(MOTION, mixamo), frame_time=33.333))
    assert found.motion.fps == 30.0
    assert any("taken for milliseconds" in warning for warning in found.warnings)
    with pytest.raises(FormatError, match="Frame Time: expected seconds, found 120"):
        interpret(replace(as_bvh(MOTION, mixamo), frame_time=120.0))


def test_a_body_below_the_floor_and_feet_without_toes() -> None:
    sunk = replace(MOTION, root_positions=MOTION.root_positions - [0.0, 0.8, 0.0])
    found = interpret(as_bvh(sunk, mixamo))
    moved, note = level_floor(found.motion, found.roles)
    assert "moved up by" in note
    np.testing.assert_allclose(moved.root_positions[:, 1], MOTION.root_positions[:, 1], atol=0.05)
    toeless = [f"{side}{part}" for side in ("Left", "Right") for part in ("Toes", "ToesEnd")]
    found = interpret(as_bvh(without(MOTION, *toeless), mixamo))
    moved, note = level_floor(found.motion, found.roles)
    np.testing.assert_allclose(moved.root_positions, found.motion.root_positions)


# Not a person ------------------------------------------------------------------------------------------


def test_a_crab_is_not_a_person() -> None:
    names, parents, offsets = ["body"], [-1], [[0.0, 0.0, 0.0]]
    for pair in range(4):
        for side, sign in (("L", 1.0), ("R", -1.0)):
            above = 0
            for bone, length in enumerate((0.1, 0.3, 0.3, 0.1)):
                names.append(f"Leg_{side}_{pair}{bone}")
                parents.append(above)
                offsets.append([sign * length, 0.0, 0.2 * pair if bone == 0 else 0.0])
                above = len(names) - 1
    channels = (("Xposition", "Yposition", "Zposition", "Zrotation", "Xrotation", "Yrotation"), *[("Zrotation",)] * (len(names) - 1))
    crab = Bvh(tuple(names), tuple(parents), np.array(offsets), frozenset(), channels, np.zeros((9, 6 + len(names) - 1)), 1 / 30, "crab.bvh")
    with pytest.raises(FormatError, match=r"crab.bvh: not a person: expected two pairs of limbs, found 4"):
        interpret(crab)


def test_a_dog_is_not_a_person() -> None:
    rotations = np.array(MOTION.rotations)
    rotations[:, 0] = multiply(from_euler("XYZ", np.radians([90.0, 0.0, 0.0])), from_euler("YXZ", np.zeros((len(rotations), 3))))
    for name, degrees in (("LeftUpperLeg", -90.0), ("RightUpperLeg", -90.0)):
        rotations[:, AVATAR.index(name)] = from_euler("XYZ", np.radians([degrees, 0.0, 0.0]))
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        rotations[:, AVATAR.index(f"{side}UpperArm")] = from_euler("YXZ", np.radians([-90.0 * sign, 0.0, 0.0]))
    offsets = np.array(AVATAR.offsets)
    for side in ("Left", "Right"):
        for part in ("LowerArm", "Hand"):
            offsets[AVATAR.index(side + part)] *= 1.5
    dog = Motion(Skeleton(AVATAR.names, AVATAR.parents, offsets, AVATAR.end_sites), rotations, MOTION.root_positions, 30.0)
    with pytest.raises(FormatError, match="not a person: its trunk lies"):
        interpret(as_bvh(dog, mixamo), up="y")


def test_proportions_of_nobody() -> None:
    offsets = np.array(AVATAR.offsets)
    offsets[AVATAR.index("LeftLowerArm")] *= 3.0
    odd = replace(MOTION, skeleton=Skeleton(AVATAR.names, AVATAR.parents, offsets, AVATAR.end_sites))
    with pytest.raises(FormatError, match="not a person: the bone UpperArm is"):
        interpret(as_bvh(odd, mixamo))
