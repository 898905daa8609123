"""Join dataset files: ``mocapgen merge``.

Files fit together if they agree on everything that a frame means: rate, conventions, joints, and the build of avatars of the
same name. Clips, cameras and sequences that are in several files are taken once:

* a clip is known by its id, and everything else that is said of it must be the same;
* a camera is known by what it is (K, R, t, image) and its name;
* a sequence is known by clip, avatar and what its camera is, and its frames must be the same.

Only the rows of earlier files are looked up, so that each file's own rows stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.outputs import writing
from mocapgen.shared.progress import Progress
from mocapgen.store.compatibility import differences
from mocapgen.store.copying import Columns, CopiedSequences, CopyPlan, blocks, origin, report, surplus, take, write
from mocapgen.store.reader import Dataset, open_dataset
from schemas.errors import ConfigError, DatasetError
from schemas.report import SubsetReport
from schemas.subset import Derivation

SHOWN = 10
"""Most lines of an error."""

_LOOKS = ("K", "R", "t", "width", "height")
"""What a camera is, whatever its name."""


def merge_datasets(
    paths: Sequence[str | Path], out: str | Path | None = None, overwrite: bool = False, progress: Progress | None = None
) -> SubsetReport:
    """Join dataset files into one.

    Sequences follow each other in the order of the files. What is in several files is taken once. Of two cameras that have the
    same name and show the same clip and avatar from different positions, the later one is renamed (``front`` to ``front~2``).
    The attribute ``config`` holds name, digest and configuration of every file.

    Parameters
    ----------
    paths : sequence of str or Path
        At least two dataset files.
    out : str or Path, optional
        The file to write; without it, only check and report.
    overwrite : bool
        Whether to replace `out`.
    progress : callable, optional
        Called with frames done, frames in all, and the last clip.

    Returns
    -------
    SubsetReport

    Raises
    ------
    ConfigError
        If there are not two files, a file is given twice, or `out` is one of them.
    DatasetError
        If the files do not fit together (with one line for each difference), a file cannot be read, or `out` cannot be written.
    """
    inputs, out = [Path(path) for path in paths], None if out is None else Path(out)
    _check_inputs(inputs)
    with writing(out, overwrite=overwrite, inputs=inputs), ExitStack() as stack:
        files = [stack.enter_context(open_dataset(path)) for path in inputs]
        _refuse(differences(files))
        merged = _Merged()
        for data in files:
            merged.add(data)
        plan = merged.plan()
        if not len(plan.length):
            raise DatasetError(f"{inputs[0]}: expected at least one sequence in one of the files, found none; see `mocapgen inspect`")
        if out is not None:
            write(plan, Derivation(command="merge", inputs=tuple(origin(data) for data in files)), out, overwrite, progress)
        return report(plan, sum(map(len, files)), out)


def _check_inputs(inputs: list[Path]) -> None:
    if len(inputs) < 2:
        raise ConfigError(f"merge: expected at least two dataset files, found {len(inputs)}; `mocapgen select` copies one, or a part of it")
    for place, path in enumerate(inputs):
        if path.exists() and any(other.exists() and path.samefile(other) for other in inputs[:place]):
            raise ConfigError(f"{path}: expected different files, found this one twice; name it once")


def _refuse(problems: list[str]) -> None:
    if problems:
        more = [f"and {len(problems) - SHOWN} more differences"] if len(problems) > SHOWN else []
        raise DatasetError(*problems[:SHOWN], *more)


@dataclass
class _Merged:
    """The tables so far, and where to find what is in them."""

    parts: list[CopiedSequences] = field(default_factory=list)
    clips: list[Columns] = field(default_factory=list)
    cameras: list[Columns] = field(default_factory=list)
    clip_rows: dict[str, tuple[int, Dataset, int]] = field(default_factory=dict)
    """Clip id to its row here, the file it is from and its row there."""
    camera_rows: dict[tuple[bytes, str], int] = field(default_factory=dict)
    """What a camera is and its name, to its row here."""
    taken: dict[tuple[int, str, bytes], tuple[Dataset, int]] = field(default_factory=dict)
    """Clip row, avatar and what the camera is, to the file and its sequence."""
    names: set[tuple[int, str, str]] = field(default_factory=set)
    """Clip row, avatar and the camera's name."""
    repeated: int = 0
    renamed: dict[str, str] = field(default_factory=dict)

    def add(self, data: Dataset) -> None:
        """Add the sequences of a file that are not there yet.

        Raises
        ------
        DatasetError
            With one line for each clip or sequence that is there with another content.
        """
        clip_of = self._clips(data)
        table = data.table("cameras")
        looks = [b"".join(np.ascontiguousarray(table[name][row]).tobytes() for name in _LOOKS) for row in range(len(table["K"]))]
        sequences = data.sequences
        keys = [(clip_of[c], str(avatar), looks[m]) for c, avatar, m in zip(*(sequences[k] for k in ("clip", "avatar", "camera")), strict=True)]
        known = [row for row, key in enumerate(keys) if key in self.taken]
        _refuse([line for row in known if (line := _other_frames(*self.taken[keys[row]], data, row))])
        self.repeated += len(known)
        rows = np.setdiff1d(np.arange(len(data)), known).astype(np.intp)
        camera_of = self._cameras(table, looks, rows, sequences["camera"], keys)
        self.taken.update({keys[row]: (data, int(row)) for row in rows})
        clips = np.array([keys[row][0] for row in rows], dtype=np.intp)
        cameras = np.array([camera_of[sequences["camera"][row]] for row in rows], dtype=np.intp)
        self.parts.append(CopiedSequences(data, rows, clips, cameras))

    def _clips(self, data: Dataset) -> dict[int, int]:
        """Add the clips that are new; return the row here of each clip that is used."""
        used = np.unique(data.sequences["clip"])
        ids = [str(name) for name in data.clips["id"]]
        known = [row for row in used if ids[row] in self.clip_rows]
        _refuse([line for row in known if (line := _other_clip(*self.clip_rows[ids[row]][1:], data, int(row)))])
        new = np.setdiff1d(used, known).astype(np.intp)
        first = sum(len(columns["id"]) for columns in self.clips)
        self.clips.append(take(data.clips, new))
        row_of = {int(row): self.clip_rows[ids[row]][0] for row in known} | {int(row): first + place for place, row in enumerate(new)}
        for row in new:
            self.clip_rows.setdefault(ids[row], (row_of[int(row)], data, int(row)))
        return row_of

    def _cameras(
        self, table: Columns, looks: list[bytes], rows: NDArray[np.intp], camera: NDArray[Any], keys: list[tuple[int, str, bytes]]
    ) -> dict[int, int]:
        """Add the cameras that are new and see one of the sequences `rows`; return the row here of each camera."""
        first = sum(len(columns["K"]) for columns in self.cameras)
        row_of: dict[int, int] = {}
        new: list[int] = []
        rigs: list[str] = []
        names: set[tuple[int, str, str]] = set()
        for number in np.unique(camera[rows]).tolist():
            seen = [keys[row][:2] for row in rows[camera[rows] == number]]
            rig = self._free_name(str(table["rig"][number]), seen)
            names |= {(*key, rig) for key in seen}
            known = self.camera_rows.get((looks[number], rig))
            row_of[number] = first + len(new) if known is None else known
            if known is None:
                new.append(number)
                rigs.append(rig)
        self.names |= names
        for place, (number, rig) in enumerate(zip(new, rigs, strict=True)):
            self.camera_rows.setdefault((looks[number], rig), first + place)
        self.cameras.append(take(table, np.array(new, dtype=np.intp)) | {"rig": np.array(rigs, dtype=object)})
        return row_of

    def _free_name(self, rig: str, seen: list[tuple[int, str]]) -> str:
        """Return the camera's name, or one derived from it if an earlier file has another camera of that name on the same clip."""
        for number in count(1):
            name = rig if number == 1 else f"{rig}~{number}"
            if all((*key, name) not in self.names for key in seen):
                break
        if name != rig:
            self.renamed[rig] = name
        return name

    def plan(self) -> CopyPlan:
        """Return the file to be written."""
        return CopyPlan(
            parts=tuple(self.parts),
            clips=_stack(self.clips),
            cameras=_stack(self.cameras),
            skipped=_skipped([part.data for part in self.parts]),
            notes=tuple(self._notes()),
        )

    def _notes(self) -> list[str]:
        notes = []
        if self.repeated:
            notes.append(f"{self.repeated:,} sequences that are in several files were taken once")
        if self.renamed:
            renamed = ", ".join(f"{old} to {new}" for old, new in list(self.renamed.items())[:3])
            notes.append(f"cameras renamed, since another one of the same name looks at the same clip: {renamed}")
        recordings: dict[str, set[tuple[str, str]]] = {}
        for columns in self.clips:
            for source, file, digest in zip(columns["source"], columns["file"], columns["sha256"], strict=True):
                recordings.setdefault(str(digest), set()).add((str(source), str(file)))
        twice = sorted(sorted(names) for digest, names in recordings.items() if digest and len(names) > 1)
        if twice:
            shown = " and ".join(f"{file} ({source})" for source, file in twice[0])
            notes.append(f"{len(twice):,} recordings are there under several names: {shown}")
        foreign = {part.data.path: surplus(part.data) for part in self.parts}
        notes += [f"{path}: not copied, since the schema does not know it: {', '.join(names)}" for path, names in foreign.items() if names]
        return notes


