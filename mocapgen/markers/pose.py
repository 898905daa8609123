"""A skeleton of constant bone lengths, and its pose in every frame, from joint centres and segments' frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mocapgen.anatomy.tables import ARM, LEG, SIDE_SIGNS
from mocapgen.core.motion import Array, Skeleton
from mocapgen.core.rotation import conjugate, multiply, rotate, shortest_arc, slerp
from mocapgen.core.vectors import across, dot, norms, unit
from mocapgen.markers.centres import Calibration, Located
from mocapgen.markers.orientation import basis, tilt
from mocapgen.markers.rigid import Frames
from schemas.conventions import END_POINTS, JOINT_PARENTS
from schemas.marker_set import Anatomy

TRUNK = ("Spine", "Chest", "UpperChest", "Neck")
_TRUNK_SHARES = np.array([0.072, 0.278, 0.325, 0.325])
"""How the way from Hips to Neck is divided at rest: as in the built-in avatars (joint centres of Dumas et al. 2007)."""
_LEAN = np.array([0.0, np.cos(np.radians(7.0)), -np.sin(np.radians(7.0))])
"""Its direction at rest: the lean of HDM05's and CMU's skeletons, as in the avatars."""
_TRUNK_SPREAD, _TRUNK_NOISE = 0.01, 0.03
"""Metres: how far bones of the trunk may be from that, and how well they have to fit each of some independent poses."""
_POSES = 10.0
_CLAVICLE = np.array([0.9887, 0.0149, -0.1492])
"""Direction of the left clavicle in T-pose: as in the avatars (shoulder joint from sternal end)."""
_STERNAL = np.array([0.0142, -0.0238, 0.0120])
"""Inner end of the left clavicle's bone from the Neck joint, fraction of stature: as in the avatars."""
_NECK_BASE = 0.33
"""Joint between neck and chest on the way from C7's marker to the clavicles': the vertebral bodies fill the hindmost third of the
neck's depth (Dumas et al. 2007 put it at 0.3 to 0.4 of it)."""
_HEAD_JOINT = np.array([0.0, -0.057, -0.009])
"""Occipital condyles from the middle of the head's markers, fraction of stature: 31 mm below the ear canal (Chancey et al. 2007), over
which a band around the forehead sits 70 mm high."""
_HEAD_TOP = np.array([0.0, 0.0923, -0.0029])
_HAND = 0.110
_TOES = np.array([0.0, -0.006, 0.040])
"""Vertex from the head joint, fingertips from the wrist, toe tips from the ball of the foot, fractions of stature, as in the avatars."""
_BALL_DEPTH = 0.0085
"""Ball of the foot below the skin under its markers, fraction of stature."""
_UPRIGHT = 0.85
"""Cosine of the chest's lean up to which somebody counts as upright, and on average looks ahead."""
_FLAT = 0.02
"""Metres above their lowest at which all markers of a foot must be for it to be flat on the floor."""
_FOLLOW = {"Hand": 1.0, "Foot": 3.0}
"""Weight of a limb's end against its middle joint, when bones of constant length cannot reach both. Feet have to stand where they stood; with
more weight, the middle joint of a nearly straight limb swings aside for every millimetre by which it seems too long."""
_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class Body:
    """A skeleton, and how it hangs on the segments' frames."""

    skeleton: Skeleton
    root: Array
    """(3,) metres: the Hips joint in the pelvis' frame."""
    neck: Array
    """(3,) metres: the Neck joint in the chest's frame."""
    level: dict[str, Array]
    """(4,) by segment: turns the upright segment's axes into those of its markers."""

    @classmethod
    def of(cls, located: Located, calibration: Calibration, anatomy: Anatomy) -> Body:
        """Measure a skeleton.

        Parameters
        ----------
        located : Located
            Joint centres and frames in a sample of the clip's frames.
        calibration : Calibration
        anatomy : Anatomy
        """
        stature, frames = calibration.stature, located.frames
        level = {"Head": _head_level(frames)} | {f"{side}Foot": _foot_level(calibration, frames, side) for side in SIDE_SIGNS}
        width, depth = 2.0 * calibration.shapes["Hips"][0, 0], -calibration.shapes["Hips"][2:, 2].mean()
        root = np.array(anatomy.root) * (width, width, depth)
        c7, _, clavicle, _ = calibration.shapes["UpperChest"]
        neck = c7 + _NECK_BASE * (clavicle - c7)
        offsets = dict.fromkeys(JOINT_PARENTS, np.zeros(3))
        offsets |= _trunk_offsets(frames, root, neck)
        head = _turned(frames["Head"], level["Head"])
        offsets["Head"] = _neck_direction(frames, head, neck, stature) * _median_length(
            frames["UpperChest"].to_world(neck) - head.to_world(_HEAD_JOINT * stature)
        )
        offsets["HeadTop"] = _HEAD_TOP * stature
        for side, sign in SIDE_SIGNS.items():
            mirror = np.array([sign, 1.0, 1.0])
            sternal = neck + _STERNAL * mirror * stature
            offsets[f"{side}Shoulder"] = sternal - neck + offsets["Neck"]
            arm, leg = ([located.joints[side + part] for part in parts] for parts in (ARM, LEG))
            offsets[f"{side}UpperArm"] = _CLAVICLE * mirror * _median_length(frames["UpperChest"].to_world(sternal) - arm[0])
            offsets[f"{side}LowerArm"], offsets[f"{side}Hand"] = (np.array([sign * bone, 0.0, 0.0]) for bone in _two_lengths(*arm))
            offsets[f"{side}HandEnd"] = np.array([sign * _HAND * stature, 0.0, 0.0])
            offsets[f"{side}UpperLeg"] = calibration.hips[side] - root
            offsets[f"{side}LowerLeg"], offsets[f"{side}Foot"] = (np.array([0.0, -bone, 0.0]) for bone in _two_lengths(*leg))
            foot, ball = _turned(frames[f"{side}Foot"], level[f"{side}Foot"]), _ball(calibration, side, level[f"{side}Foot"], anatomy)
            offsets[f"{side}Toes"] = ball - np.median(foot.to_local(leg[2]), axis=0)
            offsets[f"{side}ToesEnd"] = _TOES * stature
        names = tuple(JOINT_PARENTS)
        parents = tuple(-1 if parent is None else names.index(parent) for parent in JOINT_PARENTS.values())
        return cls(Skeleton(names, parents, np.stack([offsets[name] for name in names]), END_POINTS), root, neck, level)

    def offset(self, joint: str) -> Array:
        """Return where a joint is from its parent at rest, (3,) metres."""
        return self.skeleton.offsets[self.skeleton.index(joint)]

    def pose(self, located: Located) -> tuple[Array, Array]:
        """Return global rotations (T, J, 4) and root positions (T, 3) that follow the joint centres and frames."""
        turned: dict[str, Array] = {}
        at: dict[str, Array] = {"Hips": located.frames["Hips"].to_world(self.root)}
        self._pose_trunk(located, turned, at)
        for side, sign in SIDE_SIGNS.items():
            self._pose_arm(located, side, sign, turned, at)
            self._pose_leg(located, side, turned, at)
        for joint, parent in JOINT_PARENTS.items():
            if joint in END_POINTS:
                assert parent is not None
                turned[joint] = turned[parent]
        return np.stack([turned[name] for name in self.skeleton.names], axis=1), at["Hips"]

    def _pose_trunk(self, located: Located, turned: dict[str, Array], at: dict[str, Array]) -> None:
        """Bend the spine evenly between pelvis and chest, then turn it so that the chest comes where it is."""
        pelvis, chest, head = (located.frames[name] for name in ("Hips", "UpperChest", "Head"))
        turned["Hips"], turned["UpperChest"] = pelvis.rotations, chest.rotations
        at["Spine"] = at["Hips"] + rotate(pelvis.rotations, self.offset("Spine"))
        turned["Spine"], turned["Chest"] = _between(pelvis, chest)
        reach = rotate(turned["Spine"], self.offset("Chest")) + rotate(turned["Chest"], self.offset("UpperChest"))
        wanted = chest.to_world(self.neck - self.offset("Neck")) - at["Spine"]
        correction = shortest_arc(reach, wanted)
        for joint in ("Spine", "Chest"):
            turned[joint] = multiply(correction, turned[joint])
        at["UpperChest"] = at["Spine"] + rotate(correction, reach)
        at["Neck"] = at["UpperChest"] + rotate(chest.rotations, self.offset("Neck"))
        upright = _turned(head, self.level["Head"])
        turned["Head"] = upright.rotations
        halfway = slerp(chest.rotations, upright.rotations, np.array(0.5))
        wanted = upright.to_world(_HEAD_JOINT * (self.offset("HeadTop")[1] / _HEAD_TOP[1])) - at["Neck"]
        turned["Neck"] = multiply(shortest_arc(rotate(halfway, self.offset("Head")), wanted), halfway)

    def _pose_arm(self, located: Located, side: str, sign: float, turned: dict[str, Array], at: dict[str, Array]) -> None:
        """Let the arm's joints be where they are, as far as constant lengths allow."""
        chest = turned["UpperChest"]
        sternal = at["UpperChest"] + rotate(chest, self.offset(f"{side}Shoulder"))
        clavicle = self.offset(f"{side}UpperArm")
        aim = shortest_arc(rotate(chest, clavicle), located.joints[f"{side}UpperArm"] - sternal)
        turned[f"{side}Shoulder"] = multiply(aim, chest)
        shoulder = sternal + rotate(turned[f"{side}Shoulder"], clavicle)
        elbow, wrist = self._follow(located, side, shoulder, "LowerArm", "Hand")
        up, thumb = located.axes[f"{side}LowerArm"], located.axes[f"{side}Hand"]
        turned[f"{side}UpperArm"] = basis(sign * (elbow - shoulder), up, "xy")
        turned[f"{side}LowerArm"] = basis(sign * (wrist - elbow), thumb, "xz")
        turned[f"{side}Hand"] = basis(sign * (located.joints[f"{side}HandEnd"] - located.joints[f"{side}Hand"]), thumb, "xz")

    def _pose_leg(self, located: Located, side: str, turned: dict[str, Array], at: dict[str, Array]) -> None:
        hip = at["Hips"] + rotate(turned["Hips"], self.offset(f"{side}UpperLeg"))
        knee, ankle = self._follow(located, side, hip, "LowerLeg", "Foot")
        axis = located.axes[f"{side}LowerLeg"]
        turned[f"{side}UpperLeg"] = basis(hip - knee, axis, "yx")
        turned[f"{side}LowerLeg"] = basis(knee - ankle, axis, "yx")
        foot = _turned(located.frames[f"{side}Foot"], self.level[f"{side}Foot"])
        turned[f"{side}Foot"] = turned[f"{side}Toes"] = foot.rotations

    def _follow(self, located: Located, side: str, start: Array, middle: str, end: str) -> tuple[Array, Array]:
        """Return where the two joints of a limb come to lie, (T, 3) each, with bones of constant length."""
        first, second = (float(np.linalg.norm(self.offset(side + joint))) for joint in (middle, end))
        return follow(start, located.joints[side + middle], located.joints[side + end], first, second, _FOLLOW[end])


