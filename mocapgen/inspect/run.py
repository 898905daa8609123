"""Inspect a dataset or predictions file: first the raw file, then sequence by sequence, then the dataset as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mocapgen.inspect.dataset_view import DatasetView, SplitSides, read_split
from mocapgen.inspect.lenient_reader import InspectableData
from mocapgen.inspect.measure import DatasetStatistics, SequenceFeatures
from mocapgen.inspect.opening import kind_of, open_contents, open_file
from mocapgen.inspect.policy import PlannedCheck, load_policy, plan
from mocapgen.inspect.prediction_summary import prediction_notes, with_predictions
from mocapgen.inspect.prediction_view import InspectedPredictions
from mocapgen.inspect.run_checks import FindingCollector, Inspected, inspect_sequences, silent
from mocapgen.inspect.summary import summarise
from mocapgen.shared.files import file_digest
from mocapgen.shared.progress import Progress
from mocapgen.shared.version import __version__
from schemas.inspection import Inspection, Severity

POSED_FRAMES = 1_000_000
"""Frames of which the pose is remembered, to find clips that show the same motion: 60 MB, and three times as much while they are compared."""
_POSED_CHECKS = ("dataset.near_duplicates", "dataset.split_leak")


@dataclass(frozen=True, eq=False)
class Survey:
    """An inspection, with the features and statistics of each sequence, which a report with charts needs.

    Parameters
    ----------
    inspection : Inspection
    gathered : dict of int to SequenceFeatures
        By row of ``/sequences``.
    measured : DatasetStatistics
    """

    inspection: Inspection
    gathered: Mapping[int, SequenceFeatures] = field(default_factory=dict)
    measured: DatasetStatistics = field(default_factory=DatasetStatistics)


def inspect(
    path: str | Path,
    *,
    policy: str | Path = "default",
    select: Sequence[str] | str = (),
    ignore: Sequence[str] | str = (),
    threshold: Severity = "warning",
    split: str | Path | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> Inspection:
    """Inspect a dataset or predictions file.

    Parameters
    ----------
    path : str or Path
        A dataset file, in whatever state it is, or a predictions file.
    policy : str or Path
        ``default``, ``training``, ``archive``, or a YAML file with the keys of :class:`~schemas.inspection.Policy`.
    select, ignore : str or sequence of str
        Ids of checks, patterns such as ``motion.*`` or families, also as comma lists; nothing selected means all.
    threshold : {"info", "warning", "error"}
        How severe findings must be to count for :attr:`~schemas.inspection.Inspection.exit_status`.
    split : str or Path, optional
        ``split.json`` of a training run, or the run's folder: then clips on two sides of it are looked for.
    workers : int
        Processes; 0 means as many as are worth it.
    progress : callable, optional
        Called with (sequences done, of how many, label).

    Returns
    -------
    Inspection

    Raises
    ------
    DatasetError
        If the file is missing, no HDF5 file, neither dataset nor predictions of this project, or of a newer schema; or if predictions are incomplete.
    ConfigError
        If policy, select, ignore or split name something that does not exist.
    """
    return survey(path, policy=policy, select=select, ignore=ignore, threshold=threshold, split=split, workers=workers, progress=progress).inspection


def survey(
    path: str | Path,
    *,
    policy: str | Path = "default",
    select: Sequence[str] | str = (),
    ignore: Sequence[str] | str = (),
    threshold: Severity = "warning",
    split: str | Path | None = None,
    workers: int = 0,
    progress: Progress | None = None,
    measuring: bool = False,
) -> Survey:
    """Inspect a dataset or predictions file, and keep the features and statistics of each sequence.

    Parameters
    ----------
    path, policy, select, ignore, threshold, split, workers, progress
        See :func:`inspect`.
    measuring : bool
        Whether to measure what the charts of a report show, too.

    Returns
    -------
    Survey

    Raises
    ------
    DatasetError, ConfigError
        See :func:`inspect`.
    """
    path = Path(path)
    sides = None if split is None else read_split(split)
    said, given = load_policy(policy), frozenset({"split"} if sides else ())
    plan(said, select, ignore, given)  # what is misspelt is said before the file is opened
    collector = FindingCollector()
    with open_file(path) as file:
        planned = plan(said, select, ignore, given, kind_of(file))
        with silent():
            for each in _of(planned, "file"):
                collector.run(each, file)
        summary = summarise(file, path.stat().st_size)
        opened = open_contents(path, file)
        inspected, notes = _inspect_contents(path, opened, planned, sides, collector, workers, progress, measuring)
        if isinstance(opened.data, InspectedPredictions):
            summary, notes = with_predictions(summary, opened.data, inspected.figures), (*notes, *prediction_notes(opened.data))
    closed = "" if opened.data is not None else "the structure does not allow it"
    results = tuple(collector.result(each, "" if each.check.scope == "file" else closed) for each in planned)
    inspection = Inspection(
        file=path.name,
        sha256=file_digest(path),
        generator=f"mocapgen {__version__}",
        policy=Path(policy).stem,
        threshold=threshold,
        split=sides.spec if sides else "",
        summary=summary,
        checks=results,
        findings=collector.findings(each.check.id for each in planned),
        notes=notes,
    )
    return Survey(inspection, inspected.gathered, inspected.measured)


def _of(planned: tuple[PlannedCheck, ...], scope: str) -> tuple[PlannedCheck, ...]:
    """Return the checks of a scope that are to be run."""
    return tuple(each for each in planned if each.check.scope == scope and not each.left_out)


def _inspect_contents(
    path: Path,
    opened: InspectableData,
    planned: tuple[PlannedCheck, ...],
    split: SplitSides | None,
    collector: FindingCollector,
    workers: int,
    progress: Progress | None,
    measuring: bool,
) -> tuple[Inspected, tuple[str, ...]]:
    """Run the checks of sequences and of the dataset; return the results of the sequences, and what could not be checked."""
    if opened.data is None:
        return Inspected(), (f"sequences and the dataset as a whole could not be looked at: {opened.problem}",)
    single, whole = _of(planned, "sequence"), _of(planned, "dataset")
    posed = _posed(opened) if any(each.check.id in _POSED_CHECKS for each in whole) else frozenset()
    needed = single or whole or measuring or isinstance(opened.data, InspectedPredictions)
    inspected = inspect_sequences(path, opened, single, bool(whole) or measuring, posed, workers, progress, measuring) if needed else Inspected()
    collector.merge(inspected.collector)
    view = DatasetView(opened.data, opened.rows, inspected.gathered, split)
    with silent():
        for each in whole:
            collector.run(each, view)
    return inspected, tuple(_notes(opened, inspected, posed))


def _posed(opened: InspectableData) -> frozenset[int]:
    """Return the first sequence of every clip: the motion is the same on every avatar."""
    assert opened.data is not None
    table = opened.data.sequences
    first: dict[int, int] = {}
    frames = 0
    for row in opened.rows.tolist():
        if int(table["clip"][row]) not in first and frames + int(table["length"][row]) <= POSED_FRAMES:
            first[int(table["clip"][row])] = row
            frames += int(table["length"][row])
    return frozenset(first.values())


def _notes(opened: InspectableData, inspected: Inspected, posed: frozenset[int]) -> list[str]:
    assert opened.data is not None
    notes = []
    lost = len(opened.data) - len(opened.rows)
    if lost:
        notes.append(
            f"{lost:,} of {len(opened.data):,} sequences could not be looked at: see what structure checks found in tables, skeletons and cameras"
        )
    if inspected.not_finite:
        notes.append(f"{len(inspected.not_finite):,} sequences hold numbers that are not finite: only their structure was looked at")
    clips = len({int(clip) for clip in opened.data.sequences["clip"][opened.rows]})
    if posed and len(posed) < clips:
        notes.append(f"only {len(posed):,} of {clips:,} clips were compared with each other: more do not fit into memory")
    return notes
