"""The person in the world: the floor, gravity, which way is up, how large and how fast."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.inspect import explain
from mocapgen.inspect.arrays import norms, runs, unit
from mocapgen.inspect.registry import check
from mocapgen.inspect.tempo import GAIT, GRAVITY
from mocapgen.inspect.views import SequenceView
from mocapgen.inspect.whole import DatasetView
from schemas.inspection import Finding

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


@check("motion.below_floor", "warning", "sequence", "mm")
def below_floor(view: SequenceView, *, feet: float = 60.0, others: float = 200.0, seconds: float = 0.1) -> Iterator[Finding]:
    """Feet, or the body, are below the floor."""
    joints = [name for name in view.skeleton.names if not name.endswith("End")]  # tips of toes bend into the floor when kneeling
    depth = -1000.0 * view.world[:, [view.joint(name) for name in joints], 1]
    limit = np.array([feet if name.endswith(("Foot", "Toes")) else others for name in joints])
    over = depth > limit
    worst = view.worst(np.where(over, depth, 0.0), 0.0, joints)
    if worst and worst.frames >= seconds * view.fps:
        message = f"{worst.joint}: expected it above the floor, found it {worst.value:.0f} mm below, as deep {worst.in_frames}"
        yield view.finding(message, frame=worst.frame, joint=worst.joint, value=worst.value)


@check("motion.floating", "warning", "sequence", "mm")
def floating(view: SequenceView, *, millimetres: float = 150.0, seconds: float = 1.0) -> Iterator[Finding]:
    """The person hangs in the air, longer than a jump lasts."""
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


@check("motion.up_axis", "error", "sequence", "°")
def up_axis(view: SequenceView, *, cosine: float = 0.8) -> Iterator[Finding]:
    """Up is another axis than y."""
    if not view.has("Neck", *_LEGS):
        return
    # the trunk over the whole sequence, and the legs likewise: somebody who stands or walks, whichever way
    trunk = unit(view.path("Neck") - view.world[:, 0]).mean(axis=0)
    legs = unit(view.path("LeftUpperLeg") + view.path("RightUpperLeg") - view.path("LeftFoot") - view.path("RightFoot")).mean(axis=0)
    if min(norms(trunk), norms(legs)) < cosine or trunk @ legs < 0.5 or trunk[1] > 0.35:
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


@check("motion.scale", "error", "sequence", "m")
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
        told = []
        if "jumps" in evidence:
            told.append(f"{len(fall)} clips with jumps in which bodies fall at {np.median(fall):.1f} m/s²")
        if "steps" in evidence:
            told.append(f"{len(walk)} clips of walking or running with steps {np.median(walk) / GAIT:.1f} times as long for their rate")
        speed = "too slowly" if factor > 1 else "too fast"
        rate = f"about {view.data.fps * factor:.0f} frames per second instead of {view.data.fps:g}"
        message = f"expected people who fall and step at their usual pace, found {' and '.join(told)}: they move {speed}; {rate} would fit"
        yield view.finding(message, where="attribute fps", value=factor)


def _by_clip(view: DatasetView, column: str) -> Array:
    """Return the median of a gathered number over the sequences of each recording, without those that have none."""
    values = view.column(column)
    found: dict[int, list[float]] = {}
    for row in np.flatnonzero(np.isfinite(values)):
        found.setdefault(int(view.sequences["clip"][row]), []).append(float(values[row]))
    return np.array([np.median(numbers) for numbers in found.values()])
