"""Which layout keypoints have: the one whose bones are short, and alike.

The bones of the right layout connect neighbours, in any pose, so that all of them together are hardly longer than the shortest lines that connect the
same points (their minimum spanning tree, Prim, Bell System Technical Journal 1957). With names in another order they run across the body. From the
side, where left and right coincide, such lines may be short as well; but then an upper arm is not as long as the other one, nor a thigh as a shank.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from trainer.predict.keypoints.arrays import Array
from trainer.predict.keypoints.layouts import LAYOUTS

PLAUSIBLE = 2.2
"""What :func:`fit` returns, up to which a layout can be right."""
CLEARLY = 1.4
"""By this factor better bones speak for another layout than that of the tool, or than one that is stated."""
_SAMPLES = 80
_LIKE = (
    *(
        ((f"left_{a}", f"left_{b}"), (f"right_{a}", f"right_{b}"))
        for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    ),
    *(((f"{s}_hip", f"{s}_knee"), (f"{s}_knee", f"{s}_ankle")) for s in ("left", "right")),
    *(((f"{s}_shoulder", f"{s}_elbow"), (f"{s}_elbow", f"{s}_wrist")) for s in ("left", "right")),
)
"""Bones that are about as long as each other."""
_ODD = 4.0
"""By this factor bones that should be alike are different beyond doubt."""
_LEAST = 6
"""Visible joints of a person that say something."""

_SIDES = {
    "hip": ("pelvis", "mid_hip", "right_hip"),
    "knee": ("hip",),
    "ankle": ("knee",),
    "toe": ("ankle",),
    "small_toe": ("toe",),
    "heel": ("ankle",),
    "shoulder": ("thorax", "neck_base", "chest", "right_shoulder", "hip"),
    "elbow": ("shoulder",),
    "wrist": ("elbow",),
    "pinky": ("wrist",),
    "index": ("wrist",),
    "thumb": ("wrist",),
    "eye_inner": ("nose",),
    "eye": ("eye_inner", "nose"),
    "eye_outer": ("eye",),
    "ear": ("eye_outer", "eye", "nose"),
}
"""What a joint of either side is connected to: the first that there is, of its own side if it has one."""
_MIDDLE = {
    "spine": ("pelvis",),
    "chest": ("spine", "pelvis", "right_hip"),
    "thorax": ("spine", "pelvis"),
    "neck_base": ("mid_hip", "chest", "right_hip"),
    "neck": ("thorax", "neck_base", "right_shoulder"),
    "nose": ("neck", "neck_base", "thorax", "right_shoulder"),
    "head_top": ("nose", "neck", "neck_base"),
    "mouth_left": ("nose",),
    "mouth_right": ("mouth_left", "nose"),
}


def parents_of(names: Sequence[str]) -> tuple[int, ...]:
    """Return to which joint each is connected, -1 for none; points without a name have none."""
    place = {name: index for index, name in enumerate(names)}
    out = []
    for name in names:
        side, _, part = name.partition("_")
        if side in ("left", "right") and part in _SIDES:
            wanted = [word for base in _SIDES[part] for word in (f"{side}_{base}", base)]
        else:
            wanted = list(_MIDDLE.get(name, ()))
        if name == "head_top" and "nose" in place and "neck" in place:
            wanted = ["nose"]
        out.append(next((place[word] for word in wanted if word in place and word != name), -1))
    return tuple(out)


def fit(points: Array, names: Sequence[str]) -> float:
    """Return how long and how unlike a layout's bones are: 1 and a bit where it is right.

    Parameters
    ----------
    points : (N, K, 3) float
        Of any people; NaN where a joint was not seen.
    names : sequence of K str

    Returns
    -------
    float
        Length in lengths of the shortest lines between the same points, the median over people, times the square root of the mean factor between
        bones that should be alike; NaN where too little is seen.
    """
    body = [joint for joint, name in enumerate(names) if not name.startswith("point_")]
    seen = points[:, body, 2] > 0
    people = np.flatnonzero(seen.sum(axis=1) >= _LEAST)
    if not len(people):
        return float("nan")
    people = people[np.linspace(0, len(people) - 1, min(_SAMPLES, len(people))).astype(int)]
    parents = parents_of([names[joint] for joint in body])
    ratios = []
    for person in people:
        there = np.flatnonzero(seen[person])
        where = points[person, body, :2]
        shortest = _shortest(where[there])
        if shortest > 0:
            ratios.append(_bones(where, seen[person], parents) / shortest)
    return float(np.median(ratios)) * _unlike(points[people], names) if ratios else float("nan")


def _unlike(points: Array, names: Sequence[str]) -> float:
    """Return the square root of the mean factor between the lengths of bones that should be alike; 1 if none of them is seen."""
    place = {name: index for index, name in enumerate(names)}
    where = np.where(points[..., 2:] > 0, points[..., :2], np.nan)
    size = np.maximum(np.nanmax(where, axis=1) - np.nanmin(where, axis=1), 1e-9).max(axis=1)

    def length(bone: tuple[str, str]) -> float:
        """Return how long a bone is where it is hardly foreshortened."""
        found = np.linalg.norm(where[:, place[bone[0]]] - where[:, place[bone[1]]], axis=1) / size
        found = found[np.isfinite(found)]
        return float(np.percentile(found, 80)) if len(found) else float("nan")

    pairs = [(length(one), length(other)) for one, other in _LIKE if {*one, *other} <= set(place)]
    factors = [abs(np.log(max(one, 1e-3) / max(other, 1e-3))) for one, other in pairs if np.isfinite(one) and np.isfinite(other)]
    return float(np.exp(0.5 * np.mean(np.minimum(factors, np.log(_ODD))))) if factors else 1.0


def _bones(where: Array, seen: np.ndarray, parents: tuple[int, ...]) -> float:
    """Return the length of the bones between visible joints; bones through a hidden joint go straight on."""
    ends: list[tuple[int, int]] = []
    roots: list[int] = []
    for joint in np.flatnonzero(seen).tolist():
        parent = parents[joint]
        while parent >= 0 and not seen[parent]:
            parent = parents[parent]
        if parent >= 0:
            ends.append((joint, parent))
        else:
            roots.append(joint)
    ends += list(pairwise(roots))
    first, second = np.array(ends).T
    return float(np.linalg.norm(where[first] - where[second], axis=1).sum())


def _shortest(where: Array) -> float:
    """Return the length of the minimum spanning tree of points (n, 2)."""
    lengths = np.linalg.norm(where[:, None] - where[None], axis=2)
    nearest, out = lengths[0].copy(), 0.0
    outside = np.ones(len(where), dtype=bool)
    outside[0] = False
    for _ in range(len(where) - 1):
        joint = int(np.argmin(np.where(outside, nearest, np.inf)))
        out += float(nearest[joint])
        outside[joint] = False
        nearest = np.minimum(nearest, lengths[joint])
    return out


def fits(points: Array) -> dict[str, float]:
    """Return how well each layout with as many joints fits (see :func:`fit`), the best first; those that nothing can be said about last."""
    found = {name: fit(points, names) for name, names in LAYOUTS.items() if len(names) == points.shape[1]}
    return dict(sorted(found.items(), key=lambda item: (np.isnan(item[1]), item[1])))
