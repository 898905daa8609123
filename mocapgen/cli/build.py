"""``mocapgen build``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mocapgen.shared.command import add_options, common_options, example, given, session
from mocapgen.shared.options import schema_options
from mocapgen.shared.outputs import protected
from mocapgen.shared.parts import part_names
from mocapgen.shared.progress import progress_bar
from mocapgen.shared.tables import print_columns, print_pairs, say
from mocapgen.shared.text import counted, format_size, format_time

if TYPE_CHECKING:
    from schemas.config import BuildConfig
    from schemas.report import BuildReport, Detection, Skip

SHOWN_FAULTS = 10
SURE = 0.9
"""Confidence from which the closing table does not mention doubts."""
SHOWN_DETECTIONS = 40
"""Files that a dry run lists one by one; more are counted by kind."""

_SOURCES = ", ".join(part_names("mocapgen.sources", "SOURCE"))
_OPTIONS = schema_options(
    "build-config",
    extras={
        "source": {"note": f": {_SOURCES}"},
        "categories": {"option": "--category"},
        "pattern": {"metavar": "TEXT"},
        "profile": {"metavar": "NAME|PATH"},
        "scale": {"metavar": "METRES"},
        "marker_set": {"metavar": "NAME|PATH"},
        "subject": {"metavar": "NAME"},
        "camera": {"metavar": "RIG"},
        "cluster": {"metavar": "ADDRESS|local:N"},
    },
    negatable=True,
)


@click.command(
    epilog=example(
        "mocapgen build --source hdm05 --root HDM05_cut_amc.zip --out data.h5",
        "mocapgen build --source cmu --category basketball,breakdance --long split --out cmu.h5",
        "mocapgen build --source folder --root my_mocap --dry-run",
        "mocapgen build --source cmu --root /shared/cmu --cluster tcp://scheduler:8786 --out cmu.h5",
        "mocapgen build --config build.yaml --actors bd,mm --out two_actors.h5",
    )
)
@click.option("--config", type=click.Path(), help="YAML file with these settings as keys; options override it.")
@add_options(_OPTIONS)
@common_options
@click.pass_context
def build(context: click.Context, /, config: str | None, **options: Any) -> None:
    """Build a dataset from motion-capture clips."""
    from mocapgen.shared.config import build_config
    from mocapgen.shared.parallel import quiet_threads

    level = session(context).level
    settings = build_config(given(context, options), config)
    context.with_resource(protected(config))
    with quiet_threads():  # and thus one thread, so that workers can be forks
        from mocapgen import pipeline  # after the check of the settings, so that a mistyped option is answered at once

    with progress_bar(level) as progress:
        report = pipeline.build(settings, progress)
    if level >= 0:
        print_report(report, settings, level)


def print_report(report: BuildReport, config: BuildConfig, level: int) -> None:
    """Print the closing table of a build and the clips that could not be used."""
    if config.dry_run and report.detections:
        print_detections(report.detections, level)
        say("")
    print_pairs("would build" if config.dry_run else "built", _pairs(report, config))
    _print_warnings(report, level)
    heading, skips, more = _listed_skips(report, level, config.dry_run)
    if skips:
        say(heading)
    for skip in skips:
        say(f"  {skip.reason}: " + (skip.detail if skip.detail.startswith(skip.file) else f"{skip.file}: {skip.detail}"))
    if more:
        say(f"  and {more:,} more; " + ("use -v to list them" if config.dry_run else f"see /skipped in {config.out}"))


def _pairs(report: BuildReport, config: BuildConfig) -> dict[str, str]:
    """Return the closing table: names and values."""
    counts = report.skipped_by_reason()
    others = counts.pop("not a clip", 0)
    shortened = counts.pop("not seen", 0)
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    pairs = {
        "clips found": f"{report.clips_found:,}",
        "clips used": f"{report.clips_used:,}",
        "clips skipped": f"{sum(counts.values()):,}" + (f": {reasons}" if reasons else ""),
        **({"other files": f"{others:,}, which are no clips"} if others else {}),
        **({"clips shortened": f"{shortened:,}, where markers are not seen"} if shortened else {}),
        **_kinds(report.detections),
        "sequences": f"{report.sequences:,}",
        "frames": f"{report.frames:,}",
    }
    if config.dry_run:
        return pairs | {"time": format_time(report.seconds)}
    return pairs | {"file": f"{config.out}, {format_size(report.bytes)}", "time": format_time(report.seconds)}


def _kinds(detections: Sequence[Detection]) -> dict[str, str]:
    """Return which kinds of files are used: one pair, none if nothing had to be detected."""
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
    print_columns([titles, *rows], [(), *(found.notes for found in detections)] if level > 0 else ())
    if not each:
        say("")
        people = {
            "actors": counted(sorted({found.actor for found in detections})),
            "actions": counted(sorted({found.action for found in detections})),
        }
        print_pairs("who and what", people)


def _kind_cells(found: Detection) -> tuple[str, ...]:
    from schemas.profile import UNITS

    unit = {metres: name for name, metres in UNITS.items()}.get(found.metres_per_unit, f"{found.metres_per_unit:.6g} m")
    return found.format, found.profile, f"{100 * found.confidence:.0f} %", unit, found.up.strip("+").lower(), f"{found.fps:g}"


def _listed_skips(report: BuildReport, level: int, dry_run: bool) -> tuple[str, tuple[Skip, ...], int]:
    """Return a heading, the skips to list under it and how many are not listed.

    Clips with a fault are listed, at most ten; in a dry run whatever was selected and would be left out; everything that was skipped if
    `level` is above 0.
    """
    from schemas.report import FAULTS

    if level > 0:
        return "skipped:", report.skipped, 0
    if dry_run:
        rest = tuple(skip for skip in report.skipped if skip.reason != "not selected")
        return "would be left out:", rest[:SHOWN_DETECTIONS], max(len(rest) - SHOWN_DETECTIONS, 0)
    faults = tuple(skip for skip in report.skipped if skip.reason in FAULTS)
    return "could not be used:", faults[:SHOWN_FAULTS], max(len(faults) - SHOWN_FAULTS, 0)


def _print_warnings(report: BuildReport, level: int) -> None:
    """Print the warnings: at most ten lines, all if `level` is above 0."""
    warnings = [f"{found.file}: {warning}" for found in report.detections for warning in found.warnings]
    shown = warnings if level > 0 else warnings[:SHOWN_FAULTS]
    if shown:
        say("to be checked:")
    for warning in shown:
        say(f"  {warning}")
    if len(shown) < len(warnings):
        say(f"  and {len(warnings) - len(shown):,} more; use -v to list them")
