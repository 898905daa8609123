"""``mocapgen sample``."""

from __future__ import annotations

from pathlib import Path

import click

from mocapgen.shared.command import common_options, example, session
from mocapgen.shared.progress import progress_bar
from mocapgen.shared.tables import say


@click.command(
    epilog=example(
        "mocapgen sample motions --format amc",
        "mocapgen build --source hdm05 --root motions --out data.h5",
        "mocapgen sample many --format cmu --clips 500 --frames 3500",
        "mocapgen build --source cmu --root many --long split --out many.h5",
    )
)
@click.argument("out", type=click.Path())
@click.option(
    "--format",
    type=click.Choice(["amc", "c3d", "bvh", "cmu"]),
    default="amc",
    show_default=True,
    help="File format to write; cmu: BVH as CMU's, converted by cgspeed.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the variation between actors and takes.")
@click.option(
    "--clips", "clip_count", type=int, metavar="N", help="Write so many clips in place of the built-in ones, each of actions one after another."
)
@click.option("--frames", type=int, metavar="N", help="Frames of each of these clips, 120 per second.  [default: 1200]")
@click.option("--workers", type=click.IntRange(0), default=0, show_default=True, help="Processes that write these; 0: one for each processor core.")
@common_options
@click.pass_context
def sample(context: click.Context, /, out: str, format: str, seed: int, clip_count: int | None, frames: int | None, workers: int) -> None:
    """Write the built-in sample motions, or as many and as long ones as you like, to a folder.

    OUT is the folder; it is laid out like the real databases.
    """
    from mocapgen.sources.sample import write_sample

    level = session(context).level
    with progress_bar(level) as progress:
        count = write_sample(Path(out), format, seed, clip_count, frames, workers, progress)
    if level >= 0:
        say(f"wrote {count:,} clips to {out}")
