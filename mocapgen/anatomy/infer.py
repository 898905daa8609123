"""Roles of a skeleton that no profile knows: from what the joints are called and from how the bones hang together.

Two independent witnesses. *Names*: words such as thigh, knee, lhumerus, with a side. *Structure*: the two longest pairs of equal chains
are legs and arms, in each of them the two longest neighbouring bones the limb; what goes on beyond the arms is neck and head. Which
side is left is told by names, and by geometry: left is up x forward, forward being where toes and knees point.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np

from mocapgen.anatomy.profiles.library import recognise
from mocapgen.anatomy.roles import Roles
from mocapgen.anatomy.tables import ARM, ARM_BONES, LEG, LEG_BONES, ROLE_WORDS, SIDE_WORDS, SIDES
from mocapgen.core.motion import Array, Skeleton
from schemas.conventions import JOINT_PARENTS, mirrored
from schemas.errors import RetargetError
from schemas.profile import OPTIONAL_ROLES, REQUIRED_ROLES

SURE = 0.55
"""Least confidence: sides and structure alone (0.6) suffice, structure without sides (0.4) or some names do not."""
_NAMES, _STRUCTURE, _SIDES = 0.4, 0.4, 0.2
"""What each witness adds to the confidence."""
_EQUAL = 0.15
"""Left and right bones may differ by this share; within one actor of HDM05 they do by 7 %."""

_MOST = 12  # branches from one joint that may be limbs: the furthest ones
_LONGEST = 40  # letters that names may have in common

_VOCABULARY = frozenset(word for words in ROLE_WORDS.values() for word in words)
_TOKENS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


@lru_cache(maxsize=256)
def find_roles(skeleton: Skeleton) -> Roles:
    """Return which joint has which role in a skeleton.

    Parameters
    ----------
    skeleton : Skeleton

    Returns
    -------
    Roles
        By the skeleton's own names if they are the roles, else by the built-in profile that knows all indispensable roles,
        else as inferred from names and the rest pose.

    Raises
    ------
    RetargetError
        If nothing of that is sure enough: with the roles that no joint has and the names that were not understood.
    """
    if all(role in skeleton for role in JOINT_PARENTS if role not in OPTIONAL_ROLES):
        return Roles({role: role for role in JOINT_PARENTS if role in skeleton})
    found = recognise(skeleton.names)
    if found is not None:
        return Roles(found.joints, found.drivers, found.confidence)
    inferred, complaint = infer_roles(skeleton, skeleton.rest_positions[None])
    if inferred is None:
        raise RetargetError(complaint)
    return inferred


def infer_roles(skeleton: Skeleton, positions: Array) -> tuple[Roles | None, str]:
    """Infer which joint has which role.

    Parameters
    ----------
    skeleton : Skeleton
        In any unit and axes (right-handed); its zero pose does not matter.
    positions : (T, J, 3) float
        Where the joints are in some frames, in which sides are looked at.

    Returns
    -------
    Roles or None
        With its confidence; None if that is below :data:`SURE`.
    str
        Why not, in one line; empty if sure.
    """
    named, structured = roles_by_names(skeleton), roles_by_structure(skeleton)
    structured, agreement = _sided(skeleton, positions, named, structured)
    joints = structured | named
    if not _ordered(skeleton, joints):
        joints = structured if len(structured) >= len(named) else named
    by_name = sum(role in named for role in REQUIRED_ROLES) / len(REQUIRED_ROLES)
    by_structure = sum(role in structured and joints.get(role) == structured[role] for role in REQUIRED_ROLES) / len(REQUIRED_ROLES)
    confidence = _NAMES * by_name + _STRUCTURE * by_structure + _SIDES * max(agreement, 0.0)
    missing = [role for role in REQUIRED_ROLES if role not in joints]
    if agreement < 0:
        return None, "expected left and right as the joints' names say, found the left side on the right: the figure is mirrored or its names are"
    if missing or confidence < SURE:
        understood = set(named.values())
        odd = [name for name in skeleton.names if name not in understood and name not in skeleton.end_sites]
        lack = f"found no joint for {', '.join(missing[:6])}" if missing else f"found only a guess ({100 * confidence:.0f} % sure)"
        return None, f"expected joints that a profile knows or that can be inferred, {lack}; not understood: {', '.join(odd[:10]) or 'nothing'}"
    return Roles(_completed(skeleton, joints), {}, round(min(confidence, 0.99), 2)), ""


# Names --------------------------------------------------------------------------------------------


def words(name: str) -> tuple[str, str]:
    """Return the side (``Left``, ``Right`` or empty) and the rest of a joint's name, in lower case without digits and separators."""
    tokens = [token.lower() for token in _TOKENS.findall(name.rpartition(":")[2])]
    side = next((SIDE_WORDS[token] for token in tokens if token in SIDE_WORDS), "")
    rest = "".join(token for token in tokens if token not in SIDE_WORDS)
    if not side:
        for word in ("left", "right", "l", "r"):
            if rest.startswith(word) and rest.removeprefix(word) in _VOCABULARY:
                return SIDE_WORDS[word], rest.removeprefix(word)
    return side, rest


