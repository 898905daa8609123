"""Which points of a C3D file are markers, and whose: by their labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mocapgen.anatomy.marker_sets import found_share
from mocapgen.formats.c3d_file import C3dFile
from schemas.errors import FormatError
from schemas.marker_set import MarkerSet

PERSON = 0.6
"""Share of a marker set's markers from which on a subject is a person rather than a prop."""
_SHOWN = 6  # names that a message lists
_LISTS = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS", "REACTIONS")
"""Parameters of the group POINT that list points that are results of a model and no markers."""
_RESULT = re.compile(r"(angles?|forces?|moments?|powers?|grf|cent(re|er)ofmass(floor)?)$", re.IGNORECASE)


@dataclass(frozen=True)
class Labelled:
    """A point with a label."""

    column: int
    """Which point of the file it is."""
    label: str
    """Without the subject's prefix."""
    subject: str = ""
    """The prefix, empty if there is none."""


def printable(text: str) -> str:
    """Return a text as fit for a message: no blanks around it, no control characters, not endless."""
    text = text.strip()[:40]
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text)


def labelled_points(file: C3dFile, marker_set: MarkerSet | None = None) -> list[Labelled]:
    """Return the points of a file that are markers with a label.

    Unlabelled points (``*12``) and results of models (``LHipAngles``, ``CentreOfMass``, what POINT:ANGLES and its like list) are left
    out. A subject's name ends at a colon, or, where all labels have one and a body is found that way, at an underscore.
    """
    listed = {text for name in _LISTS for part in ("", *range(2, 10)) for text in file.texts(f"POINT:{name}{part}")}
    named = [(column, printable(label)) for column, label in enumerate(file.labels) if label and not label.startswith("*") and label not in listed]
    found = [Labelled(column, *label.rpartition(":")[::-2]) for column, label in named]
    found = [point for point in found if point.label and not _RESULT.search(point.label)]
    if not any(point.subject for point in found) and all("_" in point.label for point in found):
        split = [Labelled(point.column, *point.label.partition("_")[::-2]) for point in found]
        if persons(split, marker_set):
            return split
    return found


def persons(points: Sequence[Labelled], marker_set: MarkerSet | None = None) -> tuple[str, ...]:
    """Return the subjects that are people: those with most markers of a set."""
    return tuple(
        subject
        for subject in dict.fromkeys(point.subject for point in points)
        if found_share([point.label for point in points if point.subject == subject], marker_set) >= PERSON
    )


def choose_subject(
    points: Sequence[Labelled], subject: str | None, where: str, marker_set: MarkerSet | None = None
) -> tuple[list[Labelled], tuple[str, ...]]:
    """Return the markers of one person, and what was left out, one sentence each.

    Parameters
    ----------
    points : sequence of Labelled
    subject : str, optional
        Whose markers; by default those of the only person.
    where : str
        Name of the file, for messages.
    marker_set : MarkerSet, optional
        By default any of the built-in ones.

    Raises
    ------
    FormatError
        If there is no such subject, or there are several people and none was chosen.
    """
    subjects = list(dict.fromkeys(point.subject for point in points))
    if subject is not None and subject not in subjects:
        names = [name for name in subjects if name]
        raise FormatError(f"{where}: subject: expected {_some(names) if names else 'none, for no subject is named'}, found {subject!r}")
    people = persons(points, marker_set)
    several = people if people else tuple(name for name in subjects if name)
    if subject is None and len(several) > 1:
        raise FormatError(f"{where}: expected the markers of one person, found those of {_some(several)}; choose with subject=...")
    chosen = subject if subject is not None else people[0] if people else None
    if chosen is None:
        return list(points), ()
    left = [name for name in subjects if name not in (chosen, "")]
    own = {point.label for point in points if point.subject == chosen}
    mine = [point for point in points if point.subject == chosen or (point.subject == "" and point.label not in own)]
    notes = tuple(
        f"subject {name} left out ({'another person' if name in people else 'no person'}: "
        f"{_some([point.label for point in points if point.subject == name])})"
        for name in left
    )
    return mine, notes


def without_duplicates(points: Sequence[Labelled], seen: Sequence[bool]) -> tuple[list[Labelled], tuple[str, ...]]:
    """Keep one point of each label: the first one that is ever seen, (M,) bool by column; say so in notes."""
    best: dict[str, Labelled] = {}
    repeated: dict[str, None] = {}
    for point in points:
        if point.label not in best:
            best[point.label] = point
            continue
        repeated[point.label] = None
        if not seen[best[point.label].column] and seen[point.column]:
            best[point.label] = point
    notes = (f"label {_some(list(repeated))} more than once; the first point with data is taken",) if repeated else ()
    return sorted(best.values(), key=lambda point: point.column), notes


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
