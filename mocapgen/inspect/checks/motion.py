"""Checks of the motion, and of the person in the world: floor, gravity, up axis, size and speed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.core.runs import runs
from mocapgen.core.vectors import dot, norms, unit
from mocapgen.inspect import explain
from mocapgen.inspect.dataset_view import DatasetView
from mocapgen.inspect.measure import GAIT, GRAVITY
from mocapgen.inspect.registry import BOTH, check
from mocapgen.inspect.sequence_view import SequenceView, Worst
from schemas.inspection import Finding


def _also(worst: Worst) -> str:
    return "" if worst.frames == 1 else f"; {worst.frames} frames like that"


@check("motion.speed_spike", "warning", "sequence", "m/s", kinds=BOTH)
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


@check("motion.acceleration_spike", "warning", "sequence", "m/s²", kinds=BOTH)
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


@check("motion.frozen", "warning", "sequence", "s", kinds=BOTH)
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


@check("motion.jitter", "warning", "sequence", "mm", kinds=BOTH)
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


_FEET = tuple(side + point for side in ("Left", "Right") for point in ("Foot", "Toes", "ToesEnd"))
_LEGS = ("LeftUpperLeg", "LeftLowerLeg", "LeftFoot", "RightUpperLeg", "RightLowerLeg", "RightFoot")


def leg_length(view: SequenceView) -> float:
    """Return the length of thigh and shank as the positions have it, metres; mean of both sides and all frames."""
    bones = [view.joint(name) - 1 for name in _LEGS if not name.endswith("UpperLeg")]
    return float(view.lengths[:, bones].mean() * 2.0)


@check("motion.foot_slide", "warning", "sequence", "m")
def foot_slide(view: SequenceView, *, metres: float = 0.5, metres_per_second: float = 0.3, seconds: float = 0.3) -> Iterator[Finding]:
    """The person glides over the floor as if on ice."""
    if not view.has(*_LEGS) or len(view.speeds) < 2:
        return
    feet = [view.joint(name) for name in _FEET if view.has(name)]
    leg = leg_length(view)
    low = view.world[1:, feet, 1].min(axis=1) < 0.1 * leg
    upright = view.world[1:, 0, 1] - view.world[1:, feet, 1].min(axis=1) > 0.7 * leg
    # whoever stands or walks has some part of a foot at rest; only in the air, or on ice, do all of them move
    slowest = norms(view.velocities[:, feet] * [1.0, 0.0, 1.0]).min(axis=1)
    level = np.abs(view.velocities[:, feet, 1]).min(axis=1) < 0.2
    best = (0.0, 0, 0)
    for start, stop in runs(low & upright & level & (slowest > metres_per_second)):
        if stop - start >= seconds * view.fps:  # shorter ones are low hops
            best = max(best, (float(slowest[start:stop].sum() / view.fps), int(start), int(stop)))
    if best[0] > metres:
        distance, start, stop = best
        message = f"expected a foot at rest while the person stands or walks, found both sliding {distance:.2f} m from frame {start} to {stop}"
        yield view.finding(message, frame=(start + stop) // 2, joint="LeftFoot", value=distance)


@check("motion.below_floor", "warning", "sequence", "mm", kinds=BOTH)
def below_floor(view: SequenceView, *, feet: float = 60.0, others: float = 200.0, seconds: float = 0.1) -> Iterator[Finding]:
    """Feet, or the body, are below the floor."""
    if not view.floor_known:
        return
    joints = [name for name in view.skeleton.names if not name.endswith("End")]  # tips of toes bend into the floor when kneeling
    depth = -1000.0 * view.world[:, [view.joint(name) for name in joints], 1]
    limit = np.array([feet if name.endswith(("Foot", "Toes")) else others for name in joints])
    over = depth > limit
    worst = view.worst(np.where(over, depth, 0.0), 0.0, joints)
    if worst and worst.frames >= seconds * view.fps:
        message = f"{worst.joint}: expected it above the floor, found it {worst.value:.0f} mm below, as deep {worst.in_frames}"
        yield view.finding(message, frame=worst.frame, joint=worst.joint, value=worst.value)


@check("motion.floating", "warning", "sequence", "mm", kinds=BOTH)
def floating(view: SequenceView, *, millimetres: float = 150.0, seconds: float = 1.0) -> Iterator[Finding]:
    """The person hangs in the air, longer than a jump lasts."""
    if not view.floor_known:
        return
    lowest = 1000.0 * view.world[..., 1].min(axis=1)
    found = runs(lowest > millimetres)
    if not len(found):
        return
    start, stop = found[np.argmax(found[:, 1] - found[:, 0])]
    if stop - start >= min(seconds * view.fps, len(lowest)):
        height = float(np.median(lowest[start:stop]))
        message = f"expected contact with the floor, found everything at least {height:.0f} mm above it for {(stop - start) / view.fps:.1f} s"
        message += f" from frame {start} on: floating, or standing on something"
        yield view.finding(message, frame=start, value=height)


@check("motion.up_axis", "error", "sequence", "°", kinds=BOTH)
def up_axis(view: SequenceView, *, cosine: float = 0.8, straight: float = 0.8) -> Iterator[Finding]:
    """Up is another axis than y."""
    if not view.floor_known or not view.has("Neck", *_LEGS):
        return
    # the trunk over the whole sequence, and the legs likewise: somebody who stands or walks, whichever way
    trunk = unit(view.path("Neck") - view.world[:, 0]).mean(axis=0)
    legs = unit(view.path("LeftUpperLeg") + view.path("RightUpperLeg") - view.path("LeftFoot") - view.path("RightFoot")).mean(axis=0)
    if min(norms(trunk), norms(legs)) < cosine or trunk @ legs < 0.5 or trunk[1] > 0.35:
        return
    reach = np.mean([norms(view.path(f"{side}UpperLeg") - view.path(f"{side}Foot")) for side in ("Left", "Right")])
    if reach < straight * leg_length(view):  # on hands and knees
        return
    height = view.world[..., 1]
    tall = float(norms(view.path("Neck") - 0.5 * (view.path("LeftFoot") + view.path("RightFoot"))).mean())
    lies = abs(trunk[1]) <= 0.35 and -0.2 * tall < height.min() and np.median(height[:, 0]) < 0.35 * tall
    stands_on_hands = trunk[1] < -0.35 and abs(height.min(axis=1)).max() < 0.25 * tall
    if not lies and not stands_on_hands:
        axis = int(np.argmax(np.abs(trunk)))
        found = f"{'-' if trunk[axis] < 0 else ''}{'xyz'[axis]}"
        message = f"expected a person upright along y, or lying on the floor, found one along {found} all the time: as if {found} were up"
        yield view.finding(message, frame=0, joint="Neck", value=float(np.degrees(np.arccos(np.clip(trunk[1] / norms(trunk), -1, 1)))))


@check("motion.scale", "error", "sequence", "m", kinds=BOTH)
def scale(view: SequenceView, *, least: float = 0.3, most: float = 1.2) -> Iterator[Finding]:
    """The person is a giant or a dwarf: positions in another unit than metres."""
    if not view.has(*_LEGS):
        return
    leg = leg_length(view)
    if not least <= leg <= most:
        # an adult's leg is about 0.85 m, and units differ by much more than people do
        named = next((name for factor in (0.75, 0.85, 0.95, 0.65, 0.55) if (name := explain.unit(leg / factor, 0.08))), "")
        hint = f": as if they were in {named}" if named else ""
        yield view.finding(f"expected legs of {least:g} to {most:g} m in /frames/positions_3d, found {leg:.4g} m{hint}", joint="LeftFoot", value=leg)


@check("motion.frame_rate", "warning", "dataset")
def frame_rate(view: DatasetView, *, times: float = 1.45, clips: float = 2.0) -> Iterator[Finding]:
    """People fall and walk too fast or too slowly: the frame rate is not that of the recording."""
    evidence = {}
    fall, walk = _by_clip(view, "gravity"), _by_clip(view, "gait")
    if len(fall) >= clips:
        evidence["jumps"] = float(np.sqrt(GRAVITY / np.median(fall)))
    if len(walk) >= clips:
        evidence["steps"] = float(np.median(walk) / GAIT)
    if not evidence:
        return
    # how many times as fast as stated the frames should follow each other: both kinds of evidence have to say so
    factors = np.array(list(evidence.values()))
    too_slow = (factors > times).any() and (factors > 0.8 * times).all()
    too_fast = (factors < 1.0 / times).any() and (factors < 1.25 / times).all()
    if too_slow or too_fast:
        factor = evidence.get("jumps", evidence.get("steps", 1.0))
        signs = []
        if "jumps" in evidence:
            signs.append(f"{len(fall)} clips with jumps in which bodies fall at {np.median(fall):.1f} m/s²")
        if "steps" in evidence:
            signs.append(f"{len(walk)} clips of walking or running with steps {np.median(walk) / GAIT:.1f} times as long for their rate")
        speed = "too slowly" if factor > 1 else "too fast"
        rate = f"about {view.data.fps * factor:.0f} frames per second instead of {view.data.fps:g}"
        message = f"expected people who fall and step at their usual pace, found {' and '.join(signs)}: they move {speed}; {rate} would fit"
        yield view.finding(message, where="attribute fps", value=factor)


def _by_clip(view: DatasetView, column: str) -> Array:
    """Return the median of a gathered number over the sequences of each recording, without those that have none."""
    values = view.column(column)
    found: dict[int, list[float]] = {}
    for row in np.flatnonzero(np.isfinite(values)):
        found.setdefault(int(view.sequences["clip"][row]), []).append(float(values[row]))
    return np.array([np.median(numbers) for numbers in found.values()])
