"""Words that tools use for the same things in JSON, and what one person looks like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

FRAME = (
    *("frame", "frame_id", "frame_idx", "frame_index", "frame_number", "frame_num", "frameid", "frameindex", "framenumber", "image_id"),
    *("image_name", "imgname", "img_name", "image", "image_path", "img_path", "file_name", "filename", "file", "path"),
)
"""Keys of a frame's number or of its picture's name."""
TIME = ("timestamp_ms", "timestampms", "time_ms", "timestamp", "timestamp_s", "time", "time_s")
PEOPLE = ("people", "persons", "instances", "predictions", "detections", "poses", "bodies", "subjects", "multi_pose_landmarks")
"""Keys of the people in a frame."""
FRAMES = ("instance_info", "frames", "annotations", "data", "results", "keypoints_data", "sequence", "video", "predictions", "detections", "poses")
"""Keys of the frames, or of all detections, of a file."""
POINTS = (
    *("pose_keypoints_2d", "pose_keypoints", "keypoints", "keypoints_2d", "keypoint", "kpts", "kps", "joints", "joints_2d", "pose_2d", "body_parts"),
    *("pose_landmarks", "poselandmarks", "landmarks", "landmark", "pose", "points", "preds"),
)
"""Keys of the points of a person."""
SCORES = (
    "keypoint_scores",
    "keypoints_scores",
    "keypoint_score",
    "kp_scores",
    "kp_score",
    "keypoints_conf",
    "scores",
    "confidences",
    "visibility",
    "visible",
    "confidence",
)
ID = ("track_id", "tracking_id", "person_id", "instance_id", "idx", "id", "tid")
X, Y = ("x", "px", "x_px"), ("y", "py", "y_px")
SCORE = ("score", "visibility", "confidence", "conf", "c", "v", "likelihood", "prob", "probability", "visible", "vis", "presence", "s", "p")
NAME = ("name", "part", "bodypart", "body_part", "keypoint", "landmark", "label", "joint", "type")
SIZE = {"width": ("width", "w", "image_width", "frame_width", "img_width"), "height": ("height", "h", "image_height", "frame_height", "img_height")}
RATE = ("fps", "frame_rate", "framerate", "frames_per_second", "video_fps")


class Raw(NamedTuple):
    """A person as a file has it: points in any form, scores or None, and the tool's name for the person."""

    points: Any
    scores: Any
    id: str


_MANY = 100
_LONGEST_ID = 100


def key_of(item: Mapping[str, Any], words: tuple[str, ...]) -> str | None:
    """Return the key of a mapping that is the first of some words, upper or lower case; one whose value is None counts as absent.

    Of a mapping with very many keys, such as one of all frames, upper and lower case matter but for the first keys.
    """
    if len(item) < _MANY:
        keys = _keys_of(tuple(item), words)
    else:
        keys = (*(word for word in words if word in item), *_keys_of(tuple(islice(item, _MANY)), words))
    for key in keys:
        if item[key] is not None:
            return key
    return None


@lru_cache(maxsize=4096)
def _keys_of(keys: tuple[str, ...], words: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of some keys that are one of some words, in the order of the words."""
    lower = {str(key).lower(): key for key in reversed(keys)}
    return tuple(dict.fromkeys([word for word in words if word in keys] + [lower[word] for word in words if word in lower]))


def value_of(item: Mapping[str, Any], words: tuple[str, ...]) -> Any:
    """Return the value of the first key that is one of some words, else None."""
    key = key_of(item, words)
    return None if key is None else item[key]


def number_of(value: Any) -> float | None:
    """Return a finite number; None if it is none, or a truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def person_of(item: Any) -> Raw | None:
    """Return a person of whatever a list of people has as an item; None if there are no points in it."""
    if isinstance(item, list):
        return Raw(item, None, "") if len(item) else None
    if not isinstance(item, dict):
        return None
    points = value_of(item, POINTS)
    if isinstance(points, dict) and key_of(points, POINTS):
        points = value_of(points, POINTS)  # {"pose_landmarks": {"landmark": [...]}}
    if points is None:
        points = item if _named(item) else None
    if points is None or isinstance(points, str | int | float) or not len(points):
        return None
    scores = value_of(item, SCORES)
    return Raw(points, scores if isinstance(scores, list) else None, _id(value_of(item, ID)))


def _named(item: Mapping[str, Any]) -> bool:
    """Return whether these are points by the names of their joints: {"nose": {"x": ..., "y": ...}} or {"nose": [x, y, score]}."""
    if len(item) < 5:
        return False
    points = [value for value in item.values() if isinstance(value, dict) and key_of(value, X) and key_of(value, Y)]
    lists = [
        value for value in item.values() if isinstance(value, list) and len(value) in (2, 3, 4) and all(isinstance(n, int | float) for n in value)
    ]
    return len(points) >= 5 or len(lists) >= 10


def _id(value: Any) -> str:
    """Return the tool's name for a person as text; -1, as OpenPose writes, is none."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None or isinstance(value, list | dict) or value == -1:
        return ""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return text[:_LONGEST_ID]
