"""Marker sets, one YAML file each, and how a file's labels are understood by them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from mocapgen.shared.config import checked
from mocapgen.shared.documents import find_document, read_yaml
from mocapgen.shared.text import one_line, quoted
from schemas.errors import ConfigError
from schemas.marker_set import MarkerSet

DEFAULT_SET = "vicon41"
_FOLDER = Path(__file__).parent


def marker_set_names() -> tuple[str, ...]:
    """Return the names of the built-in marker sets."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@lru_cache(maxsize=16)
def load_marker_set(name_or_path: str | Path = DEFAULT_SET) -> MarkerSet:
    """Load a built-in marker set by name, or anybody's by the path of its YAML file.

    A file that says ``extends: NAME`` holds what differs from that set: of mappings the entries that differ (null takes one away), other spellings
    in addition, everything else as a whole.

    Raises
    ------
    ConfigError
        If there is no such set or file, or the file is not a valid marker set; the message names the file and the first field
        that is wrong.
    """
    path = _path(name_or_path)
    return checked(MarkerSet, _content(path), f"marker set {path}", first=True)


def _path(name_or_path: str | Path) -> Path:
    return find_document("marker set", name_or_path, _FOLDER, marker_set_names())


def _content(path: Path) -> dict[str, Any]:
    """Return what a file says, over what it extends."""
    content = read_yaml(path, "a marker set", f"marker set {path}", required=True)
    if "extends" not in content:
        return content
    base = content.pop("extends")
    if base not in marker_set_names():
        raise ConfigError(one_line(f"marker set {path}", f"extends: expected one of {', '.join(marker_set_names())}, found {quoted(base)}"))
    merged = _content(_path(base))
    synonyms = content.get("synonyms")
    if isinstance(synonyms, dict):
        for label, spellings in synonyms.items():
            synonyms[label] = [*merged["synonyms"].get(label, ()), *spellings] if isinstance(spellings, list) else spellings
    for field, value in content.items():
        both = isinstance(value, dict) and isinstance(merged.get(field), dict)
        merged[field] = {name: entry for name, entry in {**merged[field], **value}.items() if entry is not None} if both else value
    return merged


def recognise_marker_set(labels: Sequence[str]) -> MarkerSet:
    """Return the built-in set that fits labels best: most of its markers there, fewest missing; the default one if none is better."""
    sets = sorted((load_marker_set(name) for name in marker_set_names()), key=lambda chosen: (chosen.name != DEFAULT_SET, chosen.name))
    return max(sets, key=lambda chosen: _fit(labels, chosen))


def _fit(labels: Sequence[str], marker_set: MarkerSet) -> tuple[int, int]:
    """Return how well a set fits labels: markers that are there less those that are missing, and markers that are there."""
    found = standard_labels(labels, marker_set)
    missing = sum(label not in found for label in marker_set.landmarks.values() if label not in marker_set.virtual)
    return (len(found) - missing, len(found)) if len(found) > missing else (0, 0)


def found_share(labels: Sequence[str], marker_set: MarkerSet | None = None) -> float:
    """Return which share of a set's markers labels hold, 0 to 1; by default of the built-in set that fits best."""
    chosen = marker_set or recognise_marker_set(labels)
    found = standard_labels(labels, chosen)
    wanted = [label for label in chosen.landmarks.values() if label not in chosen.virtual]
    return sum(label in found for label in wanted) / len(wanted)


def standard_labels(labels: Sequence[str], marker_set: MarkerSet) -> dict[str, str]:
    """Return the file's label for each label of the set that it has, by synonyms where the spelling differs.

    Parameters
    ----------
    labels : sequence of str
        As in the file, without the subject's prefix.
    marker_set : MarkerSet

    Returns
    -------
    dict of str to str
        The set's label to the file's label.
    """
    written = {label.upper(): label for label in reversed(labels)}
    found = {}
    for label in marker_set.placements:
        if label in marker_set.virtual:
            continue
        spellings = (label, *marker_set.synonyms.get(label, ()))
        hit = next((written[spelling.upper()] for spelling in spellings if spelling.upper() in written), None)
        if hit is not None:
            found[label] = hit
    return found
