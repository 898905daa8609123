"""What ``select`` and ``merge`` share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mocapgen.cli._json_report import JSON_OPTION, print_json
from mocapgen.shared.command import option_names
from mocapgen.shared.tables import print_pairs
from mocapgen.shared.text import counted, format_size, option_words

if TYPE_CHECKING:
    from schemas.report import SubsetReport

OUTPUT_OPTIONS = (
    click.option("--out", type=click.Path(path_type=Path), help="File to write; required unless --dry-run is given."),
    click.option("--overwrite", is_flag=True, help="Replace the output file if it exists."),
    click.option("--dry-run", is_flag=True, help="Report what would be written without writing it."),
    JSON_OPTION,
)


def tell_subset(report: SubsetReport, title: str, out: Path | None, json: bool, level: int) -> None:
    """Print what a merged or selected file holds: as JSON, or as a table unless `level` is below 0."""
    if json:
        print_json(report)
    elif level >= 0:
        print_subset(report, title, out)


def print_subset(report: SubsetReport, title: str, out: Path | None) -> None:
    """Print what a merged or selected file holds."""
    shortest, longest = report.lengths
    pairs: dict[str, str | Sequence[str]] = {
        "read": report.inputs,
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
        options = option_names(click.get_current_context().command)
        pairs["notes"] = [option_words(note, options) for note in report.notes]
    print_pairs(title if out else f"would be {title}", pairs | ({"file": f"{out}, {format_size(report.bytes)}"} if out else {}))
