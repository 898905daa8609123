"""The findings of a report: by check and clip, each with what leads to its moment in the player."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from urllib.parse import quote

from mocapgen.inspect.report_html import counted, first_sentence, heading, inline, number, slug, text
from mocapgen.inspect.thumbnails import Moment, moment
from mocapgen.shared.text import printable
from schemas.inspection import SEVERITIES, CheckResult, Finding, Inspection

MOST_BYTES = 3_000_000
"""What the findings may take of a page."""
_FIRST = 40
"""Clips whose findings are unfolded when the page is opened, about."""
_COLUMNS = ("Avatar", "Frame", "Joint", "Value")
"""Those of which a check's findings have nothing are left out."""
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
    thumbnails : dict of Moment to str
        Pictures of moments, as SVG.
    """

    file: str
    sequence_of_clip: Mapping[str, int]
    playable: frozenset[int]
    shown: frozenset[int]
    cameras: Mapping[int, str]
    thumbnails: Mapping[Moment, str] = field(default_factory=dict)

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

    def thumbnail(self, finding: Finding) -> str:
        """Return a picture of the moment of a finding; empty if there is none."""
        sequence = self.sequence(finding)
        return "" if sequence is None else self.thumbnails.get(moment(finding, sequence), "")

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
    noun = "clip" if inspection.summary.kind == "dataset" else "sequence"  # of predictions each has a name of its own
    most = max(len(found) for _, found in checks)
    while True:
        parts, unfolded = [], 0
        for id, found in checks:
            parts.append(_check(id, results.get(id), found, most, places, unfolded < _FIRST, noun))
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
        f'<fieldset><legend class="mp-unseen">Severity</legend>{boxes}</fieldset>'
        f'<label>Check <select name="check"><option value="">all</option>{options}</select></label>'
        '<label class="wide">Text <input type="search" name="text" placeholder="clip, avatar, joint" autocomplete="off" spellcheck="false"></label>'
        '<output id="matching" aria-live="polite"></output></form>'
    )


def _check(id: str, result: CheckResult | None, found: Sequence[list[Finding]], most: int, places: Places, unfolded: bool, noun: str) -> str:
    """Return what one check found, and in how many clips, or whatever the noun is."""
    severity = found[0][0].severity
    count = result.findings if result else sum(map(len, found))
    clips = result.clips if result else 0
    spread = counted(count, "finding") + (f" in {counted(clips, noun)}" if clips else "")
    unit = f" ({result.unit})" if result and result.unit else ""
    there = [any(cells) for cells in zip(*(_cells(each) for group in found[:most] for each in group), strict=True)]
    there[0] |= any(len(group) > 1 for group in found)  # the button that unfolds the others stands there
    columns = tuple(name for name, holds in zip(_COLUMNS, there, strict=True) if holds)
    head = heading("Where and what") + "".join(heading(f"{name}{unit if name == 'Value' else ''}", name in _NUMERIC) for name in columns)
    body = "".join(_group(group, places, columns) for group in found[:most])
    hidden = count - sum(map(len, found[:most]))
    more = f'<p class="mp-note">{hidden:,} more, none of them worse, are not on this page: {_all_of_them(id, places.file)}</p>' if hidden > 0 else ""
    about = inline(first_sentence(id)) or text(result.title if result else "")
    return (
        f'<details class="check" data-check="{text(id)}" data-severity="{severity}"{" open" * unfolded}>'
        f'<summary><span class="mp-tag mp-{severity}">{severity}</span> <h3>{text(id)}</h3> <span class="count">{spread}</span></summary>'
        f'<p class="about">{about} <a href="#check-{slug(id)}">About this check</a></p>'
        f'<table class="findings"><caption class="mp-unseen">What {text(id)} found, worst first</caption><thead><tr>{head}</tr></thead>{body}</table>'
        f"{more}</details>"
    )


def _all_of_them(id: str, file: str) -> str:
    return f"<code>{text(shlex.join(['mocapgen', 'inspect', printable(file), '--select', id, '--json', 'findings.json']))}</code>"


def _group(group: Sequence[Finding], places: Places, columns: Sequence[str]) -> str:
    """Return the findings of one check in one clip: a row each, all but the first folded away where scripts run."""
    avatars = len({finding.avatar for finding in group[1:]} - {group[0].avatar})
    others = counted(avatars, "avatar") if avatars == len(group) - 1 else f"{len(group) - 1:,} more"
    button = f' <button type="button" aria-expanded="false">+{others}</button>' if len(group) > 1 else ""
    first = _row(group[0], places, columns, button, places.thumbnail(group[0]))
    return f"<tbody>{first}{''.join(_row(finding, places, columns) for finding in group[1:])}</tbody>"


def _cells(finding: Finding) -> tuple[str, str, str, str]:
    """Return what stands in :data:`_COLUMNS`."""
    frame = f"{finding.frame:,}" if finding.frame is not None else ""
    value = number(finding.value) if finding.value is not None else ""
    return text(finding.avatar), frame, text(finding.joint), value


def _row(finding: Finding, places: Places, columns: Sequence[str], button: str = "", picture: str = "") -> str:
    address, command = places.address(finding), places.command(finding)
    name = text(finding.clip or finding.where or (f"sequence {finding.sequence}" if finding.sequence is not None else "the file"))
    shown = f'<a href="{text(address)}">{name}</a>' if address else f"<b>{name}</b>"
    where = f" <code>{text(finding.where)}</code>" if finding.where and finding.clip else ""
    elsewhere = (
        f'<details class="elsewhere"><summary>not in the player of this page</summary><code>{text(command)}</code></details>' if command else ""
    )
    message = finding.message.removeprefix(f"{finding.joint}: ") if finding.joint else finding.message
    cells = [(name, cell + (button if name == "Avatar" else "")) for name, cell in zip(_COLUMNS, _cells(finding), strict=True) if name in columns]
    tail = "".join(f'<td class="{"mp-num" if label in _NUMERIC else "word"}" data-label="{label}">{cell}</td>' for label, cell in cells)
    return f'<tr><th scope="row">{picture}{shown}{where}<p>{text(message)}</p>{elsewhere}</th>{tail}</tr>'
