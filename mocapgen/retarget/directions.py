"""Rotations from directions, and angles that stay steady where nothing tells them."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solveh_banded

from mocapgen.core.motion import Array, Skeleton
from mocapgen.core.rotation import multiply, rotate, shortest_arc
from mocapgen.core.vectors import dot
from schemas.errors import RetargetError


def rest_offset(skeleton: Skeleton, joint: str) -> Array:
    """Return where a joint is from its parent in the rest pose, (3,) metres."""
    return np.asarray(skeleton.offsets[skeleton.index(joint)])


def directions(vectors: Array, joint: str) -> Array:
    """Return directions, (T, 3); where there is none, the one of the frame before, or the first that there is."""
    lengths = np.linalg.norm(vectors, axis=-1)
    valid = lengths > 1e-6
    if not valid.any():
        raise RetargetError(f"{joint}: expected it away from the joint before it in some frame, found both in one place in all frames")
    last = np.maximum.accumulate(np.where(valid, np.arange(len(valid)), -1))
    last[last < 0] = int(valid.argmax())
    return np.asarray(vectors[last] / lengths[last, None])


def about(axis: Array, angle: Array) -> Array:
    """Return the rotations, (T, 4), by angles (T,) about unit axes (T, 3)."""
    return np.concatenate([axis * np.sin(0.5 * angle)[:, None], np.cos(0.5 * angle)[:, None]], axis=-1)


def turn_about(axis: Array, start: Array, to: Array) -> Array:
    """Return the angles, (T,), about unit axes that bring `start` nearest to `to`; 0 where either lies along the axis."""
    sine = dot(axis, np.cross(start, to))
    cosine = dot(start, to) - dot(axis, start) * dot(axis, to)
    return np.arctan2(sine, cosine)


def aimed(base: Array, bone: Array, along: Array) -> Array:
    """Turn rotations by the least that lets a bone, (3,) in the rest pose, point along (T, 3)."""
    return multiply(shortest_arc(rotate(base, bone), along), base)


def aligned(rest_first: Array, rest_second: Array, first: Array, second: Array) -> Array:
    """Return the rotations, (T, 4), that take one rest vector exactly to a direction, and another one as near as that allows."""
    start = shortest_arc(np.broadcast_to(rest_first, first.shape), first)
    return multiply(about(first, turn_about(first, rotate(start, rest_second), second)), start)


def steady(angles: Array, weights: Array, rest: Array, little: float, stiff: float) -> Array:
    """Return angles, (T,), that are followed where their weight is large, and carried over evenly where it is small.

    Solves for the smallest sum of ``weight (x - angle)^2 + little (x - rest)^2 + stiff (x[t] - x[t-1])^2``, a tridiagonal system, so
    that a straight limb, whose hinge says nothing, takes what lies before and after. First it is solved for points on the circle, which
    tells by how many full turns each angle is to be changed; then for the angles, which bounds the speed.
    """
    stiff = stiff if len(angles) > 1 else 0.0
    bands = np.zeros((2, len(angles)))
    bands[0, 1:] = -stiff
    bands[1] = weights + little
    bands[1, 1:] += stiff
    bands[1, :-1] += stiff
    circle = weights * np.exp(1j * angles) + little * np.exp(1j * rest)
    x, y = _solve(bands, np.stack([circle.real, circle.imag], axis=-1)).T
    course = np.unwrap(np.arctan2(y, x))
    near, rest = (course + np.angle(np.exp(1j * (wanted - course))) for wanted in (angles, rest))
    return _solve(bands, weights * near + little * rest)


def _solve(bands: Array, wanted: Array) -> Array:
    """Solve a symmetric tridiagonal system, (2, T) as LAPACK has it, for (T,) or (T, N)."""
    return np.asarray(solveh_banded(bands, wanted) if len(wanted) > 1 else wanted / bands[1])