def _stack(tables: list[Columns]) -> Columns:
    return {name: np.concatenate([columns[name] for columns in tables]) for name in tables[0]}


def _skipped(files: list[Dataset]) -> Columns:
    """Return what was found and not used: not by the build of any of the files. Rows that repeat those of an earlier file are dropped."""
    names = ("file", "reason", "detail")
    used = [{(str(source), str(file)) for source, file in zip(data.clips["source"], data.clips["file"], strict=True)} for data in files]
    rows: list[tuple[str, str, str]] = []
    for place, data in enumerate(files):
        sources = {source for source, _ in used[place]}
        elsewhere = {file for other, pairs in enumerate(used) if other != place for source, file in pairs if source in sources}
        earlier = set(rows)
        found = zip(*(data.skipped[name].tolist() for name in names), strict=True)
        rows += [row for row in found if row not in earlier and row[0] not in elsewhere]
    return {name: np.array([row[place] for row in rows], dtype=object) for place, name in enumerate(names)}


def _other_clip(first: Dataset, row: int, data: Dataset, other: int) -> str:
    """Return in what two clips of the same id differ; empty if in nothing."""
    clip = data.clips["id"][other]
    for name, column in data.clips.items():
        here, there = first.clips[name][row], column[other]
        if here != there and not (here != here and there != there):  # NaN: neither says it
            return f"{data.path}: clip {clip!r}: expected {name} {here} as in {first.path}, found {there}; leave one out with `mocapgen select`"
    return ""


def _other_frames(first: Dataset, row: int, data: Dataset, other: int) -> str:
    """Return in what two sequences of the same clip, avatar and camera differ; empty if in nothing."""
    clip, avatar = data.clips["id"][data.sequences["clip"][other]], data.sequences["avatar"][other]
    name = f"clip {clip!r}, avatar {avatar}"
    lengths = [int(file.sequences["length"][number]) for file, number in ((first, row), (data, other))]
    if lengths[0] != lengths[1]:
        return f"{data.path}: {name}: expected {lengths[0]} frames as in {first.path}, found {lengths[1]}"
    for here, there in zip(blocks(first, row), blocks(data, other), strict=True):
        for array, values in here.items():
            if not np.array_equal(values, there[array], equal_nan=values.dtype.kind == "f"):
                return f"{data.path}: {name}: expected the same {array} as in {first.path}, found others, from the same camera"
    return ""
