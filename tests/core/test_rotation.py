"""Quaternions against scipy, at the places where the formulas are delicate, and as properties."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation, Slerp

from mocapgen.core import rotation
from mocapgen.core.rotation import (
    IDENTITY,
    angle_between,
    conjugate,
    from_euler,
    from_matrix,
    keep_continuous,
    make_continuous,
    multiply,
    normalise,
    rotate,
    shortest_arc,
    slerp,
    to_euler,
    to_matrix,
)

ORDERS = ["".join(order) for order in itertools.permutations("XYZ")]
GAPS = [10.0**-exponent for exponent in range(5, 13)]
"""Distances from gimbal lock, radians."""

quick = settings(max_examples=60, deadline=None)
angles = st.floats(-10.0, 10.0)
components = arrays(np.float64, 4, elements=st.floats(-1.0, 1.0)).filter(lambda q: np.linalg.norm(q) > 1e-3)
quaternions = components.map(lambda q: q / np.linalg.norm(q))
vectors = arrays(np.float64, 3, elements=st.floats(-100.0, 100.0)).filter(lambda v: np.linalg.norm(v) > 1e-3)


def random_quaternions(*shape: int, seed: int = 0) -> np.ndarray:
    q = np.random.default_rng(seed).normal(size=(*shape, 4))
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def turn(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest angle between rotations, computed by scipy."""
    a, b = np.broadcast_arrays(a, b)
    return float((Rotation.from_quat(a.reshape(-1, 4)).inv() * Rotation.from_quat(b.reshape(-1, 4))).magnitude().max())


# Products -----------------------------------------------------------------------------------------


def test_multiply_rotate_and_conjugate_are_those_of_scipy() -> None:
    a, b = random_quaternions(500), random_quaternions(500, seed=1)
    v = np.random.default_rng(2).normal(size=(500, 3))
    first, second = Rotation.from_quat(a), Rotation.from_quat(b)
    np.testing.assert_allclose(multiply(a, b), (first * second).as_quat(), atol=1e-15)
    np.testing.assert_allclose(rotate(a, v), first.apply(v), atol=1e-14)
    np.testing.assert_allclose(conjugate(a) * -1, first.inv().as_quat() * -1, atol=0)


def test_the_order_of_a_product() -> None:
    quarter = np.sqrt(0.5)
    about_x, about_y = np.array([quarter, 0, 0, quarter]), np.array([0, quarter, 0, quarter])
    # First about y: z becomes x; then about x, which leaves it.
    np.testing.assert_allclose(rotate(multiply(about_x, about_y), np.array([0.0, 0.0, 1.0])), [1, 0, 0], atol=1e-15)
    np.testing.assert_allclose(rotate(multiply(about_y, about_x), np.array([0.0, 0.0, 1.0])), [0, -1, 0], atol=1e-15)


@pytest.mark.parametrize(
    ("left", "right", "out"), [((), (), ()), ((7,), (), (7,)), ((), (7,), (7,)), ((5, 1), (1, 3), (5, 3)), ((4, 5, 3), (3,), (4, 5, 3))]
)
def test_leading_shapes_broadcast(left: tuple[int, ...], right: tuple[int, ...], out: tuple[int, ...]) -> None:
    a, b = random_quaternions(*left), random_quaternions(*right, seed=1)
    v = np.random.default_rng(2).normal(size=(*right, 3))
    flat_a = np.broadcast_to(a, (*out, 4)).reshape(-1, 4)
    flat_b = np.broadcast_to(b, (*out, 4)).reshape(-1, 4)
    flat_v = np.broadcast_to(v, (*out, 3)).reshape(-1, 3).copy()
    expected = (Rotation.from_quat(flat_a) * Rotation.from_quat(flat_b)).as_quat().reshape(*out, 4)
    np.testing.assert_allclose(multiply(a, b), expected, atol=1e-15)
    np.testing.assert_allclose(rotate(a, v), Rotation.from_quat(flat_a).apply(flat_v).reshape(*out, 3), atol=1e-14)
    half = slerp(a, b, np.full(out, 0.5))
    assert half.shape == (*out, 4)
    assert angle_between(a, half).shape == out
    np.testing.assert_allclose(angle_between(a, half), angle_between(half, b), atol=1e-7)
    w = rotate(b, v)
    np.testing.assert_allclose(rotate(shortest_arc(v, w), v), w, atol=1e-12)


