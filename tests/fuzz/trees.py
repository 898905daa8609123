"""Damage to trees of values: JSON, YAML, and the head of safetensors. A value becomes an odd one, a key stands twice, a branch is gone."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from random import Random
from typing import Any

import yaml

_DEEP = 100_000
ODD = (
    *(
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1",
        "2",
        "0.5",
        "-0.0",
        "1e-320",
        "1e300",
        "-1e300",
        "1e19",
        "1000000000",
        "2147483648",
        "9223372036854775808",
    ),
    *(
        "1" + "0" * 400,
        "9" * 5000,
        '""',
        '" "',
        '"x"',
        '"nan"',
        '"1"',
        '"true"',
        '"\\u0000"',
        '"\\u001b[31mred"',
        '"a\\nb"',
        '"\\u2028"',
        '"\\u202e"',
    ),
    *(
        '"<script>alert(1)</script>"',
        '"../../x"',
        '"/dev/zero"',
        '"' + "a" * 300 + '"',
        '"' + "b" * 100_000 + '"',
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[1, 2]",
    ),
    *('["a", 1]', '{"a": 1}', '{"": null}', "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]", "[" * 60 + "]" * 60, "[" + "0," * 20_000 + "0]"),
)
"""Values in JSON, and so in YAML."""
ODD_JSON = (
    "NaN",
    "-Infinity",
    "1e400",
    '"\\ud800"',
    '"\\udfff\\ud800"',
    "[" * _DEEP,
    "[" * _DEEP + "]" * _DEEP,
    '{"a":' * 3000 + "1" + "}" * 3000,
    "01",
    "'x'",
)
_LAUGHS = "[&a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], " + ", ".join(f"&a{n + 1} [{', '.join([f'*a{n}'] * 10)}]" for n in range(8)) + "]"
ODD_YAML = (
    *(
        "yes",
        "no",
        "~",
        "2020-01-01",
        "2001-12-14t21:59:43.10-05:00",
        "12:30:00",
        "0x1F",
        "0o17",
        "1_000",
        ".inf",
        "-.inf",
        ".nan",
        "1e400",
        "!!binary aGk=",
    ),
    *("!!python/object/apply:os.system [ls]", "!!set {a, b}", "!!str 1", "!!int x", "!!float x", "!!null x", "!!timestamp x", "!x y", "*nothing"),
    *(
        "&a [*a]",
        "&a {b: *a}",
        _LAUGHS,
        "{<<: {a: 1}}",
        "{? [a]: b}",
        "{1: a}",
        "{null: a}",
        "{true: a}",
        "[" * 3000,
        "9" * 5000,
        "!!pairs [a: 1]",
        "!!omap [a: 1]",
    ),
)
_MARK = "@@odd@@"


def damage_json(data: bytes, random: Random) -> bytes | None:
    """Return JSON, or one JSON document a line, with a value or key changed; None if it is no JSON."""
    lines = data.split(b"\n") if _load(data) is None else [data]
    place = random.randrange(len(lines))
    tree = _load(lines[place])
    if tree is None:
        return None
    lines[place] = _damaged(tree, random, ODD + ODD_JSON)
    return b"\n".join(lines)


def damage_yaml(data: bytes, random: Random) -> bytes | None:
    """Return YAML with a value or key changed, in the style of JSON; None if it is no YAML, or a mere text."""
    try:
        tree = yaml.safe_load(data)
        if not isinstance(tree, dict | list):
            return None
        return _damaged(tree, random, ODD + ODD_YAML)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return None


def damage_safetensors(data: bytes, random: Random) -> bytes | None:
    """Return a safetensors file whose head, or the JSON that is stored in a text of it, is changed; None if it is none."""
    if len(data) < 8:
        return None
    size = struct.unpack("<Q", data[:8])[0]
    head = _load(data[8 : 8 + size])
    if not isinstance(head, dict):
        return None
    said = head.get("__metadata__")
    if isinstance(said, dict) and said and random.random() < 0.5:
        key = random.choice(sorted(said))
        inner = _load(str(said[key]).encode("utf-8", "replace"))
        if inner is not None:
            said[key] = _damaged(inner, random, ODD + ODD_JSON).decode("utf-8", "replace")
            changed = json.dumps(head).encode()
            return struct.pack("<Q", len(changed)) + changed + data[8 + size :]
    changed = _damaged(head, random, ODD + ODD_JSON)
    return struct.pack("<Q", len(changed)) + changed + data[8 + size :]


def _load(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _damaged(tree: Any, random: Random, odd: Sequence[str]) -> bytes:
    """Return JSON of a tree after one change."""
    root: list[Any] = [tree]
    holder, key = root, 0
    for _ in range(random.randrange(1, 7)):
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner:
            break
        holder, key = inner, random.choice(sorted(inner, key=str)) if isinstance(inner, dict) else random.randrange(len(inner))
    token, kind = random.choice(odd), random.randrange(10)
    again = ""
    if kind == 6:
        del holder[key]
    elif kind == 7 and isinstance(holder, list):
        holder[key:key] = [holder[key]] * random.choice((1, 3, 1000))
    elif kind == 7:
        again = f"{json.dumps(str(key))}:"
    elif kind == 8 and isinstance(holder, dict):
        holder[random.choice(("", "x", "\x1b[31m", "keypoints", "name", f" {key}", "k" * 400))] = holder.pop(key)
    elif kind == 9:
        holder[key] = [holder[key]] if random.random() < 0.5 else {"a": holder[key]}
    else:
        holder[key] = _MARK
    text = json.dumps(root[0], default=str) if root else ""
    if again:
        text = text.replace(again, f"{again} {token}, {again}", 1)
    return text.replace(f'"{_MARK}"', token).encode("utf-8", "surrogatepass")
