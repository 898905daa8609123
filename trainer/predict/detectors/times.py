"""From pictures at any times to frames at a constant rate: frame k shows the time k / fps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

People = list[NDArray[np.float64]]

_COMMON = (5.0, 10.0, 12.0, 15.0, 24_000 / 1001, 24.0, 25.0, 30_000 / 1001, 30.0, 48.0, 50.0, 60_000 / 1001, 60.0, 90.0, 100.0, 120.0, 240.0)
_NEAR = 0.1
"""Frames: a picture closer than this to a frame's time shows that frame."""
LONGEST_GAP = 0.25
"""Seconds: between pictures farther apart nothing is interpolated."""
_STEP = 0.5
"""Sizes of a person: someone who is farther away in the next picture is someone else."""


@dataclass(frozen=True)
class Timing:
    """Frame rate of a video, and the frame that each picture is.

    Parameters
    ----------
    fps : float
    frames : tuple of int, or None
        None if pictures do not fall on frames: what is seen has to be interpolated.
    """

    fps: float
    frames: tuple[int, ...] | None


def timing(times: Sequence[float], stated: float | None) -> Timing:
    """Return the constant rate that pictures have, or are to be brought to.

    Parameters
    ----------
    times : sequence of float
        Seconds, increasing, the first 0.
    stated : float or None
        Pictures per second by the file.

    Examples
    --------
    >>> timing([0.0, 0.04, 0.12], 16.7)
    Timing(fps=25.0, frames=(0, 1, 3))
    """
    at = np.asarray(times, dtype=np.float64)
    usual = stated or 25.0
    if len(at) > 1:
        usual = float(1.0 / np.median(np.diff(at)))
        nearest = min(_COMMON, key=lambda rate: abs(rate - usual))
        usual = nearest if abs(nearest - usual) < 0.004 * usual else usual
    for fps in (stated, usual, *_COMMON):
        if fps and (frames := _on_frames(at, fps)) is not None:
            return Timing(fps, frames)
    return Timing(usual, None)


def _on_frames(times: NDArray[np.float64], fps: float) -> tuple[int, ...] | None:
    """Return the frame of each picture at a rate, None if one is between frames, or most frames would have no picture."""
    frames = np.rint(times * fps)
    near = np.ptp(times * fps - frames) < 2 * _NEAR
    if near and (np.diff(frames) > 0).all() and frames[-1] < 2 * len(frames):
        return tuple(frames.astype(int).tolist())
    return None


def at_constant_rate(people: Sequence[People], times: Sequence[float], found: Timing) -> list[People]:
    """Return the people of each frame at a constant rate: none in frames without a picture.

    Parameters
    ----------
    people : sequence of T lists of (K, 3)
        x, y, confidence, of each picture.
    times : sequence of T float
    found : Timing
        As from :func:`timing`.
    """
    if found.frames is not None:
        frames: list[People] = [[] for _ in range(found.frames[-1] + 1)]
        for frame, seen in zip(found.frames, people, strict=True):
            frames[frame] = list(seen)
        return frames
    count = int(np.floor(times[-1] * found.fps + _NEAR)) + 1
    return [_between(people, np.asarray(times), frame / found.fps, _NEAR / found.fps) for frame in range(count)]


def _between(people: Sequence[People], times: NDArray[np.float64], time: float, near: float) -> People:
    """Return the people at a time between pictures: each on the line between where it was and where it will be."""
    after = min(int(np.searchsorted(times, time)), len(times) - 1)
    before = max(after - 1, 0)
    closest = after if times[after] - time < time - times[before] else before
    if abs(times[closest] - time) < near:
        return list(people[closest])
    if times[after] - times[before] > LONGEST_GAP:
        return []
    share = (time - times[before]) / (times[after] - times[before])
    pairs = ((one, _same(one, people[after])) for one in people[before])
    return [_mixed(one, other, share) for one, other in pairs if other is not None]


def _same(person: NDArray[np.float64], others: People) -> NDArray[np.float64] | None:
    """Return who of the next picture is nearest, None if nobody is near."""
    size = float(np.linalg.norm(np.ptp(person[:, :2], axis=0)))
    apart = [float(np.median(np.linalg.norm(person[:, :2] - other[:, :2], axis=1))) for other in others]
    nearest = int(np.argmin(apart)) if apart else -1
    return others[nearest] if apart and apart[nearest] < _STEP * size else None


def _mixed(one: NDArray[np.float64], other: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    mixed = (1.0 - share) * one + share * other
    mixed[(one[:, 2] == 0) | (other[:, 2] == 0)] = 0.0
    return mixed
