"""Builds on a Dask cluster beside builds with as many local workers, and builds whose workers are killed: ``python -m benchmarks.cluster``.

The cluster runs before the clock does, as one of several machines would; local workers are started within their build's time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from benchmarks.tables import Section

_CALCULATED = (1, 2, 4, 8, 16, 32, 64)


@click.command(epilog="Example: python -m benchmarks.cluster --repeat 5 --kills 20")
@click.option("--root", type=click.Path(path_type=Path, exists=True), help="HDM05, a folder or zip; by default the sample source is built.")
@click.option("--camera", default="front", show_default=True, help="Camera rig.")
@click.option("--workers", default=2, show_default=True, help="Workers of the cluster, and local ones.")
@click.option("--repeat", default=3, show_default=True, help="Builds of each kind; the fastest counts.")
@click.option("--kills", default=20, show_default=True, help="Builds during which a worker is killed.")
def main(root: Path | None, camera: str, workers: int, repeat: int, kills: int) -> None:
    """Measure and print the tables."""
    from benchmarks.tables import print_section
    from mocapgen.cli.info import environment

    settings: dict[str, Any] = {"source": "hdm05" if root else "sample", "root": root, "select": "all", "min_frames": 1, "camera": camera}
    click.echo(environment()["processor"])
    with tempfile.TemporaryDirectory() as folder, running(workers) as (address, kill):
        for section in _speed(Path(folder), settings, workers, address, repeat):
            print_section(section)
        if kills:
            print_section(_killed(Path(folder), settings, address, kill, kills))


@contextlib.contextmanager
def running(workers: int) -> Iterator[tuple[str, Callable[[], None]]]:
    """Start a cluster; yield its address, and what kills one of its workers without warning."""
    from distributed import LocalCluster

    options = {"threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "memory_limit": 0, "silence_logs": 60}
    with LocalCluster(n_workers=workers, **options) as cluster:

        def kill() -> None:
            pids = [nanny.pid for nanny in cluster.workers.values() if nanny.pid]
            if pids:
                os.kill(random.choice(pids), 9)

        yield cluster.scheduler_address, kill


def _speed(folder: Path, settings: dict[str, Any], workers: int, address: str, repeat: int) -> Iterator[Section]:
    """Compare builds; then say what processor time a build on the cluster takes where, and what follows for more workers."""
    from distributed import Client

    from benchmarks.tables import Section
    from benchmarks.timing import measure
    from mocapgen import build

    def used() -> tuple[float, float]:
        """Return the processor seconds of this process and of all workers so far."""
        with Client(address, set_as_default=False) as client:
            return time.process_time(), sum(client.run(time.process_time).values())

    spent: list[tuple[float, float]] = []

    def on_cluster() -> Any:
        before = used()
        report = build(**settings, cluster=address, out=folder / "speed.h5", overwrite=True)
        spent.append((time.process_time() - before[0], used()[1] - before[1]))
        return report

    names = f"{workers} local", f"{workers} Dask"
    jobs = (lambda: build(**settings, workers=workers, out=folder / "speed.h5", overwrite=True)), on_cluster
    timings = measure(dict(zip(names, jobs, strict=True)), repeat)
    local, frames = timings[names[0]].best, timings[names[0]].result.frames
    yield Section(
        "Builds with local and with Dask workers",
        f"{frames:,} frames; best of {repeat}, in turns; the cluster was started before, its scheduler is on this machine as well.",
        tuple(
            {"workers": name, "seconds": timing.best, "frames/s": frames / timing.best, "of the local speed": local / timing.best}
            for name, timing in timings.items()
        ),
    )
    here, there = (frames / min(values) for values in zip(*spent, strict=True))
    yield Section(
        "Calculated: the least of what N workers convert and what the main process receives and writes, each on a core of its own",
        f"Frames for each second of processor time, measured: {there:,.0f} by a worker, {here:,.0f} by the main process with its scheduler.",
        tuple(
            {"workers": f"{count}", "frames/s": min(count * there, here), "limit": "workers" if count * there < here else "main process"}
            for count in _CALCULATED
        ),
    )


def _killed(folder: Path, settings: dict[str, Any], address: str, kill: Callable[[], None], count: int) -> Section:
    """Build while workers are killed."""
    from benchmarks.tables import Section
    from mocapgen import build

    def timed(name: str) -> float:
        began = time.perf_counter()
        build(**settings, cluster=address, out=folder / name, overwrite=True)
        return time.perf_counter() - began

    def digest(name: str) -> str:
        return hashlib.sha256((folder / name).read_bytes()).hexdigest()

    usual, equal, seconds = timed("whole.h5"), 0, []
    for _ in range(count):
        timer = threading.Timer(random.uniform(0.1, 0.9) * usual, kill)
        timer.start()
        seconds.append(timed("killed.h5"))
        timer.join()
        equal += digest("killed.h5") == digest("whole.h5")
    row: dict[str, float | str | None] = {"builds": f"{count}", "complete and equal": f"{equal}", "undisturbed, s": usual}
    row |= {"median, s": sorted(seconds)[count // 2], "longest, s": max(seconds)}
    return Section("kill -9 of a worker during each build", "At a random moment; Dask starts another in its place.", (row,))


if __name__ == "__main__":
    main()
