"""Pictures at any times become frames at a constant rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.predict.detectors.times import Timing, at_constant_rate, timing

RATES = [5.0, 23.976023976, 25.0, 30_000 / 1001, 30.0, 59.94005994, 60.0, 120.0]


def person(x: float) -> np.ndarray:
    return np.column_stack([x + np.arange(17.0) * 10, np.arange(17.0) * 20, np.full(17, 0.8)])


@given(st.sampled_from(RATES), st.integers(2, 400), st.sampled_from([0.0, 0.0005]), st.integers(0, 9))
def test_a_constant_rate_is_found(fps, count, jitter, seed):
    times = np.arange(count) / fps + np.random.default_rng(seed).uniform(-jitter, jitter, count)
    found = timing((times - times[0]).tolist(), fps)
    assert found.frames == tuple(range(count))
    assert found.fps == fps


def test_a_rate_that_the_file_does_not_state_is_found():
    assert timing([0.0, 0.04, 0.08], None).fps == 25.0
    assert timing((np.arange(99) / 29.97003).tolist(), 90_000.0).fps == pytest.approx(29.97003, rel=1e-5)
    assert timing((np.arange(99) / 17.3).tolist(), None).fps == pytest.approx(17.3)
    assert timing([0.0], None).frames == (0,)


def test_dropped_pictures_leave_their_frames_empty():
    kept = [0, 1, 2, 5, 6, 7, 8, 12]
    found = timing([k / 30 for k in kept], 21.3)
    assert (found.fps, found.frames) == (30.0, tuple(kept))
    frames = at_constant_rate([[person(k)] for k in kept], [k / 30 for k in kept], found)
    assert [k for k, people in enumerate(frames) if people] == kept
    assert all(people[0][0, 0] == k for k, people in enumerate(frames) if people)


def test_between_pictures_people_are_interpolated():
    random = np.random.default_rng(3)
    times = np.concatenate([[0.0], np.cumsum(random.uniform(0.02, 0.05, 200))])
    found = timing(times.tolist(), 29.2)
    assert found.frames is None
    seen = [[person(100 * time), person(1900 - 50 * time)] for time in times]
    frames = at_constant_rate(seen, times.tolist(), found)
    for frame, people in enumerate(frames):
        time = frame / found.fps
        assert [one[0, 0] for one in people] == pytest.approx([100 * time, 1900 - 50 * time], abs=0.5)
    assert abs(len(frames) - 1 - times[-1] * found.fps) < 1.0


def test_nobody_is_made_up():
    times = [0.0, 0.031, 0.07, 1.0, 1.03, 1.077]
    people = [[person(0)], [], [person(2)], [person(3)], [person(3000)], []]
    found = timing(times, None)
    frames = at_constant_rate(people, times, found)
    assert len(frames) == int(1.077 * found.fps + 0.1) + 1
    for frame, seen in enumerate(frames):
        time = frame / found.fps
        assert not (0.08 < time < 0.99 and seen)
        assert all(one[0, 0] in (0, 2, 3, 3000) for one in seen)


def test_a_joint_that_is_not_seen_on_one_side_is_not_interpolated():
    one, other = person(0), person(10)
    other[5] = 0.0
    times = [0.0, 0.033, 0.081, 0.107, 0.15]
    frames = at_constant_rate([[one], [other], [one], [other], [one]], times, Timing(30.0, None))
    assert [len(people) for people in frames] == [1] * 5
    assert {float(people[0][5, 2]) for people in frames} == {0.0, 0.8}
    assert all(people[0][4, 0] > 0.0 for people in frames[1:])
