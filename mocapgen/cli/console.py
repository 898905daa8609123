"""What a person sees: the progress bar, the closing table of a build, lists."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from schemas.config import BuildConfig
from schemas.profile import UNITS
from schemas.report import FAULTS, BuildReport, Detection, Skip, SubsetReport
from schemas.skeleton import Avatar

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from mocapgen.export import ExportReport
    from mocapgen.reading.convert import Converted
    from mocapgen.sources.archives import Archive
    from mocapgen.sources.fetch import Fetched
    from mocapgen.view.write_page import ViewReport

Progress = Callable[[int, int, str], None]

SHOWN_FAULTS = 10
SURE = 0.9
"""How well a file is understood at least for the closing table not to mention doubts."""
SHOWN_NAMES = 12
"""Names of actors, actions or avatars in a summary; more are counted."""
SHOWN_FILES = 5
"""Files that are named one by one; more are counted."""
SHOWN_DETECTIONS = 40
"""Files that a dry run lists one by one; more are counted by kind."""


def _console() -> Console:
    """Return a console that prints text as it is: names of files are no markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True)


@contextmanager
def progress_bar(level: int, stream_is_terminal: bool | None = None, sizes: bool = False) -> Iterator[Progress | None]:
    """Show a progress bar with the remaining time on stderr, if a person is there to see it.

    Parameters
    ----------
    level : int
        Verbosity; below 0 nothing is shown.
    stream_is_terminal : bool, optional
        Whether stderr is a terminal; asked of the stream by default.
    sizes : bool
        Whether what is counted are bytes.

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
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), DownloadColumn() if sizes else MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Bar(*columns, TextColumn("{task.description}", markup=False), console=Console(stderr=True, force_terminal=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def progress(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total or None, description=label)

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
    counts = report.skipped_by_reason()
    others = counts.pop("not a clip", 0)
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    pairs = {
        "clips found": f"{report.clips_found:,}",
        "clips used": f"{report.clips_used:,}",
        "clips skipped": f"{sum(counts.values()):,}" + (f": {reasons}" if reasons else ""),
        **({"other files": f"{others:,}, which are no clips"} if others else {}),
        **_formats(report.detections),
        "sequences": f"{report.sequences:,}",
        "frames": f"{report.frames:,}",
    }
    if config.dry_run:
        return pairs | {"time": format_time(report.seconds)}
    return pairs | {"file": f"{config.out}, {format_size(report.bytes)}", "time": format_time(report.seconds)}


def _formats(detections: Sequence[Detection]) -> dict[str, str]:
    """Return which kinds of files are used: one pair, none if nothing had to be found out."""
    doubts = (f" ({100 * found.confidence:.0f} % sure)" if found.confidence < SURE else "" for found in detections)
    kinds = Counter(f"{found.format} {found.profile}{doubt}" for found, doubt in zip(detections, doubts, strict=True))
    return {"understood as": ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())} if kinds else {}


def print_detections(detections: Sequence[Detection], level: int) -> None:
    """Print how files were understood: each file, or how many of each kind if there are many; with notes if `level` is above 0."""
    each = level > 0 or len(detections) <= SHOWN_DETECTIONS
    titles: tuple[str, ...] = ("file", "format", "profile", "sure", "unit", "up", "rate", "frames", "actor", "action")
    rows: list[tuple[str, ...]] = [(found.file, *_kind_cells(found), f"{found.frames:,}", found.actor, found.action) for found in detections]
    if not each:
        titles, kinds = titles[:7], Counter(row[1:7] for row in rows)
        rows = [(f"{count:,} file{'s' * (count > 1)}", *kind) for kind, count in kinds.most_common()]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    notes = [found.notes for found in detections] if level > 0 else [()] * len(rows)
    for row, below in zip((titles, *rows), ((), *notes), strict=True):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        for note in below:
            click.echo(f"    {note}")


def _kind_cells(found: Detection) -> tuple[str, ...]:
    unit = {metres: name for name, metres in UNITS.items()}.get(found.metres_per_unit, f"{found.metres_per_unit:.6g} m")
    return found.format, found.profile, f"{100 * found.confidence:.0f} %", unit, found.up.strip("+").lower(), f"{found.fps:g}"


def listed_skips(report: BuildReport, level: int, dry_run: bool = False) -> tuple[str, tuple[Skip, ...], int]:
    """Return a heading, the skips to list under it and how many are left unsaid.

    Clips with something wrong are listed, at most ten; in a dry run whatever would be left out but was asked for; everything that
    was skipped if `level` is above 0.
    """
    if level > 0:
        return "skipped:", report.skipped, 0
    if dry_run:
        rest = tuple(skip for skip in report.skipped if skip.reason != "not selected")
        return "would be left out:", rest[:SHOWN_DETECTIONS], max(len(rest) - SHOWN_DETECTIONS, 0)
    faults = tuple(skip for skip in report.skipped if skip.reason in FAULTS)
    return "could not be used:", faults[:SHOWN_FAULTS], max(len(faults) - SHOWN_FAULTS, 0)


def print_report(report: BuildReport, config: BuildConfig, level: int) -> None:
    """Print the closing table of a build and the clips that could not be used; nothing if `level` is below 0."""
    if level < 0:
        return
    if config.dry_run and report.detections:
        print_detections(report.detections, level)
        click.echo()
    print_pairs("would build" if config.dry_run else "built", report_pairs(report, config))
    _print_warnings(report, level)
    heading, skips, unsaid = listed_skips(report, level, config.dry_run)
    if skips:
        click.echo(heading)
    for skip in skips:
        click.echo(f"  {skip.reason}: " + (skip.detail if skip.detail.startswith(skip.file) else f"{skip.file}: {skip.detail}"))
    if unsaid:
        click.echo(f"  and {unsaid:,} more; " + ("use -v to list them" if config.dry_run else f"see /skipped in {config.out}"))


def _print_warnings(report: BuildReport, level: int) -> None:
    """Print what somebody should check: at most ten lines, all if `level` is above 0."""
    warnings = [f"{found.file}: {warning}" for found in report.detections for warning in found.warnings]
    shown = warnings if level > 0 else warnings[:SHOWN_FAULTS]
    if shown:
        click.echo("to be checked:")
    for warning in shown:
        click.echo(f"  {warning}")
    if len(shown) < len(warnings):
        click.echo(f"  and {len(warnings) - len(shown):,} more; use -v to list them")


def print_terms(archive: Archive, level: int) -> None:
    """Print an archive's licence and citation; nothing if `level` is below 0."""
    if level >= 0:
        print_pairs(archive.title, archive.terms)


