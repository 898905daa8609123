"""A file object for HDF5 that hides write errors from it: a full disk becomes one DatasetError instead of a crash in HDF5.

When the disk is full, HDF5 reports every pending write again at every later call, cannot close its file, and may crash
when the process ends. So it writes through this object, which remembers the first error and keeps what could not be
written in memory, just long enough for HDF5 to close in good order. The writer asks for the error after each step.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

# ruff: noqa: D102 (the methods are those of io.RawIOBase)


class DiskFile(io.RawIOBase):
    """A file opened for reading and writing, locked while it is open.

    Parameters
    ----------
    path : Path
        An existing file.
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR)
        _lock(self._handle)
        self._position = 0
        self._size = os.fstat(self._handle).st_size
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
        found = b"" if self._handle < 0 else os.pread(self._handle, count, begin)
        view[:count] = found.ljust(count, b"\0")
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
                done += os.pwrite(self._handle, view[done:], self._position + done)
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
                os.ftruncate(self._handle, self._size)
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
        os.fsync(self._handle)

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        super().close()


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows locks open files by itself
        return
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def remove_stale(path: Path) -> None:
    """Remove a file that is not open as a :class:`DiskFile`; otherwise leave it alone."""
    try:
        DiskFile(path).close()
        path.unlink()
    except OSError:
        return
