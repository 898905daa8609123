"""Look through an HDF5 file in a child process before this one opens it: on a damaged file HDF5 may crash, run for ever or fill the memory.

On Linux the child is a fork, which costs a few milliseconds and has all modules loaded; elsewhere, where forks of programs with
threads or frameworks are not safe, it is a new Python.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mocapgen.shared.signals import ENDING
from mocapgen.shared.text import one_line
from schemas.errors import DatasetError

_MEMORY = 2**28
"""Bytes, beyond four times the file, that looking through a file may take."""
_SECONDS, _BYTES_PER_SECOND = 1.2, 50_000_000
"""Processor time, and file in so much more of it, that one object may take; of a sound file they take a thousandth of it."""
_SECONDS_IN_ALL, _BYTES_PER_SECOND_IN_ALL = 2, 500_000
"""The same for all objects; the smallest take 3 MB of the file in a second."""
_PATIENCE = 20
"""How much longer it may take by the clock: other programs, and disks, are slow too."""

_FAILED = 1
"""How Python ends after an error of its own."""
_TOO_LONG = (None, getattr(signal, "SIGPROF", None), getattr(signal, "SIGXCPU", None))
_REFUSED, _DAMAGED, _SOUND = b"R", b"D", b"S"
_probed: dict[tuple[int, ...], str] = {}


@dataclass(frozen=True)
class _Limits:
    """What looking through a file may take: processor time for an object and in all, seconds; memory, bytes."""

    object: float
    total: float
    memory: int

    @classmethod
    def of(cls, size: int) -> _Limits:
        return cls(_SECONDS + size / _BYTES_PER_SECOND, _SECONDS_IN_ALL + size / _BYTES_PER_SECOND_IN_ALL, _MEMORY + 4 * size)


def probe(path: Path) -> str:
    """Look through an HDF5 file that anybody may have made; one that has not changed since the last time is not looked through again.

    Parameters
    ----------
    path : Path
        A regular file.

    Returns
    -------
    str
        The first place that cannot be read, and why; empty if there is none.

    Raises
    ------
    DatasetError
        If HDF5 crashes, hangs or fills the memory, parts lie in other files, a size cannot be true, or another program writes the file.
    """
    status = path.stat()
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if key not in _probed:
        run = _in_fork if sys.platform == "linux" else _in_new_process
        _probed[key] = _meaning(path, *run(path, _Limits.of(status.st_size)))
    return _probed[key]


def _meaning(path: Path, answer: bytes, ending: int | None) -> str:
    """Return what the child found; `ending` is the signal that ended it, None if it did not come to an end in time."""
    kind, text = answer[:1], answer[1:].decode("utf-8", "replace")
    if kind == _REFUSED:
        raise DatasetError(one_line(f"{path}", text))
    if kind in (_DAMAGED, _SOUND):
        return text
    reason = "never gets to the end of" if ending in _TOO_LONG else f"crashes on ({_cause(ending)})" if ending else "cannot be opened with"
    raise DatasetError(one_line(f"{path}", f"expected a sound HDF5 file, found a damaged one that HDF5 {reason}; take a copy, or make it again"))


def _cause(ending: int) -> str:
    return f"signal {ending}" if ending < 128 else f"exit code {ending:#x}"  # Windows has no signals


def look(path: Path, alive: Callable[[], object] = lambda: None) -> bytes:
    """Return what a child tells its parent."""
    from mocapgen.shared.hdf5_open import InUseError
    from mocapgen.shared.hdf5_walk import RefusedError, walk

    try:
        damage = walk(path, alive)
    except (RefusedError, InUseError) as error:
        return _REFUSED + str(error).encode("utf-8", "backslashreplace")
    except MemoryError:
        return _REFUSED + b"expected an HDF5 file that fits into memory, found a larger one, or sizes that are not true"
    return (_DAMAGED if damage else _SOUND) + damage.encode("utf-8", "backslashreplace")


def _in_fork(path: Path, limits: _Limits) -> tuple[bytes, int | None]:
    if sys.platform != "linux":
        raise NotImplementedError
    import mocapgen.shared.hdf5_walk  # noqa: F401 (before the fork, so that it is loaded once)

    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python warns of forks beside threads, for whose locks nobody is left in the child: it takes none but h5py's, which h5py sees to.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            _limit(limits)
            os.write(writing, look(path, lambda: signal.setitimer(signal.ITIMER_PROF, limits.object))[:2000])
        finally:  # whatever happens: nothing of the parent's may go on here
            os._exit(0)
    os.close(writing)
    status = None
    try:
        answer = _await(reading, _PATIENCE * limits.total)
        if answer is not None:
            _, status = os.waitpid(child, 0)
    finally:
        os.close(reading)
        if status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return answer or b"", None if status is None else os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def _await(pipe: int, seconds: float) -> bytes | None:
    """Return all that comes through a pipe until it is closed; None if nothing happens for so long."""
    if sys.platform != "linux":
        raise NotImplementedError
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN | select.POLLHUP)
    return os.read(pipe, 4096) if waiting.poll(1000.0 * seconds) else None


def _limit(limits: _Limits) -> None:
    """Prepare a child: it is quiet, ends at every signal, and has limits."""
    if sys.platform != "linux":
        raise NotImplementedError
    import faulthandler
    import gc
    import resource

    gc.disable()  # nothing of the parent's is finalized here
    faulthandler.disable()
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):  # a handler of the parent's
            signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGPROF, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)
    for number in ENDING:  # Ctrl-C goes to both; the parent ends this process in any case
        signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)  # the C library tells of corrupted memory
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    for kind, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_CPU, math.ceil(limits.total)), (resource.RLIMIT_AS, used + limits.memory)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    signal.setitimer(signal.ITIMER_PROF, limits.object)


def _in_new_process(path: Path, limits: _Limits) -> tuple[bytes, int | None]:
    # By itself, Python would import from the folder that it is started in, where anybody's files may lie.
    modules = f"import sys; sys.path[:] = {sys.path!r}; import pathlib; from {__name__} import look"
    program = f"{modules}; sys.stdout.buffer.write(look(pathlib.Path(sys.argv[1])))"
    command = [sys.executable, "-c", program, str(path)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE * limits.total, check=False)
    except subprocess.TimeoutExpired:
        return b"", None
    return done.stdout, 0 if done.returncode == _FAILED else abs(done.returncode)
