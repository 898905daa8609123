"""C3D files byte by byte, without ezc3d, so that tests can say exactly what is in them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BLOCK = 512
Parameter = tuple[str, int, tuple[int, ...], bytes]
"""Name, type, dimensions and value of a parameter of the group POINT."""


def text(name: str, words: Sequence[str]) -> Parameter:
    """Return a parameter that holds words, all padded to the longest."""
    width = max(1, max(map(len, words)))
    return name, -1, (width, len(words)), "".join(word.ljust(width) for word in words).encode()


def whole(name: str, value: int) -> Parameter:
    """Return a parameter that holds a 16-bit number."""
    return name, 2, (), struct.pack("<H", value)


def real(name: str, value: float) -> Parameter:
    """Return a parameter that holds a 32-bit floating-point number."""
    return name, 4, (), struct.pack("<f", value)


def c3d_file(
    points: NDArray[np.float64],
    labels: Sequence[str],
    units: str = "mm",
    scale: float = -0.1,
    fourth: NDArray[np.float64] | None = None,
    screen: str | None = None,
    rate: float = 120.0,
    extra: Sequence[Parameter] = (),
) -> bytes:
    """Return a C3D file (Intel) of points (T, M, 3) in file units; `fourth` : (T, M) are the fourth words, `screen` is POINT:Y_SCREEN."""
    frames, count, _ = points.shape
    parameters = [whole("USED", count), whole("FRAMES", frames), whole("DATA_START", 0), real("SCALE", scale), real("RATE", rate)]
    parameters += [text("LABELS", labels), text("UNITS", [units])]
    if screen is not None:
        parameters += [text("X_SCREEN", ["+X"]), text("Y_SCREEN", [screen])]
    parameters += extra
    section = parameter_section(parameters)
    start = 2 + len(section) // BLOCK
    section = parameter_section([whole(name, start) if name == "DATA_START" else (name, *rest) for name, *rest in parameters])  # type: ignore[arg-type,misc]
    header = struct.pack("<BBHHHHHfHHf", 2, 0x50, count, 0, 1, frames, 0, scale, start, 0, rate).ljust(BLOCK, b"\0")
    fourth = np.zeros((frames, count)) if fourth is None else fourth
    words = np.concatenate([points if scale < 0 else np.round(points / scale), fourth[..., None]], axis=-1)
    data = words.astype("<f4" if scale < 0 else "<i2").tobytes()
    return header + section + data + b"\0" * (-len(data) % BLOCK)


def as_dec(data: bytes, count: int) -> bytes:
    """Return an Intel file as a DEC computer would have written it: floating-point numbers with halves exchanged and two more in the exponent."""
    out = bytearray(data)

    def exchange(position: int) -> None:
        (value,) = struct.unpack_from("<f", data, position)
        swapped = struct.pack("<f", 4.0 * value)
        out[position : position + 4] = swapped[2:] + swapped[:2]

    out[BLOCK + 3] = 85
    for position in (12, 20, *(data.index(name) + len(name) + 4 for name in (b"SCALE", b"RATE"))):
        exchange(position)
    start = (struct.unpack_from("<H", data, 16)[0] - 1) * BLOCK
    for position in range(start, start + 16 * count, 4):
        exchange(position)
    return bytes(out)


def parameter_section(parameters: Sequence[Parameter]) -> bytes:
    """Return the blocks of the parameter section."""
    parts = [struct.pack("<bb", 5, -1) + b"POINT" + struct.pack("<h", 3) + b"\0"]
    for name, kind, dimensions, value in parameters:
        rest = struct.pack("<bB", kind, len(dimensions)) + bytes(dimensions) + value + b"\0"
        parts.append(struct.pack("<bb", len(name), 1) + name.encode() + struct.pack("<h", len(rest) + 2) + rest)
    body = b"".join(parts)
    blocks = -(-(len(body) + 6) // BLOCK)
    return (bytes([1, 0x50, blocks, 84]) + body).ljust(blocks * BLOCK, b"\0")
