"""Planted feet that stay where they are: two-bone inverse kinematics of the legs."""

from __future__ import annotations

import numpy as np

from trainer.predict.tracks import Array, Flags
from trainer.predict.world.banded import penalised
from trainer.predict.world.body import Body, Foot
from trainer.predict.world.contacts import slowness
from trainer.predict.world.runs import Rows, run_means, runs
from trainer.predict.world.smooth import penalty_of

_BLEND = 2.5 / 30.0
"""Seconds in which a correction fades: it is gone after about twice that."""
_FIRM = 3e3
"""Weight of a planted sole, against 1 of a free one."""
_WIDEST = 0.12
"""Metres that a planted sole may be away from its place; a longer way is several places."""
_SAME_PLACE = 0.01
"""Metres by which the place of a planted foot changes from frame to frame at most."""
_LEAST = 8
"""Frames of a run that may be cut."""
_HIGHEST = 0.15
"""Metres above the floor up to which a sole stands on it."""
_NEAR = 0.02
"""Metres by which planted soles may be higher or lower than those of people who stand flat: shoes and skeletons differ."""
_STRAIGHT = 0.999
"""Share of a leg's length that the hip and the ankle are apart at most."""
_STAY = 1.0
"""Weight against the body's following its feet; each leg has 1."""
_CALM = 3.0
"""Hz: waves of its following of which half is kept."""


def hold_feet(positions: Array, contacts: Flags, body: Body, fps: float, floor: bool) -> Array:
    """Return a motion whose planted feet stay where they are.

    The foot is moved to its place, the knee follows in the plane in which it bends, and the whole body comes along so far that the knees
    bend as they did.
    Before and after a contact the correction fades, so that nothing snaps.

    Parameters
    ----------
    positions : (T, J, 3) float, metres
        World frame, y up.
    contacts : (T, P) bool
        Where the body's soles are planted (:func:`trainer.predict.world.contacts.planted`).
    body : Body
    fps : float
    floor : bool
        Planted soles stand on the floor at y = 0, and no sole is below it.

    Returns
    -------
    (T, J, 3) float64, metres
        With bones of the same lengths.
    """
    out = np.array(positions, dtype=np.float64)
    wanted: list[tuple[Foot, Array]] = []
    column = 0
    for foot in body.feet:
        count = len(foot.soles)
        wanted.append((foot, _wanted(positions, contacts[:, column : column + count], foot, fps, floor)))
        column += count
    shift = _follow(positions, wanted, fps)
    out += shift[:, None]
    for foot, goals in wanted:
        _bend(out, foot, goals)
    return out


def _wanted(positions: Array, contacts: Flags, foot: Foot, fps: float, floor: bool) -> Array:
    """Return where the joints of a foot should be, (T, joints of ``foot.moved``, 3): first the ankle."""
    soles = [_held(positions[:, sole], on, height if floor else None) for sole, on, height in zip(foot.soles, contacts.T, foot.heights, strict=True)]
    flat: Flags = np.all(contacts, axis=1)
    ankle = positions[:, foot.ankle]
    pull = np.zeros_like(ankle)
    for sole, on, held in zip(foot.soles, contacts.T, soles, strict=True):
        pull = np.where(on[:, None], held - positions[:, sole], pull)
    pull = np.where(flat[:, None], _held(ankle, flat, None) - ankle, pull) if len(soles) > 1 else pull
    if floor and len(soles) > 1:
        rise = np.mean([held - positions[:, sole] for sole, held in zip(foot.soles, soles, strict=True)], axis=0)
        pull[flat, 1] = _held(ankle + rise, flat, None)[flat, 1] - ankle[flat, 1]
    moved = _fade(pull, _steady(ankle + pull, np.any(contacts, axis=1), fps), fps)
    goals = [ankle + moved]
    if foot.ankle not in foot.soles:
        for sole, on, held in zip(foot.soles, contacts.T, soles, strict=True):
            goals.append(positions[:, sole] + moved + _fade(held - positions[:, sole] - moved, _steady(held, on, fps), fps))
    wanted = np.stack(goals, axis=1)
    if floor:
        lowest = wanted[:, -len(foot.soles) :, 1] - np.array(foot.heights) + _NEAR
        wanted[..., 1] += np.maximum(-lowest.min(axis=1), 0.0)[:, None]
    return wanted


def _steady(place: Array, on: Flags, fps: float) -> Flags:
    """Return where a foot is planted, without the frames about a change of its place: there it is not held, so that it gets there by itself.

    The place changes where a contact is cut into two places, and where a heel or toe comes down or lifts beside a planted one.
    """
    changes = np.zeros(len(on), dtype=bool)
    changes[1:] = (np.linalg.norm(np.diff(place, axis=0), axis=1) > _SAME_PLACE) & on[1:] & on[:-1]
    about = round(_BLEND * fps)
    near = np.convolve(changes, np.ones(2 * about), "full")[about : about + len(on)] > 0.5
    return np.asarray(on & ~near)


def _held(point: Array, on: Flags, height: float | None) -> Array:
    """Return the place of a planted point in each frame, (T, 3); where it is not planted, the point itself."""
    held = np.array(point)
    first, end = _places(point, on)
    means = run_means(point, slowness(point), first, end)
    if height is not None:
        means[:, 1] = np.where(means[:, 1] < height + _HIGHEST, np.clip(means[:, 1], height - _NEAR, height + _NEAR), means[:, 1])
    held[on] = np.repeat(means, end - first, axis=0)
    return held