def roles_by_names(skeleton: Skeleton) -> dict[str, str]:
    """Return the joint of each role whose name says so; on each limb only joints that follow each other."""
    joints = [name for name in skeleton.names if name not in skeleton.end_sites]
    spelled = {name: words(name) for name in joints}
    common = _common_start([rest for _, rest in spelled.values()])
    spelled = {name: (side, rest.removeprefix(common)) for name, (side, rest) in spelled.items()}
    found: dict[str, str] = {}
    for side in SIDES:
        for limb in ((*LEG, "Toes"), ("Shoulder", *ARM)):
            here = {role: [name for word in ROLE_WORDS[role] for name in joints if spelled[name] == (side, word)] for role in limb}
            found |= {side + role: joint for role, joint in _chain(skeleton, here).items()}
    for role in ("Hips", "Neck", "Head"):
        hit = next((name for word in ROLE_WORDS[role] for name in joints if spelled[name] == ("", word)), None)
        if hit is not None:
            found[role] = hit
    return found


def _common_start(rests: list[str]) -> str:
    """Return what nearly all names start with, such as the name of the figure, unless it is a word for a part."""
    counts: dict[str, int] = {}
    for rest in rests:
        for length in range(2, min(len(rest), _LONGEST)):
            counts[rest[:length]] = counts.get(rest[:length], 0) + 1
    common = [start for start, count in counts.items() if count >= max(3, 0.8 * len(rests)) and start not in _VOCABULARY]
    return max(common, key=len, default="")


def _chain(skeleton: Skeleton, candidates: Mapping[str, list[str]]) -> dict[str, str]:
    """Choose one joint for each role of a limb so that each comes after the one before it."""
    found: dict[str, str] = {}
    for role, names in candidates.items():
        taken = list(found.values())
        above = [name for name in names if name not in taken and (not taken or taken[-1] in _ancestors(skeleton, name))]
        # A shoulder is the collar bone where there is another word for the upper arm, and the upper arm where there is none.
        if role == "Shoulder" and above and not set(candidates["UpperArm"]) - {above[0]}:
            continue
        if above:
            found[role] = above[0]
    return found


def _ancestors(skeleton: Skeleton, joint: str) -> list[str]:
    found, parent = [], skeleton.parent(joint)
    while parent is not None:
        found.append(parent)
        parent = skeleton.parent(parent)
    return found


# Structure ----------------------------------------------------------------------------------------


def roles_by_structure(skeleton: Skeleton) -> dict[str, str]:
    """Return the joint of each role as the tree and its bone lengths tell, sides by chance; nothing without two pairs of limbs."""
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    lengths[0] = 0.0
    reach = np.zeros(len(lengths))  # from each joint to the furthest end of its branch
    for index in range(len(lengths) - 1, 0, -1):
        parent = skeleton.parents[index]
        reach[parent] = max(reach[parent], reach[index] + lengths[index])
    children: list[list[int]] = [[] for _ in lengths]
    for index, parent in enumerate(skeleton.parents[1:], start=1):
        children[parent].append(index)
    pairs = _pairs(children, lengths, reach)
    if len(pairs) < 2:
        return {}
    legs, arms = pairs[0], next((pair for pair in pairs[1:] if not _within(skeleton, pair, pairs[0])), None)
    if arms is None or _within(skeleton, legs, arms):
        return {}
    found: dict[str, str] = {}
    for (one, other), upper, lower, end, before, after in (
        (legs, "UpperLeg", "LowerLeg", "Foot", "", "Toes"),
        (arms, "UpperArm", "LowerArm", "Hand", "Shoulder", ""),
    ):
        for side, joint in (("Left", one), ("Right", other)):
            path = _path(joint, children, lengths, reach)
            start = _limb(path, lengths)
            if start is None:
                return {}
            for offset, role in ((-1, before), (0, upper), (1, lower), (2, end), (3, after)):
                if role and 0 <= start + offset < len(path):
                    found[side + role] = skeleton.names[path[start + offset]]
    found["Hips"] = skeleton.names[_meeting(skeleton, legs, arms)]
    above = [joint for joint in children[skeleton.parents[arms[0]]] if joint not in arms]
    if above:
        head = _path(max(above, key=lambda joint: reach[joint] + lengths[joint]), children, lengths, reach)
        found |= dict(
            zip(("Neck", "Head"), (skeleton.names[joint] for joint in head if skeleton.names[joint] not in skeleton.end_sites), strict=False)
        )
        if len(head) > 3:
            bare = [joint for joint in head if skeleton.names[joint] not in skeleton.end_sites]
            found["Head"] = skeleton.names[bare[min(len(bare) - 1, 2)]]
    return found


