"""Which way is up: the camera's pitch, from people who keep their balance and from the floor that they walk on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trainer.predict.tracks import Array, Flags
from trainer.predict.world.banded import huber
from trainer.predict.world.body import Body
from trainer.predict.world.runs import runs

LOWEST, HIGHEST = math.radians(-40.0), math.radians(55.0)
"""Radians: pitches that are believed."""
_GRAVITY = 9.81
_STRETCHED = 0.8
"""Share of a leg's length from which on somebody stands rather than sits."""
_ROLL = math.radians(35.0)
"""A body that leans more across the image does not stand."""
_UPRIGHT = 0.5
"""Seconds for which somebody must stand."""
_BALANCE = math.radians(2.5), math.radians(5.0)
"""Standard deviation of the pitch that people's balance shows: what always remains, and what remains after one second."""
_PLANE = math.radians(1.5), 0.05
"""The same of the floor's slope: what always remains, and the deviation of a planted sole from the floor in metres."""
_PASSES = 3
"""How often the feet that stand are looked for again, each time by the pitch that was found."""
_ENDS = 8
"""Frames at either end of a stretch whose slope is the velocity there."""
_DRIFT = 0.5
"""m/s: changes of velocity over a stretch below this are noise, by the slopes of so many frames; those of fewer have more."""


class Evidence(NamedTuple):
    """A pitch, positive where the camera looks down, and its standard deviation; radians."""

    pitch: float
    deviation: float


def up_of(pitch: float) -> Array:
    """Return the vertical in the camera's axes (x right, y up, z forward), (3,)."""
    return np.array([0.0, math.cos(pitch), -math.sin(pitch)])


def pitch_of_balance(pieces: Sequence[Array], body: Body, fps: float) -> Evidence | None:
    """Return the pitch at which people keep their balance.

    Averaged over time the centre of mass is above the feet, whatever the posture. Somebody who speeds up, or runs in a circle, leans by the
    acceleration of the centre of mass over that of gravity; averaged over a stretch that is the change of velocity.

    Parameters
    ----------
    pieces : sequence of (T, J, 3) float, metres
        Camera's axes with y up.
    body : Body
    fps : float

    Returns
    -------
    Evidence or None
        None if nobody stands for half a second.
    """
    stretches = [
        positions[first:end] for positions in pieces for first, end in zip(*runs(standing(positions, body)), strict=True) if end - first >= 4
    ]
    seconds = sum(map(len, stretches)) / fps
    if seconds < _UPRIGHT:
        return None
    upright = np.concatenate(stretches)
    trunk = (upright[:, body.at("thorax")] - upright[:, body.at("pelvis")]).sum(axis=0)
    pitch = math.atan2(-trunk[2], trunk[1])  # a first guess, to tell a raised foot
    for _ in range(_PASSES):
        pitch = _balanced(stretches, body, fps, up_of(pitch))
    drift = math.hypot(*(_drift(len(positions)) for positions in stretches)) / (_GRAVITY * seconds)
    return Evidence(pitch, math.hypot(_BALANCE[0], _BALANCE[1] / math.sqrt(seconds), drift)) if LOWEST < pitch < HIGHEST else None


def _balanced(stretches: Sequence[Array], body: Body, fps: float, up: Array) -> float:
    """Return the pitch at which people keep their balance on the feet that stand by `up`; radians."""
    total = np.zeros(3)
    for positions in stretches:
        centre = body.centre_of_mass(positions)
        lean = (centre - body.support(positions, up)).sum(axis=0)
        total += lean - np.linalg.norm(lean) / len(centre) * _change_of_velocity(centre, fps) * fps / _GRAVITY
    return math.atan2(-total[2], total[1])


def pitch_of_floor(points: Array, weight: Array) -> Evidence | None:
    """Return the pitch at which the places where feet were planted are equally high.

    Parameters
    ----------
    points : (N, 3) float, metres
        Camera's axes with y up.
    weight : (N,) float
        About 1 for a place where a foot certainly stood.

    Returns
    -------
    Evidence or None
        None if there are too few places.
    """
    if len(points) < 4:
        return None
    depth, height = points[:, 2], points[:, 1]
    slope, robust = 0.0, weight
    for _ in range(8):
        middle = np.average(depth, weights=robust), np.average(height, weights=robust)
        spread = float((robust * (depth - middle[0]) ** 2).sum())
        if spread < 1e-6:
            return None
        slope = float((robust * (depth - middle[0]) * (height - middle[1])).sum()) / spread
        off = (height - middle[1] - slope * (depth - middle[0])) / math.hypot(1.0, slope)
        robust = weight * huber(off, _PLANE[1]) ** 2
    scatter = max(_PLANE[1], 1.5 * float(np.median(np.abs(off))))
    deviation = math.hypot(_PLANE[0], scatter / math.sqrt(spread))
    pitch = math.atan(slope)
    return Evidence(pitch, deviation) if LOWEST < pitch < HIGHEST else None


def combined(evidence: Sequence[Evidence]) -> Evidence:
    """Return the mean of several pieces of evidence, each weighted by how certain it is."""
    weights = [one.deviation**-2 for one in evidence]
    pitch = sum(one.pitch * weight for one, weight in zip(evidence, weights, strict=True)) / sum(weights)
    return Evidence(pitch, sum(weights) ** -0.5)


def standing(positions: Array, body: Body) -> Flags:
    """Return in which frames somebody stands, (T,): a leg is stretched, and the body is upright for some pitch that is believed."""
    stand = body.centre_of_mass(positions) - body.support(positions)
    pitch = np.arctan2(-stand[:, 2], stand[:, 1])
    roll = np.arctan2(np.abs(stand[:, 0]), np.hypot(stand[:, 1], stand[:, 2]))
    return np.asarray((body.stretched(positions) > _STRETCHED) & (pitch > LOWEST - 0.3) & (pitch < HIGHEST + 0.3) & (roll < _ROLL))


def _change_of_velocity(centre: Array, fps: float) -> Array:
    """Return by how much the velocity changes over a stretch, m/s, and nothing where that is within what is uncertain."""
    count = _end(len(centre))
    frame = np.arange(count) - 0.5 * (count - 1)
    ends = [(frame[:, None] * part).sum(axis=0) / (frame**2).sum() * fps for part in (centre[:count], centre[-count:])]
    change = (ends[1] - ends[0]) * len(centre) / max(len(centre) - count, 1)
    return np.asarray(change * (change @ change) / (change @ change + _drift(len(centre)) ** 2))


def _end(frames: int) -> int:
    return min(_ENDS, frames // 2)


def _drift(frames: int) -> float:
    """Return the standard deviation of the change of velocity over a stretch, m/s: that of the slope of a line through its ends."""
    return _DRIFT * (_ENDS / _end(frames)) ** 1.5
