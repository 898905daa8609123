"""What ``mocapgen inspect`` prints: the summary, then the findings, worst first; and the reports that it writes."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
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
from mocapgen.shared.tables import print_columns, print_pairs, say
from mocapgen.shared.terminal import COLOURS, say_marked
from mocapgen.shared.text import count_of
from mocapgen.store.predictions import Predictions, open_any
from schemas.inspection import SEVERITIES, CheckResult, Finding, Inspection

STDOUT = "-"
_INDENT = 9
"""Of what stands beside a severity."""


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
        print_inspection(inspection, path, detailed or level > 0, target)
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


def aggregated(id: str, result: CheckResult | None, findings: Sequence[Finding], unit: str = "clip") -> str:
    """Return what a check found in one line: how often, and the worst of it.

    Parameters
    ----------
    id : str
    result : CheckResult or None
        None for findings of no check: that one failed.
    findings : sequence of Finding
        At least one, worst first.
    unit : str
        What is counted: sequences of predictions, which have a name each, and else clips.
    """
    worst = findings[0]
    count = result.findings if result else len(findings)
    said = _said(worst)
    if count == 1:
        place = _place(worst)
        return f"{id}: {place}: {said}" if place else f"{id}: {said}"
    spread = count_of(count, "finding")
    if result and result.clips:
        spread = count_of(result.clips, unit) + (f" ({count_of(result.sequences, 'sequence')})" if result.sequences > result.clips else "")
    if worst.value is None or result is None or not result.unit:
        return f"{id}: {spread}, first {_place(worst) or 'one'}: {said}"
    return f"{id}: {spread}, worst {_amount(worst.value, result.unit)} in {_place(worst)}: {said}"


def print_inspection(inspection: Inspection, path: str | Path, detailed: bool = False, report: Path | None = None) -> None:
    """Print the summary, then the findings: one line for each check, or each of them; and what to do about them.

    Parameters
    ----------
    inspection : Inspection
    path : str or Path
        Of the file.
    detailed : bool
    report : Path, optional
        Where the inspection has been written as JSON.
    """
    print_pairs(str(path), summary_pairs(inspection.summary))
    say("")
    results = {result.id: result for result in inspection.checks}
    unit = "clip" if inspection.summary.kind == "dataset" else "sequence"
    for id, group in groupby(inspection.findings, key=lambda finding: finding.check):
        findings, result = list(group), results.get(id)
        severity = findings[0].severity
        say_marked(severity, aggregated(id, result, findings, unit), _INDENT, COLOURS[severity])
        if detailed:
            _print_each(findings, result)
        if result is not None:
            say_marked("", f"{result.title}: {result.explain}", _INDENT)
    for note in inspection.notes:
        say_marked("note", note, _INDENT)
    say_marked("", _closing(inspection), 0)
    say(*_without_findings(inspection, path, report))


def _print_each(findings: list[Finding], result: CheckResult | None) -> None:
    for finding in findings:
        place = _place(finding)
        value = f" ({_amount(finding.value, result.unit)})" if finding.value is not None and result and result.unit else ""
        say_marked(f"{'':<{_INDENT}}-", f"{place}{': ' if place else ''}{_said(finding)}{value}", _INDENT + 2)
    if result and result.findings > len(findings):
        say(f"{'':<{_INDENT}}- and {result.findings - len(findings):,} more, none of them worse")


def _closing(inspection: Inspection) -> str:
    """Return the last line: how much was found, by which checks, and what was left out why."""
    counts = [count_of(inspection.count(severity), severity) for severity in reversed(SEVERITIES) if inspection.count(severity)]
    left_out: defaultdict[str, int] = defaultdict(int)
    for result in inspection.checks:
        if result.left_out:
            left_out[result.left_out] += 1
    ran = len(inspection.checks) - sum(left_out.values())
    unread = sum(result.unread > 0 for result in inspection.checks)
    parts = [f"{', '.join(counts) or 'nothing found'}: {count_of(ran, 'check')} of policy {inspection.policy}"]
    parts += [f"{count} left out: {reason}" for reason, count in sorted(left_out.items())]
    if unread:
        parts.append(f"{unread} could not look at every sequence")
    return "; ".join(parts)


def _without_findings(inspection: Inspection, path: str | Path, report: Path | None) -> list[str]:
    """Return how to leave out the sequences with findings; nothing if there are none, or nothing would be left, or the file is damaged."""
    flagged = [result for result in inspection.checks if result.severity != "info" and (result.rows or result.clip_ids)]
    rows = {row for result in flagged for row in result.rows}
    unsound = any(result.findings and result.severity == "error" and result.id.startswith("structure.") for result in inspection.checks)
    if not flagged or unsound or inspection.summary.kind != "dataset" or len(rows) == inspection.summary.sequences:
        return []
    file, name = shlex.quote(str(path)), shlex.quote(str(report or "report.json"))
    clean = "clean.h5" if Path(path).name != "clean.h5" else "cleaner.h5"
    reporting = [] if report else [f"  mocapgen inspect {file} --json {name}"]
    return ["to leave out the sequences with findings:", *reporting, f"  mocapgen select {file} --without-findings {name} --out {clean}"]


def print_clips(path: Path) -> int:
    """Print the clips of a dataset or predictions file, and return the exit status.

    Raises
    ------
    DatasetError
        If it cannot be read.
    """
    with open_any(path) as data:
        table = data.sequences
        clip = table["clip"] if isinstance(data, Predictions) else data.clips["id"][table["clip"]]
        people = [table[name] if isinstance(data, Predictions) else data.clips[name][table["clip"]] for name in ("actor", "action")]
        rows: dict[str, list[str]] = {}
        counts = Counter(map(str, clip))
        for name, actor, action, length in zip(clip, *people, table["length"], strict=True):
            rows.setdefault(str(name), [str(name), str(actor), str(action), f"{length:,}", f"{counts[str(name)]:,}"])
    print_columns([("clip", "actor", "action", "frames", "sequences"), *rows.values()])
    return 0


def print_checks(checks: Iterable[Check]) -> None:
    """Print all checks: id, severity, for which files unless for datasets only, what they find, and their limits."""
    for check in checks:
        limits = ", ".join(f"{name} {value:g}" for name, value in check.limits.items())
        files = "" if check.kinds == ("dataset",) else f"{' and '.join(check.kinds).replace('dataset', 'datasets')}: "
        say(f"{check.id:<32} {check.severity:<8} {files}{check.title}" + (f" ({limits})" if limits else ""))
