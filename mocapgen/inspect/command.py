"""What ``mocapgen inspect`` does: inspect, print, and write the reports that were asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mocapgen.console import progress_bar
from mocapgen.inspect.run import inspect
from mocapgen.inspect.terminal import print_inspection
from mocapgen.store.atomic import check_target
from mocapgen.store.together import all_or_nothing
from schemas.errors import ConfigError
from schemas.inspection import Inspection

STDOUT = "-"


def inspect_and_report(
    path: Path, *, level: int = 0, detailed: bool = False, json: str | None = None, overwrite: bool = False, **options: Any
) -> int:
    """Inspect a file, print what there is to say, and return the exit status.

    Parameters
    ----------
    path : Path
    level : int
        Verbosity: below 0 nothing is printed, above 0 each finding is.
    detailed : bool
        Whether each finding is printed.
    json : str, optional
        File for the whole :class:`~schemas.inspection.Inspection`; ``-`` for standard output, in place of the text.
    overwrite : bool
        Whether that file may be replaced.
    **options
        Of :func:`mocapgen.inspect.run.inspect`.

    Raises
    ------
    MocapError
        If the file could not be inspected, or the report not be written.
    """
    target = None if json in (None, STDOUT) else Path(str(json))
    if target is not None:
        _check_report(target, path, overwrite)
    with progress_bar(level) as progress:
        inspection = inspect(path, progress=progress, **options)
    if target is not None:
        write_json(inspection, target, overwrite)
    if json == STDOUT:
        click.echo(inspection.model_dump_json(indent=2))
    elif level >= 0:
        print_inspection(inspection, path, detailed or level > 0)
    return inspection.exit_status


def write_json(inspection: Inspection, target: Path, overwrite: bool = False) -> None:
    """Write an inspection as JSON: all of the file or none of it.

    Raises
    ------
    DatasetError
        If it cannot be written, or exists and must not be replaced.
    """
    check_target(target, overwrite)
    with all_or_nothing(target.parent, target.name, overwrite) as drafts:
        (drafts / target.name).write_text(inspection.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _check_report(target: Path, path: Path, overwrite: bool) -> None:
    """Check a report's target before the work is done."""
    if target.exists() and path.exists() and target.samefile(path):
        raise ConfigError(f"{target}: expected another file for the report than the one to inspect, found the same; choose another name")
    check_target(target, overwrite)
