"""What ``mocapgen inspect`` does: inspect, print, and write the reports that were asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mocapgen.cli.console import progress_bar
from mocapgen.inspect.run import survey
from mocapgen.inspect.terminal import print_inspection
from mocapgen.shared.files import check_target, write_file
from schemas.errors import ConfigError
from schemas.inspection import Inspection

STDOUT = "-"


def inspect_and_report(
    path: Path,
    *,
    level: int = 0,
    detailed: bool = False,
    json: str | None = None,
    html: str | None = None,
    overwrite: bool = False,
    **options: Any,
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
    html : str, optional
        File for the report with charts and player (:func:`mocapgen.inspect.report.report_page`).
    overwrite : bool
        Whether these files may be replaced.
    **options
        Of :func:`mocapgen.inspect.run.inspect`.

    Raises
    ------
    MocapError
        If the file could not be inspected, or a report not be written.
    """
    target = None if json in (None, STDOUT) else Path(str(json))
    page = None if html is None else Path(html)
    _check_reports([report for report in (target, page) if report is not None], path, overwrite)
    with progress_bar(level) as progress:
        found = survey(path, progress=progress, measuring=page is not None, **options)
    inspection = found.inspection
    if page is not None:
        from mocapgen.inspect.report import report_page

        write_file(page, report_page(found, path), overwrite)
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
    write_file(target, inspection.model_dump_json(indent=2) + "\n", overwrite)


def _check_reports(targets: list[Path], path: Path, overwrite: bool) -> None:
    """Check the reports' targets before the work is done."""
    for target in targets:
        if target.exists() and path.exists() and target.samefile(path):
            raise ConfigError(f"{target}: expected another file for the report than the one to inspect, found the same; choose another name")
        check_target(target, overwrite)
    if len({target.resolve() for target in targets}) < len(targets):
        raise ConfigError(f"--html: expected another file than that of --json, found {targets[0]} for both")
