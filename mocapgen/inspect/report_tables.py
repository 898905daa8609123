"""The tables of a report: findings by check, amounts by action, actor and avatar, skipped files, and all checks."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote

from mocapgen.inspect.lenient_reader import DAMAGED, InspectableData
from mocapgen.inspect.report_html import Column, counted, first_sentence, heading, inline, number, paragraphs, slug, table, text
from mocapgen.shared.hdf5 import read_array
from mocapgen.shared.text import printable
from schemas.inspection import SEVERITIES, CheckResult, Finding, Inspection, Summary, Tally

MOST_BYTES = 3_000_000
"""What the findings may take of a page."""
_FIRST = 40
"""Clips whose findings are unfolded when the page is opened, about."""
_COLUMNS = ("Where and what", "Avatar", "Frame", "Joint")
_NUMERIC = ("Frame", "Value")


@dataclass(frozen=True)
class Places:
    """Where findings can be seen.

    Parameters
    ----------
    file : str
        Name of the file.
    sequence_of_clip : dict of str to int
        The first row of ``/sequences`` of each clip that can be played.
    playable : frozenset of int
        Rows of ``/sequences`` that can be played at all.
    shown : frozenset of int
        Rows that the page's player holds.
    cameras : dict of int to str
        Rig of each row that can be played, of files with several cameras.
    """

    file: str
    sequence_of_clip: Mapping[str, int]
    playable: frozenset[int]
    shown: frozenset[int]
    cameras: Mapping[int, str]

    def sequence(self, finding: Finding) -> int | None:
        """Return the row of ``/sequences`` that shows a finding, None if there is none that can be played."""
        if finding.sequence is not None:
            return finding.sequence if finding.sequence in self.playable else None
        return self.sequence_of_clip.get(finding.clip)

    def address(self, finding: Finding) -> str:
        """Return the part of the page's address that shows a finding in the player; empty if the player does not hold it."""
        sequence = self.sequence(finding)
        if sequence not in self.shown:
            return ""
        frame = f"&frame={finding.frame}" if finding.frame is not None else ""
        joint = f"&joint={quote(finding.joint, safe='')}" if finding.joint else ""
        return f"#sequence={sequence}{frame}{joint}"

    def command(self, finding: Finding) -> str:
        """Return the command that shows a finding which the player does not hold; empty if nothing can."""
        sequence = self.sequence(finding)
        if sequence is None or sequence in self.shown or not finding.clip:
            return ""
        words = ["mocapgen", "view", self.file, "--clip", finding.clip, "--frame", str(finding.frame or 0)]
        words += ["--avatars", finding.avatar] if finding.avatar else []
        words += ["--cameras", self.cameras[sequence]] if sequence in self.cameras else []
        return " ".join(shlex.quote(printable(word)) for word in words)


