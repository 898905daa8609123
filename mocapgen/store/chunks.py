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
"""Of libdeflate: more than twice as fast as zlib's level 1 on frames, and the file is no larger (docs/file-format.md)."""


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
    packed = deflate.zlib_compress(_shuffled(rows), LEVEL)
    return bytes(packed) + fletcher32(packed).to_bytes(4, "little")


def _shuffled(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the first bytes of all values, then their second bytes, and so on."""
    by_value = np.ascontiguousarray(values).view(np.uint8).reshape(-1, values.dtype.itemsize)
    return np.ascontiguousarray(by_value.T)


def fletcher32(data: bytes | bytearray) -> int:
    """Return HDF5's checksum: of the data as 16-bit numbers, their sum and the sum of all their running sums, both modulo 65,535.

    HDF5 reads the numbers big-endian. Read little-endian they are 256 times as large (modulo 65,535: a rotation by 8 bits), and so are both sums.
    """
    numbers = np.frombuffer(bytes(data) + b"\0" * (len(data) % 2), "<u2")
    running = numbers.cumsum(dtype=np.uint64)  # below 2**63 up to a gigabyte
    first, second = (_folded(256 * _folded(int(total))) for total in (running[-1], running.sum()))
    return second << 16 | first


def _folded(total: int) -> int:
    """Return a sum modulo 65,535 as additions with end-around carry leave it: 65,535 instead of 0, unless all was 0."""
    return (total - 1) % 65535 + 1 if total else 0
