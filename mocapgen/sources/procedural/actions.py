"""The twelve actions: for each a function from an actor, a random generator and a take to the targets of a body."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mocapgen.anatomy.tables import SIDE_SIGNS, SIDES
from mocapgen.core.motion import Array
from mocapgen.sources.procedural.body import Actor, BodyTargets
from mocapgen.sources.procedural.gait import Gait, hop, walk
from mocapgen.sources.procedural.timing import bump, ease, keys

FPS = 120.0


def _clock(seconds: float) -> Array:
    return np.arange(round(seconds * FPS) + 1) / FPS


def _standing(actor: Actor, seconds: float) -> tuple[Array, BodyTargets]:
    """Return the clock and the targets of a person who stands and breathes."""
    t = _clock(seconds)
    targets = BodyTargets(actor, len(t))
    targets.trunk[:, 1] += 0.015 * np.sin(2.0 * np.pi * 0.27 * t)
    targets.pelvis[:, 0] += 0.006 * np.sin(2.0 * np.pi * 0.21 * t + 0.5)
    targets.pelvis[:, 1] -= 0.015 * actor.leg
    return t, targets


def _move_wrist(
    targets: BodyTargets, side: str, weight: Array, target: Array | tuple[float, float, float], elbow: tuple[float, float, float] | None = None
) -> None:
    """Blend a wrist towards a target (arm lengths, x outwards), and where its elbow points."""
    targets.wrists[side] += weight[:, None] * (np.asarray(target) - targets.wrists[side])
    if elbow is not None:
        targets.elbows[side] += weight[:, None] * (np.asarray(elbow) - targets.elbows[side])


def _crouch(targets: BodyTargets, weight: Array, depth: float, lean: float, back: float) -> None:
    """Lower the hips by a share of the leg length; the trunk leans forward and the hips go back to keep the balance."""
    leg = targets.actor.leg
    targets.pelvis[:, 1] -= weight * depth * leg
    targets.pelvis[:, 2] -= weight * back * leg
    targets.turn[:, 1] += 0.55 * lean * weight
    targets.trunk[:, 1] += 0.45 * lean * weight
    targets.head[:, 1] -= 0.5 * lean * weight


def _gait(actor: Actor, seconds: float, gait: Gait, width: float = 0.6) -> BodyTargets:
    return walk(actor, _clock(seconds), gait, width)


def walking(actor: Actor, random: np.random.Generator, take: int) -> BodyTargets:
    """Walk a few steps; the third take goes on too long for most purposes."""
    gait = Gait(0.72 * actor.reach, 0.56 / actor.tempo, 0.60, 0.10, 0.955, 0.035, 0.03, 0.30 * actor.reach, 0.06 + 0.1 * actor.elbows, 0.62)
    return _gait(actor, (4.4 if take < 3 else 11.0) * random.uniform(0.9, 1.1), gait)


def jogging(actor: Actor, random: np.random.Generator, take: int) -> BodyTargets:
    """Run at an easy pace, arms bent."""
    gait = Gait(1.05 * actor.reach, 0.37 / actor.tempo, 0.36, 0.30, 0.93, -0.06, 0.14, 0.26 * actor.reach, 0.42, 0.75)
    return _gait(actor, 3.0 * random.uniform(0.9, 1.2), gait, 0.35)


def sneaking(actor: Actor, random: np.random.Generator, take: int) -> BodyTargets:
    """Walk with bent knees, slowly, lifting the feet high."""
    gait = Gait(0.50 * actor.reach, 0.95 / actor.tempo, 0.60, 0.26, 0.84, 0.02, 0.42, 0.16, 0.36, 0.40)
    return _gait(actor, 5.0 * random.uniform(0.9, 1.15), gait, 0.8)


def hopping(actor: Actor, random: np.random.Generator, take: int) -> BodyTargets:
    """Hop forward on both feet, once or three times; once is too short for most purposes."""
    hops = 1 if take == 1 else 3
    height = 0.14 * actor.reach * random.uniform(0.9, 1.1)
    flight = 2.0 * np.sqrt(2.0 * height * actor.leg / 9.81)
    seconds = 0.30 + hops * flight + (hops + 1) * 0.34 / actor.tempo + 0.35 / actor.tempo if hops > 1 else 1.15
    return hop(actor, _clock(seconds), hops, height, 0.45 * actor.reach)


def squatting(actor: Actor, random: np.random.Generator, take: int) -> BodyTargets:
    """Squat down with the arms held out in front, and up again."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, targets = _standing(actor, 3.4 * pace)
    down = keys(t / pace, (0.3, 1.5, 1.8, 3.1), (0.0, 1.0, 1.0, 0.0))
    _crouch(targets, down, 0.50 * min(actor.reach, 1.05), 0.75, 0.22)
    for side in SIDES:
        out = keys(t / pace, (0.2, 1.1, 2.2, 3.2), (0.0, 1.0, 1.0, 0.0))
        _move_wrist(targets, side, out, (-0.05, 0.12, 0.93), (0.6, -0.8, 0.0))
        targets.wrists[side][:, 1] += 0.45 * down * out  # level although the trunk leans
    return targets


