"""From joint positions to rotations: fit a skeleton with constant bone lengths to the joints of ``h36m17``, and to toes and face where they are.

Seventeen points do not say everything. What they say for certain is followed exactly: where limbs, neck and head point. What they
say in a noisy way is weighed against how bodies are built: how far the pelvis tips (its three points lie within centimetres) against
a straight back, how far a limb is turned about itself against the hinge that its knee or elbow is. What they do not say, hands and
feet, goes along with the limb. Toes turn feet and straight legs, nose and ears the head: :mod:`mocapgen.retarget.extremities`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mocapgen.anatomy.tables import SIDE_SIGNS, SIDES
from mocapgen.core.kinematics import joint_positions, local_rotations
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import conjugate, make_continuous, multiply, normalise, rotate, shortest_arc, slerp
from mocapgen.core.vectors import dot, norms, unit
from mocapgen.retarget.directions import about, aimed, aligned, directions, rest_offset, steady, turn_about
from mocapgen.retarget.extremities import TOES, foot_size, given, hinge_by_foot, turn_feet, turn_head
from schemas.conventions import H36M17
from schemas.errors import RetargetError

POINTS = tuple(H36M17.values())
"""The joints whose positions are followed."""

_HINGES = {
    "LeftUpperLeg": ("LeftLowerLeg", "LeftFoot", (1.0, 0.0, 0.0)),
    "RightUpperLeg": ("RightLowerLeg", "RightFoot", (1.0, 0.0, 0.0)),
    "LeftUpperArm": ("LeftLowerArm", "LeftHand", (0.0, -1.0, 0.0)),
    "RightUpperArm": ("RightLowerArm", "RightHand", (0.0, 1.0, 0.0)),
}
"""Upper bone of each limb: its lower bone, the end of that, and the axis in the rest pose about which knee or elbow bends."""

_BACK = 0.25
"""Radians by which the back bends between pelvis and chest, typically: what a straight back is worth as a guess."""
_BACK_SPEED = 1.0
"""Radians per second at which it does so, typically."""
_HOLD = 0.035
"""Seconds over which a limb's turn about itself is smoothed where the limb is well bent; the longer, the straighter it is."""
_REST = 1e-3
"""Weight of no turn at all, against 1 for a right angle at the hinge: decides only where a limb is never bent."""


@dataclass(frozen=True, eq=False)
class Solved:
    """A motion that follows points.

    Parameters
    ----------
    motion : Motion
        World frame.
    errors : dict of str to float
        For each joint followed, the mean distance to its point, metres.
    """

    motion: Motion
    errors: dict[str, float]

    @property
    def mean_error(self) -> float:
        """Mean distance over all joints and frames, metres."""
        return float(np.mean(list(self.errors.values())))


def follow(points: Mapping[str, Array], skeleton: Skeleton, fps: float, name: str = "motion") -> Solved:
    """Let a skeleton follow points.

    Parameters
    ----------
    points : mapping of str to (T, 3) float, metres, world frame
        Where each of :data:`POINTS` goes, and any of :data:`~mocapgen.retarget.extremities.EXTREMITIES`; others are ignored.
    skeleton : Skeleton
        An avatar's: the joints of the file schema in T-pose. See :func:`fit_skeleton` for one of the right size.
    fps : float
    name : str

    Returns
    -------
    Solved
        The root goes exactly where ``Hips`` goes; upper arms, forearms, thighs, shanks, neck and head point exactly where the points
        say, feet to the toes if these are given. Distances are those by which the bones are longer or shorter than the points are apart.

    Raises
    ------
    RetargetError
        If a joint is missing, a position is not finite, or two joints that span a bone coincide in every frame.
    """
    at = _checked(points)
    turned = _trunk(at, skeleton, fps)
    for upper in _HINGES:
        _limb(at, skeleton, turned, upper, fps)
    turn_feet(at, skeleton, turned)
    turn_head(at, skeleton, turned, fps)
    for joint, parent in zip(skeleton.names, skeleton.parents, strict=True):
        if joint not in turned:  # hands, feet, and the ends of bones
            turned[joint] = turned[skeleton.names[parent]]
    rotations = np.stack([turned[joint] for joint in skeleton.names], axis=1)
    found = joint_positions(skeleton, rotations, at["Hips"])
    errors = {joint: float(np.linalg.norm(found[:, skeleton.index(joint)] - at[joint], axis=-1).mean()) for joint in (*POINTS, *TOES) if joint in at}
    local = make_continuous(normalise(local_rotations(skeleton, rotations)))
    return Solved(Motion(skeleton, local, at["Hips"], fps, name), errors)


