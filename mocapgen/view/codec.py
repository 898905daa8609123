"""Encode positions as compact text, quantised to a given step; ``assets/codec.js`` decodes it.

Motion is smooth and bones are short, so what is stored of a joint is where it is relative to its parent, and of that the second difference
along time: small numbers around zero. Their bytes are put side by side by significance, deflated, and written in base64.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = -(2**31)
"""Stands for NaN and infinity."""
LIMIT = 2**30
"""Numbers beyond are cut off here, in steps: a million kilometres from where a person can be."""


def quantise(values: NDArray[Any], step: float) -> NDArray[np.int32]:
    """Return numbers as multiples of `step`: int32 of the same shape, `MISSING` for what is not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        whole = np.rint(np.asarray(values, dtype=np.float64) / step)
        return np.where(np.isfinite(values), np.clip(whole, -LIMIT, LIMIT), MISSING).astype(np.int64).astype(np.int32)


def dequantise(whole: NDArray[np.int32], step: float) -> NDArray[np.float64]:
    """Undo :func:`quantise`: float64, NaN for `MISSING`."""
    return np.where(whole == MISSING, np.nan, whole * step)


def encode(whole: NDArray[np.int32], parents: Sequence[int]) -> str:
    """Write the positions of joints.

    Parameters
    ----------
    whole : (T, J, D) int32
    parents : sequence of J int
        Joints that are stored relative to an earlier one; a parent below 0 or behind its child is left aside.

    Returns
    -------
    str
        Base64, without line breaks.
    """
    values = np.asarray(whole, dtype=np.int32).view(np.uint32)  # differences wrap around, so every value is exact
    relative = values.copy()
    for joint, parent in enumerate(parents):
        if 0 <= parent < joint:
            relative[:, joint] -= values[:, parent]
    series = relative.reshape(len(values), -1).T  # a row per joint and axis
    second = np.diff(np.diff(series, axis=1, prepend=np.uint32(0)), axis=1, prepend=np.uint32(0)).view(np.int32)
    folded = ((second << 1) ^ (second >> 31)).astype("<i4")  # 0, -1, 1, -2, ... to 0, 1, 2, 3, ...
    planes = np.ascontiguousarray(folded).view(np.uint8).reshape(-1, 4).T
    return base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode("ascii")
