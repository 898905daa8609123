"""Read rows of the frame block: in large pieces where they are asked for one after the other, as most commands do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.text import format_size, one_line
from schemas.errors import DatasetError

MOST_AT_ONCE = 2**28
"""Bytes that are read at once of any file; of larger files than 8 MB, 32 times as many as they have."""

AHEAD = 2**21
"""Bytes of an array that are read at once: a few thousand frames, hence dozens of short sequences."""

_LARGE = 8  # what is more than this part of it is read by itself: its successor would not fit into what was read ahead, which were read twice


@dataclass(frozen=True, eq=False)
class _Block:
    """Rows of an array, and where they are."""

    first: int
    values: NDArray[Any]

    @property
    def stop(self) -> int:
        return self.first + len(self.values)


class FrameReader:
    """Reads arrays of ``/frames`` of an open file.

    Each array stays open, so that HDF5 keeps the chunks that the next rows share; and what follows is read with rows that follow those that
    were asked for before.

    Parameters
    ----------
    file : h5py.File
    """

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self._arrays: dict[str, h5py.Dataset] = {}
        self._blocks: dict[str, _Block] = {}

    def read(self, name: str, start: int, length: int, sequence: int) -> NDArray[Any]:
        """Return rows of an array, which the caller may change.

        Parameters
        ----------
        name : str
            Such as ``positions_3d``.
        start, length : int
            Rows.
        sequence : int
            Which sequence they are, for errors.

        Raises
        ------
        KeyError
            If there is no such array.
        DatasetError
            If the rows are damaged, or too many for the size of the file.
        """
        array = self._array(name)
        block = self._blocks.get(name)
        if block is None or not block.first <= start <= start + length <= block.stop:
            block = self._next(array, name, start, length, block)
        if block is None:
            return self._exactly(array, name, start, length, sequence)
        return block.values[start - block.first : start - block.first + length].copy()

    def _array(self, name: str) -> h5py.Dataset:
        if name not in self._arrays:
            if name not in self._file["/frames"]:
                raise KeyError(f"no array {name!r}; there are {', '.join(self._file['/frames'])}")
            self._arrays[name] = self._file[f"/frames/{name}"]
        return self._arrays[name]

    def _next(self, array: h5py.Dataset, name: str, start: int, length: int, last: _Block | None) -> _Block | None:
        """Read rows and what follows them, if they follow what was read before; None if they do not, are too many, or cannot be read."""
        ahead = AHEAD // max(_row_bytes(array), 1)
        self._blocks[name] = _Block(start + length, np.empty(0))  # rows that follow these are the next ones
        if last is None or not last.first <= start <= last.stop or length > ahead // _LARGE:
            return None
        try:
            block = _Block(start, np.asarray(array[start : start + ahead]))
        except OSError:  # some of it is damaged: not what was asked for, perhaps
            return None
        self._blocks[name] = block
        return block

    def _exactly(self, array: h5py.Dataset, name: str, start: int, length: int, sequence: int) -> NDArray[Any]:
        require_room(self._file, f"/frames/{name}", length * _row_bytes(array))
        try:
            return np.asarray(array[start : start + length])
        except OSError as error:
            found = " ".join(str(error).split())[:120]
            problem = f"/frames/{name}: expected sound frames in sequence {sequence}, found {found}"
            raise DatasetError(one_line(self._file.filename, problem)) from None


def _row_bytes(array: h5py.Dataset) -> int:
    return int(math.prod(array.shape[1:]) * array.dtype.itemsize)


def require_room(file: h5py.File, path: str, size: int) -> None:
    """Check that an array, or a part of it, may be read at once: what gzip has packed a thousand times smaller would fill the memory.

    Raises
    ------
    DatasetError
        If so many bytes are more than a file of its size may hold.
    """
    most = max(MOST_AT_ONCE, 32 * Path(file.filename).stat().st_size)
    if size > most:
        raise DatasetError(one_line(file.filename, f"{path}: expected at most {format_size(most)} at once, found {format_size(size)}"))
