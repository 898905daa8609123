"""The twelve actions: for each a function from an actor, a random generator and a take to a plan of the body."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mocapgen.anatomy.tables import SIDE_SIGNS, SIDES
from mocapgen.core.motion import Array
from mocapgen.sources.procedural.body import Actor, Plan
from mocapgen.sources.procedural.gait import Gait, hop, walk
from mocapgen.sources.procedural.timing import bump, ease, keys

FPS = 120.0


def _clock(seconds: float) -> Array:
    return np.arange(round(seconds * FPS) + 1) / FPS


def _standing(actor: Actor, seconds: float) -> tuple[Array, Plan]:
    """Return the clock and the plan of somebody who stands there and breathes."""
    t = _clock(seconds)
    plan = Plan(actor, len(t))
    plan.trunk[:, 1] += 0.015 * np.sin(2.0 * np.pi * 0.27 * t)
    plan.pelvis[:, 0] += 0.006 * np.sin(2.0 * np.pi * 0.21 * t + 0.5)
    plan.pelvis[:, 1] -= 0.015 * actor.leg
    return t, plan


def _move_wrist(
    plan: Plan, side: str, weight: Array, target: Array | tuple[float, float, float], elbow: tuple[float, float, float] | None = None
) -> None:
    """Blend a wrist towards a target (arm lengths, x outwards), and where its elbow points."""
    plan.wrists[side] += weight[:, None] * (np.asarray(target) - plan.wrists[side])
    if elbow is not None:
        plan.elbows[side] += weight[:, None] * (np.asarray(elbow) - plan.elbows[side])


def _crouch(plan: Plan, weight: Array, depth: float, lean: float, back: float) -> None:
    """Lower the hips by a share of the leg length; the trunk leans forward and the hips go back to keep the balance."""
    leg = plan.actor.leg
    plan.pelvis[:, 1] -= weight * depth * leg
    plan.pelvis[:, 2] -= weight * back * leg
    plan.turn[:, 1] += 0.55 * lean * weight
    plan.trunk[:, 1] += 0.45 * lean * weight
    plan.head[:, 1] -= 0.5 * lean * weight


def _gait(actor: Actor, seconds: float, gait: Gait, width: float = 0.6) -> Plan:
    return walk(actor, _clock(seconds), gait, width)


def walking(actor: Actor, random: np.random.Generator, take: int) -> Plan:
    """Walk a few steps; the third take goes on too long for most purposes."""
    gait = Gait(0.72 * actor.reach, 0.56 / actor.tempo, 0.60, 0.10, 0.955, 0.035, 0.03, 0.30 * actor.reach, 0.06 + 0.1 * actor.elbows, 0.62)
    return _gait(actor, (4.4 if take < 3 else 11.0) * random.uniform(0.9, 1.1), gait)


def jogging(actor: Actor, random: np.random.Generator, take: int) -> Plan:
    """Run at an easy pace, arms bent."""
    gait = Gait(1.05 * actor.reach, 0.37 / actor.tempo, 0.36, 0.30, 0.93, -0.06, 0.14, 0.26 * actor.reach, 0.42, 0.75)
    return _gait(actor, 3.0 * random.uniform(0.9, 1.2), gait, 0.35)


def sneaking(actor: Actor, random: np.random.Generator, take: int) -> Plan:
    """Walk with bent knees, slowly, lifting the feet high."""
    gait = Gait(0.50 * actor.reach, 0.95 / actor.tempo, 0.60, 0.26, 0.84, 0.02, 0.42, 0.16, 0.36, 0.40)
    return _gait(actor, 5.0 * random.uniform(0.9, 1.15), gait, 0.8)


def hopping(actor: Actor, random: np.random.Generator, take: int) -> Plan:
    """Hop forward on both feet, once or three times; once is too short for most purposes."""
    hops = 1 if take == 1 else 3
    height = 0.14 * actor.reach * random.uniform(0.9, 1.1)
    flight = 2.0 * np.sqrt(2.0 * height * actor.leg / 9.81)
    seconds = 0.30 + hops * flight + (hops + 1) * 0.34 / actor.tempo + 0.35 / actor.tempo if hops > 1 else 1.15
    return hop(actor, _clock(seconds), hops, height, 0.45 * actor.reach)


def squatting(actor: Actor, random: np.random.Generator, take: int) -> Plan:
    """Squat down with the arms held out in front, and up again."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, plan = _standing(actor, 3.4 * pace)
    down = keys(t / pace, (0.3, 1.5, 1.8, 3.1), (0.0, 1.0, 1.0, 0.0))
    _crouch(plan, down, 0.50 * min(actor.reach, 1.05), 0.75, 0.22)
    for side in SIDES:
        out = keys(t / pace, (0.2, 1.1, 2.2, 3.2), (0.0, 1.0, 1.0, 0.0))
        _move_wrist(plan, side, out, (-0.05, 0.12, 0.93), (0.6, -0.8, 0.0))
        plan.wrists[side][:, 1] += 0.45 * down * out  # level although the trunk leans
    return plan


