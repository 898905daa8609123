"""A person in a part of a video, in the making."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from trainer.predict.tracks import Array, Flags


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a video in which a person is seen without a gap; T frames.

    Parameters
    ----------
    positions : (T, J, 3) float64, metres, camera frame
        Of the model; anywhere before the camera.
    pixels : (T, J, 2) float64
        Of the detector; anything finite where `confidence` is 0.
    confidence : (T, J) float64
        0 where a joint is not seen.
    placed : bool
        The model says where the person is, so that their path does not follow from the pixels.
    """

    positions: Array
    pixels: Array
    confidence: Array
    placed: bool = False


@dataclass(eq=False)
class Track:
    """A piece on its way into the world. Axes: x right, y up, z forward, from the camera; whatever the file's camera frame.

    Parameters
    ----------
    relative : (T, J, 3) float64, metres
        Relative to the root.
    root : (T, 3) float64, metres
    rays : (T, J, 2) float64
        Through the pixels: (x, y) at z = 1.
    confidence : (T, J) float64
    given : (T, 3) float64, metres, or None
        Path of the root that the model says.
    contacts : (T, P) bool
        Where the soles of the feet are planted.
    seen : (T, P, 2) float64
        Rays of the soles, smoothed; NaN where they are not seen.
    """

    relative: Array
    root: Array
    rays: Array
    confidence: Array
    given: Array | None = None
    contacts: Flags = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))
    seen: Array = field(default_factory=lambda: np.zeros((0, 0, 2)))

    @property
    def positions(self) -> Array:
        """Positions, (T, J, 3) float64, metres."""
        return np.asarray(self.relative + self.root[:, None])

    def points(self, joints: Sequence[int]) -> Array:
        """Return positions of some joints, (T, N, 3) float64, metres."""
        return np.asarray(self.relative[:, list(joints)] + self.root[:, None])

    def scale(self, factor: float) -> None:
        """Make the person larger, and farther away, so that they look the same."""
        self.relative = self.relative * factor
        self.root = self.root * factor
        self.given = None if self.given is None else self.given * factor

    def __len__(self) -> int:
        return len(self.relative)


def track_of(piece: Piece, root: int, intrinsics: Array) -> Track:
    """Return a piece in the axes of a track.

    Parameters
    ----------
    piece : Piece
    root : int
        Joint.
    intrinsics : (4,), pixels
        fx, fy, cx, cy; fy is below 0 where y points up.
    """
    flip = np.array([1.0, -np.sign(intrinsics[1]), 1.0])
    positions = piece.positions * flip
    rays = (piece.pixels - intrinsics[2:]) / intrinsics[:2] * flip[:2]
    start = positions[:, root].copy()
    return Track(positions - start[:, None], start, rays, piece.confidence, start if piece.placed else None)
