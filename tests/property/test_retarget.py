"""What retargeting must not depend on: where on the floor and which way, which side, which rest pose, which size."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.resample import resample
from mocapgen.retarget import retarget
from mocapgen.sources.sample import clips, make
from schemas.config import DEFAULT_AVATARS
from schemas.conventions import mirrored

Array = NDArray[np.float64]
CLIPS = tuple(clip for clip in clips() if clip.take == "001")
LIMBS = tuple(f"{side}{part}" for side in ("Left", "Right") for part in ("LowerArm", "Hand", "LowerLeg", "Foot"))
"""Where the bones end whose direction is kept; each one's bone starts at its parent."""
TARGETS = {name: avatar_skeleton(load_avatar(name)) for name in DEFAULT_AVATARS}

several = settings(max_examples=25, deadline=None)
some_clip = st.integers(0, len(CLIPS) - 1)
some_avatar = st.sampled_from(sorted(TARGETS))
seeds = st.integers(0, 2**32 - 1)


@cache
def performed(number: int) -> Motion:
    return resample(make(CLIPS[number])[0], 30.0)


def lopsided(motion: Motion, seed: int) -> Motion:
    """Change every bone's length a little, left and right differently, as real skeletons do."""
    factors = np.random.default_rng(seed).uniform(0.9, 1.1, (len(motion.skeleton.names), 1))
    return replace(motion, skeleton=replace(motion.skeleton, offsets=motion.skeleton.offsets * factors))


def matrices(motion: Motion) -> Array:
    """Return local rotations as (T, J, 3, 3)."""
    return Rotation.from_quat(motion.rotations.reshape(-1, 4)).as_matrix().reshape(*motion.rotations.shape[:2], 3, 3)


def world(motion: Motion) -> tuple[Array, Array]:
    """Return global rotations, (T, J, 3, 3), and joint positions, (T, J, 3) metres."""
    turned, at = matrices(motion), np.repeat(motion.root_positions[:, None], len(motion.skeleton.names), axis=1)
    for index, parent in enumerate(motion.skeleton.parents[1:], start=1):
        turned[:, index] = turned[:, parent] @ turned[:, index]
        at[:, index] = at[:, parent] + turned[:, parent] @ motion.skeleton.offsets[index]
    return turned, at


def rebased(motion: Motion, reference: Array) -> Motion:
    """Tell a motion with another rest pose, in which the global rotations of the old one are `reference`, (J, 3, 3)."""
    skeleton = motion.skeleton
    above = np.array([max(parent, 0) for parent in skeleton.parents])
    offsets = np.einsum("jab,jb->ja", reference[above], skeleton.offsets)
    local = matrices(motion)
    local[:, 1:] = reference[above[1:]] @ local[:, 1:]
    local = local @ np.swapaxes(reference, 1, 2)
    rotations = Rotation.from_matrix(local.reshape(-1, 3, 3)).as_quat().reshape(motion.rotations.shape)
    return replace(motion, skeleton=replace(skeleton, offsets=offsets), rotations=rotations)


def assert_same(found: Motion, wanted: Motion, atol: float = 1e-6) -> None:
    for here, there in zip(world(found), world(wanted), strict=True):
        np.testing.assert_allclose(here, there, rtol=0, atol=atol)


@several
@given(some_clip, some_avatar, st.floats(-np.pi, np.pi), st.tuples(st.floats(-5, 5), st.floats(-5, 5)), seeds)
def test_turned_and_moved_over_the_floor(number: int, avatar: str, yaw: float, at: tuple[float, float], seed: int) -> None:
    turn, shift = Rotation.from_euler("y", yaw), np.array([at[0], 0.0, at[1]])

    def displaced(motion: Motion) -> Motion:
        rotations = np.array(motion.rotations)
        rotations[:, 0] = (turn * Rotation.from_quat(rotations[:, 0])).as_quat()
        return replace(motion, rotations=rotations, root_positions=turn.apply(np.array(motion.root_positions)) + shift)

    source, target = lopsided(performed(number), seed), TARGETS[avatar]
    assert_same(retarget(displaced(source), target), displaced(retarget(source, target)))


