"""Correct the legs so that feet in contact do not slide and no foot is below the floor.

With scaled hips and the source's leg directions, a foot that rests in the source creeps a little on an avatar of other
proportions. For each foot we look for the smallest smooth displacement c(t) that gives the foot, while it is
planted, the source's (scaled) velocity:

    minimise  sum_t  stay |c_t|^2  +  smooth |c_t+1 - c_t|^2  +  sum_points planted_p,t |c_t+1 - c_t - slip_p,t|^2

where slip is by how much the point moved less (in the source, scaled) than on the avatar. That is one tridiagonal system per
foot, the same for x, y and z. The legs then reach for the displaced ankles by two-bone inverse kinematics, feet keeping their orientation.
Onto the source's own skeleton the slip is zero, and so is the displacement.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.roles import Roles
from mocapgen.anatomy.tables import LEG, SIDES
from mocapgen.core.motion import Array, Skeleton
from mocapgen.core.rotation import multiply, rotate, shortest_arc
from mocapgen.core.two_bone import middle_joint
from mocapgen.core.vectors import dot, norms
from mocapgen.retarget.posed import Posed

_FLOOR_MARGIN = 0.01
"""A foot may dip this deep below the floor, metres, or as deep as the source's (scaled) does."""
_MOVED = 1e-7  # metres: smaller displacements are rounding


def keep_feet(posed: Posed, target: Skeleton, roles: Roles, rotations: Array, positions: Array, scales: Array) -> Array:
    """Turn the legs of a transferred motion so that planted feet rest and none sinks.

    Parameters
    ----------
    posed : Posed
        The source.
    target, roles : Skeleton, Roles
        The tree of joints of all A avatars.
    rotations : (T, A, J, 4) float
        The avatars' global rotations; those of thighs and shanks are changed in place.
    positions : (T, A, J, 3) float, metres, world frame
        The avatars' joints.
    scales : (A,) float
        Leg length of each avatar over that of the source.

    Returns
    -------
    (A,) float64
        Metres by which the whole body has to be raised besides.
    """
    contacts = posed.contacts
    if not all(side + point in roles.joints for side in SIDES for point in contacts.points):
        return np.zeros(len(scales))
    chosen = target.indices([roles.joints[side + point] for side in SIDES for point in contacts.points])
    found = positions[..., chosen, :].reshape(*positions.shape[:2], 2, len(contacts.points), 3)
    wanted = contacts.scaled(scales)
    lift = contacts.lift(wanted[..., 1], found[..., 1])
    displacement = contacts.displacement(np.diff(wanted - found, axis=0))
    # Where a point would still sink deeper than the source's (scaled), its foot is raised.
    allowed = np.minimum(wanted[..., 1].min(axis=-1), 0.0) - _FLOOR_MARGIN
    displacement[..., 1] += np.maximum(allowed - found[..., 1].min(axis=-1) - lift[:, None] - displacement[..., 1], 0.0)
    if "ToesEnd" not in contacts.points:
        _bend_toes(rotations, positions, displacement + lift[:, None, None] * np.array([0.0, 1.0, 0.0]), allowed, target, roles)
    still = np.abs(displacement).max(axis=(0, 2, 3)) <= _MOVED  # such as the source's own skeleton
    if not still.all():
        legs = np.array([target.indices([roles.joints[side + part] for side in SIDES]) for part in LEG])
        untouched = rotations[:, still]
        _reach(rotations, positions, displacement, legs)
        rotations[:, still] = untouched
    return lift


def _bend_toes(rotations: Array, positions: Array, displacement: Array, allowed: Array, target: Skeleton, roles: Roles) -> None:
    """Turn toes, in place, whose tips would sink: those of a source without tips are as stiff as its feet.

    `displacement` : (T, A, 2, 3), by which the feet move; `allowed` : (T, A, 2), the lowest height of a tip.
    """
    if not all(side + part in roles.joints for side in SIDES for part in ("Toes", "ToesEnd")):
        return
    toes, tips = (target.indices([roles.joints[side + part] for side in SIDES]) for part in ("Toes", "ToesEnd"))
    line = positions[..., tips, :] - positions[..., toes, :]
    size = norms(line)
    height = np.clip(allowed - positions[..., toes, 1] - displacement[..., 1], line[..., 1], 0.9 * size)
    level = line * np.array([1.0, 0.0, 1.0])
    level *= (np.sqrt(size**2 - height**2) / np.maximum(norms(level), 1e-9))[..., None]
    level[..., 1] = height
    sunk = height > line[..., 1] + _MOVED
    turn = np.where(sunk[..., None], shortest_arc(line, level), np.array([0.0, 0.0, 0.0, 1.0]))
    for joints in (toes, tips):
        rotations[..., joints, :] = multiply(turn, rotations[..., joints, :])


def _reach(rotations: Array, positions: Array, displacement: Array, legs: NDArray[np.intp]) -> None:
    """Turn thighs and shanks, in place, so that the ankles move by the displacement, (T, A, 2, 3).

    `legs` : (3, 2) holds the joints at hips, knees and ankles. Two-bone inverse kinematics by the law of cosines.
    """
    thighs, shanks, _ = legs
    hip, knee, ankle = (positions[..., joints, :] for joints in legs)
    line = ankle + displacement - hip
    upper, lower, distance = norms(knee - hip), norms(ankle - knee), norms(line)
    # A stretched leg reaches no further; short of that, leave the knee the last bit of bend.
    longest = np.maximum((upper + lower) * 0.9999, norms(ankle - hip))
    reach = np.clip(distance, np.abs(upper - lower) + 1e-3, longest)
    direction = line / distance[..., None]
    along, aside = middle_joint(upper, lower, reach)
    # The knee stays in its plane; where the leg is straight, the thigh's forward axis says where it would bend.
    bend = (knee - hip) + 1e-3 * rotate(rotations[..., thighs, :], np.array([0.0, 0.0, 1.0]))
    bend -= dot(bend, direction)[..., None] * direction  # in place: another layout in memory rounds differently
    bend /= np.maximum(norms(bend), 1e-9)[..., None]
    new_knee = hip + along[..., None] * direction + aside[..., None] * bend
    new_ankle = hip + reach[..., None] * direction
    rotations[..., thighs, :] = multiply(shortest_arc(knee - hip, new_knee - hip), rotations[..., thighs, :])
    rotations[..., shanks, :] = multiply(shortest_arc(ankle - knee, new_ankle - new_knee), rotations[..., shanks, :])
