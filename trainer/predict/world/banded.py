"""Penalised least squares along time: smoothing without lag, and paths that follow from many weak observations."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solveh_banded

from trainer.predict.tracks import Array

DIFFERENCES: dict[int, Array] = {1: np.array([-1.0, 1.0]), 2: np.array([1.0, -2.0, 1.0]), 3: np.array([-1.0, 3.0, -3.0, 1.0])}
"""Coefficients of the differences of a series, by their order."""


def penalised(values: Array, weight: Array, penalty: Array, order: int) -> Array:
    """Return the series x that minimise the sum of weight (x - values)² and of penalty (difference of x)².

    With constant weights it is the smoothing of Whittaker (Proceedings of the Edinburgh Mathematical Society 41:63, 1923): zero phase, the ends
    included. A wave of f periods a frame keeps 1 / (1 + penalty / weight · (2 sin πf)^(2 order)) of its amplitude.

    Parameters
    ----------
    values : (T, N, C) float
        N series of C components.
    weight : (T, N) float
        At least 0; above 0 in `order` frames of every series.
    penalty : (T - order, N) float
        Above 0.
    order : {1, 2, 3}
        Of the difference that is penalised.

    Returns
    -------
    (T, N, C) float64
    """
    frames, series, components = values.shape
    if frames <= order:
        return np.array(values, dtype=np.float64)
    bands = np.zeros((order + 1, series, frames))
    bands[0] = weight.T
    add_differences(bands, penalty.T, DIFFERENCES[order])
    right = (values * weight[..., None]).transpose(1, 0, 2).reshape(series * frames, components)
    solved = solveh_banded(bands.reshape(order + 1, series * frames), right, lower=True, overwrite_ab=True, overwrite_b=True, check_finite=False)
    return np.ascontiguousarray(solved.reshape(series, frames, components).transpose(1, 0, 2))


def add_differences(bands: Array, penalty: Array, coefficients: Array, stride: int = 1) -> None:
    """Add penalty (sum over k of coefficients[k] x[i + k])² for every i to the normal equations of x, in the lower banded form of LAPACK.

    Parameters
    ----------
    bands : (D, ..., T) float
        ``bands[stride * (a - b), ..., i + b]`` is changed in place.
    penalty : (..., T - K + 1) float
    coefficients : (K,) float
    stride : int
        Unknowns from one frame to the next.
    """
    count = penalty.shape[-1]
    for first, one in enumerate(coefficients):
        for second, other in enumerate(coefficients[: first + 1]):
            bands[stride * (first - second), ..., second : second + count] += penalty * one * other


def huber(residual: Array, limit: Array | float) -> Array:
    """Return the weights of Huber's estimator: 1 up to the limit, and limit / residual beyond (Robust Estimation of a Location Parameter, 1964)."""
    return np.asarray(limit / np.maximum(np.abs(residual), limit))
