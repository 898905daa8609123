"""Another rest pose changes no position; T-poses, upright and folded poses are told apart; stored, zero and first-frame references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.anatomy.infer import find_roles
from mocapgen.core.kinematics import forward_kinematics, global_rotations
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.rotation import IDENTITY, angle_between, conjugate, from_euler, multiply, normalise, rotate
from mocapgen.reading.rest_pose import (
    Figure,
    complete,
    direction_reference,
    frame_reference,
    inserted_t_pose,
    rebase_rest_pose,
    zero_reference,
)

AVATAR = avatar_skeleton(load_avatar("average_man"))
ROLES = find_roles(AVATAR)


def turn(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    """A rotation about x, then y, then z of the fixed axes, degrees."""
    return from_euler("ZYX", np.radians([z, y, x]))


def random_motion(seed: int, joints: int = 7, frames: int = 4) -> tuple[Motion, np.ndarray]:
    random = np.random.default_rng(seed)
    parents = (-1, *(int(random.integers(0, index)) for index in range(1, joints)))
    skeleton = Skeleton(tuple(f"j{index}" for index in range(joints)), parents, random.normal(size=(joints, 3)))
    motion = Motion(skeleton, normalise(random.normal(size=(frames, joints, 4))), random.normal(size=(frames, 3)), 30.0)
    return motion, normalise(random.normal(size=(joints, 4)))


@given(seed=st.integers(0, 2**32 - 1), joints=st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_rebasing_moves_nothing_and_is_undone_by_the_inverse(seed: int, joints: int) -> None:
    motion, reference = random_motion(seed, joints)
    rebased = rebase_rest_pose(motion, reference)
    np.testing.assert_allclose(forward_kinematics(rebased), forward_kinematics(motion), rtol=0, atol=1e-12)
    assert rebased.skeleton.names == motion.skeleton.names
    again = rebase_rest_pose(rebased, conjugate(reference))
    np.testing.assert_allclose(again.skeleton.offsets[1:], motion.skeleton.offsets[1:], rtol=0, atol=1e-12)
    assert angle_between(again.rotations, motion.rotations).max() < 1e-7


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_in_the_reference_pose_all_rotations_are_none(seed: int) -> None:
    motion, _ = random_motion(seed)
    reference = global_rotations(motion.skeleton, motion.rotations)[1]
    rebased = rebase_rest_pose(motion, reference)
    assert angle_between(rebased.rotations[1], IDENTITY).max() < 1e-7
    pose = forward_kinematics(motion)[1]
    np.testing.assert_allclose(rebased.skeleton.rest_positions, pose - pose[0], rtol=0, atol=1e-12)


def pose(**turns: np.ndarray) -> np.ndarray:
    """Local rotations (J, 4) of the avatar, by joint."""
    rotations = np.tile(IDENTITY, (len(AVATAR.names), 1))
    for joint, rotation in turns.items():
        rotations[AVATAR.index(joint)] = rotation
    return rotations


T_POSE = pose()
A_POSE = pose(LeftUpperArm=turn(z=-45), RightUpperArm=turn(z=45))
STRIDE = pose(LeftUpperArm=turn(z=-80), RightUpperArm=turn(z=80), LeftUpperLeg=turn(x=-20), RightUpperLeg=turn(x=15))
SITTING = pose(LeftUpperLeg=turn(x=-90), RightUpperLeg=turn(x=-90), LeftLowerLeg=turn(x=90), RightLowerLeg=turn(x=90))
FOLDED = pose(**{f"{side}UpperLeg": turn(x=-175) for side in ("Left", "Right")})


def motion_of(*poses: np.ndarray) -> Motion:
    return Motion(AVATAR, np.stack(poses), np.tile([0.3, 0.9, -0.2], (len(poses), 1)), 30.0)


def figure(motion: Motion) -> Figure:
    return Figure.of(motion.skeleton, ROLES, forward_kinematics(motion))


def alone(rotations: np.ndarray) -> Figure:
    return Figure.of(AVATAR, ROLES, forward_kinematics(motion_of(rotations))[0])


@pytest.mark.parametrize(
    ("rotations", "stands", "t_pose"),
    [(T_POSE, True, True), (A_POSE, True, False), (STRIDE, True, False), (SITTING, False, False), (FOLDED, False, False)],
    ids=["T", "A", "stride", "sitting", "folded"],
)
def test_poses_are_told_apart(rotations: np.ndarray, stands: bool, t_pose: bool) -> None:
    assert alone(rotations).stands() is stands
    assert alone(rotations).is_t_pose() is t_pose


def test_a_t_pose_facing_anywhere_is_one_and_upside_down_is_none() -> None:
    for degrees in (37, 90, 180, 271):
        assert alone(pose(Hips=turn(y=degrees))).is_t_pose()
    assert not alone(pose(Hips=turn(x=180))).is_t_pose()


def test_a_t_pose_is_inserted_only_if_the_motion_starts_elsewhere() -> None:
    later = multiply(STRIDE, turn(x=1.0))
    assert inserted_t_pose(figure(motion_of(T_POSE, STRIDE, later)))
    assert inserted_t_pose(figure(motion_of(T_POSE, STRIDE)))
    assert not inserted_t_pose(figure(motion_of(STRIDE, later, STRIDE)))
    assert not inserted_t_pose(figure(motion_of(T_POSE)))
    # Somebody who starts in a T-pose and lowers the arms, however fast: the next frames go on like it.
    lowering = [pose(LeftUpperArm=turn(z=-angle), RightUpperArm=turn(z=angle)) for angle in (0, 5, 12)]
    assert not inserted_t_pose(figure(motion_of(*lowering)))
    fast = [pose(LeftUpperArm=turn(z=-angle), RightUpperArm=turn(z=angle)) for angle in (0, 30, 60)]
    assert not inserted_t_pose(figure(motion_of(*fast)))


@pytest.mark.parametrize("whole", [turn(), turn(x=90), turn(x=-90), turn(y=90), turn(y=180), turn(z=90), turn(x=90, z=180)])
def test_an_upright_zero_pose_is_found_whichever_way_it_lies(whole: np.ndarray) -> None:
    lying = Skeleton(AVATAR.names, AVATAR.parents, rotate(whole, AVATAR.offsets), AVATAR.end_sites)
    reference = zero_reference(lying, ROLES)
    assert reference is not None
    assert angle_between(reference, conjugate(whole)).max() < 1e-9
    np.testing.assert_allclose(rotate(reference, lying.offsets), AVATAR.offsets, atol=1e-12)


def zero_pose_of(rotations: np.ndarray) -> Skeleton:
    """The avatar with a pose as its zero pose."""
    motion = motion_of(rotations)
    return rebase_rest_pose(motion, global_rotations(AVATAR, motion.rotations)[0]).skeleton


def test_a_zero_pose_that_does_not_stand_is_none() -> None:
    assert zero_reference(zero_pose_of(A_POSE), ROLES) is not None
    for rotations in (SITTING, FOLDED):
        assert zero_reference(zero_pose_of(rotations), ROLES) is None


def test_bone_directions_make_a_t_pose_of_a_sitting_figure() -> None:
    sitting = zero_pose_of(SITTING)
    reference = direction_reference(sitting, ROLES)
    assert not isinstance(reference, str)
    motion = Motion(sitting, np.tile(IDENTITY, (1, len(sitting.names), 1)), np.zeros((1, 3)), 30.0)
    rested = rebase_rest_pose(motion, reference).skeleton
    assert Figure.of(rested, ROLES, rested.rest_positions).is_t_pose()
    # Each bone has been turned back by what made it sit, so thighs and shanks are not twisted.
    expected = conjugate(global_rotations(AVATAR, SITTING[None])[0])
    for joint in ("LeftUpperLeg", "RightUpperLeg", "LeftLowerLeg", "RightLowerLeg", "LeftUpperArm", "RightLowerArm"):
        difference = angle_between(reference[AVATAR.index(joint)], expected[AVATAR.index(joint)])
        assert np.degrees(difference) < 8.0, joint  # the avatar's trunk leans by 7 degrees


def test_bone_directions_do_not_guess_the_twist_of_a_folded_figure() -> None:
    found = direction_reference(zero_pose_of(FOLDED), ROLES)
    assert isinstance(found, str)
    assert "UpperLeg would have to turn by" in found


def test_the_first_frame_as_reference_faces_forward() -> None:
    motion = motion_of(pose(Hips=turn(y=70)), STRIDE)
    rested = rebase_rest_pose(motion, frame_reference(motion, ROLES))
    np.testing.assert_allclose(rested.skeleton.rest_positions, AVATAR.rest_positions, atol=1e-12)


def test_joints_that_are_not_known_go_along_with_their_parents() -> None:
    skeleton = Skeleton(("above", "hips", "spine", "head", "leg"), (-1, 0, 1, 2, 1), np.zeros((5, 3)))
    a, b = turn(x=30), turn(z=50)
    reference = complete(skeleton, {"hips": a, "head": b})
    np.testing.assert_allclose(reference, [a, a, a, b, a])
    np.testing.assert_allclose(complete(skeleton, {}), np.tile(IDENTITY, (5, 1)))
