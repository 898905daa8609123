"""Rest poses: what counts as no rotation, whatever a file's zero pose is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from mocapgen.anatomy.roles import Roles
from mocapgen.anatomy.tables import ARM_BONES, LEG_BONES, LIMBS, SIDE_SIGNS, SIDES
from mocapgen.core.kinematics import global_rotations, joint_positions, local_rotations
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import IDENTITY, conjugate, from_matrix, keep_continuous, multiply, normalise, rotate, shortest_arc
from mocapgen.reading.draft import Draft

UPRIGHT = 30.0
"""Degrees by which trunk and legs may deviate from the vertical in a pose that stands."""
LEVEL = 35.0
"""Degrees by which the bones of arms and legs may deviate from a T."""
LEAP = 25.0
"""Degrees that a limb turns, at least, from an inserted T-pose to the motion's first frame."""
FURTHEST = 120.0
"""Degrees beyond which the least turn of a bone says nothing about its twist."""

LEFT, UP, _ = np.eye(3)
_BACK, _NAPE = np.array([0.0, 0.993, -0.121]), np.array([0.0, 1.0, -0.026])
_TRUNK = (("Spine", "Chest", _BACK), ("Chest", "UpperChest", _BACK), ("UpperChest", "Neck", _BACK), ("Neck", "Head", _NAPE))
"""Where the avatars' backs and necks point in their T-pose."""
TILTED = 45.0
"""Degrees by which a head may be tilted in a T-pose made of another pose: one that is tilted further is no head as it is held, and is set upright."""
FOOT = np.array([0.0, -0.35, 0.94])
"""Where a foot points from the ankle to the ball in a T-pose: forward, and down to the floor."""

_BLOCK = 512  # frames at a time: fits the processor's cache


def rebase_rest_pose(motion: Motion | Draft, reference: Array) -> Motion:
    """Return the same motion with another pose as its rest pose.

    Parameters
    ----------
    motion : Motion or Draft
    reference : (J, 4) float64
        Global rotation of every joint, in the motion's present terms, in the pose that shall become the rest pose.

    Returns
    -------
    Motion
        All joints go where they went. With ``G`` for global rotations, ``G' = G reference^-1`` and
        ``offset' = reference[parent] offset``. Undone by the inverse (conjugate) of `reference`.
    """
    skeleton = motion.skeleton
    offsets = np.array(skeleton.offsets)
    offsets[1:] = rotate(reference[list(skeleton.parents[1:])], offsets[1:])
    rebased = Skeleton(skeleton.names, skeleton.parents, offsets, skeleton.end_sites)
    back = conjugate(reference)
    planes = np.empty((4, len(skeleton.names), len(motion)))  # time innermost, as rotation.py likes it
    rotations = planes.T
    for start in range(0, len(motion), _BLOCK):
        turned = multiply(global_rotations(skeleton, motion.rotations[start : start + _BLOCK]), back)
        rotations[start : start + _BLOCK] = normalise(local_rotations(skeleton, turned))
    keep_continuous(rotations)
    planes.flags.writeable = rotations.flags.writeable = False  # so that the motion takes it as it is
    return Motion(rebased, rotations, motion.root_positions, motion.fps, motion.name)


def complete(skeleton: Skeleton, known: Mapping[str, Array]) -> Array:
    """Return a reference, (J, 4) float64, in which joints that are not known go along with their parents.

    What comes before the first known joint, such as a root above the hips, stands as that joint does.
    """
    first = next((joint for joint in skeleton.names if joint in known), None)
    reference = np.tile(IDENTITY if first is None else known[first], (len(skeleton.names), 1))
    for index, joint in enumerate(skeleton.names[1:], start=1):
        reference[index] = known[joint] if joint in known else reference[skeleton.parents[index]]
    if skeleton.names[0] in known:
        reference[0] = known[skeleton.names[0]]
    return reference


