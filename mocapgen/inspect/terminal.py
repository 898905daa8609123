"""An inspection as text: a summary that a person can take in, then what was found, worst first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import click

from mocapgen.cli.console import format_size, print_pairs
from mocapgen.inspect.registry import Check
from schemas.inspection import SEVERITIES, CheckResult, Finding, Inspection, Summary, Tally

_LISTED = 12


def printable(text: str) -> str:
    """Return text from a file so that it does nothing to a terminal: what cannot be printed is escaped."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def _name(text: str) -> str:
    """Return a name for a list that is separated by commas."""
    return f'"{printable(text)}"' if "," in text or text != text.strip() or not text else printable(text)


def _counted(tallies: Sequence[Tally]) -> str:
    """Return how many names there are, and which: ``5: bd, bk, dg, mm, tr``."""
    if not tallies:
        return "unknown"
    more = len(tallies) - _LISTED
    shown = ", ".join(_name(tally.name) for tally in tallies[:_LISTED])
    return f"{len(tallies):,}: {shown}" + (f" and {more:,} more" if more > 0 else "")


def summary_pairs(summary: Summary) -> dict[str, str]:
    """Return the summary of a dataset, name to description, ready to print."""
    seconds = summary.frames / summary.fps if summary.fps else None
    rigs = ", ".join(_name(tally.name) for tally in summary.rigs) or "unknown"
    skipped = ", ".join(f"{count:,} {printable(reason)}" for reason, count in summary.skipped.items())
    lengths = summary.lengths
    return {
        "schema": f"{printable(summary.schema_version) or 'unknown'}, written by {printable(summary.generator) or 'unknown'}",
        "size": format_size(summary.size),
        "sources": _counted(summary.sources),
        "clips": f"{summary.clips:,}" + (f" in {summary.windows:,} windows" if summary.windows != summary.clips else ""),
        "actors": _counted(summary.actors),
        "actions": _counted(summary.actions),
        "avatars": _counted(summary.avatars),
        "joints": f"{summary.joints:,}",
        "cameras": f"{summary.cameras:,}, rig {rigs}, axes of {printable(summary.camera_frame) or 'unknown'}",
        "sequences": f"{summary.sequences:,}",
        "frames": f"{summary.frames:,}"
        + (f" at {summary.fps:g} frames/s, {seconds / 60.0:,.1f} minutes" if summary.fps and seconds is not None else ", frame rate unknown"),
        "lengths": f"{lengths.shortest} to {lengths.longest} frames, median {lengths.median:g}" if lengths else "none",
        "skipped": f"{sum(summary.skipped.values()):,}" + (f": {skipped}" if skipped else ""),
    }


def _place(finding: Finding) -> str:
    """Return where something was found, for people: clip, avatar, frame, joint; or the path in the file."""
    parts = [printable(finding.clip) + (f" on {printable(finding.avatar)}" if finding.avatar else "") if finding.clip else ""]
    if not finding.clip and finding.sequence is not None:
        parts.append(f"sequence {finding.sequence}")
    parts.append(f"frame {finding.frame}" if finding.frame is not None else "")
    parts.append(printable(finding.joint))
    return ", ".join(part for part in parts if part) or printable(finding.where)


def _said(finding: Finding) -> str:
    """Return the message, without the joint if it starts with that: the place has it."""
    return printable(finding.message.removeprefix(f"{finding.joint}: ") if finding.joint else finding.message)


def _amount(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if abs(value) >= 1000.0 or value == int(value) else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def _times(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def aggregated(id: str, result: CheckResult | None, findings: Sequence[Finding]) -> str:
    """Return what a check found in one line: how often, and the worst of it.

    Parameters
    ----------
    id : str
    result : CheckResult or None
        None for findings of no check: that one failed.
    findings : sequence of Finding
        At least one, worst first.
    """
    worst = findings[0]
    count = result.findings if result else len(findings)
    said = _said(worst)
    if count == 1:
        place = _place(worst)
        return f"{id}: {place}: {said}" if place else f"{id}: {said}"
    spread = _times(count, "finding")
    if result and result.clips:
        spread = _times(result.clips, "clip") + (f" ({_times(result.sequences, 'sequence')})" if result.sequences > result.clips else "")
    if worst.value is None or result is None or not result.unit:
        return f"{id}: {spread}, first {_place(worst) or 'one'}: {said}"
    return f"{id}: {spread}, worst {_amount(worst.value, result.unit)} in {_place(worst)}: {said}"


def print_inspection(inspection: Inspection, path: str | Path, detailed: bool = False) -> None:
    """Print the summary, then the findings: one line for each check, or each of them."""
    print_pairs(printable(str(path)), summary_pairs(inspection.summary))
    click.echo()
    results = {result.id: result for result in inspection.checks}
    for id, group in groupby(inspection.findings, key=lambda finding: finding.check):
        findings, result = list(group), results.get(id)
        click.echo(f"{findings[0].severity:<8} {aggregated(id, result, findings)}")
        if detailed:
            _print_each(findings, result)
        if result is not None:
            click.echo(f"{'':<8} {result.title}: {result.link}")
    for note in inspection.notes:
        click.echo(f"note     {printable(note)}")
    click.echo(_closing(inspection))


def _print_each(findings: list[Finding], result: CheckResult | None) -> None:
    for finding in findings:
        place = _place(finding)
        value = f" ({_amount(finding.value, result.unit)})" if finding.value is not None and result and result.unit else ""
        click.echo(f"{'':<9}- {place}{': ' if place else ''}{_said(finding)}{value}")
    if result and result.findings > len(findings):
        click.echo(f"{'':<9}- and {result.findings - len(findings):,} more, none of them worse")


def _closing(inspection: Inspection) -> str:
    """Return the last line: how much was found, by which checks, and what was left out why."""
    counts = [_times(inspection.count(severity), severity) for severity in reversed(SEVERITIES) if inspection.count(severity)]
    left_out: defaultdict[str, int] = defaultdict(int)
    for result in inspection.checks:
        if result.left_out:
            left_out[result.left_out] += 1
    ran = len(inspection.checks) - sum(left_out.values())
    unread = sum(result.unread > 0 for result in inspection.checks)
    parts = [f"{', '.join(counts) or 'nothing found'}: {_times(ran, 'check')} of policy {printable(inspection.policy)}"]
    parts += [f"{count} left out: {printable(reason)}" for reason, count in sorted(left_out.items())]
    if unread:
        parts.append(f"{unread} could not look at every sequence")
    return "; ".join(parts)


def print_checks(checks: Iterable[Check]) -> None:
    """Print all checks: id, severity, what they find, and their limits."""
    for check in checks:
        limits = ", ".join(f"{name} {value:g}" for name, value in check.limits.items())
        click.echo(f"{check.id:<32} {check.severity:<8} {check.title}" + (f" ({limits})" if limits else ""))
