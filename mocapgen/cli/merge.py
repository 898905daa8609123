"""``mocapgen merge``."""

from __future__ import annotations

from pathlib import Path

import click

from mocapgen.cli._complete import DATA
from mocapgen.cli._subset import OUTPUT_OPTIONS, tell_subset
from mocapgen.shared.command import add_options, common_options, example, session
from mocapgen.shared.progress import progress_bar


@click.command(epilog=example("mocapgen merge hdm05.h5 cmu.h5 --out both.h5"))
@click.argument("paths", metavar="A.H5 B.H5 ...", nargs=-1, required=True, shell_complete=DATA, type=click.Path(path_type=Path))
@add_options(OUTPUT_OPTIONS)
@common_options
@click.pass_context
def merge(context: click.Context, /, paths: tuple[Path, ...], out: Path | None, overwrite: bool, dry_run: bool, json: bool) -> None:
    """Join dataset files into one.

    The files must have the same frame rate, conventions, joints and avatars. What several of them hold is written once.
    """
    from mocapgen.shared.config import output_of
    from mocapgen.store.merge import merge_datasets

    out, level = output_of(out, dry_run), session(context).level
    with progress_bar(level) as progress:
        report = merge_datasets(paths, out, overwrite, progress)
    tell_subset(report, "merged", out, json, level)
