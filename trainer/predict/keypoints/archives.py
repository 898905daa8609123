"""Arrays: the project's own npz and npy, VideoPose3D's and Detectron2's npz, and the dictionaries of MMAction2's pickles.

``keypoints`` is (T, K, 2 or 3), or (T, people, K, 2 or 3). It may come with ``confidence``, ``fps``, ``width``, ``height`` and ``layout``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mocapgen.shared.text import quoted
from schemas.errors import DatasetError
from trainer.predict.keypoints.arrays import Array, numbers, points_of
from trainer.predict.keypoints.content import Archive
from trainer.predict.keypoints.detections import Detections
from trainer.predict.keypoints.json_people import stated
from trainer.predict.keypoints.layouts import ALIASES

_ARRAYS = ("keypoints", "keypoint", "positions_2d", "keypoints_2d", "poses_2d", "pose_2d", "kpts", "joints_2d", "reconstruction", "arr_0", "data")


def read(content: Archive, path: Path) -> Detections:
    """Return the detections in arrays.

    Raises
    ------
    DatasetError
        If there are no keypoints, those of several videos, or arrays of other shapes.
    """
    arrays = content.arrays
    if isinstance(arrays.get("positions_2d"), Mapping):
        return _videopose3d(arrays, path)
    if "keypoints" in arrays and "boxes" in arrays:
        return _detectron2(arrays, path)
    name = next((name for name in _ARRAYS if name in arrays), None)
    name = name or (next(iter(arrays)) if len(arrays) == 1 else None)
    if name is None:
        raise DatasetError(
            f"{path}: expected an array 'keypoints' (frames, joints, 2 or 3), found {', '.join(map(str, list(arrays)[:8])) or 'nothing'}"
        )
    values = arrays[name]
    if isinstance(values, Mapping):
        return _videopose3d({"positions_2d": values}, path)
    about: dict[str, Any] = {key: _item(arrays[key]) for key in ("fps", "width", "height", "layout") if key in arrays}
    shape = arrays.get("img_shape", arrays.get("original_shape"))
    if shape is not None:
        about |= dict(zip(("height", "width"), numbers(shape, path).ravel().tolist(), strict=False))
    scores = arrays.get("confidence", arrays.get("keypoint_score", arrays.get("scores")))
    people_first = name == "keypoint"
    return of_array(values, scores, about, path, people_first)


def of_array(values: Any, scores: Any, about: Mapping[str, Any], path: Path, people_first: bool = False) -> Detections:
    """Return the detections of an array, (T, K, 2 or 3) or (T, people, K, 2 or 3)."""
    plain = numbers(values, path)
    if plain.ndim == 2 and plain.shape[1] % 2 and plain.shape[1] % 3:
        raise DatasetError(f"{path}: expected keypoints of shape (frames, joints, 2 or 3), found {plain.shape}")
    if plain.ndim == 4 and len(plain) == 1 and plain.shape[1] > 1 and not people_first:
        plain = plain[0]  # a batch of one video
    several = plain.ndim == 4
    if several and not people_first and plain.shape[1] == 1 and plain.shape[-1] in (2, 3):
        plain, several = plain[:, 0], False
    points = points_of(plain, path, 4 if several else 3)
    if scores is not None:
        certain = numbers(scores, path)
        certain = certain[..., 0] if certain.ndim == points.ndim and certain.shape[-1] else certain
        if certain.shape != points.shape[:-1]:
            raise DatasetError(f"{path}: expected 'confidence' of shape {points.shape[:-1]} as keypoints has, found {certain.shape}")
        points[..., 2] = certain
    if not several:
        count = len(points)
        return Detections(np.arange(count), points, [""] * count, count, "", **_kept(about))
    points = points.swapaxes(0, 1) if people_first else points
    count, people = points.shape[:2]
    rows = np.repeat(np.arange(count), people)
    return Detections(rows, points.reshape(-1, *points.shape[2:]), [""] * len(rows), count, "", **_kept(about))


def _kept(about: Mapping[str, Any]) -> dict[str, Any]:
    return {key: about[key] for key in ("fps", "width", "height", "layout") if key in about}


def _item(value: Any) -> Any:
    return np.asarray(value).item() if np.asarray(value).ndim == 0 else None


def _videopose3d(arrays: Mapping[str, Any], path: Path) -> Detections:
    """Return the keypoints of the one video in VideoPose3D's file: positions_2d by video, by action, by camera."""
    found: dict[str, Any] = {}
    for video, actions in arrays["positions_2d"].items():
        for action, cameras in actions.items() if isinstance(actions, Mapping) else (("", actions),):
            several = isinstance(cameras, list | tuple)
            for number, camera in enumerate(cameras if several else [cameras]):
                tail = f" camera {number}" if several and len(cameras) > 1 else ""
                found[" ".join(filter(None, [str(video), str(action) if action != "custom" else ""])) + tail] = (video, camera)
    if len(found) != 1:
        raise DatasetError(
            f"{path}: expected the keypoints of one video, found {len(found)}: {', '.join(list(found)[:4])}{', ...' if len(found) > 4 else ''}; "
            "save the one to be lifted as an npz file with the array keypoints"
        )
    video, values = next(iter(found.values()))
    meta = arrays.get("metadata") if isinstance(arrays.get("metadata"), Mapping) else {}
    assert isinstance(meta, Mapping)
    videos = meta.get("video_metadata")
    sizes = videos.get(video) if isinstance(videos, Mapping) else None
    about = stated(sizes) if isinstance(sizes, Mapping) else {}
    detections = of_array(values, None, about, path)
    detections.tool = "VideoPose3D"
    detections.likely = tuple(filter(None, [ALIASES.get(str(meta.get("layout_name", "coco")).lower())]))
    return detections


def _listed(item: Any, path: Path) -> Any:
    """Return a list or an array with a first dimension."""
    if isinstance(item, list | tuple) or (isinstance(item, np.ndarray) and item.ndim):
        return item
    raise DatasetError(f"{path}: expected Detectron2's keypoints: people by classes by frames, found {quoted(item)}")


def _detectron2(arrays: Mapping[str, Any], path: Path) -> Detections:
    """Return detections of VideoPose3D's ``infer_video_d2.py``: for each frame, for each class, people (n, 4, 17): x, y, logit, probability."""
    rows: list[int] = []
    people: list[Array] = []
    frames = _listed(arrays["keypoints"], path)
    for row, frame in enumerate(frames):
        classes = _listed(frame, path)
        found = numbers(classes[-1], path) if len(classes) else np.empty(0)
        if found.size and (found.ndim != 3 or found.shape[1] not in (3, 4)):
            raise DatasetError(f"{path}: expected Detectron2's keypoints (people, 4, joints) in frame {row}, found {found.shape}")
        if found.size:
            rows += [row] * len(found)
            people += [person[[0, 1, -1]].T for person in found]
    if not rows:
        raise DatasetError(f"{path}: expected keypoints with a confidence above 0, found none in {len(frames)} frames")
    if len({len(person) for person in people}) > 1:
        raise DatasetError(f"{path}: expected people with the same number of joints in every frame, found others in some")
    meta = arrays.get("metadata")
    about = {"width": meta.get("w"), "height": meta.get("h")} if isinstance(meta, Mapping) else {}
    return Detections(np.array(rows), np.stack(people), [""] * len(rows), len(frames), "Detectron2", ("coco17",), **_kept(about))
