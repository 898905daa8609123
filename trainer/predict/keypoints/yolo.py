"""Ultralytics' ``save_txt``: a file for each frame, a line for each person: class, box, then x, y and confidence of joints as shares of the image."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mocapgen.shared.text import quoted
from schemas.errors import DatasetError
from trainer.predict.keypoints.content import Folder
from trainer.predict.keypoints.detections import Detections
from trainer.predict.keypoints.frames import rows_of
from trainer.predict.keypoints.layouts import LAYOUTS

_BOX = 5
_COUNTS = sorted({len(names) for names in LAYOUTS.values()})


def read(content: Folder, path: Path) -> Detections:
    """Return the detections in a folder of text files; files for frames without people do not exist.

    Raises
    ------
    DatasetError
        If lines are of another kind.
    """
    keys, people, ids = [], [], []
    for name, text in content.files:
        for number, line in enumerate(text.splitlines(), start=1):
            cells = line.split()
            if not cells:
                continue
            where = f"{path}: {name}:{number}"
            try:
                values = [float(cell) for cell in cells]
            except ValueError:
                raise DatasetError(f"{where}: expected numbers as Ultralytics' save_txt writes, found {quoted(line[:40])}") from None
            points, person = _split(values, where)
            keys.append(name)
            people.append(points)
            ids.append(person)
    if not people:
        raise DatasetError(f"{path}: expected keypoints with a confidence above 0, found none in {len(content.files)} files")
    if len({len(points) for points in people}) != 1:
        raise DatasetError(
            f"{path}: expected people with the same number of joints in every frame, found {sorted({len(points) for points in people})}"
        )
    rows, notes = rows_of(keys, path, first=1) if len(content.files) > 1 else (np.zeros(len(keys), dtype=np.int64), ())
    return Detections(rows, np.stack(people), ids, int(rows.max()) + 1, "Ultralytics", ("coco17",), normalised=True, notes=notes)


def _split(values: list[float], where: str) -> tuple[np.ndarray, str]:
    """Return the points, (K, 3), and the id of a line: class, box (4), points, and the box's confidence and an id if they were asked for."""
    for dimensions in (3, 2):
        for extra in (0, 1, 2):
            count, rest = divmod(len(values) - _BOX - extra, dimensions)
            if rest == 0 and count in _COUNTS:
                points = np.array(values[_BOX : _BOX + dimensions * count]).reshape(count, dimensions)
                if dimensions == 2:
                    points = np.concatenate([points, np.ones((count, 1))], axis=1)
                tail = values[_BOX + dimensions * count :]
                person = str(int(tail[-1])) if tail and (extra == 2 or tail[-1] > 1) and tail[-1].is_integer() else ""
                return points, person
    raise DatasetError(f"{where}: expected Ultralytics' class, box and joints, found {len(values)} numbers")