@several
@given(some_clip, some_avatar, seeds)
def test_mirrored(number: int, avatar: str, seed: int) -> None:
    def reflected(motion: Motion) -> Motion:
        skeleton, flip = motion.skeleton, np.array([-1.0, 1.0, 1.0])
        other = skeleton.indices([mirrored(name) for name in skeleton.names])
        return replace(
            motion,
            skeleton=replace(skeleton, offsets=skeleton.offsets[other] * flip),
            rotations=motion.rotations[:, other] * [1.0, -1.0, -1.0, 1.0],
            root_positions=motion.root_positions * flip,
        )

    source, target = lopsided(performed(number), seed), TARGETS[avatar]
    result = reflected(retarget(source, target))
    np.testing.assert_allclose(result.skeleton.offsets, target.offsets, rtol=0, atol=1e-9)  # avatars are alike on both sides
    assert_same(retarget(reflected(source), target), result)


@several
@given(some_clip, some_avatar, seeds)
def test_any_rest_pose_of_the_limbs(number: int, avatar: str, seed: int) -> None:
    """Arms and legs at any angle, each bone turned there by the shortest way: the whole body does the same."""
    source, random = performed(number), np.random.default_rng(seed)
    skeleton = source.skeleton
    reference = np.tile(np.eye(3), (len(skeleton.names), 1, 1))
    for index, name in enumerate(skeleton.names):
        if index:
            reference[index] = reference[skeleton.parents[index]]
        end = next((child for child in skeleton.children(name) if child in LIMBS), None)
        if end is not None:
            bone = reference[index] @ skeleton.offsets[skeleton.index(end)]
            axis = np.cross(bone, random.normal(size=3))
            axis *= random.uniform(0.0, 1.5) / np.linalg.norm(axis)
            reference[index] = Rotation.from_rotvec(axis).as_matrix() @ reference[index]
    told = rebased(source, reference)
    for here, there in zip(world(told)[1].swapaxes(0, 1), world(source)[1].swapaxes(0, 1), strict=True):
        np.testing.assert_allclose(here, there, rtol=0, atol=1e-9)  # the same motion
    target = straightened(TARGETS[avatar], skeleton)
    assert_same(retarget(told, target), retarget(source, target))


def straightened(target: Skeleton, source: Skeleton) -> Skeleton:
    """Give the limbs of a skeleton the directions of another's: then not even their twist is in doubt."""
    offsets = np.array(target.offsets)
    for name in LIMBS:
        there = source.offsets[source.index(name)]
        offsets[target.index(name)] = there / np.linalg.norm(there) * target.bone_length(name)
    return replace(target, offsets=offsets)


@several
@given(some_clip, some_avatar, seeds)
def test_any_axes_of_the_limbs(number: int, avatar: str, seed: int) -> None:
    """Limbs' joints whose axes point anywhere, as files have it: limbs point the same way, only their twist is a matter of taste."""
    source, random = performed(number), np.random.default_rng(seed)
    skeleton, target = source.skeleton, TARGETS[avatar]
    reference = np.tile(np.eye(3), (len(skeleton.names), 1, 1))
    for index, name in enumerate(skeleton.names):
        if any(child in LIMBS for child in skeleton.children(name)):
            reference[index] = Rotation.random(rng=random).as_matrix()
    wanted, found = (world(retarget(motion, target, plant_feet=False))[1] for motion in (source, rebased(source, reference)))
    for name in LIMBS:
        np.testing.assert_allclose(found[:, target.index(name)], wanted[:, target.index(name)], rtol=0, atol=1e-6, err_msg=name)


@several
@given(some_clip, some_avatar, st.floats(0.3, 100.0))
def test_a_source_of_any_size(number: int, avatar: str, size: float) -> None:
    """Up to where on the floor the clip starts. What counts as planted is measured in metres: not compared here."""
    source, target = performed(number), TARGETS[avatar]
    grown = replace(source, skeleton=replace(source.skeleton, offsets=source.skeleton.offsets * size), root_positions=source.root_positions * size)
    wanted, found = (retarget(motion, target, plant_feet=False) for motion in (source, grown))
    shift = (found.root_positions - wanted.root_positions)[0]
    assert shift[1] == pytest.approx(0.0, abs=1e-6)
    assert_same(found, replace(wanted, root_positions=wanted.root_positions + shift))


@several
@given(some_clip, seeds)
def test_its_own_skeleton_changes_nothing(number: int, seed: int) -> None:
    source = lopsided(performed(number), seed)
    assert_same(retarget(source, source.skeleton), source)
