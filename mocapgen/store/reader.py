"""Read a dataset file of schema 1, written by any program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.cameras.camera import Camera
from mocapgen.core.motion import Skeleton
from mocapgen.shared.frame_reader import FrameReader
from mocapgen.shared.hdf5 import OpenFile, open_checked, read_group, text_attribute
from mocapgen.shared.layout import check_dataset
from mocapgen.shared.notebook import Playable
from schemas.conventions import END_POINTS, CameraFrame
from schemas.errors import DatasetError


@dataclass(frozen=True, eq=False)
class SequenceRow:
    """One sequence: what the tables say about it, and its frames on request.

    Parameters
    ----------
    number : int
        Row of ``/sequences``.
    start, length : int
        Rows of ``/frames``.
    avatar : str
    clip : dict
        The row of ``/clips``: ``id``, ``actor``, ``action``, ...
    camera : Camera
    """

    number: int
    start: int
    length: int
    avatar: str
    clip: dict[str, Any]
    camera: Camera
    _reader: FrameReader

    def __repr__(self) -> str:
        who = f" of {self.avatar}" if self.avatar else ""
        return f"<{type(self).__name__} {self.number}: {self.clip['id']}{who}, {self.length} frames>"

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array of ``/frames`` for this sequence: ``positions_3d`` (T, J, 3), ``quaternions`` (T, J, 4), ..."""
        return self._reader.read(name, self.start, self.length, self.number)


class Dataset(Playable, OpenFile):
    """A dataset file, opened for reading; a context manager, and a sequence of :class:`SequenceRow`.

    Examples
    --------
    >>> with open_dataset("data.h5") as data:  # doctest: +SKIP
    ...     for row in data:
    ...         print(row.clip["id"], row.avatar, row["positions_3d"].shape)
    """

    def __repr__(self) -> str:
        if not self.file:
            return f"<Dataset {self.path.name}: closed>"
        clips, avatars = len(self.clips["id"]), ", ".join(self.skeletons)
        return f"<Dataset {self.path.name}: {len(self):,} sequences of {clips:,} clips, {self.frames:,} frames at {self.fps:g} fps; {avatars}>"

    @cached_property
    def config(self) -> dict[str, Any]:
        """The settings that the file was built with."""
        return self.json("config")

    @property
    def schema_version(self) -> str:
        """Version of the schema that the file follows."""
        return text_attribute(self.file, "schema_version") or ""

    @cached_property
    def clips(self) -> dict[str, NDArray[Any]]:
        """The table of clips, by column: ``id``, ``file``, ``actor``, ``action``, ..."""
        return self.table("clips")

    @cached_property
    def cameras(self) -> tuple[Camera, ...]:
        """All cameras, in the order of the table."""
        return cameras_of(self.table("cameras"), self.camera_frame)

    @cached_property
    def skipped(self) -> dict[str, NDArray[Any]]:
        """What was found and not used, by column: ``file``, ``reason``, ``detail``."""
        return self.table("skipped")

    @cached_property
    def skeletons(self) -> dict[str, Skeleton]:
        """The avatars' skeletons, in body axes of the file's handedness."""
        return {name: self.skeleton(name) for name in self.file["/skeletons"]}

    def skeleton(self, avatar: str) -> Skeleton:
        """Return an avatar's skeleton; raises DatasetError if it is none."""
        columns = read_group(self.file, self.layout, "/skeletons/<name>", avatar)
        names = tuple(columns["names"])
        try:
            return Skeleton(names, tuple(columns["parents"].tolist()), columns["offsets"], END_POINTS & set(names))
        except ValueError as error:
            raise DatasetError(f"{self.path}: /skeletons/{avatar}: {error}") from None

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the J joints, in the order of the frame arrays."""
        return next(iter(self.skeletons.values())).names

    def joint_set(self, name: str) -> tuple[tuple[str, ...], NDArray[np.intp]]:
        """Return the names of a joint set and the joints' places among J.

        Raises
        ------
        DatasetError
            With the sets that there are.
        """
        columns = self.joint_columns(name)
        return tuple(columns["names"]), columns["joints"].astype(np.intp)

    def __iter__(self) -> Iterator[SequenceRow]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> SequenceRow:
        number = self.row(number)
        row = {key: column[number] for key, column in self.sequences.items()}
        clip = {key: column[row["clip"]] for key, column in self.clips.items()}
        return SequenceRow(number, int(row["start"]), int(row["length"]), str(row["avatar"]), clip, self.cameras[row["camera"]], self.reader)


def cameras_of(columns: dict[str, NDArray[Any]], camera_frame: CameraFrame) -> tuple[Camera, ...]:
    """Return the cameras of a table, given by column."""
    rows = zip(*(columns[key] for key in ("K", "R", "t", "width", "height", "rig")), strict=True)
    return tuple(Camera(K, R, t, int(width), int(height), camera_frame, str(rig)) for K, R, t, width, height, rig in rows)


def open_dataset(path: str | Path) -> Dataset:
    """Open a dataset file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Dataset
        Use it as a context manager, or close it.

    Raises
    ------
    DatasetError
        If it is missing, no HDF5 file, no dataset of this project, incomplete, or of a newer schema.
    """
    path = Path(path)
    return Dataset(path, open_checked(path, check_dataset))
