"""What a person sees: the progress bar of a run, and tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from schemas.experiments import Results
    from schemas.train import Evaluation
    from trainer.fit import Result, Watcher


def make_console() -> Console:
    """Return a console that prints text as it is: names of files are no markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True)


@contextmanager
def progress_bar(level: int, stream_is_terminal: bool | None = None) -> Iterator[Watcher | None]:
    """Show epoch, loss, error and the remaining time on stderr, if a person is there to see it.

    Parameters
    ----------
    level : int
        Verbosity; below 0 nothing is shown.
    stream_is_terminal : bool, optional
        Whether stderr is a terminal; asked of the stream by default.

    Yields
    ------
    callable or None
        To be called with (steps done, steps in all, latest figures); None if nothing is shown.
    """
    watched = sys.stderr.isatty() if stream_is_terminal is None else stream_is_terminal
    if level < 0 or not watched:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(elapsed_when_finished=False))
    with Progress(*columns, TextColumn("{task.description}", markup=False), console=Console(stderr=True, force_terminal=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def watch(done: int, total: int, figures: Mapping[str, Any]) -> None:
            label = f"epoch {figures['epoch']}, loss {figures['loss']:.4f}, MPJPE {figures['mpjpe_mm']:.1f} mm"
            bar.update(task, completed=done, total=total, description=label)

        yield watch


def print_result(result: Result, level: int) -> None:
    """Print what a run has reached, and where it is."""
    if level < 0:
        return
    console = make_console()
    last = result.history[-1]
    console.print(f"epoch {last['epoch']}: train {last['train_mpjpe_mm']:.1f} mm", end="")
    for side in ("validation", "test"):
        if last[f"{side}_mpjpe_mm"] is not None:
            console.print(f", {side} {last[f'{side}_mpjpe_mm']:.1f} mm", end="")
    console.print(f"; computing {100 * last['computing_share']:.0f} % of the time")
    if result.metrics:
        figures = result.metrics
        console.print(
            f"best weights on the test side: MPJPE {figures['mpjpe_mm']:.1f} mm ({figures['mpjpe_no_root_mm']:.1f} without the root), "
            f"P-MPJPE {figures['p_mpjpe_mm']:.1f} mm, PCK@200 {figures['pck_200']:.1f} %"
        )
    if result.note:
        console.print(result.note)
    console.print(f"written to {result.folder}")


def series_view(level: int) -> dict[str, Any]:
    """Return how a series of runs is shown: a line on stderr for each, and a progress bar while a person watches it."""

    def say(line: str) -> None:
        if level >= 0:
            click.echo(line, err=True)

    return {"say": say, "bar": lambda: progress_bar(level)}


def print_series(results: Results, out: str, level: int) -> int:
    """Print where a series of runs was written, and return the exit status: 1 if one failed."""
    from trainer.experiments import pictures

    if level >= 0:
        failed = f", {len(results.failures)} failed" if results.failures else ""
        click.echo(f"{len(results.runs)} runs finished{failed}; written to {out}: report.html, report.md, results.json")
        for failure in results.failures:
            click.echo(f"failed: {failure.name}: {failure.error}")
        if not pictures.available():
            click.echo(f"no pictures: {pictures.MISSING}")
    return 1 if results.failures else 0


def print_table(console: Console, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, numbers to the right."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for place, column in enumerate(header):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def print_evaluation(evaluation: Evaluation, level: int) -> None:
    """Print all tables of an evaluation; of the detailed ones only with verbosity 1."""
    from trainer.evaluate import tables

    if level < 0:
        return
    console = make_console()
    if not console.is_terminal:
        console.width = 160  # a pipe has no width: keep the columns whole
    for key, value in evaluation.protocol.items():
        click.echo(f"{key:10s} {value}")
    if evaluation.note:
        click.echo(f"{'note':10s} {evaluation.note}")
    for title, header, rows in tables(evaluation):
        if level > 0 or title not in ("By joint",):
            print_table(console, title, header, rows)
