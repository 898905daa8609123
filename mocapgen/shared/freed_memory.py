"""What a process does with memory that it frees."""

from __future__ import annotations

import contextlib
import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_LARGEST = 2**25  # the largest array, bytes, that every version of glibc takes from what is kept


def keep_freed_memory(most: int) -> None:
    """Let this process keep up to `most` bytes that it frees (glibc): else each large array is new memory, which the system clears first."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # other systems have no such function, nor the trouble
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, most)
        mallopt(_M_MMAP_THRESHOLD, _LARGEST)
