"""Follow one person through frames with any number of people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from schemas.errors import DatasetError
from trainer.predict.keypoints.arrays import Array, points_of


def follow_one(frames: Sequence[Sequence[Any]], path: Path) -> Array:
    """Return the keypoints of one person, (T, K, 3): the largest of the first frame with people, then always the nearest.

    Parameters
    ----------
    frames : sequence of T sequences
        The keypoints of each person in a frame: (K, 2 or 3), or a flat list of triples. Frames without people become zeros.
    path : Path
        Named in errors.

    Raises
    ------
    DatasetError
        If there are no people, or not all have the same number of joints.
    """
    found: list[Array | None] = []
    last: Array | None = None
    for people in frames:
        points = [points_of(person, path, dimensions=2) for person in people if len(person)]
        if not points:
            found.append(None)
            continue
        last = max(points, key=_size) if last is None else min(points, key=lambda one: _distance(one, last))
        found.append(last)
    counts = {len(one) for one in found if one is not None}
    if len(counts) != 1:
        raise DatasetError(f"{path}: expected people with the same number of joints in every frame, found {sorted(counts) or 'no people'}")
    empty = np.zeros((counts.pop(), 3))
    return np.stack([empty if one is None else one for one in found])


def _size(points: Array) -> float:
    seen = points[points[:, 2] > 0, :2]
    return float(np.prod(np.ptp(seen, axis=0))) if len(seen) else 0.0


def _distance(points: Array, others: Array | None) -> float:
    if others is None or len(points) != len(others):
        return math.inf
    both = (points[:, 2] > 0) & (others[:, 2] > 0)
    return float(np.linalg.norm(points[both, :2] - others[both, :2], axis=1).mean()) if both.any() else math.inf
