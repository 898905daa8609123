"""Locks of open files, which the system takes back when a process ends, however it does; not every file system has them."""

from __future__ import annotations

import errno
import sys

TAKEN = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES})
"""Errors that say that another process holds the lock. All others say that there are none: of a network without its service for them, say."""


def lock(handle: int) -> bool:
    """Lock an open file for this process alone until it is closed.

    Parameters
    ----------
    handle : int
        Of a file that is open for writing, as network file systems want it.

    Returns
    -------
    bool
        False if the system (Windows) or the file system has no such locks.

    Raises
    ------
    BlockingIOError
        If another process has locked it.
    """
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in TAKEN:
            raise BlockingIOError(error.errno, error.strerror) from None
        return False
    return True
