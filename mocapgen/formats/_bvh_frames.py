"""The frames of a BVH file: one row of numbers each.

All numbers are read at once (:mod:`mocapgen.formats._numbers`). Only a file that does not fit is looked at row by row,
to say exactly where it goes wrong, or to mend it.
"""

from __future__ import annotations

import io

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.formats._bvh_header import BLANKS, TO_BLANKS, BvhHeader, Repairs, quoted, shown
from mocapgen.formats._numbers import Words
from mocapgen.formats._text import number

LIMIT = 1e6
"""Largest value believed, in degrees or file units: beyond it a double rotated by it has lost its meaning."""
MAX_MENDED = 0.1
"""Largest part of the frames that may be mended."""

SPARE = 1000
"""Rows that are read before it is decided that there are too many faults."""
LONGEST_WORD = 400
"""Most characters of a number: a double written out in full has fewer."""

_BLOCK = 1 << 18  # bytes at a time: words and numbers of a block stay in the processor's cache, and memory is bounded


def parse_frames(data: bytes, header: BvhHeader, repairs: Repairs) -> Array:
    """Read the frames.

    Parameters
    ----------
    data : bytes
        The whole file, with line breaks as LF.
    header : BvhHeader
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
    width, start = len(header.hierarchy.columns), header.start
    if data.find(b",", start) >= 0 and data.find(b".", start) < 0:
        repairs.mend(header.line_number, "expected decimal points, found commas", "read as points")
        data = data[:start] + data[start:].replace(b",", b".")
    is_cut = _is_cut(data, start, width)
    values, sound, position = _table(data, start, width, is_cut)
    values = _row_by_row(data, position, values, sound, header, repairs, is_cut) if position < len(data) or not sound else values[:sound]
    if header.frames is not None and len(values) != header.frames:
        last = header.line_number + data[start:].rstrip(BLANKS).count(b"\n")
        repairs.mend(last, f"expected {header.frames} frames as in 'Frames:', found {len(values)}", f"the {len(values)} are used")
    return values


def _table(data: bytes, start: int, width: int, is_cut: bool) -> tuple[Array, int, int]:
    """Read frames from a place in the file on, while every row holds `width` numbers of plausible size.

    Returns
    -------
    values : (R, C) float64
        With room for all frames.
    sound : int
        How many are read.
    position : int
        Where what has to be looked at row by row begins: a block that does not fit, the last one of a file that seems to be cut.
    """
    values = np.empty(_most_rows(data, start, width) * width)
    filled = 0
    while start < len(data):
        stop = data.find(b"\n", start + _BLOCK) + 1 or len(data)
        if (is_cut and stop == len(data)) or stop - start > 2 * _BLOCK + LONGEST_WORD * width:  # no row of numbers is that long
            break
        words = Words(data[start:stop])
        if not _on_rows(words, width):
            break
        block = values[filled : filled + len(words)]
        block[:] = words.numbers()
        if not (np.abs(block) <= LIMIT).all():  # NaN is not <= either
            break
        filled, start = filled + len(words), stop
    return values.reshape(-1, width), filled // width, start


def _on_rows(words: Words, width: int) -> bool:
    """Tell whether each `width` words are one line of their own."""
    if len(words) % width:
        return False
    breaks = np.flatnonzero(words.text == ord("\n"))
    first = np.searchsorted(breaks, words.starts[::width])
    last = np.searchsorted(breaks, words.stops[width - 1 :: width])
    return bool((first == last).all() and (first[1:] > last[:-1]).all())


def _most_rows(data: bytes, start: int, width: int) -> int:
    """Return how many rows there can be at most: a number takes a digit and a blank."""
    return min(data.count(b"\n", start) + 1, (len(data) - start + 1) // (2 * width))


def _is_cut(data: bytes, start: int, width: int) -> bool:
    """Tell whether the file seems to end within a number.

    A last line without a line break is common. But where all numbers before have the same digits behind the point and
    the very last one has fewer, it was cut.
    """
    words = data[max(start, len(data) - 60 * width) :].split()[-2 * width :]
    if data[-1:] <= b" " or not words:
        return False
    *others, last = words
    digits = {len(word.partition(b".")[2]) for word in others[1:]}
    return len(digits) == 1 and len(last.partition(b".")[2]) < digits.pop() and b"e" not in last.lower()


def _row_by_row(data: bytes, start: int, values: Array, sound: int, header: BvhHeader, repairs: Repairs, is_cut: bool) -> Array:
    """Read the frames that follow the sound ones, one by one; raise at the first fault, or mend faults where enough frames are sound."""
    columns = header.hierarchy.columns
    width = len(columns)
    body, first = data[start:], header.line_number + data.count(b"\n", header.start, start)
    last = first + body.rstrip(BLANKS).count(b"\n")
    stand_ins = list(range(sound))  # for each row the sound one that is taken: itself or the one before
    faults: list[tuple[int, str]] = []
    for line_number, raw in enumerate(io.BytesIO(body), start=first):
        words = [] if raw.isspace() else raw.translate(TO_BLANKS).split(maxsplit=width)
        if not words:
            continue
        fault = _fault(words, columns, line_number == last)
        if not fault and line_number == last and is_cut:
            fault = f"joint {shown(columns[-1][0])}: {columns[-1][1]}: the file ends within a number"
        if not fault:
            values[sound] = list(map(float, words))
            sound += 1
        elif not repairs.lenient:
            repairs.mend(line_number, fault, "left out" if line_number == last or not sound else "the frame before stands in")
        else:
            faults.append((line_number, fault))
            _check_mendable(faults, len(stand_ins) + 1 + SPARE, repairs)
        stand_ins.append(sound - 1)
    if not stand_ins:
        repairs.fail(header.line_number, "expected frames after 'Frame Time:', found none")
    if faults:
        _check_mendable(faults, len(stand_ins) + 10, repairs)
        stand_ins = _mend(stand_ins, faults, repairs)
    return values[stand_ins]


def _check_mendable(faults: list[tuple[int, str]], rows: int, repairs: Repairs) -> None:
    if len(faults) > MAX_MENDED * rows:
        line_number, fault = faults[0]
        repairs.fail(line_number, f"{fault}; {len(faults)} frames up to line {faults[-1][0]} are no better: too many to mend")


def _mend(stand_ins: list[int], faults: list[tuple[int, str]], repairs: Repairs) -> list[int]:
    """Leave out bad rows at both ends, where none stands in or the last one stands in for itself alone; note the rest."""
    first = stand_ins.index(0) if 0 in stand_ins else len(stand_ins)
    kept = stand_ins[first : stand_ins.index(stand_ins[-1]) + 1]
    line_number, fault = faults[0]
    if not kept:
        repairs.fail(line_number, f"{fault}; there is no frame to go by")
    outside = len(stand_ins) - len(kept)
    more = f" (and {len(faults) - 1} more frames up to line {faults[-1][0]})" if len(faults) > 1 else ""
    remedies = [f"{outside} left out"] * (outside > 0) + ["the frame before stands in"] * (outside < len(faults))
    repairs.mend(line_number, fault + more, "; ".join(remedies))
    return kept


def _fault(words: list[bytes], columns: tuple[tuple[str, str], ...], is_last: bool) -> str:
    """Return what is wrong with a row, or nothing."""
    width = len(columns)
    for (joint, channel), word in zip(columns, words, strict=False):
        text = word[:LONGEST_WORD].decode("latin-1")
        value = number(text) if len(word) <= LONGEST_WORD else None
        if value is None or abs(value) > LIMIT:
            hint = ", a decimal comma" if "," in text else ""
            return f"joint {shown(joint)}: {channel}: expected a number within +-{LIMIT:g}, found {quoted(text)}{hint}"
    if len(words) < width:
        at = ": the file ends within a frame" if is_last else ""
        return f"joint {shown(columns[len(words)][0])}: expected {width} values in a frame, found {len(words)}{at}"
    return f"expected {width} values in a frame, found more, {quoted(words[width][:60].decode('latin-1').strip())}" if len(words) > width else ""