def test_float32_and_lists_are_computed_in_double_precision() -> None:
    q = random_quaternions(3).astype(np.float32)
    assert multiply(q, q).dtype == rotate(q, [1, 2, 3]).dtype == normalise(q).dtype == conjugate(q).dtype == np.float64
    np.testing.assert_array_equal(multiply(q, q), multiply(q.astype(np.float64), q.astype(np.float64)))


def test_nothing_given_is_changed() -> None:
    a, b = random_quaternions(9), random_quaternions(9, seed=1)
    kept = a.copy(), b.copy()
    for result in (multiply(a, b), slerp(a, b, np.full(9, 0.3)), normalise(a), make_continuous(a), conjugate(a), shortest_arc(a[:, :3], b[:, :3])):
        result[...] = 7.0
    np.testing.assert_array_equal(a, kept[0])
    np.testing.assert_array_equal(b, kept[1])


@quick
@given(quaternions, quaternions, quaternions, vectors)
def test_rotations_form_a_group_and_keep_lengths(a: np.ndarray, b: np.ndarray, c: np.ndarray, v: np.ndarray) -> None:
    np.testing.assert_allclose(multiply(multiply(a, b), c), multiply(a, multiply(b, c)), atol=1e-14)
    np.testing.assert_allclose(multiply(a, conjugate(a)), IDENTITY, atol=1e-14)
    np.testing.assert_allclose(multiply(a, IDENTITY), a, atol=0)
    np.testing.assert_allclose(rotate(multiply(a, b), v), rotate(a, rotate(b, v)), atol=1e-12)
    assert np.linalg.norm(rotate(a, v)) == pytest.approx(np.linalg.norm(v), rel=1e-13)


@quick
@given(components)
def test_normalise(q: np.ndarray) -> None:
    unit = normalise(q)
    assert np.linalg.norm(unit) == pytest.approx(1.0, abs=1e-15)
    np.testing.assert_allclose(unit * np.linalg.norm(q), q, atol=1e-15)


# Signs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, -2])
def test_make_continuous_undoes_random_signs(axis: int) -> None:
    random = np.random.default_rng(0)
    steps = Rotation.from_rotvec(random.normal(size=(4, 200, 3)).reshape(-1, 3) * 0.3).as_quat().reshape(4, 200, 4)
    smooth = np.empty((200, 4, 4))
    smooth[0] = IDENTITY
    for frame in range(1, 200):
        smooth[frame] = multiply(smooth[frame - 1], steps[:, frame])
    flipped = smooth * random.choice([-1.0, 1.0], size=(200, 4, 1))
    given_axes, expected = (flipped, smooth) if axis == 0 else (flipped.swapaxes(0, 1), smooth.swapaxes(0, 1))
    np.testing.assert_array_equal(make_continuous(given_axes, axis), expected)


def test_make_continuous_of_no_and_of_one_frame() -> None:
    assert make_continuous(np.empty((0, 3, 4))).shape == (0, 3, 4)
    np.testing.assert_array_equal(make_continuous(np.array([[0.0, 0.6, 0.0, -0.8]])), [[0.0, -0.6, 0.0, 0.8]])


@quick
@given(st.lists(quaternions, min_size=1, max_size=20))
def test_make_continuous_gives_one_array_for_one_motion(frames: list[np.ndarray]) -> None:
    q = np.array(frames)
    out = make_continuous(q)
    np.testing.assert_array_equal(np.abs(out), np.abs(q))
    assert (np.einsum("ti,ti->t", out[1:], out[:-1]) >= 0).all()
    assert out[0, 3] >= 0
    if q[0, 3] != 0 and (np.abs(np.einsum("ti,ti->t", q[1:], q[:-1])) > 0).all():
        np.testing.assert_array_equal(make_continuous(-q), out)


