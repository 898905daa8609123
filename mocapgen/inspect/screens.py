"""Screens: for which of many sequences a check need not be run, as it would find nothing there.

A screen looks at a :class:`~mocapgen.inspect.sequence_batch.SequenceBatch` and returns, (S,) bool, in which sequences its check may find
something; elsewhere it must find nothing. It is quick, and need not be exact: it works in single precision, so it leaves a margin for
rounding, and a number that is not finite counts as one that is too large. The check itself then looks at the few that are left.
A check without a screen is run on every sequence; limits are those of the check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mocapgen.inspect.checks.kinematics import HINGES, RANGES
from mocapgen.inspect.measure import ADVANCE, JUMP, OFF_FLOOR, STEPS
from mocapgen.inspect.policy import PlannedCheck
from mocapgen.inspect.sequence_batch import ROUNDING, Mask, SequenceBatch, Single, crosses, dots, rotated, squares

Screen = Callable[..., Mask]
SCREENS: dict[str, Screen] = {}
"""By the id of the check."""


def screen(id: str) -> Callable[[Screen], Screen]:
    """Return a decorator that makes a function the screen of a check."""

    def register(function: Screen) -> Screen:
        SCREENS[id] = function
        return function

    return register


def _above(values: Any, limit: Any) -> Mask:
    """Return where values are above a limit, or nobody knows."""
    return ~np.asarray(values <= limit)


def _below(values: Any, limit: Any) -> Mask:
    """Return where values are below a limit, or nobody knows."""
    return ~np.asarray(values >= limit)


def _squared(limit: Any) -> Any:
    """Return the square of a limit of squared numbers; below all of them if the limit is."""
    return np.where(np.asarray(limit) > 0.0, np.square(limit), -1.0)


def _half_cosine(degrees: float) -> float:
    """Return the cosine of half an angle of up to half a circle."""
    return float(np.cos(np.radians(0.5 * min(max(degrees, 0.0), 180.0))))


# Structure -----------------------------------------------------------------------------------------


@screen("structure.checksums")
@screen("structure.not_finite")
def unreadable(batch: SequenceBatch) -> Mask:
    """Frames that were read together could be read, and all of their numbers are there."""
    return np.zeros(len(batch.rows), dtype=bool)


# Cameras -------------------------------------------------------------------------------------------


@screen("camera.projection")
def projection(batch: SequenceBatch, *, pixels: float) -> Mask:
    """The check lets pass what single precision may be off where a joint is near the camera's plane, which is more than what is off here."""
    (fx, fy, cx, cy), (x, y, z) = batch.lenses, batch.positions
    nearer = 1.0 / z
    u, v = fx * (x * nearer) + cx, fy * (y * nearer) + cy
    off = squares(np.stack([u, v]) - batch.pixels).max(axis=0)
    margin = 2.0 * ROUNDING * batch.images.max(axis=0)
    return _above(batch.most(off), _squared(pixels - margin))


@screen("camera.behind")
def behind(batch: SequenceBatch, *, metres: float) -> Mask:
    """Depths are what the file says."""
    return _below(batch.least(batch.positions[2].min(axis=0)), metres + ROUNDING)


@screen("camera.in_view")
def in_view(batch: SequenceBatch, *, pixels: float) -> Mask:
    """What is neither surely inside nor surely outside may have either flag."""
    (u, v), depth = batch.pixels, batch.positions[2]
    width, height = (batch.each_frame(size) for size in batch.images)
    inside = np.minimum(np.minimum(u, width - u), np.minimum(v, height - v))
    least = pixels - ROUNDING * float(batch.images.max())
    wrong = np.where(batch.flags, _above(-inside, least) | _above(-depth, 0.9e-4), _above(inside, least) & _above(depth, 0.9e-4))
    return batch.any(wrong)


@screen("camera.share_in_view")
def share_in_view(batch: SequenceBatch, *, percent: float) -> Mask:
    """Pixels are compared as the file has them."""
    u, v = batch.pixels
    width, height = (batch.each_frame(size) for size in batch.images)
    seen = (u >= 0) & (u <= width) & (v >= 0) & (v <= height) & (batch.positions[2] > 0)
    share = 100.0 * batch.total(np.count_nonzero(seen, axis=0)) / (batch.lengths * len(seen))
    return _below(share, percent + ROUNDING * 100.0) | _above(batch.images.max(axis=0), 2.0**24)  # beyond, widths are rounded


