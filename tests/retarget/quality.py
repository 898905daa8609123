"""How well an avatar does what the source did: the figures by which retargeting is judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mocapgen.anatomy.infer import find_roles
from mocapgen.anatomy.tables import CONTACT_POINTS, LIMBS, SIDES
from mocapgen.core.kinematics import forward_kinematics, global_rotations
from mocapgen.core.motion import Array, Motion
from mocapgen.core.rotation import angle_between, shortest_arc
from mocapgen.retarget.contacts import PLANTED_HEIGHT, PLANTED_SPEED, speeds
from mocapgen.retarget.posed import Posed

TRUNK = ("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head")


@dataclass(frozen=True)
class Quality:
    """Figures of one motion on one avatar; means over frames."""

    limb_degrees: dict[str, float]
    """Angle between the bone's direction and the source's, by role."""
    trunk_degrees: dict[str, float]
    """Angle between the bone's orientation and the source's, each relative to its rest pose, by role."""
    planted_speed: float
    """Mean speed of planted points (source below 5 cm and 0.05 m/s), metres per second; NaN if none is planted."""
    planted_samples: int
    """How many frames and points that is the mean of."""
    sunk_frames: float
    """Share of frames with a foot deeper than 3 cm below the floor."""


def quality(source: Motion | Posed, result: Motion) -> Quality:
    """Compare a retargeted motion with its source.

    Parameters
    ----------
    source : Motion or Posed
    result : Motion
        ``retarget(source, avatar)``: the same frames.
    """
    posed = source if isinstance(source, Posed) else Posed.of(source)
    roles = find_roles(result.skeleton)
    positions = forward_kinematics(result)
    rotations = global_rotations(result.skeleton, result.rotations)

    def position(role: str) -> Array:
        return positions[:, result.skeleton.index(roles.joints[role])]

    limbs = {}
    for role, end in LIMBS.items():
        turn = shortest_arc(posed.position(end) - posed.position(role), position(end) - position(role))
        limbs[role] = float(np.degrees(angle_between(turn, np.array([0.0, 0.0, 0.0, 1.0]))).mean())
    trunk = {}
    for role in TRUNK:
        if role in posed.roles.joints and role in roles.joints:
            there = posed.rotations[:, posed.motion.skeleton.index(posed.roles.driver(role))]
            trunk[role] = float(np.degrees(angle_between(there, rotations[:, result.skeleton.index(roles.driver(role))])).mean())
    moved, samples, lowest = 0.0, 0, np.full(len(result), np.inf)
    for side in SIDES:
        for point in CONTACT_POINTS:
            if side + point not in posed.roles.joints or side + point not in roles.joints:
                continue
            there, here = posed.position(side + point), position(side + point)
            planted = (there[:, 1] < PLANTED_HEIGHT[0]) & (speeds(there, posed.motion.fps) < PLANTED_SPEED[0])
            moved += float(speeds(here, result.fps)[planted].sum())
            samples += int(planted.sum())
            lowest = np.minimum(lowest, here[:, 1])
    return Quality(limbs, trunk, moved / samples if samples else float("nan"), samples, float((lowest < -0.03).mean()))
