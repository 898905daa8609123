"""The joint layouts of 2D detectors, and their conversion to ``h36m17``.

Adding a layout is adding a line to :data:`LAYOUTS`; joints of ``h36m17`` that it lacks are computed by :data:`MIDPOINTS`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.conventions import H36M17

Array = NDArray[np.float64]

_COCO17 = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    *("left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
)
_BODY_25 = (
    *("nose", "neck_base", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist", "mid_hip"),
    *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear"),
    *("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"),
)
LAYOUTS: dict[str, tuple[str, ...]] = {"h36m17": tuple(H36M17), "coco17": _COCO17, "body_25": _BODY_25}
"""Joint names of each layout, in order: Human3.6M; COCO keypoint challenge 2017; OpenPose's ``BODY_25``."""

MIDPOINTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "pelvis": (("mid_hip",), ("left_hip", "right_hip")),
    "thorax": (("neck_base",), ("left_shoulder", "right_shoulder")),
    "neck": (("left_ear", "right_ear"), ("left_eye", "right_eye"), ("nose",)),
}
"""Joints of ``h36m17`` that other layouts lack: each is the midpoint of the first of these groups that is visible."""
_HEAD_TOP = 2.0
"""The top of the head is about as far above the ears as the ears are above the base of the neck."""


def split_confidence(values: Array) -> tuple[Array, Array]:
    """Return pixels and confidence of keypoints, with missing joints marked.

    Parameters
    ----------
    values : (..., 3) float
        Pixels and confidence.

    Returns
    -------
    positions : (..., 2) float64, pixels
        0 where a joint is missing: where a number is not finite, or the confidence is not above 0.
    confidence : (...) float64
        At most 1; 0 where a joint is missing.
    """
    values = np.array(values, dtype=np.float64)
    values[~np.isfinite(values).all(axis=-1) | ~(values[..., 2] > 0)] = 0.0
    return values[..., :2], np.minimum(values[..., 2], 1.0)


def to_h36m17(values: Array, names: Sequence[str]) -> tuple[Array, Array]:
    """Convert keypoints to the joint set ``h36m17``.

    Parameters
    ----------
    values : (T, K, 3) float
        Pixels and confidence; joints that are not finite, or without confidence, are missing.
    names : sequence of K str
        A layout of :data:`LAYOUTS`.

    Returns
    -------
    positions : (T, 17, 2) float64, pixels
    confidence : (T, 17) float64
        Of a joint computed from others, the lowest of theirs.
    """
    positions, confidence = split_confidence(values)
    points = np.concatenate([positions, confidence[..., None]], axis=-1)
    known = {name: points[:, index] for index, name in enumerate(names)}
    for name, groups in MIDPOINTS.items():
        if name not in known:
            known[name] = _first_visible(
                [_combine([(known[part], 1.0 / len(group)) for part in group]) for group in groups if set(group) <= set(known)]
            )
    known.setdefault("spine", _combine([(known["pelvis"], 0.5), (known["thorax"], 0.5)]))
    known.setdefault("head_top", _combine([(known["thorax"], 1.0 - _HEAD_TOP), (known["neck"], _HEAD_TOP)]))
    stacked = np.stack([known[name] for name in H36M17], axis=1)
    return stacked[..., :2], stacked[..., 2]


def _combine(parts: Sequence[tuple[Array, float]]) -> Array:
    """Return the weighted sum of points (T, 3); missing where one of them is."""
    confidence = np.min([point[:, 2] for point, _ in parts], axis=0)
    out = np.zeros((len(confidence), 3))
    out[:, :2] = sum(weight * point[:, :2] for point, weight in parts)
    out[:, 2] = confidence
    out[confidence == 0] = 0.0
    return out


def _first_visible(candidates: Sequence[Array]) -> Array:
    """Return, frame by frame, the first of points (T, 3) that is visible."""
    out = candidates[0].copy()
    for other in candidates[1:]:
        missing = out[:, 2] == 0
        out[missing] = other[missing]
    return out