@screen("camera.person_size")
def person_size(batch: SequenceBatch, *, least: float, most: float) -> Mask:
    """The median is too small where half of the frames are."""
    before = batch.positions[2].min(axis=0) > 0.05
    size = 100.0 * (batch.pixels.max(axis=1) - batch.pixels.min(axis=1)).max(axis=0) / batch.each_frame(batch.images[1])
    half = 0.5 * batch.total(before)
    small, large = _above(size, least * (1.0 + 1e-4)), _below(size, most * (1.0 - 1e-4))
    return (batch.total(before & ~small) >= half) | (batch.total(before & ~large) >= half)


# Bones and rotations -------------------------------------------------------------------------------


def _bone_limit(batch: SequenceBatch, millimetres: float) -> Any:
    return 1e-3 * millimetres + batch.precision - ROUNDING * batch.largest


@screen("kinematics.bone_length_constant")
def bone_length_constant(batch: SequenceBatch, *, millimetres: float) -> Mask:
    """The median is between the shortest and the longest."""
    spread = batch.most(batch.bones) - batch.least(batch.bones)
    return _above(spread.max(axis=0, initial=0.0), _bone_limit(batch, millimetres))


@screen("kinematics.bone_length_skeleton")
def bone_length_skeleton(batch: SequenceBatch, *, millimetres: float) -> Mask:
    """The median is between the shortest and the longest."""
    expected = np.sqrt(squares(batch.offsets[:, 1:]))
    off = np.maximum(batch.most(batch.bones) - expected, expected - batch.least(batch.bones)).max(axis=0, initial=0.0)
    return _above(off, _bone_limit(batch, millimetres) - ROUNDING * expected.max(axis=0, initial=0.0))


@screen("kinematics.quaternion_norm")
def quaternion_norm(batch: SequenceBatch, *, difference: float) -> Mask:
    """Squared lengths do as well."""
    found = batch.squared_norms
    long = _above(batch.most(found.max(axis=0)), (1.0 + difference) ** 2 - ROUNDING)
    return long | _below(batch.least(found.min(axis=0)), (1.0 - min(difference, 1.0)) ** 2 + ROUNDING)


@screen("kinematics.quaternion_sign")
def quaternion_sign(batch: SequenceBatch) -> Mask:
    """Signs change where the scalar product is negative."""
    return _below(batch.least(batch.together.min(axis=0)), ROUNDING)


@screen("kinematics.euler_quaternion")
def euler_quaternion(batch: SequenceBatch, *, degrees: float) -> Mask:
    """The chord between two unit quaternions is good to more digits than their scalar product."""
    wanted, found = batch.from_euler, batch.rotations
    sign = np.copysign(np.float32(1.0), dots(wanted, found))
    chord = squares(np.asarray(wanted - sign * found, dtype=np.float32)).max(axis=0)
    limit = 2.0 * np.sin(np.radians(0.25 * min(max(degrees, 0.0), 180.0))) - ROUNDING
    far = _above(batch.most(np.abs(batch.euler).max(axis=(0, 1))), 1000.0)  # degrees: beyond, single precision has too few digits
    return far | _above(batch.most(chord), _squared(limit))


@screen("kinematics.forward_kinematics")
def forward_kinematics(batch: SequenceBatch, *, millimetres: float) -> Mask:
    """Every joint on the way from the root adds what is rounded."""
    reach = batch.largest + np.sqrt(squares(batch.offsets)).sum(axis=0)
    limit = 1e-3 * millimetres + batch.precision - 4.0 * ROUNDING * reach
    return _above(batch.most(squares(batch.forward - batch.positions).max(axis=0)), _squared(limit))


# Human beings --------------------------------------------------------------------------------------


def _direction(batch: SequenceBatch, vectors: Single) -> tuple[Single, Mask]:
    """Return vectors (3, N) scaled to length 1, and where they are too short for that."""
    size = np.sqrt(squares(vectors))
    return np.asarray(vectors / np.maximum(size, np.float32(1e-30)), dtype=np.float32), _below(size, 200.0 * batch.each_frame(batch.rounding))


