"""What ``mocapgen inspect`` prints: the summary, then the findings, worst first; and the reports that it writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from mocapgen.inspect.registry import Check
from mocapgen.inspect.report import write_html, write_json
from mocapgen.inspect.run import survey
from mocapgen.inspect.summary import summary_pairs
from mocapgen.shared.markup import json_for_terminal
from mocapgen.shared.outputs import writing
from mocapgen.shared.progress import progress_bar
from mocapgen.shared.tables import print_pairs, say
from schemas.inspection import SEVERITIES, CheckResult, Finding, Inspection

STDOUT = "-"


def inspect_and_report(
    path: Path,
    *,
    level: int = 0,
    detailed: bool = False,
    json: str | None = None,
    html: str | None = None,
    overwrite: bool = False,
    **options: Any,
) -> int:
    """Inspect a file, print what there is to say, and return the exit status.

    Parameters
    ----------
    path : Path
    level : int
        Verbosity: below 0 nothing is printed, above 0 each finding is.
    detailed : bool
        Whether each finding is printed.
    json : str, optional
        File for the whole :class:`~schemas.inspection.Inspection`; ``-`` for standard output, in place of the text.
    html : str, optional
        File for the report with charts and player (:func:`mocapgen.inspect.report.report_page`).
    overwrite : bool
        Whether these files may be replaced.
    **options
        Of :func:`mocapgen.inspect.run.inspect`.

    Raises
    ------
    MocapError
        If the file could not be inspected, or a report not be written.
    """
    target = None if json in (None, STDOUT) else Path(str(json))
    page = None if html is None else Path(html)
    split = options.get("split")
    inputs = [path, options.get("policy"), split, split and Path(split) / "split.json"]
    with writing(target, page, overwrite=overwrite, inputs=inputs):
        with progress_bar(level) as progress:
            found = survey(path, progress=progress, measuring=page is not None, **options)
        inspection = found.inspection
        if page is not None:
            write_html(found, path, page, overwrite)
        if target is not None:
            write_json(inspection, target, overwrite)
    if json == STDOUT:
        click.echo(json_for_terminal(inspection.model_dump_json(indent=2)))
    elif level >= 0:
        print_inspection(inspection, path, detailed or level > 0)
    return inspection.exit_status


def _place(finding: Finding) -> str:
    """Return where something was found, for people: clip, avatar, frame, joint; or the path in the file."""
    parts = [finding.clip + (f" on {finding.avatar}" if finding.avatar else "") if finding.clip else ""]
    if not finding.clip and finding.sequence is not None:
        parts.append(f"sequence {finding.sequence}")
    parts.append(f"frame {finding.frame}" if finding.frame is not None else "")
    parts.append(finding.joint)
    return ", ".join(part for part in parts if part) or finding.where


def _said(finding: Finding) -> str:
    """Return the message, without the joint if it starts with that: the place has it."""
    return finding.message.removeprefix(f"{finding.joint}: ") if finding.joint else finding.message


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
    print_pairs(str(path), summary_pairs(inspection.summary))
    say("")
    results = {result.id: result for result in inspection.checks}
    for id, group in groupby(inspection.findings, key=lambda finding: finding.check):
        findings, result = list(group), results.get(id)
        say(f"{findings[0].severity:<8} {aggregated(id, result, findings)}")
        if detailed:
            _print_each(findings, result)
        if result is not None:
            say(f"{'':<8} {result.title}: {result.link}")
    for note in inspection.notes:
        say(f"note     {note}")
    say(_closing(inspection))


def _print_each(findings: list[Finding], result: CheckResult | None) -> None:
    for finding in findings:
        place = _place(finding)
        value = f" ({_amount(finding.value, result.unit)})" if finding.value is not None and result and result.unit else ""
        say(f"{'':<9}- {place}{': ' if place else ''}{_said(finding)}{value}")
    if result and result.findings > len(findings):
        say(f"{'':<9}- and {result.findings - len(findings):,} more, none of them worse")


def _closing(inspection: Inspection) -> str:
    """Return the last line: how much was found, by which checks, and what was left out why."""
    counts = [_times(inspection.count(severity), severity) for severity in reversed(SEVERITIES) if inspection.count(severity)]
    left_out: defaultdict[str, int] = defaultdict(int)
    for result in inspection.checks:
        if result.left_out:
            left_out[result.left_out] += 1
    ran = len(inspection.checks) - sum(left_out.values())
    unread = sum(result.unread > 0 for result in inspection.checks)
    parts = [f"{', '.join(counts) or 'nothing found'}: {_times(ran, 'check')} of policy {inspection.policy}"]
    parts += [f"{count} left out: {reason}" for reason, count in sorted(left_out.items())]
    if unread:
        parts.append(f"{unread} could not look at every sequence")
    return "; ".join(parts)


def print_checks(checks: Iterable[Check]) -> None:
    """Print all checks: id, severity, for which files unless for datasets only, what they find, and their limits."""
    for check in checks:
        limits = ", ".join(f"{name} {value:g}" for name, value in check.limits.items())
        files = "" if check.kinds == ("dataset",) else f"{' and '.join(check.kinds).replace('dataset', 'datasets')}: "
        say(f"{check.id:<32} {check.severity:<8} {files}{check.title}" + (f" ({limits})" if limits else ""))