@dataclass(frozen=True)
class Figure:
    """Where the joints of the indispensable roles are: enough to tell how a body stands. Arrays (..., 3), y up."""

    at: Mapping[str, Array]

    @classmethod
    def of(cls, skeleton: Skeleton, roles: Roles, positions: Array) -> Figure:
        """Pick the joints of the roles out of positions (..., J, 3)."""
        return cls({role: positions[..., skeleton.index(joint), :] for role, joint in roles.joints.items()})

    def turned(self, rotation: Array) -> Figure:
        """Return the figure rotated by a quaternion (4,) about the origin."""
        return Figure({role: rotate(rotation, position) for role, position in self.at.items()})

    def direction(self, start: str, end: str) -> Array:
        """Return the unit vector from one role's joint to another's; zero where they coincide."""
        line = self.at[end] - self.at[start]
        return line / np.maximum(np.linalg.norm(line, axis=-1, keepdims=True), 1e-12)

    @property
    def left(self) -> Array:
        """Unit vector from the right hip joint to the left one."""
        return self.direction("RightUpperLeg", "LeftUpperLeg")

    @property
    def hips(self) -> Array:
        """Middle of the hip joints."""
        return 0.5 * (self.at["LeftUpperLeg"] + self.at["RightUpperLeg"])

    @property
    def height(self) -> Array:
        """Vector from between the feet to the head."""
        return self.at["Head"] - 0.5 * (self.at["LeftFoot"] + self.at["RightFoot"])

    def limbs(self) -> Array:
        """Return the directions of arms and legs, (8, ..., 3)."""
        return np.stack([self.direction(start, end) for start, end in LIMBS.items()])

    def stands(self) -> bool:
        """Whether this one pose is upright: trunk and both legs within :data:`UPRIGHT` of the vertical."""
        parts = [(UP, self.at["Neck"] - self.hips), *((-UP, self.direction(f"{side}UpperLeg", f"{side}Foot")) for side in SIDES)]
        return all(_angle(axis, part) < UPRIGHT for axis, part in parts)

    def is_t_pose(self) -> bool:
        """Whether this one pose is upright with straight arms and legs, the arms level and spread to the sides."""
        across = self.left * (1.0 - UP)
        arms = [(sign * across, self.direction(f"{side}{a}", f"{side}{b}")) for side, sign in SIDE_SIGNS.items() for a, b in ARM_BONES]
        legs = [(-UP, self.direction(f"{side}{a}", f"{side}{b}")) for side in SIDES for a, b in LEG_BONES]
        return self.stands() and all(_angle(axis, part) < LEVEL for axis, part in (*arms, *legs))


