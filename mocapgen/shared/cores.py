"""How many cores this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Of the container that this process is in, on Linux with cgroup v2: microseconds of computing, and in how many microseconds, or ``max``."""


def usable_cores(quota: Path = _QUOTA) -> int:
    """Return the number of cores that this process may use, at least 1: those it is bound to, and no more than its container's share of time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        time, period = quota.read_text(encoding="ascii").split()
        return max(1, min(cores, math.ceil(int(time) / int(period))))
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or no limit
        return cores


def sleep_while_waiting() -> None:
    """Let threads of PyTorch sleep soon while they wait for one that another program keeps from a core: by default they spin for milliseconds.

    To be called before PyTorch is imported.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
