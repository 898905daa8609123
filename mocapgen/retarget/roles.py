"""Which joint of a skeleton plays which part of the body.

A *role* is a joint name of the file schema (``schemas.conventions.JOINT_PARENTS``). Avatars bear the roles as names;
for other skeletons a name map says which joint plays each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from mocapgen.motion import Skeleton
from schemas.conventions import END_POINTS, JOINT_PARENTS
from schemas.errors import RetargetError

OPTIONAL = END_POINTS | {"Spine", "Chest", "UpperChest", "LeftShoulder", "RightShoulder", "LeftToes", "RightToes"}
"""Roles that a skeleton may lack: the joint then goes along with its parent."""


def _both_sides(center: dict[str, str], left: dict[str, str]) -> dict[str, str]:
    """Complete a map whose left joints start with ``l`` by the right ones, which start with ``r``."""
    right = {"Right" + role.removeprefix("Left"): "r" + joint[1:] for role, joint in left.items()}
    return center | left | right


VICON = _both_sides(
    {"Hips": "root", "Spine": "lowerback", "Chest": "upperback", "UpperChest": "thorax", "Neck": "lowerneck", "Head": "head", "HeadTop": "head_end"},
    {
        "LeftShoulder": "lclavicle",
        "LeftUpperArm": "lhumerus",
        "LeftLowerArm": "lradius",
        "LeftHand": "lhand",
        "LeftHandEnd": "lfingers_end",
        "LeftUpperLeg": "lfemur",
        "LeftLowerLeg": "ltibia",
        "LeftFoot": "lfoot",
        "LeftToes": "ltoes",
        "LeftToesEnd": "ltoes_end",
    },
)
"""The ASF skeletons of HDM05 and CMU (joints at the bones' heads)."""

VICON_DRIVERS = {"LeftLowerArm": "lwrist", "RightLowerArm": "rwrist"}
"""Where another joint turns the bone than the one at its head: the forearm's twist sits in ``lwrist``."""

HUMANOID = {role: role for role in JOINT_PARENTS}
"""VRM/Unity humanoid names."""

HUMANOID_ASF = HUMANOID | {"Hips": "root"}
"""The same after a trip through ASF, which calls every root ``root``."""

_NAME_MAPS: tuple[tuple[Mapping[str, str], Mapping[str, str]], ...] = ((HUMANOID, {}), (VICON, VICON_DRIVERS), (HUMANOID_ASF, {}))


@dataclass(frozen=True, eq=False)
class Roles:
    """The cast of one skeleton.

    Parameters
    ----------
    joints : mapping of role to joint name
        The joint at the head of the bone.
    drivers : mapping of role to joint name
        The joint whose rotation turns the bone; only where it is not the same one.
    """

    joints: Mapping[str, str]
    drivers: Mapping[str, str]

    def driver(self, role: str) -> str:
        """Return the joint whose rotation turns the bone of a role."""
        return self.drivers.get(role, self.joints[role])


@lru_cache(maxsize=256)
def find_roles(skeleton: Skeleton) -> Roles:
    """Return who plays what in a skeleton.

    Parameters
    ----------
    skeleton : Skeleton

    Returns
    -------
    Roles
        By the name map that knows all indispensable roles.

    Raises
    ------
    RetargetError
        With the roles that no joint plays, for the map that comes closest.
    """
    closest: list[str] | None = None
    for joints, drivers in _NAME_MAPS:
        missing = [role for role, joint in joints.items() if joint not in skeleton and role not in OPTIONAL]
        if not missing:
            found = {role: joint for role, joint in joints.items() if joint in skeleton}
            return Roles(found, {role: joint for role, joint in drivers.items() if joint in skeleton})
        if closest is None or len(missing) < len(closest):
            closest = missing
    assert closest is not None
    raise RetargetError(
        f"expected a skeleton with Vicon (lfemur, ...) or VRM humanoid (LeftUpperLeg, ...) joint names, "
        f"found nobody for {', '.join(closest[:5])} among {', '.join(skeleton.names[:8])}, ..."
    )
