"""Which joint of a skeleton plays which part of the body.

A *role* is a joint name of the file schema (``schemas.conventions.JOINT_PARENTS``). Avatars bear the roles as names; of other
skeletons a source profile (:mod:`mocapgen.anatomy.profiles`) says which joint plays each of them, or else names and proportions do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.profile import OPTIONAL_ROLES as OPTIONAL

__all__ = ["OPTIONAL", "Roles"]


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