def follow(start: Array, middle: Array, end: Array, first: float, second: float, weight: float) -> tuple[Array, Array]:
    """Lay two bones of constant length from a point along two others.

    Parameters
    ----------
    start, middle, end : (T, 3) float, metres
        Where the limb begins, and where its joints were seen.
    first, second : float, metres
        Lengths of the bones.
    weight : float
        Of the end against the middle.

    Returns
    -------
    tuple of two (T, 3) float64
        The joints m and e that minimise ``|m - middle|^2 + weight |e - end|^2``; the second bone always points to `end`.

    Notes
    -----
    Gauss-Newton on the sphere about `start`. Near a straight limb, where lengths alone say little about where the joint is, the
    first term decides.
    """
    direction = unit(middle - start)
    for _ in range(_ROUNDS):
        joint = start + first * direction
        rest = joint - end
        distance = np.maximum(norms(rest), 1e-6)
        slope = across(rest / distance[:, None], direction)  # of the distance, along the sphere
        pull = across(middle - joint, direction)
        # (I + weight slope slope^T) step = pull + weight (second - distance) slope, by Sherman and Morrison
        right = pull + (weight * (second - distance))[:, None] * slope
        step = right - (weight * dot(slope, right) / (1.0 + weight * dot(slope, slope)))[:, None] * slope
        direction = unit(first * direction + step)
    joint = start + first * direction
    return joint, joint + second * unit(end - joint)


