"""YAML of settings: text, numbers, truth values, lists and mappings, each read in one way only; what could be mistaken is refused.

Composed by PyYAML, checked and built here: YAML 1.1 reads ``010`` as 8, ``12:30`` as 750 and ``1e-3`` as text, has dates, sets and binary data,
and lets a few hundred bytes stand for a thousand million values.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mocapgen.shared.strict_json import LONGEST_INTEGER, MOST_LEVELS, NO_TEXT
from mocapgen.shared.text import quoted

MOST_VALUES = 100_000
"""Most values that a document may stand for, with those that aliases repeat."""

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_EXPONENT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+$")
_SPECIAL = re.compile(r"([-+]?)\.(inf|nan)", re.IGNORECASE)
_TRUTH = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


def load(text: str) -> Any:
    """Return what a YAML document stands for: None, truth values, numbers, texts, lists and dicts of texts.

    Raises
    ------
    yaml.YAMLError
        With ``problem`` and mostly ``problem_mark``, if it is not YAML, is more than one document, holds a key twice or a key that is no text,
        stands for more than :data:`MOST_VALUES` values or has too many levels, or holds anything else than the above.
    RecursionError
        If it has far too many levels, and PyYAML came without its parser in C.
    """
    loader = _composer()(text)
    try:
        node = loader.get_single_node()
    finally:
        loader.dispose()
    if node is None:
        return None
    _measure(node, 1, {})
    return _value(node, {})


@cache
def _composer() -> Any:
    """Return PyYAML's safe loader, in C where it is installed, that counts what it reads and takes 1e-3 for a number."""

    class Composer(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        values = 0

        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:  # called once for each value that is written
            self.values += 1
            if self.values > MOST_VALUES:
                raise yaml.MarkedYAMLError(problem=f"more than {MOST_VALUES:,} values")
            return super().resolve(kind, value, implicit)

    Composer.add_implicit_resolver(f"{_TAG}float", _EXPONENT, list("-+.0123456789"))
    return Composer


def _refusal(node: Node, problem: str) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _measure(node: Node, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return how many values and levels a node stands for; `known` has those of the nodes before, each once however often it is referred to."""
    if id(node) in known:
        if not known[id(node)][0]:
            raise _refusal(node, "a value that holds itself")
        return known[id(node)]
    known[id(node)] = (0, 0)
    values, levels = 1, 0
    if not isinstance(node, ScalarNode) and depth <= MOST_LEVELS:
        parts = [part for pair in node.value for part in pair] if isinstance(node, MappingNode) else node.value
        for part in parts:
            more, below = _measure(part, depth + 1, known)
            values, levels = values + more, max(levels, below)
    if levels >= MOST_LEVELS or depth > MOST_LEVELS:
        raise _refusal(node, f"more than {MOST_LEVELS} levels")
    if values > MOST_VALUES:
        raise _refusal(node, f"more than {MOST_VALUES:,} values, with those that aliases repeat")
    known[id(node)] = (values, levels + 1)
    return known[id(node)]


def _value(node: Node, built: dict[int, Any]) -> Any:
    """Return what a node stands for; what is referred to repeatedly is built once."""
    if id(node) not in built:
        kind = node.tag.removeprefix(_TAG)
        if isinstance(node, MappingNode) and kind == "map":
            built[id(node)] = _mapping(node, built)
        elif isinstance(node, SequenceNode) and kind == "seq":
            built[id(node)] = [_value(part, built) for part in node.value]
        elif isinstance(node, ScalarNode):
            built[id(node)] = _scalar(node, kind)
        else:
            raise _refusal(node, f"a value with the tag {quoted(node.tag)}, which no setting has")
    return built[id(node)]


def _mapping(node: MappingNode, built: dict[int, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode) or key.tag not in (f"{_TAG}str", _MERGE):
            found = quoted(key.value) if isinstance(key, ScalarNode) else "a list or mapping"
            raise _refusal(key, f"a key that is no text ({found}); put it in quotes")
        name = _scalar(key, "str")
        if name in lines:
            raise _refusal(key, f"the key {quoted(name)} twice, first in line {lines[name]}")
        lines[name] = key.start_mark.line + 1
        if key.tag == _MERGE:
            sources = value.value if isinstance(value, SequenceNode) else [value]
            if not all(isinstance(source, MappingNode) for source in sources):
                raise _refusal(value, "something else than mappings to merge")
            merged = {name: part for source in reversed(sources) for name, part in _value(source, built).items()}
            content = {**merged, **content}
        else:
            content[name] = _value(value, built)
    return content


def _scalar(node: ScalarNode, kind: str) -> Any:
    text = node.value
    if kind == "str":
        if NO_TEXT.search(text):
            raise _refusal(node, "a text with a null character or half a character")
        return text
    if kind == "null" and text.lower() in ("", "~", "null"):
        return None
    if kind == "bool" and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    if kind == "int" and _INTEGER.fullmatch(text) and len(text) <= LONGEST_INTEGER:
        return int(text)
    if kind == "float" and _NUMBER.fullmatch(text):
        if math.isinf(number := float(text)):
            raise _refusal(node, f"the number {quoted(text)}, which is too large")
        return number
    if kind == "float" and (special := _SPECIAL.fullmatch(text)):
        return float(special[1] + special[2])
    if kind == "int" and len(text) > LONGEST_INTEGER:
        raise _refusal(node, f"an integer of {len(text):,} digits")
    if kind in ("int", "float"):
        raise _refusal(node, f"the number {quoted(text)}, whose notation is ambiguous; write it in decimal, or in quotes if it is a text")
    if kind == "timestamp":
        raise _refusal(node, f"the date {quoted(text)}; put it in quotes")
    raise _refusal(node, f"{quoted(text)} with the tag {quoted(node.tag)}, which no setting has")