@screen("kinematics.left_right")
def left_right(batch: SequenceBatch, *, cosine: float, shoulders: float) -> Mask:
    """The median is too small where half of the frames are."""
    sides = ("Left", "Right")
    if not batch.has(*(side + name for side in sides for name in ("UpperLeg", "LowerLeg", "Foot"))):
        return np.zeros(len(batch.rows), dtype=bool)
    toes = next((toes for toes in ("Toes", "ToesEnd") if batch.has(*(side + toes for side in sides))), None)
    if toes is None:
        return np.zeros(len(batch.rows), dtype=bool)

    def path(name: str) -> Single:
        return np.asarray(batch.world[:, batch.joint(name)])

    left, unsure = _direction(batch, path("LeftUpperLeg") - path("RightUpperLeg"))
    ahead: Any = 0.0
    for side in sides:
        foot = path(f"{side}Foot")
        aside, short = _direction(batch, crosses(path(f"{side}LowerLeg") - foot, path(side + toes) - foot))
        ahead = ahead + 0.5 * dots(aside, left)
        unsure |= short
    out = batch.total(unsure | _below(ahead, cosine + 0.01)) >= 0.5 * batch.lengths
    if batch.has("LeftUpperArm", "RightUpperArm"):
        across, short = _direction(batch, path("LeftUpperArm") - path("RightUpperArm"))
        out |= batch.total(unsure | short | _below(dots(across, left), shoulders + 0.01)) >= 0.5 * batch.lengths
    return np.asarray(out)


@screen("kinematics.bent_backwards")
def bent_backwards(batch: SequenceBatch, *, degrees: float) -> Mask:
    """Done as the check does it."""
    out = np.zeros(len(batch.rows), dtype=bool)
    for name, forward in HINGES.items():
        if not batch.has(name) or not batch.skeleton.children(name):
            continue
        below = batch.offsets[:, batch.joint(batch.skeleton.children(name)[0])]
        rest = batch.each_frame(below / np.maximum(np.sqrt(squares(below)), np.float32(1e-9)))
        bone = rotated(batch.rotations[:, batch.joint(name)], rest)
        along = dots(bone, rest)
        moved = bone - along * rest
        aside = _below(forward * moved[2] + 0.17 * np.sqrt(squares(moved)), ROUNDING)
        out |= batch.any(aside & _below(along, _half_cosine(2.0 * degrees) + ROUNDING))
    return out


@screen("kinematics.out_of_range")
def out_of_range(batch: SequenceBatch, *, share: float) -> Mask:
    """How far a joint is turned is told by w."""
    out = np.zeros(len(batch.rows), dtype=bool)
    for name, degrees in RANGES.items():
        if batch.has(name):
            out |= _below(batch.least(np.abs(batch.rotations[3, batch.joint(name)])), _half_cosine(share * degrees) + ROUNDING)
    return out


# Motion --------------------------------------------------------------------------------------------


def _speed_margin(batch: SequenceBatch) -> float:
    """Return by how much speeds may be off, m/s."""
    return 4.0 * float(batch.rounding.max()) * batch.fps


@screen("motion.speed_spike")
def speed_spike(batch: SequenceBatch, *, metres_per_second: float, times: float) -> Mask:
    """Beyond the ends of a sequence nothing moves, so that the one neighbour of its first and last interval counts."""
    around = np.zeros_like(batch.speeds)
    around[:, 1:] = batch.speeds[:, :-1]
    np.maximum(around[:, :-1], batch.speeds[:, 1:], out=around[:, :-1])
    margin = _speed_margin(batch)
    spike = _above(batch.speeds - around, metres_per_second - 2.0 * margin) & _above(batch.speeds - times * around, -(1.0 + abs(times)) * margin)
    return batch.any(spike)


@screen("motion.acceleration_spike")
def acceleration_spike(batch: SequenceBatch, *, metres_per_second: float, metres_per_second_squared: float) -> Mask:
    """Few frames come near enough that those before and after them matter."""
    margin = 2.0 * _speed_margin(batch)
    size = np.sqrt(squares(batch.changes))
    spike = _above(size, metres_per_second_squared / batch.fps - margin)
    joint, frame = np.nonzero(_above(size, 2.0 * (metres_per_second - margin)))
    change = batch.changes[:, joint, frame]
    direction = np.asarray(change / size[joint, frame], dtype=np.float32)
    beside = [dots(batch.changes[:, joint, np.clip(frame + step, 0, size.shape[-1] - 1)], direction) for step in (-1, 1)]
    spike[joint, frame] |= _above(-np.maximum(*beside), metres_per_second - margin)
    return batch.any(spike)