# Measuring ----------------------------------------------------------------------------------------


def _turned(frames: Frames, level: Array) -> Frames:
    """Return the frames of an upright segment; points of it are given in its own axes."""
    return Frames(multiply(frames.rotations, level), frames.origins)


def _median_length(vectors: Array) -> float:
    return float(np.median(norms(vectors)))


def _two_lengths(start: Array, middle: Array, end: Array) -> tuple[float, float]:
    """Return the lengths of two bones, metres: medians, stretched where the limb as a whole is longer."""
    first, second = _median_length(middle - start), _median_length(end - middle)
    longest = float(np.percentile(norms(end - start), 98))
    stretch = max(1.0, longest / (first + second))
    return first * stretch, second * stretch


def _between(pelvis: Frames, chest: Frames) -> tuple[Array, Array]:
    """Return the rotations, (T, 4), at a third and two thirds of the way from the pelvis' to the chest's."""
    return slerp(pelvis.rotations, chest.rotations, np.array(1 / 3)), slerp(pelvis.rotations, chest.rotations, np.array(2 / 3))


def _trunk_offsets(frames: dict[str, Frames], root: Array, neck: Array) -> dict[str, Array]:
    """Return the bones of the trunk, (3,) metres each, that join root and neck best in all poses: linear least squares with a prior."""
    pelvis, chest = frames["Hips"], frames["UpperChest"]
    way = chest.to_world(neck) - pelvis.to_world(root)
    prior = (_TRUNK_SHARES[:, None] * _median_length(way) * _LEAN).ravel()
    turns = (pelvis.rotations, *_between(pelvis, chest), chest.rotations)
    columns = np.concatenate([np.stack([rotate(turn, axis) for axis in np.eye(3)], axis=-1) for turn in turns], axis=-1)
    weight = _POSES / len(way) * (_TRUNK_SPREAD / _TRUNK_NOISE) ** 2
    matrix = np.eye(12) + weight * np.einsum("tij,tik->jk", columns, columns)
    right = prior + weight * np.einsum("tij,ti->j", columns, way)
    return dict(zip(TRUNK, np.linalg.solve(matrix, right).reshape(4, 3), strict=True))