def kicking(actor: Actor, random: np.random.Generator, take: int) -> Plan:
    """Kick forward with the left foot, standing on the right one."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, plan = _standing(actor, 2.2 * pace)
    s, leg = t / pace, actor.leg
    free = keys(s, (0.25, 0.65, 1.5, 1.95), (0.0, 1.0, 1.0, 0.0))
    plan.pelvis[:, 0] -= 0.9 * actor.hip * free
    plan.pelvis[:, 1] -= 0.03 * leg * free
    plan.turn[:, 1] += keys(s, (0.3, 0.65, 0.95, 1.4, 1.95), (0.0, 0.15, -0.25, -0.1, 0.0))
    plan.trunk[:, 1] += keys(s, (0.3, 0.65, 0.95, 1.5, 1.95), (0.0, 0.05, 0.30, 0.10, 0.0))
    swing = keys(s, (0.25, 0.65, 0.95, 1.10, 1.95), (0.0, -0.45, 0.72 * actor.reach, 0.68 * actor.reach, 0.0))
    rise = keys(s, (0.25, 0.65, 0.95, 1.10, 1.6, 1.95), (0.0, 0.22, 0.62 * actor.reach, 0.58 * actor.reach, 0.10, 0.0))
    plan.ankles["Left"] += leg * np.stack([-0.05 * free, rise, swing], axis=1)
    plan.feet["Left"][:, 1] = keys(s, (0.25, 0.65, 0.95, 1.2, 1.8), (0.0, 0.8, -0.45, -0.4, 0.0))
    plan.planted["Left"] = (s <= 0.25) | (s >= 1.95)
    for side, sign in SIDE_SIGNS.items():
        _move_wrist(plan, side, 0.8 * free, (0.55, -0.72, 0.10))
        plan.wrists[side][:, 2] -= sign * 0.25 * keys(s, (0.3, 0.65, 0.95, 1.9), (0.0, -0.6, 1.0, 0.0))
    return plan


def throwing(actor: Actor, random: np.random.Generator, take: int) -> Plan:
    """Throw overarm with the right hand, stepping forward with the left foot."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, plan = _standing(actor, 2.6 * pace)
    s, leg = t / pace, actor.leg
    step = ease((s - 0.75) / 0.5)
    plan.ankles["Left"][:, 2] += 0.38 * leg * actor.reach * step
    plan.ankles["Left"][:, 1] += 0.10 * leg * bump((s - 0.75) / 0.5)
    plan.planted["Left"] = (s <= 0.75) | (s >= 1.25)
    plan.pelvis[:, 2] += leg * keys(s, (0.2, 0.75, 1.35), (0.0, -0.07, 0.20 * actor.reach))
    plan.pelvis[:, 1] -= leg * keys(s, (0.2, 0.8, 1.35), (0.0, 0.04, 0.07))
    twist = keys(s, (0.2, 0.95, 1.30, 1.6, 2.4), (0.0, -0.55, 0.40, 0.45, 0.10))
    plan.turn[:, 0] += 0.5 * twist
    plan.trunk[:, 0] += 0.9 * twist
    plan.head[:, 0] -= 1.2 * twist
    plan.trunk[:, 1] += keys(s, (0.3, 0.95, 1.35, 1.7, 2.4), (0.0, -0.15, 0.35, 0.40, 0.08))
    path = keys(
        s,
        (0.2, 0.65, 0.98, 1.50, 1.9, 2.5),
        ((0.16, -0.95, 0.05), (0.35, -0.2, 0.35), (0.50, 0.55, -0.45), (-0.05, 0.05, 0.93), (-0.30, -0.62, 0.55), (0.12, -0.93, 0.15)),
    )
    path += bump((s - 0.98) / 0.52)[:, None] * np.array([0.0, 0.45, 0.0])  # over the shoulder, not past the hip
    _move_wrist(plan, "Right", ease((s - 0.2) / 0.3), path)
    plan.elbows["Right"] += keys(s, (0.3, 0.9, 1.3, 2.0), (0.0, 1.0, 1.0, 0.0))[:, None] * (np.array([1.0, -0.35, -0.25]) - plan.elbows["Right"])
    plan.shrug["Right"] = 0.25 * keys(s, (0.4, 0.95, 1.6), (0.0, 1.0, 0.0))
    _move_wrist(plan, "Left", keys(s, (0.3, 0.9, 1.3, 2.0), (0.0, 1.0, 0.2, 0.0)), (0.05, -0.05, 0.85))
    return plan


