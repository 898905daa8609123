"""Resampling: exact times, interpolation against scipy, and what the low-pass filter does and leaves alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.resample import frame_count, low_pass_kernel, resample, snap_frame_rate
from schemas.errors import FormatError

PAIR = Skeleton(("a", "b"), (-1, 0), np.array([[0.0, 0, 0], [0.1, 0.2, 0.3]]))


def smooth_motion(frames: int, fps: float, seed: int = 0) -> Motion:
    """Return a motion whose quaternions change their sign at random: the same rotations, told less kindly."""
    random = np.random.default_rng(seed)
    steps = Rotation.from_rotvec(random.normal(scale=0.1, size=(frames * 2, 3)))
    quaternions = np.empty((frames, 2, 4))
    for joint in range(2):
        current = Rotation.random(rng=random)
        for frame in range(frames):
            quaternions[frame, joint] = current.as_quat()
            current = current * steps[2 * frame + joint]
    quaternions *= random.choice([-1.0, 1.0], size=(frames, 2, 1))
    return Motion(PAIR, quaternions, np.cumsum(random.normal(scale=0.01, size=(frames, 3)), axis=0), fps, "smooth")


def swing(seconds: float, fps: float, parts: dict[float, float], phase: float = 0.3) -> Motion:
    """Return a pendulum about x that also travels along x: sum of amplitude * sin(2 pi f t + phase) per frequency."""
    times = np.arange(round(seconds * fps)) / fps
    signal = sum(amplitude * np.sin(2 * np.pi * frequency * times + phase) for frequency, amplitude in parts.items())
    vectors = np.zeros((len(times), 2, 3))
    vectors[..., 0] = signal[:, None]
    quaternions = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_quat().reshape(-1, 2, 4)
    return Motion(PAIR, quaternions, signal[:, None] * [1.0, 0.0, 0.0], fps)


def angles(motion: Motion) -> np.ndarray:
    """Return the turn of joint a about x, radians."""
    return Rotation.from_quat(motion.rotations[:, 0]).as_rotvec()[:, 0]


# Times --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [1, 2, 4, 5, 6, 901])
def test_120_to_30_takes_every_fourth_frame_as_it_is(frames: int) -> None:
    motion = smooth_motion(frames, 120.0)
    found = resample(motion, 30.0)
    np.testing.assert_array_equal(found.rotations, motion.rotations[::4])
    np.testing.assert_array_equal(found.root_positions, motion.root_positions[::4])
    assert (found.fps, found.name, found.skeleton) == (30.0, "smooth", motion.skeleton)


@pytest.mark.parametrize(
    ("source", "target"), [(120.0, 29.97), (120.0, 50.0), (30.0, 120.0), (25.0, 30.0), (119.88, 24.0), (60.0, 59.94), (100.0, 7.3)]
)
def test_any_ratio_against_scipy(source: float, target: float) -> None:
    motion = smooth_motion(150, source)
    found = resample(motion, target)
    times = np.arange(len(found)) / target
    assert times[-1] <= motion.duration + 1e-9
    assert times[-1] + 1 / target > motion.duration
    source_times = np.arange(150) / source
    times = np.minimum(times, source_times[-1])
    for joint in range(2):
        expected = Slerp(source_times, Rotation.from_quat(motion.rotations[:, joint]))(times)
        assert (Rotation.from_quat(found.rotations[:, joint]).inv() * expected).magnitude().max() < 1e-7
    for axis in range(3):
        np.testing.assert_allclose(found.root_positions[:, axis], np.interp(times, source_times, motion.root_positions[:, axis]), atol=1e-9)


def test_upsampling_keeps_the_source_frames() -> None:
    motion = smooth_motion(40, 30.0)
    found = resample(motion, 120.0)
    assert len(found) == 157
    np.testing.assert_allclose(found.root_positions[::4], motion.root_positions, atol=1e-15)
    assert (Rotation.from_quat(found.rotations[::4, 0]).inv() * Rotation.from_quat(motion.rotations[:, 0])).magnitude().max() < 1e-12
    np.testing.assert_array_equal(resample(motion, 120.0, antialias=True).rotations, found.rotations)  # nothing to filter


@pytest.mark.parametrize("antialias", [False, True])
def test_the_same_rate_is_the_same_motion(antialias: bool) -> None:
    motion = smooth_motion(10, 30.0)
    assert resample(motion, 30.0, antialias) is motion


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize(
    ("frames", "fps", "expected"),
    [(1, 30.0, 1), (1, 480.0, 1), (2, 30.0, 1), (2, 120.0, 2), (2, 480.0, 5), (2, 100.0, 1), (4, 30.0, 1), (5, 30.0, 2)],
)
def test_very_short_motions(frames: int, fps: float, expected: int, antialias: bool) -> None:
    motion = smooth_motion(frames, 120.0)
    found = resample(motion, fps, antialias)
    assert len(found) == expected == frame_count(frames, 120.0, fps)
    if not antialias:
        np.testing.assert_allclose(found.root_positions[0], motion.root_positions[0], atol=1e-15)


@pytest.mark.parametrize(
    ("frames", "source", "target", "expected"),
    [
        (901, 120.0, 30.0, 226),
        (900, 120.0, 30.0, 225),
        (157, 120.0, 30.0, 40),
        (156, 120.0, 30.0, 39),
        (1001, 119.88011988011988, 29.97002997002997, 251),
        (1001, 30000 / 1001, 30.0, 1002),
        (11, 0.1, 0.3, 31),  # 0.3 / 0.1 is 2.9999999999999996
        (7, 49.0, 7.0, 1),
        (8, 49.0, 7.0, 2),
        (1, 120.0, 1000.0, 1),
        (100001, 120.0, 30.0, 25001),
        (3, 120.0, 1.0, 1),
    ],
)
def test_frame_count(frames: int, source: float, target: float, expected: int) -> None:
    assert frame_count(frames, source, target) == expected


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 100_000), st.integers(1, 480), st.integers(1, 480))
def test_frame_count_of_whole_rates_is_that_of_whole_numbers(frames: int, source: int, target: int) -> None:
    assert frame_count(frames, float(source), float(target)) == (frames - 1) * target // source + 1


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf")])
def test_rates_that_are_none(fps: float) -> None:
    with pytest.raises(ValueError) as error:
        resample(smooth_motion(3, 120.0), fps)
    assert str(error.value) == f"fps: expected a positive number, found {fps}"


# The low-pass filter ------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [1, 2, 3, 10, 57, 300])
def test_antialias_keeps_a_constant_constant_to_the_very_edges(frames: int) -> None:
    quaternions = np.tile(Rotation.from_rotvec([[0.4, -1.0, 2.0], [3.0, 0.1, 0.2]]).as_quat(), (frames, 1, 1))
    quaternions[::3] *= -1.0
    motion = Motion(PAIR, quaternions, np.tile([1000.0, -3.0, 0.5], (frames, 1)), 120.0)
    found = resample(motion, 30.0, antialias=True)
    assert np.abs(found.root_positions - [1000.0, -3.0, 0.5]).max() < 1e-9
    assert (Rotation.from_quat(found.rotations[:, 0]).inv() * Rotation.from_quat(quaternions[0, 0])).magnitude().max() < 1e-9
    assert (Rotation.from_quat(found.rotations[:, 1]).inv() * Rotation.from_quat(quaternions[0, 1])).magnitude().max() < 1e-9


@pytest.mark.parametrize("frames", [2, 3, 9, 40, 200])
def test_antialias_keeps_even_travel_even(frames: int) -> None:
    motion = Motion(PAIR, np.tile([0.0, 0, 0, 1.0], (frames, 2, 1)), np.arange(frames)[:, None] * [0.01, 0.0, -0.02], 120.0)
    found = resample(motion, 30.0, antialias=True)
    np.testing.assert_allclose(found.root_positions, resample(motion, 30.0).root_positions, atol=1e-12)


def test_antialias_removes_25_hz_and_keeps_2_hz() -> None:
    """At 30 Hz a 25 Hz oscillation would show as 5 Hz. Measured: less than 0.1 % of it is left, 2 Hz keeps 99.9 %."""
    slow, both = swing(6.0, 120.0, {2.0: 0.3}), swing(6.0, 120.0, {2.0: 0.3, 25.0: 0.05})
    inside = np.s_[15:-15]  # half a second from the ends, where the filter sees only the motion itself
    wanted = resample(slow, 30.0)
    aliased = angles(resample(both, 30.0)) - angles(wanted)
    assert np.abs(aliased[inside]).max() > 0.04
    filtered = resample(both, 30.0, antialias=True)
    assert np.abs(angles(filtered) - angles(wanted))[inside].max() < 1e-3 * 0.3
    assert np.abs(filtered.root_positions - wanted.root_positions)[inside].max() < 1e-3 * 0.05 + 1e-3 * 0.3
    # The 25 Hz part alone
    left = resample(swing(6.0, 120.0, {25.0: 0.05}), 30.0, antialias=True)
    assert np.abs(left.root_positions[inside]).max() < 1e-3 * 0.05
    # At the ends themselves it is weaker, never amplified.
    assert np.abs(filtered.root_positions - wanted.root_positions).max() < 0.05


def test_antialias_does_not_shift_in_time() -> None:
    """The best match with the unfiltered motion is at lag 0, to a hundredth of a source frame (by the phase at 2 Hz)."""
    motion = swing(5.0, 120.0, {2.0: 0.3}, phase=0.0)
    found = resample(motion, 30.0, antialias=True).root_positions[15:135, 0]
    times = np.arange(15, 135) / 30.0
    phase = np.arctan2(found @ np.cos(2 * np.pi * 2.0 * times), found @ np.sin(2 * np.pi * 2.0 * times))
    assert abs(phase / (2 * np.pi * 2.0)) < 0.01 / 120.0


@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.1, 29.97 / 120, 0.99])
def test_the_kernel_passes_and_stops_where_it_says(ratio: float) -> None:
    kernel = low_pass_kernel(ratio)
    np.testing.assert_array_equal(kernel, kernel[::-1])
    assert len(kernel) % 2 == 1
    assert kernel.sum() == pytest.approx(1.0, abs=1e-15)
    half = len(kernel) // 2
    frequencies = np.linspace(0.0, 1.0, 4001)  # of the old Nyquist frequency
    response = np.abs(np.exp(-1j * np.pi * frequencies[:, None] * np.arange(-half, half + 1)) @ kernel)
    assert np.abs(response[frequencies < 0.9 * ratio] - 1.0).max() < 2e-3
    if 1.1 * ratio < 1.0:
        assert response[frequencies > 1.1 * ratio].max() < 2e-3


def test_antialias_of_rotations_that_change_sign_and_turn_all_the_way_round() -> None:
    """Half a turn per second about y, told with random signs: filtered, it is still half a turn per second."""
    times = np.arange(600) / 120.0
    vectors = np.zeros((600, 2, 3))
    vectors[..., 1] = (np.pi * times)[:, None]
    quaternions = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_quat().reshape(-1, 2, 4)
    quaternions *= np.random.default_rng(0).choice([-1.0, 1.0], size=(600, 2, 1))
    motion = Motion(PAIR, quaternions, np.zeros((600, 3)), 120.0)
    found, wanted = resample(motion, 30.0, antialias=True), resample(motion, 30.0)
    error = (Rotation.from_quat(found.rotations[15:-15, 0]).inv() * Rotation.from_quat(wanted.rotations[15:-15, 0])).magnitude()
    assert error.max() < 1e-3


# Frame rates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame_time", "expected"),
    [
        (0.0083333, 120.0),
        (0.008333, 120.0),
        (0.00833, 120.0),
        (0.0083, 120.0),
        (0.016667, 60.0),
        (0.0166667, 60.0),
        (0.0167, 60.0),
        (0.017, 60.0),
        (0.042, 24.0),
        (0.0166, 60.0),
        (0.03337, 30000 / 1001),
        (0.0334, 30000 / 1001),
        (0.0417, 24.0),
        (0.03, 1 / 0.03),
        (float(np.float32(0.0083333)), 120.0),
        (0.033333, 30.0),
        (0.0333333, 30.0),
        (0.03333, 30.0),
        (0.033, 30.0),
        (1 / 29.97, 30000 / 1001),
        (0.0333667, 30000 / 1001),
        (1 / 59.94, 60000 / 1001),
        (0.0417083, 24000 / 1001),
        (0.041667, 24.0),
        (0.0416667, 24.0),
        (0.04, 25.0),
        (0.02, 50.0),
        (0.01, 100.0),
        (0.008, 125.0),
        (0.005, 200.0),
        (0.0041667, 240.0),
        (0.1, 10.0),
        (1.0, 1.0),
        (2.0, 0.5),
        (10.0, 0.1),
        (0.4, 2.5),
    ],
)
def test_snap_frame_rate(frame_time: float, expected: float) -> None:
    assert snap_frame_rate(frame_time) == expected


@pytest.mark.parametrize("rate", [1, 12, 15, 24, 25, 30, 48, 50, 60, 72, 90, 100, 120, 125, 144, 200, 240])
def test_whole_rates_survive_rounding_to_six_digits(rate: int) -> None:
    assert snap_frame_rate(round(1 / rate, 6)) == snap_frame_rate(round(1 / rate, 7)) == snap_frame_rate(1 / rate) == rate


@pytest.mark.parametrize("frame_time", [0.0, -0.01, float("nan"), float("inf"), 1e-320])
def test_frame_times_that_are_none(frame_time: float) -> None:
    with pytest.raises(ValueError) as error:
        snap_frame_rate(frame_time)
    assert str(error.value) == f"frame time: expected a positive number of seconds, found {frame_time}"


def test_a_small_file_that_claims_to_be_slow_does_not_fill_the_memory() -> None:
    slow = replace(smooth_motion(1000, 30.0), fps=0.01)
    with pytest.raises(FormatError, match=r"at most 5,000,000 joints times frames at 30 frames per second, found .* check the frame rate"):
        resample(slow, 30.0)
    with pytest.raises(FormatError, match="check the frame rate"):
        resample(replace(slow, fps=1e-300), 30.0)
