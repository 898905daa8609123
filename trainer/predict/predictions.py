"""Write a predictions file (``schemas/predictions.py``, ``docs/predictions.md``), atomically, and with the same bytes for the same content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.disk import DiskFile
from mocapgen.shared.files import disk_errors, new_file
from mocapgen.shared.hdf5 import create_file, create_frames, write_array
from mocapgen.shared.signals import interrupts_deferred
from schemas.conventions import H36M17, file_conventions
from schemas.detectors import DETECTOR_SET
from schemas.predictions import CONVENTIONS, PREDICTIONS_FORMAT, PREDICTIONS_LAYOUT, PREDICTIONS_VERSION, PredictionAttributes
from schemas.train import ModelCard
from trainer.runs.card import versions


@dataclass(frozen=True, eq=False)
class PredictionTables:
    """What a predictions file holds but for the frames.

    Parameters
    ----------
    card : ModelCard
        Of the model; gives frame rate, joints and camera frame.
    sequences : dict
        A column of S values per array of ``/sequences``.
    cameras : dict
        A column of M values per array of ``/cameras``.
    source : dict
        What it was made from; anything that JSON can hold.
    notes : tuple of str
        What a person should know before using it, a line each; not stored.
    """

    card: ModelCard
    sequences: Mapping[str, Any]
    cameras: Mapping[str, Any]
    source: Mapping[str, Any]
    notes: tuple[str, ...] = field(default=())

    def describe(self) -> str:
        """Return in one line what there is."""
        count, frames, joints = len(self.sequences["start"]), int(np.sum(self.sequences["length"])), len(self.card.joints)
        root = "path predicted" if self.card.target == "absolute" else "placed over the keypoints"
        return f"{count:,} {'sequence' if count == 1 else 'sequences'}, {frames:,} frames at {self.card.fps:g} fps, {joints} joints; {root}"

    def columns(self) -> dict[str, Any]:
        """Return what stands in the file, by the path of its array in the layout; joint sets by their names."""
        groups = {"/sequences": self.sequences, "/cameras": self.cameras}
        groups |= {f"/joint_sets/{name}": columns for name, columns in _joint_sets(self.card).items()}
        return {f"{group}/{name}": values for group, columns in groups.items() for name, values in columns.items()}


@dataclass(frozen=True, eq=False, kw_only=True)
class PredictionArrays(PredictionTables):
    """What a predictions file holds.

    Parameters
    ----------
    positions_3d : (F, J, 3) float, metres, camera frame
    positions_2d : (F, J, 2) float, pixels
    confidence : (F, J) float
    card, sequences, cameras, source, notes
        See :class:`PredictionTables`.
    """

    positions_3d: NDArray[Any]
    positions_2d: NDArray[Any]
    confidence: NDArray[Any]

    def frames(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of the frames by name."""
        return {name: getattr(self, name) for name in ("positions_3d", "positions_2d", "confidence")}


def _joint_sets(card: ModelCard) -> dict[str, dict[str, Any]]:
    """Return the model's joints as a set, and, where its set is ``detector``, the 17 of ``h36m17`` among them as another."""
    columns = {
        "names": card.joints,
        "joints": range(len(card.joints)),
        "parents": card.parents,
        "symmetric_pairs": card.symmetric_pairs,
        "groups": card.groups,
    }
    sets = {card.joint_set: columns}
    if card.joint_set == DETECTOR_SET and set(H36M17) <= set(card.joints):
        places = [card.joints.index(name) for name in H36M17]
        among = {place: index for index, place in enumerate(places)} | {-1: -1}
        sets["h36m17"] = {
            "names": tuple(H36M17),
            "joints": places,
            "parents": [among[card.parents[place]] for place in places],
            "symmetric_pairs": [[among[left], among[right]] for left, right in card.symmetric_pairs if left in among and right in among],
            "groups": [card.groups[place] for place in places],
        }
    return sets


_FRAMES = {array.path.rpartition("/")[2]: array for array in PREDICTIONS_LAYOUT.table("/frames")}

Part = tuple[int, Mapping[str, NDArray[Any]]]
"""Frames to write: the row of the first, and the arrays by name."""


def write(path: Path, predictions: PredictionArrays, overwrite: bool = True) -> None:
    """Write a predictions file, whole or not at all.

    Raises
    ------
    DatasetError
        If the disk refuses.
    """
    write_parts(path, predictions, len(predictions.confidence), [(0, predictions.frames())], overwrite)


def write_parts(path: Path, predictions: PredictionTables, rows: int, parts: Iterable[Part], overwrite: bool = True) -> None:
    """Write a predictions file whose frames come in parts, whole or not at all.

    Parameters
    ----------
    path : Path
    predictions : PredictionTables
    rows : int
        Frames in all.
    parts : iterable of (int, mapping)
        Which together are all frames.
    overwrite : bool

    Raises
    ------
    DatasetError
        If the disk refuses; then, as after any other error, nothing is changed.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with new_file(path, overwrite) as partial, closing(DiskFile(partial)) as disk:
        with create_file(disk) as file:
            with interrupts_deferred():
                file.attrs.update(_attributes(predictions).model_dump())
                arrays = {name: create_frames(file, array, len(predictions.card.joints), rows) for name, array in _FRAMES.items()}
            for first, frames in parts:
                with interrupts_deferred():
                    for name, array in arrays.items():
                        array[first : first + len(frames[name])] = frames[name]
                disk.check()
            with interrupts_deferred():
                _write_tables(file, predictions)
        disk.sync()


def _write_tables(file: h5py.File, predictions: PredictionTables) -> None:
    columns = predictions.columns()
    for array in PREDICTIONS_LAYOUT.arrays:
        if array not in _FRAMES.values():
            for name in _joint_sets(predictions.card) if "<name>" in array.path else ("",):
                write_array(file, array, columns[array.path.replace("<name>", name)], name)


def _attributes(predictions: PredictionTables) -> PredictionAttributes:
    card = predictions.card
    said = file_conventions(card.camera_frame)
    return PredictionAttributes(
        format=PREDICTIONS_FORMAT,
        schema_version=PREDICTIONS_VERSION,
        generator=f"trainer {versions()['mocapgen']}",
        fps=card.fps,
        conventions=json.dumps({name: said[name] for name in CONVENTIONS}),
        model=card.model_dump_json(),
        root="predicted" if card.target == "absolute" else "placed",
        source=json.dumps(predictions.source),
    )
