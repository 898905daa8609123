"""Movement over time: glitches, frozen stretches, jitter. No recording of a living person has them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.inspect.arrays import dot, norms, runs
from mocapgen.inspect.registry import check
from mocapgen.inspect.views import SequenceView, Worst
from schemas.inspection import Finding


def _also(worst: Worst) -> str:
    return "" if worst.frames == 1 else f"; {worst.frames} frames like that"


@check("motion.speed_spike", "warning", "sequence", "m/s")
def speed_spike(view: SequenceView, *, metres_per_second: float = 3.0, times: float = 2.0) -> Iterator[Finding]:
    """A joint jumps from one frame to the next."""
    speed = view.speeds
    if len(speed) < 2:
        return
    # Living limbs reach top speed over several frames: here the intervals before and after are several times slower.
    around = np.maximum(np.concatenate([speed[1:2], speed[:-1]]), np.concatenate([speed[1:], speed[-2:-1]]))
    worst = view.worst(np.where(speed > times * around, speed - around, 0.0), metres_per_second)
    if worst:
        frame, joint = worst.frame, view.joint(worst.joint)
        beside = f"{around[frame, joint]:.1f} m/s just before and after"
        message = f"{worst.joint}: expected no jump, found {speed[frame, joint]:.1f} m/s from frame {frame} to {frame + 1} and at most {beside}"
        yield view.finding(message + _also(worst), frame=frame + 1, joint=worst.joint, value=float(speed[frame, joint]))


@check("motion.acceleration_spike", "warning", "sequence", "m/s²")
def acceleration_spike(view: SequenceView, *, metres_per_second: float = 1.5, metres_per_second_squared: float = 600.0) -> Iterator[Finding]:
    """A joint is elsewhere in a single frame, or accelerates as no limb can."""
    size = norms(view.accelerations)
    if len(size) < 1:
        return
    worst = view.worst(np.maximum(size / metres_per_second_squared, _there_and_back(view) / metres_per_second), 1.0)
    if worst:
        frame, joint = worst.frame, view.joint(worst.joint)
        off = 500.0 * size[frame, joint] / view.fps**2
        message = (
            f"{worst.joint}: expected a smooth path, found {size[frame, joint]:.0f} m/s², {off:.0f} mm off the middle of the frames before and after"
        )
        yield view.finding(message + _also(worst), frame=frame + 1, joint=worst.joint, value=float(size[frame, joint]))


def _there_and_back(view: SequenceView) -> Array:
    """Return at what speed each joint goes away and back again within two frames, (T - 2, J) m/s; 0 or less where it does not.

    The accelerations before and after a frame that is off are contrary to its own, and half as large. A kick or a throw, however fast,
    is accelerated for several frames one way, then for several the other; an impact is one large acceleration beside small ones.
    """
    acceleration = view.accelerations / view.fps
    out = np.zeros(acceleration.shape[:2])
    if len(acceleration) > 2:
        middle = acceleration[1:-1]
        size = norms(middle)
        direction = middle / np.maximum(size, 1e-9)[..., None]
        out[1:-1] = np.minimum(0.5 * size, -np.maximum(dot(acceleration[:-2], direction), dot(acceleration[2:], direction)))
    return out


@check("motion.rotation_jump", "warning", "sequence", "°")
def rotation_jump(view: SequenceView, *, degrees: float = 110.0) -> Iterator[Finding]:
    """A joint turns by a third of a circle, or more, from one frame to the next."""
    worst = view.worst(view.turns, degrees)
    if worst:
        message = f"{worst.joint}: expected no jump, found a turn of {worst.value:.0f}° from frame {worst.frame} to {worst.frame + 1}{_also(worst)}"
        yield view.finding(message, frame=worst.frame + 1, joint=worst.joint, value=worst.value)


@check("motion.frozen", "warning", "sequence", "s")
def frozen(view: SequenceView, *, seconds: float = 0.5) -> Iterator[Finding]:
    """The whole body stands still as no living person does."""
    start, stop = _longest(np.all(_still(view), axis=1))
    if stop - start >= max(seconds * view.fps, 2.0):
        message = f"expected a living person, found no movement at all for {(stop - start) / view.fps:.2f} s, from frame {start} to {stop}"
        yield view.finding(message, frame=start, value=(stop - start) / view.fps)


@check("motion.frozen_joint", "warning", "sequence", "s")
def frozen_joint(view: SequenceView, *, seconds: float = 0.5, degrees: float = 1.0, metres: float = 0.15) -> Iterator[Finding]:
    """A single joint is frozen while the body moves on."""
    least = int(max(np.ceil(seconds * view.fps), 2))
    if len(view.speeds) < least:
        return
    still = _still(view)
    moving = ~np.all(still, axis=1)
    parents = np.maximum(view.skeleton.parents, 0)
    # either its rotation holds and then goes on with a jerk (more than that is a jump), or it hangs in the air while its parent moves by millimetres
    held = (np.abs(np.diff(view.quaternions, axis=0)).max(axis=-1) < 1e-6) & moving[:, np.newaxis]
    hung = still & (view.speeds[:, parents] > 0.002 * view.fps) & (view.world[1:, :, 1] > metres)
    longest = Worst(0, "", 0.0, 0)
    for mask, with_jerk in ((held, True), (hung, False)):
        for joint in np.flatnonzero(mask.sum(axis=0) >= least):
            turns = view.turns[:, joint]
            for start, stop in runs(mask[:, joint]):
                jerk = max(turns[start - 1] if start else 0.0, turns[stop] if stop < len(turns) else 0.0)
                if stop - start >= max(least, longest.frames + 1) and (degrees < jerk < 60.0 or not with_jerk):
                    longest = Worst(int(start), view.skeleton.names[joint], (stop - start) / view.fps, int(stop - start))
    if longest.joint:
        stop = longest.frame + longest.frames
        message = (
            f"{longest.joint}: expected it to move with the body, found it frozen for {longest.value:.2f} s, from frame {longest.frame} to {stop}"
        )
        yield view.finding(message, frame=longest.frame, joint=longest.joint, value=longest.value)


def _still(view: SequenceView) -> NDArray[np.bool_]:
    """Return which joints do not move at all, (T - 1, J): less than 10 µm, or than the numbers can tell."""
    return np.asarray(view.speeds < max(1e-5, view.precision) * view.fps)


def _longest(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the first and one past the last of the longest run of True, (0, 0) if there is none."""
    found = runs(mask)
    if not len(found):
        return 0, 0
    start, stop = found[np.argmax(found[:, 1] - found[:, 0])]
    return int(start), int(stop)


