"""Which joint of a skeleton is which part of the body.

A *role* is a joint name of the file schema (``schemas.conventions.JOINT_PARENTS``). Avatars bear the roles as names; of other
skeletons a source profile (:mod:`mocapgen.anatomy.profiles`) says which joint has each of them; failing that, names and proportions do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mocapgen.anatomy.tables import LEG, SIDES
from mocapgen.core.motion import Skeleton


@dataclass(frozen=True, eq=False)
class Roles:
    """Which joint of a skeleton has which role.

    Parameters
    ----------
    joints : mapping of role to joint name
        The joint at the head of the bone.
    drivers : mapping of role to joint name
        The joint whose rotation turns the bone; only where it is not the same one.
    confidence : float
        1 where a profile knows the skeleton; less where roles were inferred.
    """

    joints: Mapping[str, str]
    drivers: Mapping[str, str] = field(default_factory=dict)
    confidence: float = 1.0

    def driver(self, role: str) -> str:
        """Return the joint whose rotation turns the bone of a role."""
        return self.drivers.get(role, self.joints[role])


def leg_length(skeleton: Skeleton, roles: Roles) -> float:
    """Return the length of thigh and shank along the bones, mean of both sides, in the skeleton's unit; the zero pose does not matter."""
    rest, total = skeleton.rest_positions, 0.0
    for side in SIDES:
        hip, knee, ankle = (rest[skeleton.index(roles.joints[side + part])] for part in LEG)
        total += float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))
    return 0.5 * total
