"""Smooth functions of time, all with continuous acceleration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mocapgen.core.motion import Array


def ease(x: Array) -> Array:
    """Return 0 up to 0, 1 from 1 on, and between a rise that starts and ends at rest (smootherstep)."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (x * (6.0 * x - 15.0) + 10.0)


def bump(x: Array) -> Array:
    """Return a hump of height 1 over 0 to 1, flat at both ends, and 0 elsewhere."""
    x = np.clip(x, 0.0, 1.0)
    return 64.0 * (x * (1.0 - x)) ** 3


def keys(t: Array, times: Sequence[float], values: Sequence[float] | Sequence[Sequence[float]]) -> Array:
    """Move from key to key, at rest at each: (T,) or (T, N) from K times and K values."""
    at = np.asarray(values, dtype=np.float64)
    out = np.tile(at[0], (len(t), *(1,) * at[0].ndim)) if at[0].ndim else np.full(len(t), at[0])
    for begin, end, here, there in zip(times[:-1], times[1:], at[:-1], at[1:], strict=True):
        rise = ease((t - begin) / (end - begin))
        out = out + (rise[:, None] if at[0].ndim else rise) * (there - here)
    return out
