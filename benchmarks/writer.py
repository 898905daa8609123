"""How much of a build with many cameras is writing: ``python -m benchmarks.writer``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from benchmarks.tables import Value

_CLIP = 3480  # frames of a clip at 120 frames per second: three windows at 30


@click.command(epilog="Example: python -m benchmarks.writer --frames 10000 --markdown")
@click.option("--frames", type=click.IntRange(1), default=100_000, show_default=True, help="Frames of the motions, at 30 per second.")
@click.option("--cameras", type=click.IntRange(1), default=20, show_default=True, help="Cameras that see each of them.")
@click.option("--workers", type=click.IntRange(1), multiple=True, default=(2, 1), show_default=True, help="Workers; a build for each.")
@click.option("--markdown", is_flag=True, help="Print Markdown instead of a table.")
def main(frames: int, cameras: int, workers: tuple[int, ...], markdown: bool) -> None:
    """Print time, memory and the writer's share of builds of one avatar before many cameras.

    By default it takes two minutes on two cores, and for a while 2.5 GB in the system's temporary folder.
    """
    from benchmarks.process import run_program
    from benchmarks.tables import Section, show
    from mocapgen.cli.info import environment

    rows: list[dict[str, Value]] = []
    clips = -(-4 * frames // _CLIP)
    with tempfile.TemporaryDirectory(prefix="mocapgen-") as name:
        root, out, told = Path(name) / "cmu", Path(name) / "data.h5", Path(name) / "seconds"
        length = -(-4 * frames // clips)
        run_program(["sample", str(root), "--format", "cmu", "--clips", str(clips), "--frames", str(length), "--workers", str(max(workers))])
        build = ["build", "-q", "--overwrite", "--source", "cmu", "--root", str(root), "--out", str(out), "--long", "split", "--min-frames", "1"]
        for count in workers:
            options = ["--avatars", "average_man", "--camera", f"orbit:{cameras}", "--workers", str(count)]
            run = run_program([str(told), *build, *options], program="benchmarks.in_writer")
            rows.append(
                {
                    "workers": float(count),
                    "frames written": float(frames * cameras),
                    "seconds": run.seconds,
                    "processor seconds": run.cpu_seconds,
                    "frames/s": frames * cameras / run.seconds,
                    "writer's share, %": 100 * float(told.read_text()) / run.seconds,
                    "peak MB, main process": run.main,
                    "peak MB, largest worker": run.worker,
                    "MB written": out.stat().st_size / 1e6,
                }
            )
    note = (
        f"{frames:,} frames of one avatar before {cameras} cameras, {clips} synthetic clips in BVH; {os.cpu_count()} cores, "
        f"{environment()['processor']}. The writer's share: of the whole time, start-up included, how long the main process was in the writer, "
        "packing included; with several workers, threads pack meanwhile."
    )
    show([Section("A build with many cameras", note, tuple(rows))], markdown)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.writer")