_WINDOW = 30  # frames in which jitter is measured: a glitch or two among them are none


@check("motion.jitter", "warning", "sequence", "mm")
def jitter(view: SequenceView, *, millimetres: float = 5.0) -> Iterator[Finding]:
    """A joint trembles from frame to frame."""
    # The fourth difference of white noise of deviation s has a deviation of sqrt(70) s and turns its sign nearly every frame.
    fourth = np.diff(view.accelerations, 2, axis=0) / view.fps**2
    size = min(_WINDOW, len(fourth))
    if size < _WINDOW // 2:
        return
    fourth = fourth[: len(fourth) // size * size].reshape(-1, size, *fourth.shape[1:])
    squares = dot(fourth, fourth)
    turning = dot(fourth[:, 1:], fourth[:, :-1]).sum(axis=1) < -0.6 * squares.sum(axis=1)
    # the lower quartile, which single glitches leave alone: 1.213 times the variance for three coordinates
    noise = 1000.0 * np.sqrt(np.quantile(squares, 0.25, axis=1) / (70.0 * 1.213))
    worst = view.worst(np.where(turning, noise, 0.0), millimetres)
    if worst:
        frame = worst.frame * size + 2
        message = f"{worst.joint}: expected a smooth path, found it trembling by {worst.value:.1f} mm about frames {frame} to {frame + size}"
        yield view.finding(message, frame=frame, joint=worst.joint, value=worst.value)


@check("motion.rest_pose_frame", "warning", "sequence")
def rest_pose_frame(view: SequenceView, *, degrees: float = 1.0) -> Iterator[Finding]:
    """The rest pose stands among the frames, as files of other tools start with it."""
    if len(view.skeleton.names) < 2 or len(view.rotations) < 2:
        return
    turned = np.degrees(2.0 * np.arccos(np.minimum(np.abs(view.rotations[:, 1:, 3]).min(axis=1), 1.0)))
    found = np.flatnonzero(turned < degrees)
    if 0 < len(found) < len(turned):
        yield view.finding(
            f"expected the recorded movement, found the T-pose in {len(found)} of {len(turned)} frames", frame=found[0], value=len(found)
        )
