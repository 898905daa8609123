"""Write a dataset file from sequences of others: the common part of ``merge`` and ``select``.

A :class:`CopyPlan` holds the tables of the file to come and says which sequences of which input follow each other; the frames
themselves go through memory in blocks, and by the writer that builds use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.files import file_digest
from mocapgen.shared.hdf5 import read_group, text_attribute
from mocapgen.shared.progress import Progress
from mocapgen.store.dataset_file import DatasetFile
from mocapgen.store.frame_block import FRAMES
from mocapgen.store.reader import Dataset
from schemas.dataset import LAYOUT, RootAttributes
from schemas.report import SubsetReport
from schemas.subset import Derivation, Origin

BLOCK = 4096
"""Most frames read at once."""

Columns = dict[str, NDArray[Any]]
"""A table by column."""


@dataclass(frozen=True, eq=False)
class CopiedSequences:
    """Sequences of one input.

    Parameters
    ----------
    data : Dataset
    sequences : (S,) int
        Rows of the input's ``/sequences``, in the order in which they are written.
    clips, cameras : (S,) int
        The rows of the plan's tables that they refer to.
    """

    data: Dataset
    sequences: NDArray[np.intp]
    clips: NDArray[np.intp]
    cameras: NDArray[np.intp]

    @property
    def length(self) -> NDArray[np.int64]:
        """(S,) frames of each sequence."""
        return self.data.sequences["length"][self.sequences].astype(np.int64)

    @property
    def avatars(self) -> NDArray[Any]:
        """(S,) str."""
        return self.data.sequences["avatar"][self.sequences]


@dataclass(frozen=True, eq=False)
class CopyPlan:
    """A file to be written."""

    parts: tuple[CopiedSequences, ...]
    clips: Columns
    cameras: Columns
    skipped: Columns
    notes: tuple[str, ...] = ()

    @property
    def length(self) -> NDArray[np.int64]:
        """(S,) frames of each sequence."""
        return np.concatenate([part.length for part in self.parts])


def take(columns: Columns, rows: NDArray[Any]) -> Columns:
    """Return some rows of a table."""
    return {name: column[rows] for name, column in columns.items()}


def surplus(data: Dataset) -> tuple[str, ...]:
    """Return the arrays and attributes of a file that are not of the schema, and would not be copied."""
    arrays = {f"/{name}" for name in _arrays(data.file)}
    for array in LAYOUT.arrays:
        template, named, column = array.path.partition("/<name>")
        arrays -= {f"{template}/{name}{column}" for name in data.file[template]} if named else {array.path}
    return (*sorted(arrays), *sorted(f"attribute {name}" for name in set(data.file.attrs) - set(RootAttributes.model_fields)))


def _arrays(file: h5py.File) -> list[str]:
    found: list[str] = []
    file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return found


def _attributes(node: h5py.Group) -> dict[str, Any]:
    """Return the texts and numbers among the attributes of a group; a foreign file may have others, which cannot be written as they were."""
    texts = {name: text_attribute(node, name) for name in node.attrs}
    return {name: node.attrs[name] if text is None else text for name, text in texts.items() if text is not None or _is_number(node.attrs[name])}


def _is_number(value: Any) -> bool:
    return isinstance(value, np.number | np.bool_) or (isinstance(value, np.ndarray) and value.dtype.kind in "biuf")


def origin(data: Dataset) -> Origin:
    """Return what a file made from `data` says of it."""
    return Origin(file=data.path.name, sha256=file_digest(data.path), generator=data.generator, config=data.config)


def write(plan: CopyPlan, derivation: Derivation, out: Path, overwrite: bool, progress: Progress | None = None) -> None:
    """Write a file.

    Parameters
    ----------
    plan : CopyPlan
        All of its inputs have the same frame rate, conventions and joints.
    derivation : Derivation
        Where the file comes from.
    out : Path
    overwrite : bool
    progress : callable, optional

    Raises
    ------
    DatasetError
        If an input turns out to be damaged, or the file cannot be written. Then nothing is changed.
    """
    data = plan.parts[0].data
    joints = data.file["/frames/positions_3d"].shape[1]
    total, done = int(plan.length.sum()), 0
    config = json.dumps(derivation.model_dump(mode="json"))
    with DatasetFile(out, overwrite, joints, data.fps, json.dumps(data.conventions), config) as file:
        _copy_groups(plan, file)
        for table, columns in (("clips", plan.clips), ("cameras", plan.cameras), ("skipped", plan.skipped)):
            file.add_rows(table, columns)
        for part in plan.parts:
            rows = {
                "start": file.frames + np.cumsum(part.length) - part.length,
                "length": part.length,
                "clip": part.clips,
                "camera": part.cameras,
                "avatar": part.avatars,
            }
            file.add_rows("sequences", rows)
            for block, last in _collected(part):
                file.append(block)
                done += len(block["in_view"])
                if progress is not None:
                    progress(done, total, str(plan.clips["id"][part.clips[last]]))


def blocks(data: Dataset, sequence: int) -> Iterator[Columns]:
    """Yield the frame arrays of a sequence, at most :data:`BLOCK` rows at once.

    Raises
    ------
    DatasetError
        If they are damaged.
    """
    start, length = int(data.sequences["start"][sequence]), int(data.sequences["length"][sequence])
    for first in range(start, start + length, BLOCK):
        count = min(BLOCK, start + length - first)
        yield {name: data.reader.read(name, first, count, sequence) for name in FRAMES}


def _collected(part: CopiedSequences) -> Iterator[tuple[Columns, int]]:
    """Yield the frame arrays of sequences that follow each other, about :data:`BLOCK` rows at once, and which of the part is the last."""
    waiting: list[Columns] = []
    count = 0
    for place, number in enumerate(part.sequences.tolist()):
        for block in blocks(part.data, number):
            waiting.append(block)
            count += len(block["in_view"])
            if count >= BLOCK:
                yield _joined(waiting), place
                waiting, count = [], 0
    if waiting:
        yield _joined(waiting), place


def _joined(parts: list[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in FRAMES}


def _copy_groups(plan: CopyPlan, file: DatasetFile) -> None:
    """Copy the skeletons of all avatars that perform, and all joint sets, each from the first file that has it."""
    done: set[tuple[str, str]] = set()
    for part in plan.parts:
        source = part.data.file
        wanted = {"/skeletons": sorted(set(part.avatars)), "/joint_sets": sorted(source["/joint_sets"])}
        for group, names in wanted.items():
            for name in names:
                if (group, name) not in done:
                    done.add((group, name))
                    file.add_group(
                        f"{group}/<name>", name, read_group(source, LAYOUT, f"{group}/<name>", name), _attributes(source[f"{group}/{name}"])
                    )


def report(plan: CopyPlan, found: int, out: Path | None, notes: Sequence[str] = ()) -> SubsetReport:
    """Return what was written to `out`, or would be."""
    length = plan.length

    def names(column: NDArray[Any]) -> tuple[str, ...]:
        return tuple(sorted({str(name) for name in column}))

    def used(table: Mapping[str, NDArray[Any]], column: str) -> NDArray[Any]:
        return table[column][np.unique(np.concatenate([part.clips for part in plan.parts]))]

    return SubsetReport(
        inputs=tuple(str(part.data.path) for part in plan.parts),
        sequences_found=found,
        sequences=len(length),
        frames=int(length.sum()),
        fps=plan.parts[0].data.fps,
        clips=len(plan.clips["id"]),
        cameras=len(plan.cameras["K"]),
        actors=names(used(plan.clips, "actor")),
        actions=names(used(plan.clips, "action")),
        avatars=names(np.concatenate([part.avatars for part in plan.parts])),
        lengths=(int(length.min()), int(length.max())),
        notes=(*plan.notes, *notes),
        bytes=out.stat().st_size if out is not None else 0,
    )
