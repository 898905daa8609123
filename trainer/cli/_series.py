"""Shared by the commands that make a series of runs: ``experiments`` and ``ablate``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from mocapgen.shared.command import given, session
from mocapgen.shared.options import schema_options
from mocapgen.shared.tables import say
from mocapgen.shared.text import count_of
from trainer.cli._complete import DATA, EXTRAS
from trainer.cli._kinds import require_dataset
from trainer.cli._training import training_bar

if TYPE_CHECKING:
    from schemas.experiments import Results

OPTIONS = (
    click.option("--cmu", type=click.Path(), shell_complete=DATA, help="Dataset file with CMU's basketball and break dance."),
    *schema_options("train-config", ("epochs",), defaults=False),
    click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="Any other setting, for all runs; repeatable."),
    *schema_options("train-config", ("device", "precision", "threads", "compile"), EXTRAS, defaults=False),
    click.option("--resume", is_flag=True, help="Keep the finished runs in --out and make the others."),
    click.option("--finished", is_flag=True, help="Report on the finished runs in --out, without training."),
)
SETTINGS = ("epochs", "device", "precision", "threads", "compile", "split")
"""Options that are settings of the runs; the others are of the series."""


def words(context: click.Context, parameter: click.Parameter, text: str | None) -> list[str] | None:
    """Return the words of a list such as ``A,B``."""
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def numbers(context: click.Context, parameter: click.Parameter, text: str) -> list[int]:
    """Return the numbers of a list such as ``0,1,2``."""
    try:
        found = [int(word) for word in text.split(",")]
    except ValueError:
        raise click.BadParameter(f"expected whole numbers such as 0,1,2, found {text!r}") from None
    if min(found) < 0:
        raise click.BadParameter(f"expected numbers from 0, found {min(found)}")
    return found


def make_series(context: click.Context, make: Callable[..., Results], data: str, options: dict[str, Any]) -> int:
    """Make a series of runs, print where it was written, and return the exit status: 1 if a run failed."""
    for file in filter(None, (data, options["cmu"])):
        require_dataset(file)
    from trainer.fit import command_line

    level = session(context).level
    settings = {name: options.pop(name) for name in SETTINGS if name in options}

    def tell(line: str) -> None:
        if level >= 0:
            say(line, error=True)

    output = {"command": command_line(sys.argv[1:]), "print_line": tell, "progress_bar": lambda: training_bar(level)}
    results = make(data, options.pop("cmu"), **options, options=given(context, settings), **output)
    if level >= 0:
        print_series(results, options["out"])
    return 1 if results.failures else 0


def print_series(results: Results, out: str) -> None:
    """Print where a series of runs was written, and which runs failed."""
    from trainer.experiments import pictures

    others = {"failed": len(results.failures), "not finished": len(results.unfinished)}
    rest = "".join(f", {count} {what}" for what, count in others.items() if count)
    say(f"{count_of(len(results.runs), 'run')} finished{rest}; written to {out}: report.html, report.md, results.json")
    for failure in results.failures:
        say(f"failed: {failure.name}: {failure.error}")
    if not pictures.available():
        say(f"no pictures: {pictures.MISSING}")
