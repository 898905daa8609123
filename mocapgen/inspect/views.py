"""What checks look at: one sequence with what is derived from it on request, and the dataset as a whole."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.motion import Array, Skeleton
from mocapgen.store.reader import Dataset, Row
from schemas.inspection import Finding


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
    """

    def __init__(self, data: Dataset) -> None:
        self.data = data

    def finding(self, message: str, *, sequence: int | None = None, clip: str = "", value: float | None = None, where: str = "") -> Finding:
        """Return a finding; check id and severity are filled in by whoever runs the check."""
        return Finding(check="", severity="info", message=message, where=where, sequence=sequence, clip=clip, value=value)

    @property
    def sequences(self) -> dict[str, NDArray[Any]]:
        """The table of sequences, by column."""
        return self.data.sequences
