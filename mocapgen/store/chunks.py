"""Chunks of ``/frames`` as HDF5 stores them, made without HDF5: so that several can be made at once, and by a faster deflate.

HDF5 would send a chunk through the same filters (:data:`~mocapgen.shared.hdf5.FRAME_FILTERS`) on one core, since it does one thing at
a time. What comes out here is read by every HDF5 library, checksum included.
"""

from __future__ import annotations

from typing import Any

import deflate
import numpy as np
from numpy.typing import NDArray

LEVEL = 1
"""Of libdeflate: twice as fast as zlib's level 1 on frames, and the file is no larger (docs/file-format.md)."""

_SAMPLE = 4096  # bytes
_FREQUENT = 64  # times in a sample; of noise, a byte comes 16 times in it, and hardly one 40 times
_LONGEST = 65535  # bytes that deflate stores in one block


def pack_chunk(rows: NDArray[Any], chunk_rows: int) -> bytes:
    """Return a chunk as it is in the file: shuffled, deflated, with its checksum.

    Parameters
    ----------
    rows : (T, ...) array
        Little-endian; T at most `chunk_rows`. What is missing of a chunk is zero, HDF5's fill value.
    chunk_rows : int
    """
    missing = chunk_rows - len(rows)
    if missing:
        rows = np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), rows.dtype)])
    packed = _deflated(_shuffled(rows))
    return packed + fletcher32(packed).to_bytes(4, "little")


def _shuffled(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the first bytes of all values, then their second bytes, and so on: (bytes of a value, values)."""
    by_value = np.ascontiguousarray(values).view(np.uint8).reshape(-1, values.dtype.itemsize)
    return np.ascontiguousarray(by_value.T)


def _deflated(planes: NDArray[np.uint8]) -> bytes:
    """Return shuffled values as a zlib stream.

    The lowest bytes of coordinates are noise: deflate would spend most of its time on them and save nothing. They are stored as they are.
    """
    noisy = next((number for number, plane in enumerate(planes) if not _is_noise(plane)), len(planes))
    noise = planes[:noisy].tobytes()
    parts: list[bytes | bytearray] = [b"\x78\x01"]
    for start in range(0, len(noise), _LONGEST):
        part = noise[start : start + _LONGEST]
        parts += [b"\0", len(part).to_bytes(2, "little"), (len(part) ^ 0xFFFF).to_bytes(2, "little"), part]
    parts += [deflate.deflate_compress(planes[noisy:], LEVEL), deflate.adler32(planes).to_bytes(4, "big")]
    return b"".join(parts)


def _is_noise(plane: NDArray[np.uint8]) -> bool:
    """Tell whether no byte is frequent in a plane's beginning."""
    return len(plane) >= _SAMPLE and int(np.bincount(plane[:_SAMPLE]).max()) < _FREQUENT


def fletcher32(data: bytes) -> int:
    """Return HDF5's checksum: of the data as 16-bit numbers, their sum and the sum of all their running sums, both modulo 65,535.

    HDF5 reads the numbers big-endian. Read little-endian they are 256 times as large (modulo 65,535: a rotation by 8 bits), and so are both sums.
    """
    numbers = np.frombuffer(data + b"\0" * (len(data) % 2), "<u2")
    running = numbers.cumsum(dtype=np.uint64)  # below 2**63 up to a gigabyte
    first, second = (_folded(256 * _folded(int(total))) for total in (running[-1], running.sum()))
    return second << 16 | first


def _folded(total: int) -> int:
    """Return a sum modulo 65,535 as additions with end-around carry leave it: 65,535 instead of 0, unless all was 0."""
    return (total - 1) % 65535 + 1 if total else 0
