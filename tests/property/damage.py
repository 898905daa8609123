"""Damage to text files, for property tests: edits at random places, with the words that parsers stumble over."""

from __future__ import annotations

from hypothesis import strategies as st

NOISE = [
    b"",
    b"nan",
    b"inf",
    b"-",
    b".",
    b"1e999",
    b"-1e300",
    b"1_0",
    b"#",
    b":",
    b"0",
    b"1",
    b"6",
    b"99999999999999999999999999",
    b"\xb2",
    b"\xa0",
    b"\x85",
    b"\r",
    b"\n",
    b"\0",
    b"\x1a",
    b"\xff\xfe",
    b"0x1F",
    b"1,5",
    b"1.5.2",
    b"1" * 5000,
]
"""Words that no text format is glad of."""

Edit = tuple[str, float, float, bytes]
kinds = [
    "delete bytes",
    "duplicate bytes",
    "replace bytes",
    "insert noise",
    "delete word",
    "duplicate word",
    "replace word",
    "insert word",
    "delete line",
]
kinds += ["duplicate line", "swap lines", "move line", "join lines", "cut short"]


def edits(words: list[bytes]) -> st.SearchStrategy[Edit]:
    """Return edits whose noise is :data:`NOISE`, the words given (those of a format) or random bytes."""
    noise = st.one_of(st.sampled_from(NOISE + words), st.binary(min_size=1, max_size=8))
    return st.tuples(st.sampled_from(kinds), st.floats(0.0, 1.0), st.floats(0.0, 1.0), noise)


def pick(fraction: float, count: int) -> int:
    return min(int(fraction * count), count - 1)


def damage(data: bytes, edit: Edit) -> bytes:
    """Return the data after one edit at a place given by fractions of it."""
    kind, first, second, noise = edit
    if not data:
        return noise
    unit = kind.rpartition(" ")[2]
    if kind in ("cut short", "insert noise") or unit == "bytes":
        start = pick(first, len(data))
        stop = min(start + 1 + int(second * 12), len(data))
        middle = {"delete bytes": b"", "duplicate bytes": 2 * data[start:stop], "replace bytes": noise, "insert noise": noise + data[start:stop]}
        return data[:start] if kind == "cut short" else data[:start] + middle[kind] + data[stop:]
    separator = b" " if unit == "word" else b"\n"
    parts = data.split(separator)
    a, b = pick(first, len(parts)), pick(second, len(parts))
    if kind in ("delete word", "delete line"):
        del parts[a]
    elif kind in ("duplicate word", "duplicate line"):
        parts.insert(b if second > 0.5 else a, parts[a])
    elif kind == "replace word":
        parts[a] = noise
    elif kind == "insert word":
        parts.insert(a, noise)
    elif kind == "swap lines":
        parts[a], parts[b] = parts[b], parts[a]
    elif kind == "move line":
        parts.insert(b, parts.pop(a))
    elif kind == "join lines" and a + 1 < len(parts):
        parts[a : a + 2] = [parts[a] + parts[a + 1]]
    return separator.join(parts)
