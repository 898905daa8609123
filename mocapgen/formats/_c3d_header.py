"""What a C3D file says about itself, checked against its size before anything is read from it.

The header is one block of 512 bytes, the parameter section a chain of groups and parameters. Both state sizes and counts
that a reader would trust; here each is held against the bytes that are there. (C3D file format user guide, Motion Lab Systems.)
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.errors import FormatError

BLOCK = 512
_MARK = 0x50
_SIGN_BYTES = {84: 3, 85: 1}
"""Processor types, Intel and DEC, each with the byte of a floating-point number that holds its sign; integers are the same."""
_LONGEST_NAME = 32  # characters that are kept: for messages, and longer than any name that is looked for
_LONGEST = 65535  # frames that sixteen bits can count; longer clips say so elsewhere


@dataclass(frozen=True)
class C3dHeader:
    """The claims of a file that decide how much is to be read."""

    points: int
    frames: int
    """The smallest of the numbers that the file gives: what must be there at least."""
    first_frame: int
    frame_bytes: int
    data_start: int
    """Position of the first frame in the file."""


def check_header(data: bytes, where: str) -> C3dHeader:
    """Check the header and walk the parameters.

    Parameters
    ----------
    data : bytes
        The file's content.
    where : str
        Name of the file, for messages.

    Raises
    ------
    FormatError
        If this is no C3D file, a section lies outside the file, a parameter is larger than its section, or the file is shorter
        than the number of frames it states.
    """
    if not data:
        raise FormatError(f"{where}: expected a C3D file, found an empty file")
    if len(data) < 2 or data[1] != _MARK:
        raise FormatError(f"{where}: expected a C3D file (0x50 as its second byte), found {data[:4].hex(' ')}")
    if len(data) < BLOCK:
        raise FormatError(f"{where}: expected a header of {BLOCK} bytes, found {len(data)}: the file is cut short")
    section = (data[0] - 1) * BLOCK
    if not BLOCK <= section <= len(data) - 4:
        raise FormatError(f"{where}: the header puts the parameters at block {data[0]}, expected one between 2 and {len(data) // BLOCK}")
    processor = data[section + 3]
    if processor not in _SIGN_BYTES:
        what = "86 (MIPS), which cannot be read; convert the file" if processor == 86 else str(processor)
        raise FormatError(f"{where}: expected processor type 84 (Intel) or 85 (DEC) at the start of the parameters, found {what}")
    parameters = dict(_walk(data, section, where))
    return _claims(data, parameters, processor, where)


def _walk(data: bytes, section: int, where: str) -> Iterator[tuple[str, bytes]]:
    """Yield GROUP:NAME and the raw value of each parameter; raise where one is larger than what holds it."""
    blocks = data[section + 2]
    end = min(section + blocks * BLOCK, len(data)) if blocks else len(data)
    groups: dict[int, str] = {}
    found: list[tuple[int, str, bytes]] = []
    at = section + 4
    while at + 2 <= end and data[at] != 0:
        length, group = abs(_signed(data[at])), _signed(data[at + 1])
        name = data[at + 2 : at + 2 + min(length, _LONGEST_NAME)].decode("latin-1").upper()
        link = at + 2 + length
        if link + 2 > end:
            raise FormatError(f"{where}: parameter {name!r} reaches beyond the {blocks} blocks of the parameter section")
        (step,) = struct.unpack_from("<h", data, link)
        if group < 0:
            groups[-group] = name
        else:
            found.append((group, name, _value(data, link + 2, end, name, where)))
        if step == 0:
            break
        if step < 3:
            raise FormatError(f"{where}: parameter {name!r} points {step} bytes ahead for the next, expected at least 3")
        at = link + step
    if at >= len(data):
        raise FormatError(f"{where}: the parameter section ends beyond the end of the file ({len(data)} bytes)")
    for group, name, value in found:
        yield f"{groups.get(group, group)}:{name}", value


def _value(data: bytes, at: int, end: int, name: str, where: str) -> bytes:
    """Return the bytes of a parameter whose type stands at a position."""
    if at + 2 > end:
        raise FormatError(f"{where}: parameter {name!r} reaches beyond the parameter section")
    size, dimensions = abs(_signed(data[at])), data[at + 1]
    if size not in (1, 2, 4) or dimensions > 7:
        raise FormatError(f"{where}: parameter {name!r}: expected type -1, 1, 2 or 4, at most 7 dimensions, found {_signed(data[at])}, {dimensions}")
    start = at + 2 + dimensions
    length = size * math.prod(data[at + 2 : start])
    if start + length > end:
        raise FormatError(f"{where}: parameter {name!r} claims {length} bytes, expected at most the {max(end - start, 0)} left in its section")
    return data[start : start + length]


def _claims(data: bytes, parameters: dict[str, bytes], processor: int, where: str) -> C3dHeader:
    """Hold the stated numbers of points and frames against the size of the file."""
    points, analog, first, last = struct.unpack_from("<4H", data, 2)
    (block,) = struct.unpack_from("<H", data, 16)
    # The sign bit of a floating-point number sits in another byte for each processor, so take it from the parameter where there is one.
    scale = parameters.get("POINT:SCALE", b"")[:4] or data[12:16]
    negative = bool(scale[_SIGN_BYTES[processor]] & 0x80) if len(scale) == 4 else True
    points = _number(parameters, "POINT:USED", points)
    stated = [last - first + 1] if last >= first and last < _LONGEST else []
    stated += [count for count in (_number(parameters, "POINT:FRAMES", 0),) if 0 < count < _LONGEST]
    frames = min(stated, default=1)
    if points == 0:
        raise FormatError(f"{where}: expected markers, found a file with none (POINT:USED is 0)")
    frame_bytes = (4 * points + analog) * (4 if negative else 2)
    start = (_number(parameters, "POINT:DATA_START", block) or block) * BLOCK - BLOCK
    if not BLOCK <= start < len(data):
        raise FormatError(f"{where}: expected data within the file ({len(data)} bytes), found them announced at byte {start}: cut short")
    if start + frames * frame_bytes > len(data):
        raise FormatError(
            f"{where}: the header announces {frames} frames of {points} markers, expected {start + frames * frame_bytes} bytes, "
            f"found {len(data)}: the file is cut short or its header is damaged"
        )
    return C3dHeader(points, frames, first, frame_bytes, start)


def _number(parameters: dict[str, bytes], name: str, otherwise: int) -> int:
    value = parameters.get(name, b"")
    return int(struct.unpack_from("<H", value)[0]) if len(value) == 2 else otherwise


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte
