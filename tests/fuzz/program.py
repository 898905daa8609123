"""The programs as functions: a command line in this process or in a fork of it, with limits, and what it took."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 30.0
"""Seconds by the clock until a program is ended: much more than it may take of the processor, since other work may run meanwhile."""
_ROOM = 3 * 10**9
"""Bytes of addresses beyond the start of the program, so that one that believes a size does not stop the machine."""
_BROKEN = 99
"""Status of a program that ends in an exception."""


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Parameters
    ----------
    status : int
        Of its exit; of a signal, the negative number.
    seconds : float
        Of the processor.
    peak : int
        Bytes of memory beyond the start.
    hung : bool
        Whether it had to be ended.
    """

    status: int
    seconds: float
    peak: int
    hung: bool = False


def run_alone(arguments: list[str], folder: Path) -> Ended:
    """Run a program in a folder, in a process of its own."""
    begin = resident()
    child = os.fork()
    if child == 0:
        status = _BROKEN
        try:
            limit_memory()
            status = perform(arguments, folder)
        finally:
            os._exit(status)
    handle = os.pidfd_open(child)
    try:
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        hung = not waiting.poll(PATIENCE * 1000)
        if hung:
            os.kill(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
    finally:
        os.close(handle)
    return Ended(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, max(usage.ru_maxrss * 1024 - begin, 0), hung)


def run_here(arguments: list[str], folder: Path, begin: int) -> Ended:
    """Run a program in this process; `begin` is the memory it had before the first one."""
    before = _seconds()
    status = perform(arguments, folder)
    return Ended(status, _seconds() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - begin)


def perform(arguments: list[str], folder: Path) -> int:
    """Be a program in a folder, and return its exit status; what it prints is written beside the folder."""
    from mocapgen.cli.main import main as mocapgen
    from tests.fuzz.library import main as library
    from trainer.cli.main import main as trainer

    os.chdir(folder)
    for name, number in (("stdout", 1), ("stderr", 2)):
        file = os.open(folder.parent / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    temporary = folder.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    sys.argv = arguments
    resource.setrlimit(resource.RLIMIT_CPU, (int(_seconds()) + 10, resource.RLIM_INFINITY))
    try:
        with warnings.catch_warnings():  # a warning that an earlier program in this process has shown is shown again
            {"mocapgen": mocapgen, "trainer": trainer, "library": library}[arguments[0]](arguments[1:])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}")
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
    return _BROKEN


def limit_memory() -> None:
    """Let this process have no more than some gigabytes beyond what it has."""
    resource.setrlimit(resource.RLIMIT_AS, (_pages(0) + _ROOM, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def resident() -> int:
    """Return bytes of memory of this process."""
    return _pages(1)


def _pages(column: int) -> int:
    return int(Path("/proc/self/statm").read_text().split()[column]) * resource.getpagesize()


def _seconds() -> float:
    """Return seconds of the processor that this process and those it has waited for have had."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
