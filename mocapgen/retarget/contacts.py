"""Foot contacts: when each part of a foot is in contact, and the smallest displacement that keeps it in place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.core.vectors import norms

PLANTED_SPEED = (0.05, 0.25)
"""Metres per second: planted up to the first, free from the second on."""
PLANTED_HEIGHT = (0.05, 0.12)
"""Metres above the floor, likewise (for the source's own size)."""
_STAY, _SMOOTH, _PLANTED = 1.0, 10.0, 300.0
"""Weights of the sum in :mod:`mocapgen.retarget.feet`, per frame at 30 fps. They trade slip for the direction of the legs: ten times more on
the last takes 2 % off the slip and adds a seventh to the change of direction (measured on HDM05)."""


def ramp(values: Array, limits: tuple[float, float]) -> Array:
    """Return 1 below the first limit, 0 above the second, smooth between."""
    x = np.clip((limits[1] - values) / (limits[1] - limits[0]), 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def speeds(positions: Array, fps: float) -> Array:
    """Return the speed at each frame, (T, ...) float64, of positions (T, ..., 3): central differences, one-sided at the ends."""
    if len(positions) < 2:
        return np.zeros(positions.shape[:-1])
    return norms(np.gradient(positions, axis=0)) * fps


@dataclass(frozen=True, eq=False)
class Contacts:
    """When the feet of a source are planted; computed once for all avatars.

    Parameters
    ----------
    points : tuple of str
        The contact points (roles without the side) that the source has.
    paths : (T, 2, P, 3) float64, metres, world frame
        Where they go; left foot first.
    weights : (T - 1, 2, P) float64
        How much each is planted in each interval between frames, 0 to 1.
    stiffness : (T - 1, 2) float64
        How strongly the displacements at either end of an interval are tied to each other.
    """

    points: tuple[str, ...]
    paths: Array
    weights: Array
    stiffness: Array

    @classmethod
    def of(cls, points: tuple[str, ...], paths: Array, fps: float) -> Contacts:
        """Find the contacts of a motion.

        Parameters
        ----------
        points, paths
            As above.
        fps : float
        """
        speed = norms(np.diff(paths, axis=0)) * fps
        height = np.minimum(paths[1:, ..., 1], paths[:-1, ..., 1])
        weights = ramp(speed, PLANTED_SPEED) * ramp(height, PLANTED_HEIGHT)
        stiffness = _PLANTED * weights.sum(axis=2) + _SMOOTH
        return cls(points, paths, weights, stiffness)

    def scaled(self, scales: Array) -> Array:
        """Return the paths, (T, A, 2, P, 3) metres, of a source as large as each of A avatars."""
        return scales[:, None, None, None] * self.paths[:, None]

    def displacement(self, slip: Array) -> Array:
        """Return c(t), (T, A, 2, 3) metres, for slips (T - 1, A, 2, P, 3) metres: see :mod:`mocapgen.retarget.feet`."""
        pull = _PLANTED * np.einsum("tsp,taspi->tasi", self.weights, slip)
        right = np.zeros((len(slip) + 1, *pull.shape[1:]))
        right[:-1] -= pull
        right[1:] += pull
        between = self.stiffness[:, None, :, None]
        diagonal = np.full((len(right), 1, 2, 1), _STAY)
        diagonal[:-1] += between
        diagonal[1:] += between
        return solve_tridiagonal(diagonal, -between, right)

    def lift(self, wanted: Array, found: Array) -> Array:
        """Return by how much, (A,) metres, planted points are on average lower than wanted, given heights (T, A, 2, P)."""
        weight = float(self.weights.sum())
        if weight < 1e-3:  # no foot is planted: compare the lowest points instead
            return np.mean(wanted.min(axis=(0, 3)) - found.min(axis=(0, 3)), axis=1)
        return np.einsum("tsp,tasp->a", self.weights, wanted[:-1] - found[:-1]) / weight


def solve_tridiagonal(diagonal: Array, between: Array, right: Array) -> Array:
    """Solve symmetric tridiagonal systems along the first axis, all at once.

    Parameters
    ----------
    diagonal : (T, ...) float
        Dominant: at least the sum of the magnitudes beside it.
    between : (T - 1, ...) float
        Couples each unknown to the next.
    right : (T, ...) float
        Right-hand sides; the other shapes broadcast against it.

    Returns
    -------
    (T, ...) float64

    Notes
    -----
    Parallel cyclic reduction (Hockney and Jesshope, Parallel Computers, 1981): log2(T) vectorised steps,
    each of which leaves unknowns coupled that are twice as far apart. Loading ``scipy.linalg`` for its banded solver
    would take every worker process longer than all its solving.
    """
    step = 1
    while step < len(right):
        before, after = between / diagonal[:-step], between / diagonal[step:]
        reduced, solved = diagonal.copy(), right.copy()
        reduced[step:] -= before * between
        reduced[:-step] -= after * between
        solved[step:] -= before * right[:-step]
        solved[:-step] -= after * right[step:]
        diagonal, right, between = reduced, solved, -after[:-step] * between[step:]
        step *= 2
    return right / diagonal