def grabbing_high(actor: Actor, random: np.random.Generator, take: int) -> Plan:
    """Take something from a high shelf with the right hand, on the toes at the end."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, plan = _standing(actor, 3.0 * pace)
    s = t / pace
    up = keys(s, (0.3, 1.2, 1.7, 2.7), (0.0, 1.0, 1.0, 0.0))
    _move_wrist(plan, "Right", up, (-0.02, 0.93, 0.30), (0.8, -0.2, -0.3))
    plan.wrists["Right"] += 0.45 * (bump((s - 0.3) / 0.9) + bump((s - 1.7) / 1.0))[:, None] * np.array([0.1, -0.1, 0.5])
    plan.shrug["Right"] = 0.35 * up
    plan.trunk += up[:, None] * np.array([0.25, -0.10, -0.12])
    plan.head += up[:, None] * np.array([-0.15, -0.35, 0.0])
    plan.pelvis[:, 0] -= 0.02 * up
    plan.pelvis[:, 2] += 0.04 * up
    return plan


def depositing(actor: Actor, random: np.random.Generator, take: int) -> Plan:
    """Put something down on the floor with the right hand."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, plan = _standing(actor, 3.6 * pace)
    s = t / pace
    down = keys(s, (0.3, 1.6, 2.0, 3.3), (0.0, 1.0, 1.0, 0.0))
    _crouch(plan, down, 0.53, 1.50, 0.22)
    plan.trunk += down[:, None] * np.array([0.15, 0.10, 0.10])
    _move_wrist(plan, "Right", down, (0.05, -0.35, 0.70))
    _move_wrist(plan, "Left", 0.7 * down, (0.25, -0.62, 0.45), (0.9, -0.2, -0.5))
    return plan


