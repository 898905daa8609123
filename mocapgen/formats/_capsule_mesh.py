"""Capsules as triangles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.capsules import Capsule
from mocapgen.core.motion import Array
from mocapgen.core.rotation import IDENTITY, rotate, shortest_arc
from mocapgen.core.vectors import dot, unit

AROUND = 12
"""Corners of a ring."""
LATITUDES = (-60.0, -30.0, 0.0, 0.0, 30.0, 60.0)
"""Degrees: three rings on each ball; with the two poles they make the surface."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles, anticlockwise seen from outside.

    Parameters
    ----------
    positions, normals : (V, 3) float64
    joints : (V,) int
        The joint with which each corner moves.
    triangles : (F, 3) int
    """

    positions: Array
    normals: Array
    joints: NDArray[np.intp]
    triangles: NDArray[np.intp]


def capsule_mesh(capsules: Sequence[Capsule]) -> Mesh:
    """Return the surface of capsules, one after the other."""
    ball, upper, triangles = _unit_capsule()
    parts = []
    for capsule in capsules:
        along = capsule.end - capsule.start
        turn = shortest_arc(np.array([0.0, 1.0, 0.0]), along) if along.any() else IDENTITY  # a ball has no direction
        normals = rotate(turn, ball)
        radii = np.where(upper, capsule.radii[1], capsule.radii[0])[:, None]
        more = float(np.linalg.norm(capsule.across))
        across = unit(capsule.across)
        out = normals * radii
        out = out + more * dot(out, across)[:, None] * across
        normals = unit(normals - more / (1.0 + more) * dot(normals, across)[:, None] * across)
        parts.append((np.where(upper[:, None], capsule.end, capsule.start) + out, normals, np.full(len(ball), capsule.joint)))
    positions, normals, joints = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Mesh(positions, normals, joints, np.concatenate([triangles + number * len(ball) for number in range(len(capsules))]))


def _unit_capsule() -> tuple[Array, NDArray[np.bool_], NDArray[np.intp]]:
    """Return the normals of a capsule along y, which of its corners belong to the upper ball, and its triangles."""
    height, angle = np.radians(LATITUDES)[:, None], 2.0 * np.pi * np.arange(AROUND) / AROUND
    rings = np.stack(np.broadcast_arrays(np.cos(height) * np.cos(angle), np.sin(height), np.cos(height) * np.sin(angle)), axis=-1).reshape(-1, 3)
    ball = np.concatenate([[[0.0, -1.0, 0.0]], rings, [[0.0, 1.0, 0.0]]])
    upper = np.arange(len(ball)) > len(rings) // 2
    here, last = np.arange(AROUND), len(ball) - 1
    onward = (here + 1) % AROUND
    triangles = [np.stack([np.zeros_like(here), 1 + here, 1 + onward], axis=-1)]
    for ring in range(len(LATITUDES) - 1):
        low, high = 1 + ring * AROUND, 1 + (ring + 1) * AROUND
        triangles.append(np.stack([low + here, high + here, low + onward], axis=-1))
        triangles.append(np.stack([low + onward, high + here, high + onward], axis=-1))
    top = last - AROUND
    triangles.append(np.stack([top + here, np.full_like(here, last), top + onward], axis=-1))
    return ball, upper, np.concatenate(triangles)
