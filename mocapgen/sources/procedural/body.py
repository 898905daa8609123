"""From the positions of pelvis, feet and hands to a whole body: inverse kinematics in closed form."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.anatomy.tables import ARM, LEG, SIDE_SIGNS
from mocapgen.core.kinematics import global_rotations, joint_positions, local_rotations
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import from_euler, make_continuous, multiply, normalise, rotate, shortest_arc
from mocapgen.core.two_bone import middle_joint
from mocapgen.core.vectors import across, dot

_ACTORS = Path(__file__).parent / "actors"
_SPINE = ("Spine", "Chest", "UpperChest")
_LONGEST = 0.998  # of a stretched limb: short of the point where the angle of knee or elbow becomes infinitely fast
_SOFT = 0.93  # of a stretched arm: from here on it stretches ever less
DIGITS = 9  # results are rounded, so that the last bits of sine and cosine do not matter


@dataclass(frozen=True)
class Actor:
    """One performer: build and style.

    Parameters
    ----------
    name : str
        Of a file in ``actors/``, which holds the skeleton.
    tempo : float
        Speed of movement, 1 for average.
    reach : float
        Size of movement, 1 for average.
    stance : float
        Distance of the feet, 1 for hip width.
    lean : float
        Forward lean of the trunk in radians.
    elbows : float
        How bent the arms hang, radians.
    """

    name: str
    tempo: float
    reach: float
    stance: float
    lean: float
    elbows: float

    @property
    def skeleton(self) -> Skeleton:
        """The actor's skeleton, T-pose, role names."""
        return _skeleton(self.name)

    @property
    def leg(self) -> float:
        """Length of thigh and shank, metres."""
        return self.skeleton.bone_length("LeftLowerLeg") + self.skeleton.bone_length("LeftFoot")

    @property
    def ankle(self) -> float:
        """Height of the ankle of a flat foot, metres."""
        at = self.skeleton.rest_positions
        lowest = at[:, 1].min()
        return float(at[self.skeleton.index("LeftFoot"), 1] - lowest) + 0.01

    @property
    def hip(self) -> float:
        """Distance of a hip joint from the midline, metres."""
        return float(self.skeleton.rest_positions[self.skeleton.index("LeftUpperLeg"), 0])


@lru_cache
def _skeleton(name: str) -> Skeleton:
    return avatar_skeleton(load_avatar(_ACTORS / f"{name}.json"))


@dataclass
class BodyTargets:
    """Where pelvis, feet and hands of a body are to be, frame by frame; the actor faces +z, x is to the left, the floor is y = 0.

    Everything is (T,) or (T, 3) float64, metres and radians; what is not set stays at rest.
    """

    actor: Actor
    frames: int
    pelvis: Array = field(init=False)
    """Middle of the hip joints."""
    turn: Array = field(init=False)
    """Pelvis: yaw to the left, pitch forward, roll to the right."""
    trunk: Array = field(init=False)
    """Bend of the spine, likewise."""
    head: Array = field(init=False)
    ankles: dict[str, Array] = field(init=False)
    feet: dict[str, Array] = field(init=False)
    """Yaw and pitch (toes down) of each foot, (T, 2)."""
    toes: dict[str, Array] = field(init=False)
    """Upward bend of the toes."""
    wrists: dict[str, Array] = field(init=False)
    """From the shoulder joint, in axes of the upper chest, in arm lengths; x is outwards."""
    elbows: dict[str, Array] = field(init=False)
    """Where the elbow points, in axes of the upper chest; x is outwards."""
    shrug: dict[str, Array] = field(init=False)
    """How much the shoulder girdle is raised, radians."""
    planted: dict[str, NDArray[np.bool_]] = field(init=False)

    def __post_init__(self) -> None:
        actor, frames = self.actor, self.frames
        self.pelvis = np.tile([0.0, actor.ankle + 0.985 * actor.leg, 0.0], (frames, 1))
        self.turn, self.trunk, self.head = (np.zeros((frames, 3)) for _ in range(3))
        self.trunk[:, 1] = actor.lean
        self.head[:, 1] = -0.5 * actor.lean
        self.ankles, self.feet, self.toes, self.wrists, self.elbows, self.shrug, self.planted = {}, {}, {}, {}, {}, {}, {}
        bend = 0.06 + actor.elbows
        for side, sign in SIDE_SIGNS.items():
            self.ankles[side] = np.tile([sign * actor.hip * actor.stance, actor.ankle, -0.02], (frames, 1))
            self.feet[side] = np.tile([sign * 0.12, 0.0], (frames, 1))
            self.toes[side] = np.zeros(frames)
            self.wrists[side] = np.tile([0.16, -0.97 + 0.25 * bend**2, 0.25 * bend], (frames, 1))
            self.elbows[side] = np.tile([0.35, 0.0, -1.0], (frames, 1))
            self.shrug[side] = np.zeros(frames)
            self.planted[side] = np.ones(frames, dtype=bool)


