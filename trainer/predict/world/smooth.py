"""Smoothing of a pose without lag: a calm motion much, a fast one hardly."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import correlate1d, uniform_filter1d

from trainer.predict.tracks import Array
from trainer.predict.world.banded import huber, penalised

CALM = 2.25
"""Hz: a wave of this frequency keeps half of its amplitude while a joint moves calmly."""
JERK = 30.0
"""m/s³: a joint with a larger jerk moves fast, and is smoothed less."""
_POWER = 4
_WINDOW = 11.0 / 30.0
"""Seconds in which the jerk is measured."""
_NEAR = 7.0 / 30.0
"""Seconds around a frame that decide how fast a joint moves there."""


def penalty_of(frequency: float, fps: float) -> float:
    """Return the penalty of third differences at which a wave of this frequency keeps half of its amplitude, for weights of 1."""
    return float((2.0 * np.sin(np.pi * min(frequency / fps, 0.5))) ** -6)


def third_derivative(window: int) -> Array:
    """Return the weights, (window,), that give the third derivative per frame of the cubic which fits a window best (Savitzky and Golay, 1964).

    Those of ``scipy.signal.savgol_coeffs``, whose import takes as long as all others together.
    """
    frames = np.arange(window) - window // 2
    return np.asarray(6.0 * np.linalg.pinv(np.vander(frames, 4, increasing=True))[3])


def smooth(positions: Array, weight: Array, fps: float, amount: float = 1.0) -> Array:
    """Return positions smoothed along time, without lag.

    Penalised least squares (:func:`trainer.predict.world.banded.penalised`), with a penalty that falls where the motion is fast: a jump and a
    punch keep their speed, a person who stands is calm.

    Parameters
    ----------
    positions : (T, N, C) float, metres
    weight : (T, N) float
        About 1 for joints that are seen clearly, less for others; above 0.
    fps : float
    amount : float
        1 smooths as was measured to be best; twice as much halves the frequencies that are kept.

    Returns
    -------
    (T, N, C) float64, metres
    """
    return penalised(positions, weight, penalties(positions, fps, amount), 3)


def penalties(positions: Array, fps: float, amount: float = 1.0) -> Array:
    """Return the penalty of each third difference that :func:`smooth` uses, (T - 3, N) float64."""
    frames, joints = positions.shape[:2]
    calm = penalty_of(CALM / amount, fps)
    window = min(_odd(_WINDOW * fps), frames - 1 + frames % 2)
    if window < 5:
        return np.full((max(frames - 3, 0), joints), calm)
    series = np.ascontiguousarray(positions.transpose(1, 2, 0), dtype=np.float64)
    jerk = np.square(correlate1d(series, third_derivative(window) * fps**3, axis=2, mode="nearest")).sum(axis=1)
    jerk = np.sqrt(np.maximum(uniform_filter1d(jerk, _odd(_NEAR * fps), axis=1, mode="nearest"), 0.0))
    between = 0.5 * (jerk[:, 1:-2] + jerk[:, 2:-1])  # a third difference lies between its second frame and its third
    return np.asarray(calm * huber(between, JERK * amount) ** _POWER).T


def _odd(number: float) -> int:
    return 2 * max(round(0.5 * (number - 1.0)), 1) + 1
