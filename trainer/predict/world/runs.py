"""Runs of frames: where a condition holds, and for how long."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.predict.tracks import Array, Flags

Rows = NDArray[np.intp]


def runs(flags: Flags) -> tuple[Rows, Rows]:
    """Return the first frame and the end of each run in which a condition holds, the end not included; flags (T,) bool."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return edges[::2], edges[1::2]


def run_means(values: Array, weight: Array, first: Rows, end: Rows) -> Array:
    """Return the weighted mean over each run, (N, C); values (T, C), weight (T,) above 0."""
    total = np.concatenate([np.zeros((1, values.shape[1] + 1)), np.cumsum(np.column_stack([values * weight[:, None], weight]), axis=0)])
    sums = total[end] - total[first]
    return np.asarray(sums[:, :-1] / sums[:, -1:])


def hysteresis(score: Array, low: float, high: float, shortest: int) -> Flags:
    """Return where a score is low: it counts as low from frames below `low` on as long as it stays below `high`.

    Parameters
    ----------
    score : (T,) float
    low, high : float
    shortest : int
        Runs of fewer frames do not count.

    Returns
    -------
    (T,) bool
    """
    first, end = runs(score < high)
    lowest = np.array([score[begin:stop].min() for begin, stop in zip(first, end, strict=True)])
    good = (end - first >= shortest) & (lowest < low)
    change = np.zeros(len(score) + 1, dtype=np.int8)
    change[first[good]] += 1
    change[end[good]] -= 1
    return np.asarray(np.cumsum(change[:-1]) > 0)
