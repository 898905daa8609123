"""A simple body for any skeleton: a capsule along each bone, as thick as people are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mocapgen.anatomy.infer import find_roles
from mocapgen.anatomy.names import ancestors, plain_names, roles_by_names, words
from mocapgen.core.skeleton import Array, Skeleton
from mocapgen.core.vectors import unit
from schemas.errors import RetargetError

Side = Literal["left", "right", "middle"]

_TRUNK = 0.066
_RADII = {
    "Hips": 0.062,
    "Neck": 0.030,
    "Head": 0.047,
    "HeadTop": 0.047,
    "Shoulder": 0.030,
    "UpperArm": 0.030,
    "LowerArm": 0.023,
    "Hand": 0.016,
    "HandEnd": 0.010,
    "UpperLeg": 0.050,
    "LowerLeg": 0.031,
    "Foot": 0.022,
    "Toes": 0.0145,
    "ToesEnd": 0.0083,
}
"""Radius of the body at a joint, in shares of the stature; feet are so thin that they do not sink into the floor."""
_HEAD = 0.045
"""Height of the middle of the skull above the head's joint, in shares of the stature, where nothing says where the top is."""
_WIDE = 1.35
"""How much wider than deep the trunk is."""
_WITHIN = 0.94
"""Size of a ball that hides in another of a different colour."""
_LEG = 0.489
"""Length of thigh and shank, in shares of the stature."""
_THIN, _THICK, _SLENDER = 0.003, 0.03, 0.2
"""Joints that are no known part of the body: least and largest radius, in shares of the stature, and radius in shares of the bone's length."""


@dataclass(frozen=True)
class Capsule:
    """Two balls of different sizes and what lies between them.

    Parameters
    ----------
    joint : int
        It moves with this joint.
    start, end : (3,) float, metres
        Centres of the balls in the rest pose, the root at the origin.
    radii : (float, float)
        Metres.
    side : {"left", "right", "middle"}
    across : (3,) float
        Along this direction it is stretched: the vector's length is by how much beyond 1; zero for a round one.
    """

    joint: int
    start: Array
    end: Array
    radii: tuple[float, float]
    side: Side
    across: Array


def body_capsules(skeleton: Skeleton) -> tuple[Capsule, ...]:
    """Return the body of a skeleton in its rest pose: a capsule for each bone that has a length; those of end points end where these are.

    What hangs on a person's trunk or head and leads to no known part of the body, such as the eyes, is left out.
    """
    roles = _roles(skeleton)
    stature, trunk = _stature(skeleton, roles), _trunk(roles, skeleton)
    radii = _radii(skeleton, roles, trunk, stature)
    sides, left = _sides(skeleton, roles), _left(skeleton, roles)
    rest, leaves = skeleton.rest_positions, set(range(len(skeleton.names))) - set(skeleton.parents)
    found = []
    for joint in _shown(skeleton, roles, trunk):
        parent = skeleton.parents[joint]
        length = float(np.linalg.norm(skeleton.offsets[joint]))
        if length < 1e-3 * stature:
            continue
        start, end = rest[parent], rest[joint]
        if joint in leaves:
            end = end - (end - start) * min(radii[joint] / length, 1.0)
        whole = {skeleton.names[parent], skeleton.names[joint]} <= trunk
        bridge = skeleton.names[parent] in trunk and not whole  # from the trunk to a limb: its colour, and within the limb's first ball
        radius = radii[joint] * (_WITHIN if bridge else 1.0)
        across = left * (_WIDE - 1.0) if whole else np.zeros(3)
        found.append(Capsule(parent, start, end, (radii[parent], radius), "middle" if bridge else sides[joint], across))
    if {"Head", "Neck"} <= roles.keys() and "HeadTop" not in roles:
        head, neck = skeleton.index(roles["Head"]), skeleton.index(roles["Neck"])
        up = unit(rest[head] - rest[neck]) * _HEAD * stature
        found.append(Capsule(head, rest[head], rest[head] + up, (radii[head], radii[head]), "middle", np.zeros(3)))
    return tuple(found)


