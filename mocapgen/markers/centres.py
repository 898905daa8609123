"""Where the joints are, seen from the markers: segments' frames and joint centres, frame by frame.

Two steps. :func:`calibrate` looks at a sample of the clip's frames and finds what does not change: the shapes of rigid segments and
where in them the joints lie (published regressions first, then the clip itself). :func:`locate` applies that to every frame.
In all frames of segments x points to the left, y up, z forward of a person standing in T-pose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mocapgen.anatomy.tables import SIDE_SIGNS
from mocapgen.core.motion import Array
from mocapgen.core.rotation import conjugate, rotate
from mocapgen.core.vectors import across, cross, dot, norms, unit
from mocapgen.markers.orientation import basis, tilt
from mocapgen.markers.rigid import Frames, fit_centre, fit_rigid, mean_shape
from schemas.marker_set import Anatomy, MarkerSet

Paths = Mapping[str, Array]
"""Where each landmark's marker goes, (T, 3) metres, by landmark."""

_LEG_SHARE = 0.489
"""Hip to ankle over stature: (432 + 433) / 1770, Dumas et al. 2007."""
_ASIS_TO_HIP = 0.9
"""Hip to ankle over front waist marker to ankle, along the leg: the hip joint lies a tenth of it lower (Davis' regression, below)."""
_PRIOR = 0.3
"""Weight of the axis expected without bending against that seen from a limb bent by a right angle: they weigh the same at 17 degrees."""
_UNKNOWN = 0.15
"""Length of an axis, as a sum of those weights, below which it is more and more replaced: by where the marker stands off the straight limb."""
_ROUNDS = 3
_STRAIGHT, _ENOUGH = 0.92, 0.05
"""Cosine of the chest's lean and of the knees' bend up to which somebody stands straight, and the share of frames that tells how."""
_ELBOW_SPREAD = np.diag(np.square([0.004, 0.008, 0.008]))
"""Metres^2 outwards, towards the shoulder and forwards: how much elbows differ from what the marker set says (the spread of those it was
measured on)."""
_DEVIATION = np.tan(np.radians(40.0))
"""How far a hand bends towards thumb or little finger: 20 and 30 to 40 degrees (American Academy of Orthopaedic Surgeons 1965); beyond
that, a marker slid."""
_SKIN = 0.008
"""Metres by which skin markers on limbs move over the bone: 5 to 12 mm in CMU's clips, similar in Leardini et al., Gait Posture 21, 2005."""
_INDEPENDENT = 2.0
"""Independent samples per second of movement: a pose is left about that often."""

_FRAMED = {
    "Hips": ("LeftFrontWaist", "RightFrontWaist", "LeftBackWaist", "RightBackWaist"),
    "UpperChest": ("C7", "T10", "Clavicle", "Sternum"),
    "Head": ("LeftFrontHead", "RightFrontHead", "LeftBackHead", "RightBackHead"),
    "LeftFoot": ("LeftHeel", "LeftToe", "LeftLittleToe"),
    "RightFoot": ("RightHeel", "RightToe", "RightLittleToe"),
}
"""Segments with enough markers for a frame of their own."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What does not change during a clip; metres."""

    stature: float
    shapes: dict[str, Array]
    """(K, 3) by segment: its markers, in its own axes."""
    hips: dict[str, Array]
    """(3,) by side: the hip joint in the pelvis' frame; likewise below."""
    elbows: dict[str, Array]
    """(3,) the elbow joint from where the marker is half a breadth outwards of it: outwards, towards the shoulder, forwards (flexion)."""
    arm_axis: dict[str, Array]
    """(2,) the outer side of the elbow, as cosine and sine from the upper arm's marker, about the bone; shorter if less certain."""
    shoulders: dict[str, Array]
    """(3,) the shoulder joint from its marker, in the chest's axes."""


@dataclass(frozen=True, eq=False)
class Located:
    """Joint centres and frames of a clip."""

    joints: dict[str, Array]
    """(T, 3) metres, world frame, by role."""
    frames: dict[str, Frames]
    """By the role of the segment's bone."""
    axes: dict[str, Array]
    """(T, 3) unit vectors by role: knees' axes to the left, elbows' to the outer side, thumbs' side of the wrists."""


