"""Open and read a file that may be damaged: as much of it as can be used; what cannot be read is None, or left out."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.cameras.camera import Camera
from mocapgen.core.motion import Skeleton
from mocapgen.shared import layout
from mocapgen.shared.frame_reader import FrameReader
from mocapgen.shared.hdf5 import json_attribute, text_attribute
from mocapgen.shared.hdf5_walk import UNREADABLE
from mocapgen.store.reader import Dataset, SequenceRow
from schemas.conventions import CAMERA_FRAMES, FILE_FORMAT, SCHEMA_VERSION, CameraFrame
from schemas.dataset import LAYOUT
from schemas.errors import DatasetError
from schemas.inspection import Finding


def file_finding(message: str, where: str = "", value: float | None = None, sequence: int | None = None, clip: str = "", joint: str = "") -> Finding:
    """Return a finding in the file; check id and severity are filled in by the caller."""
    amount = float(value) if value is not None and np.isfinite(value) else None
    return Finding(check="", severity="info", message=message, where=where, value=amount, sequence=sequence, clip=clip, joint=joint)


def dataset(file: h5py.File, path: str) -> h5py.Dataset | None:
    """Return an array of the file, None if there is none."""
    try:
        node = file.get(path)
    except UNREADABLE:
        return None
    return node if isinstance(node, h5py.Dataset) else None


def kind_of(node: h5py.Dataset) -> str:
    """Return NumPy's kind of an array's type, ``O`` for texts; ``other`` for what no reader takes: lists, references, numbers above 8 bytes."""
    if h5py.check_string_dtype(node.dtype) is not None:
        return "O"
    return "other" if node.dtype.kind == "O" or node.dtype.itemsize > 8 else node.dtype.kind


def column(file: h5py.File, path: str, kinds: str, dimensions: int) -> NDArray[Any] | None:
    """Return a whole array if it can be read, is of one of NumPy's `kinds` of types (``O`` is text) and has so many dimensions; else None."""
    node = dataset(file, path)
    if node is None:
        return None
    try:
        kind = kind_of(node)
        if len(node.shape or ()) != dimensions or kind not in kinds:
            return None
        if kind == "O":
            return np.asarray(node.asstr(errors="replace")[()], dtype=object)
        return np.asarray(node[()])
    except UNREADABLE:
        return None


def members(file: h5py.File, group: str) -> list[str]:
    """Return the names in a group, none if there is no such group."""
    try:
        node = file.get(group)
        return [str(name) for name in node] if isinstance(node, h5py.Group) else []
    except UNREADABLE:
        return []


def attribute_names(node: Any) -> list[str]:
    """Return the names of all attributes, none if they cannot be read."""
    try:
        return [str(name) for name in node.attrs]
    except UNREADABLE:
        return []


def camera_frame(file: h5py.File) -> CameraFrame | None:
    """Return the camera frame that the file states, None if it states none that exists."""
    try:
        stated = json_attribute(Path(file.filename), file, "conventions").get("camera_frame")
    except DatasetError:
        return None
    return next((frame for frame in CAMERA_FRAMES if frame == stated), None)


def frame_count(file: h5py.File) -> int:
    """Return how many frames there are: the rows that most arrays of ``/frames`` have."""
    from collections import Counter

    nodes = (dataset(file, f"/frames/{name}") for name in members(file, "/frames"))
    rows = Counter(node.shape[0] for node in nodes if node is not None and node.shape)
    return int(rows.most_common(1)[0][0]) if rows else 0


def joint_names(file: h5py.File) -> tuple[str, ...] | None:
    """Return the joints of the first skeleton, None if there is none that can be read."""
    for avatar in members(file, "/skeletons"):
        names = column(file, f"/skeletons/{avatar}/names", "O", 1)
        if names is not None:
            return tuple(map(str, names))
    return None


DAMAGED = (DatasetError, OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError, AttributeError, Warning)
"""What reading a damaged or foreign file may raise."""


