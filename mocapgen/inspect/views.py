"""What checks look at: one sequence with what is derived from it on request, and the dataset as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.motion import Array, Skeleton
from mocapgen.store.reader import Dataset, Row
from schemas.inspection import Finding

if TYPE_CHECKING:
    from mocapgen.inspect.gather import Gathered


class SequenceView:
    """One sequence.

    Parameters
    ----------
    row : Row
    skeleton : Skeleton
        The avatar's, in body axes of the file's handedness.
    fps : float
    """

    def __init__(self, row: Row, skeleton: Skeleton, fps: float) -> None:
        self.row = row
        self.skeleton = skeleton
        self.fps = fps

    @cached_property
    def positions(self) -> Array:
        """(T, J, 3) float64, metres, camera frame."""
        return self.row["positions_3d"].astype(np.float64)

    @cached_property
    def pixels(self) -> Array:
        """(T, J, 2) float64, pixels."""
        return self.row["positions_2d"].astype(np.float64)

    @cached_property
    def world(self) -> Array:
        """(T, J, 3) float64, metres, world frame: y up, floor at y = 0."""
        camera = self.row.camera
        return (self.positions - camera.t) @ camera.R  # R is orthonormal: its inverse is its transpose

    @cached_property
    def velocities(self) -> Array:
        """(T - 1, J, 3) m/s, world frame."""
        return np.diff(self.world, axis=0) * self.fps

    def joint(self, name: str) -> int:
        """Return the place of a joint among J."""
        return self.skeleton.names.index(name)

    def finding(self, message: str, *, frame: int | None = None, joint: str = "", value: float | None = None, where: str = "") -> Finding:
        """Return a finding in this sequence; check id and severity are filled in by whoever runs the check."""
        clip = str(self.row.clip["id"])
        return Finding(
            check="",
            severity="info",
            message=message,
            where=where,
            sequence=self.row.number,
            clip=clip,
            avatar=self.row.avatar,
            frame=None if frame is None else int(frame),
            joint=joint,
            value=None if value is None else float(value),
        )


class DatasetView:
    """The dataset as a whole.

    Parameters
    ----------
    data : Dataset
    gathered : dict of int to Gathered
        What was gathered from the sequences that could be read, by row of ``/sequences``.
    sides : dict of str to str
        Side of a split by name of the sequence (see :meth:`name`); empty if no split was given.
    """

    def __init__(self, data: Dataset, gathered: Mapping[int, Gathered], sides: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.gathered = gathered
        self.sides = sides or {}

    def finding(self, message: str, *, sequence: int | None = None, clip: str = "", value: float | None = None, where: str = "") -> Finding:
        """Return a finding; check id and severity are filled in by whoever runs the check."""
        number = None if sequence is None else int(sequence)
        avatar = "" if number is None else str(self.sequences["avatar"][number])
        amount = float(value) if value is not None and np.isfinite(value) else None
        return Finding(check="", severity="info", message=message, where=where, sequence=number, clip=clip, avatar=avatar, value=amount)

    @property
    def sequences(self) -> dict[str, NDArray[Any]]:
        """The table of sequences, by column."""
        return self.data.sequences

    @property
    def clips(self) -> dict[str, NDArray[Any]]:
        """The table of clips, by column."""
        return self.data.clips

    def column(self, name: str) -> Array:
        """Return a number that was gathered from each sequence, such as ``azimuth``: (S,) float64, NaN where it could not be."""
        values = (getattr(self.gathered[row], name) if row in self.gathered else np.nan for row in range(len(self.sequences["start"])))
        return np.fromiter(values, dtype=np.float64)

    @cached_property
    def recordings(self) -> NDArray[Any]:
        """(C,) str: the recording that each clip was cut from; windows of one recording share it."""
        return recordings(self.clips)

    def name(self, sequence: int) -> str:
        """Return what a person calls a sequence, and a run's ``split.json``: clip, avatar, camera."""
        row = {key: column[sequence] for key, column in self.sequences.items()}
        return f"{self.clips['id'][row['clip']]} / {row['avatar']} / {self.data.cameras[row['camera']].rig}"


def recordings(clips: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return the recording that each row of ``/clips`` was cut from, (C,) str: windows of one recording share source and file."""
    return np.array([f"{source}:{file}" for source, file in zip(clips["source"], clips["file"], strict=True)], dtype=object)
