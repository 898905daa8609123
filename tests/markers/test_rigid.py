"""The tools of the solver: rigid fits, centres of rotation, frames from vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mocapgen.core.rotation import from_matrices, normalise, rotate
from mocapgen.core.vectors import across, cross, dot, norms, unit
from mocapgen.markers.orientation import basis, tilt
from mocapgen.markers.pose import follow
from mocapgen.markers.rigid import Frames, fit_centre, fit_rigid, mean_shape

seeds = st.integers(0, 2**32 - 1)


def motion(generator: np.random.Generator, frames: int) -> Frames:
    return Frames(Rotation.random(frames, rng=generator).as_quat(), generator.normal(size=(frames, 3)))


@settings(max_examples=50, deadline=None)
@given(seeds, st.integers(3, 6))
def test_a_rigid_shape_is_found_again(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    frames, shape = motion(generator, 20), generator.normal(size=(count, 3))
    points = np.stack([frames.to_world(point) for point in shape], axis=1)
    found = fit_rigid(shape, points, generator.uniform(0.1, 1.0, size=count))
    for point, path in zip(shape, np.moveaxis(points, 1, 0), strict=True):
        assert np.abs(found.to_world(point) - path).max() < 1e-6
        assert np.abs(found.to_local(path) - point).max() < 1e-6


def test_a_rigid_fit_is_scipys() -> None:
    generator = np.random.default_rng(0)
    shape, points = generator.normal(size=(5, 3)), generator.normal(size=(10, 5, 3))
    found = fit_rigid(shape, points)
    for quaternion, there in zip(found.rotations, points, strict=True):
        wanted, _ = Rotation.align_vectors(there - there.mean(axis=0), shape - shape.mean(axis=0))
        assert (Rotation.from_quat(quaternion) * wanted.inv()).magnitude() < 1e-6


def test_the_mean_shape_ignores_a_marker_that_jumps_off() -> None:
    generator = np.random.default_rng(1)
    frames, shape = motion(generator, 60), generator.normal(size=(4, 3))
    shape -= shape.mean(axis=0)
    points = np.stack([frames.to_world(point) for point in shape], axis=1) + generator.normal(scale=1e-4, size=(60, 4, 3))
    points[:6, 2] += 1.0
    assert np.abs(mean_shape(points, shape + generator.normal(scale=0.05, size=shape.shape)) - shape).max() < 0.1


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_a_centre_of_rotation_is_found(seed: int) -> None:
    generator = np.random.default_rng(seed)
    turns = Rotation.from_rotvec(generator.normal(scale=0.7, size=(200, 3)))
    centre = generator.normal(scale=0.1, size=3)
    paths = [centre + turns.apply(point) + generator.normal(scale=0.002, size=(200, 3)) for point in ([0.4, 0.0, 0.0], [0.2, 0.1, 0.0])]
    paths[0][:20] += 0.3  # robust
    found = fit_centre(paths, centre + generator.normal(scale=0.02, size=3), 0.03**2 * np.eye(3), 0.005, 200.0)
    assert np.linalg.norm(found - centre) < 0.006


def test_without_movement_the_guess_stands() -> None:
    guess = np.array([0.1, 0.2, 0.3])
    found = fit_centre([np.tile([0.5, 0.2, 0.3], (50, 1))], guess, 0.02**2 * np.eye(3), 0.008, 100.0)
    assert np.abs(found - guess).max() < 1e-9


def test_about_one_axis_the_guess_stands_along_it() -> None:
    turns = Rotation.from_rotvec(np.linspace(0.0, 2.0, 100)[:, None] * [0.0, 0.0, 1.0])
    path = turns.apply([0.3, 0.0, 0.0])
    found = fit_centre([path], np.array([0.02, -0.02, 0.03]), 0.05**2 * np.eye(3), 0.002, 1000.0)
    assert np.abs(found - [0.0, 0.0, 0.03]).max() < 1e-3


# Vectors ------------------------------------------------------------------------------------------


@given(seeds)
def test_quaternions_of_matrices_are_scipys(seed: int) -> None:
    turns = Rotation.random(30, rng=np.random.default_rng(seed))
    assert np.abs(np.abs(dot(from_matrices(turns.as_matrix()), turns.as_quat())) - 1.0).max() < 1e-12


def test_quaternions_of_half_turns() -> None:
    for axis in np.eye(3):
        turn = Rotation.from_rotvec(np.pi * axis)
        assert abs(abs(dot(from_matrices(turn.as_matrix()), turn.as_quat())) - 1.0) < 1e-12


@pytest.mark.parametrize("axes", ["xy", "xz", "yx", "yz", "zx", "zy"])
def test_a_basis_has_its_axes_where_asked(axes: str) -> None:
    first, second = np.random.default_rng(2).normal(size=(2, 50, 3))
    turned = basis(first, second, axes)
    unit_of = dict(zip("xyz", np.eye(3), strict=True))
    assert np.abs(rotate(turned, unit_of[axes[0]]) - unit(first)).max() < 1e-12
    assert np.abs(rotate(turned, unit_of[axes[1]]) - unit(across(second, unit(first)))).max() < 1e-12


def test_vector_products_are_numpys() -> None:
    a, b = np.random.default_rng(3).normal(size=(2, 20, 3))
    assert np.allclose(cross(a, b), np.cross(a, b))
    assert np.allclose(cross(a, b[0]), np.cross(a, b[0]))
    assert np.allclose(norms(a), np.linalg.norm(a, axis=1))
    assert (unit(np.zeros((1, 3))) == 0.0).all()


def test_a_tilt_is_limited() -> None:
    up = np.array([0.0, 1.0, 0.0])
    small = np.array([0.0, np.cos(0.3), np.sin(0.3)])
    assert np.abs(rotate(tilt(small), up) - small).max() < 1e-12
    assert np.degrees(np.arccos(rotate(tilt(np.array([0.0, -0.1, 1.0])), up)[1])) == pytest.approx(35.0)


# Limbs of constant length -------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(seeds, st.floats(0.5, 5.0))
def test_a_limb_that_fits_is_left_alone(seed: int, weight: float) -> None:
    generator = np.random.default_rng(seed)
    start, first, second = generator.normal(size=(3, 20, 3))
    middle = start + 0.4 * unit(first)
    end = middle + 0.35 * unit(second)
    found = follow(start, middle, end, 0.4, 0.35, weight)
    assert np.abs(found[0] - middle).max() < 1e-9
    assert np.abs(found[1] - end).max() < 1e-9


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_bones_keep_their_length_and_follow(seed: int) -> None:
    generator = np.random.default_rng(seed)
    start, first, second = generator.normal(size=(3, 20, 3))
    middle = start + 0.4 * unit(first)
    end = middle + 0.35 * unit(second)
    off = generator.normal(scale=0.005, size=(2, 20, 3))
    joint, tip = follow(start, middle + off[0], end + off[1], 0.4, 0.35, 1.0)
    assert np.abs(norms(joint - start) - 0.4).max() < 1e-9
    assert np.abs(norms(tip - joint) - 0.35).max() < 1e-9
    assert norms(joint - middle).max() < 0.04
    assert norms(tip - end).max() < 0.06


def test_a_stretched_limb_does_not_jump() -> None:
    way = np.linspace(0.70, 0.80, 200)  # through 0.75, where it is straight
    start, end = np.zeros((200, 3)), np.stack([way, np.zeros(200), np.zeros(200)], axis=1)
    middle = 0.5333 * end + [0.0, 0.01, 0.0]
    joint, tip = follow(start, middle, end, 0.4, 0.35, 3.0)
    assert norms(np.diff(joint, axis=0)).max() < 0.01
    assert norms(np.diff(tip, axis=0)).max() < 0.005


@pytest.mark.parametrize("noise", [0.0, 1e-4, 0.02, 1.0])
@pytest.mark.parametrize("count", [3, 4, 7])
def test_the_best_rotation_is_that_of_a_general_solver(noise: float, count: int) -> None:
    """Kabsch's rotation by singular values (Acta Cryst. A 32, 1976) for each frame."""
    rng = np.random.default_rng(3)
    turns = normalise(rng.normal(size=(200, 4)))
    shape = rng.normal(size=(count, 3))
    points = rotate(turns[:, None], shape) + rng.normal(size=(200, 1, 3)) + noise * rng.normal(size=(200, count, 3))
    found = fit_rigid(shape, points)
    for turn, origin, frame in zip(found.rotations, found.origins, points, strict=True):
        u, _, v = np.linalg.svd((shape - shape.mean(axis=0)).T @ (frame - frame.mean(axis=0)))
        best = (u @ np.diag([1.0, 1.0, np.linalg.det(u @ v)]) @ v).T
        np.testing.assert_allclose(rotate(turn, np.eye(3)).T, best, atol=1e-7)
        np.testing.assert_allclose(origin, frame.mean(axis=0) - best @ shape.mean(axis=0), atol=1e-7)


def test_points_on_a_line_or_in_one_place_give_some_rotation() -> None:
    line = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    up = line[:, [1, 0, 2]]
    found = fit_rigid(line, np.stack([line, up, up + 3.0]))
    np.testing.assert_allclose(np.linalg.norm(found.rotations, axis=1), 1.0)
    np.testing.assert_allclose(found.to_world(line[2]), [line[2], up[2], up[2] + 3.0], atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(fit_rigid(np.zeros((3, 3)), np.zeros((2, 3, 3))).rotations, axis=1), 1.0)
