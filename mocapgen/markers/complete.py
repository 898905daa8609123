"""From the markers that a clip has to all those that the solver asks for, in every frame; what cannot be had is said or refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mocapgen.anatomy.marker_sets import standard_labels
from mocapgen.core.markers import Markers
from mocapgen.markers.gaps import LOOSE, Gap, fill_gaps
from mocapgen.markers.substitutes import plan_substitutes, substitute
from schemas.errors import FormatError
from schemas.marker_set import OPTIONAL, MarkerSet

_UPPER = ("FrontHead", "BackHead", "C7", "T10", "Clavicle", "Sternum", "Acromion", "Elbow", "Wrist")
"""Landmarks of which one is there unless only the lower body wears markers."""
_LOWER_BODY = (0.7, 1.2)  # metres from the lowest to the highest marker of legs and pelvis
_FEW = 5  # known labels up to which a file is of another marker set


@dataclass(frozen=True)
class Completed:
    """Markers of a set, seen or computed in every frame."""

    markers: Markers
    start: int
    """The frame of the clip that is their first."""
    notes: tuple[str, ...]
    """What was absent and what took its place."""
    lost: tuple[str, ...]
    """Frames that were left out."""


def complete_markers(markers: Markers, marker_set: MarkerSet) -> Completed:
    """Fill gaps, place absent markers by others, and leave out the ends of the clip in which nothing tells where a marker was.

    Parameters
    ----------
    markers : Markers
    marker_set : MarkerSet

    Returns
    -------
    Completed
        By the set's own labels; without optional markers that are absent or not seen for long.

    Raises
    ------
    FormatError
        If a marker is missing for which nothing can stand, or not seen for too long within the clip.
    """
    whole = _of_set(markers, marker_set)
    start, stop = 0, len(whole)
    cause: tuple[str, ...] = ()
    while True:
        filled, gaps = fill_gaps(whole.slice(start, stop), marker_set.segments.values())
        left = [gap for gap in gaps if gap.filled == "not"]
        helped, essential = _helped(left, filled, marker_set)
        if not essential:
            break
        first = max((gap.stop for gap in essential if gap.start == 0), default=0)
        last = min((gap.start for gap in essential if gap.stop == stop - start), default=stop - start)
        if (first == 0 and last == stop - start) or last - first < 2:
            raise _unfilled(markers, marker_set, [replace(gap, start=gap.start + start, stop=gap.stop + start) for gap in essential])
        cause = cause or tuple(dict.fromkeys(gap.label for gap in essential if gap.start == 0 or gap.stop == stop - start))
        start, stop = start + first, start + last
    notes = _lost_notes(left, helped, start)
    kept = [label for label in filled.labels if label in helped or label not in {gap.label for gap in left}]
    filled = _columns(filled, kept)
    for label, group in helped.items():
        filled = substitute(filled, label, group, marker_set)
    plan = plan_substitutes(filled.labels, marker_set)
    for label, group in plan.items():
        filled = substitute(filled, label, group, marker_set)
    placed = [f"{label} from {', '.join(group)}" for label, group in plan.items() if label not in marker_set.virtual]
    notes += [f"markers are absent and placed by others: {'; '.join(placed)}"] if placed else []
    unused = [label for label in marker_set.landmarks.values() if label not in filled]
    notes += [f"markers are absent and not needed: {', '.join(unused)}"] if unused else []
    return Completed(filled, start, tuple(notes), _lost_frames(start, stop, len(whole), cause))


def _of_set(markers: Markers, marker_set: MarkerSet) -> Markers:
    """Return the markers of the set that are ever seen, by its own labels.

    Raises
    ------
    FormatError
        With the labels of those that are missing.
    """
    found = standard_labels(markers.labels, marker_set)
    found = {label: written for label, written in found.items() if markers.valid[:, markers.index(written)].any()}
    plan = plan_substitutes(tuple(found), marker_set)
    needed = {landmark: label for landmark, label in marker_set.landmarks.items() if label not in found and label not in plan}
    missing = [label for landmark, label in needed.items() if landmark not in OPTIONAL]
    if missing:
        raise FormatError(f"{markers.name}: {_missing(markers, marker_set, found, missing)}")
    columns = [markers.index(written) for written in found.values()]
    return replace(markers, labels=tuple(found), positions=markers.positions[:, columns], valid=markers.valid[:, columns])


def _missing(markers: Markers, marker_set: MarkerSet, found: Collection[str], missing: Sequence[str]) -> str:
    """Return what to say of a clip that lacks markers."""
    count = len(marker_set.landmarks) - len(marker_set.virtual)
    there = {landmark for landmark, label in marker_set.landmarks.items() if label in found}
    if len(found) > _FEW and not any(landmark.removeprefix("Left").removeprefix("Right").startswith(_UPPER) for landmark in there):
        return f"expected the markers of a whole body, found markers of the lower body only: {', '.join(list(found)[:8])}, ..."
    if len(found) <= _FEW and len(markers.labels) > _FEW:
        heights = np.where(markers.valid, markers.positions[..., 1], np.nan)
        reach = float(np.nanmedian(np.nanmax(heights, axis=1) - np.nanmin(heights, axis=1))) if markers.valid.any(axis=1).all() else np.inf
        lower = f" (of the lower body only, it seems: they reach {reach:.2f} m high)" if _LOWER_BODY[0] < reach < _LOWER_BODY[1] else ""
        return (
            f"expected the {count} markers of the set {marker_set.name} or another that is known, found {', '.join(markers.labels[:8])}, ...{lower}; "
            "say what they are with marker_set=..."
        )
    return (
        f"expected the {count} markers of the set {marker_set.name}, found nothing of {', '.join(missing[:8])} among "
        f"{', '.join(markers.labels[:8])}, ..."
    )


def _helped(left: Sequence[Gap], filled: Markers, marker_set: MarkerSet) -> tuple[dict[str, tuple[str, ...]], list[Gap]]:
    """Return the markers with open gaps that others can stand in for (and which), and the gaps that make a frame useless."""
    open_labels = {gap.label for gap in left}
    needed = {label for landmark, label in marker_set.landmarks.items() if landmark not in OPTIONAL}
    closed = [label for label in filled.labels if label not in open_labels]
    plan = plan_substitutes(closed, marker_set)
    helped = {label: group for label, group in plan.items() if label in open_labels}
    absent = [label for label in marker_set.landmarks.values() if label not in filled and label in needed]
    essential = open_labels & needed - helped.keys()
    essential |= {other for label in absent if label not in plan for group in marker_set.substitutes.get(label, ()) for other in group} & open_labels
    return helped, [gap for gap in left if gap.label in essential]


def _unfilled(markers: Markers, marker_set: MarkerSet, left: Sequence[Gap]) -> FormatError:
    """Return the error that names the longest gap."""
    worst = max(left, key=lambda gap: gap.stop - gap.start)
    segment = next((role for role, labels in marker_set.segments.items() if worst.label in labels), "no segment")
    more = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
    return FormatError(
        f"{markers.name}: marker {worst.label} ({segment}): expected it to be seen again within {LOOSE:g} s, or three more of its segment, "
        f"found frames {worst.start} to {worst.stop - 1} ({(worst.stop - worst.start) / markers.fps:.2f} s) without{more}; cut the clip there"
    )


def _columns(markers: Markers, labels: Sequence[str]) -> Markers:
    places = [markers.index(label) for label in labels]
    return replace(markers, labels=tuple(labels), positions=markers.positions[:, places], valid=markers.valid[:, places])


def _lost_notes(left: Sequence[Gap], helped: dict[str, tuple[str, ...]], start: int) -> list[str]:
    """Return what is to be said of long gaps that do not matter."""
    notes = []
    for label in dict.fromkeys(gap.label for gap in left):
        frames = ", ".join(f"{start + gap.start} to {start + gap.stop - 1}" for gap in left if gap.label == label)
        instead = f"placed by {', '.join(helped[label])}" if label in helped else "not used"
        notes.append(f"marker {label} is not seen in frames {frames}: {instead}")
    return notes


def _lost_frames(start: int, stop: int, frames: int, labels: Sequence[str]) -> tuple[str, ...]:
    ends = [(0, start)] * (start > 0) + [(stop, frames)] * (stop < frames)
    more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
    return tuple(f"frames {first} to {last - 1} of {frames} are left out: no {', '.join(labels[:3])}{more}" for first, last in ends)
