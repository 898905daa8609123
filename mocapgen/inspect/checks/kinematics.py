"""Checks of the skeleton: bones, rotations, and human proportions and joint limits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mocapgen.core.motion import Skeleton
from mocapgen.core.rotation import rotate
from mocapgen.core.vectors import dot, norms, unit
from mocapgen.inspect import explain
from mocapgen.inspect.dataset_view import DatasetView
from mocapgen.inspect.registry import BOTH, check
from mocapgen.inspect.sequence_view import SequenceView, angles
from schemas.inspection import Finding

# Bones --------------------------------------------------------------------------------------------


@check("kinematics.bone_length_constant", "error", "sequence", "mm")
def bone_length_constant(view: SequenceView, *, millimetres: float = 1.0) -> Iterator[Finding]:
    """A bone changes its length over time."""
    usual = np.median(view.lengths, axis=0)
    off = 1000.0 * np.abs(view.lengths - usual)
    worst = view.worst(off, millimetres + 1000.0 * view.precision, view.skeleton.names[1:])
    if worst:
        bone = 1000.0 * usual[view.joint(worst.joint) - 1]
        message = f"bone to {worst.joint}: expected its usual length of {bone:.1f} mm throughout, found one {worst.value:.1f} mm off"
        yield view.finding(f"{message}, {worst.in_frames}", frame=worst.frame, joint=worst.joint, value=worst.value)


@check("kinematics.bone_length_skeleton", "error", "sequence", "mm")
def bone_length_skeleton(view: SequenceView, *, millimetres: float = 1.0) -> Iterator[Finding]:
    """A bone is not as long as the skeleton says."""
    expected = norms(view.skeleton.offsets[1:])
    found = np.median(view.lengths, axis=0)
    worst = view.worst(1000.0 * np.abs(found - expected)[None], millimetres + 1000.0 * view.precision, view.skeleton.names[1:])
    if worst:
        bone = view.joint(worst.joint) - 1
        wanted = f"{1000.0 * expected[bone]:.1f} mm as in /skeletons/{view.row.avatar}"
        message = f"bone to {worst.joint}: expected {wanted}, found {1000.0 * found[bone]:.1f} mm"
        yield view.finding(message + explain.lengths(found, expected), joint=worst.joint, value=worst.value)


# Rotations ----------------------------------------------------------------------------------------


@check("kinematics.quaternion_norm", "error", "sequence")
def quaternion_norm(view: SequenceView, *, difference: float = 1e-4) -> Iterator[Finding]:
    """A quaternion is not of unit length."""
    off = np.abs(norms(view.quaternions) - 1.0)
    worst = view.worst(off, difference)
    if worst:
        found = float(np.linalg.norm(view.quaternions[worst.frame, view.joint(worst.joint)]))
        message = f"quaternion of {worst.joint}: expected length 1, found {found:.6g}, {worst.in_frames}"
        yield view.finding(message, frame=worst.frame, joint=worst.joint, value=worst.value)


@check("kinematics.quaternion_sign", "error", "sequence", "sign changes")
def quaternion_sign(view: SequenceView) -> Iterator[Finding]:
    """A quaternion changes its sign from one frame to the next."""
    together = dot(view.quaternions[1:], view.quaternions[:-1])
    worst = view.worst(-together, 0.0)
    if worst:
        count = int((together < 0.0).sum())
        message = f"quaternion of {worst.joint}: expected the sign nearer to the frame before, found the other one; {count} such sign changes"
        yield view.finding(message, frame=worst.frame + 1, joint=worst.joint, value=count)


@check("kinematics.euler_quaternion", "error", "sequence", "°")
def euler_quaternion(view: SequenceView, *, degrees: float = 0.05) -> Iterator[Finding]:
    """Euler angles and quaternions are different rotations."""
    worst = view.worst(angles(explain.from_euler(view.euler), view.rotations), degrees)
    if worst:
        message = f"{worst.joint}: expected Euler angles that are the quaternion, found {worst.value:.2f}° between them, {worst.in_frames}"
        yield view.finding(message + explain.euler(view, degrees), frame=worst.frame, joint=worst.joint, value=worst.value)


@check("kinematics.forward_kinematics", "error", "sequence", "mm")
def forward_kinematics(view: SequenceView, *, millimetres: float = 1.0) -> Iterator[Finding]:
    """Rotations and offsets do not lead to the positions."""
    worst = view.worst(1000.0 * norms(view.forward - view.positions), millimetres + 1000.0 * view.precision)
    if worst:
        message = f"{worst.joint}: expected it where rotations and offsets lead, found it {worst.value:.1f} mm away, {worst.in_frames}"
        yield view.finding(message + explain.kinematics(view, millimetres), frame=worst.frame, joint=worst.joint, value=worst.value)


# Human beings -------------------------------------------------------------------------------------


@check("kinematics.left_right", "error", "sequence", kinds=BOTH)
def left_right(view: SequenceView, *, cosine: float = 0.0, shoulders: float = -0.3) -> Iterator[Finding]:
    """Left and right are swapped, of the whole body or of the legs or arms."""
    hips = ("LeftUpperLeg", "RightUpperLeg")
    if not view.has(*hips, "LeftLowerLeg", "RightLowerLeg", "LeftFoot", "RightFoot"):
        return
    toes = next((toes for toes in ("Toes", "ToesEnd") if view.has(f"Left{toes}", f"Right{toes}")), None)
    if toes is None:
        return
    left = unit(view.path(hips[0]) - view.path(hips[1]))
    # A foot points ahead of its shank, however the person stands or lies: shank x foot points to the person's left.
    sides = ("Left", "Right")
    shanks = [view.path(f"{side}LowerLeg") - view.path(f"{side}Foot") for side in sides]
    feet = [view.path(side + toes) - view.path(f"{side}Foot") for side in sides]
    ahead = float(np.median(sum(dot(unit(np.cross(shank, foot)), left) for shank, foot in zip(shanks, feet, strict=True)) / 2.0))
    twist = 1.0  # cosine between hips and shoulders: nobody turns the trunk by more than a quarter for long
    if view.has("LeftUpperArm", "RightUpperArm"):
        twist = float(np.median(dot(unit(view.path("LeftUpperArm") - view.path("RightUpperArm")), left)))
    expected = "expected feet that point ahead of the shanks and hips that face as the shoulders do"
    if ahead < cosine:
        what = "the legs are swapped" if twist < shoulders else "left and right are swapped, or the sequence is mirrored"
        yield view.finding(f"{expected}, found the contrary: {what}", joint="LeftUpperLeg", value=cosine - ahead)
    elif twist < shoulders:
        message = f"{expected}, found shoulders turned against the hips: the arms are swapped"
        yield view.finding(message, joint="LeftUpperArm", value=shoulders - twist)


HINGES = {"LeftLowerLeg": -1.0, "RightLowerLeg": -1.0, "LeftLowerArm": 1.0, "RightLowerArm": 1.0}
"""Hinge joints, and whether the bone below swings forward (1) or backward (-1) of the rest pose when it bends."""


@check("kinematics.bent_backwards", "warning", "sequence", "°")
def bent_backwards(view: SequenceView, *, degrees: float = 25.0) -> Iterator[Finding]:
    """A knee or an elbow is bent the wrong way."""
    joints = [joint for joint in HINGES if view.has(joint) and view.skeleton.children(joint)]
    if not joints:
        return
    below = np.stack([view.skeleton.offsets[view.joint(view.skeleton.children(joint)[0])] for joint in joints])
    rest = unit(below)
    bone = rotate(view.rotations[:, [view.joint(joint) for joint in joints]], rest)
    along = dot(bone, rest)
    bend = np.degrees(np.arccos(np.clip(along, -1.0, 1.0)))
    # z is forward in the rest pose in both handednesses; more than 100° from the way it bends is the wrong way
    moved = bone - along[..., None] * rest
    way = moved[..., 2] * np.array([HINGES[joint] for joint in joints])
    worst = view.worst(np.where(way < -0.17 * norms(moved), bend, 0.0), degrees, joints)
    if worst:
        what = "a knee" if worst.joint.endswith("Leg") else "an elbow"
        message = f"{worst.joint}: expected {what} that bends its way, found it bent {worst.value:.0f}° the other way, {worst.in_frames}"
        yield view.finding(message, frame=worst.frame, joint=worst.joint, value=worst.value)


RANGES = {"Chest": 60.0, "UpperChest": 60.0, "Neck": 80.0, "Head": 110.0, "LeftToes": 100.0, "RightToes": 100.0}
"""How far joints of the midline and toes turn from the rest pose at most, degrees: half as much again as HDM05 and CMU break dance do."""


@check("kinematics.out_of_range", "warning", "sequence", "°")
def out_of_range(view: SequenceView, *, share: float = 1.0) -> Iterator[Finding]:
    """A joint is turned further than a human being can."""
    joints = [joint for joint in RANGES if view.has(joint)]
    if not joints:
        return
    turned = np.degrees(2.0 * np.arccos(np.minimum(np.abs(view.rotations[:, [view.joint(joint) for joint in joints], 3]), 1.0)))
    limits = np.array([RANGES[joint] for joint in joints])
    worst = view.worst(turned / limits, share, joints)
    if worst:
        limit = RANGES[worst.joint]
        message = f"{worst.joint}: expected it within {limit:.0f}° of the rest pose, found {worst.value * limit:.0f}°, {worst.in_frames}"
        yield view.finding(message, frame=worst.frame, joint=worst.joint, value=worst.value * limit)


_RATIOS = (
    ("thigh", "LowerLeg", "shank", "Foot", 0.7, 1.5),
    ("upper arm", "LowerArm", "forearm", "Hand", 0.7, 1.6),
    ("thigh", "LowerLeg", "upper arm", "LowerArm", 1.0, 2.2),
)
"""What is compared: the bones' names, the joints at their ends, least and largest ratio of their lengths in human beings."""


