"""AlphaPose, and detectors with the fields of COCO's results: a JSON list of people, each with ``image_id`` and flat ``keypoints``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.predict.keypoints.people import follow_one


def recognises(content: Any) -> bool:
    """Return whether this is a list of people."""
    return isinstance(content, Sequence) and bool(content) and all(isinstance(item, Mapping) and "keypoints" in item for item in content)


def read(content: Sequence[Mapping[str, Any]], path: Path) -> dict[str, Any]:
    """Return the keypoints, (T, K, 3), of one person; frames in the order of their numbers."""
    by_frame: dict[str, list[Any]] = {}
    for item in content:
        by_frame.setdefault(str(item.get("image_id", item.get("frame_id", ""))), []).append(item["keypoints"])
    order = sorted(by_frame, key=lambda key: (len(key), key))  # 2.jpg comes before 10.jpg
    return {"keypoints": follow_one([by_frame[key] for key in order], path)}
