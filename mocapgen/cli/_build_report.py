"""What ``mocapgen build`` prints at its end: the closing table, what of the data is not in the file, and what is to be checked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from mocapgen import pipeline
from mocapgen.cli._json_report import print_json
from mocapgen.shared.progress import progress_bar
from mocapgen.shared.tables import print_columns, print_pairs, say
from mocapgen.shared.terminal import wrapped
from mocapgen.shared.text import counted, format_size, format_time
from mocapgen.sources.selection import FURTHER_TAKE
from schemas.config import BuildConfig
from schemas.profile import UNITS
from schemas.report import FAULTS, BuildReport, Detection, Skip, Vanished

SHOWN_FAULTS = 10
SURE = 0.9
"""Confidence from which the closing table does not mention doubts."""
SHOWN_DETECTIONS = 40
"""Files that a dry run lists one by one; more are counted by kind."""


def build_and_report(config: BuildConfig, json: bool, level: int) -> None:
    """Build a dataset, and print or write what came of it.

    Parameters
    ----------
    config : BuildConfig
    json : bool
        Print the :class:`~schemas.report.BuildReport` as JSON, in place of the tables.
    level : int
        Verbosity: below 0 nothing is printed but the JSON that is asked for, above 0 everything that was skipped.
    """
    with progress_bar(level) as progress:
        report = pipeline.build(config, progress)
    if json:
        print_json(report)
    elif level >= 0:
        print_report(report, config, level)


def print_report(report: BuildReport, config: BuildConfig, level: int) -> None:
    """Print the closing table of a build and the clips that could not be used."""
    if config.dry_run and report.detections:
        print_detections(report.detections, level)
        say("")
    print_pairs("would build" if config.dry_run else "built", _pairs(report, config))
    _print_vanished(report.vanished, level)
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
    further = sum(skip.detail.endswith(FURTHER_TAKE) for skip in report.skipped)
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    pairs = {
        "clips found": f"{report.clips_found:,}",
        "clips used": f"{report.clips_used:,}",
        "clips skipped": f"{sum(counts.values()):,}" + (f": {reasons}" if reasons else ""),
        **({"further takes": f"{further:,}; --select all uses them, too"} if further else {}),
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
    unit = {metres: name for name, metres in UNITS.items()}.get(found.metres_per_unit, f"{found.metres_per_unit:.6g} m")
    return found.format, found.profile, f"{100 * found.confidence:.0f} %", unit, found.up.strip("+").lower(), f"{found.fps:g}"


def _listed_skips(report: BuildReport, level: int, dry_run: bool) -> tuple[str, tuple[Skip, ...], int]:
    """Return a heading, the skips to list under it and how many are not listed.

    Clips with a fault are listed, at most ten; in a dry run whatever was selected and would be left out; everything that was skipped if
    `level` is above 0.
    """
    if level > 0:
        return "skipped:", report.skipped, 0
    if dry_run:
        rest = tuple(skip for skip in report.skipped if skip.reason != "not selected")
        return "would be left out:", rest[:SHOWN_DETECTIONS], max(len(rest) - SHOWN_DETECTIONS, 0)
    faults = tuple(skip for skip in report.skipped if skip.reason in FAULTS)
    return "could not be used:", faults[:SHOWN_FAULTS], max(len(faults) - SHOWN_FAULTS, 0)


def _print_vanished(vanished: Sequence[Vanished], level: int) -> None:
    """Print the actions and actors of which nothing is left, those of one cause in one line; each by itself if `level` is above 0."""
    groups: defaultdict[tuple[object, ...], list[Vanished]] = defaultdict(list)
    for found in vanished:
        groups[(found.kind, found.name) if level > 0 else (found.kind, *sorted(found.reasons))].append(found)
    if groups:
        say("nothing is left of:")
    for group in groups.values():
        say(*wrapped(_vanished(group), 4, "  "))


def _vanished(group: Sequence[Vanished]) -> str:
    """Return which actions or actors have vanished, why, and which options keep them."""
    kind, names = group[0].kind, [f'"{found.name}"' if "," in found.name else found.name for found in group]
    said = f"{kind} {names[0]}" if len(names) == 1 else f"{len(names):,} {kind}s ({counted(names).partition(': ')[2]})"
    clips = sum(found.clips for found in group)
    reasons = Counter[str]()
    for found in group:
        reasons.update(found.reasons)
    lengths = [length for found in group for length in found.frames or ()]
    size = f", of {' to '.join(map(str, sorted({min(lengths), max(lengths)})))} frames" if lengths else ""
    causes = f"all {next(iter(reasons))}" if len(reasons) == 1 else ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    options = [f"--min-frames {min(lengths)}"] if reasons["too short"] else []
    options += ["--long split"] if reasons["too long"] else []
    kept = f"; {' and '.join(options)} keep{'s' * (len(options) == 1)} {'it' if len(group) == 1 else 'them'}" if options else ""
    return f"{said}: {clips:,} clip{'s' * (clips != 1)}, {causes}{size}{kept}"


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