def kicking(actor: Actor, random: np.random.Generator, take: int) -> BodyTargets:
    """Kick forward with the left foot, standing on the right one."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, targets = _standing(actor, 2.2 * pace)
    s, leg = t / pace, actor.leg
    free = keys(s, (0.25, 0.65, 1.5, 1.95), (0.0, 1.0, 1.0, 0.0))
    targets.pelvis[:, 0] -= 0.9 * actor.hip * free
    targets.pelvis[:, 1] -= 0.03 * leg * free
    targets.turn[:, 1] += keys(s, (0.3, 0.65, 0.95, 1.4, 1.95), (0.0, 0.15, -0.25, -0.1, 0.0))
    targets.trunk[:, 1] += keys(s, (0.3, 0.65, 0.95, 1.5, 1.95), (0.0, 0.05, 0.30, 0.10, 0.0))
    swing = keys(s, (0.25, 0.65, 0.95, 1.10, 1.95), (0.0, -0.45, 0.72 * actor.reach, 0.68 * actor.reach, 0.0))
    rise = keys(s, (0.25, 0.65, 0.95, 1.10, 1.6, 1.95), (0.0, 0.22, 0.62 * actor.reach, 0.58 * actor.reach, 0.10, 0.0))
    targets.ankles["Left"] += leg * np.stack([-0.05 * free, rise, swing], axis=1)
    targets.feet["Left"][:, 1] = keys(s, (0.25, 0.65, 0.95, 1.2, 1.8), (0.0, 0.8, -0.45, -0.4, 0.0))
    targets.planted["Left"] = (s <= 0.25) | (s >= 1.95)
    for side, sign in SIDE_SIGNS.items():
        _move_wrist(targets, side, 0.8 * free, (0.55, -0.72, 0.10))
        targets.wrists[side][:, 2] -= sign * 0.25 * keys(s, (0.3, 0.65, 0.95, 1.9), (0.0, -0.6, 1.0, 0.0))
    return targets


def throwing(actor: Actor, random: np.random.Generator, take: int) -> BodyTargets:
    """Throw overarm with the right hand, stepping forward with the left foot."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, targets = _standing(actor, 2.6 * pace)
    s, leg = t / pace, actor.leg
    step = ease((s - 0.75) / 0.5)
    targets.ankles["Left"][:, 2] += 0.38 * leg * actor.reach * step
    targets.ankles["Left"][:, 1] += 0.10 * leg * bump((s - 0.75) / 0.5)
    targets.planted["Left"] = (s <= 0.75) | (s >= 1.25)
    targets.pelvis[:, 2] += leg * keys(s, (0.2, 0.75, 1.35), (0.0, -0.07, 0.20 * actor.reach))
    targets.pelvis[:, 1] -= leg * keys(s, (0.2, 0.8, 1.35), (0.0, 0.04, 0.07))
    twist = keys(s, (0.2, 0.95, 1.30, 1.6, 2.4), (0.0, -0.55, 0.40, 0.45, 0.10))
    targets.turn[:, 0] += 0.5 * twist
    targets.trunk[:, 0] += 0.9 * twist
    targets.head[:, 0] -= 1.2 * twist
    targets.trunk[:, 1] += keys(s, (0.3, 0.95, 1.35, 1.7, 2.4), (0.0, -0.15, 0.35, 0.40, 0.08))
    path = keys(
        s,
        (0.2, 0.65, 0.98, 1.50, 1.9, 2.5),
        ((0.16, -0.95, 0.05), (0.35, -0.2, 0.35), (0.50, 0.55, -0.45), (-0.05, 0.05, 0.93), (-0.30, -0.62, 0.55), (0.12, -0.93, 0.15)),
    )
    path += bump((s - 0.98) / 0.52)[:, None] * np.array([0.0, 0.45, 0.0])  # over the shoulder, not past the hip
    _move_wrist(targets, "Right", ease((s - 0.2) / 0.3), path)
    targets.elbows["Right"] += keys(s, (0.3, 0.9, 1.3, 2.0), (0.0, 1.0, 1.0, 0.0))[:, None] * (
        np.array([1.0, -0.35, -0.25]) - targets.elbows["Right"]
    )
    targets.shrug["Right"] = 0.25 * keys(s, (0.4, 0.95, 1.6), (0.0, 1.0, 0.0))
    _move_wrist(targets, "Left", keys(s, (0.3, 0.9, 1.3, 2.0), (0.0, 1.0, 0.2, 0.0)), (0.05, -0.05, 0.85))
    return targets


