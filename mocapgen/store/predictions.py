"""Read a predictions file (``schemas/predictions.py``, ``docs/predictions.md``) of any program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.cameras.camera import Camera
from mocapgen.shared.hdf5 import OpenFile, open_checked, text_attribute
from mocapgen.shared.layout import check_predictions, whole_joint_sets
from mocapgen.shared.notebook import Playable
from mocapgen.shared.text import one_line, quoted
from mocapgen.store.joint_sets import JOINT_SETS
from mocapgen.store.reader import Dataset, SequenceRow, cameras_of, open_dataset
from schemas.conventions import FILE_FORMAT, H36M17
from schemas.detectors import DETECTOR_JOINTS, DETECTOR_SET
from schemas.errors import DatasetError
from schemas.predictions import PREDICTIONS_FORMAT, PREDICTIONS_LAYOUT

_DETECTED = {name: H36M17.get(name, name) for name in DETECTOR_JOINTS} | {"left_toe": "LeftToesEnd", "right_toe": "RightToesEnd"}
"""Joint set ``detector``: the avatars' joints that its joints are."""


@dataclass(frozen=True, eq=False)
class PredictionRow(SequenceRow):
    """One predicted sequence: a :class:`~mocapgen.store.reader.SequenceRow` with a name of its own.

    ``clip`` holds ``id``, ``actor`` and ``action``; they and ``avatar`` are empty where they are not known. The arrays are
    ``positions_3d`` (T, J, 3), ``positions_2d`` (T, J, 2) and ``confidence`` (T, J).
    """

    name: str = ""


class Predictions(Playable, OpenFile):
    """A predictions file, opened for reading; a context manager, and a sequence of :class:`PredictionRow`.

    Examples
    --------
    >>> with open_predictions("pred.h5") as predictions:  # doctest: +SKIP
    ...     for row in predictions:
    ...         print(row.name, predictions.joint_names, row["positions_3d"].shape)
    """

    layout = PREDICTIONS_LAYOUT

    def __repr__(self) -> str:
        if not self.file:
            return f"<Predictions {self.path.name}: closed>"
        joints = f"{len(self.joint_names)} joints ({self.joint_set})"
        return f"<Predictions {self.path.name}: {len(self):,} sequences, {self.frames:,} frames at {self.fps:g} fps, {joints}, root {self.root}>"

    @property
    def root(self) -> str:
        """Where the root's position comes from: ``predicted`` by the model, or ``placed`` over the keypoints."""
        return text_attribute(self.file, "root") or ""

    @cached_property
    def model(self) -> dict[str, Any]:
        """The card of the model that predicted."""
        return self.json("model")

    @cached_property
    def source(self) -> dict[str, Any]:
        """What the prediction was made from, and the settings."""
        return self.json("source")

    @property
    def joint_set(self) -> str:
        """Name of the joint set of the model: the one with all joints."""
        return whole_joint_sets(self.file)[0]

    @cached_property
    def _joint_set(self) -> dict[str, NDArray[Any]]:
        return self.joint_columns(self.joint_set)

    @cached_property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the J joints in the joint set, in the order of the frame arrays: ``pelvis``, ``right_hip``, ..."""
        return tuple(str(name) for name in self._joint_set["names"][np.argsort(self._joint_set["joints"])])

    @cached_property
    def joint_parents(self) -> tuple[int, ...]:
        """Parent of each of them among the J; -1 for the root."""
        joints, parents = self._joint_set["joints"], self._joint_set["parents"]
        return tuple(-1 if parent < 0 else int(joints[parent]) for parent in parents[np.argsort(joints)])

    @cached_property
    def joints(self) -> tuple[str, ...]:
        """The joint of ``schemas.conventions.JOINT_PARENTS`` that each of them is: ``Hips``, ``RightUpperLeg``, ...; heels and face keep their names.

        Raises
        ------
        DatasetError
            If the joint set, or one of its names, is none of this project.
        """
        known = {joint_set.name: joint_set.joints for joint_set in JOINT_SETS} | {DETECTOR_SET: _DETECTED}
        if self.joint_set not in known or set(self.joint_names) - set(known[self.joint_set]):
            odd = self.joint_set if self.joint_set not in known else sorted(set(self.joint_names) - set(known[self.joint_set]))[0]
            raise DatasetError(f"{self.path}: /joint_sets: expected the joints of {' or '.join(known)}, found {odd!r}")
        return tuple(known[self.joint_set][name] for name in self.joint_names)

    @cached_property
    def cameras(self) -> tuple[Camera, ...]:
        """All cameras, in the order of the table."""
        return cameras_of(self.table("cameras"), self.camera_frame)

    def __iter__(self) -> Iterator[PredictionRow]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> PredictionRow:
        number = self.row(number)
        row = {key: column[number] for key, column in self.sequences.items()}
        clip = {"id": str(row["clip"]), "actor": str(row["actor"]), "action": str(row["action"])}
        camera = self.cameras[row["camera"]]
        return PredictionRow(number, int(row["start"]), int(row["length"]), str(row["avatar"]), clip, camera, self.reader, str(row["name"]))


def open_predictions(path: str | Path) -> Predictions:
    """Open a predictions file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Predictions
        Use it as a context manager, or close it.

    Raises
    ------
    DatasetError
        If it is missing, no HDF5 file, no predictions of this project, incomplete, or of a newer schema.
    """
    path = Path(path)
    return Predictions(path, open_checked(path, check_predictions, "a predictions file; `trainer predict` writes one"))


def open_any(path: str | Path) -> Dataset | Predictions:
    """Open a dataset file or a predictions file, whichever it is.

    Raises
    ------
    DatasetError
        As :func:`~mocapgen.store.reader.open_dataset` and :func:`open_predictions`.
    """
    found: list[str | None] = []
    path = Path(path)
    kinds = "a dataset or predictions file; `mocapgen build` and `trainer predict` write them"
    open_checked(path, lambda _, file: found.append(text_attribute(file, "format")), kinds).close()
    if found[0] not in (FILE_FORMAT, PREDICTIONS_FORMAT):
        raise DatasetError(
            one_line(str(path), f"expected the attribute format to be {FILE_FORMAT} or {PREDICTIONS_FORMAT}, found {quoted(found[0])}")
        )
    return open_predictions(path) if found[0] == PREDICTIONS_FORMAT else open_dataset(path)