def _pairs(children: list[list[int]], lengths: Array, reach: Array) -> list[tuple[int, int]]:
    """Return pairs of branches that are equally long bone by bone, the longest first."""
    found = []
    for siblings in (siblings for siblings in children if len(siblings) > 1):
        likely = sorted((joint for joint in siblings if reach[joint] >= 0.2 * reach.max()), key=lambda joint: -reach[joint])[:_MOST]
        bones = {joint: lengths[_path(joint, children, lengths, reach)[1:]][:3] for joint in sorted(likely)}
        for one, other in combinations(bones, 2):
            first, second = bones[one], bones[other]
            count = min(len(first), len(second))
            if count >= 2 and np.all(np.abs(first[:count] - second[:count]) <= _EQUAL * np.maximum(first[:count], second[:count])):
                found.append((one, other))
    return sorted(found, key=lambda pair: -float(_longest_limb(pair[0], children, lengths, reach)))


def _longest_limb(joint: int, children: list[list[int]], lengths: Array, reach: Array) -> float:
    path = _path(joint, children, lengths, reach)
    start = _limb(path, lengths)
    return 0.0 if start is None else float(lengths[path[start + 1]] + lengths[path[start + 2]])


def _path(joint: int, children: list[list[int]], lengths: Array, reach: Array) -> list[int]:
    """Return the joints from one to the furthest end of its branch; of several at one place the last, which turns what follows."""
    path = [joint]
    while children[path[-1]]:
        path.append(max(children[path[-1]], key=lambda child: reach[child] + lengths[child]))
    tiny = 1e-3 * float(reach.max())
    return [here for here, after in zip(path, [*path[1:], -1], strict=True) if after < 0 or lengths[after] > tiny]


def _limb(path: list[int], lengths: Array) -> int | None:
    """Return where in a path the two longest neighbouring bones of similar length start."""
    bones = lengths[path[1:]]
    sums = [(one + other, -place) for place, (one, other) in enumerate(pairwise(bones)) if 0.5 < one / max(other, 1e-12) < 2.0]
    return -max(sums)[1] if sums else None


