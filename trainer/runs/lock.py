"""One process for each run: whoever trains in a folder locks a file in it, which the system unlocks when the process ends, however it does."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mocapgen.shared.text import one_line
from schemas.errors import ConfigError, DatasetError

LOCK = ".lock"
"""The file that is locked; it is empty, and stays."""
_TAKEN = {errno.EWOULDBLOCK, errno.EACCES}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from training in a folder within the block; of several processes of one run only the first does it.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Raises
    ------
    ConfigError
        If another process trains in it.
    DatasetError
        If it cannot be written to.
    """
    if int(os.environ.get("RANK", 0)) > 0:
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(one_line(str(folder), f"expected a folder that can be written to, found: {reason}; choose another out=...")) from None
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows has no such locks
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            advice = "wait until it has ended, or choose another out=..."
            raise ConfigError(one_line(str(folder), f"expected a folder that nobody trains in, found another process that does; {advice}")) from None
        # Some file systems have no locks; training goes on without.
