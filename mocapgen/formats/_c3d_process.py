"""ezc3d in a process of its own: a file that crashes it, or makes it ask for all memory, ends that process and nothing else.

This file is both sides. Imported, it offers :func:`read_points`. Run as a script, it is the helper: one JSON line in, one JSON line
and the arrays out, until its input ends. One helper serves a whole process; it is started at the first file and
again after a crash.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from multiprocessing import util
from pathlib import Path
from typing import IO, Any

import numpy as np

_MEMORY = (1 << 30, 64)
"""Bytes of address space: so many, and so many for each byte of the file (ezc3d needs about 30)."""
_SECONDS = (20.0, 2e-6)
"""Time for one file, likewise (ezc3d reads 30 MB/s where nothing else runs)."""


class ReaderFailed(Exception):
    """The file could not be read: ezc3d said why, or died."""


@dataclass(frozen=True)
class Points:
    """What ezc3d makes of a file."""

    points: np.ndarray
    """(T, M, 3) float32, file units and axes; NaN where the residual is negative."""
    residuals: np.ndarray
    """(T, M) float32."""
    parameters: dict[str, list[Any]]
    """Of the group POINT, by GROUP:NAME; without descriptions."""


class _Helper:
    """A running helper process, from the side of its user."""

    def __init__(self) -> None:
        environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        command = [sys.executable, "-P", str(Path(__file__).resolve())]
        self.owner = os.getpid()
        self.folder = tempfile.mkdtemp(prefix="mocapgen-")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
        # Unlike atexit, this also runs in multiprocessing's children.
        self._at_exit = util.Finalize(self, _end, args=(self.process, self.owner, self.folder), exitpriority=0)

    def usable(self) -> bool:
        """Tell whether the process lives and is ours, not that of a process we were forked from."""
        return self.owner == os.getpid() and self.process.poll() is None

    def read(self, data: bytes, seconds: float) -> Points:
        """Let the helper read a file's content; end it if it takes too long or if we are interrupted."""
        path = Path(self.folder) / "markers.c3d"
        try:
            path.write_bytes(data)
            return self._ask(str(path), seconds)
        except BaseException as error:
            if not isinstance(error, ReaderFailed):
                self.end()  # half an answer may be waiting
            raise
        finally:
            path.unlink(missing_ok=True)

    def _ask(self, path: str, seconds: float) -> Points:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(path).encode() + b"\n")
        self.process.stdin.flush()
        self._wait(seconds)
        answer = json.loads(self.process.stdout.readline() or b"null")
        if answer is None:
            raise EOFError
        if "error" in answer:
            raise ReaderFailed(answer["error"])
        markers, frames = answer["shape"]
        values = np.empty((frames, 4 * markers), dtype=np.float32)
        if self.process.stdout.readinto(values) != values.nbytes:  # type: ignore[attr-defined]
            raise EOFError
        return Points(values[:, : 3 * markers].reshape(frames, markers, 3), values[:, 3 * markers :], answer["parameters"])

    def _wait(self, seconds: float) -> None:
        """Wait for an answer and raise EOFError if none comes in time; where pipes cannot be waited for, wait without an end."""
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self.process.stdout, select.POLLIN)  # type: ignore[arg-type]
            if not poll.poll(1000.0 * seconds):
                raise EOFError

    def end(self) -> None:
        """End the process and wait for it."""
        self._at_exit.cancel()
        _end(self.process, self.owner, self.folder)


def _end(process: subprocess.Popen[bytes], owner: int, folder: str) -> None:
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            stream.close()  # type: ignore[union-attr]
    if owner == os.getpid():
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
    else:
        process.returncode = 0  # another process's child: not ours to wait for


_lock = threading.Lock()
_current: _Helper | None = None


def _helper() -> _Helper:
    """Return the running helper, or a new one."""
    global _current
    if _current is None or not _current.usable():
        if _current is not None:
            _current.end()
        _current = _Helper()
    return _current


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()  # whoever held it is not here


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def read_points(data: bytes) -> Points:
    """Read the points of a C3D file with ezc3d, in the helper process.

    Parameters
    ----------
    data : bytes
        The file's content; its header should have been checked.

    Raises
    ------
    ReaderFailed
        If ezc3d refuses the file, crashes, or exceeds its memory or time; the message says which.
    OSError
        If no process can be started or no temporary file written.
    """
    with _lock:
        helper = _helper()
        try:
            return helper.read(data, _SECONDS[0] + _SECONDS[1] * len(data))
        except (EOFError, BrokenPipeError, ValueError):
            raise ReaderFailed(f"ezc3d could not cope with it (its process ended with {helper.process.returncode})") from None


def stop() -> None:
    """End the helper process, if there is one; the next file starts another."""
    global _current
    with _lock:
        if _current is not None:
            _current.end()
            _current = None


# The helper's side --------------------------------------------------------------------------------


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    from ezc3d import ezc3d  # the plain bindings

    for line in requests:
        path = json.loads(line)
        try:
            _limit(os.path.getsize(path))  # noqa: PTH202
            header, values = _read(ezc3d, path)
        except Exception as error:
            answers.write(json.dumps({"error": f"{error or type(error).__name__}".splitlines()[0][:200]}).encode() + b"\n")
        else:
            answers.write(json.dumps(header).encode() + b"\n")
            answers.write(values.data)
        answers.flush()


def _read(ezc3d: Any, path: str) -> tuple[dict[str, Any], np.ndarray]:
    """Return what ezc3d finds, bypassing its Python classes, which cost half as much again as the reading."""
    file = ezc3d.c3d(path)
    points = file.get_points()
    _, markers, frames = points.shape
    values = np.empty((frames, 4 * markers), dtype=np.float32)  # all that the format holds
    values[:, : 3 * markers].reshape(frames, markers, 3)[:] = points[:3].T
    values[:, 3 * markers :] = file.get_point_residuals()[0].T
    parameters = {}
    if file.parameters().isGroup("POINT"):
        group = file.parameters().group("POINT")
        for parameter in map(group.parameter, range(group.nbParameters())):
            if not parameter.name().startswith("DESCRIPTIONS"):
                parameters[f"POINT:{parameter.name()}"] = _parameter(ezc3d, parameter)
    return {"shape": [markers, frames], "parameters": parameters}, values


def _parameter(ezc3d: Any, parameter: Any) -> list[Any]:
    kinds = {
        ezc3d.CHAR: parameter.valuesAsString,
        ezc3d.BYTE: parameter.valuesAsByte,
        ezc3d.INT: parameter.valuesAsInt,
        ezc3d.FLOAT: parameter.valuesAsDouble,
    }
    return list(kinds[parameter.type()]())


def _limit(size: int) -> None:
    """Allow this process as much memory as a file of a size may need; systems that cannot limit it do without."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = _MEMORY[0] + _MEMORY[1] * size
        resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for our user, who closes our input
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever ezc3d prints must not end up among the answers
    _serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    _main()
