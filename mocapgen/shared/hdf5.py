"""Open, read and write the arrays of our HDF5 files: of a layout such as :data:`schemas.dataset.LAYOUT`."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.documents import parse_json
from mocapgen.shared.frame_reader import FrameReader, require_room
from mocapgen.shared.hdf5_open import InUseError, open_reading
from mocapgen.shared.hdf5_probe import probe
from mocapgen.shared.hdf5_walk import UNREADABLE
from mocapgen.shared.inputs import open_regular, similar_name
from mocapgen.shared.kinds import HDF5, OTHER, kind_of, what_reads
from mocapgen.shared.text import one_line, quoted
from schemas.conventions import CameraFrame
from schemas.dataset import CHUNK_FRAMES, LAYOUT, Layout
from schemas.dataset import Array as LayoutArray
from schemas.errors import ConfigError, DatasetError

_TYPES: dict[str, Any] = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "i8": "<i8", "bool": np.bool_, "str": h5py.string_dtype()}

FRAME_FILTERS: dict[str, Any] = {"shuffle": True, "compression": "gzip", "compression_opts": 1, "fletcher32": True}
"""How arrays of ``/frames`` are stored; gzip's level 4 saves 3 % more and takes a fifth longer (see benchmarks)."""


_BLOCK = 64 * CHUNK_FRAMES
"""Frames that are read at once where only some of their joints are kept."""

_FORMAT_BOUNDS = ("v110", "v110")
"""HDF5 1.10's format: all metadata but the texts has checksums. The one before has none; later ones protect no more, and fewer programs read them."""


class OpenFile:
    """One of our files, opened for reading; a context manager.

    Parameters
    ----------
    path : Path
    file : h5py.File
        Already checked.
    """

    layout: ClassVar[Layout] = LAYOUT

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self.file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    @cached_property
    def fps(self) -> float:
        """Frames per second of every sequence."""
        return float(self.file.attrs["fps"])

    @property
    def frames(self) -> int:
        """Rows of the frame block, those of no sequence included."""
        return int(self.file["/frames/positions_3d"].shape[0])

    @property
    def generator(self) -> str:
        """Program and version that wrote the file."""
        return text_attribute(self.file, "generator") or ""

    @cached_property
    def conventions(self) -> dict[str, str]:
        """The conventions that the file states."""
        return self.json("conventions")

    @property
    def camera_frame(self) -> CameraFrame:
        """``unity`` or ``opencv``."""
        return "unity" if self.conventions["camera_frame"] == "unity" else "opencv"

    def json(self, attribute: str) -> dict[str, Any]:
        """Return an attribute that is a JSON object."""
        return json_attribute(self.path, self.file, attribute)

    def table(self, name: str) -> dict[str, NDArray[Any]]:
        """Return a table such as ``sequences`` or ``cameras``, by column."""
        return read_group(self.file, self.layout, f"/{name}")

    @cached_property
    def sequences(self) -> dict[str, NDArray[Any]]:
        """The table of sequences, by column: ``start``, ``length``, ``camera``, ``avatar``, and what else the layout has."""
        return self.table("sequences")

    @cached_property
    def reader(self) -> FrameReader:
        """Reads the frames."""
        return FrameReader(self.file)

    def joint_columns(self, name: str) -> dict[str, NDArray[Any]]:
        """Return a joint set, by column: ``names``, ``joints``, ``parents``, ``symmetric_pairs``, ``groups``.

        Raises
        ------
        DatasetError
            With the sets that there are.
        """
        if name not in self.file["/joint_sets"]:
            raise DatasetError(one_line(str(self.path), f"joint set: expected one of {', '.join(self.file['/joint_sets'])}, found {quoted(name)}"))
        return read_group(self.file, self.layout, "/joint_sets/<name>", name)

    def __len__(self) -> int:
        return len(self.sequences["start"])

    def row(self, number: int) -> int:
        """Return the row of a sequence, counted from the end if negative; raises IndexError if there is none."""
        if not -len(self) <= number < len(self):
            raise IndexError(f"{self.path}: expected a sequence below {len(self)}, found {number}")
        return number % len(self)


