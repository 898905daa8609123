"""The last resort for a file whose rest pose cannot be found: rotations solved from where its joints go, on an avatar's skeleton of its size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.anatomy.roles import Roles
from mocapgen.anatomy.tables import SIDES
from mocapgen.core.kinematics import forward_kinematics, global_rotations, local_rotations
from mocapgen.core.motion import Array, Motion
from mocapgen.core.rotation import make_continuous, multiply, normalise, rotate, shortest_arc
from mocapgen.reading.draft import Draft
from mocapgen.retarget.points import POINTS, fit_skeleton, follow

_BASE = "average_man"
_PELVIS, _CHEST, _HEAD, _TOP = 0.1, 0.5, 0.15, 0.45  # of the way from hips to neck, where no joint says where these are


def solve_from_positions(motion: Motion | Draft, roles: Roles) -> tuple[Motion, Roles]:
    """Return the motion of a skeleton with role names that follows the joints.

    Limbs point as they do in the file, feet point to the toes, hands go along with the limbs, and how a limb is turned about itself follows from how
    elbows and knees bend.

    Raises
    ------
    RetargetError
        If joints that span a bone coincide.
    """
    points = _points(motion, roles)
    limbs = {joint: points[joint] for joint in POINTS if joint in points}
    skeleton = fit_skeleton(limbs, avatar_skeleton(load_avatar(_BASE)))
    solved = _with_feet(follow(limbs, skeleton, motion.fps, motion.name).motion, points)
    return solved, Roles({role: role for role in skeleton.names}, {}, roles.confidence)


def _with_feet(motion: Motion, points: dict[str, Array]) -> Motion:
    """Turn the feet by the least angle that lets them point to the toes, where the file has toes."""
    skeleton = motion.skeleton
    turned = global_rotations(skeleton, motion.rotations)
    for side in SIDES:
        if f"{side}Toes" not in points:
            continue
        foot, bone = skeleton.index(f"{side}Foot"), skeleton.offsets[skeleton.index(f"{side}Toes")]
        line = points[f"{side}Toes"] - points[f"{side}Foot"]
        turn = shortest_arc(rotate(turned[:, foot], np.broadcast_to(bone, line.shape)), line)
        for joint in (f"{side}Foot", f"{side}Toes", f"{side}ToesEnd"):
            turned[:, skeleton.index(joint)] = multiply(turn, turned[:, skeleton.index(joint)])
    return replace(motion, rotations=make_continuous(normalise(local_rotations(skeleton, turned))))


def _points(motion: Motion | Draft, roles: Roles) -> dict[str, Array]:
    positions = forward_kinematics(motion)
    at = {role: positions[:, motion.skeleton.index(joint)] for role, joint in roles.joints.items()}
    hips = 0.5 * (at["LeftUpperLeg"] + at["RightUpperLeg"])
    trunk = at["Neck"] - hips
    at["Hips"], at["Chest"] = hips + _PELVIS * trunk, hips + _CHEST * trunk
    size = float(np.median(np.linalg.norm(trunk, axis=-1)))
    for role, before, share in (("Head", "Neck", _HEAD), ("HeadTop", "Head", _TOP - _HEAD)):
        if role not in at or np.median(np.linalg.norm(at[role] - at[before], axis=-1)) < 0.02 * size:
            at[role] = at[before] + share * trunk
    return at
