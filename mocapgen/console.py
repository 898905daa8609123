"""What a person sees: the progress bar, the closing table of a build, lists."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from schemas.config import BuildConfig
from schemas.report import FAULTS, BuildReport, Skip
from schemas.skeleton import Avatar

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[int, int, str], None]

SHOWN_FAULTS = 10


def _console() -> Console:
    """Return a console that prints text as it is: names of files are no markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True)


@contextmanager
def progress_bar(level: int, stream_is_terminal: bool | None = None) -> Iterator[Progress | None]:
    """Show a progress bar with the remaining time on stderr, if a person is there to see it.

    Parameters
    ----------
    level : int
        Verbosity; below 0 nothing is shown.
    stream_is_terminal : bool, optional
        Whether stderr is a terminal; asked of the stream by default.

    Yields
    ------
    callable or None
        To be called with (done, total, label); None if nothing is shown.
    """
    watched = sys.stderr.isatty() if stream_is_terminal is None else stream_is_terminal
    if level < 0 or not watched:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Bar(*columns, TextColumn("{task.description}", markup=False), console=Console(stderr=True, force_terminal=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def progress(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total, description=label)

        yield progress


def format_size(size: int) -> str:
    """Return a number of bytes for people: ``12.3 MB`` (powers of 1000)."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000.0:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000.0
    return f"{value:.1f} TB"


def format_time(seconds: float) -> str:
    """Return a duration for people: ``4.2 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def print_pairs(title: str, pairs: Mapping[str, str]) -> None:
    """Print names and values in two aligned columns under a title, as plain text that survives copy and paste."""
    width = max((len(name) for name in pairs), default=0)
    click.echo(title)
    for name, value in pairs.items():
        first, *rest = value.splitlines() or [""]
        click.echo(f"  {name:<{width}}  {first}".rstrip())
        for line in rest:
            click.echo(f"  {'':<{width}}  {line}")


def print_avatars(avatars: Sequence[Avatar]) -> None:
    """Print a table of avatars."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("name", "stature", "sex", "age", "description"):
        table.add_column(title, justify="right" if title == "stature" else "left", no_wrap=title != "description")
    for avatar in avatars:
        table.add_row(avatar.name, f"{avatar.stature:.2f} m", avatar.sex, avatar.age, avatar.description)
    _console().print(table, soft_wrap=False)


def report_pairs(report: BuildReport, config: BuildConfig) -> dict[str, str]:
    """Return the closing table of a build: names and values, ready to print."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in report.skipped_by_reason().items())
    pairs = {
        "clips found": f"{report.clips_found:,}",
        "clips used": f"{report.clips_used:,}",
        "clips skipped": f"{len(report.skipped):,}" + (f": {reasons}" if reasons else ""),
        "sequences": f"{report.sequences:,}",
        "frames": f"{report.frames:,}",
    }
    if config.dry_run:
        return pairs | {"time": format_time(report.seconds)}
    return pairs | {"file": f"{config.out}, {format_size(report.bytes)}", "time": format_time(report.seconds)}


def listed_skips(report: BuildReport, level: int) -> tuple[str, tuple[Skip, ...], int]:
    """Return a heading, the skips to list under it and how many are left unsaid.

    Clips with something wrong are listed, at most ten; everything that was skipped if `level` is above 0.
    """
    if level > 0:
        return "skipped:", report.skipped, 0
    faults = tuple(skip for skip in report.skipped if skip.reason in FAULTS)
    return "could not be used:", faults[:SHOWN_FAULTS], max(len(faults) - SHOWN_FAULTS, 0)


def print_report(report: BuildReport, config: BuildConfig, level: int) -> None:
    """Print the closing table of a build and the clips that could not be used; nothing if `level` is below 0."""
    if level < 0:
        return
    print_pairs("would build" if config.dry_run else "built", report_pairs(report, config))
    heading, skips, unsaid = listed_skips(report, level)
    if skips:
        click.echo(heading)
    for skip in skips:
        click.echo(f"  {skip.reason}: " + (skip.detail if skip.detail.startswith(skip.file) else f"{skip.file}: {skip.detail}"))
    if unsaid:
        click.echo(f"  and {unsaid:,} more; " + ("use -v to list them" if config.dry_run else f"see /skipped in {config.out}"))
