"""YAML and JSON: read as mappings, keys given twice refused; every error is one line with file, place, rule and what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mocapgen.shared.inputs import read_bytes
from mocapgen.shared.strict_json import UnsoundError
from mocapgen.shared.strict_json import load as load_json
from mocapgen.shared.text import nearest, one_line, quoted
from schemas.errors import ConfigError

MOST_BYTES = 10**6
"""Largest file of settings."""
MOST_RESULT_BYTES = 64 * 10**6
"""Largest file of results: figures of every sequence of a dataset."""


def find_document(kind: str, name_or_path: str | Path, folder: Path, names: Sequence[str], suffix: str = ".yaml") -> Path:
    """Return the file that a name or path stands for.

    Parameters
    ----------
    kind : str
        What it is, for messages: ``profile``.
    name_or_path : str or Path
        One of `names`, or the path of a file of one's own.
    folder : Path
        Where those that come with the program are.
    names : sequence of str
        Those.
    suffix : str

    Raises
    ------
    ConfigError
        If it is neither, with what there is.
    """
    name = str(name_or_path)
    if name in names:
        return folder / f"{name}{suffix}"
    path = Path(name_or_path)
    try:
        found = None if path.is_file() else "a folder" if path.is_dir() else "neither"
    except (OSError, ValueError) as error:  # too long for a file name, a null character
        found = getattr(error, "strerror", None) or "no file name"
    if found:
        known = f"expected one of {', '.join(names)}, or the path of a {suffix[1:].upper()} file"
        raise ConfigError(one_line(f"{kind} {quoted(name)}", f"{known}, found {found}", nearest(name, names)))
    return path


def read_yaml(path: str | Path, what: str = "settings", subject: str = "", required: bool = False) -> dict[str, Any]:
    """Read a YAML file of settings; their names and values are not checked yet.

    Parameters
    ----------
    path : str or Path
        A mapping; an empty file is an empty one.
    what : str
        What the file holds, for messages: ``build settings``.
    subject : str
        What messages begin with; by default the path.
    required : bool
        Whether an empty file is an error.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not YAML, is not a mapping, or holds a key twice: with the line where there is one.
    """
    subject = subject or str(path)
    content = parse_yaml(_text(path, f"a YAML file of {what}", subject), subject)
    if content is None and not required:
        return {}
    if not isinstance(content, dict):
        found = "none" if content is None else f"a {type(content).__name__}"
        raise ConfigError(one_line(subject, f"expected {what} as 'key: value' lines, found {found}"))
    return content


def parse_yaml(text: str, subject: str, lines: bool = True) -> Any:
    """Return what a YAML text holds.

    Parameters
    ----------
    text : str
    subject : str
        Where it stands: messages begin with it.
    lines : bool
        Whether messages name the line.

    Raises
    ------
    ConfigError
        If it is not YAML, or not of the kind that settings are written in: see :func:`mocapgen.shared.strict_yaml.load`.
    """
    import yaml

    from mocapgen.shared.strict_yaml import load

    try:
        return load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{subject}:{min(mark.line + 1, len(text.splitlines()))}" if mark and lines else subject
        found = getattr(error, "problem", None) or getattr(error, "reason", None) or "something else"
        found = found.removeprefix("but ").removeprefix("found ")
        raise ConfigError(one_line(where, f"expected YAML, found: {found}")) from None
    except RecursionError:
        raise ConfigError(one_line(subject, "expected YAML, found: too many levels")) from None
    except UnicodeEncodeError:  # bytes of a command line that are no text
        raise ConfigError(one_line(subject, "expected YAML, found: text that is not UTF-8")) from None


def read_json(path: str | Path, what: str = "settings", subject: str = "", most: int = MOST_BYTES) -> dict[str, Any]:
    """Read a JSON file that holds an object; its names and values are not checked yet.

    Parameters
    ----------
    path : str or Path
    what : str
        What the file holds, for messages: ``an avatar``.
    subject : str
        What messages begin with; by default the path.
    most : int
        Bytes; a larger file is refused.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not JSON (see :func:`parse_json`), or is not an object.
    """
    subject = subject or str(path)
    content = parse_json(_text(path, f"a JSON file of {what}", subject, most), subject)
    if not isinstance(content, dict):
        raise ConfigError(one_line(subject, f"expected {what} as a JSON object, found {quoted(content)}"))
    return content


def parse_json(text: str, subject: str) -> Any:
    """Return what a JSON text holds.

    Parameters
    ----------
    text : str
    subject : str
        Where it stands: messages begin with it.

    Raises
    ------
    ConfigError
        If it is not JSON, or holds what no file of this project does: see :func:`mocapgen.shared.strict_json.load`.
    """
    try:
        return load_json(text)
    except json.JSONDecodeError as error:
        found = "nothing" if not text.strip() else f"{error.msg[:1].lower()}{error.msg[1:]} in column {error.colno}"
        raise ConfigError(one_line(f"{subject}:{error.lineno}", f"expected JSON, found: {found}")) from None
    except RecursionError:
        raise ConfigError(one_line(subject, "expected JSON, found: too many levels")) from None
    except UnsoundError as error:
        raise ConfigError(one_line(subject, f"expected JSON, found: {error}")) from None


def _text(path: str | Path, what: str, subject: str, most: int = MOST_BYTES) -> str:
    try:
        return read_bytes(path, what, most, subject, ConfigError).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(one_line(subject, f"expected {what}, found text that is not UTF-8")) from None
