"""Vectors, (..., 3), vectorised: products, lengths and directions."""

from __future__ import annotations

import numpy as np

from mocapgen.core.rotation import Array

_TINY = 1e-9


def dot(a: Array, b: Array) -> Array:
    """Return the scalar products, (...), of vectors (..., K)."""
    return np.asarray(np.einsum("...i,...i->...", a, b))


def cross(a: Array, b: Array) -> Array:
    """Return the vector products, (..., 3), of vectors that broadcast; several times faster than NumPy's."""
    a, b = np.broadcast_arrays(a, b)
    return np.stack(
        [
            a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1],
            a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2],
            a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0],
        ],
        axis=-1,
    )


def norms(vectors: Array) -> Array:
    """Return the lengths, (...), of vectors (..., K)."""
    return np.sqrt(dot(vectors, vectors))


def unit(vectors: Array) -> Array:
    """Scale vectors, (..., 3), to length 1; one of no length stays as it is."""
    return vectors / np.maximum(norms(vectors), _TINY)[..., None]


def across(vectors: Array, direction: Array) -> Array:
    """Return the part of vectors normal to a unit direction, (..., 3)."""
    return vectors - dot(vectors, direction)[..., None] * direction