def grabbing_high(actor: Actor, random: np.random.Generator, take: int) -> BodyTargets:
    """Take something from a high shelf with the right hand, on the toes at the end."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, targets = _standing(actor, 3.0 * pace)
    s = t / pace
    up = keys(s, (0.3, 1.2, 1.7, 2.7), (0.0, 1.0, 1.0, 0.0))
    _move_wrist(targets, "Right", up, (-0.02, 0.93, 0.30), (0.8, -0.2, -0.3))
    targets.wrists["Right"] += 0.45 * (bump((s - 0.3) / 0.9) + bump((s - 1.7) / 1.0))[:, None] * np.array([0.1, -0.1, 0.5])
    targets.shrug["Right"] = 0.35 * up
    targets.trunk += up[:, None] * np.array([0.25, -0.10, -0.12])
    targets.head += up[:, None] * np.array([-0.15, -0.35, 0.0])
    targets.pelvis[:, 0] -= 0.02 * up
    targets.pelvis[:, 2] += 0.04 * up
    return targets


def depositing(actor: Actor, random: np.random.Generator, take: int) -> BodyTargets:
    """Put something down on the floor with the right hand."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, targets = _standing(actor, 3.6 * pace)
    s = t / pace
    down = keys(s, (0.3, 1.6, 2.0, 3.3), (0.0, 1.0, 1.0, 0.0))
    _crouch(targets, down, 0.53, 1.50, 0.22)
    targets.trunk += down[:, None] * np.array([0.15, 0.10, 0.10])
    _move_wrist(targets, "Right", down, (0.05, -0.35, 0.70))
    _move_wrist(targets, "Left", 0.7 * down, (0.25, -0.62, 0.45), (0.9, -0.2, -0.5))
    return targets


def elbow_to_knee(actor: Actor, random: np.random.Generator, take: int) -> BodyTargets:
    """Hands at the ears, touch a knee with the opposite elbow, one side after the other."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, targets = _standing(actor, 4.4 * pace)
    s, leg = t / pace, actor.leg
    ready = keys(s, (0.2, 0.9, 3.6, 4.3), (0.0, 1.0, 1.0, 0.0))
    for side in SIDES:
        _move_wrist(targets, side, ready, (0.05, 0.42, 0.22), (1.0, -0.05, 0.15))
        targets.shrug[side] = 0.15 * ready
    for side, sign, start in zip(SIDES, (1.0, -1.0), (1.0, 2.3), strict=True):
        lift = keys(s, (start, start + 0.55, start + 0.65, start + 1.2), (0.0, 1.0, 1.0, 0.0))
        targets.ankles[side] += (lift * leg)[:, None] * np.array([-0.12 * sign, 0.52, 0.20])
        targets.feet[side][:, 1] += 0.35 * lift
        targets.planted[side] &= (s <= start) | (s >= start + 1.2)
        targets.pelvis[:, 0] -= sign * 0.85 * actor.hip * keys(s, (start - 0.35, start + 0.15, start + 1.05, start + 1.55), (0.0, 1.0, 1.0, 0.0))
        targets.pelvis[:, 1] -= 0.03 * leg * lift
        targets.turn += lift[:, None] * np.array([-0.15 * sign, -0.10, 0.0])
        targets.trunk += lift[:, None] * np.array([0.75 * sign, 1.0, 0.0])
        other = SIDES[1] if side == "Left" else SIDES[0]
        _move_wrist(targets, other, 0.5 * lift, (-0.05, 0.30, 0.45), (0.4, -0.45, 0.8))
    return targets


def rotating_arms(actor: Actor, random: np.random.Generator, take: int) -> BodyTargets:
    """Circle both arms backward, twice."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, targets = _standing(actor, 3.6 * pace)
    angle = 4.0 * np.pi * ease((t / pace - 0.3) / 3.0)  # from hanging, forward and up, then back
    out = 0.25 + 0.12 * (1.0 - np.cos(angle))
    circle = np.stack([out, -np.cos(angle), np.sin(angle)], axis=1)
    circle *= 0.96 / np.linalg.norm(circle, axis=1, keepdims=True)
    behind = np.stack([0.3 * np.ones_like(angle), -np.sin(angle), -np.cos(angle)], axis=1)  # the elbow trails the circle
    there = keys(t / pace, (0.0, 0.3, 3.3, 3.6), (0.0, 1.0, 1.0, 0.0))
    for side in SIDES:
        _move_wrist(targets, side, there, circle)
        targets.elbows[side] += there[:, None] * (behind - targets.elbows[side])
        targets.shrug[side] = 0.12 * (1.0 - np.cos(angle)) * there
    targets.trunk[:, 1] += -0.06 * np.sin(angle)
    return targets


