"""Aim limbs at the positions of the source's joints.

A limb bone is turned by one joint of the source. Where a joint between it and the next one turns, too (a helper joint in the thigh, a
limb in two parts), or where that joint is beyond the bone (a wrist from which the forearm takes its twist), its rotation alone does not say
where the bone points: the positions do. Then only the twist about the bone is the joint's.
"""

from __future__ import annotations

import numpy as np

from mocapgen.anatomy.roles import Roles
from mocapgen.anatomy.tables import LIMBS
from mocapgen.core.motion import Array, Skeleton
from mocapgen.core.rotation import multiply, rotate, shortest_arc
from mocapgen.core.vectors import dot, norms

RIGID = 3.0
"""Degrees by which a bone may deviate from where its joint turns it, in the worst frame, before positions count; twist joints of iClone: 2.1."""


def aimed_limbs(skeleton: Skeleton, roles: Roles, rotations: Array, positions: Array) -> dict[str, Array]:
    """Return the global rotation, (T, 4), of each limb bone that does not point where the joint that turns it takes it.

    Parameters
    ----------
    skeleton : Skeleton
    roles : Roles
    rotations : (T, J, 4) float64
        Global rotations.
    positions : (T, J, 3) float64
        Where the joints go by them.

    Returns
    -------
    dict of role to (T, 4) float64
        The joint's rotation, turned by the least angle that lets the bone point where it does; empty if all bones are rigid.
    """
    found, rest = {}, skeleton.rest_positions
    for role, end in LIMBS.items():
        if role not in roles.joints or end not in roles.joints:
            continue
        head, tip, driver = (skeleton.index(joint) for joint in (roles.joints[role], roles.joints[end], roles.driver(role)))
        bone, there = rest[tip] - rest[head], positions[:, tip] - positions[:, head]
        if min(float(np.linalg.norm(bone)), float(norms(there).min())) < 1e-9:
            continue
        turned = rotate(rotations[:, driver], np.broadcast_to(bone, there.shape))
        cosine = dot(turned, there) / (norms(turned) * norms(there))
        if float(cosine.min()) < np.cos(np.radians(RIGID)):
            found[role] = multiply(shortest_arc(turned, there), rotations[:, driver])
    return found
