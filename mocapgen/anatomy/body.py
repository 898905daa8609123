"""What the limbs of a skeleton say about the rest of it: trunk, neck, head and toes, and whether it is a person's."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from mocapgen.anatomy.names import ancestors, words
from mocapgen.anatomy.tables import ARM, LEG, ROLE_WORDS, SIDES
from mocapgen.core.skeleton import Skeleton
from schemas.conventions import JOINT_PARENTS

LIMB_JOINTS = tuple(side + part for side in SIDES for part in (*ARM, *LEG))
"""Roles that make the limbs: the others follow from them."""

RATIOS: dict[str, tuple[float, float]] = {
    "upper arm / forearm": (0.4, 2.5),
    "thigh / shank": (0.4, 2.5),
    "arm / leg": (0.3, 1.3),
    "trunk / leg": (0.2, 1.6),
}
"""Lengths of bones of people, cartoon figures and what exporters make of both; of adults (Dumas et al. 2007) 1.1, 1.0, 0.65, 0.6."""
UNEQUAL = 1.5
"""Left and right bones of a person differ by no more than this factor."""
_TOE = (0.03, 0.5)  # how far the tip of a foot is from the ankle, in lengths of the leg
_FORWARD = 0.5  # cosine of the angle between ankle-toes and ankle-tip of the foot
_ENDS = {"Head": "HeadTop", **{side + part: f"{side}{part}End" for side in SIDES for part in ("Hand", "Toes")}}


def meeting(skeleton: Skeleton, *joints: str) -> str:
    """Return the deepest joint that joints hang from; if one of them hangs from the others' way up, that one."""
    first, *others = ([joint, *ancestors(skeleton, joint)] for joint in joints)
    return next(joint for joint in first if all(joint in other for other in others))


def with_trunk(skeleton: Skeleton, joints: Mapping[str, str]) -> dict[str, str]:
    """Add hips, neck and head to the limbs' roles where no name says which they are.

    A neck that is not there is played by the head and the other way round; a head may be an end site.
    """
    found = dict(joints)
    if any(role not in found for role in LIMB_JOINTS):
        return found
    legs, arms = ([found[f"{side}{part}"] for side in SIDES] for part in ("UpperLeg", "UpperArm"))
    if "Hips" not in found or any(found["Hips"] not in ancestors(skeleton, leg) for leg in legs):
        found["Hips"] = meeting(skeleton, *legs, *arms)
    fork = meeting(skeleton, *arms)
    if "Head" in found and "Neck" not in found:
        above = ancestors(skeleton, found["Head"])
        way = above[: above.index(fork)] if fork in above else []
        found["Neck"] = way[-1] if way else found["Head"]
    elif "Neck" in found and "Head" not in found:
        found["Head"] = _next(skeleton, found["Neck"])
    elif "Neck" not in found:
        limbs = {found[role] for role in LIMB_JOINTS} | {joint for arm in arms for joint in ancestors(skeleton, arm)}
        branches = [joint for joint in skeleton.children(fork) if joint not in limbs and joint not in skeleton.end_sites]
        if branches:
            found["Neck"] = max(branches, key=lambda joint: _reach(skeleton, joint))
            found["Head"] = _next(skeleton, found["Neck"])
    return found


def _next(skeleton: Skeleton, joint: str) -> str:
    """Return the joint that a bone ends in: a child with children of its own rather than an end site; the joint itself if there is none."""
    size = 1e-3 * float(np.abs(skeleton.rest_positions).max())
    children = [child for child in skeleton.children(joint) if skeleton.bone_length(child) > size]
    return max(children, key=lambda child: (child not in skeleton.end_sites, _reach(skeleton, child)), default=joint)


def _reach(skeleton: Skeleton, joint: str) -> float:
    """Return the way from a joint's parent along bones to the furthest end of its branch."""
    reach = np.zeros(len(skeleton.names))
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    for index in range(len(lengths) - 1, skeleton.index(joint), -1):
        parent = skeleton.parents[index]
        reach[parent] = max(reach[parent], reach[index] + lengths[index])
    return float(reach[skeleton.index(joint)] + lengths[skeleton.index(joint)])


