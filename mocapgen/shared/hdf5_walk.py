"""Look through all of an HDF5 file: what may not be there, sizes that cannot be true, and every piece of metadata once.

HDF5 believes what a file says of itself; on a damaged one it may crash, run for ever or fill the memory. So this runs in a process
of its own (:mod:`mocapgen.shared.hdf5_probe`), and touches all that a reader will touch: groups, links, attributes, types, chunk
indexes, texts, and the first and last chunk of what is large. What is sound here is sound there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mocapgen.shared.hdf5_open import open_reading
from mocapgen.shared.text import format_size

MOST_UNWRITTEN = 2**20
"""Bytes of an array that may lack in the file: nobody has written them, and they read as zeros."""
WHOLE = 2**20
"""Bytes up to which an array is read whole."""
MOST_ROW = 2**16
"""Bytes of a frame in one array: 4,096 joints with a quaternion each."""
FRAMES = "/frames/"
"""Where the arrays are that readers take in blocks: they may be as large as gzip can unpack; others may be :func:`most_unpacked`."""
_GZIP_RATIO = 1040
_SMALL_CHUNK = 2**18
"""Stored bytes of a chunk that unpack to 270 MB at most."""
_FILTERS = {
    h5py.h5z.FILTER_DEFLATE: "gzip",
    h5py.h5z.FILTER_SHUFFLE: "shuffle",
    h5py.h5z.FILTER_FLETCHER32: "fletcher32",
    h5py.h5z.FILTER_LZF: "lzf",
}
_PACKING = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_LZF)

UNREADABLE = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, AttributeError)
"""What h5py raises for what HDF5, or NumPy, cannot read."""


def most_unpacked(size: int) -> int:
    """Return how many bytes may come at once out of a file of so many: 67 MB, or 32 times as many."""
    return max(2**26, 32 * size)


class RefusedError(Exception):
    """The file holds what no reader may follow or believe."""


def walk(path: Path, alive: Callable[[], object] = lambda: None) -> str:
    """Look through a file.

    Parameters
    ----------
    path : Path
    alive : callable
        Called before every object that is new.

    Returns
    -------
    str
        The first place that HDF5 could not read, and why; empty if there is none.

    Raises
    ------
    RefusedError
        If data lies outside the file, a filter is none of HDF5's common ones, a size cannot be true, or the way to all objects is not found.
    InUseError
        If another program writes the file.
    """
    walker = _Walker(path.stat().st_size, alive)
    try:
        file = open_reading(path)
    except OSError as error:
        walker.note("", error)
        return ""  # no HDF5 file: who opens it says so
    try:
        walker.walk(file)
    except UNREADABLE as error:  # nobody knows what else there is
        raise RefusedError(f"expected a sound HDF5 file, found a damaged one ({error})") from None
    return walker.damage


class _Walker:
    def __init__(self, size: int, alive: Callable[[], object]) -> None:
        self.size = size
        self.alive = alive
        self.stored = 0
        self.damage = ""

    def walk(self, file: h5py.File) -> None:
        """Visit every object once, however many links lead to it."""
        waiting: list[tuple[str, Any]] = [("", file["/"])]
        seen: set[tuple[int, int]] = set()
        while waiting:
            where, node = waiting.pop()
            info = h5py.h5o.get_info(node.id)
            if (info.fileno, info.addr) in seen:
                continue
            seen.add((info.fileno, info.addr))
            self.alive()
            self._attributes(where or "/", node)
            if isinstance(node, h5py.Group):
                waiting += self._members(where, node)
            elif isinstance(node, h5py.Dataset):
                self._dataset(where, node)

    def note(self, where: str, error: Exception) -> None:
        """Note what cannot be read; readers meet it again and say what it means to them."""
        if isinstance(error, MemoryError) or "alloc" in str(error):  # a reader, whose memory is not limited, would fill it
            raise RefusedError(f"{where}: expected what fits into memory, found more")
        if isinstance(error, TypeError | ValueError) and not isinstance(error, UnicodeError):
            raise RefusedError(f"{where}: expected a type of values that NumPy has, found {error}")
        if isinstance(error, OSError | RuntimeError | KeyError):
            self.damage = self.damage or f"{where}: {' '.join(str(error).split())}"

    def _members(self, where: str, group: h5py.Group) -> Iterator[tuple[str, Any]]:
        try:
            names = list(group)
        except UNREADABLE as error:
            self.note(where or "/", error)
            return
        for name in names:
            place = f"{where}/{name if isinstance(name, str) else name.decode('utf-8', 'backslashreplace')}"
            try:
                kind = group.id.links.get_info(name if isinstance(name, bytes) else name.encode()).type
                if kind not in (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT):
                    raise RefusedError(f"{place}: expected data in the file itself, found a link to another file")
                if kind == h5py.h5l.TYPE_HARD:  # what a soft link leads to has one of these too
                    yield place, group[name]
            except UNREADABLE as error:
                self.note(place, error)

    def _attributes(self, where: str, node: Any) -> None:
        try:
            for number in range(h5py.h5a.get_num_attrs(node.id)):
                attribute = h5py.h5a.open(node.id, index=number)
                if attribute.get_space().get_simple_extent_type() == h5py.h5s.NULL:
                    continue
                kind, shape = attribute.get_type(), attribute.shape
                size = math.prod(shape) * kind.get_size()
                if size > self.size:
                    raise RefusedError(f"{where}: expected attributes smaller than the file, found {format_size(size)} in one")
                attribute.read(np.empty(shape, dtype=kind.dtype), mtype=h5py.h5t.py_create(kind.dtype))  # texts and references as objects
        except (*UNREADABLE, MemoryError) as error:
            self.note(f"{where}: an attribute", error)

    def _dataset(self, where: str, dataset: h5py.Dataset) -> None:
        try:
            plist = dataset.id.get_create_plist()
            self._inside(where, plist)
            if dataset.shape is None:
                return
            item, large = dataset.id.get_type().get_size(), []
            size = math.prod(dataset.shape) * item
            self._believable(where, dataset, size, math.prod(dataset.shape[1:]) * item)
            if plist.get_layout() == h5py.h5d.CHUNKED:
                large = self._chunks(where, dataset, math.prod(plist.get_chunk()) * item)
            else:
                self._plain(where, dataset, size)
            whole = size <= WHOLE or dataset.dtype.hasobject or not dataset.shape
            self._read(where, dataset, [()] if whole else [(0,), (dataset.shape[0] - 1,), *large])
        except (*UNREADABLE, MemoryError) as error:
            self.note(where, error)

    def _read(self, where: str, dataset: h5py.Dataset, places: list[tuple[int, ...]]) -> None:
        try:
            for place in places:
                dataset[place]
        except OSError as error:  # of frames, readers say in which sequence
            if "alloc" in str(error) or not where.startswith(FRAMES):
                raise

    def _inside(self, where: str, plist: Any) -> None:
        if plist.get_layout() == h5py.h5d.VIRTUAL or plist.get_external_count():
            raise RefusedError(f"{where}: expected data in the file itself, found data in other files")
        filters = [plist.get_filter(number)[0] for number in range(plist.get_nfilters())]
        if len(set(filters)) < len(filters) or set(filters) - set(_FILTERS):
            raise RefusedError(f"{where}: expected filters among {', '.join(_FILTERS.values())}, found number {', '.join(map(str, filters))}")

    def _believable(self, where: str, dataset: h5py.Dataset, size: int, row: int) -> None:
        """Check that an array fits into memory, or, of frames, a few thousand rows do."""
        frames = where.startswith(FRAMES)
        if (row > MOST_ROW) if frames else (size > most_unpacked(self.size)):
            most = f"{format_size(MOST_ROW)} for each frame" if frames else format_size(most_unpacked(self.size))
            raise RefusedError(f"{where}: expected at most {most}, found {format_size(row if frames else size)}: the shape is {_shape(dataset)}")

    def _plain(self, where: str, dataset: h5py.Dataset, size: int) -> None:
        stored = dataset.id.get_storage_size()
        self._add(where, stored)
        if size > stored + MOST_UNWRITTEN:
            raise RefusedError(f"{where}: expected {format_size(size)} for the shape {_shape(dataset)}, found {format_size(stored)} in the file")

    def _chunks(self, where: str, dataset: h5py.Dataset, chunk: int) -> list[tuple[int, ...]]:
        """Check the chunks that are stored; return where those lie that might unpack to more than they should."""
        if chunk > most_unpacked(self.size):
            raise RefusedError(f"{where}: expected chunks of at most {format_size(most_unpacked(self.size))}, found {format_size(chunk)}")
        plist = dataset.id.get_create_plist()
        filters = [plist.get_filter(number)[0] for number in range(plist.get_nfilters())]
        packing = sum(1 << number for number, code in enumerate(filters) if code in _PACKING)
        whole = 2 * chunk if dataset.dtype.hasobject else chunk  # a text of any length takes 8 bytes in memory, 16 in the file
        large, wrong = [], []
        count = stored = 0

        def check(found: Any) -> bool | None:
            nonlocal count, stored
            count, stored = count + 1, stored + found.size
            packed = packing & ~found.filter_mask
            least, most = (chunk // _GZIP_RATIO, whole + whole // 64 + 64) if packed else (chunk, whole + 4)  # fletcher32 adds 4
            if not least <= found.size <= most or found.byte_offset + found.size > self.size:
                wrong.append(found.size)
                return True  # no more of them
            if packed and found.size > _SMALL_CHUNK:
                large.append(found.chunk_offset)
            return None

        dataset.id.chunk_iter(check)
        if wrong:
            raise RefusedError(f"{where}: expected chunks of {format_size(chunk)}, found one of {format_size(wrong[0])} in the file")
        self._add(where, stored)
        expected = math.prod(-(-size // length) for size, length in zip(dataset.shape, dataset.chunks, strict=True))
        if (expected - count) * chunk > MOST_UNWRITTEN:
            raise RefusedError(f"{where}: expected {expected:,} chunks for the shape {_shape(dataset)}, found {count:,}")
        return large

    def _add(self, where: str, stored: int) -> None:
        self.stored += stored
        if self.stored > self.size:
            raise RefusedError(f"{where}: expected data that lies in the file, found more than the {format_size(self.size)} that it has")


def _shape(dataset: h5py.Dataset) -> str:
    return str(dataset.shape)[:60]