def _angle(a: Array, b: Array) -> float:
    """Return the angle between two vectors, degrees; 90 if one has no length."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return 90.0 if lengths < 1e-12 else float(np.degrees(np.arccos(np.clip(a @ b / lengths, -1.0, 1.0))))


def inserted_t_pose(figure: Figure) -> bool:
    """Whether the first frame of a figure (T frames) is a T-pose that was put before the motion, which starts elsewhere."""
    first = Figure({role: path[0] for role, path in figure.at.items()})
    if len(figure.at["Head"]) < 2 or not first.is_t_pose():
        return False
    limbs = Figure({role: path[:3] for role, path in figure.at.items()}).limbs()
    steps = np.degrees(np.arccos(np.clip(np.einsum("bti,bti->tb", limbs[:, 1:], limbs[:, :-1]), -1.0, 1.0))).max(axis=1)
    return bool(steps[0] > LEAP and (len(steps) < 2 or steps[0] > 3.0 * steps[1]))


# References: global rotations of all joints in the pose that shall be the rest pose ----------------


def zero_reference(skeleton: Skeleton, roles: Roles) -> Array | None:
    """Return the zero pose, (J, 4), turned as a whole by quarter turns to stand upright and face +z; None if it then does not stand."""
    figure = Figure.of(skeleton, roles, skeleton.rest_positions)
    trunk, left = figure.at["Neck"] - figure.hips, figure.left
    trunk = trunk / max(float(np.linalg.norm(trunk)), 1e-12)
    turn = max(_quarter_turns(), key=lambda quaternion: float(rotate(quaternion, left) @ LEFT + rotate(quaternion, trunk) @ UP))
    turned = Figure.of(skeleton, roles, rotate(turn, skeleton.rest_positions))
    return np.tile(turn, (len(skeleton.names), 1)) if turned.stands() and _angle(turned.left, LEFT) < 45.0 else None


@cache
def _quarter_turns() -> tuple[Array, ...]:
    """Return the 24 rotations that map axes onto axes; none first, so that it wins among equals."""
    axes = [(i, j) for i in range(3) for j in range(3) if i != j]
    signs = [(a, b) for a in (1.0, -1.0) for b in (1.0, -1.0)]
    frames = [(a * np.eye(3)[i], b * np.eye(3)[j]) for i, j in axes for a, b in signs]
    return tuple(from_matrix(np.stack([x, y, np.cross(x, y)])) for x, y in frames)


def frame_reference(motion: Motion | Draft, roles: Roles, frame: int = 0) -> Array:
    """Return the pose of one frame, (J, 4), turned about the vertical to face +z."""
    rotations = global_rotations(motion.skeleton, motion.rotations[frame : frame + 1])
    positions = joint_positions(motion.skeleton, rotations, motion.root_positions[frame : frame + 1])
    across = Figure.of(motion.skeleton, roles, positions[0]).left * (1.0 - UP)
    return multiply(shortest_arc(across, LEFT), rotations[0])


def direction_reference(skeleton: Skeleton, roles: Roles, pose: Array | None = None) -> Array | str:
    """Return a T-pose, (J, 4), made by the least turn of each limb bone from the hips outwards; or why that cannot be done.

    Parameters
    ----------
    skeleton : Skeleton
    roles : Roles
    pose : (J, 4) float64, optional
        Global rotations of an upright pose that faces +z to start from; by default the zero pose, its trunk set upright.
    """
    furthest = 180.0 if pose is not None else FURTHEST
    wanted = _bones() if pose is None else [*_bones(), *_TRUNK]
    if pose is None:
        upright = _upright(skeleton, roles)
        if isinstance(upright, str):
            return upright
        pose = np.tile(upright, (len(skeleton.names), 1))
    bones = {roles.joints[start]: (roles.joints[end], axis) for start, end, axis in wanted if start in roles.joints and end in roles.joints}
    positions = joint_positions(skeleton, pose[None], np.zeros((1, 3)))[0]
    turns = np.tile(IDENTITY, (len(skeleton.names), 1))  # of each joint from the pose to the T-pose, its parents' turns included
    for index, joint in enumerate(skeleton.names):
        if index:
            turns[index] = turns[skeleton.parents[index]]
        if joint in bones:
            end, axis = bones[joint]
            bone = rotate(turns[index], positions[skeleton.index(end)] - positions[index])
            if np.linalg.norm(bone) < 1e-9:
                continue
            if end == roles.joints.get("HeadTop") and _angle(bone, axis) < TILTED:
                continue
            if (angle := _angle(bone, axis)) > furthest:
                return f"bone {joint} would have to turn by {angle:.0f} degrees, which leaves its twist unknown"
            turns[index] = multiply(shortest_arc(bone, axis), turns[index])
    return normalise(multiply(turns, pose))


def _upright(skeleton: Skeleton, roles: Roles) -> Array | str:
    """Return the rotation (4,) that sets the zero pose's trunk upright, facing +z; or why there is none."""
    figure = Figure.of(skeleton, roles, skeleton.rest_positions)
    trunk = figure.at["Neck"] - figure.hips
    across = figure.left - (figure.left @ trunk) / max(float(trunk @ trunk), 1e-12) * trunk
    if np.linalg.norm(trunk) <= 1e-6 * float(np.abs(skeleton.rest_positions).max()) or np.linalg.norm(across) < 1e-3:
        return "hips and trunk lie on one line"
    x, y = (axis / np.linalg.norm(axis) for axis in (across, trunk))
    return from_matrix(np.stack([x, y, np.cross(x, y)]))


def _bones() -> list[tuple[str, str, Array]]:
    """Return where bones point in a T-pose: start, end, direction."""
    limbs = [(side + start, side + end, sign * LEFT) for side, sign in SIDE_SIGNS.items() for start, end in ARM_BONES]
    limbs += [(side + start, side + end, -UP) for side in SIDES for start, end in LEG_BONES]
    limbs.append(("Head", "HeadTop", UP))
    return limbs + [(f"{side}Foot", f"{side}Toes", FOOT) for side in SIDES]