def print_fetched(found: Fetched, archive: Archive, to: Path | None, level: int) -> None:
    """Print what a fetch left, and how to build from it; nothing if `level` is below 0."""
    if level < 0:
        return
    root = f" --root {found.path}" if to else ""
    format = "" if archive.format == "amc" else f" --format {archive.format}"
    title = "downloaded" if found.downloaded else "already there, and unchanged"
    size, build = format_size(found.size), f"mocapgen build --source {archive.source}{format}{root} --out data.h5"
    print_pairs(title, {"file": f"{found.path}, {size}", "sha256": found.sha256, "next": build})


def print_converted(converted: Converted, level: int) -> None:
    """Print what a conversion wrote, and what had to be decided; nothing if `level` is below 0."""
    if level < 0:
        return
    size = f"{converted.frames:,} at {converted.fps:g} frames/s, {converted.joints} joints"
    pairs = {"file": "\n".join(map(str, converted.files)), "frames": size}
    print_pairs("written", pairs | ({"notes": "\n".join(converted.notes)} if converted.notes else {}))


def counted(names: Sequence[str]) -> str:
    """Return how many names there are, and which: ``5: bd, bk, dg, mm, tr``."""
    more = len(names) - SHOWN_NAMES
    return f"{len(names):,}: {', '.join(names[:SHOWN_NAMES])}" + (f" and {more:,} more" if more > 0 else "")


def print_subset(report: SubsetReport, title: str, out: Path | None, level: int) -> None:
    """Print what a merged or selected file holds; nothing if `level` is below 0."""
    if level < 0:
        return
    shortest, longest = report.lengths
    pairs = {
        "read": "\n".join(report.inputs),
        "sequences": f"{report.sequences:,} of {report.sequences_found:,}",
        "frames": f"{report.frames:,} at {report.fps:g} frames/s, {report.frames / report.fps / 60.0:,.1f} minutes",
        "lengths": f"{shortest} to {longest} frames",
        "clips": f"{report.clips:,}",
        "actors": counted(report.actors),
        "actions": counted(report.actions),
        "avatars": counted(report.avatars),
        "cameras": f"{report.cameras:,}",
    }
    if report.notes:
        pairs["notes"] = "\n".join(report.notes)
    print_pairs(title if out else f"would be {title}", pairs | ({"file": f"{out}, {format_size(report.bytes)}"} if out else {}))


def print_exported(exported: ExportReport, level: int) -> None:
    """Print what an export wrote, and what a person should know; every file if `level` is above 0; nothing if it is below."""
    if level < 0:
        return
    count, files = len(exported.files) - 1, exported.files
    shown = "\n".join(map(str, files)) if level > 0 or len(files) <= SHOWN_FILES else f"{exported.out}, {count:,} files"
    size = f"{exported.frames:,} in {exported.sequences:,} {'sequence' if exported.sequences == 1 else 'sequences'}"
    pairs = {"files": shown, "described in": str(files[-1]), "frames": size}
    print_pairs("exported", pairs | ({"notes": "\n".join(exported.notes)} if exported.notes else {}))


def print_viewed(viewed: ViewReport, level: int) -> None:
    """Print what a page shows and where it is; nothing if `level` is below 0."""
    if level < 0:
        return
    all_of_them = viewed.sequences == viewed.chosen
    left_out = "" if all_of_them else f" of {viewed.chosen:,}: the page is full; choose with --clips, --actions, --avatars or --limit"
    pairs = {"sequences": f"{viewed.sequences:,}{left_out}", "frames": f"{viewed.frames:,}", "file": f"{viewed.path}, {format_size(viewed.size)}"}
    if viewed.predicted is not None:
        pairs["predictions"] = f"of {viewed.predicted:,} of these sequences"
    if viewed.opened is False:
        pairs["next"] = "no browser was found: open the file yourself"
    print_pairs("written" if viewed.opened is None else "opened in the browser" if viewed.opened else "not opened", pairs)
