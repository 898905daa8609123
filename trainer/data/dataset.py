"""Read the poses of a dataset file into memory, and refuse files that a model cannot use.

The file's layout (``schemas/dataset.py``, ``docs/conventions.md``) is all that this module relies on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.hdf5 import OpenFile, open_checked, read_array, read_joints
from mocapgen.shared.layout import check_dataset
from mocapgen.shared.text import quoted
from schemas.conventions import CameraFrame
from schemas.detectors import DETECTOR_SET
from schemas.errors import DatasetError
from schemas.train import ModelCard
from trainer.data.detector_points import detector_joints, detector_positions
from trainer.data.joints import LiftedJoints

_LARGEST = 1e15
"""Metres or pixels; a network's numbers of single precision overflow on larger ones."""

_BLOCK = 65_536
"""Frames that are checked at once."""

Array = NDArray[Any]

SHOWN = 3
"""Names given in an error that concerns many sequences."""


@dataclass(frozen=True, eq=False)
class PoseData:
    """The sequences of a dataset file, in memory.

    Parameters
    ----------
    path : Path
    joints : LiftedJoints
    fps : float
    camera_frame : {"unity", "opencv"}
    positions_3d : (F, J, 3) float32, metres, camera frame
    positions_2d : (F, J, 2) float32, pixels
    start, length : (S,) int64
        Rows of the frame arrays that are a sequence.
    clip, recording, content, actor, action, avatar, camera : (S,) str
        `recording` is the file a clip was cut from: clips that are windows of one file share it, under whatever names the file is there.
        `content` is the digest of that file.
    intrinsics : (S, 4) float32, pixels
        fx, fy, cx, cy with u = fx x / z + cx; fy is negative where y points up.
    image : (S, 2) float32, pixels
        Width and height.
    up : (S, 3) float32, camera frame
        The world's vertical.
    generator : str
    config : dict
        What the file was built with.
    cache : Path, optional
        The file that the frames are mapped from (:mod:`trainer.data.cache`).
    """

    path: Path
    joints: LiftedJoints
    fps: float
    camera_frame: CameraFrame
    positions_3d: Array
    positions_2d: Array
    start: Array
    length: Array
    clip: Array
    recording: Array
    content: Array
    actor: Array
    action: Array
    avatar: Array
    camera: Array
    intrinsics: Array
    image: Array
    up: Array
    generator: str
    config: dict[str, Any]
    cache: Path | None = None

    def __len__(self) -> int:
        return len(self.start)

    def name(self, sequence: int) -> str:
        """Return what a person calls a sequence: clip, avatar, camera."""
        return f"{self.clip[sequence]} / {self.avatar[sequence]} / {self.camera[sequence]}"

    @cached_property
    def compared(self) -> PoseData:
        """The same with only those joints over which errors are reported."""
        views = {name: getattr(self, name)[:, self.joints.reported] for name in ("positions_3d", "positions_2d")}
        return replace(self, joints=self.joints.compared, **views)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all sequences; unique in a valid file."""
        return tuple(self.name(sequence) for sequence in range(len(self)))

    @cached_property
    def sha256(self) -> str:
        """Digest of the file, as ``sha256sum`` prints it."""
        state = self.path.stat()
        return _sha256(self.path, state.st_size, state.st_mtime_ns)

    def rows(self, sequences: Sequence[int] | Array) -> Array:
        """Return the rows of the frame arrays of some sequences, one sequence after the other, (F',) int."""
        sequences = np.asarray(sequences, dtype=np.int64)
        length = self.length[sequences]
        first = np.concatenate([[0], np.cumsum(length)[:-1]]) if len(length) else length
        return np.arange(length.sum()) + np.repeat(self.start[sequences] - first, length)


@lru_cache(maxsize=16)
def _sha256(path: Path, size: int, changed: int) -> str:
    """Return the digest of a file as it is now; a large one takes seconds."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(path: str | Path, joint_set: str = "h36m17", frames: bool = True) -> PoseData:
    """Read a dataset file into memory.

    Parameters
    ----------
    path : str or Path
    joint_set : str
        Which joints: a group of ``/joint_sets``, or ``detector``: the joints that detectors see (``schemas/detectors.py``).
    frames : bool
        Whether to read the frames, too; without them, :func:`trainer.data.parts.parts` reads some at a time.

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
    with OpenFile(path, open_checked(path, check_dataset)) as file:
        data = _read(file, joint_set, frames)
    require_finite(data)
    return data


def _read(file: OpenFile, joint_set: str, frames: bool) -> PoseData:
    sequences, clips, cameras = (file.table(name) for name in ("sequences", "clips", "cameras"))
    if not len(file):
        raise DatasetError(f"{file.path}: expected at least one sequence, found none; see `mocapgen inspect`")
    clip, camera = sequences["clip"], sequences["camera"]
    K = cameras["K"]
    if np.any(K[:, 0, 1] != 0.0) or np.any(K[:, 1, 0] != 0.0):
        raise DatasetError(f"{file.path}: /cameras/K: expected cameras without skew, found one with; such images cannot be used")
    intrinsics = np.stack([K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2]], axis=1)[camera].astype(np.float32)
    joints, columns = lifted_joints(file, joint_set)
    positions_3d, positions_2d = (np.empty((0, len(joints.joints), size), dtype=np.float32) for size in (3, 2))
    if frames and columns is not None:
        positions_3d, positions_2d = (read_joints(file.file, name, columns) for name in ("positions_3d", "positions_2d"))
    elif frames:
        stored, turned = (read_array(file.file, f"/frames/{name}") for name in ("positions_3d", "quaternions"))
        positions_3d, positions_2d = detector_frames(file, stored, turned, sequences, intrinsics)
    return PoseData(
        path=file.path,
        joints=joints,
        fps=file.fps,
        camera_frame=file.camera_frame,
        positions_3d=positions_3d,
        positions_2d=positions_2d,
        start=sequences["start"].astype(np.int64),
        length=sequences["length"].astype(np.int64),
        clip=clips["id"][clip],
        recording=_recordings(clips)[clip],
        content=clips["sha256"][clip],
        actor=clips["actor"][clip],
        action=clips["action"][clip],
        avatar=sequences["avatar"],
        camera=cameras["rig"][camera],
        intrinsics=intrinsics,
        image=np.stack([cameras["width"], cameras["height"]], axis=1)[camera].astype(np.float32),
        up=cameras["R"][camera, :, 1].astype(np.float32),  # where the camera sees the world's y axis
        generator=file.generator,
        config=file.json("config"),
    )


