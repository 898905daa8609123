"""Who plays what: by the roles' own names, by profiles, by words and structure; and refused when unsure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.anatomy.infer import find_roles, infer_roles
from mocapgen.anatomy.names import roles_by_names, words
from mocapgen.anatomy.roles import Roles
from mocapgen.anatomy.sides import placed, side_agreement
from mocapgen.anatomy.structure import roles_by_structure
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.rotation import from_euler, normalise, rotate
from mocapgen.retarget import Posed, retarget
from schemas.conventions import mirrored
from schemas.errors import RetargetError
from schemas.profile import REQUIRED_ROLES
from tests.bvh_figures import sample_motion

AVATAR = avatar_skeleton(load_avatar("average_man"))
SIDED = {role: ("Left" if role.startswith("Left") else "Right", role.removeprefix("Left").removeprefix("Right")) for role in AVATAR.names}


def renamed(
    center: dict[str, str], parts: dict[str, str], spell: Callable[[str, str], str], avatar: Skeleton = AVATAR
) -> tuple[Skeleton, dict[str, str]]:
    """Return the avatar under other names, without the joints that have none, and the role of each name."""
    names = {}
    for role in avatar.names:
        side, part = SIDED[role]
        if role in center:
            names[role] = center[role]
        elif part in parts and role.startswith(("Left", "Right")):
            names[role] = spell(side, parts[part])
    kept = [role for role in avatar.names if role in names]
    parents, offsets = [], []
    for role in kept:
        parent = avatar.parent(role)
        while parent is not None and parent not in names:
            parent = avatar.parent(parent)
        parents.append(-1 if parent is None else kept.index(parent))
        offsets.append(avatar.rest_positions[avatar.index(role)] - (0 if parent is None else avatar.rest_positions[avatar.index(parent)]))
    return Skeleton(tuple(names[role] for role in kept), tuple(parents), np.array(offsets)), {names[role]: role for role in kept}


_SPINE = {"Hips": "Hips", "Spine": "Spine", "Chest": "Chest", "Neck": "Neck", "Head": "Head"}
FLAVOURS = {
    "poser": (
        {"Hips": "hip", "Spine": "abdomen", "Chest": "chest", "Neck": "neck", "Head": "head"},
        {"Shoulder": "Collar", "UpperArm": "Shldr", "LowerArm": "ForeArm", "Hand": "Hand", "UpperLeg": "Thigh", "LowerLeg": "Shin", "Foot": "Foot"},
        lambda side, part: side[0].lower() + part,
    ),
    "biovision": (
        {"Hips": "Hips", "Chest": "Chest", "Neck": "Neck", "Head": "Head"},
        {"Shoulder": "Collar", "UpperArm": "Shoulder", "LowerArm": "Elbow", "Hand": "Wrist", "UpperLeg": "Hip", "LowerLeg": "Knee", "Foot": "Ankle"},
        lambda side, part: side + part,
    ),
    "unreal": (
        {"Hips": "pelvis", "Spine": "spine_01", "Chest": "spine_02", "UpperChest": "spine_03", "Neck": "neck_01", "Head": "head"},
        {
            "Shoulder": "clavicle",
            "UpperArm": "upperarm",
            "LowerArm": "lowerarm",
            "Hand": "hand",
            "UpperLeg": "thigh",
            "LowerLeg": "calf",
            "Foot": "foot",
            "Toes": "ball",
        },
        lambda side, part: f"{part}_{side[0].lower()}",
    ),
    "rigify": (
        {"Hips": "spine", "Spine": "spine.001", "Chest": "spine.002", "UpperChest": "spine.003", "Neck": "spine.004", "Head": "spine.006"},
        {
            "Shoulder": "shoulder",
            "UpperArm": "upper_arm",
            "LowerArm": "forearm",
            "Hand": "hand",
            "UpperLeg": "thigh",
            "LowerLeg": "shin",
            "Foot": "foot",
            "Toes": "toe",
        },
        lambda side, part: f"{part}.{side[0]}",
    ),
    "biped": (
        {"Hips": "Bip01 Pelvis", "Spine": "Bip01 Spine", "Chest": "Bip01 Spine1", "Neck": "Bip01 Neck", "Head": "Bip01 Head"},
        {
            "Shoulder": "Clavicle",
            "UpperArm": "UpperArm",
            "LowerArm": "Forearm",
            "Hand": "Hand",
            "UpperLeg": "Thigh",
            "LowerLeg": "Calf",
            "Foot": "Foot",
            "Toes": "Toe0",
        },
        lambda side, part: f"Bip01 {side[0]} {part}",
    ),
    "smpl": (
        {"Hips": "Pelvis", "Spine": "Spine1", "Chest": "Spine2", "UpperChest": "Spine3", "Neck": "Neck", "Head": "Head"},
        {
            "Shoulder": "Collar",
            "UpperArm": "Shoulder",
            "LowerArm": "Elbow",
            "Hand": "Wrist",
            "HandEnd": "Hand",
            "UpperLeg": "Hip",
            "LowerLeg": "Knee",
            "Foot": "Ankle",
            "Toes": "Foot",
        },
        lambda side, part: f"{side[0]}_{part}",
    ),
}


def numbered(avatar: Skeleton = AVATAR) -> tuple[Skeleton, dict[str, str]]:
    names = tuple(f"j{index}" for index in range(len(avatar.names)))
    return Skeleton(names, avatar.parents, avatar.offsets), dict(zip(names, avatar.names, strict=True))


def test_an_avatar_plays_itself() -> None:
    roles = find_roles(AVATAR)
    assert roles.joints == {name: name for name in AVATAR.names}
    assert roles.confidence == 1.0
    assert roles.driver("LeftLowerArm") == "LeftLowerArm"


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_names_are_understood_without_a_profile(flavour: str) -> None:
    skeleton, role_of = renamed(*FLAVOURS[flavour])
    roles, complaint = infer_roles(skeleton, skeleton.rest_positions[None])
    assert roles is not None, complaint
    assert {role: role_of[joint] for role, joint in roles.joints.items() if role in REQUIRED_ROLES} == {role: role for role in REQUIRED_ROLES}
    assert {role for role, joint in roles.joints.items() if role_of[joint] != role} <= {"Spine", "Chest"}  # of one spine joint, either
    assert 0.75 < roles.confidence < 1.0


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_names_and_structure_agree_without_knowing_each_other(flavour: str) -> None:
    skeleton, role_of = renamed(*FLAVOURS[flavour])
    for found, least in ((roles_by_names(skeleton), 12), (roles_by_structure(skeleton), 15)):
        assert len([role for role in found if role in REQUIRED_ROLES]) >= least
        assert {role: role_of[joint] for role, joint in found.items()} == {role: role for role in found}


def test_names_that_say_nothing_are_understood_by_structure_and_less_surely() -> None:
    skeleton, role_of = numbered()
    roles = find_roles(skeleton)
    assert {role: role_of[joint] for role, joint in roles.joints.items()} == {role: role for role in roles.joints}
    assert len(roles.joints) >= 22
    assert 0.55 <= roles.confidence < 0.7


@pytest.mark.parametrize("whole", [(90.0, 0.0, 0.0), (0.0, 180.0, 0.0), (0.0, 0.0, 90.0), (30.0, 50.0, -70.0)])
def test_left_is_told_from_the_toes_whichever_way_the_figure_lies(whole: tuple[float, float, float]) -> None:
    skeleton, role_of = numbered()
    turned = Skeleton(skeleton.names, skeleton.parents, rotate(from_euler("XYZ", np.radians(whole)), skeleton.offsets))
    roles, _ = infer_roles(turned, turned.rest_positions[None])
    assert roles is not None
    assert {role_of[joint] for role, joint in roles.joints.items() if role.startswith("Left")} == {
        role for role in roles.joints if role.startswith("Left")
    }


def test_without_words_and_without_sides_it_is_only_a_guess() -> None:
    center = {role: f"j{index}" for index, role in enumerate(_SPINE)}
    parts = {part: part for part in ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")}
    numbers = {part: str(place) for place, part in enumerate(parts)}
    skeleton, _ = renamed(center, numbers, lambda side, part: f"bone{part}{len(side)}")  # legs straight, no toes
    with pytest.raises(RetargetError, match=r"found only a guess \(40 % sure\); not understood: j0, .*bone") as caught:
        find_roles(skeleton)
    assert "\n" not in str(caught.value)


def test_what_is_no_person_is_refused_with_the_names() -> None:
    skeleton = Skeleton(("base", "boom", "stick", "bucket"), (-1, 0, 1, 2), np.eye(4, 3))
    with pytest.raises(RetargetError, match=r"found no joint for Hips, Neck, Head.*not understood: base, boom, stick, bucket"):
        find_roles(skeleton)


def test_a_mirrored_figure_is_refused() -> None:
    skeleton, _ = renamed(*FLAVOURS["biovision"][:2], lambda side, part: mirrored(side + part))
    with_toes, _ = renamed(FLAVOURS["unreal"][0], FLAVOURS["unreal"][1], lambda side, part: f"{part}_{'r' if side == 'Left' else 'l'}")
    with pytest.raises(RetargetError, match="the figure is mirrored or its names are"):
        find_roles(with_toes)
    assert (
        side_agreement(placed(skeleton, find_roles(skeleton).joints, skeleton.rest_positions[None])) == 0.0
    )  # straight legs without toes do not tell


def test_bent_knees_tell_the_sides_of_a_figure_without_toes() -> None:
    motion = sample_motion("squat")
    skeleton = motion.skeleton
    joints = {role: role for role in REQUIRED_ROLES}
    positions = Posed.of(motion).positions
    assert side_agreement(placed(skeleton, joints, positions)) > 0.9
    swapped = {role: mirrored(role) for role in joints}
    assert side_agreement(placed(skeleton, swapped, positions)) < -0.9


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("LeftUpLeg", ("Left", "upleg")),
        ("lfemur", ("Left", "femur")),
        ("rThigh", ("Right", "thigh")),
        ("thigh.L", ("Left", "thigh")),
        ("upper_arm.R.001", ("Right", "upperarm")),
        ("Bip01 R Calf", ("Right", "bipcalf")),
        ("rig:RightHand", ("Right", "hand")),
        ("lowerback", ("", "lowerback")),
        ("radius", ("", "radius")),
        ("LowerLeg", ("", "lowerleg")),
        ("12", ("", "")),
    ],
)
def test_words_of_a_name(name: str, expected: tuple[str, str]) -> None:
    assert words(name) == expected


def test_roles_that_are_given_are_taken() -> None:
    motion = sample_motion(frames=20)
    skeleton, role_of = numbered(motion.skeleton)
    anonymous = Motion(skeleton, motion.rotations, motion.root_positions, motion.fps)
    given = Roles({role: joint for joint, role in role_of.items()})
    posed = Posed.of(anonymous, given)
    assert posed.roles is given
    child = avatar_skeleton(load_avatar("child_10"))
    found, expected = retarget(posed, child), retarget(motion, child)
    np.testing.assert_allclose(found.rotations, expected.rotations, atol=1e-9)
    np.testing.assert_allclose(found.root_positions, expected.root_positions, atol=1e-9)


def test_joints_are_followed_by_role_and_not_by_name() -> None:
    """A source that calls its lower spine joint by the name of the avatar's upper one."""
    motion = sample_motion(frames=10)
    rotations = np.array(motion.rotations)
    rotations[:, motion.skeleton.index("Spine")] = normalise(from_euler("XYZ", np.array([0.4, 0.0, 0.0])) + np.zeros((10, 4)))
    motion = Motion(motion.skeleton, rotations, motion.root_positions, motion.fps)
    new = {"Spine": "LowerBack", "Chest": "Spine", "UpperChest": "Chest"}
    names = tuple(new.get(name, name) for name in motion.skeleton.names)
    source = Motion(
        Skeleton(names, motion.skeleton.parents, motion.skeleton.offsets, motion.skeleton.end_sites), rotations, motion.root_positions, 120.0
    )
    roles = Roles({role: new.get(role, role) for role in motion.skeleton.names})
    child = avatar_skeleton(load_avatar("child_10"))
    np.testing.assert_allclose(retarget(Posed.of(source, roles), child).rotations, retarget(motion, child).rotations, atol=1e-9)
