"""JSON as this project writes it: each key once, finite numbers, text that a file can hold, few levels; anything else is refused with its place."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from mocapgen.shared.text import quoted

MOST_LEVELS = 100
"""Deepest nesting."""
LONGEST_INTEGER = 40
"""Most digits of an integer."""
NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")
"""What no text of settings may hold: null characters, which no path may have, and halves of characters, which no file can hold."""


class UnsoundError(ValueError):
    """What a JSON text holds and no file of this project does, with its place."""


class _Fault(str):
    """Stands in the content for what is refused, until it is known where that is."""

    __slots__ = ()


def load(text: str) -> Any:
    """Return what a JSON text stands for.

    Raises
    ------
    json.JSONDecodeError
        If it is not JSON.
    UnsoundError
        If it holds an object with a key twice, NaN, an infinity, a number that overflows, an integer of more than :data:`LONGEST_INTEGER` digits, a
        text with :data:`NO_TEXT`, or more than :data:`MOST_LEVELS` levels.
    RecursionError
        If it has far too many levels.
    """
    content = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_number)
    if found := _first_fault(content, 1):
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:60]}" for part in found[0][:8]).lstrip(".")
        raise UnsoundError(found[1] + (f" in {quoted(place)}" if place else ""))
    return content


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Fault:
    content = dict(pairs)
    if len(content) == len(pairs):
        return content
    last = {name: place for place, (name, _) in enumerate(pairs)}
    return _Fault(f"the key {quoted(next(name for place, (name, _) in enumerate(pairs) if last[name] > place))} twice")


def _constant(text: str) -> _Fault:
    return _Fault(f"{text}, which is no number,")


def _integer(text: str) -> int | _Fault:
    return int(text) if len(text) <= LONGEST_INTEGER else _Fault(f"an integer of {len(text):,} digits")


def _number(text: str) -> float | _Fault:
    number = float(text)
    return number if math.isfinite(number) else _Fault(f"the number {quoted(text)}, which is too large,")


def _first_fault(part: Any, level: int) -> tuple[list[str | int], str] | None:
    """Return place and description of the first fault in a part of the content; None if it is sound."""
    if isinstance(part, str):
        if isinstance(part, _Fault):
            return [], part
        return ([], "a text with a null character or half a character") if NO_TEXT.search(part) else None
    if not isinstance(part, dict | list):
        return None
    if level > MOST_LEVELS:
        return [], f"more than {MOST_LEVELS} levels"
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        if found := (isinstance(key, str) and _first_fault(key, level)) or _first_fault(value, level + 1):
            return [key, *found[0]], found[1]
    return None
