"""JSON as text: each key once, and no more than a file of its size can hold."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mocapgen.shared.room import Room
from mocapgen.shared.text import quoted
from schemas.errors import DatasetError


class _RepeatedKeyError(Exception):
    """An object that holds a key twice."""


def parse(text: str, room: Room) -> Any:
    """Return what JSON holds, or the list of JSON lines.

    Raises
    ------
    DatasetError
        If it is no JSON, holds a key twice, or more values than a file of its size can.
    """
    room.require("lists and objects", text.count("[") + text.count("{"), room.lists)
    room.require("numbers", text.count(","), room.numbers)
    try:
        with _uncollected():
            return _parsed(text)
    except _RepeatedKeyError as error:
        raise DatasetError(f"{room.path}: expected JSON, found the key {error} twice in an object") from None
    except (ValueError, RecursionError) as error:
        found = "too many levels" if isinstance(error, RecursionError) else str(error)
        raise DatasetError(f"{room.path}: expected JSON, found: {found}") from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2 or error.msg != "Extra data":
            raise
    return [json.loads(line, object_pairs_hook=_object) for line in lines]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object that holds each key once."""
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise _RepeatedKeyError(quoted(counts.most_common(1)[0][0]))
    return content


@contextmanager
def _uncollected() -> Iterator[None]:
    """Suspend the collection of garbage: a million new lists, none of them garbage, are else looked through again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
