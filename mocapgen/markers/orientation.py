"""Orientations of segments from directions, vectorised over time."""

from __future__ import annotations

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.core.rotation import IDENTITY, from_matrices, shortest_arc, slerp
from mocapgen.core.vectors import across, cross, unit

_TINY = 1e-9
_MOST_TILT = np.radians(35.0)  # of a segment's markers; more is somebody's strange pose


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
    return from_matrices(np.moveaxis(columns, 0, -1))


def tilt(up: Array) -> Array:
    """Return the rotation, (4,), from y to a direction (3,), but not more than is plausible."""
    turn = shortest_arc(np.array([0.0, 1.0, 0.0]), up)
    angle = 2.0 * np.arccos(np.clip(turn[3], -1.0, 1.0))
    return slerp(IDENTITY, turn, np.array(min(1.0, _MOST_TILT / max(angle, _TINY))))
