"""Checks of predictions: bones, feet, jerks, swapped sides, the fit to the picture, and what was not seen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.core.runs import runs
from mocapgen.core.vectors import dot, norms, unit
from mocapgen.inspect.dataset_view import DatasetView
from mocapgen.inspect.prediction_figures import NEAR, asymmetries, bone_changes
from mocapgen.inspect.prediction_summary import in_sequences
from mocapgen.inspect.prediction_view import InspectedPredictions, PredictionView
from mocapgen.inspect.registry import PREDICTIONS, check
from schemas.inspection import Finding

# The body ------------------------------------------------------------------------------------------


@check("prediction.bone_lengths", "warning", "sequence", "%", kinds=PREDICTIONS)
def bone_lengths(view: PredictionView, *, percent: float = 10.0) -> Iterator[Finding]:
    """A limb's bone changes its length over time."""
    worst = view.worst(bone_changes(view), percent, view.limbs)
    if worst:
        bone = 1000.0 * np.median(view.lengths[:, view.joint(worst.joint) - 1])
        message = f"bone to {worst.joint}: expected its usual length of {bone:.0f} mm throughout, found it {worst.value:.0f} % off {worst.in_frames}"
        yield view.finding(message, frame=worst.frame, joint=worst.joint, value=worst.value)


@check("prediction.asymmetry", "warning", "sequence", "%", kinds=PREDICTIONS)
def asymmetry(view: PredictionView, *, percent: float = 10.0) -> Iterator[Finding]:
    """The left limbs are longer or shorter than the right ones."""
    found = asymmetries(view)
    worst = max(found, key=found.__getitem__, default="")
    if worst and found[worst] > percent:
        message = f"bone to {worst}: expected it as long as the one on the other side, found them {found[worst]:.0f} % apart"
        yield view.finding(message, joint=worst, value=found[worst])


_ENDS = {"the legs": ("LowerLeg", "Foot"), "the arms": ("LowerArm", "Hand")}


@check("prediction.sides", "warning", "sequence", "frames", kinds=PREDICTIONS)
def sides(view: PredictionView, *, metres: float = 0.12, cosine: float = -0.3, seconds: float = 0.1) -> Iterator[Finding]:
    """Left and right change places for some frames."""
    for what, ends in _ENDS.items():
        if view.has(*(side + end for side in ("Left", "Right") for end in ends)):
            found = np.flatnonzero(_change_places(view, ends, metres))
            if len(found):
                message = f"expected {what} where they were a frame ago, found the left one at the right one's place, {len(found)} times"
                yield view.finding(message, frame=int(found[0]) + 1, joint=f"Left{ends[-1]}", value=len(found))
    pairs = [(f"Left{part}", f"Right{part}") for part in ("UpperLeg", "UpperArm")]
    if view.has(*(joint for pair in pairs for joint in pair)):
        hips, shoulders = (unit(view.path(left) - view.path(right)) for left, right in pairs)
        contrary = [(start, stop) for start, stop in runs(dot(hips, shoulders) < cosine) if stop - start >= seconds * view.fps]
        if contrary:
            count = sum(stop - start for start, stop in contrary)
            message = f"expected hips that face as the shoulders do, found the contrary in {count} frames: the left is taken for the right"
            yield view.finding(message, frame=int(contrary[0][0]), joint="LeftUpperLeg", value=int(count))


def _change_places(view: PredictionView, ends: tuple[str, ...], metres: float) -> NDArray[np.bool_]:
    """Return from which frames to the next both limbs jump to about where the other one was, (T - 1,)."""
    left, right = (view.world[:, [view.joint(side + end) for end in ends]] for side in ("Left", "Right"))
    kept = 0.5 * (norms(np.diff(left, axis=0)) + norms(np.diff(right, axis=0))).mean(axis=1)
    swapped = 0.5 * (norms(left[1:] - right[:-1]) + norms(right[1:] - left[:-1])).mean(axis=1)
    return np.asarray((kept > metres) & (swapped < 0.4 * kept))


# The floor -----------------------------------------------------------------------------------------


@check("prediction.foot_slide", "warning", "sequence", "m/s", kinds=PREDICTIONS)
def foot_slide(view: PredictionView, *, metres_per_second: float = 0.2, seconds: float = 0.5) -> Iterator[Finding]:
    """Planted feet slide over the floor."""
    slides = view.slides
    planted = np.isfinite(slides)
    if planted.any(axis=1).sum() < seconds * view.fps:
        return
    mean = float(slides[planted].mean())
    if mean > metres_per_second:
        frame, sole = np.unravel_index(int(np.argmax(np.where(planted, slides, -1.0))), slides.shape)
        joint = list(view.soles)[int(sole)]
        message = f"expected planted feet at rest, found them sliding at {mean:.2f} m/s on average, up to {slides[frame, sole]:.1f}"
        yield view.finding(message, frame=int(frame), joint=joint, value=mean)


