"""What the readers of our HDF5 files share: opening, and checking against a layout that everything is there and agrees."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from schemas.conventions import CAMERA_FRAMES, FILE_FORMAT
from schemas.dataset import Array as LayoutArray
from schemas.dataset import Layout
from schemas.errors import DatasetError
from schemas.predictions import PREDICTIONS_FORMAT

_KNOWN = {FILE_FORMAT: "a dataset", PREDICTIONS_FORMAT: "predictions of a model"}
_KINDS = {"f4": "f", "f8": "f", "i4": "iu", "i8": "iu", "bool": "b"}


class OpenFile:
    """One of our files, opened for reading; a context manager.

    Parameters
    ----------
    path : Path
    file : h5py.File
        Already checked.
    """

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

    @property
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
        return str(self.file.attrs["generator"])

    @cached_property
    def conventions(self) -> dict[str, str]:
        """The conventions that the file states."""
        return dict(json.loads(self.file.attrs["conventions"]))

    @property
    def camera_frame(self) -> str:
        """``unity`` or ``opencv``."""
        return self.conventions["camera_frame"]


def open_checked(path: Path, check: Callable[[Path, h5py.File], None], what: str = "a dataset file; `mocapgen build` writes one") -> h5py.File:
    """Open a file for reading and check it; a file that fails is closed again.

    Parameters
    ----------
    path : Path
    check : callable
        Called with path and file; raises DatasetError.
    what : str
        What is expected, and what to do about it, separated by a semicolon.

    Raises
    ------
    DatasetError
        If there is no such file, it is no HDF5 file or a damaged one, or the check finds something.
    """
    if not path.is_file():
        wanted, _, advice = what.partition(";")
        raise DatasetError(f"{path}: expected {wanted}, found {'a folder' if path.is_dir() else 'nothing'};{advice}")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DatasetError(f"{path}: expected an HDF5 file, found something else or a damaged one ({_reason(error)})") from None
    try:
        check(path, file)
    except (OSError, RuntimeError, KeyError) as error:
        file.close()
        raise DatasetError(f"{path}: expected a sound HDF5 file, found a damaged one ({_reason(error)})") from None
    except BaseException:
        file.close()
        raise
    return file


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def read_array(file: h5py.File, path: str) -> NDArray[Any]:
    """Return a whole array of a file; text as str. Damage is a DatasetError that names the array."""
    dataset = file[path]
    try:
        return np.asarray(dataset.asstr()[()] if h5py.check_string_dtype(dataset.dtype) else dataset[()])
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file.filename}: {path}: expected sound data, found {_reason(error)}") from None


def read_frames(file: h5py.File, name: str, start: int, length: int, sequence: int) -> NDArray[Any]:
    """Return rows of an array of ``/frames``; damage is a DatasetError that names array and sequence."""
    if name not in file["/frames"]:
        raise KeyError(f"no array {name!r}; there are {', '.join(file['/frames'])}")
    try:
        return np.asarray(file[f"/frames/{name}"][start : start + length])
    except OSError as error:
        raise DatasetError(f"{file.filename}: /frames/{name}: expected sound frames in sequence {sequence}, found {_reason(error)}") from None


def check_kind(path: Path, file: h5py.File, format: str, version: str) -> None:
    """Check that a file is of our format, and of no newer major version."""
    found = file.attrs.get("format")
    if found in _KNOWN and format in _KNOWN and found != format:
        raise DatasetError(f"{path}: expected {_KNOWN[format]}, found {_KNOWN[found]}; name a file of the other kind")
    if found != format:
        raise DatasetError(
            f"{path}: expected the attribute format={format!r}, found {found!r}: no {format.removeprefix('mocapgen-')} of this project"
        )
    stated = file.attrs.get("schema_version", "")
    major = str(stated).split(".")[0]
    if not (major.isascii() and major.isdecimal()) or int(major) > int(version.split(".")[0]):
        raise DatasetError(f"{path}: expected schema {version} or older, found {stated}; pip install --upgrade mocapgen")


def check_attributes(path: Path, file: h5py.File, names: tuple[str, ...], objects: tuple[str, ...]) -> None:
    """Check that attributes are there: `objects` hold JSON objects, ``conventions`` a camera frame that is known, ``fps`` a rate."""
    for name in names:
        if name not in file.attrs:
            raise DatasetError(f"{path}: expected the attribute {name}, found {', '.join(file.attrs)}; the file is incomplete")
    texts: dict[str, Any] = {}
    for name in objects:
        try:
            texts[name] = json.loads(file.attrs[name])
        except (TypeError, ValueError):
            texts[name] = None
        if not isinstance(texts[name], dict):
            raise DatasetError(f"{path}: attribute {name}: expected a JSON object, found {str(file.attrs[name])[:40]!r}")
    frame = texts["conventions"].get("camera_frame")
    if frame not in CAMERA_FRAMES:
        raise DatasetError(f"{path}: attribute conventions: expected camera_frame to be one of {', '.join(CAMERA_FRAMES)}, found {frame!r}")
    fps = np.asarray(file.attrs["fps"])
    if fps.shape != () or fps.dtype.kind not in "fiu" or not 0 < fps < np.inf:
        raise DatasetError(f"{path}: attribute fps: expected frames per second, a positive number, found {str(file.attrs['fps'])[:40]!r}")


def check_arrays(path: Path, file: h5py.File, layout: Layout) -> None:
    """Check that every array of the layout is there, with its type and with sizes that agree."""
    sizes: dict[str, int] = {}
    for array in layout.arrays:
        template, named, _ = array.path.partition("/<name>")
        members = file.get(template) if named else None
        if named and (not isinstance(members, h5py.Group) or not len(members)):
            raise DatasetError(f"{path}: {template}: expected at least one group, found none; the file is incomplete")
        for name in members if isinstance(members, h5py.Group) else ("",):
            if not isinstance(name, str):  # what h5py makes of a name that is no text
                raise DatasetError(f"{path}: {template}: expected names in UTF-8, found {name!r}")
            _check_array(path, file, array, name, sizes)


def _check_array(path: Path, file: h5py.File, array: LayoutArray, name: str, sizes: dict[str, int]) -> None:
    where = array.path.replace("<name>", name)
    dataset = file.get(where)
    if not isinstance(dataset, h5py.Dataset):
        raise DatasetError(f"{path}: {where}: expected an array, found nothing; the file is incomplete")
    text = h5py.check_string_dtype(dataset.dtype) is not None
    if text != (array.dtype == "str") or (not text and dataset.dtype.kind not in _KINDS[array.dtype]):
        raise DatasetError(f"{path}: {where}: expected type {array.dtype}, found {'str' if text else dataset.dtype}")
    if dataset.shape is None or len(dataset.shape) != len(array.shape):
        raise DatasetError(f"{path}: {where}: expected {len(array.shape)} dimensions {array.shape}, found shape {dataset.shape}")
    for want, got in zip(array.shape, dataset.shape, strict=True):
        key = f"{name}/{want}" if want in ("N", "P") else str(want)  # sizes of one joint set
        expected = want if isinstance(want, int) else sizes.setdefault(key, got)
        if got != expected:
            raise DatasetError(f"{path}: {where}: expected shape {array.shape} with {want}={expected}, found {dataset.shape}")


def check_joint_sets(path: Path, file: h5py.File, joints: int) -> None:
    """Check that what joint sets count stays within `joints` and within the set."""
    for name, joint_set in file["/joint_sets"].items():
        size = joint_set["names"].shape[0]
        for column, least, limit in (("joints", 0, joints), ("parents", -1, size), ("symmetric_pairs", 0, size)):
            require(path, f"/joint_sets/{name}/{column}", joint_set[column][()], least, limit)


def check_sequences(path: Path, file: h5py.File) -> None:
    """Check that sequences stay within the frames and name a camera that there is."""
    frames = file["/frames/positions_3d"].shape[0]
    start, length = (file[f"/sequences/{name}"][()].astype(np.int64) for name in ("start", "length"))
    require(path, "/sequences/start", start, 0, frames)
    require(path, "/sequences/length", length, 1, frames - start + 1)
    require(path, "/sequences/camera", file["/sequences/camera"][()], 0, file["/cameras/K"].shape[0])


def require(path: Path, where: str, values: NDArray[Any], least: int, limit: int | NDArray[Any]) -> None:
    """Check that all values are at least `least` and below `limit`."""
    wrong = np.argwhere((values < least) | (values >= limit))
    if len(wrong):
        place = tuple(wrong[0])
        below = np.broadcast_to(limit, values.shape)[place]
        raise DatasetError(f"{path}: {where}: expected numbers from {least} to below {below}, found {values[place]} in row {place[0]}")
