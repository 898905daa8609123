"""The arrays of ``/frames`` being written: rows are collected to whole chunks, packed by threads, and written in a fixed order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.hdf5 import create_frames
from mocapgen.shared.signals import interrupts_deferred
from mocapgen.store.chunks import pack_chunk
from schemas.dataset import CHUNK_FRAMES, LAYOUT

FRAMES = {array.path.rpartition("/")[2]: array for array in LAYOUT.table("/frames")}
"""Arrays of the frame block by name."""

_AT_ONCE = 16
"""Chunks of each array that follow each other in the file: an array can be read in pieces of a megabyte, and 6 MB wait in memory."""


class FrameBlock:
    """Writes the frame block of a file; :meth:`finish` writes what is left, :meth:`close` ends its threads.

    Parameters
    ----------
    file : h5py.File
    joints : int
        J, the joints of the arrays.
    threads : int
        How many pack chunks while the caller goes on; with 1, packing is done by the caller.
    """

    def __init__(self, file: h5py.File, joints: int, threads: int) -> None:
        self._arrays = {name: create_frames(file, array, joints) for name, array in FRAMES.items()}
        self._buffers: dict[str, list[NDArray[Any]]] = {name: [] for name in FRAMES}
        self._buffered = 0
        self._taken = 0
        self._packed: list[tuple[h5py.Dataset, int, Callable[[], bytes]]] = []
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __len__(self) -> int:
        return self._taken + self._buffered

    def append(self, frames: Mapping[str, NDArray[Any]]) -> None:
        """Append rows: one array per array of the block, all of the same length."""
        for name, buffer in self._buffers.items():
            buffer.append(frames[name])
        self._buffered += len(frames["in_view"])
        if self._buffered >= _AT_ONCE * CHUNK_FRAMES:
            with interrupts_deferred():  # in the middle of writing, HDF5 does not bear them
                self._take(self._buffered // CHUNK_FRAMES * CHUNK_FRAMES)

    def finish(self) -> None:
        """Write everything."""
        if self._buffered:
            self._take(self._buffered)
        self._write()

    def close(self) -> None:
        """Forget what has not been written, and end the threads."""
        self._packed.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _take(self, count: int) -> None:
        """Have so many buffered rows packed, and write those that were taken before."""
        self._write()
        for name, parts in self._buffers.items():
            block = np.concatenate(parts).astype(self._arrays[name].dtype, copy=False)
            self._buffers[name] = [block[count:].copy()]
            for start in range(0, count, CHUNK_FRAMES):
                pack = partial(pack_chunk, block[start : min(start + CHUNK_FRAMES, count)], CHUNK_FRAMES)
                packed = pack if self._pool is None else self._pool.submit(pack).result
                self._packed.append((self._arrays[name], self._taken + start, packed))
        self._taken += count
        self._buffered -= count
        if self._pool is None:
            self._write()

    def _write(self) -> None:
        """Write the chunks that are being packed, in their order."""
        for array in self._arrays.values():
            array.resize(self._taken, axis=0)
        for array, row, packed in self._packed:
            array.id.write_direct_chunk((row,) + (0,) * (array.ndim - 1), packed())
        self._packed.clear()
