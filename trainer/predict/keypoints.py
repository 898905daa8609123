"""2D keypoints of other tools, brought to the joint set that models know.

Three layouts of joints (Human3.6M's 17, COCO's 17, OpenPose's 25) in four kinds of files: our own JSON or npz with one array, a
folder of OpenPose's JSON files (one a frame), the result list of AlphaPose and detectors with COCO's fields, and MMPose's JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.conventions import H36M17
from schemas.errors import DatasetError

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
"""Joint names of each layout, in its order: COCO keypoint challenge 2017; OpenPose's ``BODY_25``."""

_MIDDLES: dict[str, tuple[tuple[str, ...], ...]] = {
    "pelvis": (("mid_hip",), ("left_hip", "right_hip")),
    "thorax": (("neck_base",), ("left_shoulder", "right_shoulder")),
    "neck": (("left_ear", "right_ear"), ("left_eye", "right_eye"), ("nose",)),
}
"""Joints of ``h36m17`` that other layouts lack, each the middle of the first of these groups that is there."""
_HEAD_TOP = 2.0
"""The top of the head lies about as far above the ears as the ears above the base of the neck."""


@dataclass(frozen=True, eq=False)
class Keypoints:
    """One person in a video, as a model wants it.

    Parameters
    ----------
    positions : (T, 17, 2) float64, pixels
        Joint set ``h36m17``; zero where a joint is missing.
    confidence : (T, 17) float64
        0 to 1; 0 means that the joint is missing.
    fps : float
    width, height : int, pixels
    """

    positions: Array
    confidence: Array
    fps: float
    width: int
    height: int


def read_keypoints(path: str | Path, layout: str | None = None, fps: float | None = None, image: tuple[int, int] | None = None) -> Keypoints:
    """Read keypoints of one person.

    Parameters
    ----------
    path : str or Path
        A ``.json`` or ``.npz`` file, or a folder of OpenPose's JSON files. Own files hold ``keypoints``, (T, K, 2 or 3) pixels and
        confidence, and may hold ``fps``, ``width``, ``height`` and ``layout``. Of several people in a frame the one nearest to the
        one before is taken, at first the largest.
    layout : str, optional
        One of :data:`LAYOUTS`; by default what the file says, else told by the number of joints where that is enough (25).
    fps : float, optional
        Frames per second, for files that do not say; overrides one that does.
    image : (width, height), optional
        Likewise.

    Raises
    ------
    DatasetError
        In one line: what is missing or does not fit, and which option gives it.
    """
    path = Path(path)
    said = _load(path)
    values = said["keypoints"]
    chosen = layout or said.get("layout") or ("body_25" if values.shape[1] == 25 else None)
    if chosen not in LAYOUTS:
        raise DatasetError(
            f"{path}: expected a layout of joints (--layout {'|'.join(LAYOUTS)}), found {chosen or f'{values.shape[1]} joints a frame'}"
        )
    names = LAYOUTS[chosen]
    if values.shape[1] != len(names):
        raise DatasetError(f"{path}: expected {len(names)} joints a frame for layout {chosen}, found {values.shape[1]}; give another --layout")
    rate = fps if fps is not None else said.get("fps")
    if not isinstance(rate, int | float) or not (math.isfinite(rate) and 0 < rate <= 1000):
        raise DatasetError(f"{path}: expected the frame rate of the video in frames per second, found {rate}; give --fps")
    width, height = image or (said.get("width"), said.get("height"))
    if not (isinstance(width, int | float) and isinstance(height, int | float) and width > 0 and height > 0):
        raise DatasetError(f"{path}: expected the size of the image in pixels, found {width} x {height}; give --image WIDTHxHEIGHT")
    positions, confidence = to_h36m17(values, names)
    if not (confidence > 0).any():
        raise DatasetError(f"{path}: expected keypoints with a confidence above 0, found none in {len(values)} frames")
    return Keypoints(positions, confidence, float(rate), int(width), int(height))