def calibrate(paths: Paths, marker_set: MarkerSet, seconds: float) -> Calibration:
    """Find what does not change.

    Parameters
    ----------
    paths : mapping of landmark to (T, 3) float, metres, world frame
        A sample of the clip's frames.
    marker_set : MarkerSet
    seconds : float
        How long the clip is.
    """
    shapes = {segment: _shape(segment, _points(paths, segment)) for segment in _FRAMED}
    leg = float(np.mean([_leg_with_pelvis(paths, side) for side in SIDE_SIGNS]))
    anatomy = marker_set.anatomy
    shapes["Hips"] = _level_pelvis(paths, shapes["Hips"], shapes["UpperChest"])
    hips = {side: _hip(shapes["Hips"], leg, anatomy, sign) for side, sign in SIDE_SIGNS.items()}
    between = float(np.median(norms(paths["LeftAcromion"] - paths["RightAcromion"])))
    stature = leg * _ASIS_TO_HIP / _LEG_SHARE
    start = Calibration(
        stature,
        shapes,
        hips,
        dict.fromkeys(SIDE_SIGNS, np.array(anatomy.elbow) * stature),
        dict.fromkeys(SIDE_SIGNS, np.zeros(2)),
        {side: np.array(anatomy.shoulder) * (sign * between, between, between) for side, sign in SIDE_SIGNS.items()},
    )
    frames = _frames(paths, start)
    start = replace(start, arm_axis={side: _arm_axis(paths, side, frames, start, anatomy) for side in SIDE_SIGNS})
    samples = max(1.0, seconds * _INDEPENDENT)
    return replace(start, elbows={side: _fitted_elbow(paths, side, frames, start, anatomy, samples) for side in SIDE_SIGNS})


def locate(paths: Paths, calibration: Calibration, anatomy: Anatomy) -> Located:
    """Find joint centres and frames in every frame of a clip."""
    frames = _frames(paths, calibration)
    joints: dict[str, Array] = {}
    axes: dict[str, Array] = {}
    for side in SIDE_SIGNS:
        _locate_leg(paths, side, frames, calibration, anatomy, joints, axes)
        _locate_arm(paths, side, frames, calibration, anatomy, joints, axes)
    return Located(joints, frames, axes)


# Segments -----------------------------------------------------------------------------------------


