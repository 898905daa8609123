"""OpenPose: a folder of JSON files, one a frame, each with ``people`` and their flat ``pose_keypoints_2d``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas.errors import DatasetError
from trainer.predict.keypoints.people import follow_one


class OpenPoseFolder(list[tuple[Path, Any]]):
    """The JSON files of a folder in the order of their names, and what each holds."""


def recognises(content: Any) -> bool:
    """Return whether this is a folder."""
    return isinstance(content, OpenPoseFolder)


def read(content: OpenPoseFolder, path: Path) -> dict[str, Any]:
    """Return the keypoints, (T, K, 3), of one person."""
    return {"keypoints": follow_one([_people(frame, file) for file, frame in content], path)}


def _people(data: Any, path: Path) -> list[Any]:
    if not isinstance(data, Mapping) or not isinstance(data.get("people"), Sequence):
        raise DatasetError(f"{path}: expected OpenPose's JSON with 'people', found none")
    return [person.get("pose_keypoints_2d", []) if isinstance(person, Mapping) else [] for person in data["people"]]