def fit_skeleton(points: Mapping[str, Array], base: Skeleton) -> Skeleton:
    """Return a skeleton of the size that points suggest: constant bone lengths, the same left and right.

    Parameters
    ----------
    points : mapping of str to (T, 3) float, metres
        As for :func:`follow`.
    base : Skeleton
        An avatar's: gives the directions of bones in the rest pose, and what no points tell.

    Returns
    -------
    Skeleton
        Each length is the median over frames, mean of both sides, so that single bad frames do not count.

    Raises
    ------
    RetargetError
        As :func:`follow`, or if a length is not at least half a centimetre.
    """
    at = _checked(points)

    def apart(first: str, second: str) -> float:
        """Return the median distance of two joints, and of the same two on the other side."""
        pairs = [(first, second)] if not first.startswith("Left") and not second.startswith("Left") else []
        pairs = pairs or [(first, second), (first.replace("Left", "Right"), second.replace("Left", "Right"))]
        length = float(np.mean([np.median(np.linalg.norm(at[a] - at[b], axis=-1)) for a, b in pairs]))
        if length < 0.005:
            raise RetargetError(f"{first} and {second}: expected joints at least half a centimetre apart, found {length:.4f} m; are these metres?")
        return length

    rest = {joint: base.rest_positions[base.index(joint)] for joint in base.names}

    def ratio(first: str, second: str) -> float:
        return apart(first, second) / float(np.linalg.norm(rest[first] - rest[second]))

    scale = {joint: ratio("Hips", "Chest") for joint in ("Spine", "Chest")}
    scale |= {joint: ratio("Chest", "Neck") for joint in ("UpperChest", "Neck")}
    scale |= {"Head": ratio("Neck", "Head"), "HeadTop": ratio("Head", "HeadTop")}
    offsets = {joint: base.offsets[base.index(joint)] * scale.get(joint, 1.0) for joint in base.names}
    arms, hips = _between(at, "UpperArm"), _between(at, "UpperLeg")
    for side, sign in SIDE_SIGNS.items():
        foot = foot_size(at, base, ratio("LeftLowerLeg", "LeftFoot"))
        for part, end, beyond in (("LowerArm", "Hand", ("HandEnd",)), ("LowerLeg", "Foot", ("Toes", "ToesEnd"))):
            upper = part.replace("Lower", "Upper")
            offsets[side + part] = offsets[side + part] * ratio(f"Left{upper}", f"Left{part}")
            offsets[side + end] = offsets[side + end] * ratio(f"Left{part}", f"Left{end}")
            for joint in beyond:
                offsets[side + joint] = offsets[side + joint] * (foot if end == "Foot" else ratio(f"Left{part}", f"Left{end}"))
        shoulder = rest["LeftUpperArm"][0] - rest["Neck"][0]
        size = np.array([0.5 * arms / shoulder, scale["Neck"], scale["Neck"]])
        offsets[f"{side}Shoulder"], offsets[f"{side}UpperArm"] = offsets[f"{side}Shoulder"] * size, offsets[f"{side}UpperArm"] * size
        below = max(apart("Hips", "LeftUpperLeg") ** 2 - 0.25 * hips**2, 0.0) ** 0.5  # how far the pelvis' point lies off the hips' line
        down = offsets[f"{side}UpperLeg"] * np.array([0.0, 1.0, 1.0])
        offsets[f"{side}UpperLeg"] = down * (below / float(np.linalg.norm(down))) + np.array([0.5 * sign * hips, 0.0, 0.0])
    return replace(base, offsets=np.stack([offsets[joint] for joint in base.names]))


def _between(at: Mapping[str, Array], joint: str) -> float:
    length = float(np.median(np.linalg.norm(at[f"Left{joint}"] - at[f"Right{joint}"], axis=-1)))
    if length < 0.01:
        raise RetargetError(f"{joint}: expected left and right at least a centimetre apart, found {length:.4f} m; are these metres?")
    return length


def _checked(points: Mapping[str, Array]) -> dict[str, Array]:
    if missing := [joint for joint in POINTS if joint not in points]:
        raise RetargetError(f"expected the joints {', '.join(POINTS)}, found none for {', '.join(missing)}")
    at = {joint: np.asarray(points[joint], dtype=np.float64) for joint in (*POINTS, *given(points))}
    for joint, position in at.items():
        if not np.isfinite(position).all():
            frame = int(np.argwhere(~np.isfinite(position).all(axis=-1))[0, 0])
            raise RetargetError(f"{joint}: expected a position in every frame, found none in frame {frame}")
    return at


# Trunk and head -----------------------------------------------------------------------------------


def _trunk(at: Mapping[str, Array], skeleton: Skeleton, fps: float) -> dict[str, Array]:
    """Return the global rotations, (T, 4), of everything from the hips to the head and the collar bones."""
    hips, chest = _pelvis(at, skeleton, fps), _thorax(at, skeleton)
    turned = {"Hips": hips}
    spine = at["Hips"] + rotate(hips, rest_offset(skeleton, "Spine"))
    turned["Spine"] = aimed(slerp(hips, chest, np.array(0.5)), rest_offset(skeleton, "Chest"), directions(at["Chest"] - spine, "Chest"))
    turned["Chest"] = turned["UpperChest"] = chest
    turned["Neck"] = aimed(chest, rest_offset(skeleton, "Head"), directions(at["Head"] - at["Neck"], "Head"))
    turned["Head"] = aimed(turned["Neck"], rest_offset(skeleton, "HeadTop"), directions(at["HeadTop"] - at["Head"], "HeadTop"))
    for side in SIDES:
        collar = at["Neck"] + rotate(chest, rest_offset(skeleton, f"{side}Shoulder") - rest_offset(skeleton, "Neck"))
        arm = f"{side}UpperArm"
        turned[f"{side}Shoulder"] = aimed(chest, rest_offset(skeleton, arm), directions(at[arm] - collar, arm))
    return turned