# Interpolation ------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [1, 2, 511, 512, 513, 1025])
def test_keep_continuous_does_in_place_what_make_continuous_does(frames: int) -> None:
    random = np.random.default_rng(frames)
    q = normalise(random.normal(size=(frames, 3, 4)))
    q[frames // 2 :, 0] = [0.0, 0.0, 0.0, 1.0]
    q[: frames // 2, 0] = [1.0, 0.0, 0.0, 0.0]  # at right angles: neither sign is nearer
    kept = np.array(q)
    keep_continuous(kept)
    np.testing.assert_array_equal(kept, make_continuous(q))


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-9, 0.9e-6, 1.1e-6, 1e-5, 1e-3, 0.5, 2.0, 3.0, np.pi - 1e-3, np.pi - 1e-6, np.pi - 1e-9])
def test_slerp_is_that_of_scipy(angle: float) -> None:
    axis = np.array([0.36, -0.48, 0.8])
    start = Rotation.from_quat(random_quaternions(1)[0])
    stop = start * Rotation.from_rotvec(axis * angle)
    fractions = np.linspace(0.0, 1.0, 11)
    expected = Slerp([0.0, 1.0], Rotation.concatenate([start, stop]))(fractions).as_quat()
    for sign in (1.0, -1.0):
        found = slerp(start.as_quat(), sign * stop.as_quat(), fractions)
        assert turn(found, expected) < 1e-12
        np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1.0, atol=1e-15)


def test_slerp_of_exact_half_turn_turns_evenly_one_way_or_the_other() -> None:
    a, b = np.array([0.0, 0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0, 0.0])
    found = slerp(a, b, np.linspace(0.0, 1.0, 5))
    np.testing.assert_allclose(angle_between(a, found), np.linspace(0.0, np.pi, 5), atol=1e-12)


def test_slerp_of_many_joints_at_once() -> None:
    a, b = random_quaternions(20, 6), random_quaternions(20, 6, seed=1)
    fractions = np.random.default_rng(2).random(20)
    found = slerp(a, b, fractions[:, None])
    for frame, joint in itertools.product(range(20), range(6)):
        pair = Rotation.from_quat(np.stack([a[frame, joint], b[frame, joint]]))
        assert turn(found[frame, joint], Slerp([0.0, 1.0], pair)(fractions[frame]).as_quat()) < 1e-12


@quick
@given(quaternions, quaternions, st.floats(0.0, 1.0))
def test_slerp_goes_the_shorter_way_at_even_speed(a: np.ndarray, b: np.ndarray, fraction: float) -> None:
    whole = angle_between(a, b)
    between = slerp(a, b, np.array(fraction))
    assert whole <= np.pi + 1e-12
    assert angle_between(a, between) == pytest.approx(fraction * whole, abs=1e-7)
    assert angle_between(between, b) == pytest.approx((1 - fraction) * whole, abs=1e-7)


# Between directions -------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-3, 1.0, 2.0, *(np.pi - np.array([1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 0.0]))])
@pytest.mark.parametrize("lengths", [(1.0, 1.0), (1e-3, 1e3), (0.01, 0.45)])
def test_shortest_arc_turns_one_direction_into_the_other(angle: float, lengths: tuple[float, float]) -> None:
    starts = np.concatenate([np.eye(3), -np.eye(3), rotate(random_quaternions(20), np.array([1.0, 0.0, 0.0]))])
    normals = np.cross(starts, [0.3, -0.5, 0.81])
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    ends = Rotation.from_rotvec(angle * normals).apply(starts)
    arc = shortest_arc(lengths[0] * starts, lengths[1] * ends)
    # Within 1.5e-7 of opposite the axis itself is rounding: half a turn about any normal is as good an answer.
    np.testing.assert_allclose(rotate(arc, starts), ends, atol=3e-7 if angle > np.pi - 1e-4 else 1e-11)
    np.testing.assert_allclose(angle_between(arc, IDENTITY), angle, atol=3e-7)
    np.testing.assert_allclose(np.linalg.norm(arc, axis=-1), 1.0, atol=1e-15)


