"""From a file's units and axes to metres with y up; what the file says is held against how people are built and stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mocapgen.core.motion import Array
from schemas.errors import FormatError

METRES = {
    "m": 1.0,
    "meter": 1.0,
    "meters": 1.0,
    "metre": 1.0,
    "metres": 1.0,
    "dm": 0.1,
    "cm": 0.01,
    "mm": 0.001,
    "in": 0.0254,
    "inch": 0.0254,
    "inches": 0.0254,
    "ft": 0.3048,
}
"""Metres in a unit, by its name in lower case."""

_GUESSES = ("mm", "cm", "m")
"""Units tried where the stated one cannot be: a factor of ten apart, so at most one of them makes a person."""
BODY_HEIGHT = (0.6, 2.6)
"""Metres from head to feet along the body that are believed: from a toddler to the tallest man, with markers above the skin."""
_UPRIGHT = 0.7
"""Mean direction from feet to head, along an axis, from which on that axis is taken to be up: more than half of the clip upright."""
_FLOOR = (-0.3, 0.4)
"""Metres: where the lowest marker is, in the median, if an axis is up (floors of capture volumes are at zero)."""

# Rows: where world x (left), y (up), z come from. All are proper rotations: a file's handedness is never changed.
_TURNS = {
    "+X": np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]),
    "+Y": np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]),
    "+Z": np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]),
}
_TURNS |= {"-" + up[1]: np.diag([1.0, -1.0, -1.0]) @ turn for up, turn in tuple(_TURNS.items())}


@dataclass(frozen=True)
class Landmarks:
    """Which markers of a file show where the body's ends are: indices, none where it has no such marker."""

    head: tuple[int, ...]
    pelvis: tuple[int, ...]
    knees: tuple[int, ...]
    feet: tuple[int, ...]


@dataclass(frozen=True)
class FileAxes:
    """What a file's numbers were taken to mean."""

    metres_per_unit: float
    up: str
    """The vertical axis, such as ``+Z``."""
    notes: tuple[str, ...]
    """What was decided against or without the file's word."""


def to_world(points: Array, landmarks: Landmarks, unit: str, up: str, where: str) -> tuple[Array, FileAxes]:
    """Turn points into metres, world frame.

    Parameters
    ----------
    points : (T, M, 3) float, file units and axes
        NaN where a marker was not seen.
    landmarks : Landmarks
    unit : str
        As the file states it, empty if it does not.
    up : str
        The file's vertical axis, such as ``+Z``, empty if it does not say.
    where : str
        Name of the file, for messages.

    Returns
    -------
    positions : (T, M, 3) float64, metres, y up
    axes : FileAxes

    Raises
    ------
    FormatError
        If no unit makes the body as long as a person.
    """
    metres, notes = _metres(points, landmarks, unit, where)
    axis, more = _up(points, landmarks, up, metres)
    order, signs = np.abs(_TURNS[axis]).argmax(axis=1), _TURNS[axis].sum(axis=1)
    return points[..., order] * (signs * metres), FileAxes(metres, axis, notes + more)


def _metres(points: Array, landmarks: Landmarks, unit: str, where: str) -> tuple[float, tuple[str, ...]]:
    known = METRES.get(unit.strip().lower())
    height = _length(points, landmarks)
    if height is None:
        if known is None:
            raise FormatError(f"{where}: POINT:UNITS: expected a unit such as mm, found {unit!r}, and no markers of a whole body to tell it from")
        return known, ()
    if known is not None and BODY_HEIGHT[0] <= height * known <= BODY_HEIGHT[1]:
        return known, ()
    for guess in _GUESSES:
        if BODY_HEIGHT[0] <= height * METRES[guess] <= BODY_HEIGHT[1]:
            found = f"{unit!r}, in which the body would be {height * known:.4g} m long" if known is not None else repr(unit)
            return METRES[guess], (f"POINT:UNITS is {found}; taken for {guess}: {height * METRES[guess]:.2f} m",)
    raise FormatError(f"{where}: expected a body of {BODY_HEIGHT[0]} to {BODY_HEIGHT[1]} m, found {height:.4g} {unit or 'units'} from head to feet")


def _length(points: Array, landmarks: Landmarks) -> float | None:
    """Return the length from head over pelvis and knees to the feet, whatever the pose; None if it cannot be measured."""
    parts = [_middle(points, part) for part in (landmarks.head, landmarks.pelvis, landmarks.knees, landmarks.feet)]
    steps = [np.linalg.norm(b - a, axis=-1) for a, b in pairwise(parts)]
    found = np.sum(steps, axis=0)
    found = found[np.isfinite(found)]
    return float(np.percentile(found, 90)) if len(found) else None  # the middle of two knees comes nearest to both when they are side by side


def _up(points: Array, landmarks: Landmarks, stated: str, metres: float) -> tuple[str, tuple[str, ...]]:
    """Return the vertical axis: the stated one, unless the body stands along another one and on a floor at its zero."""
    body = _middle(points, landmarks.head) - _middle(points, landmarks.feet)
    body = body[np.isfinite(body).all(axis=-1)]
    default = stated if stated in _TURNS else "+Z"
    if len(body) == 0:
        return default, () if stated in _TURNS else ("no vertical axis is stated (POINT:Y_SCREEN); taken for +Z",)
    mean = (body / np.maximum(np.linalg.norm(body, axis=-1, keepdims=True), 1e-9)).mean(axis=0)
    seen = ("-" if mean[np.abs(mean).argmax()] < 0 else "+") + "XYZ"[np.abs(mean).argmax()]
    stands = np.abs(mean).max() >= _UPRIGHT
    if stated in _TURNS and _on_floor(points * metres, stated) and not _on_floor(points * metres, seen):
        stands = False  # somebody who lies all the time
    if seen == default or not stands:
        return default, ()
    said = f"POINT:Y_SCREEN says {stated} is up" if stated in _TURNS else "no vertical axis is stated"
    return seen, (f"{said}; the head is above the feet along {seen}, which is taken",)


def _on_floor(points: Array, axis: str) -> bool:
    heights = points @ _TURNS[axis][1]
    heights = heights[np.isfinite(heights).any(axis=1)]
    return bool(len(heights)) and _FLOOR[0] <= float(np.median(np.nanmin(heights, axis=1))) <= _FLOOR[1]


def _middle(points: Array, indices: Sequence[int]) -> Array:
    """Return the mean of some markers, (T, 3); NaN where one is missing or there are none."""
    return points[:, list(indices)].mean(axis=1) if indices else np.full((len(points), 3), np.nan)
