"""The frames of a BVH file: one row of numbers each.

All numbers are read at once (:mod:`mocapgen.formats._numbers`). Only a file that does not fit is looked at row by row,
to say exactly where it goes wrong, or to mend it.
"""

from __future__ import annotations

import numpy as np

from mocapgen.formats._bvh_header import Header, Repairs, shown
from mocapgen.formats._numbers import Words
from mocapgen.formats._text import number, split_words
from mocapgen.motion import Array

LIMIT = 1e6
"""Largest value believed, in degrees or file units: beyond it a double rotated by it has lost its meaning."""
MAX_MENDED = 0.1
"""Largest part of the frames that may be mended."""

_BLOCK = 1 << 17  # bytes at a time: words and numbers of a block stay in the processor's cache, and memory is bounded


def parse_frames(data: bytes, header: Header, repairs: Repairs) -> Array:
    """Read the frames.

    Parameters
    ----------
    data : bytes
        The whole file, with line breaks as LF.
    header : Header
    repairs : Repairs

    Returns
    -------
    (T, C) float64
        As written: degrees and file units.

    Raises
    ------
    FormatError
        With file, line, joint and channel.
    """
    body = data[header.start :]
    if b"," in body and b"." not in body:
        repairs.mend(header.line_number, "expected decimal points, found commas", "read as points")
        body = body.replace(b",", b".")
    values = _table(body, len(header.columns))
    if values is None or _is_cut(body, len(header.columns)):
        values = _row_by_row(body, header, repairs)
    if header.frames is not None and len(values) != header.frames:
        last = header.line_number + len(body.rstrip().split(b"\n")) - 1
        repairs.mend(last, f"expected {header.frames} frames as in 'Frames:', found {len(values)}", f"the {len(values)} are used")
    return values


def _table(body: bytes, width: int) -> Array | None:
    """Return the frames (T, C), or None unless every row holds `width` numbers of plausible size."""
    most = min(body.count(b"\n") + 1, (len(body) + 1) // (2 * width))  # a number takes a digit and a blank
    values = np.empty(most * width)
    filled = start = 0
    while start < len(body):
        stop = body.find(b"\n", start + _BLOCK) + 1 or len(body)
        words = Words(body[start:stop])
        if not _on_rows(words, width):
            return None
        block = values[filled : filled + len(words)]
        block[:] = words.numbers()
        if not (np.abs(block) <= LIMIT).all():  # NaN is not <= either
            return None
        filled, start = filled + len(words), stop
    return values[:filled].reshape(-1, width) if filled else None


def _on_rows(words: Words, width: int) -> bool:
    """Tell whether each `width` words are one line of their own."""
    if len(words) % width:
        return False
    breaks = np.flatnonzero(words.text == ord("\n"))
    first = np.searchsorted(breaks, words.starts[::width])
    last = np.searchsorted(breaks, words.stops[width - 1 :: width])
    return bool((first == last).all() and (first[1:] > last[:-1]).all())


def _is_cut(body: bytes, width: int) -> bool:
    """Tell whether the file seems to end within a number.

    A last line without a line break is common. But where all numbers before have the same digits behind the point and
    the very last one has fewer, it was cut.
    """
    if body[-1:] <= b" ":
        return False
    *others, last = body[-60 * width :].split()[-2 * width :]
    digits = {len(word.partition(b".")[2]) for word in others[1:]}
    return len(digits) == 1 and len(last.partition(b".")[2]) < digits.pop() and b"e" not in last.lower()


def _row_by_row(body: bytes, header: Header, repairs: Repairs) -> Array:
    """Read the frames one by one; raise at the first fault, or mend faults where the frames around them are sound."""
    width = len(header.columns)
    lines = [(number_, raw) for number_, raw in enumerate(body.split(b"\n"), start=header.line_number) if split_words(raw)]
    if not lines:
        repairs.fail(header.line_number, "expected frames after 'Frame Time:', found none")
    rows: list[Array | None] = []
    faults: list[tuple[int, str]] = []
    for index, (line_number, raw) in enumerate(lines):
        words = split_words(raw)
        is_last = index == len(lines) - 1
        fault = _fault(words, header, is_last) or ("the file ends within a number" if is_last and _is_cut(body, width) else "")
        rows.append(None if fault else np.array(list(map(float, words))))
        if fault:
            if not repairs.lenient:
                repairs.mend(line_number, fault, "left out" if is_last else "the frame before stands in")
            faults.append((line_number, fault))
    return _mended(rows, faults, repairs)


def _mended(rows: list[Array | None], faults: list[tuple[int, str]], repairs: Repairs) -> Array:
    """Leave out bad rows (None) at both ends and put the frame before in place of those between."""
    sound = [index for index, row in enumerate(rows) if row is not None]
    line_number, fault = faults[0]
    if len(sound) < (1 - MAX_MENDED) * len(rows) - 1:
        repairs.fail(line_number, f"{fault}; {len(faults)} of {len(rows)} frames are no better: too many to mend")
    more = f" (and {len(faults) - 1} more frames, the last in line {faults[-1][0]})" if len(faults) > 1 else ""
    outside = len(rows) - (sound[-1] - sound[0] + 1)
    remedy = [f"{outside} left out"] * (outside > 0) + ["the frame before stands in"] * (outside < len(faults))
    repairs.mend(line_number, fault + more, "; ".join(remedy))
    out: list[Array] = []
    for row in rows[sound[0] : sound[-1] + 1]:
        out.append(out[-1] if row is None else row)
    return np.stack(out)


def _fault(words: list[bytes], header: Header, is_last: bool) -> str:
    """Return what is wrong with a row, or nothing."""
    width = len(header.columns)
    for (joint, channel), word in zip(header.columns, words, strict=False):
        text = word.decode("latin-1")
        value = number(text)
        if value is None or abs(value) > LIMIT:
            return f"joint {shown(joint)}: {channel}: expected a number within +-{LIMIT:g}, found {shown(text)!r}"
    if len(words) < width:
        at = ": the file ends within a frame" if is_last else ""
        return f"joint {shown(header.columns[len(words)][0])}: expected {width} values in a frame, found {len(words)}{at}"
    return f"expected {width} values in a frame, found {len(words)}" if len(words) > width else ""
