"""One process for each run: whoever trains in a folder locks a file in it, which the system unlocks when the process ends, however it does.

Where there are no such locks (Windows, some network file systems), a file says who trains, until its process ends in good order.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import SoftFileLock, Timeout

from mocapgen.shared.locks import lock
from mocapgen.shared.text import one_line
from schemas.errors import ConfigError, DatasetError

LOCK = ".lock"
"""The file that is locked; it is empty, and stays."""
MARK = ".training"
"""The file that is there while somebody trains, in place of a lock; it names process and machine."""


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
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)
            held.callback(os.close, handle)
            if not lock(handle):
                held.enter_context(_marked(folder))
        except BlockingIOError:
            raise _taken(folder, "wait until it has ended") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DatasetError(one_line(str(folder), f"expected a folder that can be written to, found: {reason}; choose another out=...")) from None
        yield


@contextmanager
def _marked(folder: Path) -> Iterator[None]:
    mark = SoftFileLock(folder / MARK, timeout=0)
    try:
        mark.acquire()
    except Timeout:
        raise _taken(folder, f"wait until it has ended; if it was killed, delete the file {MARK}") from None
    try:
        yield
    finally:
        mark.release()


def _taken(folder: Path, advice: str) -> ConfigError:
    found = "expected a folder that nobody trains in, found another process that does"
    return ConfigError(one_line(str(folder), f"{found}; {advice}, or choose another out=..."))
