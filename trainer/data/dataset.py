"""Read the poses of a dataset file into memory, and refuse what a model could not digest.

The file's layout (``schemas/dataset.py``, ``docs/conventions.md``) is all that is known here of whoever wrote it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from schemas.conventions import CAMERA_FRAMES, FILE_FORMAT, SCHEMA_VERSION, CameraFrame
from schemas.dataset import LAYOUT
from schemas.errors import DatasetError
from schemas.train import ModelCard

Array = NDArray[Any]

WANTED = ("frames/positions_3d", "frames/positions_2d", "sequences", "clips", "cameras")
SHOWN = 3
"""Names given in an error that concerns many sequences."""


@dataclass(frozen=True, eq=False)
class JointSet:
    """The joints that are lifted, by name, in the order of the arrays.

    Parameters
    ----------
    name : str
    joints : tuple of str
    parents : tuple of int
        Place of each joint's parent among `joints`; -1 for the root.
    pairs : tuple of (int, int)
        Left and right joint of each symmetric pair.
    groups : tuple of str
        Group of each joint for reports; empty if in none.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    groups: tuple[str, ...]

    @property
    def root(self) -> int:
        """Place of the root among the joints."""
        return self.parents.index(-1)

    @cached_property
    def parents_first(self) -> tuple[int, ...]:
        """Places of the joints, each after its parent: the root first."""
        order = [self.root]
        for place in order:  # which grows meanwhile
            order += [joint for joint, parent in enumerate(self.parents) if parent == place]
        return tuple(order)

    @cached_property
    def mirror(self) -> Array:
        """Place of the joint on the other side of the body, (J,) int."""
        swapped = np.arange(len(self.joints))
        for left, right in self.pairs:
            swapped[[left, right]] = right, left
        return swapped

    @classmethod
    def of_card(cls, card: ModelCard) -> JointSet:
        """Return the joints that a model lifts."""
        return cls(card.joint_set, card.joints, card.parents, card.symmetric_pairs, card.groups)


@dataclass(frozen=True, eq=False)
class PoseData:
    """The sequences of a dataset file, in memory.

    Parameters
    ----------
    path : Path
    joints : JointSet
    fps : float
    camera_frame : {"unity", "opencv"}
    positions_3d : (F, J, 3) float32, metres, camera frame
    positions_2d : (F, J, 2) float32, pixels
    start, length : (S,) int64
        Rows of the frame arrays that are a sequence.
    clip, recording, actor, action, avatar, camera : (S,) str
        `recording` is the file a clip was cut from: clips that are windows of one file share it.
    intrinsics : (S, 4) float32, pixels
        fx, fy, cx, cy with u = fx x / z + cx; fy is negative where y points up.
    image : (S, 2) float32, pixels
        Width and height.
    up : (S, 3) float32, camera frame
        The world's vertical.
    generator : str
    config : dict
        What the file was built with.
    """

    path: Path
    joints: JointSet
    fps: float
    camera_frame: CameraFrame
    positions_3d: Array
    positions_2d: Array
    start: Array
    length: Array
    clip: Array
    recording: Array
    actor: Array
    action: Array
    avatar: Array
    camera: Array
    intrinsics: Array
    image: Array
    up: Array
    generator: str
    config: dict[str, Any]

    def __len__(self) -> int:
        return len(self.start)

    def name(self, sequence: int) -> str:
        """Return what a person calls a sequence: clip, avatar, camera."""
        return f"{self.clip[sequence]} / {self.avatar[sequence]} / {self.camera[sequence]}"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all sequences; unique in a valid file."""
        return tuple(self.name(sequence) for sequence in range(len(self)))

    @cached_property
    def sha256(self) -> str:
        """Digest of the file, as ``sha256sum`` prints it."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def rows(self, sequences: Sequence[int] | Array) -> Array:
        """Return the rows of the frame arrays of some sequences, one sequence after the other, (F',) int."""
        sequences = np.asarray(sequences, dtype=np.int64)
        length = self.length[sequences]
        first = np.concatenate([[0], np.cumsum(length)[:-1]]) if len(length) else length
        return np.arange(length.sum()) + np.repeat(self.start[sequences] - first, length)


def load(path: str | Path, joint_set: str = "h36m17") -> PoseData:
    """Read a dataset file into memory.

    Parameters
    ----------
    path : str or Path
    joint_set : str
        Which joints: a group of ``/joint_sets``.

    Returns
    -------
    PoseData

    Raises
    ------
    DatasetError
        If the file is missing, no dataset, incomplete, of a newer schema, without that joint set, or has values that are not
        finite (the error names the sequence).
    """
    path = Path(path)
    if not path.is_file():
        raise DatasetError(f"{path}: expected a dataset file, found {'a folder' if path.is_dir() else 'nothing'}; `mocapgen build` writes one")
    try:
        with h5py.File(path, "r") as file:
            data = _read(path, file, joint_set)
    except OSError as error:
        raise DatasetError(f"{path}: expected an HDF5 file, found a damaged one or something else ({' '.join(str(error).split())[:120]})") from None
    _require_finite(data)
    return data


