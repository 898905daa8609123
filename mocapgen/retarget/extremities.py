"""What toes, nose and ears say about feet, legs and head, where detectors see them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mocapgen.anatomy.tables import SIDES
from mocapgen.core.motion import Array, Skeleton
from mocapgen.core.rotation import multiply, rotate
from mocapgen.core.vectors import across, cross, dot, norms, unit
from mocapgen.retarget.directions import about, aimed, directions, rest_offset, steady, turn_about

TOES = ("LeftToesEnd", "RightToesEnd")
NOSE, EARS = "nose", ("left_ear", "right_ear")
EXTREMITIES = (*TOES, NOSE, *EARS)
"""Points that are followed besides the joints, if they are given; toes and ears on both sides."""

_FURTHEST = 1.75
"""Radians: no head turns further on its trunk."""
_HOLD = 0.07
"""Seconds over which the head's turn is smoothed."""
_AHEAD = 1e-2
"""Weight of a head that looks straight ahead, against 1 for a face that is seen whole."""
_FOOT = 0.1
"""Weight of a foot, against 1 for a knee bent to a right angle, where it is asked which way a leg is turned."""
_LEG_TO_FOOT = (0.7, 1.4)
"""Feet are not longer or shorter than this, relative to those of the avatar with legs as long."""


def given(points: Mapping[str, Array]) -> tuple[str, ...]:
    """Return which of the extremities can be used: those of which both sides are there, and the nose."""
    pairs = [joint for pair in (TOES, EARS) if all(joint in points for joint in pair) for joint in pair]
    return tuple(joint for joint in EXTREMITIES if joint in pairs or (joint == NOSE and joint in points))


def foot_size(at: Mapping[str, Array], skeleton: Skeleton, legs: float) -> float:
    """Return by what factor feet are longer than the skeleton's, the median over frames and both sides; `legs` if there are no toes."""
    if any(joint not in at for joint in TOES):
        return legs
    found = [float(np.median(norms(at[f"{side}ToesEnd"] - at[f"{side}Foot"]))) / float(norms(_foot(skeleton, side))) for side in SIDES]
    return float(np.clip(np.mean(found), _LEG_TO_FOOT[0] * legs, _LEG_TO_FOOT[1] * legs))


def hinge_by_foot(at: Mapping[str, Array], side: str, along: Array) -> Array:
    """Return the axis about which a knee would bend, (T, 3), as the foot tells: the longer the surer, 0 where the foot points along the thigh.

    Parameters
    ----------
    at : mapping of str to (T, 3) float, metres
    side : str
    along : (T, 3) float
        Direction of the thigh.
    """
    normal = cross(directions(at[f"{side}ToesEnd"] - at[f"{side}Foot"], f"{side}ToesEnd"), along)
    return _FOOT * dot(normal, normal)[:, None] ** 2 * unit(normal)


def turn_feet(at: Mapping[str, Array], skeleton: Skeleton, turned: dict[str, Array]) -> None:
    """Add the global rotations, (T, 4), of feet that point to the toes, turned by the least against the shank; nothing without toes."""
    for side in SIDES if TOES[0] in at else ():
        along = directions(at[f"{side}ToesEnd"] - at[f"{side}Foot"], f"{side}ToesEnd")
        turned[f"{side}Foot"] = aimed(turned[f"{side}LowerLeg"], _foot(skeleton, side), along)


def turn_head(at: Mapping[str, Array], skeleton: Skeleton, turned: dict[str, Array], fps: float) -> None:
    """Turn head and, half as far, neck about themselves so that the face looks where nose and ears say; nothing without them."""
    if NOSE not in at and EARS[0] not in at:
        return
    up = directions(at["HeadTop"] - at["Head"], "HeadTop")
    size = float(np.median(norms(at["HeadTop"] - at["Head"])))
    ahead = np.zeros_like(up)
    if EARS[0] in at:
        ahead = ahead + cross(at[EARS[0]] - at[EARS[1]], up)
    if NOSE in at:
        ahead = ahead + at[NOSE] - (0.5 * (at[EARS[0]] + at[EARS[1]]) if EARS[0] in at else at["Head"])
    ahead = across(ahead, up) / size
    angle = turn_about(up, rotate(turned["Head"], np.array([0.0, 0.0, 1.0])), ahead)
    turn = steady(angle, np.minimum(dot(ahead, ahead), 1.0), np.zeros(len(angle)), _AHEAD, (_HOLD * fps) ** 2)
    turn = np.clip(turn, -_FURTHEST, _FURTHEST)
    neck = unit(rotate(turned["Neck"], rest_offset(skeleton, "Head")))
    turned["Head"] = multiply(about(up, turn), turned["Head"])
    turned["Neck"] = multiply(about(neck, 0.5 * turn), turned["Neck"])


def _foot(skeleton: Skeleton, side: str) -> Array:
    """Return where the tip of a foot is from the ankle in the rest pose."""
    return rest_offset(skeleton, f"{side}Toes") + rest_offset(skeleton, f"{side}ToesEnd")