@check("kinematics.proportions", "warning", "dataset")
def proportions(view: DatasetView, *, asymmetry: float = 0.1) -> Iterator[Finding]:
    """A skeleton does not have the proportions of a human being."""
    for avatar, skeleton in view.data.skeletons.items():
        for side in ("Left", "Right"):
            for first, above, second, below, least, most in _RATIOS:
                if side + above in skeleton and side + below in skeleton:
                    ratio = skeleton.bone_length(side + above) / max(skeleton.bone_length(side + below), 1e-9)
                    if not least <= ratio <= most:
                        message = f"{avatar}, {side.lower()}: expected a {first} {least} to {most} times as long as the {second}, found {ratio:.2f}"
                        yield view.finding(message, where=f"/skeletons/{avatar}/offsets", value=ratio)
        yield from _asymmetric(view, avatar, skeleton, asymmetry)


def _asymmetric(view: DatasetView, avatar: str, skeleton: Skeleton, limit: float) -> Iterator[Finding]:
    """Report the pair of limbs whose lengths differ most, if they do by more than a share."""
    off = {}
    for name in skeleton.names:
        other = "Right" + name.removeprefix("Left")
        if name.startswith("Left") and other in skeleton:
            left, right = skeleton.bone_length(name), skeleton.bone_length(other)
            off[name] = abs(left - right) / max(left, right, 0.1)
    worst = max(off, key=off.__getitem__, default="")
    if worst and off[worst] > limit:
        message = f"{avatar}: expected both sides alike, found the bones to {worst} and its counterpart {100 * off[worst]:.0f} % apart"
        yield view.finding(message, where=f"/skeletons/{avatar}/offsets", value=off[worst])
