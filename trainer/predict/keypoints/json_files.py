"""JSON of OpenPose, AlphaPose, COCO, MMPose, Ultralytics, MediaPipe and others: one file, or a folder with a file for each frame.

The words in a file tell who wrote it (:data:`TOOLS`); what is to be read is in places that :mod:`trainer.predict.keypoints.json_people` knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mocapgen.shared.room import Room
from schemas.errors import DatasetError
from trainer.predict.keypoints.archives import of_array
from trainer.predict.keypoints.arrays import Array, numbers, stack
from trainer.predict.keypoints.content import Folder, Json
from trainer.predict.keypoints.detections import Detections
from trainer.predict.keypoints.frames import rows_of, rows_of_times
from trainer.predict.keypoints.json_people import People, people_in, stated
from trainer.predict.keypoints.names import require_person
from trainer.predict.keypoints.vocabulary import Raw, person_of


class Tool(NamedTuple):
    """A program that writes keypoints.

    Parameters
    ----------
    name : str
    words : tuple of str
        Any of these keys says that the file is from it.
    layouts : tuple of str
        That it writes; the most common one first.
    shares : bool or None
        Whether points are shares of the image; None if the numbers must tell.
    """

    name: str
    words: tuple[str, ...]
    layouts: tuple[str, ...]
    shares: bool | None = None


TOOLS = (
    Tool("OpenPose", ("pose_keypoints_2d", "pose_keypoints"), ("body_25", "coco18", "mpi15", "body_25b", "body_135")),
    Tool("AlphaPose", ("bodies", "joints"), ("coco18", "mpii16")),
    Tool("MMPose", ("instance_info", "instances", "keypoint_scores"), ("coco17", "halpe26", "wholebody133", "h36m17", "mpii16")),
    Tool("MediaPipe", ("landmarks", "pose_landmarks", "poseLandmarks", "landmark"), ("mediapipe33",)),
    Tool("Ultralytics", ("class", "box"), ("coco17",)),
    Tool("AlphaPose", ("image_id", "category_id", "idx"), ("coco17", "halpe26", "halpe136", "wholebody133")),
)


def recognises_arrays(content: Any) -> bool:
    """Return whether this is the project's own JSON: an object with ``keypoints``, frame by frame, or a list of frames of numbers."""
    if isinstance(content, dict):
        return isinstance(content.get("keypoints"), list | str) or _has_people(content)
    return isinstance(content, list) and bool(content) and isinstance(content[0], list) and bool(content[0]) and not _mappings(content[0])


def _mappings(item: Any) -> bool:
    while isinstance(item, list) and item:
        item = item[0]
    return isinstance(item, dict)


def _has_people(content: Mapping[str, Any]) -> bool:
    """Return whether there are people frame by frame, as the project writes them."""
    frames = content.get("people")
    return "layout" in content and isinstance(frames, list) and bool(frames) and all(isinstance(frame, list) for frame in frames)


def read(file: Json, path: Path, fps: float | None) -> Detections:
    """Return the detections in JSON.

    Raises
    ------
    DatasetError
        If there are none, or not all have the same number of joints.
    """
    content = file.value
    if recognises_arrays(content):
        own = _of_arrays(content, path)
        if own is not None:
            return own
    found = people_in(content, file.room)
    if found is None:
        raise DatasetError(f"{path}: expected keypoints (a key 'keypoints', OpenPose's, AlphaPose's or MMPose's JSON), found {_described(content)}")
    return _detections(found, path, fps)


def _described(content: Any) -> str:
    if isinstance(content, dict) and content:
        return f"none of these but {', '.join(str(key)[:40] for key in list(content)[:5])[:80]}"
    return "none of these"


def _of_arrays(content: Any, path: Path) -> Detections | None:
    """Return the detections of the project's own JSON; None if its keypoints are those of one person in one frame of another tool."""
    about = stated(content) if isinstance(content, dict) else {}
    if isinstance(content, dict) and _has_people(content):
        people = [Raw(person, None, "") for frame in content["people"] for person in frame]
        if not people:
            raise DatasetError(f"{path}: expected keypoints with a confidence above 0, found none in {len(content['people'])} frames")
        rows = np.array([row for row, frame in enumerate(content["people"]) for _ in frame], dtype=np.int64)
        return Detections(rows, stack(people, path)[0], [""] * len(rows), len(content["people"]), **about)
    values = content["keypoints"] if isinstance(content, dict) else content
    if _mappings(values):
        return None
    plain = numbers(values, path)
    if isinstance(content, dict) and plain.ndim == 1 and len(plain) > 1:
        return None
    scores = content.get("confidence", content.get("keypoint_scores")) if isinstance(content, dict) else None
    return of_array(plain, scores, about, path)