def open_checked(
    path: Path,
    check: Callable[[Path, h5py.File], None],
    what: str = "a dataset file; `mocapgen build` writes one",
    damaged: bool = False,
) -> h5py.File:
    """Open a file for reading and check it; a file that fails is closed again.

    Parameters
    ----------
    path : Path
    check : callable
        Called with path and file; raises DatasetError.
    what : str
        What is expected, and what to do about it, separated by a semicolon.
    damaged : bool
        Whether a file of which HDF5 can read parts only is opened too.

    Raises
    ------
    DatasetError
        If there is no such file, it is no HDF5 file or a damaged one, or the check finds something.
    """
    file = open_untrusted(path, what, damaged)
    try:
        check(path, file)
    except (OSError, RuntimeError, KeyError) as error:
        file.close()
        raise DatasetError(one_line(str(path), f"expected a sound HDF5 file, found a damaged one ({_reason(error)})")) from None
    except BaseException:
        file.close()
        raise
    return file


def open_untrusted(path: Path, what: str, damaged: bool = False) -> h5py.File:
    """Open an HDF5 file of anybody's for reading, once a child process has come through all of it: the one way to open what is given to us.

    Parameters
    ----------
    path, what, damaged
        As in :func:`open_checked`.

    Raises
    ------
    DatasetError
        If there is no such file, it is no HDF5 file, damaged, parts of it lie in other files, or another program writes it.
    """
    wanted, _, advice = what.partition(";")
    if not os.path.exists(path):  # noqa: PTH110 (Path.exists raises for names that are too long)
        raise DatasetError(one_line(str(path), f"expected {wanted}, found nothing", similar_name(path) or f";{advice}"))
    open_regular(path, wanted).close()
    damage = probe(path)
    if damage and not damaged:
        raise DatasetError(one_line(str(path), f"expected a sound HDF5 file, found a damaged one ({damage[:160]})"))
    try:
        return open_reading(path)
    except InUseError as error:  # since it was looked through
        raise DatasetError(one_line(str(path), str(error))) from None
    except OSError as error:
        found = kind_of(path)
        if "truncated file" in str(error):
            raise DatasetError(one_line(str(path), "expected an HDF5 file, found one whose end is missing", "; copy or make it again")) from None
        if found in (HDF5, OTHER):
            raise DatasetError(one_line(str(path), f"expected an HDF5 file, found something else or a damaged one ({_reason(error)})")) from None
        raise DatasetError(one_line(str(path), f"expected an HDF5 file, found {found}", what_reads(path, found))) from None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def attribute(node: Any, name: str) -> Any:
    """Return an attribute of a file, group or array, None if it is missing or cannot be read."""
    try:
        return node.attrs.get(name)
    except UNREADABLE:
        return None


def text_attribute(node: Any, name: str) -> str | None:
    """Return an attribute of a file, group or array that is one text in UTF-8; None if there is none, or it is something else."""
    value = attribute(node, name)
    try:
        text = value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else None
        return None if text is None else text.decode()
    except UnicodeError:
        return None


def json_attribute(path: Path, file: h5py.File, name: str) -> dict[str, Any]:
    """Return an attribute of a file that is a JSON object.

    Raises
    ------
    DatasetError
        If it is none.
    """
    text, subject = text_attribute(file, name), f"{path}: attribute {name}"
    try:
        found = None if text is None else parse_json(text, subject)
    except ConfigError as error:
        raise DatasetError(str(error)) from None
    if not isinstance(found, dict):
        wanted, value = ("a JSON object in UTF-8", attribute(file, name)) if text is None else ("a JSON object", found)
        raise DatasetError(one_line(subject, f"expected {wanted}, found {quoted(value)}"))
    return found


