"""The steps one by one: least squares along time, smoothing, bones, paths, runs, and joints that turn too fast."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import savgol_coeffs

from tests.trainer.predict.world.scenes import FPS, K, correlated, joints_of, seen
from trainer.predict.camera import place
from trainer.predict.causal import smooth_causally
from trainer.predict.world.banded import DIFFERENCES, huber, penalised
from trainer.predict.world.bones import bone_lengths, with_lengths
from trainer.predict.world.path import PathEquations, follow
from trainer.predict.world.runs import hysteresis, run_means, runs
from trainer.predict.world.smooth import CALM, penalty_of, smooth, third_derivative
from trainer.predict.world.track import track_of
from trainer.predict.world.turning import too_fast


@pytest.mark.parametrize("window", [5, 7, 11, 21])
def test_the_third_derivative_is_that_of_savitzky_and_golay(window):
    np.testing.assert_allclose(third_derivative(window), savgol_coeffs(window, 3, deriv=3, use="dot"), atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 12), st.integers(1, 3), st.integers(0, 10**6))
def test_penalised_is_least_squares(frames, order, seed):
    random = np.random.default_rng(seed)
    values, weight = random.standard_normal((frames, 2, 3)), random.uniform(0.1, 2.0, (frames, 2))
    penalty = random.uniform(0.1, 50.0, (max(frames - order, 0), 2))
    found = penalised(values, weight, penalty, order)
    for series in range(2):
        rows = [np.concatenate([np.zeros(first), DIFFERENCES[order], np.zeros(frames - order - 1 - first)]) for first in range(frames - order)]
        matrix = np.concatenate([np.diag(np.sqrt(weight[:, series])), np.sqrt(penalty[:, series, None]) * np.reshape(rows, (-1, frames))])
        right = np.concatenate([np.sqrt(weight[:, series, None]) * values[:, series], np.zeros((len(rows), 3))])
        np.testing.assert_allclose(found[:, series], np.linalg.lstsq(matrix, right, rcond=None)[0], atol=1e-8)


def test_a_wave_of_the_limit_keeps_half_and_has_no_lag():
    time = np.arange(600) / FPS
    wave = np.sin(2 * np.pi * CALM * time)[:, None, None]
    kept = penalised(wave, np.ones((600, 1)), np.full((597, 1), penalty_of(CALM, FPS)), 3)
    np.testing.assert_allclose(kept[100:500], 0.5 * wave[100:500], atol=2e-3)


def punches(frames=240):
    """Return a hand that jabs once a second, 0.25 s out and 0.25 s back, as fast as boxers do: 6 m/s at most."""
    time = (np.arange(frames) / FPS) % 1.0
    out = np.where(time < 0.5, 0.5 * (1.0 - np.cos(2 * np.pi * time / 0.5)), 0.0)
    return 0.95 * np.stack([out, 0.1 * out, np.zeros(frames)], axis=1)[:, None]


def jumps(frames=240):
    """Return hips that dip, jump off at 2.4 m/s, fly for half a second and land, every 1.5 s."""
    time = np.arange(0.0, frames / FPS, 0.001)
    speed = np.interp(time % 1.5, [0.0, 0.2, 0.35, 0.6, 1.089, 1.3, 1.5], [0.0, -1.2, 0.0, 2.4, -2.4, 0.0, 0.0])
    height = np.interp(np.arange(frames) / FPS, time, np.cumsum(speed) * 0.001)
    return np.stack([np.zeros(frames), height, np.zeros(frames)], axis=1)[:, None]


@pytest.mark.parametrize("motion", [punches(), jumps(), joints_of("kick_001"), joints_of("jog_001"), joints_of("throw_001")])
def test_fast_motion_keeps_its_speed(motion):
    relative = motion - motion[:, :1] if motion.shape[1] > 1 else motion
    kept = smooth(relative, np.ones(relative.shape[:2]), FPS)
    before, after = (np.linalg.norm(np.diff(array, axis=0), axis=2).max(axis=0) * FPS for array in (relative, kept))
    fast = before > 2.0
    assert fast.any()
    np.testing.assert_allclose(after[fast], before[fast], rtol=0.055)


def test_a_calm_person_becomes_calm_and_backwards_is_the_same_backwards():
    noise = correlated(np.random.default_rng(0), (300, 4, 3), 0.01, 0.5)
    found = smooth(noise, np.ones((300, 4)), FPS)
    assert np.abs(np.diff(found, 2, axis=0)).mean() < 0.1 * np.abs(np.diff(noise, 2, axis=0)).mean()
    np.testing.assert_allclose(smooth(noise[::-1], np.ones((300, 4)), FPS)[::-1], found, atol=1e-8)


@pytest.mark.parametrize("frames", range(1, 9))
def test_few_frames_are_smoothed_as_far_as_they_go(frames):
    line = np.linspace(0.0, 1.0, frames)[:, None, None] * np.ones((1, 2, 3))
    np.testing.assert_allclose(smooth(line, np.ones((frames, 2)), FPS), line, atol=1e-7)


def test_bones_have_one_length_and_the_pose_comes_nearer_to_the_truth(body, walk):
    noisy = walk + 0.02 * np.random.default_rng(0).standard_normal(walk.shape)
    lengths = bone_lengths([walk], body)
    found = with_lengths(noisy, body, lengths)
    child = [joint for joint, parent in enumerate(body.parents) if parent >= 0]
    measured = np.linalg.norm(found[:, child] - found[:, [body.parents[joint] for joint in child]], axis=2)
    np.testing.assert_allclose(measured, np.broadcast_to(lengths[child], measured.shape), atol=1e-9)
    assert all(lengths[left] == lengths[right] for left, right in body.pairs)
    assert np.linalg.norm(found - walk, axis=2).mean() < np.linalg.norm(noisy - walk, axis=2).mean()
    np.testing.assert_allclose(with_lengths(walk, body, lengths), walk, atol=0.02)
    assert body.stature(lengths) == pytest.approx(walk[..., 1].max(), abs=0.12)


def test_a_path_without_smoothness_is_the_place_of_each_frame(walk):
    scene = seen(walk)
    track = track_of(scene.piece, 0, K)
    weight = np.random.default_rng(0).uniform(0.2, 1.0, track.confidence.shape)
    equations = PathEquations(len(track))
    equations.see(track.relative, track.rays, weight)
    expected = place(track.relative, scene.piece.pixels, weight, np.broadcast_to(K, (len(track), 4)))
    np.testing.assert_allclose(equations.solve(), expected, atol=1e-5)


def test_a_path_is_smooth_and_no_wrong_keypoint_moves_it(body, walk):
    scene = seen(walk)
    track = track_of(scene.piece, 0, K)
    path = follow(track, body, FPS, 1.0)
    truth = scene.truth[:, 0]
    before = np.linalg.norm(scene.piece.positions[:, 0] - truth, axis=1).mean()
    assert np.linalg.norm(path - truth, axis=1).mean() < before
    track.rays[40:43, [3, 20, 22]] += 0.3
    assert np.abs(follow(track, body, FPS, 1.0) - path).max() < 0.03
    track.confidence[60:70] = 0.0
    gap = follow(track, body, FPS, 1.0)
    assert np.isfinite(gap).all()
    assert np.linalg.norm(gap - path, axis=1).max() < 0.15


@given(st.lists(st.booleans(), max_size=30))
def test_runs_are_all_frames_that_hold(flags):
    first, end = runs(np.array(flags, dtype=bool))
    assert [frame for begin, stop in zip(first, end, strict=True) for frame in range(begin, stop)] == np.flatnonzero(flags).tolist()
    assert (end[:-1] < first[1:]).all()


def test_run_means_and_hysteresis():
    values = np.arange(10.0)[:, None]
    np.testing.assert_allclose(run_means(values, np.r_[np.ones(9), 3.0], np.array([0, 8]), np.array([3, 10])), [[1.0], [8.75]])
    score = np.array([2, 0.9, 0.4, 0.9, 2, 0.9, 0.9, 0.9, 2, 0.1, 2])
    assert np.flatnonzero(hysteresis(score, 0.5, 1.0, 2)).tolist() == [1, 2, 3]
    np.testing.assert_allclose(huber(np.array([0.5, -2.0]), 1.0), [1.0, 0.5])


def test_what_turns_faster_than_people_is_said(body, walk):
    assert too_fast([walk], body, FPS) is None
    swapped = walk.copy()
    left, right = body.at("left_wrist"), body.at("left_elbow")
    swapped[50, left] = 2 * swapped[50, right] - swapped[50, left]
    note = too_fast([swapped], body, FPS)
    assert note is not None
    assert "in 2 frames: left_wrist" in note


def test_live_smoothing_calms_without_a_look_ahead(walk):
    scene = seen(walk)
    found = smooth_causally(scene.piece.positions, FPS, 1.0)
    shake = [np.linalg.norm(np.diff(array, 2, axis=0), axis=2).mean() for array in (scene.piece.positions, found)]
    assert shake[1] < 0.4 * shake[0]
    assert np.linalg.norm(found - scene.truth, axis=2).mean() < 1.1 * np.linalg.norm(scene.piece.positions - scene.truth, axis=2).mean()
    later = scene.piece.positions.copy()
    later[60:] += 1.0
    np.testing.assert_array_equal(smooth_causally(later, FPS, 1.0)[:60], found[:60])
    np.testing.assert_array_equal(smooth_causally(later, FPS, 0.0), later)
    behind = scene.piece.positions - [0.0, 0.0, 20.0]
    np.testing.assert_array_equal(smooth_causally(behind, FPS, 1.0), behind)
