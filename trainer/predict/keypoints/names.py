"""Joints by the names that people give them: DeepLabCut, SLEAP, and tables and JSON with named joints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import DatasetError
from trainer.predict.keypoints.limits import MOST_JOINTS

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_LEFT, _RIGHT = {"l", "left", "lt", "lft"}, {"r", "right", "rt", "rgt"}
_PARTS: tuple[tuple[str, str], ...] = (
    *(
        ("foot index", "toe"),
        ("small toe", "small_toe"),
        ("smalltoe", "small_toe"),
        ("little toe", "small_toe"),
        ("big toe", "toe"),
        ("bigtoe", "toe"),
    ),
    *(
        ("toe", "toe"),
        ("toes", "toe"),
        ("heel", "heel"),
        ("ankle", "ankle"),
        ("knee", "knee"),
        ("hip", "hip"),
        ("wrist", "wrist"),
        ("elbow", "elbow"),
    ),
    *(("shoulder", "shoulder"), ("sho", "shoulder"), ("elb", "elbow"), ("wri", "wrist"), ("kne", "knee"), ("ank", "ankle")),
    *(
        ("eye inner", "eye_inner"),
        ("eye outer", "eye_outer"),
        ("eye", "eye"),
        ("ear", "ear"),
        ("pinky", "pinky"),
        ("thumb", "thumb"),
        ("index", "index"),
    ),
)
_MIDDLE: tuple[tuple[str, str], ...] = (
    *(
        ("nose", "nose"),
        ("head top", "head_top"),
        ("headtop", "head_top"),
        ("top head", "head_top"),
        ("top of head", "head_top"),
        ("forehead", "head_top"),
    ),
    *(("upper neck", "neck"), ("upperneck", "neck"), ("chin", "neck"), ("neck", "neck_base"), ("thorax", "thorax"), ("spine", "spine")),
    *(("mid hip", "mid_hip"), ("midhip", "mid_hip"), ("hip center", "pelvis"), ("hips", "pelvis"), ("pelvis", "pelvis")),
)
_LIMBS = frozenset(f"{side}_{part}" for side in ("left", "right") for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"))
_NUMBERED = frozenset({"shoulder1", "shoulder2", "hip1", "hip2", "knee1", "knee2", "ankle1", "ankle2"})
"""DeepLabCut's model of people, trained on MPII: 1 is the right side."""


def canonical(names: Sequence[str]) -> tuple[str, ...]:
    """Return the project's names of joints; those that are none keep theirs, after ``point_``."""
    numbered = {name.lower() for name in names} >= _NUMBERED
    lower = " ".join(names).lower()
    return tuple(_canonical(name, numbered, "ankle" not in lower, "wrist" not in lower) for name in names)


def _canonical(name: str, numbered: bool, feet_are_ankles: bool, hands_are_wrists: bool) -> str:
    words = [word.lower() for word in _WORDS.findall(name)]
    if numbered and words and words[-1] in ("1", "2"):
        words = ["right" if words[-1] == "1" else "left", *words[:-1]]
    left, right = bool(_LEFT & set(words)), bool(_RIGHT & set(words))
    part = " ".join(word for word in words if word not in _LEFT | _RIGHT)
    if left != right:
        side = "left" if left else "right"
        extra = [("foot", "ankle")] * feet_are_ankles + [("hand", "wrist")] * hands_are_wrists
        found = dict([*_PARTS, *extra]).get(part)
        return f"{side}_{found}" if found else f"point_{name}"
    found = dict(_MIDDLE).get(part)
    glued = re.fullmatch(r"([lr])(eye|ear|shoulder|elbow|wrist|hip|knee|ankle|heel|bigtoe|smalltoe)", part)
    if found is None and glued:
        return f"{'left' if glued[1] == 'l' else 'right'}_{dict(_PARTS)[glued[2]]}"
    return found or f"point_{name}"


def require_person(names: Sequence[str], path: Path) -> tuple[str, ...]:
    """Return the project's names of joints, and refuse those of no human body.

    Raises
    ------
    DatasetError
        With the names that are there.
    """
    if len(names) > MOST_JOINTS:
        raise DatasetError(f"{path}: expected at most {MOST_JOINTS} joints, found {len(names)}")
    found = canonical(names)
    if len(_LIMBS & set(found)) < 4:
        raise DatasetError(
            f"{path}: expected the joints of a human body (left_shoulder, right_knee, ...), "
            f"found {', '.join(names[:6])}{', ...' if len(names) > 6 else ''}; rename them in the file"
        )
    doubles = sorted({name for name in found if found.count(name) > 1 and not name.startswith("point_")})
    if doubles:
        both = [name for name, meant in zip(names, found, strict=True) if meant == doubles[0]]
        raise DatasetError(f"{path}: expected each joint once, found {' and '.join(both[:3])} for {doubles[0]}; rename one of them")
    return found
