"""Whether the tables point at what there is, and each frame belongs to one sequence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.inspect.raw import column, found, frame_count, members
from mocapgen.inspect.registry import check
from schemas.inspection import Finding

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class _Sequences:
    """Makes findings in rows of ``/sequences``, with the clip of the row if it has one."""

    def __init__(self, file: h5py.File) -> None:
        ids, clips = column(file, "/clips/id", "O", 1), column(file, "/sequences/clip", "iu", 1)
        self._ids: list[str] = [] if ids is None else [str(id) for id in ids]
        self._clips: list[int] = [] if clips is None else clips.tolist()

    def finding(self, row: int, message: str, where: str, value: float | None = None) -> Finding:
        clip = self._clips[row] if row < len(self._clips) else -1
        return found(message, where, value, sequence=row, clip=self._ids[clip] if 0 <= clip < len(self._ids) else "")


def _where(condition: NDArray[np.bool_]) -> list[int]:
    rows: list[int] = np.flatnonzero(condition).tolist()
    return rows


def _extents(file: h5py.File) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return first row and length of each sequence, None if the file does not tell."""
    start, length = (column(file, f"/sequences/{name}", "iu", 1) for name in ("start", "length"))
    if start is None or length is None or len(start) != len(length):
        return None
    return start.astype(np.int64), length.astype(np.int64)


@check("structure.rows", "error", "file")
def rows(file: h5py.File) -> Iterator[Finding]:
    """Sequences point at frames, clips, cameras or avatars that do not exist."""
    extents, frames, named = _extents(file), frame_count(file), _Sequences(file)
    if extents is not None:
        start, length = extents
        for row in _where((start < 0) | (length < 1) | (start > frames) | (length > frames - start)):
            text = f"expected 1 or more frames within the {frames:,} that there are, found {length[row]:,} from {start[row]:,} on"
            yield named.finding(row, text, "/sequences/start")
    for name, table in (("clip", "/clips/id"), ("camera", "/cameras/width")):
        pointers, there = column(file, f"/sequences/{name}", "iu", 1), column(file, table, "Oiu", 1)
        if pointers is None or there is None:
            continue  # others say so
        for row in _where((pointers < 0) | (pointers >= len(there))):
            text = f"expected a row of {table.rpartition('/')[0]} from 0 to {len(there) - 1:,}, found {pointers[row]:,}"
            yield named.finding(row, text, f"/sequences/{name}")
    avatars, known = column(file, "/sequences/avatar", "O", 1), set(members(file, "/skeletons"))
    for row, avatar in enumerate(() if avatars is None else avatars):
        if str(avatar) not in known:
            yield named.finding(row, f"expected one of {', '.join(sorted(known))}, found {str(avatar)[:60]!r}", "/sequences/avatar")


@check("structure.orphan_frames", "warning", "file", "frames")
def orphan_frames(file: h5py.File) -> Iterator[Finding]:
    """Frames belong to no sequence."""
    extents, frames = _extents(file), frame_count(file)
    if extents is None:
        return
    start, length = extents
    sound = (start >= 0) & (length > 0) & (start < frames)
    order = np.argsort(start[sound], kind="stable")
    begin, end = start[sound][order], np.minimum((start + length)[sound][order], frames)
    reached = np.maximum.accumulate(np.concatenate([[0], end]))
    begins = np.concatenate([begin, [frames]])
    for gap in _where(begins > reached):
        count = int(begins[gap] - reached[gap])
        text = f"expected every frame in a sequence, found {count:,} in none: rows {reached[gap]:,} to {begins[gap] - 1:,}"
        yield found(text, "/frames", count)


@check("structure.overlaps", "warning", "file", "frames")
def overlaps(file: h5py.File) -> Iterator[Finding]:
    """Frames belong to several sequences."""
    extents = _extents(file)
    if extents is None or not len(extents[0]):
        return
    start, length = extents
    order = np.argsort(start, kind="stable")
    reached, named = np.maximum.accumulate((start + length)[order]), _Sequences(file)
    shared = np.minimum(reached[:-1], (start + length)[order][1:]) - start[order][1:]
    for place in _where(shared > 0):
        row, count = int(order[place + 1]), int(shared[place])
        text = f"expected every frame in one sequence, found {count:,} of this one in another, too: rows from {start[row]:,} on"
        yield named.finding(row, text, "/sequences/start", count)


@check("structure.repeated_sequences", "error", "file")
def repeated_sequences(file: h5py.File) -> Iterator[Finding]:
    """The same clip, avatar and camera are listed twice."""
    ids, rigs = column(file, "/clips/id", "O", 1), column(file, "/cameras/rig", "O", 1)
    table = [column(file, f"/sequences/{name}", kinds, 1) for name, kinds in (("clip", "iu"), ("avatar", "O"), ("camera", "iu"))]
    if ids is None or rigs is None or any(values is None for values in table) or len({len(values) for values in table if values is not None}) != 1:
        return
    first: dict[tuple[str, str, str], int] = {}
    named = _Sequences(file)
    for row, (clip, avatar, camera) in enumerate(zip(*table, strict=True)):
        if not (0 <= clip < len(ids) and 0 <= camera < len(rigs)):
            continue
        name = (str(ids[clip]), str(avatar), str(rigs[camera]))
        if name in first:
            yield named.finding(row, f"expected {' / '.join(name)[:160]} once, found it in row {first[name]}, too", "/sequences")
        first.setdefault(name, row)


@check("structure.clip_table", "error", "file")
def clip_table(file: h5py.File) -> Iterator[Finding]:
    """The table of clips holds rows that cannot be true."""
    ids = column(file, "/clips/id", "O", 1)
    first: dict[str, int] = {}
    for row, id in enumerate(() if ids is None else map(str, ids)):
        if not id.strip():
            yield found(f"expected a name, found {id!r} in row {row}", "/clips/id")
        elif id in first:
            yield found(f"expected unique names, found this one in rows {first[id]} and {row}", "/clips/id", clip=id)
        first.setdefault(id, row)

    def clip(row: int) -> str:
        return "" if ids is None or row >= len(ids) else str(ids[row])

    for name, kinds, wanted in (("source_fps", "f", "a positive number"), ("source_frames", "iu", "1 or more"), ("source_start", "iu", "0 or more")):
        values = column(file, f"/clips/{name}", kinds, 1)
        if values is None:
            continue  # others say so
        for row in _where(~_plausible(name, values)):
            yield found(f"expected {wanted}, found {values[row]:g} in row {row}", f"/clips/{name}", clip=clip(row))
    digests = column(file, "/clips/sha256", "O", 1)
    for row, digest in enumerate(() if digests is None else map(str, digests)):
        if digest and not _SHA256.fullmatch(digest):
            yield found(f"expected 64 hexadecimal digits, found {digest[:40]!r} in row {row}", "/clips/sha256", clip=clip(row))


def _plausible(name: str, values: NDArray[Any]) -> NDArray[np.bool_]:
    least = {"source_fps": np.nextafter(0.0, 1.0), "source_frames": 1, "source_start": 0}[name]
    return np.isfinite(values) & (values >= least)