def _neck_direction(frames: dict[str, Frames], head: Frames, neck: Array, stature: float) -> Array:
    """Return the mean direction of the neck between chest and head, (3,), at rest."""
    chest = frames["UpperChest"]
    halfway = slerp(chest.rotations, head.rotations, np.array(0.5))
    way = rotate(conjugate(halfway), unit(head.to_world(_HEAD_JOINT * stature) - chest.to_world(neck)))
    mean = np.median(way, axis=0) * (0.0, 1.0, 1.0)
    return mean / np.linalg.norm(mean)


def _head_level(frames: dict[str, Frames]) -> Array:
    """Return how the head's markers tilt on an upright head, (4,): while the chest is upright, the head is on average, too."""
    chest, head = frames["UpperChest"], frames["Head"]
    up = rotate(chest.rotations, np.array([0.0, 1.0, 0.0]))
    upright = up[:, 1] > _UPRIGHT
    if upright.any():
        up = np.broadcast_to([0.0, 1.0, 0.0], (int(upright.sum()), 3))
        seen = rotate(conjugate(head.rotations[upright]), up)
    else:  # somebody who never stands: along the chest, then
        seen = rotate(conjugate(head.rotations), up)
    return tilt(np.median(seen, axis=0) * (0.0, 1.0, 1.0))


def _foot_level(calibration: Calibration, frames: dict[str, Frames], side: str) -> Array:
    """Return how a foot's markers tilt when its sole is flat, (4,), from the frames in which it stands on the floor."""
    foot = frames[f"{side}Foot"]
    heights = np.stack([foot.to_world(marker)[:, 1] for marker in calibration.shapes[f"{side}Foot"]], axis=1)
    flat = (heights < np.percentile(heights, 5, axis=0) + _FLAT).all(axis=1)
    if np.count_nonzero(flat) < 3:
        return np.array([0.0, 0.0, 0.0, 1.0])
    up = np.broadcast_to([0.0, 1.0, 0.0], (int(flat.sum()), 3))
    return tilt(np.median(rotate(conjugate(foot.rotations[flat]), up), axis=0))


def _ball(calibration: Calibration, side: str, level: Array, anatomy: Anatomy) -> Array:
    """Return the ball of the foot in the flat foot's frame, (3,) metres: under the markers beside it."""
    _, toe, little_toe = rotate(conjugate(level), calibration.shapes[f"{side}Foot"])
    return 0.5 * (toe + little_toe) - np.array([0.0, anatomy.marker_height + _BALL_DEPTH * calibration.stature, 0.0])
