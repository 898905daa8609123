"""Recordings of any length: actions one after another, as an actor performs them in a session."""

from __future__ import annotations

import numpy as np

from mocapgen.core.motion import Array, Motion
from mocapgen.core.rotation import from_euler, make_continuous, multiply, normalise, rotate, slerp
from mocapgen.sources.procedural.actions import ACTIONS, FPS
from mocapgen.sources.procedural.body import DIGITS, Actor, pose_body
from mocapgen.sources.procedural.timing import ease

_BLEND = 60  # frames over which an action fades into the next one, half a second: the shortest action is twice as long
_TAKES = 3
_STANDING = tuple(sorted(set(ACTIONS) - {"lieDown"}))  # who lies would have to get up before the next action
_FURTHEST = 1.8  # radians to turn at once: the shorter way round stays the same while one action fades into another


def perform(actor: Actor, frames: int, random: np.random.Generator, name: str) -> Motion:
    """Return so many frames of actions in random order, each performed about where the one before has ended.

    Parameters
    ----------
    actor : Actor
    frames : int
    random : numpy.random.Generator
        Decides actions, their takes and the way.
    name : str
        Of the motion.

    Returns
    -------
    Motion
        120 frames per second, metres, world frame; begins at the origin. The actor turns back towards it time and again. From each action to the
        next one, rotations and the way of the root are blended over half a second, so that feet may slide then.
    """
    pieces: list[tuple[Array, Array]] = []
    fading: tuple[Array, Array] | None = None  # the last frames of an action, which the next one is blended into
    yaw, at, done = random.uniform(-np.pi, np.pi), np.zeros(3), 0
    while done < frames:
        make_targets = ACTIONS[_STANDING[random.integers(len(_STANDING))]]
        action = pose_body(make_targets(actor, random, int(random.integers(1, _TAKES + 1))), FPS, name)
        rotations, positions = _placed(action, yaw, at)
        if fading is not None:
            rotations[:_BLEND], positions[:_BLEND] = _blended(fading, (rotations[:_BLEND], positions[:_BLEND]))
        fading = rotations[-_BLEND:], positions[-_BLEND:]
        pieces.append((rotations[:-_BLEND], positions[:-_BLEND]))
        done += len(positions) - _BLEND
        at = positions[-_BLEND]
        yaw = _turned(yaw, np.arctan2(-at[0], -at[2]) + random.uniform(-0.8, 0.8))
    rotations, positions = (np.concatenate(parts)[:frames] for parts in zip(*pieces, strict=True))
    return Motion(action.skeleton, make_continuous(normalise(np.round(rotations, DIGITS))), np.round(positions, DIGITS), FPS, name)


def _turned(yaw: float, wanted: float) -> float:
    """Return the heading, radians, after a turn towards another one."""
    off = (wanted - yaw + np.pi) % (2.0 * np.pi) - np.pi
    return yaw + float(np.clip(off, -_FURTHEST, _FURTHEST))


def _placed(action: Motion, yaw: float, at: Array) -> tuple[Array, Array]:
    """Return rotations and root positions of an action that begins above a place, with a heading."""
    turn = from_euler("YXZ", np.array([yaw, 0.0, 0.0]))
    rotations = np.array(action.rotations)
    rotations[:, 0] = multiply(turn, rotations[:, 0])
    level = np.array([1.0, 0.0, 1.0])
    return rotations, rotate(turn, action.root_positions - action.root_positions[0] * level) + at * level


def _blended(before: tuple[Array, Array], after: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return rotations and root positions that fade from one action into another."""
    share = ease(np.arange(1, _BLEND + 1) / (_BLEND + 1))
    return slerp(before[0], after[0], share[:, None]), before[1] + share[:, None] * (after[1] - before[1])