@screen("motion.rotation_jump")
def rotation_jump(batch: SequenceBatch, *, degrees: float) -> Mask:
    """The quaternions' scalar product is the cosine of half the turn."""
    return _below(batch.least(np.abs(batch.together).min(axis=0)), _half_cosine(degrees) + ROUNDING)


def _still(batch: SequenceBatch, speeds: Single) -> Mask:
    """Return where speeds (..., N) may be none at all; not at the end of a sequence."""
    limit = np.maximum(1e-5, batch.precision) * batch.fps + 4.0 * batch.rounding * batch.fps
    still = ~(speeds > batch.each_frame(limit))
    still[..., batch.ends(1)] = False
    return still


@screen("motion.frozen")
def frozen(batch: SequenceBatch, *, seconds: float) -> Mask:
    """The whole body stands still where the fastest joint does."""
    return batch.has_run(_still(batch, batch.speeds.max(axis=0)), max(seconds * batch.fps, 2.0))


@screen("motion.frozen_joint")
def frozen_joint(batch: SequenceBatch, *, seconds: float, degrees: float, metres: float) -> Mask:
    """A joint holds for long enough in all, and turns somewhere; or hangs in the air for long enough in all."""
    least = max(np.ceil(seconds * batch.fps), 2)
    steps = np.abs(batch.differences(batch.quaternions)).max(axis=0)
    steps[:, batch.ends(1)] = 1.0
    held = batch.total(~_above(steps, 1.1e-6)) >= least
    jerks = _below(batch.least(np.abs(batch.together)), _half_cosine(degrees) + ROUNDING)
    still = _still(batch, batch.speeds)
    long = batch.total(still) >= least
    if not long.any():
        return np.asarray((held & jerks).any(axis=0))
    parents = np.maximum(batch.skeleton.parents, 0)
    margin = _speed_margin(batch)
    high = np.zeros_like(batch.heights)
    high[:, :-1] = batch.heights[:, 1:]
    moving = _above(batch.speeds[parents], 0.002 * batch.fps - margin) & _above(high, metres - margin)
    return np.asarray(((held & jerks) | (batch.total(still & moving) >= least)).any(axis=0))


@screen("motion.jitter")
def jitter(batch: SequenceBatch, *, millimetres: float) -> Mask:
    """In some 30 frames, or 15 if there are no more, the lower quartile is loud: three quarters of them are, as are 11 of the sequence at least."""
    fourth = batch.differences(batch.differences(batch.changes))
    fourth[..., batch.ends(4)] = 0.0
    limit = 1e-3 * millimetres * np.sqrt(0.99 * 70.0 * 1.213) * batch.fps - 8.0 * _speed_margin(batch)
    loud = batch.total(_above(squares(fourth), _squared(limit)))
    return np.asarray((loud >= 11).any(axis=0))


@screen("motion.rest_pose_frame")
def rest_pose_frame(batch: SequenceBatch, *, degrees: float) -> Mask:
    """The pose is that of rest in a frame where all joints but the root are turned by little."""
    if len(batch.skeleton.names) < 2:
        return np.zeros(len(batch.rows), dtype=bool)
    return _above(batch.most(np.abs(batch.rotations[3, 1:]).min(axis=0)), _half_cosine(degrees) - ROUNDING)


_LEGS = tuple(side + name for side in ("Left", "Right") for name in ("UpperLeg", "LowerLeg", "Foot"))
_FEET = tuple(side + point for side in ("Left", "Right") for point in ("Foot", "Toes", "ToesEnd"))


