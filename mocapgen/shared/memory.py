"""How much memory this process may still use: that of the machine, and less in a container or a cluster's job."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_HIERARCHIES = (("memory.max", "memory.current", "inactive_file"), ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))
"""Files with limit and use of a control group, and the name of what is easily given back, in the second and the first version of Linux's."""


def available_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes of memory that are free or easily given back, None if the system does not say.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    found = [room for folder in _control_groups(root) for names in _HIERARCHIES if (room := _room(folder, *names)) is not None]
    found += [1024 * int(line.split()[1]) for line in _lines(root / "proc/meminfo") if line.startswith("MemAvailable:")]
    if sys.platform != "win32" and not found and "SC_PHYS_PAGES" in os.sysconf_names:
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found, default=None)


def _control_groups(root: Path) -> list[Path]:
    """Return the folders of the control groups that limit this process: its own, and those above it."""
    folders = []
    for line in _lines(root / "proc/self/cgroup"):
        _, kinds, place = line.split(":", 2)
        if kinds in ("", "memory"):
            top = root / "sys/fs/cgroup" / kinds
            own = top / place.lstrip("/")
            folders += [folder for folder in (own, *own.parents) if folder.is_relative_to(top)]
    return folders


def _room(folder: Path, limit: str, use: str, inactive: str) -> int | None:
    """Return what a control group has left, None if it has no limit."""
    most, used = (next(iter(_lines(folder / name)), "") for name in (limit, use))
    if not (most.isdigit() and used.isdigit()):
        return None
    given_back = (int(line.split()[1]) for line in _lines(folder / "memory.stat") if line.split()[:1] == [inactive])
    return max(int(most) - int(used) + next(given_back, 0), 0)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
