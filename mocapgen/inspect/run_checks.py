"""Run checks on sequences, a few at a time in worker processes, long ones in parts, and collect the findings in bounded memory."""

from __future__ import annotations

import multiprocessing
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mocapgen.inspect.lenient_reader import InspectableData, InspectedRow
from mocapgen.inspect.measure import DatasetStatistics, SequenceFeatures, merged_features, sequence_features
from mocapgen.inspect.opening import open_contents, open_file, view_of
from mocapgen.inspect.policy import PlannedCheck
from mocapgen.inspect.prediction_figures import PredictionFigures, prediction_figures
from mocapgen.inspect.prediction_view import PredictionView
from mocapgen.inspect.screens import jumps, suspects, walks
from mocapgen.inspect.sequence_batch import read_batch
from mocapgen.inspect.sequence_view import SequenceView
from mocapgen.shared.freed_memory import keep_freed_memory
from mocapgen.shared.parallel import map_ordered
from mocapgen.shared.progress import Progress
from mocapgen.store.reader import SequenceRow
from schemas.errors import DatasetError
from schemas.inspection import CHECK_FAILED, SEVERITIES, CheckResult, Finding, Severity

KEPT = 1000
"""Findings of one check that are kept: the worst."""


@contextmanager
def silent() -> Iterator[None]:
    """Let NumPy say nothing about numbers that are not finite: checks find them."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


class FindingCollector:
    """What has been found so far; two of them can be put together."""

    def __init__(self) -> None:
        self._kept: defaultdict[str, list[Finding]] = defaultdict(list)
        self._count: defaultdict[str, int] = defaultdict(int)
        self._sequences: defaultdict[str, set[int]] = defaultdict(set)
        self._clips: defaultdict[str, set[str]] = defaultdict(set)
        self._clips_as_such: defaultdict[str, set[str]] = defaultdict(set)
        self._unread: defaultdict[str, set[int]] = defaultdict(set)
        self._left_out: dict[str, str] = {}

    def run(self, planned: PlannedCheck, subject: Any, sequence: int | None = None, first_frame: int = 0) -> None:
        """Run a check, where numbers are :func:`silent`, and keep its findings; a check that fails leaves a finding, never an exception.

        Parameters
        ----------
        planned : PlannedCheck
        subject : h5py.File, SequenceView or DatasetView
            What the check examines, by its scope.
        sequence : int, optional
            Row of the sequence that the subject is, or is a part of.
        first_frame : int
            Frame of the sequence at which the part starts.
        """
        check = planned.check
        try:
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

    def unread(self, planned: PlannedCheck, sequence: int) -> None:
        """Note that a check could not run on a sequence."""
        self._unread[planned.check.id].add(sequence)

    def _add(self, finding: Finding) -> None:
        id = finding.check
        self._count[id] += 1
        if finding.sequence is not None:
            self._sequences[id].add(finding.sequence)
        if finding.clip:
            self._clips[id].add(finding.clip)
            if finding.sequence is None:
                self._clips_as_such[id].add(finding.clip)
        self._keep(id, (finding,))

    def _keep(self, id: str, findings: Iterable[Finding]) -> None:
        kept = self._kept[id]
        kept.extend(findings)
        if len(kept) > 2 * KEPT:
            kept.sort(key=_rank)
            del kept[KEPT:]

    def merge(self, other: FindingCollector) -> None:
        """Add what another collector holds."""
        for id, count in other._count.items():
            self._count[id] += count
            self._sequences[id] |= other._sequences[id]
            self._clips[id] |= other._clips[id]
            self._clips_as_such[id] |= other._clips_as_such[id]
            self._keep(id, other._kept[id])
        for id, sequences in other._unread.items():
            self._unread[id] |= sequences

    def findings(self, order: Iterable[str]) -> tuple[Finding, ...]:
        """Return what is kept, worst first: by severity, then check by check in the given order, there by value."""
        place = {id: index for index, id in enumerate((CHECK_FAILED, *order))}
        kept = [finding for findings in self._kept.values() for finding in sorted(findings, key=_rank)[:KEPT]]
        return tuple(sorted(kept, key=lambda finding: (-SEVERITIES.index(finding.severity), place[finding.check], _rank(finding))))

    def result(self, planned: PlannedCheck, left_out: str = "") -> CheckResult:
        """Return the result of a check."""
        check = planned.check
        severity: Severity = planned.severity
        return CheckResult(
            id=check.id,
            title=check.title,
            severity=severity,
            unit=check.unit,
            explain=check.explain,
            limits=planned.limits,
            left_out=planned.left_out or self._left_out.get(check.id, left_out),
            unread=len(self._unread[check.id]),
            findings=self._count[check.id],
            sequences=len(self._sequences[check.id]),
            clips=len(self._clips[check.id]),
            rows=tuple(sorted(self._sequences[check.id])),
            clip_ids=tuple(sorted(self._clips_as_such[check.id])),
        )


def _rank(finding: Finding) -> tuple[float, int, int, str]:
    """Return a key that sorts the findings of one check, worst first."""
    return (
        -finding.value if finding.value is not None else float("inf"),
        -1 if finding.sequence is None else finding.sequence,
        -1 if finding.frame is None else finding.frame,
        finding.where,
    )


PART = 4096
"""Frames that are looked at together, of one sequence or of several."""
_KEPT_BYTES = 2**27  # by each worker from one batch to the next: as much as the arrays of a batch take
WORTH_WORKERS = 6 * PART
"""With fewer frames than this in the file, starting worker processes takes longer than the work."""


@dataclass(frozen=True)
class FrameRange:
    """Frames of a sequence: from `offset` on, `length` of them."""

    sequence: int
    offset: int
    length: int


@dataclass
class Inspected:
    """Results of some parts."""

    collector: FindingCollector = field(default_factory=FindingCollector)
    gathered: dict[int, SequenceFeatures] = field(default_factory=dict)
    not_finite: set[int] = field(default_factory=set)
    measured: DatasetStatistics = field(default_factory=DatasetStatistics)
    figures: PredictionFigures = field(default_factory=PredictionFigures)

    def gather(self, sequence: int, found: SequenceFeatures) -> None:
        """Add the features of a sequence, or of the part of it that follows what is there."""
        known = self.gathered.get(sequence)
        self.gathered[sequence] = found if known is None else merged_features(known, found)

    def merge(self, other: Inspected) -> None:
        """Add the results of other parts, which follow these."""
        self.collector.merge(other.collector)
        for sequence, found in other.gathered.items():
            self.gather(sequence, found)
        self.not_finite |= other.not_finite
        self.measured.merge(other.measured)
        self.figures.merge(other.figures)


@dataclass(frozen=True)
class Prospect:
    """What is to be done with a part of a sequence.

    Parameters
    ----------
    checks : tuple of PlannedCheck
        Those that may find something.
    sound : bool
        Whether its numbers are finite.
    jumps, walks : bool
        Whether somebody may.
    """

    checks: tuple[PlannedCheck, ...]
    sound: bool
    jumps: bool = True
    walks: bool = True


class SequenceTask:
    """Runs checks on parts of sequences; sent to each worker once, where it opens the file itself.

    Parameters
    ----------
    path : Path
    planned : tuple of PlannedCheck
        Checks of scope ``sequence``.
    gathering : bool
        Whether something is to be gathered for the checks of the dataset.
    posed : frozenset of int
        Sequences of which the course of the pose is to be gathered.
    measuring : bool
        Whether what the charts of a report show is to be measured.
    """

    def __init__(self, path: Path, planned: tuple[PlannedCheck, ...], gathering: bool, posed: frozenset[int], measuring: bool = False) -> None:
        self.path = path
        self.planned = planned
        self.gathering = gathering
        self.posed = posed
        self.measuring = measuring
        self._file: h5py.File | None = None
        self._opened: InspectableData | None = None

    def __call__(self, parts: tuple[FrameRange, ...]) -> Inspected:
        """Check some parts."""
        if self._opened is None:
            if multiprocessing.parent_process() is not None:  # a worker, whose memory is ours to keep
                keep_freed_memory(_KEPT_BYTES)
            self._file = open_file(self.path)
            self._opened = open_contents(self.path, self._file)
        inspected = Inspected()
        with silent():
            views = [view_of(self._opened, part.sequence, part.offset, part.length) for part in parts]
            for view, part, prospect in zip(views, parts, self._prospects(views), strict=True):
                self._inspect_part(view, part, prospect, inspected)
        return inspected

    def _prospects(self, views: list[SequenceView]) -> list[Prospect]:
        """Return what is to be done with each of some parts."""
        batch = read_batch(views)
        if batch is None:
            return [Prospect(self.planned, _finite(view.row)) for view in views]
        suspected = [(planned, suspects(batch, planned)) for planned in self.planned]
        jumping, walking = (jumps(batch), walks(batch)) if self.gathering else (np.zeros(len(views), dtype=bool),) * 2
        checks = [tuple(planned for planned, where in suspected if where[place]) for place in range(len(views))]
        return [Prospect(some, True, bool(jump), bool(walk)) for some, jump, walk in zip(checks, jumping, walking, strict=True)]

    def close(self) -> None:
        """Close the file, if this process opened it."""
        if self._file is not None:
            self._file.close()
        self._file = self._opened = None

    def _inspect_part(self, view: SequenceView, part: FrameRange, prospect: Prospect, inspected: Inspected) -> None:
        if not prospect.sound:
            inspected.not_finite.add(part.sequence)
        for planned in prospect.checks:
            if prospect.sound or planned.check.family == "structure":
                inspected.collector.run(planned, view, part.sequence, part.offset)
            else:
                inspected.collector.unread(planned, part.sequence)
        if not prospect.sound:
            return
        with suppress(DatasetError):  # an array that is needed cannot be read
            if self.gathering:
                posed = part.sequence in self.posed
                inspected.gather(part.sequence, sequence_features(view, posed, prospect.jumps, prospect.walks))
            if self.measuring:
                inspected.measured.add(part.sequence, view)
            if isinstance(view, PredictionView):
                inspected.figures.merge(prediction_figures(view))


def _finite(row: SequenceRow) -> bool:
    """Whether no number is missing; what follows from one that is would only hide it."""
    assert isinstance(row, InspectedRow)
    for name in ("positions_3d", "positions_2d", "quaternions", "euler"):
        try:
            if row.not_finite(name).any():
                return False
        except DatasetError:  # others may be readable
            continue
    return True


def inspect_sequences(
    path: Path,
    opened: InspectableData,
    planned: tuple[PlannedCheck, ...],
    gathering: bool,
    posed: frozenset[int],
    workers: int,
    progress: Progress | None,
    measuring: bool = False,
) -> Inspected:
    """Run the checks of single sequences, and gather what the checks of the dataset need.

    Parameters
    ----------
    path : Path
    opened : InspectableData
        With data.
    planned, gathering, posed, measuring
        See :class:`SequenceTask`.
    workers : int
        Processes; 0 means as many as are worth it.
    progress : callable or None
        Called with (sequences done, of how many, label).
    """
    assert opened.data is not None
    lengths = opened.data.sequences["length"]
    batches = list(_batches([(int(row), int(lengths[row])) for row in opened.rows]))
    count = 1 if not workers and int(lengths[opened.rows].sum()) < WORTH_WORKERS else workers
    task = SequenceTask(path, planned, gathering, posed, measuring)
    inspected, done = Inspected(), 0
    try:
        with map_ordered(task, batches, count) as results:
            for batch, result in zip(batches, results, strict=True):
                inspected.merge(result)
                done += len({part.sequence for part in batch})
                if progress is not None:
                    progress(min(done, len(opened.rows)), len(opened.rows), "sequences")
    finally:
        task.close()
    return inspected


def _batches(sequences: list[tuple[int, int]]) -> Iterator[tuple[FrameRange, ...]]:
    """Yield parts of sequences, given by number and length, in groups of about :data:`PART` frames."""
    batch: list[FrameRange] = []
    size = 0
    for sequence, length in sequences:
        for offset in range(0, length, PART):
            part = FrameRange(sequence, offset, min(PART, length - offset))
            if batch and size + part.length > PART:
                yield tuple(batch)
                batch, size = [], 0
            batch.append(part)
            size += part.length
    if batch:
        yield tuple(batch)
