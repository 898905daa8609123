"""YAML and JSON: read as mappings, keys given twice refused; every error is one line with file, line, rule and what was found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mocapgen.shared.text import one_line, quoted
from schemas.errors import ConfigError


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
    content = parse_yaml(_text(path, f"YAML file of {what}", subject), subject)
    if content is None and not required:
        return {}
    if not isinstance(content, dict):
        found = "none" if content is None else f"a {type(content).__name__}"
        raise ConfigError(one_line(subject, f"expected {what} as 'key: value' lines, found {found}"))
    return {key if isinstance(key, str) else quoted(key): value for key, value in content.items()}


def parse_yaml(text: str, subject: str, lines: bool = True, kind: str = "YAML") -> Any:
    """Return what a YAML text holds.

    Parameters
    ----------
    text : str
    subject : str
        Where it stands: messages begin with it.
    lines : bool
        Whether messages name the line.
    kind : str
        What the text is meant to be, for messages.

    Raises
    ------
    ConfigError
        If it is not YAML, or holds a key twice.
    """
    import yaml

    try:
        return yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{subject}:{min(mark.line + 1, len(text.splitlines()))}" if mark and lines else subject
        found = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        found = found.removeprefix("found ")
        raise ConfigError(one_line(where, f"expected {kind}, found: {found}")) from None
    except RecursionError:
        raise ConfigError(one_line(subject, f"expected {kind}, found: too many levels")) from None
    except (ValueError, ArithmeticError) as error:  # a date such as 2020-13-01
        raise ConfigError(one_line(subject, f"expected {kind}, found: {error}")) from None
    except (LookupError, AttributeError, TypeError):  # a value that is not what its tag says, such as `!!bool 3`
        raise ConfigError(one_line(subject, f"expected {kind}, found: a value that its tag does not allow")) from None


def read_json(path: str | Path, what: str = "settings", subject: str = "") -> dict[str, Any]:
    """Read a JSON file that holds an object; its names and values are not checked yet.

    Parameters
    ----------
    path : str or Path
    what : str
        What the file holds, for messages: ``an avatar``.
    subject : str
        What messages begin with; by default the path.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not JSON, is not an object, or holds a key twice: with the line where there is one.
    """
    subject = subject or str(path)
    content = parse_json(_text(path, f"JSON file of {what}", subject), subject)
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
        If it is not JSON, or an object holds a key twice.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        found = "nothing" if not text.strip() else f"{error.msg[:1].lower()}{error.msg[1:]} in column {error.colno}"
        raise ConfigError(one_line(f"{subject}:{error.lineno}", f"expected JSON, found: {found}")) from None
    except _RepeatedKeyError as error:
        parse_yaml(text, subject, kind="JSON")  # JSON is YAML too, whose reader knows the line
        raise ConfigError(one_line(subject, f"expected JSON, found: the key {error} twice")) from None
    except RecursionError:
        raise ConfigError(one_line(subject, "expected JSON, found: too many levels")) from None
    except ValueError as error:  # a number of thousands of digits
        raise ConfigError(one_line(subject, f"expected JSON, found: {error}")) from None


def _text(path: str | Path, what: str, subject: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(one_line(subject, f"expected a readable {what}, found: {error.strerror or error}")) from None
    except UnicodeDecodeError:
        raise ConfigError(one_line(subject, f"expected a {what}, found text that is not UTF-8")) from None


class _RepeatedKeyError(Exception):
    """A JSON object that holds a key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object that holds each key once."""
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise _RepeatedKeyError(quoted(key))
        content[key] = value
    return content


@cache
def _loader() -> Any:
    """Return PyYAML's safe loader, in C where it is installed, that refuses a key given twice."""
    import yaml

    class StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def construct_document(self, node: Any) -> Any:
            for mapping in _mappings(node):  # before anything is built, which would replace merge keys by what they stand for
                lines: dict[str, int] = {}
                for key in (key for key, _ in mapping.value if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge"):
                    if key.value in lines:
                        problem = f"the key {quoted(key.value)} twice, first in line {lines[key.value]}"
                        raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                    lines[key.value] = key.start_mark.line + 1
            return super().construct_document(node)

    return StrictLoader


def _mappings(node: Any) -> Iterator[Any]:
    """Yield every mapping of a YAML document once, however often it is referred to."""
    import yaml

    waiting, seen = [node], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield node
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
