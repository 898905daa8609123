"""Rigid bodies and centres of rotation by least squares: the two tools of the solver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.core.rotation import conjugate, rotate

_ITERATIONS = 12
_ROUNDING = 1e-7  # metres
_NEWTON_STEPS = 50
_TOLD = 1e-6
"""Length of the adjugate's column, relative to the eigenvalue's cube, below which it may be rounding."""


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
    unit quaternions, J. Opt. Soc. Am. A 4(4), 1987. It is found as by Theobald, Acta Cryst. A 61, 2005, many times faster than
    by a general solver.
    """
    weights = np.full(shape.shape[-2], 1.0) if weights is None else weights
    weights = weights / weights.sum(axis=-1, keepdims=True)
    shape = np.broadcast_to(shape, points.shape)
    k = "k" if weights.ndim == 1 else "tk"
    middle, centre = np.einsum(f"{k},tki->ti", weights, shape), np.einsum(f"{k},tki->ti", weights, points)
    xx, xy, xz, yx, yy, yz, zx, zy, zz = np.einsum(f"{k},tki,tkj->ijt", weights, shape - middle[:, None], points - centre[:, None]).reshape(9, -1)
    matrix = np.empty((4, 4, len(points)))
    matrix[0] = xx - yy - zz, xy + yx, zx + xz, yz - zy
    matrix[1] = xy + yx, yy - xx - zz, yz + zy, zx - xz
    matrix[2] = zx + xz, yz + zy, zz - xx - yy, xy - yx
    matrix[3] = yz - zy, zx - xz, xy - yx, xx + yy + zz
    squares = -2.0 * (xx * xx + xy * xy + xz * xz + yx * yx + yy * yy + yz * yz + zx * zx + zy * zy + zz * zz)
    linear = -8.0 * (xx * (yy * zz - yz * zy) - xy * (yx * zz - yz * zx) + xz * (yx * zy - yy * zx))
    rotations = _largest_eigenvectors(matrix, squares, linear)
    return Frames(rotations, centre - rotate(rotations, middle))


def _largest_eigenvectors(matrix: Array, squares: Array, linear: Array) -> Array:
    """Return the eigenvector, (T, 4) of unit length, of the largest eigenvalue of symmetric matrices (4, 4, T) without trace.

    The eigenvalue is the largest root of the characteristic polynomial ``x^4 + squares x^2 + linear x + determinant``, by Newton's
    method from above. The eigenvector is the longest column of the adjugate of ``matrix - eigenvalue``. Where that is too short to be
    told from rounding, as for points on a line, a general solver is asked.
    """
    (a, b, c, d), (_, e, f, g), (_, _, h, i), (_, _, _, j) = matrix
    constant = np.einsum("kt,kt->t", matrix[0], _adjugate_column(a, b, c, d, e, f, g, h, i, j))
    root = np.sqrt(-1.5 * squares)  # no eigenvalue is larger
    for _ in range(_NEWTON_STEPS):
        square = root * root
        slope = (4.0 * square + 2.0 * squares) * root + linear
        step = ((square + squares) * square + linear * root + constant) / np.where(slope > 0.0, slope, np.inf)
        root -= step
        if (np.abs(step) <= 1e-15 * np.abs(root)).all():
            break
    a, e, h, j = a - root, e - root, h - root, j - root
    columns = np.stack(
        [
            _adjugate_column(a, b, c, d, e, f, g, h, i, j),
            _adjugate_column(e, b, f, g, a, c, d, h, i, j)[[1, 0, 2, 3]],
            _adjugate_column(h, f, c, i, e, b, g, a, d, j)[[2, 1, 0, 3]],
            _adjugate_column(j, g, i, d, e, f, b, h, c, a)[[3, 1, 2, 0]],
        ]
    )
    lengths = np.sqrt(np.einsum("kit,kit->kt", columns, columns))
    longest = lengths.argmax(axis=0)
    frames = np.arange(len(root))
    vectors = columns[longest, :, frames] / np.maximum(lengths[longest, frames], 1e-300)[:, None]
    unsure = lengths[longest, frames] <= _TOLD * np.abs(root) ** 3
    if unsure.any():
        vectors[unsure] = np.linalg.eigh(matrix[:, :, unsure].T)[1][..., -1]
    return vectors


def _adjugate_column(a: Array, b: Array, c: Array, d: Array, e: Array, f: Array, g: Array, h: Array, i: Array, j: Array) -> Array:
    """Return the first column, (4, T), of the adjugate of the symmetric matrices [[a b c d] [b e f g] [c f h i] [d g i j]]."""
    hj, gi, fi = h * j - i * i, g * i - f * j, f * i - g * h
    return np.stack(
        [
            e * hj + f * gi + g * fi,
            -b * hj + c * (f * j - g * i) + d * (g * h - f * i),
            b * (f * j - g * i) + c * (g * g - e * j) + d * (e * i - f * g),
            b * (g * h - f * i) + c * (e * i - f * g) + d * (f * f - e * h),
        ]
    )


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
