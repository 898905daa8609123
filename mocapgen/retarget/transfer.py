"""Transfer a motion to another skeleton: orientations, then root position, then feet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.infer import find_roles
from mocapgen.anatomy.roles import Roles, leg_length
from mocapgen.anatomy.tables import LIMBS, SIDES
from mocapgen.core.kinematics import joint_positions, local_rotations
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import IDENTITY, make_continuous, multiply, normalise, rotate, shortest_arc
from mocapgen.retarget.feet import keep_feet
from mocapgen.retarget.posed import Posed
from schemas.errors import RetargetError


def retarget(source: Motion | Posed, target: Skeleton, plant_feet: bool = True) -> Motion:
    """Transfer a motion to another skeleton.

    Global orientations are transferred bone by bone; a constant rotation per bone makes up for the different rest
    poses, so that arms and legs point the same way as the source's. The path of the hips is scaled by the ratio of
    leg lengths about the place where the clip starts. Last, planted feet are kept planted and above the floor by a
    small correction of the legs (:mod:`mocapgen.retarget.feet`).

    Parameters
    ----------
    source : Motion or Posed
        The motion to carry over. Pass ``Posed.of(motion)`` to share work between several targets.
    target : Skeleton
        With role names as joint names (an avatar), or any skeleton that :func:`find_roles` understands.
    plant_feet : bool
        Whether to correct the legs.

    Returns
    -------
    Motion
        Same frames and rate, on `target`. For ``target = source.skeleton`` it is the source, to rounding.

    Raises
    ------
    RetargetError
        If a skeleton is not understood or has legs of no length.
    """
    return retarget_to_all(source if isinstance(source, Posed) else Posed.of(source), (target,), plant_feet)[0].motion


def retarget_to_all(posed: Posed, targets: Sequence[Skeleton], plant_feet: bool = True) -> tuple[Posed, ...]:
    """Transfer a motion to several skeletons with the same tree of joints, such as the avatars, at once.

    Returns
    -------
    tuple of Posed
        For each target the result with its global rotations and positions.

    Raises
    ------
    RetargetError
        As :func:`retarget`.
    ValueError
        If the targets differ in more than their offsets.
    """
    tree = targets[0]
    if any((other.names, other.parents, other.end_sites) != (tree.names, tree.parents, tree.end_sites) for other in targets):
        raise ValueError("targets: expected skeletons with the same joints, parents and end sites")
    # Arrays are (T, A, J, ...) with one A for each target: clips are short, and NumPy likes few long arrays.
    roles = find_roles(tree)
    source = posed.motion.skeleton
    offsets = np.stack([target.offsets for target in targets])
    maps = [_joint_map(source, posed.roles, target) for target in targets]
    alignments = np.stack([one.alignments for one in maps])
    leading = np.take(posed.rotations, maps[0].drivers, axis=1)
    for role, rotation in posed.aimed_limbs.items():
        leading[:, tree.index(roles.joints[role])] = rotation
    rotations = multiply(leading[:, None], alignments)
    scales = np.array([_checked_leg_length(target, roles) for target in targets]) / _checked_leg_length(source, posed.roles)
    centres = _scaled_about_start(posed.hip_centre(), scales)
    roots = centres - rotate(rotations[..., 0, :], np.stack([_from_root(target, roles) for target in targets]))
    positions = joint_positions(tree, rotations, roots, offsets)
    if plant_feet:
        roots[..., 1] += keep_feet(posed, tree, roles, rotations, positions, scales)
        positions = joint_positions(tree, rotations, roots, offsets)
    local = make_continuous(normalise(local_rotations(tree, rotations)))
    fps, name = posed.motion.fps, posed.motion.name
    return tuple(
        Posed(Motion(target, local[:, index], roots[:, index], fps, name), roles, rotations[:, index], positions[:, index])
        for index, target in enumerate(targets)
    )


@lru_cache(maxsize=256)
def _checked_leg_length(skeleton: Skeleton, roles: Roles) -> float:
    legs = leg_length(skeleton, roles)
    if legs < 0.01:
        raise RetargetError(f"expected legs of at least a centimetre, found {legs:.4f} m from hip to ankle")
    return legs


def _from_root(skeleton: Skeleton, roles: Roles) -> Array:
    """Return the middle of the hip joints relative to the root in the rest pose, (3,) metres."""
    left, right = (skeleton.rest_positions[skeleton.index(roles.joints[f"{side}UpperLeg"])] for side in SIDES)
    return 0.5 * (left + right)


def _scaled_about_start(path: Array, scales: Array) -> Array:
    """Scale a path (T, 3) about the point on the floor below its beginning, once for each of (A,) scales: (T, A, 3)."""
    pivot = path[0] * np.array([1.0, 0.0, 1.0])
    return pivot + scales[:, None] * (path - pivot)[:, None]


@dataclass(frozen=True)
class _JointMap:
    """How the joints of a target follow those of a source: depends on the two skeletons only, not on the motion."""

    drivers: NDArray[np.intp]
    """(J,) for each joint of the target, the joint of the source that turns it."""
    alignments: Array
    """(J, 4) the constant rotation that makes up for the rest poses."""


@lru_cache(maxsize=256)
def _joint_map(source: Skeleton, source_roles: Roles, target: Skeleton) -> _JointMap:
    roles = find_roles(target)
    same = source.names == target.names
    role_of = {joint: role for role, joint in roles.joints.items()}
    alignments = np.tile(IDENTITY, (len(target.names), 1))
    drivers = np.zeros(len(target.names), dtype=np.intp)
    for index, (joint, parent) in enumerate(zip(target.names, target.parents, strict=True)):
        role = role_of.get(joint, "")
        if parent >= 0:
            alignments[index] = alignments[parent]
        if role in LIMBS:
            alignments[index] = _aligned(source, source_roles, target, roles, role, alignments[index])
        # By role: skeletons of different make have joints of the same name in different places. By name only within one make, and
        # where a joint has no role. What neither finds, and end points, go along with their parents.
        leader = joint if same or not role else source_roles.driver(role) if role in source_roles.joints else ""
        if parent >= 0 and (leader not in source or joint in target.end_sites):
            drivers[index] = drivers[parent]
        elif leader in source:
            drivers[index] = source.index(leader)
    return _JointMap(drivers, alignments)


def _aligned(source: Skeleton, source_roles: Roles, target: Skeleton, roles: Roles, role: str, alignment: Array) -> Array:
    """Bend an alignment so that the bone points, in the source's rest pose, where the source's bone points.

    The alignments put the target into the source's rest pose, from the root down and with the least turn at each
    bone: a hand or foot keeps its angle to the limb.
    """
    wanted, found = (
        skeleton.rest_positions[skeleton.index(who.joints[LIMBS[role]])] - skeleton.rest_positions[skeleton.index(who.joints[role])]
        for skeleton, who in ((source, source_roles), (target, roles))
    )
    if min(np.linalg.norm(wanted), np.linalg.norm(found)) < 1e-6:
        return alignment
    return multiply(shortest_arc(rotate(alignment, found), wanted), alignment)
