"""Walking and running: feet at rest during contact, and a body that moves over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mocapgen.anatomy.tables import SIDE_SIGNS, SIDES
from mocapgen.core.motion import Array
from mocapgen.sources.procedural.body import Actor, BodyTargets
from mocapgen.sources.procedural.timing import bump, ease

GRAVITY = 9.81


@dataclass(frozen=True)
class Gait:
    """A way of walking.

    Parameters
    ----------
    step_length : float
        In leg lengths.
    step_time : float, seconds
    duty : float
        Share of a stride (two steps) that a foot stands: above 0.5 one walks, below one runs.
    lift : float
        Height of the ankle in swing, leg lengths.
    height : float
        Mean height of the hips over the ankles, leg lengths.
    bob : float
        How much the hips rise and fall, leg lengths; positive: highest in the middle of the stance.
    lean : float
        Forward lean of the trunk, radians.
    arm : float
        Swing of the wrists, arm lengths.
    elbow : float
        How far the wrists are drawn up, arm lengths.
    heel : float
        How far the heel rises before the foot leaves the floor, radians.
    """

    step_length: float
    step_time: float
    duty: float
    lift: float
    height: float
    bob: float
    lean: float
    arm: float
    elbow: float
    heel: float


def walk(actor: Actor, t: Array, gait: Gait, width: float = 0.6) -> BodyTargets:
    """Return the targets of steady steps along +z.

    Parameters
    ----------
    actor : Actor
    t : (T,) float64, seconds
    gait : Gait
    width : float
        Distance of the feet from the midline, in hip widths.
    """
    targets = BodyTargets(actor, len(t))
    stride = 2.0 * gait.step_time
    speed = gait.step_length * actor.leg / gait.step_time
    targets.pelvis[:, 2] = speed * t
    phase = 2.0 * np.pi * t / stride  # 0: the left foot stands in the middle of its stance
    targets.pelvis[:, 0] = 0.02 * np.cos(phase)
    targets.pelvis[:, 1] = actor.ankle + actor.leg * (gait.height + 0.5 * gait.bob * np.cos(2.0 * phase))
    swing = np.sin(phase)  # positive: the right foot is in front
    targets.turn += np.stack([0.10 * swing, np.full_like(t, 0.3 * gait.lean), 0.03 * np.cos(phase)], axis=1)
    targets.trunk += np.stack([-0.2 * swing, np.full_like(t, 0.7 * gait.lean), -0.05 * np.cos(phase)], axis=1)
    targets.head += np.stack([0.1 * swing, np.full_like(t, -0.6 * gait.lean), np.zeros_like(t)], axis=1)
    for side, sign, late in zip(SIDES, (1.0, -1.0), (0.0, 0.5), strict=True):
        _foot(targets, side, sign * actor.hip * width, t / stride - late, gait, speed * stride, late)
        targets.wrists[side][:, 1] += gait.elbow + 0.1 * gait.arm * swing**2
        targets.wrists[side][:, 2] += sign * gait.arm * swing + 0.6 * gait.elbow
    _within_reach(targets)
    return targets


def _foot(targets: BodyTargets, side: str, x: float, cycles: Array, gait: Gait, stride_length: float, late: float) -> None:
    """Lay out one foot: at whole numbers of `cycles` it is in the middle of its stance."""
    actor = targets.actor
    number = np.round(cycles)
    within = cycles - number  # -0.5 to 0.5
    half = 0.5 * gait.duty
    standing = np.abs(within) <= half
    # Before the middle of a swing the foot leaves this foothold, after it it comes to the next one.
    left = np.where(standing, number, np.floor(cycles))
    swung = np.where(standing, 0.0, (cycles - left - half) / (1.0 - gait.duty))
    hold = (left + late) * stride_length - 0.05 * actor.leg
    ball = np.stack([np.full_like(cycles, x), np.zeros_like(cycles), hold + stride_length * ease(swung)], axis=1)
    # The heel rises late in the stance, about the ball; in swing the foot levels out again.
    rising = ease((within - 0.15 * half) / (0.85 * half)) if gait.heel else np.zeros_like(cycles)
    heel = gait.heel * np.where(standing, rising, 1.0 - ease(swung / 0.7))
    toe_up = np.where(standing, 0.0, 0.25 * bump(np.clip((swung - 0.4) / 0.6, 0.0, 1.0)))
    pitch = heel - toe_up
    skeleton = actor.skeleton
    down, ahead = skeleton.offsets[skeleton.index(f"{side}Toes"), 1:]
    back = np.stack([np.zeros_like(pitch), -down * np.cos(pitch) + ahead * np.sin(pitch), -down * np.sin(pitch) - ahead * np.cos(pitch)], axis=1)
    flat = np.array([0.0, actor.ankle + down, ahead])  # the ball of a flat foot, from the point below its ankle
    targets.ankles[side] = ball + flat + back
    targets.ankles[side][:, 1] += gait.lift * actor.leg * bump(swung)
    # The higher the foot swings, the more it hangs: kept level, it would be bent up against the shank as no ankle can be.
    targets.feet[side] = np.stack([np.zeros_like(pitch), pitch + 2.2 * gait.lift * bump(swung)], axis=1)
    targets.toes[side] = heel
    targets.planted[side] = standing


def _within_reach(targets: BodyTargets) -> None:
    """Lower the hips, all the time by the same amount, until both legs reach their feet."""
    needed = 0.0
    for side, sign in SIDE_SIGNS.items():
        reach = targets.ankles[side] - targets.pelvis - np.array([sign * targets.actor.hip, 0.0, 0.0])
        level = np.hypot(reach[:, 0], reach[:, 2])
        highest = np.sqrt(np.maximum((0.99 * targets.actor.leg) ** 2 - level**2, 0.0))
        needed = max(needed, float((-reach[:, 1] - highest).max()))
    targets.pelvis[:, 1] -= needed


def hop(actor: Actor, t: Array, hops: int, height: float, length: float) -> BodyTargets:
    """Return the targets of hops on both feet along +z, with flights as gravity has them.

    Parameters
    ----------
    actor : Actor
    t : (T,) float64, seconds
    hops : int
    height, length : float, leg lengths
        Rise of the hips in flight; way of each hop.
    """
    targets = BodyTargets(actor, len(t))
    up = np.sqrt(2.0 * GRAVITY * height * actor.leg)  # speed at take-off
    flight, ground, begin = 2.0 * up / GRAVITY, 0.34 / actor.tempo, 0.35 / actor.tempo
    depth = 0.14 * actor.leg * actor.reach
    top = targets.pelvis[0, 1] - 0.05 * actor.leg
    y, z, air = np.zeros_like(t), np.zeros_like(t), np.zeros_like(t)
    crouched = np.zeros_like(t)
    for index in range(hops):
        start = begin + ground + index * (flight + ground)
        inside = (t >= start) & (t < start + flight)
        s = (t - start) / flight
        y[inside] = (up * (t - start) - 0.5 * GRAVITY * (t - start) ** 2)[inside]
        z += length * actor.leg * ease(s)
        air += bump(s)
        for side in SIDES:
            targets.planted[side] &= ~inside
    for index in range(hops + 1):
        start = begin + index * (flight + ground)
        s = (t - start) / ground
        inside = (s >= 0) & (s < 1)
        first, last = index == 0, index == hops
        speeds = (0.0 if first else -up * ground, 0.0 if last else up * ground)
        pulls = (0.0 if first else -GRAVITY * ground**2, 0.0 if last else -GRAVITY * ground**2)
        dip = _quintic(s, speeds, pulls)
        y[inside] += (dip - depth * bump(s))[inside]
        crouched += bump(s)
    targets.pelvis[:, 1] = top + y
    targets.pelvis[:, 2] = z - 0.16 * actor.leg * crouched  # hips back, or the ankles would bend too far
    targets.trunk[:, 1] += 0.3 * crouched + 0.1
    targets.turn[:, 1] += 0.15 * crouched
    for side in SIDES:
        targets.ankles[side][:, 1] += 1.15 * height * actor.leg * air
        targets.ankles[side][:, 2] += z
        targets.feet[side][:, 1] = 0.45 * air
        targets.wrists[side][:, 1] += 0.18 * air + 0.1
        targets.wrists[side][:, 2] += 0.35 * air - 0.25 * crouched + 0.1
    _within_reach(targets)
    return targets


def _quintic(s: Array, speeds: tuple[float, float], pulls: tuple[float, float]) -> Array:
    """Return the polynomial over 0 to 1 from 0 to 0 with these speeds and accelerations at its two ends."""
    c1, c2 = speeds[0], 0.5 * pulls[0]
    matrix = np.array([[1.0, 1.0, 1.0], [3.0, 4.0, 5.0], [6.0, 12.0, 20.0]])  # value, speed, acceleration at 1
    c3, c4, c5 = np.linalg.solve(matrix, [-c1 - c2, speeds[1] - c1 - 2.0 * c2, pulls[1] - 2.0 * c2])
    return s * (c1 + s * (c2 + s * (c3 + s * (c4 + s * c5))))