def lying_down(actor: Actor, random: np.random.Generator, take: int) -> BodyTargets:
    """Crouch, sit down with the hands behind, roll back and lie."""
    pace = random.uniform(0.95, 1.1) / actor.tempo
    t, targets = _standing(actor, 6.0 * pace)
    s, leg = t / pace, actor.leg
    times = (0.3, 1.5, 2.4, 4.0, 5.4)
    floor = 0.115
    stand = float(targets.pelvis[0, 1])
    sway = targets.pelvis[:, 0].copy()
    targets.pelvis = keys(s, times[:4], ((0.0, stand, 0.0), (0.0, 0.36 * leg, -0.24 * leg), (0.0, floor, -0.50 * leg), (0.0, floor, -0.62 * leg)))
    targets.pelvis[:, 0] += sway * (1.0 - ease(s - 0.3))
    targets.turn[:, 1] += keys(s, times[:4], (0.0, 0.45, -0.25, -1.44))
    targets.trunk[:, 1] += keys(s, (0.3, 1.5, 2.4, 3.3, 4.2), (0.0, 0.75, 0.75, 0.55, 0.0)) - actor.lean * ease((s - 3.0) / 1.0)
    targets.head[:, 1] += keys(s, (0.3, 1.5, 2.4, 3.3, 4.4), (0.0, -0.45, 0.0, 0.25, 0.08))
    slide = keys(s, (2.6, 4.0, 5.6), (0.0, 0.0, 1.0))
    for side in SIDES:
        targets.ankles[side][:, 2] += slide * 0.38 * leg
        targets.ankles[side][:, 1] += slide * 0.02 + 0.05 * bump((s - 4.0) / 1.6)
        targets.feet[side][:, 1] -= slide * 1.05
        targets.planted[side] = s <= 4.0
        _move_wrist(targets, side, keys(s, (0.4, 1.5), (0.0, 1.0)), (0.15, -0.72, 0.50))
        _move_wrist(targets, side, keys(s, (1.4, 2.2), (0.0, 1.0)), (0.45, -0.62, 0.05), (0.6, 0.0, -1.0))
        _move_wrist(targets, side, keys(s, (2.5, 4.0), (0.0, 1.0)), (0.32, -0.84, 0.24), (1.0, 0.0, -0.1))
    return targets


ACTIONS: dict[str, Callable[[Actor, np.random.Generator, int], BodyTargets]] = {
    "depositFloor": depositing,
    "elbowToKnee": elbow_to_knee,
    "grabHigh": grabbing_high,
    "hop": hopping,
    "jog": jogging,
    "kick": kicking,
    "lieDown": lying_down,
    "rotateArms": rotating_arms,
    "sneak": sneaking,
    "squat": squatting,
    "throw": throwing,
    "walk": walking,
}
"""Name of each action, as in clip ids, and what makes its targets."""