def to_h36m17(values: Array, names: Sequence[str]) -> tuple[Array, Array]:
    """Bring keypoints to the joint set ``h36m17``.

    Parameters
    ----------
    values : (T, K, 3) float
        Pixels and confidence; what is not finite, or without confidence, is missing.
    names : sequence of K str
        A layout of :data:`LAYOUTS`.

    Returns
    -------
    positions : (T, 17, 2) float64, pixels
    confidence : (T, 17) float64
        Of a joint made of others, the lowest of theirs.
    """
    known: dict[str, Array] = {}
    for index, name in enumerate(names):
        point = np.array(values[:, index], dtype=np.float64)
        missing = ~np.isfinite(point).all(axis=1) | (point[:, 2] <= 0)
        point[missing] = 0.0
        point[:, 2] = np.minimum(point[:, 2], 1.0)
        known[name] = point
    for name, groups in _MIDDLES.items():
        if name not in known:
            known[name] = _first_present(
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


def _first_present(candidates: Sequence[Array]) -> Array:
    """Return, frame by frame, the first of points (T, 3) that is there."""
    out = candidates[0].copy()
    for other in candidates[1:]:
        missing = out[:, 2] == 0
        out[missing] = other[missing]
    return out


# Files --------------------------------------------------------------------------------------------


def _load(path: Path) -> dict[str, Any]:
    """Return ``keypoints`` (T, K, 3) and whatever else a file or folder says."""
    try:
        if path.is_dir():
            files = sorted(path.glob("*.json"))
            if not files:
                raise DatasetError(f"{path}: expected OpenPose's JSON files, one a frame, found no .json file")
            return _tracked([_openpose_people(_json(file), file) for file in files], path)
        if path.suffix.lower() == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return _own({key: archive[key] for key in archive.files}, path)
        return _from_json(_json(path), path)
    except OSError as error:
        raise DatasetError(f"{path}: expected a readable file of keypoints, found: {error.strerror or error}") from None
    except (ValueError, EOFError) as error:  # NumPy's word for archives that are none, or that hold objects
        raise DatasetError(f"{path}: expected a .json or .npz file of keypoints, found: {' '.join(str(error).split())[:120]}") from None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(f"{path}: expected JSON, found: {' '.join(str(error).split())[:120]}") from None


def _from_json(data: Any, path: Path) -> dict[str, Any]:
    """Tell the kinds of JSON apart by their keys."""
    if isinstance(data, Mapping) and "keypoints" in data:
        return _own(data, path)
    if isinstance(data, Mapping) and "instance_info" in data:
        frames = [_mmpose_people(frame) for frame in data["instance_info"]]
        return _tracked(frames, path)
    if isinstance(data, Sequence) and data and all(isinstance(item, Mapping) and "keypoints" in item for item in data):
        by_frame: dict[str, list[Any]] = {}
        for item in data:
            by_frame.setdefault(str(item.get("image_id", item.get("frame_id", ""))), []).append(item["keypoints"])
        order = sorted(by_frame, key=lambda key: (len(key), key))  # 2.jpg comes before 10.jpg
        return _tracked([by_frame[key] for key in order], path)
    raise DatasetError(f"{path}: expected keypoints (a key 'keypoints', OpenPose's, AlphaPose's or MMPose's JSON), found none of these")


def _own(said: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if "keypoints" not in said:
        raise DatasetError(f"{path}: expected an array 'keypoints' (frames, joints, 2 or 3), found {', '.join(list(said)[:8]) or 'nothing'}")
    values = _points(said["keypoints"], path, dimensions=3)
    if "confidence" in said:
        confidence = _numbers(said["confidence"], path)
        if confidence.shape != values.shape[:2]:
            raise DatasetError(f"{path}: expected 'confidence' of shape {values.shape[:2]} as keypoints has, found {confidence.shape}")
        values[..., 2] = confidence
    out: dict[str, Any] = {"keypoints": values}
    for key in ("fps", "width", "height", "layout"):
        if key in said:
            out[key] = np.asarray(said[key]).item() if np.asarray(said[key]).ndim == 0 else None
    return out


def _openpose_people(data: Any, path: Path) -> list[Any]:
    if not isinstance(data, Mapping) or not isinstance(data.get("people"), Sequence):
        raise DatasetError(f"{path}: expected OpenPose's JSON with 'people', found none")
    return [person.get("pose_keypoints_2d", []) if isinstance(person, Mapping) else [] for person in data["people"]]


def _mmpose_people(frame: Any) -> list[Any]:
    people = frame.get("instances", []) if isinstance(frame, Mapping) else []
    out = []
    for person in people:
        points, scores = np.asarray(person.get("keypoints", [])), np.asarray(person.get("keypoint_scores", []))
        if points.ndim == 2 and len(points) == len(scores):
            out.append(np.column_stack([points[:, :2], scores]).tolist())
    return out


def _numbers(data: Any, path: Path) -> Array:
    try:
        return np.array(data, dtype=np.float64)
    except (TypeError, ValueError):
        raise DatasetError(f"{path}: expected keypoints as numbers, the same count for every frame, found something else") from None


def _points(data: Any, path: Path, dimensions: int) -> Array:
    """Return points with confidence, (..., K, 3), from (..., K, 2 or 3) or flat lists of triples."""
    values = _numbers(data, path)
    if values.ndim == dimensions - 1 and values.shape[-1] % 3 == 0:
        values = values.reshape(*values.shape[:-1], -1, 3)
    if values.ndim != dimensions or values.shape[-1] not in (2, 3) or 0 in values.shape:
        wanted = "(frames, joints, 2 or 3)" if dimensions == 3 else "(joints, 2 or 3)"
        raise DatasetError(f"{path}: expected keypoints of shape {wanted}, found {values.shape}")
    if values.shape[-1] == 2:
        values = np.concatenate([values, np.ones((*values.shape[:-1], 1))], axis=-1)
    return values


def _tracked(frames: Sequence[Sequence[Any]], path: Path) -> dict[str, Any]:
    """Follow one person through frames with any number of people; frames without anybody stay empty."""
    found: list[Array | None] = []
    last: Array | None = None
    for people in frames:
        points = [_points(person, path, dimensions=2) for person in people if len(person)]
        if not points:
            found.append(None)
            continue
        last = max(points, key=_size) if last is None else min(points, key=lambda one: _distance(one, last))
        found.append(last)
    counts = {len(one) for one in found if one is not None}
    if len(counts) != 1:
        raise DatasetError(f"{path}: expected people with the same number of joints in every frame, found {sorted(counts) or 'nobody'}")
    empty = np.zeros((counts.pop(), 3))
    return {"keypoints": np.stack([empty if one is None else one for one in found])}


def _size(points: Array) -> float:
    seen = points[points[:, 2] > 0, :2]
    return float(np.prod(np.ptp(seen, axis=0))) if len(seen) else 0.0


def _distance(points: Array, others: Array | None) -> float:
    if others is None or len(points) != len(others):
        return math.inf
    both = (points[:, 2] > 0) & (others[:, 2] > 0)
    return float(np.linalg.norm(points[both, :2] - others[both, :2], axis=1).mean()) if both.any() else math.inf
