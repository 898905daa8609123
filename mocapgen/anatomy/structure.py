"""Roles as the tree and its bone lengths tell.

The two longest pairs of equal chains are legs and arms; what goes on beyond the arms is neck and head.
"""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np

from mocapgen.anatomy.names import ancestors
from mocapgen.core.skeleton import Array, Skeleton

_EQUAL = 0.15
"""Left and right bones may differ by this share; within one actor of HDM05 they do by 7 %."""
_SHORT = 0.4  # of the longest limbs: shorter pairs may be ears or fingers
_MOST = 12  # branches from one joint that may be limbs: the furthest ones


def roles_by_structure(skeleton: Skeleton) -> dict[str, str]:
    """Return the joint of each role as the tree and its bone lengths tell, sides by chance; nothing without two pairs of limbs."""
    children, lengths, reach = _tree(skeleton)
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


def limb_pairs(skeleton: Skeleton) -> int:
    """Return how many pairs of equal limbs there are, none within another: two of a person, more of crabs and spiders."""
    children, lengths, reach = _tree(skeleton)
    pairs = _pairs(children, lengths, reach)
    size = {pair: _longest_limb(pair[0], children, lengths, reach) for pair in pairs}
    used: set[int] = set()
    count = 0
    for pair in pairs:
        if size[pair] < _SHORT * size[pairs[0]] or used & set(pair) or any(_within(skeleton, pair, other) for other in pairs if other != pair):
            continue
        used |= set(pair)
        count += 1
    return count


def _tree(skeleton: Skeleton) -> tuple[list[list[int]], Array, Array]:
    """Return each joint's children, the lengths of the bones, and the way from each joint to the furthest end of its branch."""
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    lengths[0] = 0.0
    reach = np.zeros(len(lengths))
    for index in range(len(lengths) - 1, 0, -1):
        parent = skeleton.parents[index]
        reach[parent] = max(reach[parent], reach[index] + lengths[index])
    children: list[list[int]] = [[] for _ in lengths]
    for index, parent in enumerate(skeleton.parents[1:], start=1):
        children[parent].append(index)
    return children, lengths, reach


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
    above = ancestors(skeleton, skeleton.names[pair[0]])
    return any(skeleton.names[joint] in above for joint in other)


def _meeting(skeleton: Skeleton, legs: tuple[int, int], arms: tuple[int, int]) -> int:
    """Return the deepest joint that both legs and arms hang from."""
    leg = ancestors(skeleton, skeleton.names[legs[0]])
    arm = set(ancestors(skeleton, skeleton.names[arms[0]]))
    return skeleton.index(next(joint for joint in leg if joint in arm))
