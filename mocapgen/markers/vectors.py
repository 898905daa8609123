"""Directions and frames from points, vectorised over time: the small change of the solver."""

from __future__ import annotations

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.core.rotation import IDENTITY, shortest_arc, slerp

_TINY = 1e-9
_MOST_TILT = np.radians(35.0)  # of a segment's markers; more is somebody's strange pose


def dot(a: Array, b: Array) -> Array:
    """Return the scalar products, (T,), of vectors (T, 3)."""
    return np.einsum("...i,...i->...", a, b)


def cross(a: Array, b: Array) -> Array:
    """Return the vector products, (T, 3), of vectors (T, 3) or (3,); several times faster than NumPy's."""
    a, b = np.broadcast_arrays(a, b)
    return np.stack(
        [
            a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1],
            a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2],
            a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0],
        ],
        axis=-1,
    )


def length(vectors: Array) -> Array:
    """Return the lengths, (T,), of vectors (T, 3)."""
    return np.sqrt(dot(vectors, vectors))


def unit(vectors: Array) -> Array:
    """Scale vectors, (T, 3), to length 1; one of no length stays as it is."""
    return vectors / np.maximum(length(vectors), _TINY)[..., None]


def across(vectors: Array, direction: Array) -> Array:
    """Return the part of vectors normal to a unit direction, (T, 3)."""
    return vectors - dot(vectors, direction)[..., None] * direction


def basis(first: Array, second: Array, axes: str) -> Array:
    """Return rotations whose axis ``axes[0]`` is `first` and whose axis ``axes[1]`` is as near to `second` as possible.

    Parameters
    ----------
    first, second : (T, 3) float
        Vectors of any length, not parallel.
    axes : str
        Two different letters of x, y, z.

    Returns
    -------
    (T, 4) float64
        Unit quaternions.
    """
    i, j = "xyz".index(axes[0]), "xyz".index(axes[1])
    k = 3 - i - j
    columns = np.empty((3, *np.broadcast_shapes(first.shape, second.shape)))
    columns[i] = unit(first)
    columns[j] = unit(across(second, columns[i]))
    columns[k] = cross(columns[i], columns[j]) if (j - i) % 3 == 1 else cross(columns[j], columns[i])
    return quaternions(np.moveaxis(columns, 0, -1))


def tilt(up: Array) -> Array:
    """Return the rotation, (4,), from y to a direction (3,), but not more than is plausible."""
    turn = shortest_arc(np.array([0.0, 1.0, 0.0]), up)
    angle = 2.0 * np.arccos(np.clip(turn[3], -1.0, 1.0))
    return slerp(IDENTITY, turn, np.array(min(1.0, _MOST_TILT / max(angle, _TINY))))


def quaternions(matrices: Array) -> Array:
    """Return unit quaternions, (T, 4), of rotation matrices (T, 3, 3).

    Notes
    -----
    The largest of the four components is found from the trace, the others from it: Shepperd, Journal of Guidance and
    Control 1(3), 1978.
    """
    m = np.moveaxis(np.asarray(matrices), (-2, -1), (0, 1))
    trace = m[0, 0] + m[1, 1] + m[2, 2]
    squares = np.stack([m[0, 0], m[1, 1], m[2, 2], trace])
    largest = squares.argmax(axis=0)
    candidates = np.empty((4, 4, *trace.shape))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        candidates[i, i] = 1.0 + m[i, i] - m[j, j] - m[k, k]
        candidates[i, j] = m[j, i] + m[i, j]
        candidates[i, k] = m[k, i] + m[i, k]
        candidates[i, 3] = m[k, j] - m[j, k]
        candidates[3, i] = m[k, j] - m[j, k]
    candidates[3, 3] = 1.0 + trace
    chosen = np.take_along_axis(candidates, largest[None, None], axis=0)[0]
    chosen = np.moveaxis(chosen, 0, -1)
    return chosen / np.sqrt(dot(chosen, chosen))[..., None]