def _pelvis(at: Mapping[str, Array], skeleton: Skeleton, fps: float) -> Array:
    """Return the rotation of the hips: the line through both hip joints exactly; how far it tips from two witnesses.

    The pelvis' own point says it exactly, but lies a few centimetres off that line, so that noise weighs heavily; the chest is far
    off, but the back may be bent. The two are weighed by how far each may be wrong, the noise being judged from bone lengths, and a
    back bends no faster than a back does.
    """
    rest = skeleton.rest_positions
    left, right = rest[skeleton.index("LeftUpperLeg")], rest[skeleton.index("RightUpperLeg")]
    centre, rest_centre = 0.5 * (at["LeftUpperLeg"] + at["RightUpperLeg"]), 0.5 * (left + right)
    across = directions(at["LeftUpperLeg"] - at["RightUpperLeg"], "LeftUpperLeg")
    rest_chest, rest_pelvis = rest[skeleton.index("Chest")] - rest_centre, rest[skeleton.index("Hips")] - rest_centre
    upright = aligned(left - right, rest_chest, across, at["Chest"] - centre)
    lever = float(np.linalg.norm(rest_pelvis))
    noise = _noise(at)
    tip = turn_about(across, rotate(upright, rest_pelvis), at["Hips"] - centre)
    trust = _BACK**2 * lever**2 / (1.5 * noise**2 + 1e-12)  # of the pelvis' point, relative to the chest's
    tip = steady(tip, np.full(len(tip), trust), np.zeros(len(tip)), 1.0, (_BACK * fps / _BACK_SPEED) ** 2)
    return multiply(about(across, tip), upright)


def _noise(at: Mapping[str, Array]) -> float:
    """Return how far points are off along one axis, metres, judged by how much the lengths of limbs vary."""
    spreads = []
    for upper, (lower, end, _) in _HINGES.items():
        for first, second in ((upper, lower), (lower, end)):
            lengths = np.linalg.norm(at[first] - at[second], axis=-1)
            spreads.append(1.4826 * float(np.median(np.abs(lengths - np.median(lengths)))))
    return float(np.median(spreads)) / 2**0.5


def _thorax(at: Mapping[str, Array], skeleton: Skeleton) -> Array:
    """Return the rotation of the rib cage: up to the neck exactly, across by the shoulders."""
    rest = {joint: skeleton.rest_positions[skeleton.index(joint)] for joint in ("Chest", "Neck", "LeftUpperArm", "RightUpperArm")}
    up = directions(at["Neck"] - at["Chest"], "Neck")
    return aligned(rest["Neck"] - rest["Chest"], rest["LeftUpperArm"] - rest["RightUpperArm"], up, at["LeftUpperArm"] - at["RightUpperArm"])


# Limbs --------------------------------------------------------------------------------------------


def _limb(at: Mapping[str, Array], skeleton: Skeleton, turned: dict[str, Array], upper: str, fps: float) -> None:
    """Add the global rotations of a limb: both bones point where the points say; the upper one turns so that the hinge fits."""
    lower, end, axis = _HINGES[upper]
    parent = turned[str(skeleton.parent(upper))]
    along, beyond = directions(at[lower] - at[upper], lower), directions(at[end] - at[lower], end)
    carried = aimed(parent, rest_offset(skeleton, lower), along)
    hinge, normal = rotate(carried, np.array(axis)), np.cross(along, beyond)  # the normal's length is the sine of the bend
    weight = dot(normal, normal) ** 2
    if end.endswith("Foot") and TOES[0] in at:
        normal = weight[:, None] * unit(normal) + hinge_by_foot(at, end.removesuffix("Foot"), along)
        weight = norms(normal)
    drift = _drift(rotate(conjugate(parent), along), rotate(conjugate(parent), hinge))
    turn = steady(turn_about(along, hinge, normal) + drift, weight, drift, _REST, (_HOLD * fps) ** 2) - drift
    turned[upper] = multiply(about(along, turn), carried)
    turned[lower] = aimed(turned[upper], rest_offset(skeleton, end), beyond)


def _drift(along: Array, hinge: Array) -> Array:
    """Return by how much, (T,) radians, a hinge has turned about its bone since the first frame, beyond what swinging the bone takes with it.

    Aiming with the least turn from the rest pose spins a bone that swings past the direction opposite to that; measured from one frame
    to the next there is no such place.
    """
    carried = rotate(shortest_arc(along[:-1], along[1:]), hinge[:-1])
    return np.concatenate([[0.0], np.cumsum(turn_about(along[1:], carried, hinge[1:]))])