def _detections(found: People, path: Path, fps: float | None) -> Detections:
    """Return the detections of the people in a file."""
    points, names = stack([one.person for one in found.people], path)
    rate: float | None = None
    notes: tuple[str, ...] = ()
    order = np.array([one.order for one in found.people], dtype=np.int64)
    if any(key is None for key in found.frames):
        rows = np.arange(len(found.frames))
    elif found.timed:
        rows, rate = rows_of_times(found.frames, fps or found.about.get("fps"), "ms" in found.timed.lower(), path)
    else:
        rows, notes = rows_of(found.frames, path)
    if len(found.frames) == 1 and _one_after_the_other(points):
        rows = order = np.arange(len(points))
        notes = ("people without frame numbers, each where the one before is: taken for one person, a frame each",)
    tool = next((tool for tool in TOOLS if set(tool.words) & found.words), Tool("", (), ()))
    about = {**found.about, **({"fps": rate} if rate else {})}
    return Detections(
        rows[order],
        points,
        [one.person.id for one in found.people],
        int(rows.max()) + 1,
        tool.name,
        tool.layouts,
        names=None if names is None else require_person(names, path),
        normalised=tool.shares,
        notes=notes,
        **about,
    )


def _one_after_the_other(points: Array) -> bool:
    """Return whether people in a list are in the same place, one after the other: a person in time, not a crowd."""
    if len(points) < 6:
        return False
    where = np.where(points[..., 2:] > 0, points[..., :2], np.nan)
    steps = np.abs(np.diff(where, axis=0))
    size = np.nanmax(where) - np.nanmin(where) if np.isfinite(where).any() else 0.0
    return bool(size > 0 and np.isfinite(steps).any() and np.nanmedian(steps) < 0.05 * size and np.nanpercentile(steps, 90) < 0.2 * size)


def read_folder(content: Folder, path: Path) -> Detections:
    """Return the detections in a folder with a JSON file for each frame; missing numbers are frames without anybody.

    Raises
    ------
    DatasetError
        If these are frames of several videos, or a file is of another kind.
    """
    rows, notes = rows_of([name for name, _ in content.files], path)
    people: list[Raw] = []
    places: list[int] = []
    words: set[str] = set()
    for row, (name, frame) in zip(rows.tolist(), content.files, strict=True):
        for person in _of_frame(frame, content.room, name, words):
            people.append(person)
            places.append(row)
    if not people:
        raise DatasetError(f"{path}: expected keypoints with a confidence above 0, found none in {len(content.files)} frames")
    points, names = stack(people, path)
    tool = next((tool for tool in TOOLS if set(tool.words) & words), Tool("", (), ()))
    known = None if names is None else require_person(names, path)
    return Detections(
        np.array(places),
        points,
        [person.id for person in people],
        int(rows.max()) + 1,
        tool.name,
        tool.layouts,
        names=known,
        normalised=None,
        notes=notes,
    )


def _of_frame(frame: Any, room: Room, name: str, words: set[str]) -> list[Raw]:
    """Return the people in the file of a frame."""
    path = room.path
    if isinstance(frame, dict) and isinstance(frame.get("people"), list):
        found = [person_of(person) for person in frame["people"]]
        words.update(*(list(person)[:12] for person in frame["people"][:1] if isinstance(person, dict)))
        return [person for person in found if person is not None]
    if frame is None or frame == [] or (isinstance(frame, dict) and not any(isinstance(value, list | dict) and value for value in frame.values())):
        return []
    inside = people_in(frame, room)
    if inside is None:
        raise DatasetError(f"{path / name if path.is_dir() else path}: expected OpenPose's JSON with 'people', found none")
    if len(inside.frames) > 1:
        raise DatasetError(f"{path}: expected a frame in each file, found {len(inside.frames)} in {name}; give that file alone")
    words.update(inside.words)
    return [one.person for one in inside.people]
