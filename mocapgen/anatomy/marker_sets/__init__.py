"""Marker sets, one YAML file each, and how a file's labels are understood by them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import ValidationError

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

    Raises
    ------
    ConfigError
        If there is no such set or file, or the file is not a valid marker set; the message names the file and the first field
        that is wrong.
    """
    path = _FOLDER / f"{name_or_path}.yaml" if str(name_or_path) in marker_set_names() else Path(name_or_path)
    if not path.is_file():
        raise ConfigError(
            f"marker set {str(name_or_path)!r}: expected one of {', '.join(marker_set_names())}, or the path of a YAML file, found neither"
        )
    try:
        return MarkerSet.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"marker set {path}: expected readable YAML, found: {' '.join(str(error).split())[:200]}") from None
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        raise ConfigError(f"marker set {path}: {where + ': ' if where else ''}{message[:1].lower()}{message[1:]}") from None


def standard_labels(labels: tuple[str, ...], marker_set: MarkerSet) -> dict[str, str]:
    """Return the file's label for each label of the set that it has, by synonyms where the spelling differs.

    Parameters
    ----------
    labels : tuple of str
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
        spellings = (label, *marker_set.synonyms.get(label, ()))
        hit = next((written[spelling.upper()] for spelling in spellings if spelling.upper() in written), None)
        if hit is not None:
            found[label] = hit
    return found
