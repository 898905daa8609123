"""Tables of comma-separated values: MediaPipe's landmarks in their usual spellings, DeepLabCut, SLEAP, and other tables with a header."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from schemas.errors import DatasetError
from trainer.predict.keypoints.arrays import Array
from trainer.predict.keypoints.content import Table
from trainer.predict.keypoints.detections import Detections
from trainer.predict.keypoints.frames import rows_of, rows_of_times
from trainer.predict.keypoints.limits import MOST_JOINTS
from trainer.predict.keypoints.names import require_person
from trainer.predict.keypoints.vocabulary import FRAME, ID, NAME, TIME

_FIELDS = {
    **dict.fromkeys(("x", "px", "xpx"), 0),
    **dict.fromkeys(("y", "py", "ypx"), 1),
    **dict.fromkeys(("v", "c", "s", "score", "visibility", "vis", "conf", "confidence", "likelihood", "prob", "visible"), 2),
}
"""What a column holds: x, y or confidence; z, presence and others are left out."""
_ID = (*ID, "person", "track", "individual", "instance", "subject", "person_idx", "pose", "pose_id")
_JOINT = (*NAME, "landmark_id", "landmark_index", "landmark_name", "keypoint_id", "keypoint_name", "joint_name", "joint_id", "index")
_FIRST = re.compile(r"(?P<field>[a-z]+)[_.\- ]?(?P<joint>\d+)", re.IGNORECASE)
_LAST = re.compile(r"(?P<joint>.+?)[_.\- :]+(?P<field>[a-z]+)", re.IGNORECASE)
_FIRST_NAME = re.compile(r"(?P<field>[a-z]+)[_.\- :]+(?P<joint>.+)", re.IGNORECASE)


_MOST_COLUMNS = 20_000
_LONGEST_NAME = 200
"""Characters of a column's name that can mean a joint."""


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold what: for each joint x, y and confidence (-1 if there is none), and the frame and the person."""

    joints: list[str]
    places: list[list[int]]
    frame: int
    time: int
    person: int
    milliseconds: bool = False


def read(content: Table, path: Path, fps: float | None) -> Detections:
    """Return the detections in a table.

    Raises
    ------
    DatasetError
        If there is no header, or no joints in it.
    """
    mark = max(",;\t", key=content.text[:5000].count)
    lines = [line for line in content.text.splitlines() if line.strip(" ,;\t")]
    if lines[0].lower().startswith(("scorer", "bodyparts", '"scorer"')):
        _require_size(lines[0].count(mark), len(lines), len(content.text), path)
        return _deeplabcut(lines, mark, path)
    header = next(csv.reader([lines[0]], delimiter=mark))
    _require_size(len(header), len(lines), len(content.text), path)
    names = [name.strip().lstrip("#").strip() for name in header]
    columns = columns_of(names)
    body = lines[1:]
    if columns is None:
        return _long(names, body, mark, path)
    if not body:
        raise DatasetError(f"{path}: expected rows of keypoints below the header, found none")
    values = _numbers(body, mark, len(names))
    points = np.full((len(body), len(columns.joints), 3), np.nan)
    points[..., 2] = 1.0
    for joint, places in enumerate(columns.places):
        for axis, place in enumerate(places):
            if place >= 0:
                points[:, joint, axis] = values[:, place]
    keys = _column(body, mark, columns.frame)
    times = _column(body, mark, columns.time) if columns.frame < 0 and columns.time >= 0 else None
    ids = _column(body, mark, columns.person) or [""] * len(body)
    return detections(points, keys, times, ids, columns, path, fps)


def _require_size(columns: int, rows: int, size: int, path: Path) -> None:
    """Refuse a table of more cells than its text has characters, or of too many columns."""
    if columns > _MOST_COLUMNS or columns * rows > 2 * size + 1000:
        raise DatasetError(f"{path}: expected a table of at most {_MOST_COLUMNS:,} columns, the same in every row, found {rows:,} x {columns:,}")


def detections(
    points: Array, keys: list[str] | None, times: list[str] | None, ids: list[str], columns: Columns, path: Path, fps: float | None
) -> Detections:
    """Return detections of the columns of a table."""
    if {len(keys or points), len(times or points), len(ids)} != {len(points)}:
        raise DatasetError(f"{path}: expected the same cells in every row, found lines that belong together: quotation marks without an end?")
    rate: float | None = None
    notes: tuple[str, ...] = ()
    if keys is not None:
        rows, notes = rows_of([_frame_key(key) for key in keys], path)
    elif times is not None:
        rows, rate = rows_of_times(times, fps, columns.milliseconds, path)
    else:
        rows = np.arange(len(points))
    names, layout = _joints(columns.joints, path)
    normalised = None
    return Detections(
        rows, points, ids, int(rows.max()) + 1, "a table", ("mediapipe33",), layout, names, fps=rate, normalised=normalised, notes=notes
    )


def _frame_key(key: str) -> Any:
    """Return a number, or the text as it is."""
    try:
        return float(key)
    except ValueError:
        return key


def _joints(joints: list[str], path: Path) -> tuple[tuple[str, ...] | None, str | None]:
    """Return the names of joints that have some, None for numbers."""
    if all(re.fullmatch(r"\D*\d+", joint) and not re.search(r"(shoulder|hip|knee)", joint, re.IGNORECASE) for joint in joints):
        return None, None
    return require_person(joints, path), None


def columns_of(names: Sequence[str]) -> Columns | None:
    """Return which columns hold what; None if they hold no joints."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        for pattern in () if len(name) > _LONGEST_NAME else (_FIRST, _LAST, _FIRST_NAME):
            match = pattern.fullmatch(name)
            field = _FIELDS.get(match["field"].lower()) if match else None
            if match and field is not None:
                found.setdefault(match["joint"], [-1, -1, -1])[field] = place
                break
    joints = {joint: places for joint, places in found.items() if places[0] >= 0 and places[1] >= 0}
    if len(joints) < 5:
        return None
    if all(joint.isdecimal() and len(joint) < 10 for joint in joints):
        joints = dict(sorted(joints.items(), key=lambda item: int(item[0])))
    lower = [name.lower().replace(" ", "_") for name in names]
    frame = _place(lower, (*FRAME, "frame_no", "frameno", "image_file", "img", "index", ""))
    time = _place(lower, TIME)
    return Columns(list(joints), list(joints.values()), frame, time, _place(lower, _ID), time >= 0 and "ms" in lower[time])


