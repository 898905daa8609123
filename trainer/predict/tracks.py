"""From the keypoints of a detector to the input of a model: its frame rate, missing joints filled in, and the segments with a person."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

MIN_JOINTS = 5
"""Visible joints in a frame from which on a person counts as detected."""
_BLOCK = 4096
_SNAP = 1e-6
"""Frames: times closer than this to a frame are that frame."""


def resample(positions: Array, confidence: Array, source_fps: float, fps: float, gap: float) -> tuple[Array, Array]:
    """Bring keypoints to another frame rate, joint by joint.

    Parameters
    ----------
    positions : (T, J, 2) float, pixels
    confidence : (T, J) float
        0 where a joint is not visible.
    source_fps, fps : float, frames per second
    gap : float, seconds
        A joint that is visible again within this time is interpolated in between; neighbouring frames always are.

    Returns
    -------
    positions : (T', J, 2) float64, pixels
        Frame k shows the time k / fps: linear interpolation between the frames before and after in which the joint is visible.
        Where that is a frame of the source, it is that frame; 0 where the joint is missing.
    confidence : (T', J) float64
        Interpolated in the same way; 0 where the joint is missing.
    """
    frames = len(positions)
    count = int(np.floor((frames - 1) * (fps / source_fps) + _SNAP)) + 1
    at = np.arange(count) * (source_fps / fps)
    at = np.minimum(np.where(np.abs(at - np.round(at)) < _SNAP, np.round(at), at), frames - 1)
    visible, place = confidence > 0, np.arange(frames, dtype=np.int32)[:, None]
    last = np.maximum.accumulate(np.where(visible, place, np.int32(-1)))
    following = np.minimum.accumulate(np.where(visible, place, np.int32(frames))[::-1])[::-1]
    joint = np.arange(positions.shape[1])
    out, certain = np.zeros((count, *positions.shape[1:])), np.zeros((count, positions.shape[1]))
    for first in range(0, count, _BLOCK):  # so that long videos take no more memory than what comes of them
        rows = slice(first, first + _BLOCK)
        before, after = last[np.floor(at[rows]).astype(np.intp)], following[np.ceil(at[rows]).astype(np.intp)]
        known = (before >= 0) & (after < frames) & (after - before <= max(gap * source_fps + _SNAP, 1))
        before, after = np.where(known, before, 0), np.where(known, after, 0)
        share = np.where(known, (at[rows, None] - before) / np.maximum(after - before, 1), 0.0)
        for values, target, weight in ((positions, out, share[..., None]), (confidence, certain, share)):
            start = values[before, joint]
            target[rows] = start + weight * (values[after, joint] - start)
        out[rows][~known] = 0.0
        certain[rows][~known] = 0.0
    return out, certain


def segments(confidence: Array, gap: int, causal: bool = False) -> list[tuple[int, int]]:
    """Return the segments of frames in which a person is detected, (first, end), the end not included.

    Parameters
    ----------
    confidence : (T, J) float
        At least :data:`MIN_JOINTS` above 0 make a person.
    gap : int
        A person who is not detected for this many frames or fewer is taken as still present.
    causal : bool
        Decide without knowledge of later frames: a segment lasts for `gap` frames after the last detection, whether the person comes back or not.
    """
    present = np.flatnonzero((confidence > 0).sum(axis=1) >= MIN_JOINTS)
    if not len(present):
        return []
    breaks = np.flatnonzero(np.diff(present) > gap + 1)
    first = present[np.concatenate([[0], breaks + 1])]
    end = present[np.concatenate([breaks, [len(present) - 1]])] + 1
    if causal:
        end = np.minimum(end + gap, len(confidence))
    return list(zip(first.tolist(), end.tolist(), strict=True))


def fill_joints(positions: Array, visible: Flags, parents: tuple[int, ...], held: Array | None = None) -> Array:
    """Fill in joints that are not visible: each keeps its offset from its parent.

    Parameters
    ----------
    positions : (T, J, 2) float, pixels
        Of one segment.
    visible : (T, J) bool
    parents : tuple of int
        Parents before children; the root's parent is the mean of the visible joints.
    held : (J + 1, 2) float, pixels, optional
        For causal use: the last visible offsets, the mean's own position first, zeros at the beginning; updated in place
        for the next call. Without, offsets are interpolated in time.

    Returns
    -------
    (T, J, 2) float64, pixels
        `positions` where `visible`. A joint that is never visible is placed on its parent.
    """

    def along(place: int) -> Callable[[Array, Flags], Array]:
        return _interpolated if held is None else partial(_held, last=held[place])

    anybody: Flags = np.any(visible, axis=1)
    middle = (positions * visible[..., None]).sum(axis=1) / np.maximum(visible.sum(axis=1), 1)[:, None]
    middle = along(0)(middle, anybody)
    filled = np.empty_like(positions, dtype=np.float64)
    for joint, parent in enumerate(parents):
        base = middle if parent < 0 else filled[:, parent]
        offset = along(joint + 1)(positions[:, joint] - base, visible[:, joint])
        filled[:, joint] = np.where(visible[:, joint, None], positions[:, joint], base + offset)
    return filled


def _interpolated(values: Array, known: Flags) -> Array:
    """Return values (T, 2), interpolated in time where not known, the ends held; zero if none is known."""
    if not known.any():
        return np.zeros_like(values)
    frames, rows = np.arange(len(values)), np.flatnonzero(known)
    return np.stack([np.interp(frames, rows, values[rows, axis]) for axis in range(2)], axis=1)


def _held(values: Array, known: Flags, last: Array) -> Array:
    """Return values (T, 2), each that is not known as the one before it, `last` before the first; keep the end in `last`."""
    row = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    out = np.where(row[:, None] >= 0, values[row], last)
    last[:] = out[-1]
    return out
