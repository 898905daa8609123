"""When a foot is down: the one definition that checks, figures and the player share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.core.runs import runs
from mocapgen.core.vectors import norms

SOLES = {"LeftToesEnd": 0.01, "left_heel": 0.02, "RightToesEnd": 0.01, "right_heel": 0.02}
"""Joints that touch the floor, and how high each is above it when it does, metres."""
ANKLES = {"LeftFoot": 0.08, "RightFoot": 0.08}
"""The same for joint sets without soles."""
_OTHERS = {"left_ankle": 0.08, "right_ankle": 0.08}
SLOW, LOW = 0.45, 0.08
"""A sole is planted when its smoothed path is slower than this (m/s) and, where the floor is known, not higher than this (metres)."""
_SHORTEST, _SMOOTH = 0.13, 0.17
"""Seconds that a sole has to be planted, and over which its path is averaged to tell."""


def averaged(paths: Array, fps: float) -> Array:
    """Return paths (T, ..., 3) averaged over a sixth of a second; the ends over what there is of it."""
    reach = max(round(0.5 * _SMOOTH * fps), 1)
    sums = np.concatenate([np.zeros((1, *paths.shape[1:])), np.cumsum(paths, axis=0)])
    frames = np.arange(len(paths))
    first, last = np.maximum(frames - reach, 0), np.minimum(frames + reach + 1, len(paths))
    return np.asarray((sums[last] - sums[first]) / (last - first).reshape(-1, *[1] * (paths.ndim - 1)))


def planted(paths: Array, clearance: Array | None, fps: float) -> NDArray[np.bool_]:
    """Return from which frames to the next each sole is planted: slow on average, and low.

    Parameters
    ----------
    paths : (T, S, 3) float, metres, world frame
        Where S soles go.
    clearance : (T, S) float, metres, or None
        How high each is above where it is when it stands; None where nobody knows the floor.
    fps : float

    Returns
    -------
    (T - 1, S) bool
    """
    slow = norms(np.diff(averaged(paths, fps), axis=0)) * fps < SLOW
    if clearance is not None:
        slow &= clearance[1:] < LOW
    least = max(round(_SHORTEST * fps), 2)
    for column in slow.T:
        for start, stop in runs(column):
            column[start:stop] &= stop - start >= least
    return np.asarray(slow)


def foot_contacts(positions: Array, names: Sequence[str], fps: float, floor: float | None = 0.0) -> dict[str, list[tuple[int, int]]]:
    """Return when each foot is down.

    Parameters
    ----------
    positions : (T, J, 3) float, metres, world frame
        NaN where a joint is not known; nothing is said of those frames.
    names : sequence of J str
    fps : float
    floor : float, optional
        Height of the floor, metres; None where nobody knows it.

    Returns
    -------
    dict
        ``left`` and ``right`` to the first and last frame of each contact; a foot of which no joint is known is left out.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    for foot in ("left", "right"):
        heights = {name: height for name, height in {**SOLES, **ANKLES, **_OTHERS}.items() if name in names and name.lower().startswith(foot)}
        if not heights:
            continue
        down = np.zeros(len(positions), dtype=bool)
        for name, height in heights.items():
            path = positions[:, [names.index(name)]]
            for start, stop in runs(np.asarray(np.isfinite(path).all(axis=(1, 2)))):
                part = path[start:stop]
                clearance = None if floor is None else part[..., 1] - floor - height
                still = planted(part, clearance, fps)[:, 0]
                down[start : stop - 1] |= still
                down[start + 1 : stop] |= still
        found[foot] = [(int(start), int(stop) - 1) for start, stop in runs(down)]
    return found
