"""``mocapgen sample``."""

from __future__ import annotations

from pathlib import Path

import click

from mocapgen.shared.command import common_options, example, session
from mocapgen.shared.tables import say


@click.command(epilog=example("mocapgen sample motions --format amc", "mocapgen build --source hdm05 --root motions --out data.h5"))
@click.argument("out", type=click.Path())
@click.option("--format", type=click.Choice(["amc", "c3d", "bvh"]), default="amc", show_default=True, help="File format to write.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the variation between actors and takes.")
@common_options
@click.pass_context
def sample(context: click.Context, /, out: str, format: str, seed: int) -> None:
    """Write the built-in sample motions to a folder.

    OUT is the folder; it is laid out like the real databases.
    """
    from mocapgen.sources.sample import write_sample

    count = write_sample(Path(out), format, seed)
    if session(context).level >= 0:
        say(f"wrote {count} clips to {out}")
