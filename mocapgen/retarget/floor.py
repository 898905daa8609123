"""Where a motion's floor is, and how to bring it to y = 0.

Capture volumes are not always levelled, and converters move figures up or down: feet of one BVH flavour of CMU walk 8 cm above
y = 0. Feet that float are never planted and never rest on the avatar's floor.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mocapgen.anatomy.tables import CONTACT_POINTS, SIDES
from mocapgen.core.motion import Array, Motion
from mocapgen.retarget.contacts import speeds
from mocapgen.retarget.posed import Posed

FOOT_HEIGHT = 0.03
"""Metres: how high the lowest joint of a foot (ball or tip of the toes) is while it rests; the median of HDM05's cuts, whose floor is
known to be y = 0."""
TOLERANCE = 0.035
"""Metres: a floor that is no further off is left alone; 95 % of HDM05's cuts are nearer."""
FURTHEST = 0.15
"""Metres: feet that rest further from y = 0 may well stand on something, so they are left alone, too."""
_RESTING = 0.3  # metres per second: the lowest point of both feet is carried by something below this
_FEWEST = 0.1  # of all frames: with fewer at rest the floor is not known


def resting_height(posed: Posed) -> float | None:
    """Return the height at which feet rest.

    Parameters
    ----------
    posed : Posed

    Returns
    -------
    float or None
        Metres above y = 0: the median, over the frames in which the lowest point of both feet is at rest, of its height. None if
        there are hardly any.
    """
    points = [side + point for side in SIDES for point in CONTACT_POINTS if side + point in posed.roles.joints]
    paths = np.stack([posed.position(point) for point in points], axis=1)
    lowest = paths[..., 1].argmin(axis=1)
    frames = np.arange(len(paths))
    resting = speeds(paths, posed.motion.fps)[frames, lowest] < _RESTING
    if resting.mean() < _FEWEST:
        return None
    heights: Array = paths[frames, lowest, 1][resting]
    return float(np.median(heights))


def level_floor(posed: Posed) -> tuple[Motion, str]:
    """Move a motion up or down so that its feet rest on y = 0, where they rest near it.

    Parameters
    ----------
    posed : Posed

    Returns
    -------
    motion : Motion
        The same one if the floor is where it should be, or if it cannot be told.
    note : str
        What was found and done, in one line; empty if there is nothing to say.
    """
    height = resting_height(posed)
    if height is None:
        return posed.motion, "feet hardly ever rest: the floor is taken to be at y = 0"
    off = height - FOOT_HEIGHT
    if abs(off) <= TOLERANCE:
        return posed.motion, ""
    if abs(off) > FURTHEST:
        return posed.motion, f"feet rest at y = {100 * height:.0f} cm: left there, as they may stand on something"
    moved = replace(posed.motion, root_positions=posed.motion.root_positions - [0.0, off, 0.0])
    return moved, f"feet rest at y = {100 * height:.0f} cm: moved {'down' if off > 0 else 'up'} by {100 * abs(off):.0f} cm to stand on the floor"
