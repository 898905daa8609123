"""Read a dataset file of schema 1, whoever wrote it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.camera import Camera
from mocapgen.motion import Array, Skeleton
from schemas.conventions import CAMERA_FRAMES, END_POINTS, FILE_FORMAT, SCHEMA_VERSION
from schemas.dataset import LAYOUT, RootAttributes
from schemas.dataset import Array as LayoutArray
from schemas.errors import DatasetError

_KINDS = {"f4": "f", "f8": "f", "i4": "iu", "i8": "iu", "bool": "b"}


@dataclass(frozen=True, eq=False)
class Row:
    """One sequence: what the tables say about it, and its frames on request.

    Parameters
    ----------
    number : int
        Row of ``/sequences``.
    start, length : int
        Rows of ``/frames``.
    avatar : str
    clip : dict
        The row of ``/clips``: ``id``, ``actor``, ``action``, ...
    camera : Camera
    """

    number: int
    start: int
    length: int
    avatar: str
    clip: dict[str, Any]
    camera: Camera
    _file: h5py.File

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array of ``/frames`` for this sequence: ``positions_3d`` (T, J, 3), ``quaternions`` (T, J, 4), ..."""
        if name not in self._file["/frames"]:
            raise KeyError(f"no array {name!r}; there are {', '.join(self._file['/frames'])}")
        try:
            return np.asarray(self._file[f"/frames/{name}"][self.start : self.start + self.length])
        except OSError as error:
            reason = " ".join(str(error).split())[:120]
            raise DatasetError(f"{self._file.filename}: /frames/{name}: expected sound frames in sequence {self.number}, found {reason}") from None


class Dataset:
    """A dataset file, opened for reading; a context manager, and a sequence of :class:`Row`.

    Examples
    --------
    >>> with open_dataset("data.h5") as data:  # doctest: +SKIP
    ...     for row in data:
    ...         print(row.clip["id"], row.avatar, row["positions_3d"].shape)
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self.file = file

    def __enter__(self) -> Dataset:
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

    @cached_property
    def conventions(self) -> dict[str, str]:
        """The conventions that the file states."""
        return dict(json.loads(self.file.attrs["conventions"]))

    @cached_property
    def config(self) -> dict[str, Any]:
        """The settings that the file was built with."""
        return dict(json.loads(self.file.attrs["config"]))

    @property
    def generator(self) -> str:
        """Program and version that wrote the file."""
        return str(self.file.attrs["generator"])

    @property
    def frames(self) -> int:
        """Rows of the frame block."""
        return int(self.file["/frames/positions_3d"].shape[0])

    def _table(self, name: str) -> dict[str, NDArray[Any]]:
        return {array.path.rpartition("/")[2]: _read(self.file, array.path) for array in LAYOUT.table(f"/{name}")}

    @property
    def schema_version(self) -> str:
        """Version of the schema that the file follows."""
        return str(self.file.attrs["schema_version"])

    @property
    def camera_frame(self) -> str:
        """``unity`` or ``opencv``."""
        return self.conventions["camera_frame"]

    @cached_property
    def sequences(self) -> dict[str, NDArray[Any]]:
        """The table of sequences, by column: ``start``, ``length``, ``clip``, ``camera``, ``avatar``."""
        return self._table("sequences")

    @cached_property
    def clips(self) -> dict[str, NDArray[Any]]:
        """The table of clips, by column: ``id``, ``file``, ``actor``, ``action``, ..."""
        return self._table("clips")

    @cached_property
    def cameras(self) -> tuple[Camera, ...]:
        """All cameras, in the order of the table."""
        columns = self._table("cameras")
        frame = "unity" if self.camera_frame == "unity" else "opencv"
        rows = zip(*(columns[key] for key in ("K", "R", "t", "width", "height", "rig")), strict=True)
        return tuple(Camera(K, R, t, int(width), int(height), frame, str(rig)) for K, R, t, width, height, rig in rows)  # type: ignore[arg-type]

    @cached_property
    def skipped(self) -> dict[str, NDArray[Any]]:
        """What was found and not used, by column: ``file``, ``reason``, ``detail``."""
        return self._table("skipped")

    @cached_property
    def skeletons(self) -> dict[str, Skeleton]:
        """The avatars' skeletons, in body axes of the file's handedness."""
        return {name: self._skeleton(name) for name in self.file["/skeletons"]}

    def _skeleton(self, avatar: str) -> Skeleton:
        names = tuple(_read(self.file, f"/skeletons/{avatar}/names"))
        parents = tuple(int(parent) for parent in _read(self.file, f"/skeletons/{avatar}/parents"))
        offsets = _read(self.file, f"/skeletons/{avatar}/offsets")
        try:
            return Skeleton(names, parents, offsets, END_POINTS & set(names))
        except ValueError as error:
            raise DatasetError(f"{self.path}: /skeletons/{avatar}: {error}") from None

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the J joints, in the order of the frame arrays."""
        return next(iter(self.skeletons.values())).names

    def joint_set(self, name: str) -> tuple[tuple[str, ...], NDArray[np.intp]]:
        """Return the names of a joint set and the joints' places among J.

        Raises
        ------
        DatasetError
            With the sets that there are.
        """
        if name not in self.file["/joint_sets"]:
            raise DatasetError(f"{self.path}: joint set: expected one of {', '.join(self.file['/joint_sets'])}, found {name!r}")
        group = f"/joint_sets/{name}"
        return tuple(_read(self.file, f"{group}/names")), _read(self.file, f"{group}/joints").astype(np.intp)

    def __len__(self) -> int:
        return int(self.file["/sequences/start"].shape[0])

    def __getitem__(self, number: int) -> Row:
        if not -len(self) <= number < len(self):
            raise IndexError(f"{self.path}: expected a sequence below {len(self)}, found {number}")
        number %= len(self)
        row = {key: column[number] for key, column in self.sequences.items()}
        clip = {key: column[row["clip"]] for key, column in self.clips.items()}
        return Row(number, int(row["start"]), int(row["length"]), str(row["avatar"]), clip, self.cameras[row["camera"]], self.file)