@check("prediction.off_floor", "warning", "sequence", "% of the frames", kinds=PREDICTIONS)
def off_floor(view: PredictionView, *, percent: float = 25.0, metres: float = 0.06) -> Iterator[Finding]:
    """The lower foot is in the floor or hangs above it, for much of the time."""
    if not view.floor_known or not view.soles:
        return
    lowest = view.clearance.min(axis=1)
    off = (lowest < -metres) | (lowest > metres + view.on_tiptoe)
    share = 100.0 * float(off.mean())
    if share > percent:
        frame = int(np.argmax(np.abs(lowest)))
        near = 100.0 * float((np.abs(lowest) <= NEAR).mean())
        usual = f"{1000.0 * np.median(lowest):+.0f} mm in the median"
        message = f"expected a foot on the floor, found the lower one {1000.0 * metres:.0f} mm off it or more in {share:.0f} % of the frames, {usual}"
        yield view.finding(f"{message}; within 30 mm in {near:.0f} %", frame=frame, value=share)


# Jerks ---------------------------------------------------------------------------------------------


@check("prediction.unsteady_root", "warning", "sequence", "m/s²", kinds=PREDICTIONS)
def unsteady_root(view: PredictionView, *, metres_per_second_squared: float = 6.0, seconds: float = 0.5) -> Iterator[Finding]:
    """The hips of a person who stands tremble, most often in the depth."""
    acceleration = view.accelerations[:, 0]
    standing = view.standing
    if standing.sum() < seconds * view.fps:
        return
    size = np.where(standing, norms(acceleration), 0.0)
    usual = float(np.median(size[standing]))
    if usual > metres_per_second_squared:
        depth = acceleration[standing] @ view.row.camera.R[2]
        share = 100.0 * float(np.mean(depth**2) / max(float(np.mean(size[standing] ** 2)), 1e-12))
        message = f"expected hips at rest, found an acceleration of {usual:.1f} m/s² in the median, {share:.0f} % of it along the line of sight"
        yield view.finding(message, frame=int(np.argmax(size)) + 1, joint=view.skeleton.names[0], value=usual)


@check("prediction.turn_speed", "warning", "sequence", "°/s", kinds=PREDICTIONS)
def turn_speed(view: PredictionView, *, degrees_per_second: float = 2000.0) -> Iterator[Finding]:
    """A limb turns faster than a limb can."""
    worst = view.worst(view.limb_turns, degrees_per_second, view.limbs)
    if worst:
        message = f"bone to {worst.joint}: expected at most {degrees_per_second:g}°/s, found {worst.value:.0f}°/s from frame {worst.frame} on"
        yield view.finding(f"{message}, {worst.in_frames}", frame=worst.frame + 1, joint=worst.joint, value=worst.value)


# The picture ---------------------------------------------------------------------------------------


@check("prediction.reprojection", "warning", "sequence", "% of the person's size", kinds=PREDICTIONS)
def reprojection(view: PredictionView, *, percent: float = 6.0) -> Iterator[Finding]:
    """The 3D pose, seen by the camera, is not where the person was seen."""
    off = view.reprojection
    known = np.isfinite(off)
    if not known.any():
        return
    usual = float(np.median(off[known]))
    if usual > percent:
        joint = int(np.argmax(_column_means(off, known)))
        frame = int(np.argmax(np.where(known[:, joint], off[:, joint], -1.0)))
        name = view.skeleton.names[joint]
        message = f"expected joints where they were seen, found them {usual:.0f} % of the person's size away in the median, most at {name}"
        yield view.finding(message, frame=frame, joint=name, value=usual)


def _column_means(values: Array, known: NDArray[np.bool_]) -> Array:
    """Return the mean of each column over what is known; 0 where nothing is."""
    return np.asarray(np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


@check("prediction.guessed", "info", "sequence", "% of the frames", kinds=PREDICTIONS)
def guessed(view: PredictionView, *, percent: float = 50.0) -> Iterator[Finding]:
    """A limb was not seen for much of the time: its place is the model's guess."""
    joints = [name for name in view.limbs if view.has(name)]
    unseen = 100.0 * (1.0 - view.seen[:, [view.joint(name) for name in joints]].mean(axis=0))
    odd = {name: share for name, share in zip(joints, unseen.tolist(), strict=True) if share > percent}
    if odd:
        worst = max(odd, key=odd.__getitem__)
        message = f"expected limbs that the detector saw, found {', '.join(odd)} unseen in more than {percent:g} % of the frames: these are guessed"
        yield view.finding(message, joint=worst, value=odd[worst])


@check("prediction.gaps", "info", "dataset", "s", kinds=PREDICTIONS)
def gaps(view: DatasetView, *, seconds: float = 0.5) -> Iterator[Finding]:
    """Frames hold no person, between others that do."""
    data = view.data
    assert isinstance(data, InspectedPredictions)
    there = in_sequences(data)
    covered = np.flatnonzero(there)
    if not len(covered):
        return
    first, last = int(covered[0]), int(covered[-1]) + 1
    found = [(start + first, stop + first) for start, stop in runs(~there[first:last]) if stop - start > seconds * data.fps]
    if found:
        start, stop = max(found, key=lambda gap: gap[1] - gap[0])
        long = (stop - start) / data.fps
        message = (
            f"expected a person throughout, found none in {len(found)} gap{'s' * (len(found) != 1)}, the longest {long:.1f} s from frame {start} on"
        )
        yield view.finding(message, where="/frames", value=long)
