"""The whole build as a user starts it: wall time, and peak memory of every process."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py

from benchmarks.clips import write_part
from benchmarks.tables import Section, Value

_POLL = 0.02  # seconds between two looks at the processes
_SMALL = 40_000  # kB: less than any worker takes
_KB = 1.024e-3  # MB


@dataclass(frozen=True)
class Run:
    """One finished command."""

    seconds: float
    cpu_seconds: float
    """Of the processor, all processes together; 0 where the system does not say."""
    main: float | None
    """Peak memory of the main process, MB; None where the system does not say."""
    worker: float | None
    """Peak memory of the largest worker, MB; None if there was none."""
    anonymous: float | None
    """Most memory of the main process that is no part of a file, MB: what is mapped from a cache does not count."""
    peaks: tuple[tuple[float, float | None, float | None], ...] = ()
    """Seconds since the start, and the two peaks up to then, as they grew."""

    def at(self, share: float) -> tuple[float | None, float | None]:
        """Return the peaks of the main process and of the largest worker after a share of the time."""
        return next(((main, worker) for seconds, main, worker in reversed(self.peaks) if seconds <= share * self.seconds), (None, None))


def run_build(root: Path, out: Path, workers: int) -> tuple[Run, float]:
    """Build a dataset of all clips below a root in a process of its own; return also for how many seconds that was in the writer.

    Raises
    ------
    RuntimeError
        If it fails; with what it printed.
    """
    options = ["--select", "all", "--min-frames", "1", "--max-frames", "100000", "--overwrite", "--workers", str(workers)]
    told = out.with_suffix(".seconds")
    run = run_program(
        [str(told), "build", "-q", "--source", "hdm05", "--root", str(root), "--out", str(out), *options], program="benchmarks.in_writer"
    )
    return run, float(told.read_text())


def run_program(
    arguments: list[str],
    program: str = "mocapgen",
    accepted: tuple[int, ...] = (0,),
    shown: bool = False,
    variables: Mapping[str, str] | None = None,
) -> Run:
    """Run ``mocapgen``, or ``trainer``, in a process of its own.

    Parameters
    ----------
    arguments : list of str
    program : str
        Or another module that is run.
    accepted : tuple of int
        Exit statuses of success.
    shown : bool
        Let it write to standard error, such as how far it is.
    variables : mapping, optional
        More of the environment.

    Raises
    ------
    RuntimeError
        If it fails; with what it printed.
    """
    command = [sys.executable, "-m", program, *arguments]
    found: dict[int, int] = {}
    peaks: list[tuple[float, float | None, float | None]] = []
    anonymous = 0
    began, cpu = time.perf_counter(), _cpu_of_children()
    errors, environment = None if shown else subprocess.PIPE, {**os.environ, **(variables or {})}
    folder = Path(__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, text=True, cwd=folder, env=environment) as process:
        while process.poll() is None:
            for number in _family(process.pid):
                found[number] = max(found.get(number, 0), _memory(number, "VmHWM"))
            anonymous = max(anonymous, _memory(process.pid, "RssAnon"))
            if (now := _peaks(found, process.pid)) != (peaks[-1][1:] if peaks else None):
                peaks.append((time.perf_counter() - began, *now))
            time.sleep(_POLL)
        seconds = time.perf_counter() - began
        if process.returncode not in accepted:
            said = process.stderr.read().strip() if process.stderr is not None else f"exit status {process.returncode}"
            raise RuntimeError(f"{' '.join(command)}: {said}")
    return Run(seconds, _cpu_of_children() - cpu, *_peaks(found, process.pid), anonymous * _KB or None, tuple(peaks))


def _peaks(found: dict[int, int], main: int) -> tuple[float | None, float | None]:
    """Return the peak memory of the main process and of the largest worker, MB, given those of all processes in kB."""
    # Libraries start small programs of their own while they load: these are no workers.
    worker = max((peak for number, peak in found.items() if number != main and peak > _SMALL), default=0)
    return found.get(main, 0) * _KB or None, worker * _KB or None


def _cpu_of_children() -> float:
    """Return the processor time of all processes that this one has started and that have ended, with those that they started, seconds."""
    times = os.times()
    return times.children_user + times.children_system


def _family(root: int) -> list[int]:
    """Return a process and everything that descends from it (Linux; elsewhere nothing is found and nothing reported)."""
    found, queue = [], [root]
    while queue:
        number = queue.pop()
        found.append(number)
        for children in Path(f"/proc/{number}/task").glob("*/children"):
            try:
                queue += map(int, children.read_text().split())
            except OSError:  # it ended meanwhile
                continue
    return found


def _memory(number: int, what: str) -> int:
    """Return what the system says of a process's memory, kB: VmHWM, the most so far, or RssAnon; 0 if it has ended or the system is silent."""
    try:
        status = Path(f"/proc/{number}/status").read_text()
    except OSError:
        return 0
    match = re.search(rf"^{what}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(match[1]) if match else 0


def builds(root: Path, folder: Path, clips: int, repeat: int) -> Section:
    """Measure the whole build of all clips, with two workers and with one, and of a third of them."""
    out = folder / "build.h5"
    part = write_part(root, folder / "third", max(clips // 3, 2))
    rows: list[dict[str, Value]] = []
    for source, workers, rounds in ((root, 2, repeat), (root, 1, repeat), (part, 2, 1)):
        runs, writing = zip(*(run_build(source, out, workers) for _ in range(rounds)), strict=True)
        seconds = [run.seconds for run in runs]
        with h5py.File(out) as file:
            found, frames = len(file["clips/id"]), len(file["frames/positions_3d"])
        rows.append(
            {
                "clips": found,
                "workers": workers,
                "frames": frames,
                "seconds, best": min(seconds),
                "median": statistics.median(seconds),
                "frames/s": frames / min(seconds),
                "writer's share, %": 100 * sum(writing) / sum(seconds),
                "peak MB, main process": _largest(run.main for run in runs),
                "peak MB, largest worker": _largest(run.worker for run in runs),
            }
        )
    note = (
        "`mocapgen build --select all --min-frames 1 --max-frames 100000` as a process of its own, start-up included, five avatars; "
        f"{os.cpu_count()} cores; {repeat} times, the third of the clips once. Memory is each process's own peak (VmHWM) and must not "
        "grow with the number of clips; with 1 worker, the main process does the work. The writer's share: how long the main process is in it."
    )
    return Section("The whole build", note, tuple(rows))


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