def _recordings(clips: Mapping[str, Array]) -> Array:
    """Return the file that each clip was cut from, (C,) str; of several names of the same bytes the first one."""
    names = [f"{source}:{name}" for source, name in zip(clips["source"], clips["file"], strict=True)]
    first: dict[str, str] = {}
    for name, content in sorted(zip(names, clips["sha256"], strict=True)):
        first.setdefault(content or name, name)
    return np.array([first[content or name] for name, content in zip(names, clips["sha256"], strict=True)], dtype=object)


def lifted_joints(file: OpenFile, joint_set: str) -> tuple[LiftedJoints, Array | None]:
    """Return a joint set, and the columns of the frame arrays that are its joints; None if it is none of the file: see :func:`detector_frames`."""
    if joint_set == DETECTOR_SET and joint_set not in file.file["/joint_sets"]:
        return detector_joints(), None
    return _joint_set(file, joint_set)


def detector_frames(
    file: OpenFile, positions: Array, quaternions: Array, sequences: Mapping[str, Array], intrinsics: Array
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the joints that detectors see: positions in the camera frame, (F, 24, 3), and pixels, (F, 24, 2); NaN in rows of no sequence.

    Parameters
    ----------
    file, positions, quaternions, sequences
        See :func:`trainer.data.detector_points.detector_positions`.
    intrinsics : (S, 4) float32, pixels
    """
    found = detector_positions(file, positions, quaternions, sequences)
    focal, centre = (np.full((len(found), 1, 2), np.nan, dtype=np.float32) for _ in range(2))
    for start, length, camera in zip(sequences["start"], sequences["length"], intrinsics, strict=True):
        focal[start : start + length], centre[start : start + length] = camera[:2], camera[2:]
    return found, found[..., :2] / found[..., 2:] * focal + centre


def _joint_set(file: OpenFile, name: str) -> tuple[LiftedJoints, Array]:
    """Return a joint set, whose root and order a model relies on, and the columns of the frame arrays that are its joints."""
    columns = file.joint_columns(name)
    parents, names = columns["parents"], columns["names"].tolist()
    if len(set(names)) < len(names):
        raise DatasetError(f"{file.path}: /joint_sets/{name}/names: expected every joint once, found {quoted(max(names, key=names.count))} twice")
    where = f"{file.path}: /joint_sets/{name}/parents"
    if np.count_nonzero(parents == -1) != 1:
        raise DatasetError(f"{where}: expected one root (-1), found {np.count_nonzero(parents == -1)}")
    if np.any(parents >= np.arange(len(parents))):
        raise DatasetError(f"{where}: expected parents before their children, found others")
    joint_set = LiftedJoints(
        name,
        tuple(names),
        tuple(parents.tolist()),
        tuple((left, right) for left, right in columns["symmetric_pairs"].tolist()),
        tuple(columns["groups"].tolist()),
    )
    return joint_set, columns["joints"].astype(np.intp)


def require_finite(data: PoseData) -> None:
    """Check the frames: finite numbers, not too large for a network; raises DatasetError with the first sequence that has others."""
    for name in ("positions_3d", "positions_2d"):
        values = getattr(data, name)
        blocks = (values[first : first + _BLOCK] for first in range(0, len(values), _BLOCK))
        bad = np.concatenate([np.zeros(0, dtype=bool), *(~(np.abs(block) < _LARGEST).all(axis=(1, 2)) for block in blocks)])
        if not bad.any():
            continue
        counts = np.array([np.count_nonzero(bad[start : start + length]) for start, length in zip(data.start, data.length, strict=True)])
        hit = np.flatnonzero(counts)
        if not len(hit):
            continue  # rows of no sequence are never used
        first = hit[0]
        frame = int(np.flatnonzero(bad[data.start[first] : data.start[first] + data.length[first]])[0])
        more = f" and {len(hit) - 1} more sequences" if len(hit) > 1 else ""
        where = f"{data.path}: /frames/{name}"
        raise DatasetError(f"{where}: expected finite numbers, found NaN or more than {_LARGEST:g} in {data.name(int(first))}, frame {frame}{more}")


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
        differences.append(f"{data.fps:g} frames per second instead of {card.fps:g} (build it with fps={card.fps:g})")
    if data.camera_frame != card.camera_frame:
        differences.append(f"camera frame {data.camera_frame} instead of {card.camera_frame} (build it with camera_frame={card.camera_frame!r})")
    if differences:
        raise DatasetError(f"{data.path}: expected what the model was trained on, found {'; '.join(differences)}")


def _joint_difference(wanted: Sequence[str], found: Sequence[str]) -> str:
    missing = [joint for joint in wanted if joint not in found]
    surplus = [joint for joint in found if joint not in wanted]
    if not missing and not surplus:
        return f"the joints in another order ({', '.join(found[:SHOWN])}, ... instead of {', '.join(wanted[:SHOWN])}, ...)"
    parts = [f"{word} {', '.join(joints)}" for word, joints in (("without joints", missing), ("surplus joints", surplus)) if joints]
    return ", ".join(parts)
