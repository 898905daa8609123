"""HDF5 files of DeepLabCut (pandas) and SLEAP (analysis); joints by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.hdf5 import open_untrusted
from mocapgen.shared.hdf5_walk import UNREADABLE
from mocapgen.shared.pickled_arrays import load_pickle
from mocapgen.shared.room import Room
from mocapgen.shared.text import one_line
from schemas.errors import DatasetError
from trainer.predict.keypoints.content import Hdf5
from trainer.predict.keypoints.detections import Detections
from trainer.predict.keypoints.names import require_person
from trainer.predict.keypoints.tables import of_labels

_POINT = 24
_MOST_POINTS = 2**27
"""Bytes of all points, 24 each, that are always believed; of files of more than 8 MB, 16 times as many as they have."""


def read(content: Hdf5, path: Path) -> Detections:
    """Return the detections in an HDF5 file.

    Raises
    ------
    DatasetError
        If it is neither DeepLabCut's nor SLEAP's, or damaged, or its joints are of no human body.
    """
    try:
        with open_untrusted(content.path, "keypoints in HDF5") as file:
            if "tracks" in file and "node_names" in file:
                return _sleap(file, path)
            for group in file.values():
                if isinstance(group, h5py.Group) and ("table" in group or "block0_values" in group):
                    return _deeplabcut(group, path)
            found = ", ".join(list(file)[:5]) or "nothing"
    except (*UNREADABLE, IndexError, MemoryError) as error:  # what another program's file holds is looked at as it is used
        raise DatasetError(one_line(str(path), f"expected keypoints of DeepLabCut or SLEAP in HDF5, found: {error}")) from None
    advice = "; SLEAP's projects have to be exported: `sleap-convert --format analysis`" if path.suffix.lower() == ".slp" else ""
    raise DatasetError(one_line(str(path), f"expected keypoints of DeepLabCut or SLEAP in HDF5, found {found}", advice))


def is_foreign(path: Path) -> bool:
    """Return whether an HDF5 file is none of the project's."""
    try:
        with open_untrusted(path, "an HDF5 file", damaged=True) as file:
            return "format" not in file.attrs and "sequences" not in file and len(file) > 0
    except (*UNREADABLE, DatasetError):
        return False


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _numbers(values: Any) -> NDArray[np.float64]:
    found = np.asarray(values)
    if found.dtype.kind not in "fiu":
        raise TypeError(f"expected numbers, found {found.dtype}")
    return found.astype(np.float64, copy=False)


def _sleap(file: h5py.File, path: Path) -> Detections:
    """Return detections of SLEAP's analysis: tracks (people, 2, joints, frames), as h5py shows them."""
    tracks = file["tracks"][()]
    names = [_text(name) for name in file["node_names"][()]]
    if tracks.ndim != 4 or tracks.dtype.kind not in "fiu" or 2 not in (tracks.shape[1], tracks.shape[-1]):
        raise DatasetError(one_line(str(path), f"/tracks: expected (people, 2, joints, frames) numbers, found {tracks.dtype} {tracks.shape}"))
    if tracks.shape[1] != 2 or (tracks.shape[2] != len(names) and tracks.shape[1] == len(names)):
        tracks = tracks.transpose(3, 2, 1, 0)
    people, _, joints, frames = tracks.shape
    if joints != len(names):
        raise DatasetError(one_line(str(path), f"/tracks: expected {len(names)} joints as in node_names, found {tracks.shape}"))
    which, when = np.nonzero(np.isfinite(tracks[:, 0]).any(axis=1))
    if len(which) * joints * _POINT > max(
        _MOST_POINTS, 16 * Path(file.filename).stat().st_size
    ):  # most of the tracks are empty in most frames, but never all full
        raise DatasetError(one_line(str(path), f"/tracks: expected fewer joints that are seen, found {len(which) * joints:,} in a small file"))
    points = np.ones((len(which), joints, 3))
    points[..., :2] = tracks.transpose(0, 3, 2, 1)[which, when]
    if "point_scores" in file:
        scores = _numbers(file["point_scores"][()])
        scores = scores if scores.shape == (people, joints, frames) else scores.T
        if scores.shape == (people, joints, frames):
            points[..., 2] = scores.transpose(0, 2, 1)[which, when]
    tracked = [_text(name) for name in file["track_names"][()]] if "track_names" in file else []
    ids = [tracked[person] if person < len(tracked) else str(person) for person in which]
    return Detections(when.astype(np.int64), points, ids, frames, "SLEAP", names=require_person(names, path))


def _deeplabcut(group: h5py.Group, path: Path) -> Detections:
    """Return detections of a pandas table with the columns scorer, (individuals,) bodyparts, coords."""
    if "table" in group:
        table = group["table"]
        values = _numbers(table["values_block_0"])
        keys = [_text(key) if isinstance(key, bytes) else key for key in table["index"].tolist()]
        kinds = np.asarray(table.attrs["values_block_0_kind"]).tobytes()
        columns = load_pickle(kinds, Room(path, len(kinds)))
    else:
        values = _numbers(group["block0_values"])
        levels = [[_text(name) for name in group[f"axis0_level{level}"][()]] for level in range(int(group.attrs["axis0_nlevels"]))]
        labels = [group[f"axis0_label{level}"][()] for level in range(len(levels))]
        columns = [tuple(levels[level][label] for level, label in enumerate(place)) for place in zip(*labels, strict=True)]
        keys = (
            [_text(key) if isinstance(key, bytes) else key for key in group["axis1"][()].tolist()] if "axis1" in group else list(range(len(values)))
        )
    found = [tuple(_text(part) for part in column) for column in columns]
    if len(found) != values.shape[1] or not all(len(column) in (3, 4) for column in found):
        raise DatasetError(f"{path}: expected DeepLabCut's columns (scorer, bodyparts, coords), found {str(found[:1])[:60]}")
    return of_labels([(column[1] if len(column) == 4 else "", *column[-2:]) for column in found], values, keys, path)
