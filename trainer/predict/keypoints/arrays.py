"""From the numbers in a file to arrays of points with confidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import DatasetError

Array = NDArray[np.float64]


def numbers(data: Any, path: Path) -> Array:
    """Return an array of numbers; ragged lists and words are refused."""
    try:
        return np.array(data, dtype=np.float64)
    except (TypeError, ValueError):
        raise DatasetError(f"{path}: expected keypoints as numbers, the same count for every frame, found something else") from None


def points_of(data: Any, path: Path, dimensions: int) -> Array:
    """Return points with confidence, (..., K, 3), from (..., K, 2 or 3) or flat lists of triples."""
    values = numbers(data, path)
    if values.ndim == dimensions - 1 and values.shape[-1] % 3 == 0:
        values = values.reshape(*values.shape[:-1], -1, 3)
    if values.ndim != dimensions or values.shape[-1] not in (2, 3) or 0 in values.shape:
        wanted = "(frames, joints, 2 or 3)" if dimensions == 3 else "(joints, 2 or 3)"
        raise DatasetError(f"{path}: expected keypoints of shape {wanted}, found {values.shape}")
    if values.shape[-1] == 2:
        values = np.concatenate([values, np.ones((*values.shape[:-1], 1))], axis=-1)
    return values
