"""Joint positions to rotations: exact where points say so, at rest where they say nothing, smooth, and the same for every observer."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.core.kinematics import forward_kinematics, global_rotations
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.resample import resample
from mocapgen.core.rotation import angle_between, from_euler
from mocapgen.retarget import retarget
from mocapgen.retarget.points import POINTS, fit_skeleton, follow
from mocapgen.sources.sample import clips, make
from schemas.config import DEFAULT_AVATARS
from schemas.conventions import mirrored
from schemas.errors import RetargetError

Array = NDArray[np.float64]
CLIPS = tuple(clip for clip in clips() if clip.take == "001" and clip.actor in ("sb", "sd"))
AVATARS = {name: avatar_skeleton(load_avatar(name)) for name in DEFAULT_AVATARS}
LIMBS = [f"{side}{part}" for side in ("Left", "Right") for part in ("LowerArm", "Hand", "LowerLeg", "Foot")] + ["Head", "HeadTop"]
"""Where the bones end whose direction is kept exactly; each one's bone starts at its parent."""

some_clip = st.integers(0, len(CLIPS) - 1)
some_avatar = st.sampled_from(sorted(AVATARS))
several = settings(max_examples=8, deadline=None)


@cache
def performed(number: int, avatar: str = "average_man") -> Motion:
    return retarget(resample(make(CLIPS[number])[0], 30.0), AVATARS[avatar])


def points_of(motion: Motion) -> dict[str, Array]:
    positions = forward_kinematics(motion)
    return {joint: positions[:, motion.skeleton.index(joint)] for joint in POINTS}


def directions(points: dict[str, Array], skeleton: Skeleton) -> dict[str, Array]:
    found = {joint: points[joint] - points[str(skeleton.parent(joint))] for joint in LIMBS}
    return {joint: vector / np.linalg.norm(vector, axis=-1, keepdims=True) for joint, vector in found.items()}


def speed(motion: Motion) -> Array:
    """Degrees per second, (T - 1, J)."""
    return np.degrees(angle_between(motion.rotations[:-1], motion.rotations[1:])) * motion.fps


@pytest.mark.parametrize("number", range(len(CLIPS)), ids=[clip.id for clip in CLIPS])
def test_what_a_dataset_holds_comes_back(number: int) -> None:
    truth = performed(number)
    points = points_of(truth)
    solved = follow(points, truth.skeleton, truth.fps)
    found = points_of(solved.motion)
    np.testing.assert_allclose(found["Hips"], points["Hips"], atol=1e-12)
    for joint, wanted in directions(points, truth.skeleton).items():
        np.testing.assert_allclose(directions(found, truth.skeleton)[joint], wanted, atol=1e-6, err_msg=joint)
    off = {joint: np.linalg.norm(found[joint] - points[joint], axis=-1) for joint in POINTS}
    assert max(distance.max() for distance in off.values()) < 0.012
    assert solved.mean_error < 0.002
    assert solved.errors == pytest.approx({joint: distance.mean() for joint, distance in off.items()}, abs=1e-9)


@pytest.mark.parametrize("number", range(len(CLIPS)), ids=[clip.id for clip in CLIPS])
def test_no_sudden_twist(number: int) -> None:
    """Nothing turns much faster than in the motion that the points were taken from."""
    truth = performed(number)
    solved = follow(points_of(truth), truth.skeleton, truth.fps)
    assert speed(solved.motion).max() < 1.3 * speed(truth).max() + 60.0