def test_shortest_arc_of_exactly_opposite_directions_is_half_a_turn_about_a_normal() -> None:
    a = np.array([[1.0, 0, 0], [0, 2.0, 0], [0, 0, -0.1], [3.0, 4.0, 0.0], [0.9, 0.1, 0.1]])
    arc = shortest_arc(a, -5.0 * a)
    np.testing.assert_allclose(arc[:, 3], 0.0, atol=1e-15)
    np.testing.assert_allclose(np.einsum("ti,ti->t", arc[:, :3], a), 0.0, atol=1e-15)


def test_shortest_arc_of_tiny_and_huge_vectors() -> None:
    a, b = np.array([[1e-70, 0, 0], [1e70, 0, 0], [1e-120, 0, 0]]), np.array([[0, 1e-70, 0], [0, 1e70, 0], [0, 1e120, 0]])
    np.testing.assert_allclose(shortest_arc(a, b), [[0, 0, np.sqrt(0.5), np.sqrt(0.5)]] * 3, atol=1e-15)


@quick
@given(vectors, vectors)
def test_shortest_arc_leaves_the_normal_alone(a: np.ndarray, b: np.ndarray) -> None:
    arc = shortest_arc(a, b)
    cosine = np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)
    np.testing.assert_allclose(rotate(arc, a / np.linalg.norm(a)), b / np.linalg.norm(b), atol=3e-7)
    assert np.cos(angle_between(arc, IDENTITY)) == pytest.approx(cosine, abs=1e-6)
    if abs(cosine) < 0.999:
        normal = np.cross(a, b)
        np.testing.assert_allclose(rotate(arc, normal), normal, rtol=1e-9, atol=1e-9 * np.linalg.norm(normal))


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-8, 1e-3, 1.0, 3.0, np.pi])
def test_angle_between_keeps_its_digits_at_both_ends(angle: float) -> None:
    a = random_quaternions(1)[0]
    b = (Rotation.from_quat(a) * Rotation.from_rotvec([0.0, angle, 0.0])).as_quat()
    assert angle_between(a, b) == pytest.approx(angle, abs=1e-15 + 1e-12 * angle)
    assert angle_between(a, -b) == pytest.approx(angle, abs=1e-15 + 1e-12 * angle)


# Euler angles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
def test_from_euler_is_that_of_scipy(order: str) -> None:
    euler = np.random.default_rng(0).uniform(-7.0, 7.0, size=(40, 5, 3))
    expected = Rotation.from_euler(order, euler.reshape(-1, 3)).as_matrix().reshape(40, 5, 3, 3)
    np.testing.assert_allclose(to_matrix(from_euler(order, euler)), expected, atol=1e-14)
    for place, letter in enumerate(order):  # each angle by itself, with its sign
        single = np.zeros(3)
        single[place] = 0.3
        expected_one = np.zeros(4)
        expected_one["XYZ".index(letter)], expected_one[3] = np.sin(0.15), np.cos(0.15)
        np.testing.assert_allclose(from_euler(order, single), expected_one, atol=1e-15)


