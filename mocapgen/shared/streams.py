"""Standard output and error that may be closed, or whose reader may go away: what is written then is lost, and nothing else."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any, TextIO


def outlive_readers() -> None:
    """Let the work of this program be done whatever becomes of its standard output and error."""
    for handle in range(3):
        try:
            os.fstat(handle)
        except OSError:  # closed: the next file that is opened would take its place, and what libraries print would go into it
            os.open(os.devnull, os.O_RDWR)
    sys.stdout, sys.stderr = _outliving(sys.stdout, 1), _outliving(sys.stderr, 2)


def _outliving(stream: TextIO | None, handle: int) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper) or not _leads_to(stream, handle):  # a test or another program catches what is written
        return stream
    if not isinstance(getattr(stream.buffer, "raw", stream.buffer), io.FileIO):  # Windows' console takes characters, and no bytes
        stream.reconfigure(errors="backslashreplace")
        return stream
    stream.flush()
    outlet: Any = io.BufferedWriter(_Outlet(handle))  # what is not buffered may be written in part
    # A name or a sign that the stream's encoding does not have is no reason to fail.
    return io.TextIOWrapper(outlet, stream.encoding, "backslashreplace", line_buffering=stream.line_buffering or stream.write_through)


def _leads_to(stream: TextIO, handle: int) -> bool:
    try:
        return stream.fileno() == handle
    except (OSError, ValueError):
        return False


class _Outlet(io.RawIOBase):
    """A standard stream. When its reader is gone, or nothing more fits, the rest goes nowhere.

    Parameters
    ----------
    handle : int
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def fileno(self) -> int:
        return self._handle

    def isatty(self) -> bool:
        return os.isatty(self._handle)

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        try:
            return os.write(self._handle, data)
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._handle)
            os.close(nowhere)
            if isinstance(error, BrokenPipeError) or self._handle == 2:
                return len(memoryview(data).cast("B"))
            raise OSError(error.errno, error.strerror, "standard output") from None