@several
@given(some_clip, some_avatar, st.integers(0, 2**32 - 1))
def test_noise_is_neither_amplified_nor_spun(number: int, avatar: str, seed: int) -> None:
    truth = performed(number, avatar)
    points, random = points_of(truth), np.random.default_rng(seed)
    size = truth.skeleton.bone_length("LeftLowerLeg") / AVATARS["average_man"].bone_length("LeftLowerLeg")
    noisy = {joint: at + random.normal(0.0, 0.01 * size, at.shape) for joint, at in points.items()}
    fitted = fit_skeleton(noisy, AVATARS["average_woman"])
    solved = follow(noisy, fitted, truth.fps)
    found = points_of(solved.motion)
    assert np.mean([np.linalg.norm(found[joint] - points[joint], axis=-1).mean() for joint in POINTS]) < 0.035
    # A length is the median over T frames and both sides; its standard error is 1.25 sigma / sqrt(2 T), sigma being 1 cm at both ends.
    error = 1.25 * 0.01 * size * np.sqrt(2.0) / np.sqrt(2 * len(truth))
    for part in ("LowerArm", "Hand", "LowerLeg", "Foot"):
        lengths = [fitted.bone_length(f"{side}{part}") for side in ("Left", "Right")]
        assert lengths[0] == pytest.approx(lengths[1], abs=1e-12)
        assert lengths[0] == pytest.approx(truth.skeleton.bone_length(f"Left{part}"), abs=0.001 + 5.0 * error)
    legs = [solved.motion.skeleton.index(f"{side}{part}") for side in ("Left", "Right") for part in ("UpperLeg", "LowerLeg")]
    assert np.quantile(speed(solved.motion)[:, legs], 0.99) < np.quantile(speed(truth)[:, legs], 0.99) + 700.0  # 1 cm on 40 cm at 30 fps, and more


@several
@given(some_clip, some_avatar, st.tuples(*[st.floats(-180, 180)] * 3), st.tuples(*[st.floats(-5, 5)] * 3))
def test_the_same_whoever_looks_on(number: int, avatar: str, turn: tuple[float, ...], shift: tuple[float, ...]) -> None:
    """Turn and move the world: the root turns and moves with it, nothing else changes."""
    truth = performed(number, avatar)
    rotation = Rotation.from_euler("YXZ", turn, degrees=True)
    points = points_of(truth)
    moved = {joint: rotation.apply(at) + shift for joint, at in points.items()}
    first, second = (follow(at, truth.skeleton, truth.fps).motion for at in (points, moved))
    assert angle_between(first.rotations[:, 1:], second.rotations[:, 1:]).max() < 1e-5
    wanted = (rotation * Rotation.from_quat(first.rotations[:, 0])).as_quat()
    assert angle_between(wanted, second.rotations[:, 0]).max() < 1e-5


@several
@given(some_clip, some_avatar)
def test_left_and_right_are_alike(number: int, avatar: str) -> None:
    truth = performed(number, avatar)
    points, flip = points_of(truth), np.array([-1.0, 1.0, 1.0])
    swapped = {joint: points[mirrored(joint)] * flip for joint in POINTS}
    first, second = (follow(at, truth.skeleton, truth.fps).motion for at in (points, swapped))
    order = truth.skeleton.indices([mirrored(joint) for joint in truth.skeleton.names])
    assert angle_between(first.rotations[:, order] * np.array([1.0, -1.0, -1.0, 1.0]), second.rotations).max() < 1e-5


@several
@given(some_clip, some_avatar)
def test_bone_lengths_are_found(number: int, avatar: str) -> None:
    """Fitted to exact points, starting from anybody, all lengths that the points tell are right."""
    points = points_of(performed(number, avatar))
    fitted, own = fit_skeleton(points, AVATARS["tall_man"]), AVATARS[avatar]
    for joint in ("LeftLowerArm", "RightHand", "LeftLowerLeg", "RightFoot", "Head", "HeadTop", "LeftUpperLeg"):
        assert fitted.bone_length(joint) == pytest.approx(own.bone_length(joint), abs=1e-6), joint
    for joint in ("Chest", "Neck", "LeftUpperArm"):  # the back bends, shoulders move
        reach = [np.linalg.norm(skeleton.rest_positions[skeleton.index(joint)]) for skeleton in (fitted, own)]
        assert reach[0] == pytest.approx(reach[1], abs=0.04), joint


