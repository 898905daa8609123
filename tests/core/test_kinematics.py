"""Forward kinematics against a plain joint-by-joint implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mocapgen.core.kinematics import forward_kinematics, global_rotations, joint_positions, local_rotations
from mocapgen.core.motion import Motion, Skeleton


def random_motion(frames: int, joints: int, seed: int = 0, chain: bool = False) -> Motion:
    random = np.random.default_rng(seed)
    parents = (-1, *(index - 1 if chain else int(random.integers(0, index)) for index in range(1, joints)))
    skeleton = Skeleton(tuple(f"joint{index}" for index in range(joints)), parents, random.normal(size=(joints, 3)))
    rotations = random.normal(size=(frames, joints, 4))
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    return Motion(skeleton, rotations, random.normal(size=(frames, 3)), 30.0)


def reference(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Return global rotation matrices (T, J, 3, 3) and positions (T, J, 3), by loops over frames and joints."""
    skeleton = motion.skeleton
    matrices = np.empty((len(motion), len(skeleton.names), 3, 3))
    positions = np.empty((len(motion), len(skeleton.names), 3))
    for frame in range(len(motion)):
        local = Rotation.from_quat(motion.rotations[frame]).as_matrix()
        for joint, parent in enumerate(skeleton.parents):
            if parent < 0:
                matrices[frame, joint], positions[frame, joint] = local[joint], motion.root_positions[frame]
            else:
                matrices[frame, joint] = matrices[frame, parent] @ local[joint]
                positions[frame, joint] = positions[frame, parent] + matrices[frame, parent] @ skeleton.offsets[joint]
    return matrices, positions


@pytest.mark.parametrize(("frames", "joints"), [(1, 1), (1, 2), (3, 30), (511, 4), (512, 4), (513, 4), (1100, 5)])
def test_against_loops(frames: int, joints: int) -> None:
    motion = random_motion(frames, joints)
    matrices, positions = reference(motion)
    found = forward_kinematics(motion)
    assert found.shape == (frames, joints, 3)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, positions, atol=1e-12)
    rotations = global_rotations(motion.skeleton, motion.rotations)
    np.testing.assert_allclose(Rotation.from_quat(rotations.reshape(-1, 4)).as_matrix().reshape(matrices.shape), matrices, atol=1e-12)
    np.testing.assert_allclose(joint_positions(motion.skeleton, rotations, motion.root_positions), positions, atol=1e-12)


def test_a_bent_arm_by_hand() -> None:
    skeleton = Skeleton(("shoulder", "elbow", "hand"), (-1, 0, 1), np.array([[5.0, 5.0, 5.0], [1.0, 0, 0], [1.0, 0, 0]]))
    quarter = np.sqrt(0.5)
    rotations = np.array([[[0, 0, 0, 1], [0, 0, quarter, quarter], [0, 0, 0, 1]], [[0, 0, quarter, quarter], [0, 0, 0, 1], [quarter, 0, 0, quarter]]])
    found = forward_kinematics(Motion(skeleton, rotations, np.array([[0, 2.0, 0], [0, 0, 0]]), 30.0))
    np.testing.assert_allclose(found, [[[0, 2, 0], [1, 2, 0], [1, 3, 0]], [[0, 0, 0], [0, 1, 0], [0, 2, 0]]], atol=1e-15)


def test_rest_pose_is_where_rest_positions_say() -> None:
    skeleton = random_motion(1, 12).skeleton
    motion = Motion(skeleton, np.tile([0.0, 0, 0, 1], (2, 12, 1)), np.array([[0.0, 0, 0], [1, 2, 3]]), 30.0)
    np.testing.assert_allclose(forward_kinematics(motion)[0], skeleton.rest_positions, atol=1e-14)
    np.testing.assert_allclose(forward_kinematics(motion)[1], skeleton.rest_positions + motion.root_positions[1], atol=1e-14)


def test_a_very_deep_skeleton() -> None:
    motion = random_motion(2, 1500, chain=True)
    np.testing.assert_allclose(forward_kinematics(motion), reference(motion)[1], atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 20), st.integers(0, 1000))
def test_local_and_global_undo_each_other_and_bones_keep_their_length(frames: int, joints: int, seed: int) -> None:
    motion = random_motion(frames, joints, seed)
    everywhere = global_rotations(motion.skeleton, motion.rotations)
    np.testing.assert_allclose(local_rotations(motion.skeleton, everywhere), motion.rotations, atol=1e-12)
    np.testing.assert_allclose(global_rotations(motion.skeleton, local_rotations(motion.skeleton, motion.rotations)), motion.rotations, atol=1e-12)
    positions = forward_kinematics(motion)
    parents = list(motion.skeleton.parents[1:])
    lengths = np.linalg.norm(positions[:, 1:] - positions[:, parents], axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(np.linalg.norm(motion.skeleton.offsets[1:], axis=-1), lengths.shape), atol=1e-12)


def test_several_skeletons_with_the_same_tree_are_posed_at_once() -> None:
    motions = [random_motion(6, 9, seed=0), random_motion(6, 9, seed=0)]
    offsets = np.random.default_rng(1).normal(size=(2, 9, 3))
    tree = motions[0].skeleton
    rotations = np.stack([motions[0].rotations, motions[1].rotations[::-1]], axis=1)  # (T, 2, J, 4)
    roots = np.stack([motions[0].root_positions, motions[1].root_positions[::-1]], axis=1)
    everywhere = np.stack([global_rotations(tree, rotations[:, which]) for which in range(2)], axis=1)
    found = joint_positions(tree, everywhere, roots, offsets)
    np.testing.assert_allclose(local_rotations(tree, everywhere), rotations, atol=1e-12)
    assert found.shape == (6, 2, 9, 3)
    for which in range(2):
        figure = Skeleton(tree.names, tree.parents, offsets[which])
        np.testing.assert_allclose(found[:, which], reference(Motion(figure, rotations[:, which], roots[:, which], 30.0))[1], atol=1e-12)


def test_nothing_given_is_changed() -> None:
    motion = random_motion(5, 7)
    rotations, positions = motion.rotations.copy(), motion.root_positions.copy()
    given_rotations = motion.rotations.copy()
    local_rotations(motion.skeleton, given_rotations)
    joint_positions(motion.skeleton, global_rotations(motion.skeleton, given_rotations), positions)
    np.testing.assert_array_equal(given_rotations, rotations)
    np.testing.assert_array_equal(positions, motion.root_positions)


def test_some_joints_are_where_they_are_among_all_to_the_last_bit() -> None:
    motion = random_motion(600, 20)
    everywhere = forward_kinematics(motion)
    for joints in (("joint7", "joint19", "joint3"), ("joint0",), motion.skeleton.names):
        np.testing.assert_array_equal(forward_kinematics(motion, joints), everywhere[:, motion.skeleton.indices(joints)])
