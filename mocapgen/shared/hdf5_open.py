"""Open HDF5 files for reading, on file systems with and without locks, and tell a file that is being written from a damaged one.

HDF5 locks every file that it opens, and marks those that it opens for writing, from format 1.10 on, until they are closed.
"""

from __future__ import annotations

import os
from pathlib import Path

import h5py

from mocapgen.shared.locks import TAKEN

_VARIABLE = "HDF5_USE_FILE_LOCKING"
"""What HDF5 obeys in place of what programs ask for: TRUE, FALSE or BEST_EFFORT."""


class InUseError(Exception):
    """The file is open for writing elsewhere, or HDF5 wants a lock that it cannot have; the message says what was expected, found, and what to do."""


def open_reading(path: Path) -> h5py.File:
    """Open a file: with a lock against writers, or, where the file system has none, without.

    Raises
    ------
    InUseError
        If another program has it open for writing, or had when it was killed.
    OSError
        If it is no HDF5 file, a damaged one, or may not be read.
    """
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if not _lacks_locks(error) and "locking flag" not in str(error):  # the latter: it is open already, in this process and without a lock
            raise _meaning(error) from None
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        raise _meaning(error) from None


def _lacks_locks(error: OSError) -> bool:
    return "unable to lock file" in str(error) and error.errno not in TAKEN


def _meaning(error: OSError) -> Exception:
    """Return what an error of HDF5 says of a file that may be whole; the error itself if it says no such thing."""
    if _lacks_locks(error):
        setting = f"{_VARIABLE}={os.environ.get(_VARIABLE, '')}"
        return InUseError(f"expected locks, as {setting} asks for, found a file system without; unset it, or set it to FALSE")
    if "unable to lock file" in str(error):
        return InUseError("expected a file that nobody writes, found one that another program has open for writing; wait until it is finished")
    if "already open for" in str(error):
        return InUseError(
            "expected a file that nobody writes, found one marked as open for writing; wait until it is finished; "
            "if its program was killed, make the file again, or try what `h5clear --status` leaves of it"
        )
    return error