def straight_arm(angles: Array) -> dict[str, Array]:
    """Points of a figure at rest, but for a left arm that swings in a circle, its elbow bent by (T,) radians, forward of the arm."""
    skeleton = AVATARS["average_man"]
    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (len(angles), len(skeleton.names), 1))
    swing = np.linspace(0.0, 2.0 * np.pi, len(angles))
    rotations[:, skeleton.index("LeftUpperArm")] = from_euler("YXZ", np.stack([0 * swing, 0 * swing, swing], axis=-1))
    rotations[:, skeleton.index("LeftLowerArm")] = from_euler("YXZ", np.stack([-angles, 0 * swing, 0 * swing], axis=-1))
    return points_of(Motion(skeleton, rotations, np.zeros((len(angles), 3)), 30.0))


@pytest.mark.parametrize("bend", [0.0, 0.02, 0.5])
def test_a_straight_limb_does_not_flip(bend: float) -> None:
    """An arm that circles fully, past every direction, stretched or not: its turn about itself stays even."""
    random = np.random.default_rng(3)
    points = {joint: at + random.normal(0.0, 1e-3, at.shape) for joint, at in straight_arm(np.full(120, bend)).items()}
    solved = follow(points, AVATARS["average_man"], 30.0)
    arm = solved.motion.skeleton.index("LeftUpperArm")
    assert speed(solved.motion)[:, arm].max() < 200.0  # the swing itself is 91 degrees per second


def test_the_elbow_tells_how_the_arm_is_turned() -> None:
    """Bent, straight for a second, bent again: the upper arm keeps its turn all the time, and the elbow bends about its hinge."""
    bend = np.concatenate([np.full(30, 1.2), np.linspace(1.2, 0.0, 15), np.zeros(30), np.linspace(0.0, 1.2, 15), np.full(30, 1.2)])
    solved = follow(straight_arm(bend), AVATARS["average_man"], 30.0)
    skeleton = solved.motion.skeleton
    turned = global_rotations(skeleton, solved.motion.rotations)
    swing = np.linspace(0.0, 2.0 * np.pi, len(bend))
    wanted = from_euler("YXZ", np.stack([0 * swing, 0 * swing, swing], axis=-1))
    assert np.degrees(angle_between(turned[:, skeleton.index("LeftUpperArm")], wanted)).max() < 3.0


def test_one_frame() -> None:
    points = {joint: at[:1] for joint, at in points_of(performed(0)).items()}
    assert follow(points, AVATARS["average_man"], 30.0).mean_error < 0.002


def test_what_cannot_be_followed_is_said() -> None:
    points = points_of(performed(0))
    with pytest.raises(RetargetError, match="found none for Chest"):
        follow({joint: at for joint, at in points.items() if joint != "Chest"}, AVATARS["average_man"], 30.0)
    holed = dict(points, LeftHand=np.where(np.arange(len(points["LeftHand"]))[:, None] == 7, np.nan, points["LeftHand"]))
    with pytest.raises(RetargetError, match="LeftHand: expected a position in every frame, found none in frame 7"):
        follow(holed, AVATARS["average_man"], 30.0)
    with pytest.raises(RetargetError, match="LeftHand: expected it away from the joint before it"):
        follow(dict(points, LeftHand=points["LeftLowerArm"]), AVATARS["average_man"], 30.0)
    with pytest.raises(RetargetError, match="are these metres"):
        fit_skeleton({joint: at * 1e-3 for joint, at in points.items()}, AVATARS["average_man"])
    # One frame in which two joints coincide is bridged.
    bridged = {joint: at.copy() for joint, at in points.items()}
    bridged["LeftHand"][5] = bridged["LeftLowerArm"][5]
    assert np.isfinite(follow(bridged, AVATARS["average_man"], 30.0).motion.rotations).all()
