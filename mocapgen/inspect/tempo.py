"""How fast time passes in a sequence, by what does not depend on how fast somebody chooses to move: free fall, and the walk ratio."""

from __future__ import annotations

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.inspect.arrays import runs
from mocapgen.inspect.views import SequenceView

GRAVITY = 9.81
"""m/s²"""
GAIT = 1.4
"""Length of a step over its rate, both made dimensionless by leg length and gravity, of people who walk or run.

People who go faster take longer steps and more of them, in about the same proportion (Grieve and Gear, Ergonomics 9:379, 1966;
Sekiya et al., Journal of Human Movement Studies 30:241, 1996). On HDM05 and CMU recordings it is 1.05 to 2.0 from a walk to a run, 1.4
in the median. At half the true frame rate it doubles.
"""

_SEGMENTS = {
    ("Hips", "Chest"): (0.142, 0.5),
    ("Chest", "Neck"): (0.355, 0.5),
    ("Neck", "HeadTop"): (0.081, 0.5),
    ("UpperArm", "LowerArm"): (0.028, 0.436),
    ("LowerArm", "Hand"): (0.016, 0.430),
    ("Hand", "HandEnd"): (0.006, 0.5),
    ("UpperLeg", "LowerLeg"): (0.100, 0.433),
    ("LowerLeg", "Foot"): (0.0465, 0.433),
    ("Foot", "ToesEnd"): (0.0145, 0.5),
}
"""Share of each segment in the body's mass, and where its centre lies between its joints (Winter, Biomechanics and Motor Control, 2009)."""


def gravity(view: SequenceView) -> float:
    """Return the acceleration, m/s², at which the body falls while it is in the air; NaN without a jump.

    A parabola through the heights of the centre of mass; median over the jumps. Carried over to a smaller avatar, everybody falls more
    slowly in proportion to size.
    """
    height = _centre_height(view)
    if height is None:
        return float("nan")
    lowest = view.world[..., 1].min(axis=1)
    found = []
    for start, stop in runs(lowest > 0.09):
        if stop - start < 5 or start == 0 or stop == len(lowest):
            continue
        time = (np.arange(stop - start) - 0.5 * (stop - start - 1)) / view.fps
        curve = np.polynomial.polynomial.polyfit(time, height[start:stop], 2)
        off = np.abs(np.polynomial.polynomial.polyval(time, curve) - height[start:stop]).max()
        rise = -curve[2] * time[-1] ** 2
        if rise > 0.02 and abs(curve[1] / curve[2]) < 2.0 * time[-1] and off < 0.2 * rise:
            found.append(-2.0 * curve[2])
    return float(np.median(found)) if found else float("nan")


def _centre_height(view: SequenceView) -> Array | None:
    """Return the height of the centre of mass, (T,) metres, or None if joints are missing."""
    weights = np.zeros(len(view.skeleton.names))
    for (first, second), (mass, along) in _SEGMENTS.items():
        for side in ("",) if view.has(first, second) else ("Left", "Right"):
            if not view.has(side + first, side + second):
                return None
            weights[view.joint(side + first)] += mass * (1.0 - along)
            weights[view.joint(side + second)] += mass * along
    return np.asarray(view.world[..., 1] @ (weights / weights.sum()))


def gait(view: SequenceView) -> float:
    """Return the walk ratio of a sequence in which somebody walks or runs on for three steps or more: see :data:`GAIT`; NaN if nobody does."""
    if not view.has("LeftFoot", "RightFoot", "LeftLowerLeg") or len(view.world) < 8:
        return float("nan")
    world = view.world
    leg = float(view.lengths[:, [view.joint("LeftLowerLeg") - 1, view.joint("LeftFoot") - 1]].sum(axis=1).mean())
    hips = world[:, 0, ::2]
    count = len(world)
    reach = max(2, count // 8)
    frames = np.arange(count)
    course = hips[np.minimum(frames + reach, count - 1)] - hips[np.maximum(frames - reach, 0)]
    course /= np.maximum(np.hypot(*course.T), 1e-6)[:, None]
    stride = ((world[:, view.joint("LeftFoot"), ::2] - world[:, view.joint("RightFoot"), ::2]) * course).sum(axis=1) / leg
    passing = np.flatnonzero(np.sign(stride[1:]) * np.sign(stride[:-1]) < 0)  # one foot passes the other
    if len(passing) < 4:
        return float("nan")
    advance = np.hypot(*(hips[passing[1:]] - hips[passing[:-1]]).T) / leg
    widest = np.maximum.reduceat(np.abs(stride), passing + 1)[:-1]
    steps = (widest > 0.4) & (advance > 0.6)
    if steps.sum() < 3 or not leg > 0:
        return float("nan")
    seconds = np.diff(passing)[steps] / view.fps
    return float(np.median(advance[steps]) * np.median(seconds) / np.sqrt(leg / GRAVITY))
