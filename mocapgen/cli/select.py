"""``mocapgen select``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mocapgen.cli._complete import DATA, IN_FILE, completed
from mocapgen.cli._subset import OUTPUT_OPTIONS, tell_subset
from mocapgen.shared.command import add_options, common_options, example, given, session
from mocapgen.shared.options import schema_options
from mocapgen.shared.progress import progress_bar


@click.command(
    epilog=example(
        "mocapgen select data.h5 --actions 'hop*' --out hop.h5",
        "mocapgen select data.h5 --actors bd,mm --avatars average_man --min-frames 60 --out two_actors.h5",
        "mocapgen select data.h5 --without-findings report.json --out clean.h5",
        "mocapgen select data.h5 --clips 'HDM_tr_kickLFront1Reps_02*' --invert --out rest.h5",
    )
)
@click.argument("path", metavar="DATA.H5", shell_complete=DATA, type=click.Path(path_type=Path))
@add_options(
    schema_options("select-config", extras=completed(IN_FILE, {"without_findings": {"metavar": "REPORT.JSON"}, "checks": {"metavar": "ID,..."}}))
)
@add_options(OUTPUT_OPTIONS)
@common_options
@click.pass_context
def select(context: click.Context, /, path: Path, out: Path | None, overwrite: bool, dry_run: bool, json: bool, **options: Any) -> None:
    """Write a subset of a dataset's sequences to a new file.

    A sequence is kept if it meets every condition given. Clips, cameras and avatars that no sequence uses any more are left out.
    """
    from mocapgen.shared.config import output_of, select_config

    config, out, level = select_config(given(context, options)), output_of(out, dry_run), session(context).level
    from mocapgen.store.select import select_sequences  # after the check of the settings, like build

    with progress_bar(level) as progress:
        report = select_sequences(path, config, out, overwrite, progress)
    tell_subset(report, "selected", out, json, level)
