"""The ledger of an inspection: checks are run into it, and it keeps what they find, however much that is, in bounded memory."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from mocapgen.inspect.policy import Planned
from schemas.errors import DatasetError
from schemas.inspection import CHECK_FAILED, SEVERITIES, CheckResult, Finding, Severity

KEPT = 1000
"""Findings of one check that are kept: the worst."""


class Ledger:
    """What has been found so far; two of them can be put together."""

    def __init__(self) -> None:
        self._kept: defaultdict[str, list[Finding]] = defaultdict(list)
        self._count: defaultdict[str, int] = defaultdict(int)
        self._sequences: defaultdict[str, set[int]] = defaultdict(set)
        self._clips: defaultdict[str, set[str]] = defaultdict(set)
        self._unread: defaultdict[str, set[int]] = defaultdict(set)
        self._left_out: dict[str, str] = {}

    def run(self, planned: Planned, subject: Any, sequence: int | None = None, first_frame: int = 0) -> None:
        """Run a check and keep its findings; one that fails leaves a finding that says so, never an exception.

        Parameters
        ----------
        planned : Planned
        subject : h5py.File, SequenceView or DatasetView
            What the check looks at, by its scope.
        sequence : int, optional
            Row of the sequence that the subject is, or is a part of.
        first_frame : int
            Frame of the sequence at which the part starts.
        """
        check = planned.check
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                for finding in check.run(subject, **planned.limits):
                    frame = None if finding.frame is None else finding.frame + first_frame
                    self._add(finding.model_copy(update={"check": check.id, "severity": planned.severity, "frame": frame}))
        except DatasetError as error:
            if sequence is None:
                self._left_out[check.id] = f"could not read what it needs: {error}"
            else:
                self.unread(planned, sequence)
        except Exception as error:
            what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            message = f"expected {check.id} to run, found {what}; this is a bug: please report it"
            self._add(Finding(check=CHECK_FAILED, severity="error", message=message, sequence=sequence))

    def unread(self, planned: Planned, sequence: int) -> None:
        """Note that a check could not look at a sequence."""
        self._unread[planned.check.id].add(sequence)

    def _add(self, finding: Finding) -> None:
        id = finding.check
        self._count[id] += 1
        if finding.sequence is not None:
            self._sequences[id].add(finding.sequence)
        if finding.clip:
            self._clips[id].add(finding.clip)
        self._keep(id, (finding,))

    def _keep(self, id: str, findings: Iterable[Finding]) -> None:
        kept = self._kept[id]
        kept.extend(findings)
        if len(kept) > 2 * KEPT:
            kept.sort(key=_rank)
            del kept[KEPT:]

    def merge(self, other: Ledger) -> None:
        """Add what another ledger holds."""
        for id, count in other._count.items():
            self._count[id] += count
            self._sequences[id] |= other._sequences[id]
            self._clips[id] |= other._clips[id]
            self._keep(id, other._kept[id])
        for id, sequences in other._unread.items():
            self._unread[id] |= sequences

    def findings(self, order: Iterable[str]) -> tuple[Finding, ...]:
        """Return what is kept, worst first: by severity, then check by check in the given order, there by value."""
        place = {id: index for index, id in enumerate((CHECK_FAILED, *order))}
        kept = [finding for findings in self._kept.values() for finding in sorted(findings, key=_rank)[:KEPT]]
        return tuple(sorted(kept, key=lambda finding: (-SEVERITIES.index(finding.severity), place[finding.check], _rank(finding))))

    def result(self, planned: Planned, left_out: str = "") -> CheckResult:
        """Return what came of a check."""
        check = planned.check
        severity: Severity = planned.severity
        return CheckResult(
            id=check.id,
            title=check.title,
            severity=severity,
            unit=check.unit,
            link=check.link,
            limits=planned.limits,
            left_out=planned.left_out or self._left_out.get(check.id, left_out),
            unread=len(self._unread[check.id]),
            findings=self._count[check.id],
            sequences=len(self._sequences[check.id]),
            clips=len(self._clips[check.id]),
        )


def _rank(finding: Finding) -> tuple[float, int, int, str]:
    """Return a key that sorts the findings of one check, worst first."""
    return (
        -finding.value if finding.value is not None else float("inf"),
        -1 if finding.sequence is None else finding.sequence,
        -1 if finding.frame is None else finding.frame,
        finding.where,
    )