def _read(path: Path, file: h5py.File, joint_set: str) -> PoseData:
    config, conventions = _attributes(path, file)
    _require_arrays(path, file)
    joints, columns = _joint_set(path, file, joint_set)
    sequences, clips, cameras = (_table(path, file, group) for group in ("sequences", "clips", "cameras"))
    _require_indices(path, sequences, len(clips["id"]), len(cameras["K"]), len(file["/frames/positions_3d"]))
    clip, camera = sequences["clip"], sequences["camera"]
    K = cameras["K"]
    if np.any(K[:, 0, 1] != 0.0) or np.any(K[:, 1, 0] != 0.0):
        raise DatasetError(f"{path}: /cameras/K: expected cameras without skew, found one with; such images cannot be used")
    recording = np.array([f"{source}:{name}" for source, name in zip(clips["source"], clips["file"], strict=True)], dtype=object)
    return PoseData(
        path=path,
        joints=joints,
        fps=float(file.attrs["fps"]),
        camera_frame=conventions["camera_frame"],
        # Whole blocks, then the joints: HDF5 is slow at picking rows or columns.
        positions_3d=np.ascontiguousarray(_array(path, file, "/frames/positions_3d")[:, columns]),
        positions_2d=np.ascontiguousarray(_array(path, file, "/frames/positions_2d")[:, columns]),
        start=sequences["start"].astype(np.int64),
        length=sequences["length"].astype(np.int64),
        clip=clips["id"][clip],
        recording=recording[clip],
        actor=clips["actor"][clip],
        action=clips["action"][clip],
        avatar=sequences["avatar"],
        camera=cameras["rig"][camera],
        intrinsics=np.stack([K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2]], axis=1)[camera].astype(np.float32),
        image=np.stack([cameras["width"], cameras["height"]], axis=1)[camera].astype(np.float32),
        up=cameras["R"][camera, :, 1].astype(np.float32),  # where the camera sees the world's y axis
        generator=str(file.attrs.get("generator", "unknown")),
        config=config,
    )


def _attributes(path: Path, file: h5py.File) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return ``config`` and ``conventions`` of a file that is one of ours and not too new."""
    found = file.attrs.get("format")
    if found != FILE_FORMAT:
        raise DatasetError(f"{path}: expected the attribute format={FILE_FORMAT!r}, found {found!r}: no dataset of this project")
    version = str(file.attrs.get("schema_version", ""))
    major = version.split(".")[0]
    if not major.isdigit() or int(major) > int(SCHEMA_VERSION.split(".")[0]):
        raise DatasetError(f"{path}: expected schema {SCHEMA_VERSION} or older, found {version or 'none'}; pip install --upgrade mocapgen")
    fps = file.attrs.get("fps")
    if fps is None or not np.isfinite(fps) or fps <= 0:
        raise DatasetError(f"{path}: expected the attribute fps, frames per second, found {fps}")
    try:
        conventions = json.loads(file.attrs["conventions"])
        config = json.loads(file.attrs.get("config", "{}"))
        frame = conventions["camera_frame"]
    except (KeyError, TypeError, ValueError):
        raise DatasetError(f"{path}: expected the attribute conventions, a JSON object with camera_frame, found none or another") from None
    if frame not in CAMERA_FRAMES:
        raise DatasetError(f"{path}: camera_frame: expected {' or '.join(CAMERA_FRAMES)}, found {frame!r}")
    return dict(config), dict(conventions)


def _require_arrays(path: Path, file: h5py.File) -> None:
    """Check that every array that is used is there, with the schema's shape."""
    sizes: dict[str, int] = {}
    for array in LAYOUT.arrays:
        if "<name>" in array.path or not array.path[1:].startswith(WANTED):
            continue
        dataset = file.get(array.path)
        if not isinstance(dataset, h5py.Dataset):
            raise DatasetError(f"{path}: {array.path}: expected an array, found nothing; the file is incomplete")
        wanted = array.shape
        fits = len(wanted) == len(dataset.shape) and all(
            got == (size if isinstance(size, int) else sizes.setdefault(size, got)) for size, got in zip(wanted, dataset.shape, strict=True)
        )
        if not fits:
            shape = tuple(sizes.get(str(size), size) for size in wanted)
            raise DatasetError(f"{path}: {array.path}: expected shape {shape}, found {dataset.shape}")


def _array(path: Path, file: h5py.File, name: str) -> Array:
    dataset = file.get(name)
    if not isinstance(dataset, h5py.Dataset):
        raise DatasetError(f"{path}: {name}: expected an array, found nothing; the file is incomplete")
    try:
        return np.asarray(dataset.asstr()[()] if h5py.check_string_dtype(dataset.dtype) else dataset[()])
    except OSError as error:
        raise DatasetError(f"{path}: {name}: expected readable data, found damaged ({' '.join(str(error).split())[:100]})") from None


