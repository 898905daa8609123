"""Which joint of a skeleton plays which part of the body.

A *role* is a joint name of the file schema (``schemas.conventions.JOINT_PARENTS``). Avatars bear the roles as names; of other
skeletons a source profile (:mod:`mocapgen.profiles`) says which joint plays each of them, or else names and proportions do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from mocapgen.motion import Skeleton
from schemas.conventions import JOINT_PARENTS
from schemas.errors import RetargetError
from schemas.profile import OPTIONAL_ROLES as OPTIONAL

__all__ = ["OPTIONAL", "Roles", "find_roles"]


@dataclass(frozen=True, eq=False)
class Roles:
    """The cast of one skeleton.

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


@lru_cache(maxsize=256)
def find_roles(skeleton: Skeleton) -> Roles:
    """Return who plays what in a skeleton.

    Parameters
    ----------
    skeleton : Skeleton

    Returns
    -------
    Roles
        By the skeleton's own names if they are the roles, else by the built-in profile that knows all indispensable roles,
        else as inferred from names and the rest pose.

    Raises
    ------
    RetargetError
        If nothing of that is sure enough: with the roles that no joint plays and the names that were not understood.
    """
    if all(role in skeleton for role in JOINT_PARENTS if role not in OPTIONAL):
        return Roles({role: role for role in JOINT_PARENTS if role in skeleton})
    from mocapgen.profiles.infer import infer_roles
    from mocapgen.profiles.library import recognise

    found = recognise(skeleton.names)
    if found is not None:
        return Roles(found.joints, found.drivers, found.confidence)
    inferred, complaint = infer_roles(skeleton, skeleton.rest_positions[None])
    if inferred is None:
        raise RetargetError(complaint)
    return inferred
