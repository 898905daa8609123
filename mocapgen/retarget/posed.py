"""A motion together with the roles, global rotations and positions of its joints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mocapgen.anatomy.infer import find_roles
from mocapgen.anatomy.roles import Roles
from mocapgen.anatomy.tables import CONTACT_POINTS, SIDES
from mocapgen.core.kinematics import global_rotations, joint_positions
from mocapgen.core.motion import Array, Motion
from mocapgen.retarget.contacts import Contacts
from mocapgen.retarget.limbs import aimed_limbs


@dataclass(frozen=True)
class Posed:
    """A motion with everything that retargeting asks about it: computed once for all avatars."""

    motion: Motion
    roles: Roles
    rotations: Array
    """(T, J, 4) float64: global rotations."""
    positions: Array
    """(T, J, 3) float64, metres, world frame."""

    @classmethod
    def of(cls, motion: Motion, roles: Roles | None = None) -> Posed:
        """Find the roles of a motion's skeleton, unless they are given, and where its joints go.

        Raises
        ------
        RetargetError
            If the skeleton's joints are not understood.
        """
        rotations = global_rotations(motion.skeleton, motion.rotations)
        positions = joint_positions(motion.skeleton, rotations, motion.root_positions)
        return cls(motion, roles or find_roles(motion.skeleton), rotations, positions)

    def position(self, role: str) -> Array:
        """Return where the joint of a role goes, (T, 3) float64, metres, world frame."""
        return self.positions[:, self.motion.skeleton.index(self.roles.joints[role])]

    @cached_property
    def aimed_limbs(self) -> dict[str, Array]:
        """The global rotation, (T, 4), of each limb bone that does not point where its joint takes it; see :func:`aimed_limbs`."""
        return aimed_limbs(self.motion.skeleton, self.roles, self.rotations, self.positions)

    @cached_property
    def contacts(self) -> Contacts:
        """When which part of which foot is planted."""
        points = tuple(point for point in CONTACT_POINTS if all(side + point in self.roles.joints for side in SIDES))
        paths = self.positions[:, self.motion.skeleton.indices([self.roles.joints[side + point] for side in SIDES for point in points])]
        return Contacts.of(points, paths.reshape(len(paths), 2, len(points), 3), self.motion.fps)

    def hip_centre(self) -> Array:
        """Return the middle between the hip joints, (T, 3) float64, metres, world frame."""
        return 0.5 * (self.position("LeftUpperLeg") + self.position("RightUpperLeg"))
