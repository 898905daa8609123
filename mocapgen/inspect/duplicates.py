"""Find clips with the same motion: copies under another name, shifted in time, or with other cuts.

A pose is described by the directions of its bones as seen from the pelvis, so that neither avatar nor camera nor place matter. Moments
with much movement, about one a second, are looked up among all frames of all clips; where several frames around such a moment are alike,
the two clips are laid over each other and compared frame by frame.

Two performances of one thing by one person differ by 4 degrees or more (squats of HDM05, the most regular motion there is); copies that were
resampled at other instants and played on another avatar by 0.2 to 0.5. There is room between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array

if TYPE_CHECKING:
    from mocapgen.inspect.sequence_view import SequenceView

BONES = (
    ("LeftUpperArm", "LeftLowerArm"),
    ("LeftLowerArm", "LeftHand"),
    ("RightUpperArm", "RightLowerArm"),
    ("RightLowerArm", "RightHand"),
    ("LeftUpperLeg", "LeftLowerLeg"),
    ("LeftLowerLeg", "LeftFoot"),
    ("RightUpperLeg", "RightLowerLeg"),
    ("RightLowerLeg", "RightFoot"),
    ("Spine", "Neck"),
)
DIRECTIONS = len(BONES) + 1  # and where up is
PELVIS = ("LeftUpperLeg", "RightUpperLeg", "Hips", "Spine")

_COMPONENTS = 12  # of what describes a moment, after a principal component analysis
_SAMPLE = 20_000  # frames from which that is done, about
_NEIGHBOURS = 48  # looked at around each moment
_ALIKE = 5.0  # a moment may differ by so many times what whole clips may
_SUBFRAMES = np.arange(-0.75, 0.76, 0.25)  # copies may have been resampled at other instants


@dataclass(frozen=True)
class DuplicatePair:
    """Two clips that show the same motion.

    Parameters
    ----------
    first, second : int
        Keys of the clips.
    offset : float
        Frame 0 of `first` is this frame of `second`.
    frames : int
        How many frames they share.
    degrees : float
        How far bones are apart there, root mean square.
    """

    first: int
    second: int
    offset: float
    frames: int
    degrees: float


def poses(sequence: SequenceView) -> NDArray[np.float16] | None:
    """Return the course of a sequence's pose.

    Parameters
    ----------
    sequence : SequenceView

    Returns
    -------
    (T, 30) float16 or None
        For each frame ten unit vectors in the pelvis's axes: nine bones, and the vertical. None if the skeleton lacks one of the joints.
    """
    names = sequence.skeleton.names
    place = {name: index for index, name in enumerate(names)}
    if not {name for bone in BONES for name in bone} | set(PELVIS) <= set(names):
        return None
    world = sequence.world
    left, right, hips, spine = (world[:, place[name]] for name in PELVIS)
    side = _unit(left - right)
    up = _unit(spine - hips)
    up = _unit(up - side * np.sum(side * up, axis=-1, keepdims=True))
    axes = np.stack([side, up, np.cross(side, up)], axis=1)
    bones = world[:, [place[end] for _, end in BONES]] - world[:, [place[start] for start, _ in BONES]]
    directions = _unit(bones) @ axes.transpose(0, 2, 1)
    return np.concatenate([directions.reshape(len(world), -1), axes[:, :, 1]], axis=1).astype(np.float16)


def _unit(vectors: Array) -> Array:
    size = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, size, out=np.zeros_like(vectors), where=size > 0.0)


def matches(
    courses: Mapping[int, NDArray[np.float16]],
    fps: float,
    max_degrees: float,
    max_share: float,
    min_seconds: float,
    same: Sequence[object] | NDArray[Any] = (),
) -> list[DuplicatePair]:
    """Find clips that show the same motion.

    Parameters
    ----------
    courses : dict of int to (T, 30) float
        From :func:`poses`, by any number for the clip.
    fps : float
    max_degrees : float
        How far apart bones may be, root mean square over bones and the frames that the clips share.
    max_share : float
        How far apart they may be as a share of how much the pose changes there: people who stand still look alike.
    min_seconds : float
        How long the shared part must be, and half as long as the shorter clip.
    same : sequence
        By the number of the clip: clips of equal value are not compared.

    Returns
    -------
    list of DuplicatePair
        Each pair once, nearest first.
    """
    keys = [key for key, course in courses.items() if len(course) >= max(round(min_seconds * fps), 2)]
    best: dict[tuple[int, int], DuplicatePair] = {}
    for first, second, offset in _candidates([courses[key] for key in keys], fps, _ALIKE * max_degrees):
        a, b = keys[first], keys[second]
        known = best.get((a, b))
        if (len(same) and same[a] == same[b]) or (known is not None and abs(known.offset - offset) <= _SUBFRAMES[-1]):
            continue
        shift, frames, degrees = _compared(courses[a], courses[b], offset, min_seconds * fps, max_degrees, max_share)
        if degrees <= max_degrees and (known is None or degrees < known.degrees):
            best[a, b] = DuplicatePair(a, b, shift, frames, degrees)
    return sorted(best.values(), key=lambda match: (match.degrees, match.first, match.second))


def _candidates(courses: Sequence[NDArray[np.float16]], fps: float, degrees: float) -> list[tuple[int, int, int]]:
    """Return pairs of clips that are alike around some moment, with the frame of the second that is frame 0 of the first."""
    from scipy.spatial import cKDTree

    if len(courses) < 2:
        return []
    lag = max(round(0.2 * fps), 1)
    clip = np.repeat(np.arange(len(courses)), [len(course) for course in courses])
    frame = np.concatenate([np.arange(len(course)) for course in courses])
    describe = _description(courses, lag)
    points = np.concatenate([describe(course) for course in courses])
    probes = np.concatenate([_lively(course, fps) + start for course, start in zip(courses, np.flatnonzero(frame == 0), strict=True)])
    radius = np.radians(degrees) * np.sqrt(3 * DIRECTIONS)
    _, nearest = cKDTree(points).query(points[probes], k=min(_NEIGHBOURS, len(points)), distance_upper_bound=radius)
    found = np.asarray(nearest)
    probe, column = np.nonzero(found < len(points))
    here, there = probes[probe], found[probe, column]
    other = clip[here] != clip[there]
    here, there = here[other], there[other]
    here, there = np.where(clip[here] < clip[there], here, there), np.where(clip[here] < clip[there], there, here)
    triples = np.stack([clip[here], clip[there], frame[there] - frame[here]], axis=1)
    return [tuple(map(int, triple)) for triple in np.unique(triples, axis=0)]  # type: ignore[misc]


def _description(courses: Sequence[NDArray[np.float16]], lag: int) -> Callable[[NDArray[np.float16]], NDArray[np.float32]]:
    """Return a function that describes each frame of a course by its pose and those `lag` frames before and after, in few numbers.

    They are coordinates along the directions in which poses, then moments, differ most: distances are at most those of the poses.
    """
    some = courses[:: max(sum(map(len, courses)) // _SAMPLE, 1)]
    basis, mean = _principal(np.concatenate(some).astype(np.float32))

    def around(course: NDArray[np.float16]) -> NDArray[np.float32]:
        reduced = (course.astype(np.float32) - mean) @ basis
        frames = np.arange(len(course))
        return np.concatenate([reduced[np.clip(frames + shift, 0, len(course) - 1)] for shift in (-lag, 0, lag)], axis=1)

    moments, _ = _principal(np.concatenate([around(course) for course in some]))
    return lambda course: around(course) @ moments


def _principal(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the directions, (K, n), in which values, (N, K), differ most, and their mean."""
    mean = values.mean(axis=0)
    _, directions = np.linalg.eigh(np.cov(values - mean, rowvar=False))  # ascending
    return directions[:, -_COMPONENTS:].astype(np.float32), mean


