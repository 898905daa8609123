"""Checks that all arrays exist, have the right attributes, types and sizes, and can be read."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mocapgen.inspect.lenient_reader import DamagedFrames, InspectedRow, attribute_names, camera_frame, dataset, file_finding, kind_of, members
from mocapgen.inspect.registry import BOTH, check
from mocapgen.inspect.sequence_view import SequenceView
from mocapgen.shared.hdf5 import attribute, json_attribute, text_attribute
from mocapgen.shared.hdf5_walk import UNREADABLE
from schemas.conventions import CAMERA_FRAMES, file_conventions
from schemas.dataset import LAYOUT, RootAttributes
from schemas.dataset import Array as LayoutArray
from schemas.errors import DatasetError
from schemas.inspection import Finding

_KINDS = {"f4": "f", "f8": "f", "i4": "iu", "i8": "iu", "bool": "b", "str": "O"}
_FRAMES = LAYOUT.table("/frames")


@check("structure.attributes", "error", "file")
def attributes(file: h5py.File) -> Iterator[Finding]:
    """Attributes of the file are missing or make no sense."""
    for name in RootAttributes.model_fields:
        value, text = attribute(file, name), text_attribute(file, name)
        if value is None:
            yield file_finding("expected an attribute, found none that can be read", f"/@{name}")
        elif name == "fps":
            number = np.asarray(value)
            if number.shape != () or number.dtype.kind not in "fiu" or not 0 < number < np.inf:
                yield file_finding(f"expected frames per second, a positive number, found {str(value)[:40]!r}", "/@fps")
        elif text is None:
            yield file_finding(f"expected text in UTF-8, found {str(value)[:40]!r} of type {type(value).__name__}", f"/@{name}")
        elif name == "schema_version" and not re.fullmatch(r"\d+\.\d+", text):
            yield file_finding(f"expected major.minor, found {text[:40]!r}", "/@schema_version")
        elif name in ("conventions", "config") and _object(file, name) is None:
            yield file_finding(f"expected a JSON object, found {text[:40]!r}", f"/@{name}")


def _object(file: h5py.File, name: str) -> dict[str, Any] | None:
    try:
        return json_attribute(Path(file.filename), file, name)
    except DatasetError:
        return None


@check("structure.conventions", "error", "file")
def conventions(file: h5py.File) -> Iterator[Finding]:
    """The file states conventions that are not those of its schema."""
    stated = _object(file, "conventions")
    if stated is None:
        return  # reported by structure.attributes
    frame = camera_frame(file)
    if frame is None:
        known = ", ".join(CAMERA_FRAMES)
        yield file_finding(f"camera_frame: expected one of {known}, found {str(stated.get('camera_frame'))[:40]!r}", "/@conventions")
        return
    for name, wanted in file_conventions(frame).items():
        if stated.get(name) != wanted:
            yield file_finding(f"{name}: expected {wanted!r}, found {str(stated.get(name, 'nothing'))[:120]!r}", "/@conventions")
    for array, path in _expected(file):
        node = dataset(file, path)
        unit = None if node is None else text_attribute(node, "unit")
        if unit is not None and unit != array.unit:
            yield file_finding(f"expected the unit {array.unit!r}, found {str(unit)[:40]!r}", path)


def _expected(file: h5py.File) -> Iterator[tuple[LayoutArray, str]]:
    """Yield the arrays that there should be, each with its path."""
    for array in LAYOUT.arrays:
        template, named, _ = array.path.partition("/<name>")
        for name in (members(file, template) or ["<name>"]) if named else [""]:
            yield array, array.path.replace("<name>", name) if named else array.path


def _present(file: h5py.File) -> Iterator[tuple[LayoutArray, str, h5py.Dataset]]:
    for array, path in _expected(file):
        node = dataset(file, path)
        if node is not None:
            yield array, path, node


@check("structure.missing", "error", "file")
def missing(file: h5py.File) -> Iterator[Finding]:
    """Arrays of the schema are missing."""
    for _, path in _expected(file):
        if dataset(file, path) is None:
            yield file_finding("expected an array, found nothing that is one", path)


@check("structure.types", "error", "file")
def types(file: h5py.File) -> Iterator[Finding]:
    """Arrays hold another type of values than the schema says."""
    for array, path, node in _present(file):
        if kind_of(node) not in _KINDS[array.dtype]:
            yield file_finding(f"expected type {array.dtype}, found {node.dtype}", path)


@check("structure.shapes", "error", "file")
def shapes(file: h5py.File) -> Iterator[Finding]:
    """Arrays have shapes that do not agree with the schema or with each other."""
    sizes: defaultdict[str, Counter[int]] = defaultdict(Counter)
    sound = []
    for array, path, node in _present(file):
        if node.shape is None or len(node.shape) != len(array.shape):
            yield file_finding(f"expected {len(array.shape)} dimensions {_shape(array)}, found shape {node.shape}", path)
            continue
        sound.append((array, path, node.shape))
        for want, got in zip(array.shape, node.shape, strict=True):
            sizes[_axis(path, want)][got] += 1
    for array, path, shape in sound:
        for want, got in zip(array.shape, shape, strict=True):
            expected = want if isinstance(want, int) else sizes[_axis(path, want)].most_common(1)[0][0]
            if got != expected:
                said = f"{want} = {expected}" if isinstance(want, str) else str(expected)
                yield file_finding(f"expected shape {_shape(array)} with {said}, found {shape}", path)
                break


def _axis(path: str, size: str | int) -> str:
    """Return the name of an axis: those of joint sets differ from set to set."""
    return f"{path.rpartition('/')[0]}/{size}" if size in ("N", "P") else str(size)


def _shape(array: LayoutArray) -> str:
    return f"({', '.join(map(str, array.shape))})"


@check("structure.chunks", "info", "file", "rows")
def chunks(file: h5py.File, *, max_rows: int = 2048) -> Iterator[Finding]:
    """Frames are stored in pieces that make reading short windows slow."""
    for _, path, node in _present(file):
        if not path.startswith("/frames/") or not node.chunks or not node.shape:
            continue
        rows = node.chunks[0]
        if rows > max_rows:
            yield file_finding(f"expected chunks of at most {max_rows:,} frames, found {rows:,}: a window of 40 reads all of them", path, rows)
        elif node.chunks[1:] != node.shape[1:]:
            yield file_finding(f"expected chunks of whole frames, found {node.chunks} of {node.shape}: a window reads several", path)


@check("structure.no_checksums", "info", "file")
def no_checksums(file: h5py.File) -> Iterator[Finding]:
    """Frames are stored without checksums, so that damage goes unnoticed."""
    without = [path for _, path, node in _present(file) if path.startswith("/frames/") and not node.fletcher32]
    if without:
        yield file_finding("expected the filter fletcher32, found it missing in " + ", ".join(without), "/frames")


@check("structure.unknown", "info", "file")
def unknown(file: h5py.File) -> Iterator[Finding]:
    """The file holds arrays or attributes that the schema does not know."""
    known = {path for _, path in _expected(file)}
    strange: dict[str, str] = {}

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and f"/{name}" not in known:
            strange[f"/{name}"] = f"{node.dtype} {node.shape}"

    with suppress(*UNREADABLE):  # what cannot be visited is missing, which another check says
        file.visititems(visit)
    for path, found in strange.items():
        yield file_finding(f"expected no array of this name, found {found}; readers pass it over", path)
    for name in sorted(set(attribute_names(file)) - set(RootAttributes.model_fields)):
        yield file_finding("expected no attribute of this name; readers pass it over", f"/@{name}")


@check("structure.checksums", "error", "sequence", kinds=BOTH)
def checksums(sequence: SequenceView) -> Iterator[Finding]:
    """Frames cannot be read: the file is damaged there."""
    for array in _FRAMES:
        name = array.path.rpartition("/")[2]
        try:
            sequence.row[name]
        except DamagedFrames as error:
            yield sequence.finding(f"expected frames that can be read, found {str(error).rpartition('found ')[2]}", where=array.path)
        except DatasetError:  # reported by another check
            continue


@check("structure.not_finite", "error", "sequence", "values", kinds=BOTH)
def not_finite(sequence: SequenceView) -> Iterator[Finding]:
    """Numbers are missing: NaN or infinite."""
    row = sequence.row
    assert isinstance(row, InspectedRow)
    for array in _FRAMES:
        name = array.path.rpartition("/")[2]
        if array.dtype == "bool":
            continue
        try:
            wrong = row.not_finite(name)
        except DatasetError:  # reported by another check
            continue
        if wrong.any():
            frame, joint = np.argwhere(wrong)[0][:2]
            frames, count = np.flatnonzero(wrong.any(axis=(1, 2))), int(wrong.sum())
            text = f"expected finite numbers, found {count:,} that are not, in {len(frames):,} frames from {frames[0]} to {frames[-1]}"
            yield sequence.finding(text, frame=int(frame), joint=sequence.skeleton.names[int(joint)], value=count, where=array.path)
