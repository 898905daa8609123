"""The ground: which way is up, and how far below the camera people stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.predict.tracks import Array, Flags
from trainer.predict.world.body import Body
from trainer.predict.world.contacts import slowness
from trainer.predict.world.gravity import Evidence, combined, pitch_of_balance, pitch_of_floor, standing, up_of
from trainer.predict.world.runs import run_means, runs
from trainer.predict.world.track import Track

_CERTAIN = 6
"""Frames of contact from which on a place counts fully."""
_ENOUGH = 0.3
"""Seconds of contact that show the floor's height."""
_VAGUE = math.radians(10.0)
"""A pitch that is less certain is not used."""
_STEP, _DOUBT = 0.15, 2.0
"""A sole that is higher above the lowest one by so many metres, and so many deviations of the pitch, does not stand."""
_LOWEST = 10.0
"""Percentile of the lower foot's height that is taken for the floor where no foot is planted."""


@dataclass(frozen=True, eq=False)
class Ground:
    """The ground, in the axes of a track.

    Parameters
    ----------
    up : (3,) float64
        Unit vector.
    level : float or None, metres
        Height of the floor along `up`, from the camera; None where it is not known.
    """

    up: Array
    level: float | None

    def height(self, positions: Array) -> Array:
        """Return heights above the floor, or the camera, of points (..., 3), metres."""
        return np.asarray(positions @ self.up - (self.level or 0.0))


def find_pitch(tracks: Sequence[Track], body: Body, fps: float) -> tuple[float, str]:
    """Return the camera's pitch by people's balance and the floor they walk on, radians, and a note that says what it is."""
    pieces = []
    for track in tracks:
        positions, (first, end) = track.positions, runs(feet_seen(track, body))
        pieces += [positions[begin:stop] for begin, stop in zip(first, end, strict=True)]
    balance = pitch_of_balance(pieces, body, fps)
    # Without balance nothing tells a foot that stands from one that is raised and held still.
    floor = pitch_of_floor(*_places(tracks, body, balance)) if balance else None
    evidence = {"balance": balance, "the places of feet": floor}
    found: dict[str, Evidence] = {name: one for name, one in evidence.items() if one is not None}
    pitch, deviation = combined(list(found.values())) if found else Evidence(0.0, math.inf)
    if deviation > _VAGUE:
        return 0.0, "camera: taken as level; nobody stands or walks long enough with visible feet to show its pitch (--pitch DEGREES sets it)"
    degrees = math.degrees(pitch)
    looks = f"looks {'down' if degrees >= 0 else 'up'} by {abs(degrees):.0f} degrees"
    return pitch, f"camera: {looks}, give or take {math.degrees(deviation):.0f}, by {' and '.join(found)} (--pitch DEGREES sets it)"


def find_level(tracks: Sequence[Track], body: Body, up: Array, fps: float) -> float | None:
    """Return the height of the floor along `up`, from the camera, metres; None where no foot is seen.

    That of planted feet, or of the lowest ones if none is planted.
    """
    heights = [track.points(body.soles) @ up - body.sole_heights for track in tracks]
    standing = np.concatenate([height[track.contacts] for height, track in zip(heights, tracks, strict=True)])
    if len(standing) >= _ENOUGH * fps:
        return float(np.median(standing))
    lower = np.concatenate([height[feet_seen(track, body)].min(axis=1) for height, track in zip(heights, tracks, strict=True)])
    return float(np.percentile(lower, _LOWEST)) if len(lower) else None


def feet_seen(track: Track, body: Body) -> Flags:
    """Return in which frames an ankle is seen, (T,) bool."""
    return np.asarray((track.confidence[:, [foot.ankle for foot in body.feet]] > 0.0).any(axis=1))


def _places(tracks: Sequence[Track], body: Body, balance: Evidence) -> tuple[Array, Array]:
    """Return where soles were planted, less their height, (N, 3) metres, and how certain that is, (N,); none of a raised foot that is held still."""
    points, weight = [np.zeros((0, 3))], [np.zeros(0)]
    for track in tracks:
        soles = track.points(body.soles)
        upright = standing(track.positions, body)
        low = _low(soles, body, balance)
        for place, (height, on) in enumerate(zip(body.sole_heights, (track.contacts & low).T, strict=True)):
            first, end = runs(on & upright)
            points.append(run_means(soles[:, place], slowness(soles[:, place]), first, end) - [0.0, height, 0.0])
            weight.append(np.minimum((end - first) / _CERTAIN, 1.0))
    return np.concatenate(points), np.concatenate(weight)


def _low(soles: Array, body: Body, balance: Evidence) -> Flags:
    """Return which soles may stand on the floor that the lowest one of the frame stands on, (T, P), for all pitches that balance allows."""
    height = soles @ up_of(balance.pitch) - body.sole_heights
    lowest = height.argmin(axis=1)[:, None]
    above = height - np.take_along_axis(height, lowest, axis=1)
    away = np.abs(soles[..., 2] - np.take_along_axis(soles[..., 2], lowest, axis=1))
    return np.asarray(above < _STEP + away * math.tan(_DOUBT * balance.deviation))