def _read(file: h5py.File, path: str) -> Array:
    dataset = file[path]
    return np.asarray(dataset.asstr()[()] if h5py.check_string_dtype(dataset.dtype) else dataset[()])


def open_dataset(path: str | Path) -> Dataset:
    """Open a dataset file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Dataset
        Use it as a context manager, or close it.

    Raises
    ------
    DatasetError
        If it is missing, no HDF5 file, no dataset of this project, incomplete, or of a newer schema.
    """
    path = Path(path)
    if not path.is_file():
        raise DatasetError(f"{path}: expected a dataset file, found {'a folder' if path.is_dir() else 'nothing'}; `mocapgen build` writes one")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DatasetError(f"{path}: expected an HDF5 file, found something else or a damaged one ({' '.join(str(error).split())[:120]})") from None
    try:
        _check(path, file)
    except BaseException:
        file.close()
        raise
    return Dataset(path, file)


def _check(path: Path, file: h5py.File) -> None:
    """Check everything but the frames themselves, so that what follows can rely on it."""
    found = file.attrs.get("format")
    if found != FILE_FORMAT:
        raise DatasetError(f"{path}: expected the attribute format={FILE_FORMAT!r}, found {found!r}: no dataset of this project")
    major = str(file.attrs.get("schema_version", "")).split(".")[0]
    if not major.isdecimal() or int(major) > int(SCHEMA_VERSION.split(".")[0]):
        raise DatasetError(
            f"{path}: expected schema {SCHEMA_VERSION} or older, found {file.attrs.get('schema_version')}; pip install --upgrade mocapgen"
        )
    try:
        _check_attributes(path, file)
        _check_arrays(path, file)
        _check_rows(path, file)
    except (OSError, RuntimeError, KeyError) as error:
        raise DatasetError(f"{path}: expected a sound HDF5 file, found a damaged one ({' '.join(str(error).split())[:120]})") from None


def _check_attributes(path: Path, file: h5py.File) -> None:
    for name in RootAttributes.model_fields:
        if name not in file.attrs:
            raise DatasetError(f"{path}: expected the attribute {name}, found {', '.join(file.attrs)}; the file is incomplete")
    texts: dict[str, Any] = {}
    for name in ("conventions", "config"):
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


def _check_arrays(path: Path, file: h5py.File) -> None:
    """Check that every array of the layout is there, with its type and with sizes that agree."""
    sizes: dict[str, int] = {}
    for array in LAYOUT.arrays:
        template, named, _ = array.path.partition("/<name>")
        members = file.get(template) if named else None
        if named and (not isinstance(members, h5py.Group) or not len(members)):
            raise DatasetError(f"{path}: {template}: expected at least one group, found none; the file is incomplete")
        for name in members if isinstance(members, h5py.Group) else ("",):
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


def _check_rows(path: Path, file: h5py.File) -> None:
    """Check that what counts rows of other arrays stays within them."""
    frames, joints = file["/frames/positions_3d"].shape[:2]
    start, length = (file[f"/sequences/{name}"][()].astype(np.int64) for name in ("start", "length"))
    clips, cameras = file["/clips/id"].shape[0], file["/cameras/K"].shape[0]
    _require(path, "/sequences/start", start, 0, frames)
    _require(path, "/sequences/length", length, 1, frames - start + 1)
    _require(path, "/sequences/clip", file["/sequences/clip"][()], 0, clips)
    _require(path, "/sequences/camera", file["/sequences/camera"][()], 0, cameras)
    unknown = sorted(set(_read(file, "/sequences/avatar")) - set(file["/skeletons"]))
    if unknown:
        raise DatasetError(f"{path}: /sequences/avatar: expected one of {', '.join(file['/skeletons'])}, found {unknown[0]!r}")
    for name, joint_set in file["/joint_sets"].items():
        size = joint_set["names"].shape[0]
        for column, least, limit in (("joints", 0, joints), ("parents", -1, size), ("symmetric_pairs", 0, size)):
            _require(path, f"/joint_sets/{name}/{column}", joint_set[column][()], least, limit)


def _require(path: Path, where: str, values: NDArray[Any], least: int, limit: int | NDArray[Any]) -> None:
    wrong = np.argwhere((values < least) | (values >= limit))
    if len(wrong):
        place = tuple(wrong[0])
        below = np.broadcast_to(limit, values.shape)[place]
        raise DatasetError(f"{path}: {where}: expected numbers from {least} to below {below}, found {values[place]} in row {place[0]}")
