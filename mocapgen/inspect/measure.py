"""What the charts of the report show of each sequence, measured while the checks look at it: a few numbers, so that much fits into memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.inspect.views import SequenceView

ROWS, COLUMNS = 27, 48
"""Cells of the image in which joints are counted."""
_QUICK = 95.0  # percent


@dataclass(frozen=True)
class Measured:
    """What is measured of one sequence.

    Parameters
    ----------
    frames : int
    speed : float
        Speed that 95 % of the joints' frames stay below, m/s; NaN for a single frame. Of parts of a long sequence, their mean.
    lowest, highest : float
        Least and greatest height of a joint, metres above the floor.
    travel : float
        Way of the root on the ground, metres; of parts of a long sequence, without the steps between them.
    size : float
        Height of the person in the image as a share of the image's height, mean over the frames.
    """

    frames: int
    speed: float
    lowest: float
    highest: float
    travel: float
    size: float

    def followed_by(self, other: Measured) -> Measured:
        """Return what is measured of a sequence, given that of two parts that follow each other."""
        share = other.frames / (self.frames + other.frames)
        speed = self.speed if np.isnan(other.speed) else (1.0 - share) * self.speed + share * other.speed
        return Measured(
            frames=self.frames + other.frames,
            speed=speed,
            lowest=min(self.lowest, other.lowest),
            highest=max(self.highest, other.highest),
            travel=self.travel + other.travel,
            size=(1.0 - share) * self.size + share * other.size,
        )


@dataclass
class Measurements:
    """What is measured of all sequences.

    Parameters
    ----------
    sequences : dict of int to Measured
        By row of ``/sequences``; those that cannot be read, or hold numbers that are not finite, are not in it.
    image : (27, 48) int64
        Joints' frames by where they fall in the image, top left first.
    outside : int
        Joints' frames that fall beside the image.
    """

    sequences: dict[int, Measured] = field(default_factory=dict)
    image: NDArray[np.int64] = field(default_factory=lambda: np.zeros((ROWS, COLUMNS), dtype=np.int64))
    outside: int = 0

    def add(self, number: int, view: SequenceView) -> None:
        """Measure a sequence, or the part of it that follows what has been added already.

        Raises
        ------
        DatasetError
            If its arrays cannot be read; then nothing is added.
        """
        with np.errstate(all="ignore"):
            measured, shares = measure(view), _shares(view)
        self._put(number, measured)
        inside = ((shares >= 0.0) & (shares < 1.0)).all(axis=-1)
        cells = (shares[inside] * (COLUMNS, ROWS)).astype(np.int64)
        self.image += np.bincount(cells[:, 1] * COLUMNS + cells[:, 0], minlength=ROWS * COLUMNS).reshape(ROWS, COLUMNS)
        self.outside += int(inside.size - inside.sum())

    def merge(self, other: Measurements) -> None:
        """Add what was measured of other sequences, or of parts that follow."""
        for number, measured in other.sequences.items():
            self._put(number, measured)
        self.image += other.image
        self.outside += other.outside

    def _put(self, number: int, measured: Measured) -> None:
        known = self.sequences.get(number)
        self.sequences[number] = measured if known is None else known.followed_by(measured)


def measure(view: SequenceView) -> Measured:
    """Return what is measured of a sequence, or of a part of one."""
    heights, root = view.world[..., 1], view.world[:, 0]
    steps = np.hypot(*np.diff(root[:, [0, 2]], axis=0).T)
    rows = view.pixels[..., 1]
    return Measured(
        frames=view.row.length,
        speed=float(np.percentile(view.speeds, _QUICK)) if view.speeds.size else float("nan"),
        lowest=float(heights.min()),
        highest=float(heights.max()),
        travel=float(steps.sum()),
        size=float((rows.max(axis=1) - rows.min(axis=1)).mean() / view.row.camera.height),
    )


def _shares(view: SequenceView) -> Array:
    """Return where joints are in the image, (T, J, 2): 0 to 1 from left to right and from top to bottom; what is behind the camera is nowhere."""
    shares = view.pixels / (view.row.camera.width, view.row.camera.height)
    shares[view.positions[..., 2] <= 0.0] = np.nan
    return np.asarray(shares)
