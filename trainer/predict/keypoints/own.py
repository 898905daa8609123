"""The project's own files: a JSON object or an npz archive with ``keypoints``, (T, K, 2 or 3) pixels and confidence.

It may hold ``confidence`` (T, K), ``fps``, ``width``, ``height`` and ``layout`` as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from schemas.errors import DatasetError
from trainer.predict.keypoints.arrays import numbers, points_of


class NpzContent(dict[str, Any]):
    """The arrays of an npz archive."""


def recognises(content: Any) -> bool:
    """Return whether this is an archive, or an object with keypoints."""
    return isinstance(content, NpzContent) or (isinstance(content, Mapping) and "keypoints" in content)


def read(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the keypoints, (T, K, 3), and what the file states about the video."""
    if "keypoints" not in content:
        raise DatasetError(f"{path}: expected an array 'keypoints' (frames, joints, 2 or 3), found {', '.join(list(content)[:8]) or 'nothing'}")
    values = points_of(content["keypoints"], path, dimensions=3)
    if "confidence" in content:
        confidence = numbers(content["confidence"], path)
        if confidence.shape != values.shape[:2]:
            raise DatasetError(f"{path}: expected 'confidence' of shape {values.shape[:2]} as keypoints has, found {confidence.shape}")
        values[..., 2] = confidence
    out: dict[str, Any] = {"keypoints": values}
    for key in ("fps", "width", "height", "layout"):
        if key in content:
            out[key] = np.asarray(content[key]).item() if np.asarray(content[key]).ndim == 0 else None
    return out