@screen("motion.foot_slide")
def foot_slide(batch: SequenceBatch, *, metres: float, metres_per_second: float, seconds: float) -> Mask:
    """How far they slide is left to the check."""
    if not batch.has(*_LEGS):
        return np.zeros(len(batch.rows), dtype=bool)
    feet = [batch.joint(name) for name in _FEET if batch.has(name)]
    margin, near = _speed_margin(batch), 10.0 * float(batch.rounding.max())
    leg = batch.each_frame(batch.legs)
    after = np.empty_like(batch.heights[: len(feet) + 1])
    after[:, :-1] = batch.heights[[0, *feet], 1:]
    after[:, -1] = 0.0
    lowest = after[1:].min(axis=0)
    low, upright = ~_above(lowest, 0.1 * leg + near), _above(after[0] - lowest, 0.7 * leg - near)
    level = ~_above(np.abs(batch.velocities[1, feet]).min(axis=0), 0.2 + margin)
    slides = _above(np.hypot(batch.velocities[0, feet], batch.velocities[2, feet]).min(axis=0), metres_per_second - margin)
    sliding = low & upright & level & slides
    sliding[batch.ends(1)] = False
    return batch.has_run(sliding, seconds * batch.fps)


@screen("motion.below_floor")
def below_floor(batch: SequenceBatch, *, feet: float, others: float, seconds: float) -> Mask:
    """Feet may be less far below than others."""
    over = np.zeros(len(batch.lowest), dtype=bool)
    margin = float(batch.rounding.max())
    for limit, with_feet in ((feet, True), (others, False)):
        joints = [
            index for index, name in enumerate(batch.skeleton.names) if not name.endswith("End") and name.endswith(("Foot", "Toes")) == with_feet
        ]
        if joints:
            over |= _below(batch.heights[joints].min(axis=0), -1e-3 * limit + margin)
    return batch.total(over) >= max(seconds * batch.fps, 1.0)


@screen("motion.floating")
def floating(batch: SequenceBatch, *, millimetres: float, seconds: float) -> Mask:
    """Everything is in the air where the lowest joint is."""
    high = _above(batch.lowest, 1e-3 * millimetres - float(batch.rounding.max()))
    return batch.has_run(high, np.minimum(seconds * batch.fps, batch.lengths))


@screen("motion.up_axis")
def up_axis(batch: SequenceBatch, **_: float) -> Mask:
    """The trunk is not upright on average."""
    if not batch.has("Neck", *_LEGS):
        return np.zeros(len(batch.rows), dtype=bool)
    trunk, short = _direction(batch, batch.world[:, batch.joint("Neck")] - batch.world[:, 0])
    return _below(batch.total(np.where(short, np.float32(-1.0), trunk[1])), (0.35 + 0.01) * batch.lengths)


@screen("motion.scale")
def scale(batch: SequenceBatch, *, least: float, most: float) -> Mask:
    """Legs are as long as their bones on average."""
    if not batch.has(*_LEGS):
        return np.zeros(len(batch.rows), dtype=bool)
    return _below(batch.legs, least * 1.001) | _above(batch.legs, most * 0.999)


# Features ------------------------------------------------------------------------------------------


def jumps(batch: SequenceBatch) -> Mask:
    """Return in which sequences, (S,) bool, somebody may jump (:func:`mocapgen.inspect.measure.gravity`)."""
    return batch.has_run(_above(batch.lowest, OFF_FLOOR - float(batch.rounding.max())), JUMP)


def walks(batch: SequenceBatch) -> Mask:
    """Return in which sequences, (S,) bool, somebody may walk on (:func:`mocapgen.inspect.measure.gait`): the hips go far enough for it."""
    if not batch.has("LeftFoot", "RightFoot", "LeftLowerLeg"):
        return np.zeros(len(batch.rows), dtype=bool)
    bones = [batch.joint("LeftLowerLeg") - 1, batch.joint("LeftFoot") - 1]
    leg = batch.total(batch.bones[bones].sum(axis=0)) / batch.lengths
    way = batch.total(np.hypot(batch.velocities[0, 0], batch.velocities[2, 0])) / batch.fps
    return _above(1.01 * way + 4.0 * batch.rounding * batch.lengths, STEPS * ADVANCE * leg)


def suspects(batch: SequenceBatch, planned: PlannedCheck) -> Mask:
    """Return the sequences, (S,) bool, that a check has to be run on."""
    usual = planned.check.limits
    sensible = all(value >= min(usual[name], 0.0) for name, value in planned.limits.items())  # below zero, nothing may be a finding
    if planned.check.id not in SCREENS or not sensible:
        return np.ones(len(batch.rows), dtype=bool)
    return SCREENS[planned.check.id](batch, **planned.limits)
