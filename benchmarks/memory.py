"""Measure memory where inputs are long or many: ``python -m benchmarks.memory``."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import click

_HOUR = 432_000  # frames of an hour at 120 frames per second
_FILES = 20_000
_AVATARS = 1_000
_CAMERAS = 200
_FOLDERS = 100  # that the many files lie in


@click.command(epilog="Example: python -m benchmarks.memory --scale 0.1 --markdown")
@click.option("--scale", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True, help="Share of everything that is long or many.")
@click.option("--only", help="Only rows whose input holds this text.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Workers of a build.")
@click.option("--markdown", is_flag=True, help="Print Markdown instead of a table.")
def main(scale: float, only: str | None, workers: int, markdown: bool) -> None:
    """Print peak memory and time of an hour of BVH, of 20,000 files, of 1,000 avatars, and of 200 cameras.

    All inputs are made of the sample source's motions, in the system's temporary folder: some 5 GB for a moment.
    """
    from benchmarks.process import run_program
    from benchmarks.tables import Section, Value, show

    rows: list[dict[str, Value]] = []
    with tempfile.TemporaryDirectory(prefix="mocapgen-") as name:
        for what, shown, arguments in commands(Path(name), scale, workers, only or ""):
            run = run_program(arguments)
            row: dict[str, Value] = {"input": what, "command": shown, "seconds": run.seconds}
            rows.append(row | {"peak MB, main process": run.main, "peak MB, largest worker": run.worker})
    note = f"Each process's own peak (VmHWM), start-up included; {workers} workers where there is more than one clip; {os.cpu_count()} cores."
    section = Section("Memory of long and many inputs", note, tuple(rows))
    show([section], markdown)


def commands(folder: Path, scale: float, workers: int, only: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield inputs as they are made: what each is, the command as it is shown, and its arguments."""
    from mocapgen.sources.sample import write_sample

    frames, files, avatars, cameras = (max(1, round(scale * full)) for full in (_HOUR, _FILES, _AVATARS, _CAMERAS))
    data, out, few = folder / "data.h5", folder / "out.npz", ["--actors", "sa"]
    build = ["build", "-q", "--overwrite", "--out", str(data), "--workers", str(workers)]
    sample = folder / "sample"
    write_sample(sample, "bvh", 0)
    hour, written = folder / "hour.bvh", f"{frames:,} frames of BVH"
    if only in written:
        write_hour(sample, hour, frames)
        written = f"{written}, {hour.stat().st_size / 1e6:,.0f} MB"
        yield written, "convert to BVH", ["convert", "-q", "--overwrite", str(hour), str(folder / "out.bvh")]
        (folder / "out.bvh").unlink()
        yield written, "build --long split", [*build, "--source", "folder", "--root", str(hour), "--long", "split"]
        yield (
            f"{written}: its dataset",
            "export --format npz",
            ["export", "-q", "--overwrite", str(data), "--format", "npz", "--out", str(out)],
        )
        for path in (hour, data, out):
            path.unlink()
    if only in (many := f"{files:,} files of BVH"):
        link_files(sample, folder / "many", files)
        yield (
            many,
            "build --dry-run",
            ["build", "-q", "--dry-run", "--source", "folder", "--root", str(folder / "many"), "--min-frames", "20", "--workers", str(workers)],
        )
    if only in (people := f"{avatars:,} avatars"):
        config = folder / "avatars.yaml"
        config.write_text(json.dumps({"avatars": write_avatars(folder / "avatars", avatars)}))
        yield people, "build --avatars", [*build, "--source", "sample", "--config", str(config), *few, "--actions", "walk"]
    for rig in (f"orbit:{cameras}", f"random:{cameras}"):
        if only in rig:
            yield rig, f"build --camera {rig}", [*build, "--source", "sample", "--camera", rig, *few]


def write_hour(sample: Path, path: Path, frames: int) -> None:
    """Write a BVH file of so many frames: those of the sample's files of one body, over and over."""
    clips = [clip.read_bytes() for clip in sorted(sample.rglob("*.bvh"))]
    head = clips[0].partition(b"MOTION")[0]
    bodies = [clip.partition(b"Frame Time:")[2].partition(b"\n")[2].splitlines(keepends=True) for clip in clips if clip.startswith(head)]
    with path.open("wb") as file:
        file.write(head + b"MOTION\nFrames: %d\nFrame Time: 0.008333333\n" % frames)
        file.writelines(islice(cycle(row for body in bodies for row in body), frames))


def link_files(sample: Path, folder: Path, count: int) -> None:
    """Fill a folder with so many files, each with another last line than the others, so that none is a copy."""
    clip = min(sample.rglob("*.bvh"), key=lambda path: path.stat().st_size).read_bytes()
    for number in range(count):
        path = folder / f"actor{number % _FOLDERS}" / "walk" / f"{number}.bvh"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clip + b"\n" * (number % 1000))


def write_avatars(folder: Path, count: int) -> list[str]:
    """Write avatars that differ in name, and return their paths."""
    from mocapgen.anatomy import avatars

    template = json.loads((Path(avatars.__file__).parent / "average_man.json").read_text(encoding="utf-8"))
    folder.mkdir()
    paths = []
    for number in range(count):
        paths.append(str(folder / f"person{number}.json"))
        Path(paths[-1]).write_text(json.dumps({**template, "name": f"person{number}"}))
    return paths


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.memory")
