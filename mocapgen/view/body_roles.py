"""Which part of the body each joint of a tree is: what the player needs to build a body around any joints."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mocapgen.anatomy.names import roles_by_names
from mocapgen.core.skeleton import Skeleton
from mocapgen.store.joint_tree import JointTree
from schemas.conventions import H36M17, JOINT_PARENTS

_FACE_AND_FEET = {
    "nose": "Nose",
    **{f"{side.lower()}_{part}": side + role for side in ("Left", "Right") for part, role in (("ear", "Ear"), ("toe", "ToesEnd"), ("heel", "Heel"))},
}
"""Detector joints that ``h36m17`` has not; the avatars have no such joints, apart from the tips of the toes."""


@lru_cache(maxsize=64)
def body_roles(tree: JointTree) -> tuple[str, ...]:
    """Return the role of each joint by its name: as the avatars' joints are called, further ``Nose``, ``LeftEar``, ``LeftHeel`` …; empty if none.

    Parameters
    ----------
    tree : JointTree
    """
    tables: tuple[dict[str, str], ...] = ({role: role for role in JOINT_PARENTS}, {**H36M17, **_FACE_AND_FEET})
    for table in tables:
        if sum(name in table for name in tree.names) > len(tree.names) / 2:
            return tuple(table.get(name, "") for name in tree.names)
    try:
        # Names alone tell: that the offsets are all different only says that no joint is another one's double.
        skeleton = Skeleton(tree.names, tree.parents, np.arange(3.0 * len(tree.names)).reshape(-1, 3))
    except ValueError:  # several roots, or names that repeat
        return ("",) * len(tree.names)
    role_of = {joint: role for role, joint in roles_by_names(skeleton).items()}
    return tuple(role_of.get(name, "") for name in tree.names)
