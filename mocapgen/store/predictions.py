"""Read a predictions file (``schemas/predictions.py``, ``docs/predictions.md``), whoever wrote it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.cameras.camera import Camera
from mocapgen.shared.hdf5 import OpenFile, check_arrays, check_attributes, check_joint_sets, check_kind, check_sequences, open_checked, read_array
from mocapgen.shared.notebook import Playable
from mocapgen.store.joint_sets import JOINT_SETS
from mocapgen.store.reader import Dataset, Row, cameras_of, open_dataset
from schemas.conventions import FILE_FORMAT
from schemas.errors import DatasetError
from schemas.predictions import PREDICTIONS_FORMAT, PREDICTIONS_LAYOUT, PREDICTIONS_VERSION, PredictionAttributes


@dataclass(frozen=True, eq=False)
class PredictionRow(Row):
    """One predicted sequence: a :class:`~mocapgen.store.reader.Row` with a name of its own.

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

    def __repr__(self) -> str:
        if not self.file:
            return f"<Predictions {self.path.name}: closed>"
        joints = f"{len(self.joint_names)} joints ({self.joint_set})"
        return f"<Predictions {self.path.name}: {len(self):,} sequences, {self.frames:,} frames at {self.fps:g} fps, {joints}, root {self.root}>"

    @property
    def root(self) -> str:
        """Where the root's position comes from: ``predicted`` by the model, or ``placed`` over the keypoints."""
        return str(self.file.attrs["root"])

    @cached_property
    def model(self) -> dict[str, Any]:
        """The card of the model that predicted."""
        return dict(json.loads(self.file.attrs["model"]))

    @cached_property
    def source(self) -> dict[str, Any]:
        """What the prediction was made from, and the settings."""
        return dict(json.loads(self.file.attrs["source"]))

    @property
    def joint_set(self) -> str:
        """Name of the one joint set."""
        return str(next(iter(self.file["/joint_sets"])))

    @cached_property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the J joints in the joint set, in the order of the frame arrays: ``pelvis``, ``right_hip``, ..."""
        return self._ordered("names")

    @cached_property
    def joint_parents(self) -> tuple[int, ...]:
        """Parent of each of them among the J; -1 for the root."""
        place = {joint: index for index, joint in enumerate(read_array(self.file, f"/joint_sets/{self.joint_set}/joints"))}
        parents = read_array(self.file, f"/joint_sets/{self.joint_set}/parents")
        members = read_array(self.file, f"/joint_sets/{self.joint_set}/joints")
        by_joint = [parents[place[joint]] for joint in range(len(parents))]
        return tuple(-1 if parent < 0 else int(members[parent]) for parent in by_joint)

    @cached_property
    def joints(self) -> tuple[str, ...]:
        """The joint of ``schemas.conventions.JOINT_PARENTS`` that each of them is: ``Hips``, ``RightUpperLeg``, ...

        Raises
        ------
        DatasetError
            If the joint set, or one of its names, is none of this project.
        """
        known = {joint_set.name: joint_set.joints for joint_set in JOINT_SETS}
        if self.joint_set not in known or set(self.joint_names) - set(known[self.joint_set]):
            odd = self.joint_set if self.joint_set not in known else sorted(set(self.joint_names) - set(known[self.joint_set]))[0]
            raise DatasetError(f"{self.path}: /joint_sets: expected the joints of {' or '.join(known)}, found {odd!r}")
        return tuple(known[self.joint_set][name] for name in self.joint_names)

    def _ordered(self, column: str) -> tuple[str, ...]:
        group = f"/joint_sets/{self.joint_set}"
        return tuple(str(value) for value in read_array(self.file, f"{group}/{column}")[np.argsort(read_array(self.file, f"{group}/joints"))])

    @cached_property
    def sequences(self) -> dict[str, NDArray[Any]]:
        """The table of sequences, by column: ``start``, ``length``, ``name``, ``clip``, ``actor``, ``action``, ``avatar``, ``camera``."""
        return self._table("sequences")

    @cached_property
    def cameras(self) -> tuple[Camera, ...]:
        """All cameras, in the order of the table."""
        return cameras_of(self._table("cameras"), self.camera_frame)

    def _table(self, name: str) -> dict[str, NDArray[Any]]:
        return {array.path.rpartition("/")[2]: read_array(self.file, array.path) for array in PREDICTIONS_LAYOUT.table(f"/{name}")}

    def __len__(self) -> int:
        return len(self.sequences["start"])

    def __getitem__(self, number: int) -> PredictionRow:
        if not -len(self) <= number < len(self):
            raise IndexError(f"{self.path}: expected a sequence below {len(self)}, found {number}")
        number %= len(self)
        row = {key: column[number] for key, column in self.sequences.items()}
        clip = {"id": str(row["clip"]), "actor": str(row["actor"]), "action": str(row["action"])}
        camera = self.cameras[row["camera"]]
        return PredictionRow(number, int(row["start"]), int(row["length"]), str(row["avatar"]), clip, camera, self.file, str(row["name"]))


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
    return Predictions(path, open_checked(path, _check, "a predictions file; `trainer predict` writes one"))


def _check(path: Path, file: h5py.File) -> None:
    """Check everything but the frames themselves, so that what follows can rely on it."""
    check_kind(path, file, PREDICTIONS_FORMAT, PREDICTIONS_VERSION)
    check_attributes(path, file, tuple(PredictionAttributes.model_fields), ("conventions", "model", "source"))
    if file.attrs["root"] not in ("predicted", "placed"):
        raise DatasetError(f"{path}: attribute root: expected predicted or placed, found {str(file.attrs['root'])[:40]!r}")
    check_arrays(path, file, PREDICTIONS_LAYOUT)
    check_sequences(path, file)
    joints = file["/frames/positions_3d"].shape[1]
    check_joint_sets(path, file, joints)
    sets = list(file["/joint_sets"])
    members = read_array(file, f"/joint_sets/{sets[0]}/joints")
    if len(sets) != 1 or sorted(members) != list(range(joints)):
        raise DatasetError(
            f"{path}: /joint_sets: expected one set with each of the {joints} joints, found {len(sets)} with {len(members)} in the first"
        )


def open_any(path: str | Path) -> Dataset | Predictions:
    """Open a dataset file or a predictions file, whichever it is.

    Raises
    ------
    DatasetError
        As :func:`~mocapgen.store.reader.open_dataset` and :func:`open_predictions`.
    """
    found: list[object] = []
    path = Path(path)
    kinds = "a dataset or predictions file; `mocapgen build` and `trainer predict` write them"
    open_checked(path, lambda _, file: found.append(file.attrs.get("format")), kinds).close()
    if found[0] not in (FILE_FORMAT, PREDICTIONS_FORMAT):
        raise DatasetError(f"{path}: expected the attribute format to be {FILE_FORMAT} or {PREDICTIONS_FORMAT}, found {found[0]!r}")
    return open_predictions(path) if found[0] == PREDICTIONS_FORMAT else open_dataset(path)
