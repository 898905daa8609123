"""Where a motion's floor is, and how to bring it to y = 0.

Capture volumes are not always levelled, and converters move figures up or down: feet of one BVH flavour of CMU walk 8 cm above
y = 0. Feet that float are never planted and never rest on the avatar's floor.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.infer import find_roles
from mocapgen.anatomy.roles import Roles, leg_length
from mocapgen.anatomy.tables import CONTACT_POINTS, SIDES
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.retarget.contacts import speeds

FOOT_HEIGHT = 0.03
"""Metres: how high the lowest joint of a foot (ball or tip of the toes) is while it rests; the median of HDM05's cuts, whose floor is
known to be y = 0."""
TOLERANCE = 0.035
"""Metres: a floor that is no further off is left alone; 95 % of HDM05's cuts are nearer."""
FURTHEST = 0.15
"""Metres: feet that rest higher than this above y = 0 may well stand on something, so they are left alone; none rest as deep below it."""
ANKLE_HEIGHT = 0.1
"""How high an ankle is while the foot rests, in lengths of the leg: what matters where a skeleton has no toes, or has them no lower."""
LEVEL_FOOT = 0.02
"""Metres: a foot whose toes are no further below the ankle does not say where its sole is."""
SIZES = (0.75, 1.6)
"""Legs of a skeleton of an adult in lengths of the legs of whoever moved: from very tall people to children of eight."""
_STANDING = 0.7  # of the leg's length: the root's height above the lower foot from which on somebody stands
_RESTING = 0.3  # metres per second: the lowest point of both feet is carried by something below this
_FEWEST = 0.1  # of all frames: with fewer at rest the floor is not known
_LOW = 5.0  # percentile of the lowest point's height that stands for the floor where feet do not say so by resting
_STILL = 1e-3  # metres: a root that moves less says nothing about where the body is


def foot_height(skeleton: Skeleton, roles: Roles) -> float:
    """Return how high the lowest joint of a foot is while it rests, metres: :data:`FOOT_HEIGHT`, or that of the ankle in a rig without toes."""
    joints = roles.joints
    rest, drops = skeleton.rest_positions[:, 1], []
    for side in SIDES:
        ankle, *toes = (rest[skeleton.index(joints[side + point])] for point in CONTACT_POINTS if side + point in joints)
        drops.append(ankle - min(toes, default=ankle))
    drop = float(np.mean(drops))
    return FOOT_HEIGHT if drop > LEVEL_FOOT else max(FOOT_HEIGHT, ANKLE_HEIGHT * leg_length(skeleton, roles) - max(drop, 0.0))


def resting_height(motion: Motion, roles: Roles | None = None) -> float | None:
    """Return the height at which feet rest.

    Parameters
    ----------
    motion : Motion
    roles : Roles, optional
        By default those that are found.

    Returns
    -------
    float or None
        Metres above y = 0: the median, over the frames in which the lowest point of both feet is at rest, of its height. None if
        there are hardly any.
    """
    lowest, resting = _lowest_points(motion, roles or find_roles(motion.skeleton))
    if resting.mean() < _FEWEST:
        return None
    return float(np.median(lowest[resting]))


def _lowest_points(motion: Motion, roles: Roles) -> tuple[Array, NDArray[np.bool_]]:
    """Return the height of the lowest point of both feet, (T,) metres, and whether it rests."""
    points = [roles.joints[side + point] for side in SIDES for point in CONTACT_POINTS if side + point in roles.joints]
    paths = np.ascontiguousarray(forward_kinematics(motion, points))
    lowest = paths[..., 1].argmin(axis=1)
    frames = np.arange(len(paths))
    return paths[frames, lowest, 1], speeds(paths, motion.fps)[frames, lowest] < _RESTING


def path_scale(motion: Motion, roles: Roles | None = None) -> float | None:
    """Return by how much to scale the root's path for the feet to rest on y = 0, where the skeleton is not the size of the person who moved.

    Parameters
    ----------
    motion : Motion
        Whose root was recorded above a floor at y = 0.
    roles : Roles, optional
        By default those that are found.

    Returns
    -------
    float or None
        The median over the frames in which somebody stands. None if nobody ever does, or the result is outside :data:`SIZES`: the floor is
        elsewhere then.
    """
    roles = roles or find_roles(motion.skeleton)
    lowest, resting = _lowest_points(motion, roles)
    heights = motion.root_positions[:, 1]
    legs = heights - lowest  # how far the root is above the lower foot, whatever its path
    standing = resting & (legs > _STANDING * leg_length(motion.skeleton, roles)) & (heights > 0.1)
    if standing.mean() < _FEWEST:
        return None
    scale = float(np.median((legs[standing] + foot_height(motion.skeleton, roles)) / heights[standing]))
    return scale if SIZES[0] <= scale <= SIZES[1] else None


def level_floor(motion: Motion, roles: Roles | None = None) -> tuple[Motion, str]:
    """Move a motion up or down so that its feet rest on y = 0, where they rest near it.

    Parameters
    ----------
    motion : Motion
    roles : Roles, optional
        By default those that are found.

    Returns
    -------
    motion : Motion
        The same one if the floor is where it should be, or if it cannot be told.
    note : str
        What was found and done, in one line; empty if there is nothing to say.
    """
    roles = roles or find_roles(motion.skeleton)
    lowest, resting = _lowest_points(motion, roles)
    low, wanted = float(np.percentile(lowest, _LOW)), foot_height(motion.skeleton, roles)
    if len(motion) > 1 and np.ptp(motion.root_positions, axis=0).max() < _STILL:
        return _moved(motion, low - wanted, f"the root stays in one place and feet reach down to y = {100 * low:.0f} cm")
    if resting.mean() < _FEWEST:
        if low < wanted - FURTHEST:
            return _moved(motion, low - wanted, f"feet hardly ever rest and reach down to y = {100 * low:.0f} cm")
        return motion, "feet hardly ever rest: the floor is taken to be at y = 0"
    height = float(np.median(lowest[resting]))
    if height - wanted > FURTHEST:
        return motion, f"feet rest at y = {100 * height:.0f} cm: left there, as they may stand on something"
    return _moved(motion, height - wanted, f"feet rest at y = {100 * height:.0f} cm")


def _moved(motion: Motion, off: float, found: str) -> tuple[Motion, str]:
    if abs(off) <= TOLERANCE:
        return motion, ""
    moved = replace(motion, root_positions=motion.root_positions - [0.0, off, 0.0])
    return moved, f"{found}: moved {'down' if off > 0 else 'up'} by {100 * abs(off):.0f} cm to stand on the floor"
