"""Sequences are inspected one by one, a few at a time in worker processes; long ones in parts, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import h5py

from mocapgen.inspect.gather import Gathered, gather, merged
from mocapgen.inspect.ledger import Ledger
from mocapgen.inspect.measure import Measurements
from mocapgen.inspect.opening import InspectedRow, Opened, open_file, open_leniently
from mocapgen.inspect.policy import Planned
from mocapgen.inspect.views import SequenceView
from mocapgen.shared.parallel import map_ordered
from schemas.errors import DatasetError

PART = 4096
"""Frames that are looked at together, of one sequence or of several."""
WORTH_WORKERS = 6 * PART
"""With fewer frames than this in the file, starting worker processes takes longer than the work."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Part:
    """Frames of a sequence: from `offset` on, `length` of them."""

    sequence: int
    offset: int
    length: int


@dataclass
class Looked:
    """What came of some parts."""

    ledger: Ledger = field(default_factory=Ledger)
    gathered: dict[int, Gathered] = field(default_factory=dict)
    not_finite: set[int] = field(default_factory=set)
    measured: Measurements = field(default_factory=Measurements)

    def merge(self, other: Looked) -> None:
        """Add what came of other parts, which follow these."""
        self.ledger.merge(other.ledger)
        for sequence, found in other.gathered.items():
            known = self.gathered.get(sequence)
            self.gathered[sequence] = found if known is None else merged(known, found)
        self.not_finite |= other.not_finite
        self.measured.merge(other.measured)


class SequenceTask:
    """Runs checks on parts of sequences; sent to each worker once, where it opens the file itself.

    Parameters
    ----------
    path : Path
    planned : tuple of Planned
        Checks of scope ``sequence``.
    gathering : bool
        Whether something is to be gathered for the checks of the dataset.
    posed : frozenset of int
        Sequences of which the course of the pose is to be gathered.
    measuring : bool
        Whether what the charts of a report show is to be measured.
    """

    def __init__(self, path: Path, planned: tuple[Planned, ...], gathering: bool, posed: frozenset[int], measuring: bool = False) -> None:
        self.path = path
        self.planned = planned
        self.gathering = gathering
        self.posed = posed
        self.measuring = measuring
        self._file: h5py.File | None = None
        self._opened: Opened | None = None

    def __call__(self, parts: tuple[Part, ...]) -> Looked:
        """Look at some parts."""
        if self._opened is None:
            self._file = open_file(self.path)
            self._opened = open_leniently(self.path, self._file)
        looked = Looked()
        for part in parts:
            self._look(self._opened, part, looked)
        return looked

    def close(self) -> None:
        """Close the file, if this process opened it."""
        if self._file is not None:
            self._file.close()
        self._file = self._opened = None

    def _look(self, opened: Opened, part: Part, looked: Looked) -> None:
        assert opened.data is not None
        row = opened.row(part.sequence, part.offset, part.length)
        view = SequenceView(row, opened.skeletons[row.avatar], opened.data.fps)
        sound = _finite(row)
        if not sound:
            looked.not_finite.add(part.sequence)
        for planned in self.planned:
            if sound or planned.check.family == "structure":
                looked.ledger.run(planned, view, part.sequence, part.offset)
            else:
                looked.ledger.unread(planned, part.sequence)
        if not sound:
            return
        with suppress(DatasetError):  # an array that is needed cannot be read
            if self.gathering:
                looked.merge(Looked(gathered={part.sequence: gather(view, part.sequence in self.posed)}))
            if self.measuring:
                looked.measured.add(part.sequence, view)


def _finite(row: InspectedRow) -> bool:
    """Whether no number is missing; what follows from one that is would only hide it."""
    for name in ("positions_3d", "positions_2d", "quaternions", "euler"):
        try:
            if row.not_finite(name).any():
                return False
        except DatasetError:  # others may be readable
            continue
    return True


def look(
    path: Path,
    opened: Opened,
    planned: tuple[Planned, ...],
    gathering: bool,
    posed: frozenset[int],
    workers: int,
    progress: Progress | None,
    measuring: bool = False,
) -> Looked:
    """Run the checks of single sequences, and gather what the checks of the dataset need.

    Parameters
    ----------
    path : Path
    opened : Opened
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
    looked, done = Looked(), 0
    try:
        with map_ordered(task, batches, count) as results:
            for batch, result in zip(batches, results, strict=True):
                looked.merge(result)
                done += len({part.sequence for part in batch})
                if progress is not None:
                    progress(min(done, len(opened.rows)), len(opened.rows), "sequences")
    finally:
        task.close()
    return looked


def _batches(sequences: list[tuple[int, int]]) -> Iterator[tuple[Part, ...]]:
    """Yield parts of sequences, given by number and length, in groups of about :data:`PART` frames."""
    batch: list[Part] = []
    size = 0
    for sequence, length in sequences:
        for offset in range(0, length, PART):
            part = Part(sequence, offset, min(PART, length - offset))
            if batch and size + part.length > PART:
                yield tuple(batch)
                batch, size = [], 0
            batch.append(part)
            size += part.length
    if batch:
        yield tuple(batch)