def _place(names: Sequence[str], words: Sequence[str]) -> int:
    return next((names.index(word) for word in words if word in names), -1)


def _numbers(lines: Sequence[str], mark: str, width: int) -> Array:
    """Return the numbers of lines, (rows, columns); NaN for empty cells and words."""
    try:
        values = np.loadtxt(lines, delimiter=mark, ndmin=2, comments=None)
        if values.shape == (len(lines), width):
            return values
    except ValueError:
        pass
    out = np.full((len(lines), width), np.nan)
    for number, cells in enumerate(csv.reader(lines, delimiter=mark)):
        for place, cell in enumerate(cells[:width]):
            try:
                out[number, place] = float(cell.replace(",", ".") if mark != "," else cell)
            except ValueError:
                continue
    return out


def _column(lines: Sequence[str], mark: str, place: int) -> list[str] | None:
    """Return the cells of a column, None if there is none."""
    if place < 0:
        return None
    return [cells[place].strip() if place < len(cells) else "" for cells in csv.reader(lines, delimiter=mark)]


def _deeplabcut(lines: list[str], mark: str, path: Path) -> Detections:
    """Return detections of DeepLabCut's table, with three or four lines above the numbers."""
    rows = list(csv.reader(lines[:4], delimiter=mark))
    head = {row[0].strip().lower(): row for row in rows}
    if "bodyparts" not in head or "coords" not in head:
        raise DatasetError(f"{path}: expected DeepLabCut's lines scorer, bodyparts and coords, found {', '.join(list(head)[:4])}")
    depth = len([name for name in head if name in ("scorer", "individuals", "bodyparts", "coords")])
    columns = list(zip(*(head[name] for name in ("individuals", "bodyparts", "coords") if name in head), strict=False))
    body = lines[depth:]
    if not body:
        raise DatasetError(f"{path}: expected rows of keypoints below the header, found none")
    values = _numbers(body, mark, len(rows[0]))
    first = [cells[0] for cells in csv.reader(body, delimiter=mark)]
    labels = [("", *column) if len(column) == 2 else column for column in columns][: values.shape[1]]
    keep = [place for place, (_, part, _) in enumerate(labels) if place and part.strip()]
    names = next(csv.reader([body[0]], delimiter=mark))
    picture = next((place for place in range(len(names)) if names[place].lower().endswith((".png", ".jpg", ".jpeg"))), -1)
    keys = _column(body, mark, picture) if picture >= 0 else first
    return of_labels([labels[place] for place in keep], values[:, keep], [_frame_key(str(key)) for key in keys or []], path)