class DamagedFrames(DatasetError):
    """Frames are there but cannot be read: a checksum is wrong, or the bytes are no compressed data."""


_IN_PLANE = 2e-6
"""Metres: nearer than this to the camera's own plane there is no projection."""
_FRAMES = {array.path.rpartition("/")[2]: array for array in LAYOUT.table("/frames")}


def check_kind(path: Path, file: h5py.File) -> None:
    """Check that a file is a dataset of this project, and of no newer schema; one that does not say of which is let pass.

    Raises
    ------
    DatasetError
        If it is not.
    """
    stated = text_attribute(file, "schema_version") or ""
    if text_attribute(file, "format") == FILE_FORMAT and not re.match(r"\d+(\.|$)", stated):
        return  # a finding, not a reason to give up
    layout.check_kind(path, file, FILE_FORMAT, SCHEMA_VERSION)


@dataclass(frozen=True, eq=False)
class InspectedRow(SequenceRow):
    """A row that reads each array once, and lets nothing pass that is not what the layout says.

    Parameters
    ----------
    joints : int
        How many joints the skeleton has.
    """

    joints: int = 0
    _arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array of ``/frames`` for this sequence.

        Raises
        ------
        DamagedFrames
            If it cannot be read.
        DatasetError
            If it is missing, or of another shape or type.
        """
        if name not in self._arrays:
            try:
                found = super().__getitem__(name)
            except DatasetError as error:
                raise DamagedFrames(str(error)) from None
            except DAMAGED as error:
                raise DatasetError(f"/frames/{name}: expected sound frames in sequence {self.number}, found {error}") from None
            if name in _FRAMES:
                wanted = (self.length, self.joints, *_FRAMES[name].shape[2:])
                number = "b" if _FRAMES[name].dtype == "bool" else "f"
                if found.shape != wanted or found.dtype.kind != number:
                    raise DatasetError(f"/frames/{name}: expected shape {wanted} in sequence {self.number}, found {found.shape} of {found.dtype}")
            self._arrays[name] = found
        return self._arrays[name]

    def give(self, name: str, values: NDArray[Any]) -> None:
        """Let this be the array of that name: it was read with those of other rows, and is what it should be."""
        self._arrays[name] = values

    def not_finite(self, name: str) -> NDArray[np.bool_]:
        """Return where numbers are missing that should be there; of pixels not where a joint is in the camera's own plane.

        Raises
        ------
        DatasetError
            As reading does.
        """
        wrong = ~np.isfinite(self[name])
        if name == "positions_2d" and wrong.any():
            wrong &= ~(np.abs(self["positions_3d"][..., 2]) < _IN_PLANE)[..., None]
        return np.asarray(wrong)


class InspectedTables(Protocol):
    """What is read of a file that is inspected: of a dataset, or of predictions with the same tables."""

    @property
    def path(self) -> Path: ...  # noqa: D102
    @property
    def file(self) -> h5py.File: ...  # noqa: D102
    @property
    def reader(self) -> FrameReader: ...  # noqa: D102
    @property
    def fps(self) -> float: ...  # noqa: D102
    @property
    def frames(self) -> int: ...  # noqa: D102
    @property
    def sequences(self) -> dict[str, NDArray[Any]]: ...  # noqa: D102
    @property
    def clips(self) -> dict[str, NDArray[Any]]: ...  # noqa: D102
    @property
    def cameras(self) -> tuple[Camera, ...]: ...  # noqa: D102
    @property
    def skeletons(self) -> dict[str, Skeleton]: ...  # noqa: D102
    def __getitem__(self, number: int) -> SequenceRow: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True, eq=False)
class InspectableData:
    """What of a file can be inspected beyond its structure.

    Parameters
    ----------
    data : InspectedTables or None
        None if the tables cannot be used.
    skeletons : dict of str to Skeleton
        Those that are sound.
    rows : (n,) int
        Rows of ``/sequences`` that point at frames, clips, cameras and skeletons that exist and are sound.
    problem : str
        Why there is no `data`, in one line.
    row_type : type of InspectedRow
    """

    data: InspectedTables | None
    skeletons: dict[str, Skeleton]
    rows: NDArray[np.int64]
    problem: str = ""
    row_type: type[InspectedRow] = InspectedRow

    def row(self, number: int, offset: int = 0, length: int | None = None) -> InspectedRow:
        """Return a sequence, or the part of it that starts at frame `offset` and has `length` frames."""
        assert self.data is not None
        row = self.data[number]
        count = row.length if length is None else length
        joints = len(self.skeletons[row.avatar].names)
        return self.row_type(number, row.start + offset, count, row.avatar, row.clip, row.camera, self.data.reader, joints)


def open_leniently(path: Path, file: h5py.File) -> InspectableData:
    """Return what of an open file can be inspected."""
    data = Dataset(path, file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # NumPy only warns when it casts what is no number
            _use_tables(data)
            skeletons = data.skeletons = _skeletons(data)
            return InspectableData(data, skeletons, _sound_rows(data, skeletons))
    except DAMAGED as error:
        return InspectableData(None, {}, np.zeros(0, dtype=np.int64), " ".join(str(error).split())[:160] or type(error).__name__)


def _use_tables(data: Dataset) -> None:
    """Read the tables, so that damage shows now."""
    if not 0 < data.fps < np.inf:
        raise DatasetError(f"attribute fps: expected a positive number, found {data.fps:g}")
    if data.conventions.get("camera_frame") not in CAMERA_FRAMES:
        raise DatasetError(f"attribute conventions: expected camera_frame to be one of {', '.join(CAMERA_FRAMES)}")
    for name, table in (("sequences", data.sequences), ("clips", data.clips)):
        sizes = {key: column.shape for key, column in table.items()}
        if len(set(sizes.values())) != 1 or any(len(shape) != 1 for shape in sizes.values()):
            raise DatasetError(f"/{name}: expected columns of one length, found {', '.join(f'{key} {shape}' for key, shape in sizes.items())}")
    for key in ("start", "length", "clip", "camera"):
        if data.sequences[key].dtype.kind not in "iu":
            raise DatasetError(f"/sequences/{key}: expected whole numbers, found {data.sequences[key].dtype}")
    for camera in data.cameras[:1]:
        if (camera.K.shape, camera.R.shape, camera.t.shape) != ((3, 3), (3, 3), (3,)):
            raise DatasetError(f"/cameras: expected K (3, 3), R (3, 3), t (3,), found {camera.K.shape}, {camera.R.shape}, {camera.t.shape}")


def _skeletons(data: Dataset) -> dict[str, Skeleton]:
    found = {}
    for name in data.file["/skeletons"]:
        try:
            found[name] = data.skeleton(name)
        except DAMAGED:  # its sequences are left out, and checks of the structure say why
            continue
    return found


def _sound_rows(data: Dataset, skeletons: dict[str, Skeleton]) -> NDArray[np.int64]:
    table = data.sequences
    start, length = table["start"].astype(np.int64), table["length"].astype(np.int64)
    frames = max((array.shape[0] for array in data.file["/frames"].values() if isinstance(array, h5py.Dataset) and array.shape), default=0)
    sound = (start >= 0) & (length > 0) & (start <= frames) & (length <= frames - start)
    sound &= (table["clip"] >= 0) & (table["clip"] < len(data.clips["id"]))
    sound &= (table["camera"] >= 0) & (table["camera"] < len(data.cameras))
    usable = np.array([all(np.isfinite(part).all() for part in (camera.K, camera.R, camera.t)) for camera in data.cameras], dtype=bool)
    sound[sound] = usable[table["camera"][sound]]
    known = np.array([str(avatar) in skeletons for avatar in table["avatar"]], dtype=bool)
    return np.flatnonzero(sound & known).astype(np.int64)