def _lively(course: NDArray[np.float16], fps: float) -> NDArray[np.intp]:
    """Return the frame with the most movement of each second or so of a clip, the ends left out where the frames around it are missing."""
    lag = max(round(0.2 * fps), 1)
    values = course.astype(np.float32)
    speed = np.zeros(len(values))
    speed[1:-1] = np.linalg.norm(values[2:] - values[:-2], axis=1)
    inner = np.arange(lag, max(len(values) - lag, lag + 1)) if len(values) > lag else np.arange(len(values))
    inner = inner[inner < len(values)]
    parts = np.array_split(inner, max(round(len(values) / (0.75 * fps)), 2))
    return np.array([part[np.argmax(speed[part])] for part in parts if len(part)], dtype=np.intp)


def _compared(
    first: NDArray[np.float16], second: NDArray[np.float16], offset: int, least: float, max_degrees: float, max_share: float
) -> tuple[float, int, float]:
    """Lay two clips over each other near an offset.

    Returns
    -------
    offset : float
        At which they are most alike.
    frames : int
        How many they share there.
    degrees : float
        How far apart they are; infinite if they share too little, or are no more alike than people who stand still.
    """
    a, b = first.astype(np.float64), second.astype(np.float64)
    best = (float(offset), 0, np.inf)
    if _laid(a, b, float(offset), least)[1] <= 2.0 * _ALIKE * max_degrees:  # else not even nearly
        for shift in offset + _SUBFRAMES:
            here, degrees = _laid(a, b, float(shift), least)
            if degrees < best[2]:
                best = (float(shift), len(here), degrees)
                changes = _degrees(here - here.mean(axis=0))
    return best if best[1] and best[2] <= max_share * changes else (best[0], 0, np.inf)


def _laid(a: Array, b: Array, shift: float, least: float) -> tuple[Array, float]:
    """Return the frames of `a` at which `b`, shifted, has some, too, and how far the two are apart there: infinitely if there are too few."""
    whole = int(np.floor(shift))
    rest = shift - whole
    start, stop = max(0, -whole), min(len(a), len(b) - whole - (rest > 0))
    if stop - start < max(least, 0.5 * min(len(a), len(b)), 2):
        return a[:0], np.inf
    there = b[start + whole : stop + whole]
    if rest:
        there = (1.0 - rest) * there + rest * b[start + whole + 1 : stop + whole + 1]
    return a[start:stop], _degrees(a[start:stop] - there)


def _degrees(differences: Array) -> float:
    """Return the root mean square angle that differences of unit vectors, (T, 30), mean."""
    return float(np.degrees(np.sqrt(np.mean(np.sum(differences**2, axis=1)) / DIRECTIONS)))
