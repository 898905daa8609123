"""Damage to files: by bytes, by words and numbers of texts, and by the structure of JSON, YAML, HDF5, zip and safetensors.

Everything is drawn from one :class:`random.Random`, so a seed and a number say what a case is. The damage is what disks, editors, other programs and
people who mean harm do to files.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from pathlib import PurePath
from random import Random

from tests.fuzz import archives, hdf5, trees

INTEGERS = (0, 1, 2, 7, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
NUMBERS = (
    *(b"0", b"1", b"-1", b"2", b"7", b"0.5", b"-0.0", b"1e-300", b"1e5", b"1e9", b"1e19", b"1e300", b"1e400", b"-1e300", b"nan", b"inf", b"-inf"),
    *(
        b"127",
        b"128",
        b"255",
        b"256",
        b"65535",
        b"65536",
        b"1000000",
        b"999999999",
        b"2147483647",
        b"2147483648",
        b"4294967296",
        b"9223372036854775807",
    ),
    *(b"9223372036854775808", b"18446744073709551616", b"-2147483649", b"1_0", b"0x1F", b"1,5", b"1.5.2", b"", b"1" * 400, b"1" * 5000),
)
"""What is put in place of a number in a text."""
WORDS = (
    *(
        b"",
        b"nan",
        b"inf",
        b"-",
        b".",
        b"#",
        b":",
        b",",
        b";",
        b"{",
        b"}",
        b"[",
        b"]",
        b"(",
        b")",
        b"=",
        b"/",
        b"\\",
        b"'",
        b'"',
        b"%s",
        b"~",
        b"*",
        b"&a",
    ),
    *(b"\xb2", b"\xa0", b"\x85", b"\r", b"\n", b"\r\n", b"\0", b"\x1a", b"\x1b[31m", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe2\x80\xa8"),
    *(b"\xe2\x80\xae", b"../../x", b"/dev/zero", b"<script>alert(1)</script>", b"true", b"null", b"None", b"a" * 300, b"0" * 5000),
)
"""Words that no text format is glad of."""
MOST = 3_000_000
"""Bytes that damage may grow a file to, but for what is packed in an archive."""

_NUMBER = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def damage(name: str, data: bytes, random: Random, words: Sequence[bytes] = (), others: Sequence[bytes] = ()) -> bytes:
    """Return a damaged copy of a file.

    Parameters
    ----------
    name : str
        The suffix tells the format, and so the damage that knows the structure.
    data : bytes
    random : Random
    words : sequence of bytes
        Words that mean something in the format.
    others : sequence of bytes
        Other files of the kind, parts of which may be put in.
    """
    suffix, times = PurePath(name).suffix.lower(), random.choice((1, 1, 1, 2, 3))
    known = STRUCTURED.get(suffix)
    changed = known(data, random) if known is not None and random.random() < 0.6 else None
    if changed is not None:
        data, times = changed, times - 1
    for _ in range(times):
        data = _once(suffix, data, random, words, others)
    return data


def _once(suffix: str, data: bytes, random: Random, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    if others and random.random() < 0.05:
        return _spliced(data, random.choice(others), random)
    if random.random() < 0.01:
        return _grown(data, random)
    if suffix in BINARY and random.random() < 0.85:
        return damage_bytes(data, random)
    return damage_text(data, random, words)


def damage_bytes(data: bytes, random: Random) -> bytes:
    """Return data with bits, bytes or integers changed, or parts cut out, repeated or put in."""
    if not data:
        return random.randbytes(random.randrange(1, 40))
    place = random.randrange(len(data)) if random.random() < 0.6 else random.randrange(min(len(data), 2048))  # heads say more
    kind = random.randrange(9)
    if kind == 0:
        return _written(data, place, bytes([data[place] ^ 1 << random.randrange(8)]))
    if kind == 1:
        return _written(data, place, random.randbytes(random.choice((1, 1, 2, 4))))
    if kind in (2, 3):
        size = random.choice((1, 2, 4, 8))
        value = (random.choice(INTEGERS) + random.choice((0, 0, 0, -1, 1))) % 2 ** (8 * size)
        return _written(data, place - place % size, value.to_bytes(size, random.choice(("little", "little", "big"))))
    if kind == 4:
        return _written(data, place - place % 4, struct.pack("<f", random.choice((float("nan"), float("inf"), -1e30, 1e38, 0.0, 1e-40))))
    stop = min(place + random.choice((1, 4, 16, 100, 1000)), len(data))
    if kind == 5:
        return data[:place]
    if kind == 6:
        return data[:place] + data[stop:]
    if kind == 7:
        return (data[:stop] + data[place:stop] * random.choice((1, 1, 3, 50)) + data[stop:])[:MOST]
    return data[:place] + random.randbytes(random.choice((1, 3, 8, 64))) + data[place:]


def damage_text(data: bytes, random: Random, words: Sequence[bytes] = ()) -> bytes:
    """Return a text with words, lines or numbers replaced, put in, repeated, moved or cut out."""
    if not data:
        return random.choice(WORDS)
    kind = random.randrange(10)
    if kind < 3:
        return _other_number(data, random) if _NUMBER.search(data) else damage_bytes(data, random)
    if kind == 3:
        return damage_bytes(data, random)
    noise = random.choice(WORDS) if not words or random.random() < 0.5 else random.choice(words)
    if kind == 4:
        place = random.randrange(len(data))
        return data[:place] + noise + data[place:]
    separator = random.choice((b" ", b"\n", b"\n", b","))
    parts = data.split(separator)
    a, b = random.randrange(len(parts)), random.randrange(len(parts))
    if kind == 5:
        del parts[a]
    elif kind == 6:
        parts[a:a] = [parts[b]] * random.choice((1, 1, 2, 20))
    elif kind == 7:
        parts[a] = noise
    elif kind == 8:
        parts[a], parts[b] = parts[b], parts[a]
    else:
        parts.insert(a, noise)
    return separator.join(parts)


def _other_number(data: bytes, random: Random) -> bytes:
    """Return a text with another number in place of one of those near a place chosen at random."""
    start = random.randrange(len(data)) if random.random() < 0.6 else 0
    found = [match for match, _ in zip(_NUMBER.finditer(data, start), range(20), strict=False)] or [*_NUMBER.finditer(data)]
    match = random.choice(found)
    return data[: match.start()] + random.choice(NUMBERS) + data[match.end() :]


def _written(data: bytes, place: int, value: bytes) -> bytes:
    return data[:place] + value[: len(data) - place] + data[place + len(value) :]


def _spliced(data: bytes, other: bytes, random: Random) -> bytes:
    """Return the beginning of one file and the end of another."""
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _grown(data: bytes, random: Random) -> bytes:
    """Return a file with one of its lines very often."""
    lines = data.split(b"\n")
    place = random.randrange(len(lines))
    lines[place:place] = [lines[place]] * min(random.choice((2000, 20_000, 100_000)), 1 + MOST // (len(lines[place]) + 1))
    return b"\n".join(lines)


STRUCTURED: dict[str, Callable[[bytes, Random], bytes | None]] = {
    ".json": trees.damage_json,
    ".jsonl": trees.damage_json,
    ".yaml": trees.damage_yaml,
    ".safetensors": trees.damage_safetensors,
    ".h5": hdf5.damage_hdf5,
    ".zip": archives.damage_zip,
    ".npz": archives.damage_zip,
    ".npy": archives.damage_npy,
    ".gz": archives.damage_gzip,
}
"""By suffix; a function returns None for what it does not understand."""
BINARY = {".h5", ".c3d", ".npz", ".npy", ".zip", ".gz", ".pkl", ".safetensors", ".mp4"}