def _table(path: Path, file: h5py.File, group: str) -> dict[str, Array]:
    return {array.path.rpartition("/")[2]: _array(path, file, array.path) for array in LAYOUT.table(f"/{group}")}


def _joint_set(path: Path, file: h5py.File, name: str) -> tuple[JointSet, Array]:
    """Return a joint set and the columns of the frame arrays that are its joints."""
    sets = sorted(file.get("/joint_sets", {}))
    if name not in sets:
        raise DatasetError(f"{path}: joint set: expected one of {', '.join(sets) or 'none at all'}, found {name!r}")
    names, columns, parents, pairs, groups = (
        _array(path, file, f"/joint_sets/{name}/{key}") for key in ("names", "joints", "parents", "symmetric_pairs", "groups")
    )
    count = file["/frames/positions_3d"].shape[1]
    if len(columns) != len(names) or len(parents) != len(names) or np.any((columns < 0) | (columns >= count)):
        raise DatasetError(f"{path}: /joint_sets/{name}: expected {len(names)} joints and parents among {count}, found others")
    if np.count_nonzero(parents == -1) != 1:
        raise DatasetError(f"{path}: /joint_sets/{name}/parents: expected one root (-1), found {np.count_nonzero(parents == -1)}")
    if any(parent >= place for place, parent in enumerate(parents)):
        raise DatasetError(f"{path}: /joint_sets/{name}/parents: expected parents before their children, found others")
    joint_set = JointSet(
        name,
        tuple(str(joint) for joint in names),
        tuple(int(parent) for parent in parents),
        tuple((int(left), int(right)) for left, right in pairs),
        tuple(str(group) for group in groups),
    )
    return joint_set, columns.astype(np.intp)


def _require_indices(path: Path, sequences: dict[str, Array], clips: int, cameras: int, frames: int) -> None:
    """Check that the table of sequences points at rows that exist."""
    if not len(sequences["start"]):
        raise DatasetError(f"{path}: expected at least one sequence, found none; see `mocapgen inspect`")
    end = sequences["start"].astype(np.int64) + sequences["length"]
    for name, low, high in (("clip", sequences["clip"], clips), ("camera", sequences["camera"], cameras)):
        if low.min() < 0 or low.max() >= high:
            raise DatasetError(f"{path}: /sequences/{name}: expected rows of /{name}s below {high}, found {low.min()} to {low.max()}")
    if sequences["start"].min() < 0 or sequences["length"].min() < 1 or end.max() > frames:
        raise DatasetError(f"{path}: /sequences: expected stretches of at least one frame within {frames} frames, found others")


def _require_finite(data: PoseData) -> None:
    for name in ("positions_3d", "positions_2d"):
        bad = ~np.isfinite(getattr(data, name)).all(axis=(1, 2))
        if not bad.any():
            continue
        counts = np.array([np.count_nonzero(bad[start : start + length]) for start, length in zip(data.start, data.length, strict=True)])
        hit = np.flatnonzero(counts)
        if not len(hit):
            continue  # rows of no sequence are never used
        first = hit[0]
        frame = int(np.flatnonzero(bad[data.start[first] : data.start[first] + data.length[first]])[0])
        more = f" and {len(hit) - 1} more sequences" if len(hit) > 1 else ""
        raise DatasetError(f"{data.path}: /frames/{name}: expected finite numbers, found NaN in {data.name(int(first))}, frame {frame}{more}")


def require_match(data: PoseData, card: ModelCard) -> None:
    """Check that a model can be used on a file.

    Raises
    ------
    DatasetError
        With all differences, by name, in one line.
    """
    differences = []
    if data.joints.joints != card.joints:
        differences.append(_joint_difference(card.joints, data.joints.joints))
    elif data.joints.parents != card.parents:
        odd = [joint for joint, a, b in zip(card.joints, card.parents, data.joints.parents, strict=True) if a != b]
        differences.append(f"another parent of {', '.join(odd)}")
    if abs(data.fps - card.fps) > 1e-6 * card.fps:
        differences.append(f"{data.fps:g} frames per second instead of {card.fps:g} (`mocapgen build --fps {card.fps:g}`)")
    if data.camera_frame != card.camera_frame:
        differences.append(f"camera frame {data.camera_frame} instead of {card.camera_frame} (`mocapgen build --camera-frame {card.camera_frame}`)")
    if differences:
        raise DatasetError(f"{data.path}: expected what the model was trained on, found {'; '.join(differences)}")


def _joint_difference(wanted: Sequence[str], found: Sequence[str]) -> str:
    missing = [joint for joint in wanted if joint not in found]
    surplus = [joint for joint in found if joint not in wanted]
    if not missing and not surplus:
        return f"the joints in another order ({', '.join(found[:SHOWN])}, ... instead of {', '.join(wanted[:SHOWN])}, ...)"
    parts = [f"{word} {', '.join(joints)}" for word, joints in (("without joints", missing), ("surplus joints", surplus)) if joints]
    return ", ".join(parts)
