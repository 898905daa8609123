"""A file object for HDF5 that hides write errors from it: a full disk becomes one DatasetError instead of a crash in HDF5.

When the disk is full, HDF5 reports every pending write again at every later call, cannot close its file, and may crash
when the process ends. So it writes through this object, which remembers the first error and keeps what could not be
written in memory, just long enough for HDF5 to close in good order. The writer asks for the error after each step.
"""

from __future__ import annotations

import io
import os
from io import FileIO
from pathlib import Path

from mocapgen.shared.locks import lock

# ruff: noqa: D102 (the methods are those of io.RawIOBase)


class DiskFile(io.RawIOBase):
    """A file opened for reading and writing, locked while it is open if the file system has locks.

    Parameters
    ----------
    path : Path
        An existing file.

    Raises
    ------
    BlockingIOError
        If another process has locked it.
    """

    def __init__(self, path: Path) -> None:
        self._file = FileIO(path, "r+")
        try:
            self.locked = lock(self._file.fileno())
            """Whether it is locked."""
            self._size = os.fstat(self._file.fileno()).st_size
        except BaseException:
            self._file.close()
            raise
        self._position = 0
        self._lost: list[tuple[int, bytes]] = []
        self.error: OSError | None = None
        """The first error the disk reported."""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer).cast("B")
        begin = self._position
        count = min(len(view), max(self._size - begin, 0))
        found = 0
        if not self._file.closed:
            self._file.seek(begin)
            found = self._file.readinto(view[:count])
        view[found:count] = bytes(count - found)
        for start, data in self._lost:
            low, high = max(start, begin), min(start + len(data), begin + count)
            if low < high:
                view[low - begin : high - begin] = data[low - start : high - start]
        self._position += count
        return count

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view) and self.error is None:
            try:
                self._file.seek(self._position + done)
                done += self._file.write(view[done:])
            except OSError as error:
                self.error = error
        if done < len(view):
            self._lost.append((self._position + done, bytes(view[done:])))
        self._position += len(view)
        if len(view):  # writing nothing beyond the end does not grow a file
            self._size = max(self._size, self._position)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        self._size = self._position if size is None else size
        if self.error is None:
            try:
                self._file.truncate(self._size)
            except OSError as error:
                self.error = error
        return self._size

    def check(self) -> None:
        """Raise the first error the disk reported, if any."""
        if self.error is not None:
            raise self.error

    def sync(self) -> None:
        """Wait until everything is on the disk."""
        self.check()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()
        super().close()


def remove_stale(path: Path) -> None:
    """Remove a file that a program left behind when it was killed; leave it alone while one writes it as a :class:`DiskFile`, or may do so."""
    try:
        if path.stat().st_size == 0:  # one that is new, and locked in a moment
            return
        with DiskFile(path) as file:
            nobody = file.locked
        if nobody or os.name == "nt":  # Windows itself keeps files that are open
            path.unlink()
    except OSError:
        return