def findings_section(inspection: Inspection, places: Places, most_bytes: int = MOST_BYTES) -> str:
    """Return all findings, in the order of the inspection, below controls that choose among them.

    If they take more room than allowed, each check shows only so many clips, the worst, and says how many it does not show.
    """
    if not inspection.findings:
        ran = sum(not result.left_out for result in inspection.checks)
        return f'<p class="clean">Nothing was found by {counted(ran, "check")}.</p>'
    results = {result.id: result for result in inspection.checks}
    checks = [(id, groups(list(found))) for id, found in groupby(inspection.findings, key=lambda finding: finding.check)]
    most = max(len(found) for _, found in checks)
    while True:
        parts, unfolded = [], 0
        for id, found in checks:
            parts.append(_check(id, results.get(id), found, most, places, unfolded < _FIRST))
            unfolded += len(found)
        body = "".join(parts)
        if len(body.encode()) <= most_bytes or most <= 1:
            return _controls(inspection, [id for id, _ in checks]) + body
        most = max(most // 2, 1)


def groups(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Return the findings of one check, those of one clip together, in the order of the first of each."""
    found: dict[tuple[str, object], list[Finding]] = {}
    for place, finding in enumerate(findings):
        found.setdefault((finding.clip, None if finding.clip else place), []).append(finding)
    return list(found.values())


def _controls(inspection: Inspection, checks: Sequence[str]) -> str:
    boxes = "".join(
        f'<label><input type="checkbox" name="severity" value="{severity}" checked> {counted(inspection.count(severity), severity)}</label>'
        for severity in reversed(SEVERITIES)
        if inspection.count(severity)
    )
    options = "".join(f'<option value="{text(id)}">{text(id)}</option>' for id in checks)
    return (
        '<form class="filter" id="filter" role="search" aria-label="Findings to show">'
        f'<fieldset><legend class="unseen">Severity</legend>{boxes}</fieldset>'
        f'<label>Check <select name="check"><option value="">all</option>{options}</select></label>'
        '<label class="wide">Text <input type="search" name="text" placeholder="clip, avatar, joint" autocomplete="off" spellcheck="false"></label>'
        '<output id="matching" aria-live="polite"></output></form>'
    )


def _check(id: str, result: CheckResult | None, found: Sequence[list[Finding]], most: int, places: Places, unfolded: bool) -> str:
    """Return what one check found."""
    severity = found[0][0].severity
    count = result.findings if result else sum(map(len, found))
    clips = result.clips if result else 0
    spread = counted(count, "finding") + (f" in {counted(clips, 'clip')}" if clips else "")
    unit = f" ({result.unit})" if result and result.unit else ""
    head = "".join(heading(name, name in _NUMERIC) for name in _COLUMNS) + heading(f"Value{unit}", numeric=True)
    body = "".join(_group(group, places) for group in found[:most])
    hidden = count - sum(map(len, found[:most]))
    more = f'<p class="note">{hidden:,} more, none of them worse, are not on this page: {_all_of_them(id, places.file)}</p>' if hidden > 0 else ""
    about = inline(first_sentence(id)) or text(result.title if result else "")
    return (
        f'<details class="check" data-check="{text(id)}" data-severity="{severity}"{" open" * unfolded}>'
        f'<summary><span class="severity {severity}">{severity}</span> <h3>{text(id)}</h3> <span class="count">{spread}</span></summary>'
        f'<p class="about">{about} <a href="#check-{slug(id)}">About this check</a></p>'
        f'<table class="findings"><caption class="unseen">What {text(id)} found, worst first</caption><thead><tr>{head}</tr></thead>{body}</table>'
        f"{more}</details>"
    )


def _all_of_them(id: str, file: str) -> str:
    return f"<code>{text(shlex.join(['mocapgen', 'inspect', printable(file), '--select', id, '--json', 'findings.json']))}</code>"


def _group(group: Sequence[Finding], places: Places) -> str:
    """Return the findings of one check in one clip: a row each, all but the first folded away where scripts run."""
    avatars = len({finding.avatar for finding in group[1:]} - {group[0].avatar})
    others = counted(avatars, "avatar") if avatars == len(group) - 1 else f"{len(group) - 1:,} more"
    button = f' <button type="button" aria-expanded="false">+{others}</button>' if len(group) > 1 else ""
    return f"<tbody>{''.join(_row(finding, places, button if place == 0 else '') for place, finding in enumerate(group))}</tbody>"


def _row(finding: Finding, places: Places, button: str) -> str:
    address, command = places.address(finding), places.command(finding)
    name = text(finding.clip or finding.where or (f"sequence {finding.sequence}" if finding.sequence is not None else "the file"))
    shown = f'<a href="{text(address)}">{name}</a>' if address else f"<b>{name}</b>"
    where = f" <code>{text(finding.where)}</code>" if finding.where and finding.clip else ""
    elsewhere = (
        f'<details class="elsewhere"><summary>not in the player of this page</summary><code>{text(command)}</code></details>' if command else ""
    )
    message = finding.message.removeprefix(f"{finding.joint}: ") if finding.joint else finding.message
    frame = f"{finding.frame:,}" if finding.frame is not None else ""
    value = number(finding.value) if finding.value is not None else ""
    cells = (("Avatar", text(finding.avatar) + button), ("Frame", frame), ("Joint", text(finding.joint)), ("Value", value))
    tail = "".join(f'<td class="{"num" if label in _NUMERIC else "word"}" data-label="{label}">{cell}</td>' for label, cell in cells)
    return f'<tr><th scope="row">{shown}{where}<p>{text(message)}</p>{elsewhere}</th>{tail}</tr>'


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
        more = f'<p class="note">and {count - LISTED:,} more: see <code>/skipped</code> in the file</p>' if count > len(files) == LISTED else ""
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
    return f'<div class="scroll"><table class="checks"><caption>All checks</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


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
    shown = f'<span class="severity {severity}">{severity}</span>'
    named = f'<th scope="row"><b>{text(id)}</b><p>{about}</p></th>'
    return f'<tr id="check-{slug(id)}">{named}<td>{shown}</td><td>{limits}</td><td class="num" data-label="Findings">{outcome}</td></tr>'
