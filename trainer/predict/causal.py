"""Smoothing in live use: frame by frame, without knowledge of later ones."""

from __future__ import annotations

import math

import numpy as np

from trainer.predict.tracks import Array

_POSE = 3.0, 8.0
"""Hz, and Hz for each m/s: the limit of a joint's filter, at rest and by its speed."""
_ACROSS = 3.0, 8.0
"""The same of the root's direction from the camera; its speed is taken at its distance."""
_DEPTH = 0.5, 0.5
"""The same of the root's distance, which follows from the person's size in the image."""
_NEAREST = 0.1
"""Metres: a root that is nearer says nothing."""
_SPEED = 2.0
"""Hz: limit of the filter of speeds."""


class _Filter:
    """The one-euro filter (Casiez, Roussel and Vogel, CHI 2012): a low pass whose limit rises with the speed."""

    def __init__(self, fps: float, least: float, rise: float) -> None:
        self._fps, self._least, self._rise = fps, least, rise
        self._last: Array | None = None

    def push(self, value: Array, unit: float = 1.0) -> Array:
        """Take the points (N, C) of a frame, `unit` metres a unit, and return them smoothed."""
        if self._last is None:
            self._last, self._velocity = np.array(value), np.zeros_like(value)
            return self._last
        self._velocity = self._velocity + _share(_SPEED, self._fps) * ((value - self._last) * self._fps - self._velocity)
        speed = unit * np.sqrt(np.einsum("nc,nc->n", self._velocity, self._velocity))
        self._last = self._last + _share(self._least + self._rise * speed, self._fps)[:, None] * (value - self._last)
        return self._last


class CausalSmoother:
    """Smooth the pose and the path of a person as they come.

    Parameters
    ----------
    fps : float
    amount : float
        0 leaves everything as it is; 1 is what was measured to be best, 2 is twice as slow.
    root : int
        Joint.
    """

    def __init__(self, fps: float, amount: float, root: int = 0) -> None:
        self._fps, self._amount, self._root = fps, amount, root
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is the first."""
        self._pose, self._across, self._depth = (
            _Filter(self._fps, least / max(self._amount, 1e-3), rise) for least, rise in (_POSE, _ACROSS, _DEPTH)
        )

    def push(self, positions: Array) -> Array:
        """Take the positions of a frame, (J, 3) metres, camera frame, and return them smoothed."""
        if not self._amount:
            return positions
        root = positions[self._root]
        if root[2] < _NEAREST:
            self.reset()
            return positions
        depth = float(self._depth.push(root[None, 2:])[0, 0])
        across = self._across.push(root[None, :2] / root[2], depth)[0]
        return np.asarray(self._pose.push(positions - root) + np.append(across, 1.0) * depth)


def smooth_causally(positions: Array, fps: float, amount: float, root: int = 0) -> Array:
    """Return positions (T, J, 3) as :class:`CausalSmoother` gives them, frame by frame."""
    smoother = CausalSmoother(fps, amount, root)
    return np.stack([smoother.push(frame) for frame in positions])


def _share(limit: Array | float, fps: float) -> Array:
    """Return by which share of the difference a first-order low pass with this limit in Hz moves in a frame."""
    step = 2.0 * math.pi * np.asarray(limit) / fps
    return np.asarray(step / (1.0 + step))
