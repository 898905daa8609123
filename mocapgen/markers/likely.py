"""Where a marker that is not seen is likely to be, given all others: poses of the clip taken for normally distributed.

Mean and covariance of the poses come from a sample of the frames, in rounds, each of which puts the expectation in the place of what is
missing (Buck, J. Royal Stat. Soc. B 22, 1960, repeated); then every frame is solved once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.core.rotation import conjugate, rotate
from mocapgen.markers.rigid import Frames, fit_rigid, mean_shape

Mask = NDArray[np.bool_]

WIDE = 0.02
"""Metres by which three markers must be off a straight line to say how a segment is turned."""
CLOSE = 0.002
"""Metres: distances that vary less than that are as good as any."""
SAMPLES = 300
"""Frames, evenly spaced, from which shapes and distances are found."""
_POSES = 400  # likewise for mean and covariance of the poses
_CORE = 8  # markers that define the frame in which poses are compared: the trunk, whatever the labels
_NEIGHBOURS = 6  # of which three may be nearly on a line
_NOISE = 0.003  # metres by which markers tremble for themselves
_ROUNDS = 6
_WAVES = 16  # in which guesses are made, each with the help of those before
_FRAMES_AT_ONCE = 50_000  # frames of gaps in a wave
_STEP = 6  # coordinates: frames that miss up to two markers more are solved together
_AT_ONCE = 1_000_000  # numbers in the equations that are solved together: 8 MB


def likely_positions(positions: Array, valid: Mask, spread: Array) -> Array:
    """Return where markers are expected in the frames in which they are not seen, and in those next to them.

    Parameters
    ----------
    positions : (T, M, 3) float64, metres
        NaN where a marker is not seen.
    valid : (T, M) bool
        Whether it is.
    spread : (M, M) float64, metres
        By how much the distance of every two markers varies.

    Returns
    -------
    (T, M, 3) float64, metres
        Elsewhere the positions themselves.
    """
    frames = len(valid)
    asked = ~valid
    asked[:-1] |= asked[1:].copy()
    asked[1:] |= ~valid[:-1]
    guessed = _carried(positions, valid, spread)
    body = _body(guessed, np.argsort(np.median(spread, axis=1), kind="stable")[:_CORE])
    local = rotate(conjugate(body.rotations)[:, None], guessed - body.origins[:, None]).reshape(frames, -1)
    sample = np.unique(np.linspace(0, frames - 1, _POSES).astype(np.intp))
    mean, precision = _normal_distribution(local[sample], np.repeat(~valid[sample], 3, axis=1))
    expected = _conditional(local, np.repeat(asked, 3, axis=1), mean, precision)
    return rotate(body.rotations[:, None], expected.reshape(positions.shape)) + body.origins[:, None]


def bridged(points: Array, seen: Mask) -> Array:
    """Return points (T, M, 3) with straight lines where they are not seen, (T, M); at the ends the nearest one."""
    out = points.copy()
    for index in np.flatnonzero(~seen.all(axis=0)):
        there, gone = np.flatnonzero(seen[:, index]), np.flatnonzero(~seen[:, index])
        if len(there):
            after = np.searchsorted(there, gone)
            left, right = there[np.maximum(after - 1, 0)], there[np.minimum(after, len(there) - 1)]
            share = np.clip((gone - left) / np.maximum(right - left, 1), 0.0, 1.0)[:, None]
            out[gone, index] = (1.0 - share) * points[left, index] + share * points[right, index]
    return out


def smooth_step(share: Array) -> Array:
    """Return a step from 0 to 1 that starts and ends level."""
    return share * share * (3.0 - 2.0 * share)


def width(points: Array) -> float:
    """Return how far points (K, 3) stand off the straight line that fits them best, metres."""
    return float(np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[1])


def runs(valid: Mask) -> list[tuple[int, int]]:
    """Return (start, stop) of every run of frames that are not valid, (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], valid, [True]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _body(points: Array, core: NDArray[np.intp]) -> Frames:
    """Return the frame that moves with the core markers."""
    first = points[len(points) // 2, core]
    sample = points[np.unique(np.linspace(0, len(points) - 1, SAMPLES).astype(np.intp))][:, core]
    return fit_rigid(mean_shape(sample, first - first.mean(axis=0)), points[:, core])


def _carried(positions: Array, valid: Mask, spread: Array) -> Array:
    """Return positions with a guess in every gap: the marker moves with the neighbours that keep their distance to it best.

    Short gaps come first; those of one wave are filled together, and the next wave sees them.
    """
    out, there = bridged(positions, valid), valid.copy()
    gaps = [(stop - start, index, start, stop) for index in range(valid.shape[1]) for start, stop in runs(valid[:, index])]
    table = np.array(sorted(gaps), dtype=np.intp).reshape(-1, 4)
    for wave in np.array_split(table, max(1, min(len(table), max(_WAVES, int(table[:, 0].sum()) // _FRAMES_AT_ONCE)))):
        _carry(out, there, spread, *wave[:, 1:].T)
        for _, index, start, stop in wave:
            there[start:stop, index] = True
    return out


def _carry(points: Array, valid: Mask, spread: Array, index: NDArray[np.intp], start: NDArray[np.intp], stop: NDArray[np.intp]) -> None:
    """Write a guess for some gaps (G,) into points (T, M, 3): see :func:`_carried`."""
    before, after = start - 1, np.where(stop < len(valid), stop, start - 1)
    before = np.where(before >= 0, before, after)
    absent = np.concatenate([np.zeros((1, valid.shape[1]), dtype=np.int32), np.cumsum(~valid, axis=0, dtype=np.int32)])
    throughout = absent[np.minimum(stop + 1, len(valid))] == absent[np.maximum(start - 1, 0)]
    loose = np.where(throughout, spread[index], np.inf)
    others = np.argsort(loose, axis=1, kind="stable")[:, :_NEIGHBOURS]
    loose = np.take_along_axis(loose, others, axis=1)
    weights = 1.0 / (CLOSE**2 + loose**2)
    shape, later = points[before[:, None], others], points[after[:, None], others]
    known = np.isfinite(loose)
    middle = (shape * known[..., None]).sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1), 1)[:, None, None]
    wide = np.linalg.svd((shape - middle) * known[..., None], compute_uv=False)[:, 1] >= WIDE
    usable = np.flatnonzero((known.sum(axis=1) >= 3) & wide & (before >= 0))
    if not len(usable):
        return
    index, start, stop, before, after, others = (array[usable] for array in (index, start, stop, before, after, others))
    shape, later, weights = shape[usable], later[usable], weights[usable]
    back = fit_rigid(later, shape, weights)  # what the segment looks like after the gap, laid over what it was before
    marker, marker_later = points[before, index], back.to_world(points[after, index])
    later = rotate(back.rotations[:, None], later) + back.origins[:, None]
    sizes = stop - start
    gap = np.repeat(np.arange(len(index)), sizes)
    place = np.arange(len(gap)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    share = smooth_step((place + 1) / (sizes + 1)[gap])[:, None]
    blended = shape[gap] + share[..., None] * (later - shape)[gap]
    frame = start[gap] + place
    moved = fit_rigid(blended, points[frame[:, None], others[gap]], weights[gap])
    points[frame, index[gap]] = moved.to_world(marker[gap] + share * (marker_later - marker)[gap])


def _normal_distribution(poses: Array, gone: Mask) -> tuple[Array, Array]:
    """Return mean (D,) and inverse covariance (D, D) of poses (T, D), of whose missing values guesses are there."""
    for _ in range(_ROUNDS):
        mean = poses.mean(axis=0)
        off = poses - mean
        precision = np.linalg.inv(off.T @ off / len(off) + _NOISE**2 * np.eye(len(mean)))
        poses = _conditional(poses, gone, mean, precision)
    return mean, precision


def _conditional(values: Array, gone: Mask, mean: Array, precision: Array) -> Array:
    """Return values (T, D) with the expectation of those that are gone, given the others.

    Frames of about as many such values are solved together; what a frame lacks to the largest number are equations ``x = 0``.
    """
    out = values.copy()
    pull = np.where(gone, 0.0, values - mean) @ precision
    counts = gone.sum(axis=1)
    classes = -(-counts // _STEP)
    for size in np.unique(classes[counts > 0]):
        most = min(size * _STEP, gone.shape[1])
        every = np.flatnonzero(classes == size)
        for rows in np.array_split(every, -(-len(every) * most * most // _AT_ONCE)):
            places = np.argsort(~gone[rows], axis=1, kind="stable")[:, :most]  # those that are gone come first
            real = np.arange(most) < counts[rows, None]
            matrix = precision[places[:, :, None], places[:, None, :]]
            matrix[~(real[:, :, None] & real[:, None, :])] = 0.0
            matrix[:, range(most), range(most)] += ~real
            step = np.linalg.solve(matrix, np.where(real, pull[rows[:, None], places], 0.0)[..., None])[..., 0]
            out[rows[:, None], places] = np.where(real, mean[places] - step, out[rows[:, None], places])
    return out
