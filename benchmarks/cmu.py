"""All of CMU, as large as it is: synthetic files, and one build of them: ``python -m benchmarks.cmu``."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from benchmarks.process import Run
    from benchmarks.tables import Value

_CLIPS, _FRAMES, _FPS = 2548, 3500, 120  # of CMU's conversion to BVH
_GOAL = 300.0  # seconds, for one avatar on two cores
_AVATARS = ("average_man", "average_woman", "small_woman", "tall_man", "child_10")
_TEXT, _STORED = 720, 850  # bytes of a frame of BVH; of a frame in the dataset
_MOMENTS = (0.1, 0.5, 1.0)


@click.command(epilog="Example: python -m benchmarks.cmu --clips 50 --avatars 1 --markdown")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where the files go; those that are there already are used again.")
@click.option("--clips", type=click.IntRange(1), default=_CLIPS, show_default=True, help="How many clips.")
@click.option("--frames", type=click.IntRange(160), default=_FRAMES, show_default=True, help=f"Frames of each, {_FPS} per second.")
@click.option("--avatars", type=click.IntRange(1, 5), multiple=True, default=(5, 1), show_default=True, help="How many avatars; a build for each.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Workers of each build.")
@click.option("--markdown", is_flag=True, help="Print Markdown instead of a table.")
def main(folder: Path | None, clips: int, frames: int, avatars: tuple[int, ...], workers: int, markdown: bool) -> None:
    """Print time, memory and size of a build of a synthetic CMU, and what they come to for the whole of it.

    By default it takes some 6 minutes on two cores, 7 GB of text, which stay in the folder for the next time, and for a while 10 GB for the dataset.
    """
    from benchmarks.tables import Section, show
    from mocapgen.cli.info import environment

    folder = folder or Path(tempfile.gettempdir()) / "mocapgen-cmu"
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / f"{clips}x{frames}"
    _check_room(folder, 0 if root.exists() else clips * frames * _TEXT, clips * frames * max(avatars) * _STORED * 30 // _FPS)
    rows = []
    for step in _steps(root, folder / "cmu.h5", clips, frames, avatars, workers):
        rows.append(step)
        click.echo(", ".join(f"{name} {value:,.0f}" if isinstance(value, float) else str(value) for name, value in step.items()), err=True)
    note = (
        f"{clips:,} clips of {frames:,} frames at {_FPS} frames/s, by `mocapgen sample --format cmu` and `mocapgen build --source cmu --long split`; "
        f"frames/s of the recording; {workers} workers; {os.cpu_count()} cores, {environment()['processor']}. Memory: each process's own peak "
        "(VmHWM) up to 10 %, 50 % and 100 % of the time, start-up included. "
        f"All of CMU: for {_CLIPS:,} clips of {_FRAMES:,} frames; the goal is {_GOAL:.0f} s for one avatar on two cores."
    )
    section = Section("A synthetic CMU", note, tuple(rows))
    show([section], markdown)


def _check_room(folder: Path, text: int, dataset: int) -> None:
    """Refuse what the disk has no room for."""
    free, needed = shutil.disk_usage(folder).free, 1.1 * (text + dataset)
    if free < needed:
        raise click.ClickException(f"{folder}: expected {needed * 1e-9:.1f} GB of room, found {free * 1e-9:.1f} GB; give --folder or fewer --clips")


def _steps(root: Path, out: Path, clips: int, frames: int, avatars: tuple[int, ...], workers: int) -> Iterator[dict[str, Value]]:
    """Write the clips unless they are there, and build once for each number of avatars; yield what each step took."""
    from benchmarks.process import run_program

    with_workers = ["--workers", str(workers)]
    if not root.exists():
        numbers = ["--clips", str(clips), "--frames", str(frames)]
        run = run_program(["sample", str(root), "--format", "cmu", *numbers, *with_workers], shown=True)
        yield _row("sample", clips * frames, run, sum(path.stat().st_size for path in root.rglob("*.bvh")))
    for count in avatars:
        options = ["--long", "split", "--overwrite", "--avatars", ",".join(_AVATARS[:count])]
        try:
            run = run_program(["build", "--source", "cmu", "--root", str(root), "--out", str(out), *options, *with_workers], shown=True)
            yield _row(f"build, {count} avatar{'s' * (count > 1)}", clips * frames, run, out.stat().st_size)
        finally:
            out.unlink(missing_ok=True)


def _row(step: str, frames: int, run: Run, size: int) -> dict[str, Value]:
    mains, workers = zip(*(run.at(share) for share in _MOMENTS), strict=True)
    return {
        "step": step,
        "frames": float(frames),
        "seconds": run.seconds,
        "processor seconds": run.cpu_seconds,
        "frames/s": frames / run.seconds,
        "peak MB, main process": _series(mains),
        "peak MB, largest worker": _series(workers),
        "MB written": size / 1e6,
        "all of CMU, s": run.seconds * _CLIPS * _FRAMES / frames,
    }


def _series(values: tuple[float | None, ...]) -> str:
    return " / ".join("-" if value is None else f"{value:.0f}" for value in values)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.cmu")
