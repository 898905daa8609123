"""``mocapgen inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mocapgen.cli._complete import CHECK, CHECKS, DATA, POLICY
from mocapgen.shared.command import add_options, common_options, example, session


def _list_checks(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    if given and not context.resilient_parsing:
        from mocapgen.cli._inspect_report import print_checks
        from mocapgen.inspect.registry import checks

        print_checks(checks().values())
        context.exit()


def _explain(context: click.Context, parameter: click.Parameter, given: str | None) -> None:
    if given is not None and not context.resilient_parsing:
        from mocapgen.cli._explain_check import explain_checks

        explain_checks(given)
        context.exit()


_OPTIONS = (
    click.option(
        "--policy",
        shell_complete=POLICY,
        default="default",
        show_default=True,
        metavar="NAME|PATH",
        help="Severities and limits: training, archive or a YAML file.",
    ),
    click.option(
        "--select", multiple=True, shell_complete=CHECKS, metavar="ID,...", help="Run only these checks: ids, patterns such as 'motion.*', families."
    ),
    click.option("--ignore", multiple=True, shell_complete=CHECKS, metavar="ID,...", help="Do not run these checks."),
    click.option(
        "--threshold",
        type=click.Choice(["info", "warning", "error"]),
        default="warning",
        show_default=True,
        help="Severity from which a finding sets exit status 1.",
    ),
    click.option("--split", type=click.Path(path_type=Path), help="Run of trainer, or its split.json: find clips on two sides of the split."),
    click.option("--detailed", is_flag=True, help="Print every finding, not only the worst of each check; so does -v."),
    click.option("--json", type=click.Path(allow_dash=True), help="Write summary and findings to this file; - for standard output."),
    click.option("--html", type=click.Path(), help="Write a report with charts, tables and a player of the findings to this file."),
    click.option("--overwrite", is_flag=True, help="Replace the files in --json and --html."),
    click.option("--workers", type=click.IntRange(0), default=0, show_default=True, help="Worker processes; 0 chooses by the size of the file."),
    click.option("--list-clips", is_flag=True, help="List the clips of the file, and nothing else."),
    click.option("--list-checks", is_flag=True, is_eager=True, expose_value=False, callback=_list_checks, help="List all checks and exit."),
    click.option(
        "--explain",
        metavar="[ID]",
        is_flag=False,
        flag_value="",
        shell_complete=CHECK,
        is_eager=True,
        expose_value=False,
        callback=_explain,
        help="Print what the manual says of a check, a family or a pattern, and exit.",
    ),
)


@click.command(
    epilog=example(
        "mocapgen inspect data.h5",
        "mocapgen inspect data.h5 --html report.html",
        "mocapgen inspect pred.h5",
        "mocapgen inspect --explain motion.speed_spike",
        "mocapgen inspect data.h5 --policy training --split runs/first --threshold error",
        "mocapgen inspect data.h5 --select structure,motion.foot_slide --detailed --json findings.json",
    )
)
@click.argument("path", metavar="DATA.H5", shell_complete=DATA, type=click.Path(path_type=Path))
@add_options(_OPTIONS)
@common_options
@click.pass_context
def inspect(context: click.Context, /, path: Path, **options: Any) -> int:
    """Summarise and validate a dataset or predictions file.

    Exit status 0: no findings; 1: findings at or above the threshold; 2: the file could not be inspected.
    """
    from mocapgen.cli._inspect_report import inspect_and_report, print_clips

    if options.pop("list_clips"):
        return print_clips(path)
    return inspect_and_report(path, level=session(context).level, **options)
