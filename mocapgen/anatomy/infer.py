"""Roles of a skeleton that no profile knows: from what the joints are called and from how the bones hang together.

Two independent witnesses. *Names*: words such as thigh, knee, lhumerus, with a side. *Structure*: the two longest pairs of equal chains
are legs and arms, in each of them the two longest neighbouring bones the limb; what goes on beyond the arms is neck and head. Which
side is left is told by names, and by geometry: left is up x forward, forward being where toes and knees point.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from mocapgen.anatomy.body import LIMB_JOINTS, completed, why_no_person, with_toes, with_trunk
from mocapgen.anatomy.names import ancestors, roles_by_names, words
from mocapgen.anatomy.profiles.library import Match, recognise
from mocapgen.anatomy.roles import Roles
from mocapgen.anatomy.sides import placed, side_agreement, side_votes
from mocapgen.anatomy.structure import limb_pairs, roles_by_structure
from mocapgen.anatomy.tables import ARM_BONES, LEG_BONES, SIDES
from mocapgen.core.motion import Array, Skeleton
from schemas.conventions import JOINT_PARENTS, mirrored
from schemas.errors import RetargetError
from schemas.profile import OPTIONAL_ROLES, REQUIRED_ROLES

SURE = 0.55
"""Least confidence: sides and structure alone (0.6) suffice, structure without sides (0.4) or some names do not."""
_NAMES, _STRUCTURE, _SIDES = 0.4, 0.4, 0.2
"""What each witness adds to the confidence."""
_NAMED = 0.75
"""Least confidence where names say all of the limbs, and the bones' lengths are a person's."""

MOST_PAIRS = 2
"""Pairs of limbs that a person has."""


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
        return roles_by_profile(skeleton, found)
    inferred, complaint = infer_roles(skeleton, skeleton.rest_positions[None])
    if inferred is None:
        raise RetargetError(complaint)
    return inferred


def roles_by_profile(skeleton: Skeleton, found: Match) -> Roles:
    """Return which joint has which role by a profile; where it finds no toes, the tips of the feet stand for them."""
    joints = with_toes(skeleton, found.joints)
    return Roles({role: joints[role] for role in JOINT_PARENTS if role in joints}, found.drivers, found.confidence)


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
    joints = with_trunk(skeleton, _joined(skeleton, named, structured))
    by_name = sum(role in named for role in REQUIRED_ROLES) / len(REQUIRED_ROLES)
    by_structure = sum(role in structured and joints.get(role) == structured[role] for role in REQUIRED_ROLES) / len(REQUIRED_ROLES)
    confidence = _NAMES * by_name + _STRUCTURE * by_structure + _SIDES * max(agreement, 0.0)
    missing = [role for role in REQUIRED_ROLES if role not in joints]
    all_named = all(role in named for role in LIMB_JOINTS)
    if not all_named and (pairs := limb_pairs(skeleton)) > MOST_PAIRS:
        return None, f"not a person: expected two pairs of limbs, found {pairs}"
    if not missing:
        if odd := why_no_person(skeleton, joints):
            return None, f"not a person: {odd}"
        joints = completed(skeleton, joints)
        agreement = side_agreement(placed(skeleton, joints, positions))
        if all_named:
            confidence = max(confidence, _NAMED)
    if agreement < 0:
        return None, "expected left and right as the joints' names say, found the left side on the right: the figure is mirrored or its names are"
    if missing or confidence < SURE:
        return None, _complaint(skeleton, named, missing, confidence)
    return Roles(joints, {}, round(min(confidence, 0.99), 2)), ""


def _complaint(skeleton: Skeleton, named: Mapping[str, str], missing: list[str], confidence: float) -> str:
    """Return which roles no joint has, and which joints say nothing."""
    understood = set(named.values())
    odd = [name for name in skeleton.names if name not in understood and name not in skeleton.end_sites]
    lack = f"found no joint for {', '.join(missing[:6])}" if missing else f"found only a guess ({100 * confidence:.0f} % sure)"
    part = "not a person, or only a part of one: " if 2 * len(missing) > len(REQUIRED_ROLES) else ""
    return f"{part}expected joints that a profile knows or that can be inferred, {lack}; not understood: {', '.join(odd[:10]) or 'nothing'}"


def _joined(skeleton: Skeleton, named: dict[str, str], structured: dict[str, str]) -> dict[str, str]:
    """Return the roles that names and structure together tell; where all limbs have names, these, and from the structure what fits."""
    if all(role in named for role in LIMB_JOINTS) and _ordered(skeleton, named):
        joints = dict(named)
        for side in SIDES:
            for role, above, below in ((f"{side}Toes", f"{side}Foot", f"{side}Toes"), (f"{side}Shoulder", f"{side}Shoulder", f"{side}UpperArm")):
                fits = role in structured and role not in named and structured[role] not in named.values()
                ends = structured | named
                if fits and ends[above] in ancestors(skeleton, ends[below]):
                    joints[role] = structured[role]
        return joints
    joints = structured | named
    if not _ordered(skeleton, joints):
        joints = structured if len(structured) >= len(named) else named
    return joints


def _sided(skeleton: Skeleton, positions: Array, named: dict[str, str], structured: dict[str, str]) -> tuple[dict[str, str], float]:
    """Give the sides of the structure the names that fit, and return how well names and geometry agree on them, -1 to 1."""
    if not structured:
        return structured, side_agreement(placed(skeleton, named, positions))
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
    return out, side_agreement(placed(skeleton, out | named, positions))


def _geometry_swaps(skeleton: Skeleton, joints: dict[str, str], positions: Array, limb: str) -> bool:
    """Whether what is called left in the structure lies on the right."""
    if limb == "Leg":
        return sum(side_votes(placed(skeleton, joints, positions))) < 0
    at = placed(skeleton, joints, positions)
    legs = at["LeftUpperLeg"] - at["RightUpperLeg"]
    if sum(side_votes(placed(skeleton, joints, positions))) < 0:
        legs = -legs
    return float(np.einsum("ti,ti->", legs, at["LeftUpperArm"] - at["RightUpperArm"])) < 0


def _ordered(skeleton: Skeleton, joints: Mapping[str, str]) -> bool:
    """Whether on each limb the joints come after each other, and no joint has two roles."""
    chains = [(f"{side}{a}", f"{side}{b}") for side in SIDES for a, b in (*ARM_BONES, *LEG_BONES)]
    if len(set(joints.values())) < len(joints):
        return False
    return all(joints[a] in ancestors(skeleton, joints[b]) for a, b in chains if a in joints and b in joints)
