"""The dataset as a whole as checks see it: its tables, what was measured of each sequence, and a training run's split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.inspect.duplicates import DuplicatePair, matches
from mocapgen.inspect.lenient_reader import InspectedTables
from mocapgen.inspect.measure import SequenceFeatures
from mocapgen.shared.documents import read_json
from mocapgen.shared.text import quoted
from schemas.errors import ConfigError
from schemas.inspection import Finding

SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class SplitSides:
    """Sides of a split.

    Parameters
    ----------
    spec : str
        What the run was asked for: ``clip``, ``random``, ...
    sides : dict of str to frozenset of str
        By side, the names of the sequences: clip, avatar, camera, separated by `` / ``.
    """

    spec: str
    sides: dict[str, frozenset[str]]

    def of(self, name: str) -> tuple[str, ...]:
        """Return the sides that a sequence is on."""
        return tuple(side for side, names in self.sides.items() if name in names)


def read_split(path: str | Path) -> SplitSides:
    """Read the split of a run.

    Parameters
    ----------
    path : str or Path
        ``split.json`` of a run, or the run's folder.

    Raises
    ------
    ConfigError
        If it cannot be read or is no split.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "split.json"
    record = read_json(path, "the split of a run", f"split: {path}")
    sides = {}
    for side in SIDES:
        names = record.get(side)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ConfigError(f"split: {path}: expected a list of names under {side!r}, found {quoted(names)}")
        sides[side] = frozenset(names)
    return SplitSides(str(record.get("spec", "")), sides)


class DatasetView:
    """The dataset as a whole.

    Parameters
    ----------
    data : InspectedTables
    rows : (n,) int
        Rows of ``/sequences`` that can be trusted: they point at frames, clips, cameras and skeletons that exist.
    gathered : dict of int to SequenceFeatures
        What was gathered from the sequences that could be read, by row of ``/sequences``.
    split : SplitSides or None
        Who is on which side, if that was given.
    """

    def __init__(
        self, data: InspectedTables, rows: NDArray[np.int64], gathered: Mapping[int, SequenceFeatures], split: SplitSides | None = None
    ) -> None:
        self.data = data
        self.rows = rows
        self.gathered = gathered
        self.split = split

    def finding(self, message: str, *, sequence: int | None = None, clip: str = "", value: float | None = None, where: str = "") -> Finding:
        """Return a finding; check id and severity are filled in by the caller."""
        number = None if sequence is None else int(sequence)
        avatar = "" if number is None else str(self.sequences["avatar"][number])
        if number is not None and not clip:
            clip = str(self.clips["id"][self.sequences["clip"][number]])
        amount = float(value) if value is not None and np.isfinite(value) else None
        return Finding(check="", severity="info", message=message, where=where, sequence=number, clip=clip, avatar=avatar, value=amount)

    @property
    def sequences(self) -> dict[str, NDArray[Any]]:
        """The table of sequences, by column."""
        return self.data.sequences

    @property
    def clips(self) -> dict[str, NDArray[Any]]:
        """The table of clips, by column."""
        return self.data.clips

    def column(self, name: str) -> Array:
        """Return a number that was gathered from each sequence, such as ``azimuth``: (S,) float64, NaN where it could not be."""
        values = (getattr(self.gathered[row], name) if row in self.gathered else np.nan for row in range(len(self.sequences["start"])))
        return np.fromiter(values, dtype=np.float64)

    @cached_property
    def recordings(self) -> NDArray[Any]:
        """(C,) str: the recording that each clip was cut from; windows of one recording share it."""
        return recordings(self.clips)

    def name(self, sequence: int) -> str:
        """Return what a person, and a run's ``split.json``, call a sequence: clip, avatar, camera."""
        row = {key: column[sequence] for key, column in self.sequences.items()}
        return f"{self.clips['id'][row['clip']]} / {row['avatar']} / {self.data.cameras[row['camera']].rig}"

    @cache  # noqa: B019 (there is one view in an inspection, and it lives as long as that)
    def matches(self, max_degrees: float, max_share: float, min_seconds: float) -> list[DuplicatePair]:
        """Return clips of different recordings that show the same motion, by row of ``/clips``."""
        courses: dict[int, NDArray[np.float16]] = {}
        for row, found in sorted(self.gathered.items()):
            if found.poses is not None:
                courses.setdefault(int(self.sequences["clip"][row]), found.poses)
        return matches(courses, self.data.fps, max_degrees, max_share, min_seconds, self.recordings)


def recordings(clips: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return the recording that each row of ``/clips`` was cut from, (C,) str: windows of one recording share source and file."""
    return np.array([f"{source}:{file}" for source, file in zip(clips["source"], clips["file"], strict=True)], dtype=object)
