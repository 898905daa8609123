"""The tables of a report: amounts by action, actor and avatar, skipped files, and all checks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from mocapgen.inspect.lenient_reader import DAMAGED, InspectableData
from mocapgen.inspect.report_html import Column, counted, heading, inline, number, paragraphs, region, slug, table, text
from mocapgen.shared.hdf5 import read_array
from schemas.inspection import CheckResult, Finding, Inspection, Summary, Tally

MOST_ROWS = 500
"""Names in a table; the others are counted together."""
LISTED = 50
"""Files that are listed for each reason for which files were skipped."""


def balance_tables(inspection: Inspection, opened: InspectableData) -> str:
    """Return the tables of actions, actors and avatars."""
    summary = inspection.summary
    found = _findings_by(inspection.findings, opened)
    actors, actions = _partners(opened, "action", "actor"), _partners(opened, "actor", "action")
    statures = _statures(opened)
    tables = [
        _tallied("action", summary.actions, summary, "Actors", actors, found["action"]),
        _tallied("actor", summary.actors, summary, "Actions", actions, found["actor"]),
        _tallied("avatar", summary.avatars, summary, "Stature (m)", statures, found["avatar"]),
    ]
    if len(summary.rigs) > 1:
        tables.append(_tallied("camera rig", summary.rigs, summary, "", {}, {}))
    return "".join(tables)


def _tallied(name: str, tallies: tuple[Tally, ...], summary: Summary, extra: str, extras: Mapping[str, float], found: Mapping[str, int]) -> str:
    """Return one table, its rows by name; of very many names those with most frames."""
    kept = sorted(sorted(tallies, key=lambda tally: (-tally.frames, tally.name))[:MOST_ROWS], key=lambda tally: tally.name)
    columns = [Column(name.capitalize(), numeric=False), Column("Clips"), Column("Sequences"), Column("Frames"), Column("Minutes", bars=True)]
    columns += [Column(extra), Column("Findings")] if extra else []
    rows: list[list[object]] = []
    for tally in kept:
        minutes = tally.frames / summary.fps / 60.0 if summary.fps else None
        row: list[object] = [tally.name, tally.clips, tally.sequences, tally.frames, minutes]
        rows.append(row + ([extras.get(tally.name), found.get(tally.name, 0)] if extra else []))
    more = f", the {MOST_ROWS} of {len(tallies):,} with most frames" if len(tallies) > MOST_ROWS else ""
    return table(f"By {name}{more}", columns, rows)


def _findings_by(findings: tuple[Finding, ...], opened: InspectableData) -> dict[str, Counter[str]]:
    """Return how many findings there are of each action, actor and avatar."""
    found: dict[str, Counter[str]] = {name: Counter() for name in ("action", "actor", "avatar")}
    clips: dict[str, int] = {} if opened.data is None else {str(id): row for row, id in enumerate(opened.data.clips["id"])}
    for finding in findings:
        if finding.avatar:
            found["avatar"][finding.avatar] += 1
        if opened.data is not None and finding.clip in clips:
            for name in ("action", "actor"):
                found[name][str(opened.data.clips[name][clips[finding.clip]])] += 1
    return found


def _partners(opened: InspectableData, name: str, other: str) -> dict[str, int]:
    """Return how many different `other` each `name` of a clip goes with."""
    partners: defaultdict[str, set[str]] = defaultdict(set)
    if opened.data is not None:
        for one, two in zip(opened.data.clips[name], opened.data.clips[other], strict=True):
            partners[str(one)].add(str(two))
    return {one: len(others) for one, others in partners.items()}


def _statures(opened: InspectableData) -> dict[str, float]:
    found = {}
    for name in opened.skeletons:
        assert opened.data is not None
        try:
            found[name] = float(opened.data.file[f"/skeletons/{name}/stature"][()])
        except DAMAGED:  # reported by a structure check
            continue
    return found


def skipped_section(inspection: Inspection, opened: InspectableData) -> str:
    """Return what the build found and did not use, by reason, with files and details of some."""
    reasons = inspection.summary.skipped
    if not reasons:
        return "<p>The build skipped nothing, or the file does not say.</p>"
    listed = _skipped(opened)
    parts = []
    for reason, count in reasons.items():
        files = listed.get(reason, [])
        more = f'<p class="mp-note">and {count - LISTED:,} more: see <code>/skipped</code> in the file</p>' if count > len(files) == LISTED else ""
        rows = table(f"Skipped: {reason}", [Column("File", numeric=False), Column("Detail", numeric=False)], files) if files else ""
        parts.append(f'<details class="skipped"><summary>{counted(count, "file")}: {text(reason)}</summary>{rows}{more}</details>')
    return "".join(parts)


def _skipped(opened: InspectableData) -> dict[str, list[tuple[str, str]]]:
    """Return the first files of each reason, with details."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    if opened.data is None:
        return found
    try:
        columns = [read_array(opened.data.file, f"/skipped/{name}") for name in ("file", "reason", "detail")]
        for file, reason, detail in zip(*columns, strict=True):
            if len(found[str(reason)]) < LISTED:
                found[str(reason)].append((str(file), str(detail)))
    except DAMAGED:  # reported by a structure check
        return {}
    return found


def checks_table(inspection: Inspection) -> str:
    """Return all checks with their manual text, limits and results."""
    head = "".join(heading(name, name == "Findings") for name in ("Check", "Severity", "Limits", "Findings"))
    rows = "".join(_checked(result) for result in inspection.checks)
    rows += _explained("inspect.check_failed", "error", "", "", "") if any(_failed(finding) for finding in inspection.findings) else ""
    table = f'<table class="checks"><caption>All checks</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return region("All checks", table)


def _failed(finding: Finding) -> bool:
    return finding.check == "inspect.check_failed"


def _checked(result: CheckResult) -> str:
    limits = "<br>".join(f"{text(name)} {number(value)}" for name, value in result.limits.items())
    outcome = f"{result.findings:,}"
    if result.left_out:
        outcome = f"left out: {text(result.left_out)}"
    elif result.unread:
        outcome += f"<br>could not look at {counted(result.unread, 'sequence')}"
    return _explained(result.id, result.severity, limits, outcome, result.title)


def _explained(id: str, severity: str, limits: str, outcome: str, title: str) -> str:
    about = inline(paragraphs().get(id, "")) or text(title)
    shown = f'<span class="mp-tag mp-{severity}">{severity}</span>'
    named = f'<th scope="row"><b>{text(id)}</b><p>{about}</p></th>'
    return f'<tr id="check-{slug(id)}">{named}<td>{shown}</td><td>{limits}</td><td class="mp-num" data-label="Findings">{outcome}</td></tr>'