def _shown(skeleton: Skeleton, roles: Mapping[str, str], trunk: set[str]) -> list[int]:
    """Return the joints whose bones are drawn."""
    known = set(roles.values())
    for name in list(known):
        known.update(ancestors(skeleton, name))
    core = trunk | {roles["Head"]} if trunk and "Head" in roles else trunk
    shown = {0}
    for joint, parent in enumerate(skeleton.parents):
        hidden = skeleton.names[parent] in core and skeleton.names[joint] not in known
        if parent in shown and not hidden:
            shown.add(joint)
    return sorted(shown - {0})


def _roles(skeleton: Skeleton) -> Mapping[str, str]:
    """Return the joint of each role that is known: in something that is no person, those whose names say so."""
    try:
        return find_roles(skeleton).joints
    except RetargetError:
        return roles_by_names(skeleton)


def _sides(skeleton: Skeleton, roles: Mapping[str, str]) -> list[Side]:
    """Return the side of each joint: by its role, its name, or the joint it hangs on."""
    plain, role_of = plain_names(frozenset(skeleton.names)), {joint: role for role, joint in roles.items()}
    sides: list[Side] = []
    for name, parent in zip(skeleton.names, skeleton.parents, strict=True):
        said = words(role_of.get(name, plain[name]))[0]
        above: Side = sides[parent] if parent >= 0 else "middle"
        sides.append("left" if said == "Left" else "right" if said == "Right" else above)
    return sides


def _stature(skeleton: Skeleton, roles: Mapping[str, str]) -> float:
    """Return how tall the person is, judged by the length of the legs; else the largest extent of the rest pose, metres."""
    bones = [roles[role] for role in ("LeftLowerLeg", "LeftFoot", "RightLowerLeg", "RightFoot") if role in roles]
    legs = sum(skeleton.bone_length(bone) for bone in bones)
    extent = float(np.ptp(skeleton.rest_positions, axis=0).max())
    return max(0.5 * legs / _LEG if len(bones) == 4 and legs > 0.1 * extent else extent, 1e-6)


def _trunk(roles: Mapping[str, str], skeleton: Skeleton) -> set[str]:
    """Return the joints from the hips to the neck."""
    if not {"Hips", "Neck"} <= roles.keys() or roles["Hips"] not in (above := ancestors(skeleton, roles["Neck"])):
        return set()
    return {*above[: above.index(roles["Hips"]) + 1], roles["Neck"]}


def _radii(skeleton: Skeleton, roles: Mapping[str, str], trunk: set[str], stature: float) -> list[float]:
    """Return the radius of the body at each joint, metres."""
    role_of = {joint: role for role, joint in roles.items()}
    radii: list[float] = []
    for joint, (name, parent) in enumerate(zip(skeleton.names, skeleton.parents, strict=True)):
        part = role_of.get(name, name).removeprefix("Left").removeprefix("Right")
        above = role_of.get(skeleton.names[parent], "") if parent >= 0 else ""
        if part in _RADII:
            radius = _RADII[part]
        elif name in trunk:
            radius = _TRUNK
        else:
            most = 0.75 * radii[parent] / stature if above else _THICK
            radius = min(max(_SLENDER * float(np.linalg.norm(skeleton.offsets[joint])) / stature, _THIN), most)
        radii.append(radius * stature)
    return radii


def _left(skeleton: Skeleton, roles: Mapping[str, str]) -> Array:
    """Return the direction to the left of the person in the rest pose, a unit vector."""
    if not {"LeftUpperLeg", "RightUpperLeg"} <= roles.keys():
        return np.array([1.0, 0.0, 0.0])
    left, right = (skeleton.rest_positions[skeleton.index(roles[f"{side}UpperLeg"])] for side in ("Left", "Right"))
    return unit(left - right)
