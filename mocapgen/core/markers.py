"""Marker trajectories: named points over time, with gaps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array


@dataclass(frozen=True, eq=False)
class Markers:
    """The markers of one person in one clip.

    Parameters
    ----------
    labels : tuple of M str
        Unique names, without the subject's prefix.
    positions : (T, M, 3) float64, metres, world frame (y up)
        NaN where a marker was not seen.
    valid : (T, M) bool
        Whether a marker was visible.
    fps : float
        Frames per second.
    name : str
        What the clip is called in messages and files.
    notes : tuple of str
        What had to be decided while reading, such as a unit that the file does not state; one sentence each.
    metres_per_unit, up : float, str
        Unit and vertical axis of the file that they were read from.

    Raises
    ------
    ValueError
        If shapes disagree, labels repeat, a valid position is not finite, there is no frame or fps is not positive.
    """

    labels: tuple[str, ...]
    positions: Array
    valid: NDArray[np.bool_]
    fps: float
    name: str = field(default="markers", compare=False)
    notes: tuple[str, ...] = ()
    metres_per_unit: float = 1.0
    up: str = "+Y"

    def __post_init__(self) -> None:
        valid = np.array(self.valid, dtype=np.bool_)
        positions = np.array(self.positions, dtype=np.float64)
        count = len(self.labels)
        if positions.ndim != 3 or positions.shape[1:] != (count, 3) or valid.shape != positions.shape[:2] or len(positions) == 0:
            raise ValueError(
                f"markers: expected positions (T, {count}, 3) and valid (T, {count}) with T > 0, found {positions.shape} and {valid.shape}"
            )
        if len(set(self.labels)) != count:
            raise ValueError(f"markers: labels repeat: {', '.join(sorted({label for label in self.labels if self.labels.count(label) > 1}))}")
        if not (np.isfinite(positions.sum(axis=-1)) | ~valid).all():
            raise ValueError("markers: expected finite numbers wherever a marker is valid")
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f"fps: expected a positive number, found {self.fps}")
        if not valid.all():
            positions[~valid] = np.nan
        for array in (positions, valid):
            array.flags.writeable = False
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "valid", valid)

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {label: index for index, label in enumerate(self.labels)}

    def __contains__(self, label: object) -> bool:
        return label in self._indices

    def index(self, label: str) -> int:
        """Return the index of a marker.

        Raises
        ------
        KeyError
            With the labels that there are.
        """
        try:
            return self._indices[label]
        except KeyError:
            raise KeyError(f"no marker {label!r}; there are {', '.join(self.labels)}") from None

    def position(self, label: str) -> Array:
        """Return where a marker goes, (T, 3) float64, metres, world frame; NaN where it was not seen."""
        return self.positions[:, self.index(label)]

    def slice(self, start: int, stop: int) -> Markers:
        """Return the frames from `start` up to, not including, `stop`."""
        return replace(self, positions=self.positions[start:stop], valid=self.valid[start:stop])