def pose_body(targets: BodyTargets, fps: float, name: str) -> Motion:
    """Let the body carry out a targets.

    Returns
    -------
    Motion
        On the actor's skeleton. Feet and hands are where the targets wants them, as far as the limbs reach.
    """
    skeleton = targets.actor.skeleton
    local = np.zeros((targets.frames, len(skeleton.names), 4))
    local[..., 3] = 1.0
    local[:, 0] = from_euler("YXZ", targets.turn)
    for joint in _SPINE:
        local[:, skeleton.index(joint)] = from_euler("YXZ", targets.trunk / 3.0)
    for joint in ("Neck", "Head"):
        local[:, skeleton.index(joint)] = from_euler("YXZ", targets.head / 2.0)
    for side, sign in SIDE_SIGNS.items():
        shrug = np.stack([np.zeros(targets.frames), np.zeros(targets.frames), sign * targets.shrug[side]], axis=1)
        local[:, skeleton.index(f"{side}Shoulder")] = from_euler("YXZ", shrug)
    turned = global_rotations(skeleton, local)
    hips = 0.5 * (skeleton.rest_positions[skeleton.index("LeftUpperLeg")] + skeleton.rest_positions[skeleton.index("RightUpperLeg")])
    root = targets.pelvis - rotate(turned[:, 0], hips)
    at = joint_positions(skeleton, turned, root)
    for side, sign in SIDE_SIGNS.items():
        _leg(targets, side, turned, at)
        _arm(targets, side, np.array([sign, 1.0, 1.0]), turned, at)
    local = make_continuous(normalise(np.round(local_rotations(skeleton, turned), DIGITS)))
    return Motion(skeleton, local, np.round(root, DIGITS), fps, name)


def _leg(targets: BodyTargets, side: str, turned: Array, at: Array) -> None:
    skeleton = targets.actor.skeleton
    yaw, pitch = targets.feet[side].T
    foot = from_euler("YXZ", np.stack([yaw, pitch, np.zeros_like(yaw)], axis=1))
    # The knee points where the foot does, and forward of the pelvis: halfway between.
    forward = np.array([0.0, 0.0, 1.0])
    level = from_euler("YXZ", np.stack([yaw, 0.5 * pitch, np.zeros_like(yaw)], axis=1))
    pole = rotate(level, forward) + 0.7 * rotate(turned[:, 0], forward)
    hip = at[:, skeleton.index(f"{side}UpperLeg")]
    _limb(skeleton, side, LEG, hip, targets.ankles[side], pole, np.array([0.0, -1.0, 0.0]), forward, turned)
    turned[:, skeleton.index(f"{side}Foot")] = foot
    zero = np.zeros_like(yaw)
    toes = multiply(foot, from_euler("YXZ", np.stack([zero, -targets.toes[side], zero], axis=1)))
    for joint in ("Toes", "ToesEnd"):
        turned[:, skeleton.index(side + joint)] = toes


def _arm(targets: BodyTargets, side: str, mirror: Array, turned: Array, at: Array) -> None:
    skeleton = targets.actor.skeleton
    length = skeleton.bone_length(f"{side}LowerArm") + skeleton.bone_length(f"{side}Hand")
    chest = turned[:, skeleton.index("UpperChest")]
    shoulder = at[:, skeleton.index(f"{side}UpperArm")]
    wrist = shoulder + rotate(chest, _softly(targets.wrists[side]) * mirror * length)
    pole = rotate(chest, targets.elbows[side] * mirror)
    along = np.array([1.0, 0.0, 0.0]) * mirror
    # In the T-pose the elbow bends forward, so its point looks back.
    _limb(skeleton, side, ARM, shoulder, wrist, pole, along, np.array([0.0, 0.0, -1.0]), turned)
    for joint in ("Hand", "HandEnd"):
        turned[:, skeleton.index(side + joint)] = turned[:, skeleton.index(f"{side}LowerArm")]


def _softly(wrists: Array) -> Array:
    """Draw targets, (T, 3) arm lengths, that are nearly or quite out of reach smoothly back to just within it."""
    distance = np.linalg.norm(wrists, axis=1)
    beyond = np.maximum(distance - _SOFT, 0.0)
    return wrists * ((np.minimum(distance, _SOFT) + (_LONGEST - _SOFT) * np.tanh(beyond / (_LONGEST - _SOFT))) / distance)[:, None]


def _limb(
    skeleton: Skeleton, side: str, parts: tuple[str, str, str], start: Array, end: Array, pole: Array, along: Array, bend: Array, turned: Array
) -> None:
    """Set the global rotations of a limb's two bones, in place, by the law of cosines.

    `along` and `bend` are, in the rest pose, the limb's direction and where its middle joint points.
    """
    first, second, last = (side + part for part in parts)
    upper, lower = skeleton.bone_length(second), skeleton.bone_length(last)
    line = end - start
    distance = np.linalg.norm(line, axis=1)
    direction = line / distance[:, None]
    reach = np.clip(distance, abs(upper - lower) + 0.05, _LONGEST * (upper + lower))
    aside = across(pole, direction)
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    x, y = middle_joint(upper, lower, reach)
    middle = x[:, None] * direction + y[:, None] * aside
    for joint, vector in ((first, middle), (second, reach[:, None] * direction - middle)):
        turned[:, skeleton.index(joint)] = _frame(along, bend, vector, aside)


def _frame(along: Array, bend: Array, vector: Array, aside: Array) -> Array:
    """Return the rotations, (T, 4), that turn `along` to a vector and `bend` as far as possible to `aside`."""
    first = shortest_arc(np.broadcast_to(along, vector.shape), vector)
    found = rotate(first, bend)
    axis = vector / np.linalg.norm(vector, axis=1, keepdims=True)
    wanted = across(aside, axis)
    angle = np.arctan2(dot(np.cross(found, wanted), axis), dot(found, wanted))
    twist = np.concatenate([np.sin(0.5 * angle)[:, None] * axis, np.cos(0.5 * angle)[:, None]], axis=1)
    return multiply(twist, first)
