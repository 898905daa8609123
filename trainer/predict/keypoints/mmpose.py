"""MMPose: a JSON object with ``instance_info``, a list of frames with ``instances``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainer.predict.keypoints.people import follow_one


def recognises(content: Any) -> bool:
    """Return whether this is an object with a list of frames."""
    return isinstance(content, Mapping) and "instance_info" in content


def read(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the keypoints, (T, K, 3), of one person."""
    return {"keypoints": follow_one([_people(frame) for frame in content["instance_info"]], path)}


def _people(frame: Any) -> list[Any]:
    people = frame.get("instances", []) if isinstance(frame, Mapping) else []
    out = []
    for person in people:
        points, scores = np.asarray(person.get("keypoints", [])), np.asarray(person.get("keypoint_scores", []))
        if points.ndim == 2 and len(points) == len(scores):
            out.append(np.column_stack([points[:, :2], scores]).tolist())
    return out
