"""Rigid bodies and centres of rotation by least squares: the two tools of the solver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.core.rotation import conjugate, rotate

_ITERATIONS = 12
_ROUNDING = 1e-7  # metres


@dataclass(frozen=True, eq=False)
class Frames:
    """A coordinate frame that moves: a point x of it is at ``rotation x + origin``.

    Parameters
    ----------
    rotations : (T, 4) float64
    origins : (T, 3) float64, metres, world frame
    """

    rotations: Array
    origins: Array

    def to_world(self, points: Array) -> Array:
        """Return where points (3,) or (T, 3) of the frame are in the world, (T, 3)."""
        return rotate(self.rotations, points) + self.origins

    def to_local(self, points: Array) -> Array:
        """Return where points (T, 3) of the world are in the frame, (T, 3)."""
        return rotate(conjugate(self.rotations), points - self.origins)


def fit_rigid(shape: Array, points: Array, weights: Array | None = None) -> Frames:
    """Move a rigid shape onto points.

    Parameters
    ----------
    shape : (K, 3) or (T, K, 3) float
    points : (T, K, 3) float
    weights : (K,) or (T, K) float, optional

    Returns
    -------
    Frames
        Those that minimise ``sum_k w_k |R s_k + p - x_k|^2`` in each frame.

    Notes
    -----
    The quaternion is the largest eigenvector of a symmetric matrix: Horn, Closed-form solution of absolute orientation using
    unit quaternions, J. Opt. Soc. Am. A 4(4), 1987.
    """
    weights = np.full(shape.shape[-2], 1.0) if weights is None else weights
    weights = weights / weights.sum(axis=-1, keepdims=True)
    shape = np.broadcast_to(shape, points.shape)
    k = "k" if weights.ndim == 1 else "tk"
    middle, centre = np.einsum(f"{k},tki->ti", weights, shape), np.einsum(f"{k},tki->ti", weights, points)
    xx, xy, xz, yx, yy, yz, zx, zy, zz = np.einsum(f"{k},tki,tkj->ijt", weights, shape - middle[:, None], points - centre[:, None]).reshape(9, -1)
    matrix = np.zeros((len(points), 4, 4))  # its upper half
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 0, 2], matrix[:, 0, 3] = xx - yy - zz, xy + yx, zx + xz, yz - zy
    matrix[:, 1, 1], matrix[:, 1, 2], matrix[:, 1, 3] = yy - xx - zz, yz + zy, zx - xz
    matrix[:, 2, 2], matrix[:, 2, 3], matrix[:, 3, 3] = zz - xx - yy, xy - yx, xx + yy + zz
    rotations = np.linalg.eigh(matrix, UPLO="U")[1][..., -1]
    return Frames(rotations, centre - rotate(rotations, middle))


def mean_shape(points: Array, start: Array, rounds: int = 3) -> Array:
    """Return the shape, (K, 3), that rigidly moved fits points (T, K, 3) best, in the axes of a first guess `start` : (K, 3).

    Generalised Procrustes analysis (Gower, Psychometrika 40(1), 1975), with the median over time for the mean.
    """
    shape = start
    for _ in range(rounds):
        frames = fit_rigid(shape, points)
        local = rotate(conjugate(frames.rotations)[:, None], points - frames.origins[:, None])
        shape = np.median(local, axis=0)
    return shape


def fit_centre(paths: Sequence[Array], guess: Array, spread: Array, noise: float, samples: float) -> Array:
    """Find the centre of rotation of a limb from points that keep their distance to it.

    Parameters
    ----------
    paths : sequence of (T, 3) float, metres
        Points of the limb, in the frame in which the centre rests.
    guess : (3,) float, metres
        Where the centre is expected.
    spread : (3, 3) float, metres^2
        Covariance of that expectation.
    noise : float, metres
        Standard deviation of the distances: skin moves over bones.
    samples : float
        How many independent observations a path stands for (neighbouring frames tell the same).

    Returns
    -------
    (3,) float64, metres

    Notes
    -----
    Minimises ``|c - guess|^2_spread + samples mean_t sum_k rho((|p_k(t) - c| - r_k) / noise)`` over the centre and the radii r
    by iteratively reweighted Gauss-Newton steps, rho Cauchy's. Along a direction about which the limb did not turn
    the guess stands. For the plain sphere fit see Gamage and Lasenby, J. Biomech. 35(1), 2002.
    """
    centre = np.array(guess, dtype=np.float64)
    precision = np.linalg.inv(spread)
    for _ in range(_ITERATIONS):
        matrix, right = precision.copy(), precision @ (guess - centre)
        for path in paths:
            ray = path - centre
            distance = np.sqrt(np.einsum("ti,ti->t", ray, ray))
            direction = ray / np.maximum(distance, 1e-6)[:, None]
            residual = distance - np.median(distance)
            weight = 1.0 / (1.0 + (residual / (2.4 * noise)) ** 2)  # 2.385: 95 % efficiency on normal residuals
            weight *= samples / (len(path) * noise**2)
            residual = distance - np.average(distance, weights=weight)
            slope = direction - np.average(direction, axis=0, weights=weight)  # the radius is eliminated
            matrix += np.einsum("t,ti,tj->ij", weight, slope, slope)
            right += np.einsum("t,t,ti->i", weight, residual, slope)
        step = np.linalg.solve(matrix, right)
        centre += step
        if np.abs(step).max() < _ROUNDING:
            break
    return centre
