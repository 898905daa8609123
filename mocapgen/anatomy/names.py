"""What joints are called: decoration taken off, sides and words for parts of the body."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from mocapgen.anatomy.tables import ARM, FILLER_WORDS, LEG, ROLE_WORDS, SIDE_WORDS, SIDES
from mocapgen.core.skeleton import Skeleton

VOCABULARY = frozenset(word for words in ROLE_WORDS.values() for word in words)
_TOKENS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_LONGEST = 40  # letters that names may have in common
_NUMBER = re.compile(r"\s*#\d+$")
_USUAL = 0.4  # of the joints begin with a figure's name; helper joints often do not
_FEWEST = 6


def words(name: str) -> tuple[str, str]:
    """Return the side (``Left``, ``Right`` or empty) and the rest of a joint's name, in lower case without digits and separators.

    Words that say nothing about the part of the body, such as ``jnt``, are left out where the rest is a word for a part without them.
    """
    tokens = [token.lower() for token in _TOKENS.findall(name.rpartition(":")[2])]
    side = next((SIDE_WORDS[token] for token in tokens if token in SIDE_WORDS), "")
    tokens = [token for token in tokens if token not in SIDE_WORDS]
    rest = "".join(tokens)
    if rest not in VOCABULARY and (bare := "".join(token for token in tokens if token not in FILLER_WORDS)) in VOCABULARY:
        rest = bare
    if not side:
        for word in ("left", "right", "l", "r"):
            if rest.startswith(word) and rest.removeprefix(word) in VOCABULARY:
                return SIDE_WORDS[word], rest.removeprefix(word)
    return side, rest


@lru_cache(maxsize=256)
def plain_names(names: frozenset[str]) -> Mapping[str, str]:
    """Return each joint's name without what decorates it: a namespace, a number such as `` #0``, the prefix that most joints share."""
    bare = {name: _NUMBER.sub("", name[max(name.rfind(":"), name.rfind("|")) + 1 :]) or name for name in sorted(names)}
    prefix = _common_prefix(tuple(bare.values()))
    return {name: plain.removeprefix(prefix) or plain for name, plain in bare.items()}


def _common_prefix(names: tuple[str, ...]) -> str:
    """Return what many names begin with, on both sides of the body, before a word starts; empty if there is nothing of the kind."""
    counts = Counter(name[:length] for name in names for length in range(2, min(len(name), _LONGEST)))
    likely = [prefix for prefix, count in counts.items() if count >= max(_FEWEST, _USUAL * len(names)) and _is_prefix(prefix, names)]
    most = max((counts[prefix] for prefix in likely), default=0)
    return max((prefix for prefix in likely if counts[prefix] >= 0.8 * most), key=len, default="")


def _is_prefix(prefix: str, names: tuple[str, ...]) -> bool:
    rests = [name[len(prefix) :] for name in names if name.startswith(prefix)]
    if prefix[-1].isalpha() and any(rest[:1].islower() for rest in rests):
        return False
    return {words(rest)[0] for rest in rests} >= set(SIDES)


def roles_by_names(skeleton: Skeleton) -> dict[str, str]:
    """Return the joint of each role whose name says so; on each limb only joints that follow each other."""
    joints = [name for name in skeleton.names if name not in skeleton.end_sites]
    plain = plain_names(frozenset(joints))
    spelled = {name: words(plain[name]) for name in joints}
    common = _common_start([rest for _, rest in spelled.values()])
    spelled = {name: (side, rest.removeprefix(common)) for name, (side, rest) in spelled.items()}
    helpers = _helpers(skeleton, spelled)
    found: dict[str, str] = {}
    for side in SIDES:
        for limb in ((*LEG, "Toes"), ("Shoulder", *ARM)):
            here = {role: [name for word in ROLE_WORDS[role] for name in joints if spelled[name] == (side, word)] for role in limb}
            here = {role: [name for name in names if name not in helpers] or names for role, names in here.items()}
            found |= {side + role: joint for role, joint in _chain(skeleton, here).items()}
    for role in ("Hips", "Neck", "Head"):
        hit = next((name for word in ROLE_WORDS[role] for name in joints if spelled[name] == ("", word)), None)
        if hit is not None:
            found[role] = hit
    return found


def _helpers(skeleton: Skeleton, spelled: Mapping[str, tuple[str, str]]) -> set[str]:
    """Return the joints that lie where their counterpart on the other side does: no hip, shoulder or collar bone."""
    size = 1e-3 * float(np.abs(skeleton.rest_positions).max())
    places = {(*spelled[name], skeleton.parent(name)): name for name in spelled if spelled[name][0] and spelled[name][1] in VOCABULARY}
    found = set()
    for (side, word, parent), name in places.items():
        other = places.get(("Right", word, parent)) if side == "Left" else None
        if other and np.linalg.norm(skeleton.offsets[skeleton.index(name)] - skeleton.offsets[skeleton.index(other)]) <= size:
            found |= {name, other}
    return found


def _common_start(rests: list[str]) -> str:
    """Return what nearly all names start with, such as the name of the figure, unless it is a word for a part."""
    counts: dict[str, int] = {}
    for rest in rests:
        for length in range(2, min(len(rest), _LONGEST)):
            counts[rest[:length]] = counts.get(rest[:length], 0) + 1
    common = [start for start, count in counts.items() if count >= max(3, 0.8 * len(rests)) and start not in VOCABULARY]
    return max(common, key=len, default="")


def _chain(skeleton: Skeleton, candidates: Mapping[str, list[str]]) -> dict[str, str]:
    """Choose one joint for each role of a limb so that each comes after the one before it."""
    found: dict[str, str] = {}
    for role, names in candidates.items():
        taken = list(found.values())
        above = [name for name in names if name not in taken and (not taken or taken[-1] in ancestors(skeleton, name))]
        # A shoulder is the collar bone where there is another word for the upper arm, and the upper arm where there is none.
        if role == "Shoulder" and above and not set(candidates["UpperArm"]) - {above[0]}:
            continue
        if above:
            found[role] = above[0]
    return found


def ancestors(skeleton: Skeleton, joint: str) -> list[str]:
    """Return the joints above a joint, its parent first."""
    found, parent = [], skeleton.parent(joint)
    while parent is not None:
        found.append(parent)
        parent = skeleton.parent(parent)
    return found