def _within(skeleton: Skeleton, pair: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether a pair of branches is part of one of another pair."""
    ancestors = _ancestors(skeleton, skeleton.names[pair[0]])
    return any(skeleton.names[joint] in ancestors for joint in other)


def _meeting(skeleton: Skeleton, legs: tuple[int, int], arms: tuple[int, int]) -> int:
    """Return the deepest joint that both legs and arms hang from."""
    leg = _ancestors(skeleton, skeleton.names[legs[0]])
    arm = set(_ancestors(skeleton, skeleton.names[arms[0]]))
    return skeleton.index(next(joint for joint in leg if joint in arm))


# Both ---------------------------------------------------------------------------------------------


def side_agreement(skeleton: Skeleton, joints: Mapping[str, str], positions: Array) -> float:
    """Return in how many frames the left side lies on the left, less in how many on the right: 1 to -1, 0 if it cannot be told.

    Parameters
    ----------
    skeleton : Skeleton
    joints : mapping of role to joint name
    positions : (T, J, 3) float
        Right-handed axes, whichever points up.
    """
    if any(role not in joints for role in ("Neck", *(f"{side}{part}" for side in SIDES for part in LEG))):
        return 0.0
    at = {role: positions[:, skeleton.index(joint)] for role, joint in joints.items()}
    across = at["LeftUpperLeg"] - at["RightUpperLeg"]
    trunk = at["Neck"] - 0.5 * (at["LeftUpperLeg"] + at["RightUpperLeg"])
    legs = sum(np.linalg.norm(at["LeftFoot"] - at["LeftLowerLeg"], axis=-1)) / len(positions)
    votes = np.zeros(len(positions))
    for side in SIDES:
        # Toes point forward; so do knees that are bent, seen from the line from hip to ankle.
        hip, knee, ankle = (at[side + part] for part in LEG)
        forward = knee - 0.5 * (hip + ankle) if f"{side}Toes" not in at else at[f"{side}Toes"] - ankle
        votes += np.einsum("ti,ti->t", across, np.cross(trunk, forward))
    size = np.linalg.norm(across, axis=-1) * np.linalg.norm(trunk, axis=-1) * legs
    clear = np.abs(votes) > 0.05 * size
    return float(np.sign(votes[clear]).mean()) if clear.any() else 0.0


def _sided(skeleton: Skeleton, positions: Array, named: dict[str, str], structured: dict[str, str]) -> tuple[dict[str, str], float]:
    """Give the sides of the structure the names that fit, and return how well names and geometry agree on them, -1 to 1."""
    if not structured:
        return structured, side_agreement(skeleton, named, positions)
    out = dict(structured)
    for limb in ("Leg", "Arm"):
        roles = [role for role in structured if limb in role or role.endswith("Foot" if limb == "Leg" else "Hand")]
        said = [words(structured[role])[0] for role in roles]
        same = sum(role.startswith(side) for role, side in zip(roles, said, strict=True) if side)
        other = sum(not role.startswith(side) for role, side in zip(roles, said, strict=True) if side)
        swap = other > same
        if not same and not other:
            swap = _geometry_swaps(skeleton, structured, positions, limb)
        if swap:
            kinds = ("Leg", "Foot", "Toes") if limb == "Leg" else ("Arm", "Hand", "Shoulder")
            out |= {mirrored(role): joint for role, joint in structured.items() if role.endswith(kinds)}
    return out, side_agreement(skeleton, out | named, positions)


def _geometry_swaps(skeleton: Skeleton, joints: dict[str, str], positions: Array, limb: str) -> bool:
    """Whether what is called left in the structure lies on the right."""
    if limb == "Leg":
        return side_agreement(skeleton, joints, positions) < 0
    at = {role: positions[:, skeleton.index(joint)] for role, joint in joints.items()}
    legs = at["LeftUpperLeg"] - at["RightUpperLeg"]
    if side_agreement(skeleton, joints, positions) < 0:
        legs = -legs
    return float(np.einsum("ti,ti->", legs, at["LeftUpperArm"] - at["RightUpperArm"])) < 0


def _ordered(skeleton: Skeleton, joints: Mapping[str, str]) -> bool:
    """Whether on each limb the joints come after each other, and no joint has two roles."""
    chains = [(f"{side}{a}", f"{side}{b}") for side in SIDES for a, b in (*ARM_BONES, *LEG_BONES)]
    if len(set(joints.values())) < len(joints):
        return False
    return all(joints[a] in _ancestors(skeleton, joints[b]) for a, b in chains if a in joints and b in joints)


_ENDS = {"Head": "HeadTop", **{side + part: f"{side}{part}End" for side in SIDES for part in ("Hand", "Toes")}}


def _completed(skeleton: Skeleton, joints: Mapping[str, str]) -> dict[str, str]:
    """Add the first, the middle and the last joint between hips and neck, and the end points of head, hands and toes."""
    between: list[str] = []
    for joint in _ancestors(skeleton, joints["Neck"]):
        if joint == joints["Hips"]:
            break
        between.insert(0, joint)
    chosen = between if len(between) <= 3 else [between[0], between[len(between) // 2], between[-1]]
    found = dict(joints) | dict(zip(("Spine", "Chest", "UpperChest"), chosen, strict=False))
    for role, end in _ENDS.items():
        tips = [joint for joint in skeleton.children(joints[role]) if joint in skeleton.end_sites] if role in joints else []
        if tips:
            found[end] = tips[0]
    return {role: found[role] for role in JOINT_PARENTS if role in found}