def _places(point: Array, on: Flags) -> tuple[Rows, Rows]:
    """Return the runs in which a point is planted; one in which it moves too far for one place is cut where it moves fastest."""
    first, end = runs(on)
    mean = np.repeat(run_means(point, slowness(point), first, end), end - first, axis=0)
    far = np.zeros(len(point), dtype=bool)
    far[on] = np.square(point[on] - mean).sum(axis=1) > _WIDEST**2
    cuts: list[int] = []
    for begin, stop in zip(first.tolist(), end.tolist(), strict=True):
        if far[begin:stop].any():
            _cut(point, begin, stop, cuts)
    inner = np.array(cuts, dtype=np.intp)
    return np.sort(np.concatenate([first, inner])), np.sort(np.concatenate([end, inner]))


def _cut(point: Array, first: int, end: int, cuts: list[int]) -> None:
    """Cut a run of frames until each part is one place, `cuts` in place."""
    if end - first < _LEAST or np.linalg.norm(point[first:end] - point[first:end].mean(axis=0), axis=1).max() <= _WIDEST:
        return
    steps = np.linalg.norm(point[first + 4 : end - 1] - point[first + 2 : end - 3], axis=1)
    cut = first + 3 + int(steps.argmax())
    cuts.append(cut)
    _cut(point, first, cut, cuts)
    _cut(point, cut, end, cuts)


def _fade(correction: Array, on: Flags, fps: float) -> Array:
    """Return a correction (T, 3) that is itself where `on`, fades in and out beside that, and is 0 elsewhere."""
    if not on.any():
        return np.zeros_like(correction)
    stiffness = (_BLEND * fps) ** 4
    weight = np.where(on, _FIRM * max(stiffness, 1.0), 1.0)[:, None]
    penalty = np.full((max(len(on) - 2, 0), 1), stiffness)
    return penalised(np.where(on[:, None], correction, 0.0)[:, None], weight, penalty, 2)[:, 0]


def _follow(positions: Array, wanted: list[tuple[Foot, Array]], fps: float) -> Array:
    """Return by how much the body follows its feet, (T, 3) metres: so far that the knees bend as they did.

    A knee bends a lot when hip and ankle come nearer to each other by a centimetre.
    """
    matrix, right = np.zeros((len(positions), 3, 3)) + _STAY * np.eye(3), np.zeros((len(positions), 3))
    for foot, goals in wanted:
        reach, before = goals[:, 0] - positions[:, foot.hip], positions[:, foot.ankle] - positions[:, foot.hip]
        distance = np.linalg.norm(reach, axis=1)
        along = reach / np.maximum(distance, 1e-9)[:, None]
        matrix += along[:, :, None] * along[:, None]
        right += along * (distance - np.linalg.norm(before, axis=1))[:, None]
    shift: Array = np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0], dtype=np.float64)
    calm = np.full((max(len(shift) - 3, 0), 1), penalty_of(_CALM, fps))
    return penalised(shift[:, None], np.ones((len(shift), 1)), calm, 3)[:, 0]


def _leg(positions: Array, foot: Foot) -> Array:
    """Return the lengths of thigh and shank, (2, T)."""
    thigh = positions[:, foot.knee] - positions[:, foot.hip]
    shank = positions[:, foot.ankle] - positions[:, foot.knee]
    return np.linalg.norm(np.stack([thigh, shank]), axis=2)


def _bend(out: Array, foot: Foot, goals: Array) -> None:
    """Put a foot where it should be, in place: the knee in its plane, bones of the same lengths."""
    hip, knee, ankle = out[:, foot.hip], out[:, foot.knee], out[:, foot.ankle]
    upper, lower = _leg(out, foot)
    lengths = [np.linalg.norm(out[:, joint] - ankle, axis=1) for joint in foot.moved[1:]]
    reach = goals[:, 0] - hip
    distance = np.maximum(np.linalg.norm(reach, axis=1), 1e-9)
    along = reach / distance[:, None]
    distance = np.maximum(np.minimum(distance, _STRAIGHT * (upper + lower)), np.abs(upper - lower) + 1e-6)
    bend = _across(knee - hip, ankle - hip)
    aside = bend - np.einsum("tc,tc->t", bend, along)[:, None] * along
    aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
    forward = (upper**2 - lower**2 + distance**2) / (2.0 * distance)
    out[:, foot.knee] = hip + forward[:, None] * along + np.sqrt(np.maximum(upper**2 - forward**2, 0.0))[:, None] * aside
    out[:, foot.ankle] = hip + distance[:, None] * along
    for place, (joint, length) in enumerate(zip(foot.moved[1:], lengths, strict=True), start=1):
        bone = goals[:, place] - out[:, foot.ankle]
        out[:, joint] = out[:, foot.ankle] + bone * (length / np.maximum(np.linalg.norm(bone, axis=1), 1e-9))[:, None]


def _across(vector: Array, axis: Array) -> Array:
    """Return the part of a vector at a right angle to an axis, (T, 3)."""
    return np.asarray(vector - axis * (np.einsum("tc,tc->t", vector, axis) / np.maximum(np.einsum("tc,tc->t", axis, axis), 1e-12))[:, None])