def read_array(file: h5py.File, path: str) -> NDArray[Any]:
    """Return a whole array of a file; text as str. Damage is a DatasetError that names the array."""
    dataset = file[path]
    require_room(file, path, dataset.nbytes)
    try:
        values = np.asarray(dataset.asstr()[()] if h5py.check_string_dtype(dataset.dtype) else dataset[()])
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        raise DatasetError(one_line(file.filename, f"{path}: expected sound data, found {_reason(error)}")) from None
    if values.dtype == object:  # texts of fixed length may hold what no other text of HDF5 can
        odd = next((text for text in values.flat if "\0" in text), None)
        if odd is not None:
            raise DatasetError(one_line(file.filename, f"{path}: expected texts without NUL, found {quoted(odd)}"))
    return values


def read_group(file: h5py.File, layout: Layout, template: str, name: str = "") -> dict[str, NDArray[Any]]:
    """Return the arrays directly below a group such as ``/clips`` or, with a name, ``/skeletons/<name>``, by their last name."""
    return {array.path.rpartition("/")[2]: read_array(file, array.path.replace("<name>", name)) for array in layout.table(template)}


def create_file(target: io.RawIOBase | io.BufferedIOBase) -> h5py.File:
    """Begin a file, in a format with checksummed metadata.

    Parameters
    ----------
    target : binary file
        Opened for reading and writing.
    """
    return h5py.File(target, "w", libver=_FORMAT_BOUNDS)


def read_joints(file: h5py.File, name: str, joints: NDArray[np.intp]) -> NDArray[Any]:
    """Return some joints of an array of ``/frames``, (F, N, ...); damage is a DatasetError that names the array."""
    where = f"/frames/{name}"
    dataset = file[where]
    shape = (dataset.shape[0], len(joints), *dataset.shape[2:])
    require_room(file, where, math.prod(shape) * dataset.dtype.itemsize)
    found = np.empty(shape, dataset.dtype)
    try:
        for first in range(0, len(found), _BLOCK):  # all joints of some frames, then the joints: HDF5 is slow at picking rows or columns
            found[first : first + _BLOCK] = dataset[first : first + _BLOCK][:, joints]
    except (OSError, RuntimeError) as error:
        raise DatasetError(one_line(file.filename, f"{where}: expected sound data, found {_reason(error)}")) from None
    return found


def write_array(file: h5py.File, array: LayoutArray, values: Any, name: str = "", **storage: Any) -> None:
    """Write an array of a layout, with its unit and meaning.

    Parameters
    ----------
    file : h5py.File
    array : Array
        Its place in the layout.
    values : array_like
    name : str
        What ``<name>`` in its path stands for.
    **storage
        Options of :meth:`h5py.Group.create_dataset`, such as chunks and filters.
    """
    sizes = tuple(size for size in array.shape[1:] if isinstance(size, int))
    data = np.array(values, dtype=_TYPES[array.dtype])
    if len(array.shape) == 1 + len(sizes):  # an empty column has lost its shape
        data = data.reshape(-1, *sizes)
    _describe(file.create_dataset(array.path.replace("<name>", name), data=data, **storage), array)


def create_frames(file: h5py.File, array: LayoutArray, joints: int, rows: int | None = None) -> h5py.Dataset:
    """Create an array of ``/frames`` for so many joints, and return it: with so many rows, or with none yet."""
    row = tuple(joints if size == "J" else size for size in array.shape[1:])
    chunks = (CHUNK_FRAMES if rows is None else min(CHUNK_FRAMES, rows), *row)
    made = file.create_dataset(array.path, shape=(rows or 0, *row), maxshape=(rows, *row), chunks=chunks, dtype=_TYPES[array.dtype], **FRAME_FILTERS)
    _describe(made, array)
    return made


def _describe(dataset: h5py.Dataset, array: LayoutArray) -> None:
    dataset.attrs["unit"], dataset.attrs["meaning"] = array.unit, array.meaning