def of_labels(labels: Sequence[tuple[str, ...]], values: Array, keys: Sequence[Any], path: Path) -> Detections:
    """Return detections of columns that are labelled with individual, body part and coordinate, as DeepLabCut's.

    Raises
    ------
    DatasetError
        If these are no joints of a human body.
    """
    parts = list(dict.fromkeys(part for _, part, _ in labels))
    people = list(dict.fromkeys(person for person, _, _ in labels))
    names = require_person(parts, path)
    if len(people) * len(parts) > 4 * len(labels) or len(keys) != len(values):
        raise DatasetError(f"{path}: expected the same joints of everybody in every row, found {len(people)} people and {len(parts)} joints")
    points = np.full((len(people), len(values), len(parts), 3), np.nan)
    points[..., 2] = 1.0
    for column, (person, part, field) in zip(values.T, labels, strict=True):
        axis = _FIELDS.get(field.strip().lower())
        if axis is not None:
            points[people.index(person), :, parts.index(part), axis] = column
    rows, notes = rows_of(list(keys), path, first=0)
    there = np.isfinite(points[..., 0]).any(axis=2)
    which, when = np.nonzero(there)
    ids = [people[person] for person in which]
    return Detections(rows[when], points[there], ids, int(rows.max()) + 1, "DeepLabCut", names=names, notes=notes)


def _long(names: list[str], lines: list[str], mark: str, path: Path) -> Detections:
    """Return detections of a table with a row for each joint."""
    lower = [name.lower().replace(" ", "_") for name in names]
    x, y, joint = _place(lower, ("x", "px", "x_px")), _place(lower, ("y", "py", "y_px")), _place(lower, _JOINT)
    if min(x, y, joint) < 0:
        raise DatasetError(f"{path}: expected columns of joints (x_0, y_0, ... or nose_x, nose_y, ...), found {', '.join(names[:6])[:80]}")
    score = next((place for place, name in enumerate(lower) if _FIELDS.get(name) == 2), -1)
    frame, time, person = _place(lower, FRAME), _place(lower, TIME), _place(lower, _ID)
    cells = list(csv.reader(lines, delimiter=mark))
    values = _numbers(lines, mark, len(names))
    if len(values) != len(cells) or any(len(row) <= max(joint, frame, time, person) for row in cells):
        raise DatasetError(f"{path}: expected {len(names)} cells in every row, found fewer in some")
    joints = list(dict.fromkeys(row[joint].strip() for row in cells))
    if all(name.isdecimal() and len(name) < 10 for name in joints):
        joints.sort(key=int)
    place = {name: number for number, name in enumerate(joints)}
    when = frame if frame >= 0 else time
    if when < 0 or len(joints) < 5:
        raise DatasetError(f"{path}: expected a column 'frame' and rows for each joint, found {', '.join(names[:6])[:80]} and {len(joints)} joints")
    keys: dict[tuple[str, str], int] = {}
    index = [keys.setdefault((row[when].strip(), row[person].strip() if person >= 0 else ""), len(keys)) for row in cells]
    if len(joints) > MOST_JOINTS or len(keys) * len(joints) > 20 * len(cells) + 10_000:
        raise DatasetError(f"{path}: expected the same joints in every frame, found {len(joints):,} in {len(cells):,} rows of {len(keys):,} frames")
    points = np.full((len(keys), len(joints), 3), np.nan)
    which = [place[row[joint].strip()] for row in cells]
    points[index, which, 0], points[index, which, 1] = values[:, x], values[:, y]
    points[index, which, 2] = values[:, score] if score >= 0 else 1.0
    columns = Columns(joints, [], frame, time, person, time >= 0 and "ms" in lower[time])
    frames, ids = [key for key, _ in keys], [name for _, name in keys]
    return detections(points, frames if frame >= 0 else None, frames if frame < 0 else None, ids, columns, path, None)
