"""From the numbers in a file to arrays of points with confidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import DatasetError
from trainer.predict.keypoints.layouts import LAYOUTS
from trainer.predict.keypoints.limits import MOST_JOINTS
from trainer.predict.keypoints.vocabulary import NAME, SCORE, Raw, X, Y, key_of, value_of

Array = NDArray[np.float64]
_COUNTS = frozenset(len(names) for names in LAYOUTS.values())


def numbers(data: Any, path: Path) -> Array:
    """Return an array of numbers; ragged lists and words are refused, null is NaN."""
    if isinstance(data, np.ndarray) and data.dtype.kind not in "biufO":
        raise DatasetError(f"{path}: expected keypoints as numbers, found an array of {data.dtype}")
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            return np.array(data, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise DatasetError(f"{path}: expected keypoints as numbers, the same count for every frame, found something else") from None


def points_of(data: Any, path: Path, dimensions: int) -> Array:
    """Return points with confidence, (..., K, 3), from (..., K, 2, 3 or 4) or flat lists.

    Of four numbers the third is a depth, as MediaPipe's. Without confidence it is 1.
    """
    values = numbers(data, path)
    if values.ndim == dimensions - 1 and values.ndim and 0 not in values.shape:
        stride = _stride(values.shape[-1])
        if stride:
            values = values.reshape(*values.shape[:-1], -1, stride)
    if values.ndim != dimensions or values.shape[-1] not in (2, 3, 4) or 0 in values.shape:
        wanted = "(frames, joints, 2 or 3)" if dimensions == 3 else "(joints, 2 or 3)"
        raise DatasetError(f"{path}: expected keypoints of shape {wanted}, found {values.shape}")
    if values.shape[-2] > MOST_JOINTS:
        raise DatasetError(f"{path}: expected at most {MOST_JOINTS} joints a person, found {values.shape[-2]}")
    if values.shape[-1] == 4:
        values = values[..., [0, 1, 3]]
    if values.shape[-1] == 2:
        values = np.concatenate([values, np.ones((*values.shape[:-1], 1))], axis=-1)
    return values


def _stride(length: int) -> int:
    """Return how many numbers of a flat list belong to a point: such that there are as many points as a layout has, else 3."""
    fitting = [stride for stride in (3, 2, 4) if length % stride == 0 and length // stride in _COUNTS]
    return fitting[0] if fitting else 3 if length % 3 == 0 else 0


def stack(people: Sequence[Raw], path: Path) -> tuple[Array, tuple[str, ...] | None]:
    """Return the points of people, (N, K, 3), and the names of the joints if the file has them.

    Raises
    ------
    DatasetError
        If not all have the same number of joints, or what should be numbers are none.
    """
    names = _names(people[0].points)
    plain = [_plain(person.points, names) for person in people]
    counts = sorted({len(points) for points in plain})
    if len(counts) != 1:
        raise DatasetError(f"{path}: expected people with the same number of joints in every frame, found {_count(plain, counts)}")
    values = points_of(plain, path, 3)
    scores = [person.scores for person in people]
    if all(score is not None and len(score) == values.shape[1] for score in scores):
        certain = numbers(scores, path)
        certain = certain[..., 0] if certain.ndim == 3 and certain.shape[2] else certain
        if certain.shape != values.shape[:2]:
            raise DatasetError(f"{path}: expected a confidence for each joint, found {certain.shape[2:]} numbers for each")
        values[..., 2] = certain
    return values, names


def _count(plain: Sequence[Any], counts: Sequence[int]) -> str:
    flat = not isinstance(plain[0][0], Sequence)
    return " and ".join(str(count // 3 if flat and count % 3 == 0 else count) for count in counts[:4])


def _names(points: Any) -> tuple[str, ...] | None:
    """Return the names of the joints if points have them."""
    if isinstance(points, dict) and not (key_of(points, X) and key_of(points, Y)):
        return tuple(str(name) for name in points)
    if isinstance(points, list) and isinstance(points[0], dict):
        names = tuple(str(value_of(point, NAME)) if isinstance(point, dict) and key_of(point, NAME) else "" for point in points)
        return names if all(names) and not all(name.isdecimal() for name in names) else None
    return None


def _plain(points: Any, names: tuple[str, ...] | None) -> Any:
    """Return points as a list of numbers or of lists of numbers."""
    if isinstance(points, dict):
        if key_of(points, X) and key_of(points, Y):  # columns
            columns = [value_of(points, X), value_of(points, Y), value_of(points, SCORE)]
            lists = [column if isinstance(column, list) else [column] for column in columns if column is not None]
            return [list(point) for point in zip(*lists, strict=False)] or [[None, None]]
        if names is not None and all(name in points for name in names):
            return [_point(points[name]) for name in names]
        return [_point(point) for point in points.values()]
    if isinstance(points, list) and len(points) == 1 and isinstance(points[0], list) and len(points[0]) > 4:
        points = points[0]  # a list around the list
    if isinstance(points, list) and points and isinstance(points[0], dict):
        return [_point(point) for point in points]
    return points if isinstance(points, list) and points else [[None, None]]


def _point(point: Any) -> list[Any]:
    """Return x, y and confidence of one point, NaN if it is none."""
    if isinstance(point, list):
        return [point[0], point[1], point[3] if len(point) == 4 else point[2] if len(point) == 3 else 1.0] if len(point) >= 2 else [None, None, 0.0]
    if not isinstance(point, dict):
        return [None, None, 0.0]
    x, y = point.get("x"), point.get("y")
    if x is None or y is None:
        x, y = value_of(point, X), value_of(point, Y)
    score = point.get("visibility")
    if score is None:
        score = value_of(point, SCORE)
    return [x, y, 1.0 if score is None else score]