def elbow_to_knee(actor: Actor, random: np.random.Generator, take: int) -> Plan:
    """Hands at the ears, touch a knee with the opposite elbow, one side after the other."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, plan = _standing(actor, 4.4 * pace)
    s, leg = t / pace, actor.leg
    ready = keys(s, (0.2, 0.9, 3.6, 4.3), (0.0, 1.0, 1.0, 0.0))
    for side in SIDES:
        _move_wrist(plan, side, ready, (0.05, 0.42, 0.22), (1.0, -0.05, 0.15))
        plan.shrug[side] = 0.15 * ready
    for side, sign, start in zip(SIDES, (1.0, -1.0), (1.0, 2.3), strict=True):
        lift = keys(s, (start, start + 0.55, start + 0.65, start + 1.2), (0.0, 1.0, 1.0, 0.0))
        plan.ankles[side] += (lift * leg)[:, None] * np.array([-0.12 * sign, 0.52, 0.20])
        plan.feet[side][:, 1] += 0.35 * lift
        plan.planted[side] &= (s <= start) | (s >= start + 1.2)
        plan.pelvis[:, 0] -= sign * 0.85 * actor.hip * keys(s, (start - 0.35, start + 0.15, start + 1.05, start + 1.55), (0.0, 1.0, 1.0, 0.0))
        plan.pelvis[:, 1] -= 0.03 * leg * lift
        plan.turn += lift[:, None] * np.array([-0.15 * sign, -0.10, 0.0])
        plan.trunk += lift[:, None] * np.array([0.75 * sign, 1.0, 0.0])
        other = SIDES[1] if side == "Left" else SIDES[0]
        _move_wrist(plan, other, 0.5 * lift, (-0.05, 0.30, 0.45), (0.4, -0.45, 0.8))
    return plan


def rotating_arms(actor: Actor, random: np.random.Generator, take: int) -> Plan:
    """Circle both arms backward, twice."""
    pace = random.uniform(0.9, 1.1) / actor.tempo
    t, plan = _standing(actor, 3.6 * pace)
    angle = 4.0 * np.pi * ease((t / pace - 0.3) / 3.0)  # from hanging, forward and up, then back
    out = 0.25 + 0.12 * (1.0 - np.cos(angle))
    circle = np.stack([out, -np.cos(angle), np.sin(angle)], axis=1)
    circle *= 0.96 / np.linalg.norm(circle, axis=1, keepdims=True)
    behind = np.stack([0.3 * np.ones_like(angle), -np.sin(angle), -np.cos(angle)], axis=1)  # the elbow trails the circle
    there = keys(t / pace, (0.0, 0.3, 3.3, 3.6), (0.0, 1.0, 1.0, 0.0))
    for side in SIDES:
        _move_wrist(plan, side, there, circle)
        plan.elbows[side] += there[:, None] * (behind - plan.elbows[side])
        plan.shrug[side] = 0.12 * (1.0 - np.cos(angle)) * there
    plan.trunk[:, 1] += -0.06 * np.sin(angle)
    return plan


def lying_down(actor: Actor, random: np.random.Generator, take: int) -> Plan:
    """Crouch, sit down with the hands behind, roll back and lie."""
    pace = random.uniform(0.95, 1.1) / actor.tempo
    t, plan = _standing(actor, 6.0 * pace)
    s, leg = t / pace, actor.leg
    times = (0.3, 1.5, 2.4, 4.0, 5.4)
    floor = 0.115
    stand = float(plan.pelvis[0, 1])
    sway = plan.pelvis[:, 0].copy()
    plan.pelvis = keys(s, times[:4], ((0.0, stand, 0.0), (0.0, 0.36 * leg, -0.24 * leg), (0.0, floor, -0.50 * leg), (0.0, floor, -0.62 * leg)))
    plan.pelvis[:, 0] += sway * (1.0 - ease(s - 0.3))
    plan.turn[:, 1] += keys(s, times[:4], (0.0, 0.45, -0.25, -1.44))
    plan.trunk[:, 1] += keys(s, (0.3, 1.5, 2.4, 3.3, 4.2), (0.0, 0.75, 0.75, 0.55, 0.0)) - actor.lean * ease((s - 3.0) / 1.0)
    plan.head[:, 1] += keys(s, (0.3, 1.5, 2.4, 3.3, 4.4), (0.0, -0.45, 0.0, 0.25, 0.08))
    slide = keys(s, (2.6, 4.0, 5.6), (0.0, 0.0, 1.0))
    for side in SIDES:
        plan.ankles[side][:, 2] += slide * 0.38 * leg
        plan.ankles[side][:, 1] += slide * 0.02 + 0.05 * bump((s - 4.0) / 1.6)
        plan.feet[side][:, 1] -= slide * 1.05
        plan.planted[side] = s <= 4.0
        _move_wrist(plan, side, keys(s, (0.4, 1.5), (0.0, 1.0)), (0.15, -0.72, 0.50))
        _move_wrist(plan, side, keys(s, (1.4, 2.2), (0.0, 1.0)), (0.45, -0.62, 0.05), (0.6, 0.0, -1.0))
        _move_wrist(plan, side, keys(s, (2.5, 4.0), (0.0, 1.0)), (0.32, -0.84, 0.24), (1.0, 0.0, -0.1))
    return plan


ACTIONS: dict[str, Callable[[Actor, np.random.Generator, int], Plan]] = {
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
"""Name of each action, as in clip ids, and what makes its plan."""