def completed(skeleton: Skeleton, joints: Mapping[str, str]) -> dict[str, str]:
    """Add the first, the middle and the last joint between hips and neck, toes, and the end points of head, hands and toes."""
    top = meeting(skeleton, joints["Hips"], joints["Neck"])
    above = ancestors(skeleton, joints["Neck"])
    between = above[: above.index(top)][::-1] if top in above else []
    chosen = between if len(between) <= 3 else [between[0], between[len(between) // 2], between[-1]]
    found = dict(joints) | dict(zip(("Spine", "Chest", "UpperChest"), chosen, strict=False))
    for side in SIDES:
        found.pop(f"{side}Toes", None)
    found = with_toes(skeleton, found, joints)
    for role, end in _ENDS.items():
        tips = [joint for joint in skeleton.children(found[role]) if joint in skeleton.end_sites] if role in found else []
        if tips:
            found[end] = tips[0]
    above_head = skeleton.children(found["Head"])
    if "HeadTop" not in found and len(above_head) == 1 and _next(skeleton, found["Head"]) == above_head[0]:
        found["HeadTop"] = above_head[0]  # a joint that ends the head, before an end site of its own
    return {role: found[role] for role in JOINT_PARENTS if role in found}


def with_toes(skeleton: Skeleton, joints: Mapping[str, str], said: Mapping[str, str] | None = None) -> dict[str, str]:
    """Add toes and their ends where there are none: joints that are called so or are `said` to be, if they are plausible, else the feet's tips."""
    found = dict(joints)
    for side in SIDES:
        toes, end = f"{side}Toes", f"{side}ToesEnd"
        if toes in joints or (joint := _toes(skeleton, joints[f"{side}Foot"], joints, (said or {}).get(toes), side)) is None:
            continue
        found[toes] = joint
        if end not in found and (tips := [child for child in skeleton.children(joint) if child in skeleton.end_sites]):
            found[end] = tips[0]
    return found


def _toes(skeleton: Skeleton, foot: str, joints: Mapping[str, str], said: str | None, side: str) -> str | None:
    """Return the joint that plays the toes: one that is called so or said to be if the foot's tip lies beyond it, else the tip; never a heel."""
    rest, ankle = skeleton.rest_positions, skeleton.index(foot)
    below = [ankle]
    for index in range(ankle + 1, len(skeleton.names)):
        if skeleton.parents[index] in below:
            below.append(index)
    tip = max(below, key=lambda index: float(np.linalg.norm(rest[index] - rest[ankle])))
    line = rest[tip] - rest[ankle]
    leg = sum(_way(skeleton, joints[side + end], joints[side + start]) for start, end in pairwise(LEG))
    called = [skeleton.names[index] for index in below[1:] if words(skeleton.names[index])[1] in ROLE_WORDS["Toes"]]
    for joint in (*([said] if said else []), *(joint for joint in called if joint not in skeleton.end_sites)):
        bone = rest[skeleton.index(joint)] - rest[ankle]
        size = float(np.linalg.norm(bone) * np.linalg.norm(line))
        if "heel" not in words(joint)[1] and (size < 1e-9 or bone @ line > _FORWARD * size):
            return joint
    return skeleton.names[tip] if _TOE[0] * leg < np.linalg.norm(line) < _TOE[1] * leg else None


def why_no_person(skeleton: Skeleton, joints: Mapping[str, str]) -> str:
    """Return what in the lengths of the bones is not like a person, empty if nothing is.

    Parameters
    ----------
    skeleton : Skeleton
        In any unit; its zero pose does not matter.
    joints : mapping of role to joint name
        With all indispensable roles.
    """
    bones = {side + start: _way(skeleton, joints[side + end], joints[side + start]) for side in SIDES for start, end in _BONES}
    for start, _ in _BONES:
        left, right = bones[f"Left{start}"], bones[f"Right{start}"]
        if max(left, right) > UNEQUAL * min(left, right):
            return f"the bone {start} is {left:.3g} file units long on the left and {right:.3g} on the right"
    mean = {start: 0.5 * (bones[f"Left{start}"] + bones[f"Right{start}"]) for start, _ in _BONES}
    arm, leg = mean["UpperArm"] + mean["LowerArm"], mean["UpperLeg"] + mean["LowerLeg"]
    trunk = _between(skeleton, joints["Hips"], joints["Neck"])
    lengths = {"upper arm": mean["UpperArm"], "forearm": mean["LowerArm"], "thigh": mean["UpperLeg"], "shank": mean["LowerLeg"]}
    lengths |= {"arm": arm, "leg": leg, "trunk": trunk}
    for ratio, (least, most) in RATIOS.items():
        one, other = (lengths[part] for part in ratio.split(" / "))
        if not least * other <= one <= most * other:
            return f"expected {ratio} of {least:g} to {most:g}, found {one:.3g} to {other:.3g} file units"
    return ""


_BONES = tuple((start, end) for limb in (ARM, LEG) for start, end in pairwise(limb))


def _way(skeleton: Skeleton, joint: str, above: str) -> float:
    """Return the way along the bones from a joint up to one above it."""
    way, here = 0.0, skeleton.index(joint)
    while here >= 0 and skeleton.names[here] != above:
        way += float(np.linalg.norm(skeleton.offsets[here])) if skeleton.parents[here] >= 0 else 0.0
        here = skeleton.parents[here]
    return way


def _between(skeleton: Skeleton, one: str, other: str) -> float:
    top = meeting(skeleton, one, other)
    return _way(skeleton, one, top) + _way(skeleton, other, top)