@pytest.mark.parametrize("order", ORDERS)
def test_to_euler_is_that_of_scipy(order: str) -> None:
    q = random_quaternions(50, 20)
    found = to_euler(order, q)
    expected = Rotation.from_quat(q.reshape(-1, 4)).as_euler(order).reshape(50, 20, 3)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    np.testing.assert_allclose(to_euler(order, -q), found, atol=1e-10)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_gimbal_lock(order: str, side: float) -> None:
    outer = np.random.default_rng(0).uniform(-np.pi, np.pi, size=(200, 2))
    outer[:4] = [[0, 0], [np.pi / 2, np.pi / 2], [1.0, -1.0], [np.pi, np.pi]]
    locked = np.stack([outer[:, 0], np.full(200, side * np.pi / 2), outer[:, 1]], axis=-1)
    q = Rotation.from_euler(order, locked).as_quat()
    found = to_euler(order, q)
    # The angle is that of the middle axis to 1e-8 only: its cosine has no digits left there.
    np.testing.assert_allclose(found[:, 1], side * np.pi / 2, atol=1e-7)
    assert turn(from_euler(order, found), q) < 1e-8
    assert (np.abs(found[:, [0, 2]]) <= np.pi + 1e-12).all()
    exact = Rotation.from_euler(order, [0.4, side * np.pi / 2, 0.0]).as_quat()
    np.testing.assert_allclose(to_euler(order, exact), [0.4, side * np.pi / 2, 0.0], atol=1e-7)
    assert to_euler(order, exact)[2] == 0.0


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("gap", GAPS)
def test_close_to_gimbal_lock(order: str, side: float, gap: float) -> None:
    euler = np.array([[0.7, side * (np.pi / 2 - gap), -1.1], [-3.0, side * (np.pi / 2 - gap), 3.1], [2.0, side * (np.pi / 2 + gap), 0.1]])
    q = Rotation.from_euler(order, euler).as_quat()
    found = to_euler(order, q)
    assert turn(from_euler(order, found), q) < 1e-8
    assert (np.abs(found[:, 1]) <= np.pi / 2 + 1e-12).all()
    if gap > 1e-7:  # the outer angles are still there, to the digits that are left
        np.testing.assert_allclose(found[:2], euler[:2], atol=1e-14 / gap)


@quick
@given(st.sampled_from(ORDERS), angles, angles, angles)
def test_euler_round_trip(order: str, first: float, middle: float, last: float) -> None:
    q = from_euler(order, np.array([first, middle, last]))
    assert np.linalg.norm(q) == pytest.approx(1.0, abs=1e-14)
    found = to_euler(order, q)
    assert abs(found[1]) <= np.pi / 2 + 1e-12
    assert (np.abs(found) <= np.pi + 1e-12).all()
    assert angle_between(from_euler(order, found), q) < 1e-8


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("xyz", "order: expected three of X, Y, Z such as YXZ (intrinsic), found 'xyz'"),
        ("XY", "order: expected three of X, Y, Z such as YXZ (intrinsic), found 'XY'"),
        ("XYZX", "order: expected three of X, Y, Z such as YXZ (intrinsic), found 'XYZX'"),
        ("XYX", "order: expected three different axes, found 'XYX'"),
    ],
)
def test_unknown_order(order: str, message: str) -> None:
    for call in (lambda: from_euler(order, np.zeros(3)), lambda: to_euler(order, IDENTITY)):
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value) == message


# Matrices -----------------------------------------------------------------------------------------


def test_to_matrix_is_that_of_scipy() -> None:
    q = random_quaternions(30, 7)
    np.testing.assert_allclose(to_matrix(q), Rotation.from_quat(q.reshape(-1, 4)).as_matrix().reshape(30, 7, 3, 3), atol=1e-15)


def test_from_matrix_of_half_turns_and_of_the_identity() -> None:
    np.testing.assert_allclose(from_matrix(np.eye(3)), IDENTITY, atol=1e-15)
    for axis in (*np.eye(3), np.array([0.6, 0.0, 0.8])):
        found = from_matrix(2.0 * np.outer(axis, axis) - np.eye(3))
        np.testing.assert_allclose(np.abs(found), [*np.abs(axis), 0.0], atol=1e-12)


@quick
@given(quaternions)
def test_matrix_round_trip(q: np.ndarray) -> None:
    found = from_matrix(to_matrix(q))
    assert found[3] >= 0
    np.testing.assert_allclose(found, q if np.dot(found, q) > 0 else -q, atol=1e-12)


def test_constants_of_the_module_are_what_they_say() -> None:
    np.testing.assert_array_equal(rotation.IDENTITY, Rotation.identity().as_quat())
