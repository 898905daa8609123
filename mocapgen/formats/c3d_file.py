"""The bytes of a C3D file <-> :class:`C3dFile`: its points, residuals and parameters as they stand, by NumPy alone.

Every size and count that the file states is held against the bytes that are there before anything of that size is made. Numbers are
those of Intel, DEC (VAX) and SGI (MIPS) processors, points integers or floating-point numbers. Analog and force data are skipped.
Source: The C3D File Format User Guide, Motion Lab Systems, 2021 (c3d.org).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from schemas.errors import FormatError

BLOCK = 512
INTEL, DEC, MIPS = 84, 85, 86
_MARK = 0x50
_ORDER = {INTEL: "<", DEC: "<", MIPS: ">"}
"""Byte order of integers by processor type; a DEC floating-point number has its two 16-bit words swapped."""
_LONGEST_NAME = 32  # characters that are kept: for messages, and longer than any name that is looked for
_MOST_PARAMETERS = 20_000  # a hundred times those of a large laboratory
_FULL = 65535  # frames that sixteen bits can count; longer clips say so elsewhere
_LARGEST_WORD = 32767  # camera mask and residual; more, up to 65535, is a negative number that was written without its sign

Parameters = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class C3dFile:
    """A C3D file as it stands: its own unit and axes.

    Parameters
    ----------
    points : (T, M, 3) float32, file units and axes
        As written, also where a point was not seen.
    residuals : (T, M) float32, file units
        Negative where a point was not seen.
    parameters : mapping of GROUP:NAME to array
        Texts as an array of str without trailing blanks, numbers as an array of int or float; in the order of the file.
    scale : float
        Absolute value of POINT:SCALE.
    fps : float
        Frames per second as stated, by POINT:RATE or else by the header; not checked.
    missing_frames : int
        Frames that the file announces and does not hold: it was cut short.
    """

    points: NDArray[np.float32]
    residuals: NDArray[np.float32]
    parameters: Parameters
    scale: float
    fps: float
    missing_frames: int = 0

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Label of each point, from LABELS, LABELS2, ...; empty where there is none."""
        names = ("POINT:LABELS", *(f"POINT:LABELS{part}" for part in range(2, 100)))
        found = [str(label).strip() for name in names for label in self.texts(name)][: self.points.shape[1]]
        return (*found, *[""] * (self.points.shape[1] - len(found)))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of a parameter; none if there is no such parameter of text."""
        value = self.parameters.get(name)
        return tuple(map(str, value.ravel())) if value is not None and value.dtype.kind == "U" else ()

    def number(self, name: str, otherwise: float = 0.0) -> float:
        """Return the first number of a parameter."""
        return _first(self.parameters, name, otherwise)


def parse_c3d_file(data: bytes, where: str, lenient: bool = False) -> C3dFile:
    """Read a C3D file.

    Parameters
    ----------
    data : bytes
        The file's content.
    where : str
        Name of the file, for messages.
    lenient : bool
        Take what is there of a file that was cut short.

    Returns
    -------
    C3dFile

    Raises
    ------
    FormatError
        If this is no C3D file, it holds no points, a section lies outside the file, a parameter is larger than its section, or the
        file is shorter than it says (unless `lenient`).
    """
    section, processor = _check_header(data, where)
    order = _ORDER[processor]
    words = np.frombuffer(data, f"{order}u2", 10)
    parameters = _read_parameters(data, section, processor, where)
    count = int(_first(parameters, "POINT:USED", words[1]))
    if count <= 0:
        raise FormatError(f"{where}: expected markers, found a file with none (POINT:USED is {count})")
    scale = _first(parameters, "POINT:SCALE", _floats(data[12:16], processor)[0])
    width = 4 * count + int(words[2])  # numbers in a frame: x, y, z and residual of each point, then the analog samples
    size = width * (4 if scale < 0 else 2)
    blocks = (int(_first(parameters, "POINT:DATA_START", 0)), int(words[8]))  # some programs leave the parameter at 1
    start = next((place for block in blocks if (place := (block - 1) * BLOCK) > section), 0)  # data follow the parameters
    if not 0 < start < len(data):
        raise FormatError(f"{where}: expected data within the file ({len(data)} bytes), found them announced at block {max(blocks)}: cut short")
    there = (len(data) - start) // size
    frames = _frame_count(words, parameters, there)
    if frames > there and not (lenient and there):
        raise FormatError(
            f"{where}: the file announces {frames} frames of {count} points, expected {start + frames * size} bytes, found {len(data)}: "
            f"cut short" + (f" (with lenient=True: the {there} frames that are there)" if there else "")
        )
    used = min(frames, there)
    with np.errstate(invalid="ignore", over="ignore"):  # whatever the bytes are, they are no reason to warn
        points, residuals = _decode(data[start : start + used * size], processor, (used, count, width), scale)
    fps = _first(parameters, "POINT:RATE", 0.0) or float(_floats(data[20:24], processor)[0])
    return C3dFile(points, residuals, parameters, abs(scale), fps, frames - used)


def parse_c3d_parameters(head: bytes, where: str) -> C3dFile:
    """Read the parameters of a C3D file only: its first bytes are enough, and there are no frames in what is returned.

    Raises
    ------
    FormatError
        If this is no C3D file, or the parameters go on behind these bytes.
    """
    section, processor = _check_header(head, where)
    parameters = _read_parameters(head, section, processor, where)
    count = int(_first(parameters, "POINT:USED", np.frombuffer(head, f"{_ORDER[processor]}u2", 10)[1]))
    empty = np.zeros((0, max(count, 0), 3), dtype=np.float32)
    return C3dFile(empty, empty[..., 0], parameters, 1.0, 0.0)


def _check_header(data: bytes, where: str) -> tuple[int, int]:
    """Return where the parameters start, and the processor type."""
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
    if processor not in _ORDER:
        raise FormatError(f"{where}: expected processor type 84 (Intel), 85 (DEC) or 86 (MIPS) at the start of the parameters, found {processor}")
    return section, processor


# Parameters ---------------------------------------------------------------------------------------


def _read_parameters(data: bytes, section: int, processor: int, where: str) -> Parameters:
    """Return all parameters by GROUP:NAME.

    The chain of parameters says where each one ends. It ends with a zero byte or where the data start: the stated number of blocks is
    not needed, and some programs get it wrong.
    """
    end = int.from_bytes(data[16:18], "big" if processor == MIPS else "little") * BLOCK - BLOCK
    end = end if section < end < len(data) else len(data)
    groups: dict[int, str] = {}
    found: list[tuple[int, str, NDArray[np.generic]]] = []
    for group, name, at, stop in _walk(data, section + 4, end, processor, where):
        if group < 0:
            groups[-group] = name
        elif len(found) == _MOST_PARAMETERS:
            raise FormatError(f"{where}: expected at most {_MOST_PARAMETERS:,} parameters, found more")
        else:
            found.append((group, name, _value(data, at, min(stop, end), processor, name, where)))
    return {f"{groups.get(group, group)}:{name}": value for group, name, value in found}


def _walk(data: bytes, at: int, end: int, processor: int, where: str) -> Iterator[tuple[int, str, int, int]]:
    """Yield group, name, and first and last position of each entry of the chain; the group is negative for a group itself."""
    byteorder = "big" if processor == MIPS else "little"
    while at + 2 <= end and data[at] != 0:
        length, group = abs(_signed(data[at])), _signed(data[at + 1])
        name = data[at + 2 : at + 2 + min(length, _LONGEST_NAME)].decode("latin-1").upper().strip()
        link = at + 2 + length
        if link + 2 > end:
            raise FormatError(f"{where}: parameter {name!r} reaches beyond the parameter section")
        step = int.from_bytes(data[link : link + 2], byteorder)  # type: ignore[arg-type]
        if step == 1 or step == 2:
            raise FormatError(f"{where}: parameter {name!r} points {step} bytes ahead for the next, expected at least 3")
        at = link + step
        if at >= len(data) and step > _LARGEST_WORD:
            raise FormatError(f"{where}: parameter {name!r} points {step - _FULL - 1} bytes ahead for the next, expected at least 3")
        yield group, name, link + 2, at if step else end
        if step == 0:
            return
    if at >= len(data):
        raise FormatError(f"{where}: the parameter section ends beyond the end of the file ({len(data)} bytes)")


def _value(data: bytes, at: int, end: int, processor: int, name: str, where: str) -> NDArray[np.generic]:
    """Return the value of a parameter whose type stands at a position; the last of its dimensions comes first."""
    if at + 2 > end:
        raise FormatError(f"{where}: parameter {name!r} reaches beyond the parameter section")
    kind, dimensions = _signed(data[at]), data[at + 1]
    if kind not in (-1, 1, 2, 4) or dimensions > 7:
        raise FormatError(f"{where}: parameter {name!r}: expected type -1, 1, 2 or 4, at most 7 dimensions, found {kind}, {dimensions}")
    start = at + 2 + dimensions
    shape = tuple(data[at + 2 : start])
    length = abs(kind) * math.prod(shape)
    if start + length > end:
        raise FormatError(f"{where}: parameter {name!r} claims {length} bytes, expected at most the {max(end - start, 0)} left in its section")
    raw = data[start : start + length]
    if kind == -1:
        return _texts(raw, shape)
    numbers: NDArray[np.generic] = _floats(raw, processor) if kind == 4 else np.frombuffer(raw, "u1" if kind == 1 else f"{_ORDER[processor]}i2")
    return numbers.reshape(shape[::-1])


def _texts(raw: bytes, shape: tuple[int, ...]) -> NDArray[np.str_]:
    """Return texts of equal length; a text of no dimension is a single character."""
    length = shape[0] if shape else 1
    count = math.prod(shape[1:]) if length else 0
    return np.array([raw[place * length : (place + 1) * length].decode("latin-1").rstrip(" \0") for place in range(count)], dtype=np.str_)


def _first(parameters: Parameters, name: str, otherwise: float) -> float:
    value = parameters.get(name)
    if value is None or value.dtype.kind == "U" or not value.size:
        return float(otherwise)
    number = value.ravel()[0]
    return float(number.view("<u2" if number.dtype.byteorder != ">" else ">u2")) if value.dtype.kind == "i" else float(number)


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


# Frames -------------------------------------------------------------------------------------------


def _frame_count(words: NDArray[np.uint16], parameters: Parameters, there: int) -> int:
    """Return the number of frames that the file announces.

    Sixteen bits count 65,535 frames. Longer files say so in TRIAL:ACTUAL_END_FIELD (two words, low word first) or POINT:LONG_FRAMES, or
    state the rest of the division by 65,536, which the length of the file then settles.
    """
    first, last = int(words[3]), int(words[4])
    fields = [_long_count(parameters, f"TRIAL:ACTUAL_{end}_FIELD") for end in ("START", "END")]
    if all(fields) and fields[1] >= fields[0] and fields[1] - fields[0] >= last - first:
        return fields[1] - fields[0] + 1
    if (long := int(_first(parameters, "POINT:LONG_FRAMES", 0))) > _FULL:
        return long
    by_header = last - first + 1 if last >= first else 0
    stated = [count for count in (by_header, int(_first(parameters, "POINT:FRAMES", 0))) if count > 0]
    # The same number modulo 65,536, or saturated: then there are as many as there is room for.
    if there > _FULL and (not stated or any(count >= _FULL or (there - count) % (_FULL + 1) == 0 for count in stated)):
        return there
    fitting = [count for count in stated if count <= there]
    return max(fitting) if fitting else min(stated, default=there)


def _long_count(parameters: Parameters, name: str) -> int:
    value = parameters.get(name)
    if value is None or value.dtype.kind != "i" or value.size < 2:
        return 0
    low, high = (int(number) & _FULL for number in value.ravel()[:2])
    return low + (high << 16)


def _decode(raw: bytes, processor: int, shape: tuple[int, int, int], scale: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return points (T, M, 3) and residuals (T, M) float32 of so many frames, points and numbers a frame."""
    frames, count, width = shape
    if scale < 0:
        values = _floats(raw, processor).reshape(frames, width)[:, : 4 * count].reshape(frames, count, 4)
        points = np.ascontiguousarray(values[..., :3])
        with np.errstate(invalid="ignore"):
            word = np.where(np.abs(values[..., 3]) < 2.0**31, values[..., 3], -1.0).astype(np.int32)  # NaN is not seen
        word = np.where((word > _LARGEST_WORD) & (word <= _FULL), -1, word)
    else:
        integers = np.frombuffer(raw, f"{_ORDER[processor]}i2").reshape(frames, width)[:, : 4 * count].reshape(frames, count, 4)
        points = integers[..., :3] * np.float32(scale)
        word = integers[..., 3].astype(np.int32)
    residuals = (word & 0xFF).astype(np.float32) * np.float32(abs(scale))
    residuals[word < 0] = -1.0
    return points, residuals


def _floats(raw: bytes, processor: int) -> NDArray[np.float32]:
    """Return 32-bit floating-point numbers; of a VAX the words are swapped and the exponent counts two more."""
    if processor == DEC:
        swapped = np.frombuffer(raw, "<u2").reshape(-1, 2)[:, ::-1]
        return np.ascontiguousarray(swapped).view("<f4").ravel() * np.float32(0.25)
    return np.frombuffer(raw, f"{_ORDER[processor]}f4").astype(np.float32, copy=False)
