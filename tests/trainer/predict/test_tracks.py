"""Keypoints at another rate, who is there when, and joints that were not seen: against loops, and as properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.conventions import H36M17, H36M17_PARENTS
from trainer.predict import tracks
from trainer.predict.tracks import MIN_JOINTS, fill_joints, resample, segments

NAMES = tuple(H36M17)
PARENTS = tuple(-1 if parent is None else NAMES.index(parent) for parent in H36M17_PARENTS.values())
RATES = st.sampled_from([(25.0, 30.0), (30.0, 30.0), (60.0, 30.0), (24.0, 50.0), (29.97, 30.0), (120.0, 25.0), (5.0, 30.0)])


def keypoints(seed, frames, joints=17, missing=0.3):
    random = np.random.default_rng(seed)
    confidence = random.uniform(0.2, 1.0, (frames, joints)) * (random.random((frames, joints)) >= missing)
    return random.uniform(0, 1000, (frames, joints, 2)) * (confidence > 0)[..., None], confidence


def resampled_by_loops(positions, confidence, source_fps, fps, gap):
    """The same, frame by frame and joint by joint, from the definition."""
    count = 0
    while count / fps <= (len(positions) - 1) / source_fps + 1e-9:
        count += 1
    places, certain = np.zeros((count, positions.shape[1], 2)), np.zeros((count, positions.shape[1]))
    for k in range(count):
        for joint in range(positions.shape[1]):
            times = [(row, row / source_fps) for row in range(len(positions)) if confidence[row, joint] > 0]
            before = [row for row, time in times if time <= k / fps + 1e-9]
            after = [row for row, time in times if time >= k / fps - 1e-9]
            if not before or not after:
                continue
            i, j = before[-1], after[0]
            if j - i > 1 and (j - i) / source_fps > gap + 1e-9:
                continue
            share = 0.0 if i == j else (k / fps * source_fps - i) / (j - i)
            places[k, joint] = (1 - share) * positions[i, joint] + share * positions[j, joint]
            certain[k, joint] = (1 - share) * confidence[i, joint] + share * confidence[j, joint]
    return places, certain


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), RATES, st.sampled_from([0.0, 0.1, 0.25, 2.0]))
def test_another_rate_is_the_definition(seed, frames, rates, gap):
    positions, confidence = keypoints(seed, frames, joints=4)
    found = resample(positions, confidence, *rates, gap)
    expected = resampled_by_loops(positions, confidence, *rates, gap)
    assert found[0].shape == expected[0].shape
    np.testing.assert_allclose(found[0], expected[0], atol=1e-6)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-9)


def test_frames_that_coincide_are_those_frames():
    positions, confidence = keypoints(0, 41)
    same = resample(positions, confidence, 30.0, 30.0, 0.0)
    np.testing.assert_array_equal(same[0], positions)
    np.testing.assert_array_equal(same[1], confidence)
    half = resample(positions, confidence, 60.0, 30.0, 0.0)
    seen = confidence[::2] > 0
    np.testing.assert_array_equal(half[1] > 0, seen)
    np.testing.assert_array_equal(half[0][seen], positions[::2][seen])


def test_a_short_gap_is_bridged_and_a_long_one_stays():
    frames = np.arange(40.0)
    positions = np.repeat(np.stack([3.0 * frames, 100.0 - frames], axis=1)[:, None], 2, axis=1)
    confidence = np.ones((40, 2))
    confidence[10:14, 0] = 0.0  # 5 steps of 1/25 s
    confidence[20:27, 0] = 0.0  # 8 steps
    found, certain = resample(positions, confidence, 25.0, 25.0, 0.2)
    np.testing.assert_allclose(found[10:14, 0], positions[10:14, 0])
    assert (certain[20:27, 0] == 0).all()
    assert (certain[:, 1] == 1).all()
    assert (certain[10:14, 0] == 1).all()


def test_nothing_is_made_up_before_the_first_or_after_the_last_sighting():
    positions, confidence = keypoints(1, 30, missing=0.0)
    confidence[:7, 3] = confidence[22:, 3] = 0.0
    _, certain = resample(positions, confidence, 30.0, 30.0, 5.0)
    np.testing.assert_array_equal(certain[:, 3] > 0, confidence[:, 3] > 0)


def segments_by_walking(there, gap, causal):
    """Walk along the frames as a stream does."""
    runs, first, last = [], None, None
    for frame, present in enumerate([*there, *[False] * (gap + 1)]):
        if present:
            first = frame if first is None else first
            last = frame
        elif first is not None and frame - last > gap:
            runs.append((first, min(last + 1 + (gap if causal else 0), len(there))))
            first = None
    return runs


@settings(max_examples=200, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 8), st.booleans())
def test_segments_are_those_of_a_walk(there, gap, causal):
    confidence = np.zeros((len(there), 17))
    confidence[there, :MIN_JOINTS] = 0.5
    confidence[~np.array(there), : MIN_JOINTS - 1] = 0.5  # not enough for a person
    assert segments(confidence, gap, causal) == segments_by_walking(there, gap, causal)


@pytest.mark.parametrize("causal", [False, True])
def test_what_was_seen_is_left_alone(causal):
    positions, confidence = keypoints(2, 50)
    held = np.zeros((18, 2)) if causal else None
    filled = fill_joints(positions, confidence > 0, PARENTS, held)
    np.testing.assert_array_equal(filled[confidence > 0], positions[confidence > 0])
    assert np.isfinite(filled).all()
    full, _ = keypoints(2, 50, missing=0.0)
    np.testing.assert_array_equal(fill_joints(full, np.ones((50, 17), dtype=bool), PARENTS), full)


@pytest.mark.parametrize("causal", [False, True])
def test_a_hidden_hand_travels_with_its_arm(causal):
    """A stiff figure that slides: wherever a joint hides, it is found on the figure."""
    random = np.random.default_rng(3)
    figure, path = random.uniform(-100, 100, (17, 2)), 500.0 + random.standard_normal((60, 1, 2)).cumsum(axis=0) * 20
    positions = figure + path
    seen = np.ones((60, 17), dtype=bool)
    seen[20:45, NAMES.index("right_wrist")] = False
    seen[30:60, NAMES.index("left_knee")] = seen[30:60, NAMES.index("left_ankle")] = False
    filled = fill_joints(positions * seen[..., None], seen, PARENTS, np.zeros((18, 2)) if causal else None)
    np.testing.assert_allclose(filled, positions, atol=1e-9)


def test_a_joint_that_is_never_seen_lies_on_its_parent():
    positions, _ = keypoints(4, 10, missing=0.0)
    seen = np.ones((10, 17), dtype=bool)
    seen[:, NAMES.index("head_top")] = False
    filled = fill_joints(positions, seen, PARENTS)
    np.testing.assert_array_equal(filled[:, NAMES.index("head_top")], positions[:, NAMES.index("neck")])
    seen[:, 0] = False
    np.testing.assert_allclose(fill_joints(positions, seen, PARENTS)[:, 0], positions[:, seen[0]].mean(axis=1))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_looking_back_is_the_same_in_one_piece_and_in_many(seed, sizes):
    positions, confidence = keypoints(seed, sum(sizes), missing=0.5)
    whole = fill_joints(positions, confidence > 0, PARENTS, np.zeros((18, 2)))
    held = np.zeros((18, 2))
    ends = np.cumsum(sizes)
    parts = [fill_joints(positions[end - size : end], confidence[end - size : end] > 0, PARENTS, held) for size, end in zip(sizes, ends, strict=True)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_long_videos_are_brought_to_another_rate_in_blocks(monkeypatch):
    random = np.random.default_rng(0)
    positions, confidence = random.normal(size=(500, 3, 2)), np.where(random.random((500, 3)) > 0.3, 0.9, 0.0)
    whole = resample(positions, confidence, 25.0, 30.0, 0.25)
    monkeypatch.setattr(tracks, "_BLOCK", 7)
    for one, other in zip(whole, resample(positions, confidence, 25.0, 30.0, 0.25), strict=True):
        np.testing.assert_array_equal(one, other)