def _shape(segment: str, points: Array) -> Array:
    """Return the mean shape of a segment's markers, (K, 3), about its origin and in its axes."""
    first = points[len(points) // 2]
    shape = mean_shape(points, first - first.mean(axis=0))
    if segment == "Hips":
        left, right, back_left, back_right = shape
        origin, across_axis, ahead = 0.5 * (left + right), left - right, 0.5 * (left + right - back_left - back_right)
        rotation = basis(across_axis, ahead, "xz")
    elif segment == "UpperChest":  # axes of the International Society of Biomechanics: Wu et al., J. Biomech. 38(5), 2005
        c7, t10, clavicle, sternum = shape
        origin = 0.5 * (c7 + clavicle)
        rotation = basis(origin - 0.5 * (t10 + sternum), clavicle + sternum - c7 - t10, "yz")
    elif segment == "Head":
        left, right, back_left, back_right = shape
        origin = shape.mean(axis=0)
        rotation = basis(left + right - back_left - back_right, left + back_left - right - back_right, "zx")
    else:
        heel, toe, little_toe = shape
        origin = heel
        outwards = (little_toe - toe) * (1.0 if segment.startswith("Left") else -1.0)
        rotation = basis(0.5 * (toe + little_toe) - heel, outwards, "zx")
    return rotate(conjugate(rotation), shape - origin)


def _level_pelvis(paths: Paths, pelvis: Array, chest: Array) -> Array:
    """Return the waist's markers, (4, 3), in axes that are level when somebody stands straight: front and back need not be equally high."""
    fit = {segment: fit_rigid(shape, _points(paths, segment)).rotations for segment, shape in (("Hips", pelvis), ("UpperChest", chest))}
    straight = rotate(fit["UpperChest"], np.array([0.0, 1.0, 0.0]))[:, 1] > _STRAIGHT
    for side in SIDE_SIGNS:
        waist, knee, ankle = (paths[side + name] for name in ("FrontWaist", "Knee", "Ankle"))
        straight &= dot(unit(waist - knee), unit(knee - ankle)) > _STRAIGHT
    if np.count_nonzero(straight) < _ENOUGH * len(straight):
        return pelvis
    up = np.broadcast_to([0.0, 1.0, 0.0], (int(straight.sum()), 3))
    level = tilt(np.median(rotate(conjugate(fit["Hips"][straight]), up), axis=0) * (0.0, 1.0, 1.0))
    return rotate(conjugate(level), pelvis)


def _points(paths: Paths, segment: str) -> Array:
    return np.stack([paths[name] for name in _FRAMED[segment]], axis=1)


def _frames(paths: Paths, calibration: Calibration) -> dict[str, Frames]:
    return {segment: fit_rigid(calibration.shapes[segment], _points(paths, segment)) for segment in _FRAMED}


def _sure(axis: Array, beside: Array) -> Array:
    """Return unit axes, (T, 3): those given, or where they are too short to mean anything, `beside`."""
    return unit(axis + np.maximum(_UNKNOWN - norms(axis), 0.0)[:, None] * beside)


# Legs ---------------------------------------------------------------------------------------------


def _leg_with_pelvis(paths: Paths, side: str) -> float:
    """Return the length from front waist marker over knee to ankle, metres, at its longest but for outliers."""
    thigh = norms(paths[f"{side}FrontWaist"] - paths[f"{side}Knee"])
    return float(np.percentile(thigh + norms(paths[f"{side}Knee"] - paths[f"{side}Ankle"]), 90))


def _hip(pelvis: Array, leg: float, anatomy: Anatomy, sign: float) -> Array:
    """Return the hip joint in the pelvis' frame, (3,) metres.

    Davis, Ounpuu, Tyburski and Gage, Human Movement Science 10, 1991, or Harrington et al., J. Biomech. 40, 2007. Both start
    between the anterior superior iliac spines; Davis' is what the software of these skeletons' makers uses.
    """
    width = float(pelvis[0, 0] - pelvis[1, 0])
    depth = float(-0.5 * (pelvis[2, 2] + pelvis[3, 2]))
    if anatomy.hip == "harrington2007":
        return np.array([sign * (0.33 * width + 0.0073), -0.30 * width - 0.0109, -0.24 * depth - 0.0099])
    scale = 0.115 * leg - 0.0153
    behind = 0.1288 * leg - 0.04856 + anatomy.marker_height  # of the spine before the trochanter: Plug-in Gait's estimate
    theta, beta = np.radians(28.4), np.radians(18.0)
    up = -behind * np.sin(beta) - scale * np.cos(theta) * np.cos(beta)
    ahead = -behind * np.cos(beta) + scale * np.cos(theta) * np.sin(beta)
    return np.array([sign * (0.5 * width - scale * np.sin(theta)), up, ahead])


def _locate_leg(
    paths: Paths, side: str, frames: dict[str, Frames], calibration: Calibration, anatomy: Anatomy, joints: dict[str, Array], axes: dict[str, Array]
) -> None:
    """Find hip, knee and ankle of a leg.

    Knee and ankle lie inwards of their markers, half a breadth deep, along the knee's axis. That is normal to thigh and shank, the
    clearer the more the knee is bent, and otherwise normal to shank and foot.
    """
    sign, knee, ankle = SIDE_SIGNS[side], paths[f"{side}Knee"], paths[f"{side}Ankle"]
    hip = frames["Hips"].to_world(calibration.hips[side])
    knee_depth, ankle_depth = (
        sign * (0.5 * breadth * calibration.stature + anatomy.marker_height) for breadth in (anatomy.knee_breadth, anatomy.ankle_breadth)
    )
    shank = unit(knee - ankle)
    foot = unit(paths[f"{side}Toe"] - paths[f"{side}Heel"])
    beside = sign * unit(across(knee - ankle, unit(hip - ankle)))
    expected = _PRIOR * cross(shank, foot)
    axis = _sure(expected, beside)
    for _ in range(_ROUNDS):
        knee_centre, ankle_centre = knee - knee_depth * axis, ankle - ankle_depth * axis
        axis = _sure(expected + cross(unit(ankle_centre - knee_centre), unit(hip - knee_centre)), beside)
    joints[f"{side}UpperLeg"] = hip
    joints[f"{side}LowerLeg"], joints[f"{side}Foot"] = knee - knee_depth * axis, ankle - ankle_depth * axis
    axes[f"{side}LowerLeg"] = axis


# Arms ---------------------------------------------------------------------------------------------


def _shoulder(paths: Paths, side: str, frames: dict[str, Frames], calibration: Calibration) -> Array:
    """Return the shoulder joint, (T, 3): a constant way from the acromion's marker, in the chest's axes."""
    return paths[f"{side}Acromion"] + rotate(frames["UpperChest"].rotations, calibration.shoulders[side])


def _wrist(paths: Paths, side: str, elbow: Array, calibration: Calibration, anatomy: Anatomy) -> tuple[Array, Array]:
    """Return the wrist joint and the direction of the thumb's side, (T, 3): below the middle of the markers on its back."""
    thumb, little = paths[f"{side}WristThumb"], paths[f"{side}WristLittle"]
    middle = 0.5 * (thumb + little)
    forearm = unit(elbow - middle)
    towards_thumb = unit(across(thumb - little, forearm))
    back = SIDE_SIGNS[side] * cross(forearm, towards_thumb)
    depth = 0.5 * anatomy.wrist_thickness * calibration.stature + anatomy.marker_height
    little_side, distal = np.array(anatomy.wrist) * calibration.stature
    return middle - depth * back - little_side * towards_thumb - distal * forearm, unit(thumb - little)


def _bend(shoulder: Array, elbow: Array, wrist: Array, sign: float) -> Array:
    """Return the outer side of the elbow's axis, (T, 3), as long as the sine of the bend."""
    return sign * cross(unit(wrist - elbow), unit(elbow - shoulder))


def _upper_arm(paths: Paths, side: str, shoulder: Array) -> tuple[Array, Array]:
    """Return the directions, (T, 3), from the upper arm to its marker and a quarter turn on about the bone; zero if it has no marker."""
    if f"{side}UpperArm" not in paths:
        return np.zeros_like(shoulder), np.zeros_like(shoulder)
    bone = unit(shoulder - paths[f"{side}Elbow"])
    out = unit(across(paths[f"{side}UpperArm"] - shoulder, bone))
    return out, cross(bone, out)


def _arm_axis(paths: Paths, side: str, frames: dict[str, Frames], calibration: Calibration, anatomy: Anatomy) -> Array:
    """Return where about the bone the elbow's outer side is, (2,), from the frames in which the elbow is bent."""
    shoulder = _shoulder(paths, side, frames, calibration)
    _, _, wrist, _ = _elbow(paths, side, shoulder, calibration, anatomy)
    bend = _bend(shoulder, paths[f"{side}Elbow"], wrist, SIDE_SIGNS[side])
    out, on = _upper_arm(paths, side, shoulder)
    seen = np.array([dot(bend, out).sum(), dot(bend, on).sum()])
    return seen / max(float(norms(bend).sum()), 1e-6)


def _elbow(paths: Paths, side: str, shoulder: Array, calibration: Calibration, anatomy: Anatomy) -> tuple[Array, Array, Array, Array]:
    """Return elbow, outer side of its axis, wrist and thumb's side, each (T, 3)."""
    sign, marker = SIDE_SIGNS[side], paths[f"{side}Elbow"]
    out, on = _upper_arm(paths, side, shoulder)
    cosine, sine = calibration.arm_axis[side]
    middle = 0.5 * (paths[f"{side}WristThumb"] + paths[f"{side}WristLittle"])
    beside = unit(across(marker - shoulder, unit(middle - shoulder)))
    expected = _PRIOR * (cosine * out + sine * on)
    depth = 0.5 * anatomy.elbow_breadth * calibration.stature + anatomy.marker_height
    outwards, upwards, forwards = calibration.elbows[side]
    axis = _sure(expected, beside)
    for _ in range(_ROUNDS):
        up = unit(across(shoulder - marker, axis))
        elbow = marker + (outwards - depth) * axis + upwards * up + (sign * forwards) * cross(axis, up)
        wrist, thumb = _wrist(paths, side, elbow, calibration, anatomy)
        axis = _sure(expected + _bend(shoulder, elbow, wrist, sign), beside)
    return elbow, axis, wrist, thumb


def _fitted_elbow(paths: Paths, side: str, frames: dict[str, Frames], calibration: Calibration, anatomy: Anatomy, samples: float) -> Array:
    """Return ``Calibration.elbows`` as the clip shows it: the forearm's markers keep their distance from the elbow."""
    shoulder = _shoulder(paths, side, frames, calibration)
    elbow, axis, wrist, _ = _elbow(paths, side, shoulder, calibration, anatomy)
    turn = basis(axis, shoulder - elbow, "xy")
    upper_arm = Frames(turn, elbow)
    limb = [
        upper_arm.to_local(point)
        for point in (wrist, *(paths[side + name] for name in ("Forearm", "WristThumb", "WristLittle") if side + name in paths))
    ]
    moved = fit_centre(limb, np.zeros(3), _ELBOW_SPREAD, _SKIN, samples)
    return calibration.elbows[side] + moved * (1.0, 1.0, SIDE_SIGNS[side])


def _locate_arm(
    paths: Paths, side: str, frames: dict[str, Frames], calibration: Calibration, anatomy: Anatomy, joints: dict[str, Array], axes: dict[str, Array]
) -> None:
    """Find shoulder, elbow, wrist and knuckles of an arm."""
    shoulder = _shoulder(paths, side, frames, calibration)
    elbow, axis, wrist, thumb = _elbow(paths, side, shoulder, calibration, anatomy)
    back = SIDE_SIGNS[side] * cross(unit(elbow - wrist), thumb)
    knuckles = paths[f"{side}Finger"] - (0.5 * anatomy.wrist_thickness * calibration.stature + anatomy.marker_height) * back
    joints[f"{side}UpperArm"], joints[f"{side}LowerArm"], joints[f"{side}Hand"] = shoulder, elbow, wrist
    hand = across(knuckles - wrist, thumb)
    aside = np.clip(dot(knuckles - wrist, thumb), -_DEVIATION * norms(hand), _DEVIATION * norms(hand))
    joints[f"{side}HandEnd"] = wrist + hand + aside[:, None] * thumb  # gives the hand's direction; the fingers' length is not seen
    axes[f"{side}LowerArm"], axes[f"{side}Hand"] = axis, thumb
