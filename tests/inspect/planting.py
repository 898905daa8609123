"""Change what a sequence of a dataset file shows, so that all its arrays go on agreeing with each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import h5py
import numpy as np

from mocapgen.cameras.camera import Camera, body_offsets, body_rotations
from mocapgen.cameras.project import project_motion
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import from_euler, multiply, rotate
from mocapgen.inspect.sequence_view import SequenceView
from mocapgen.store.reader import SequenceRow
from schemas.conventions import END_POINTS
from tests.inspect.defects import rows

SEQUENCES = {"kick": 0, "lieDown": 2, "squat": 4, "walk": 6}
"""Sequences of the clean file in which the average man performs an action."""


def camera_of(file: h5py.File, sequence: int) -> Camera:
    """Return the camera of a sequence."""
    row = int(file["/sequences/camera"][sequence])
    K, R, t, width, height = (file[f"/cameras/{name}"][row] for name in ("K", "R", "t", "width", "height"))
    return Camera(K, R, t, int(width), int(height), "unity" if np.linalg.det(R) < 0 else "opencv", str(file["/cameras/rig"].asstr()[row]))


def motion_of(file: h5py.File, sequence: int) -> Motion:
    """Return what a sequence shows as a motion in the world."""
    camera, place = camera_of(file, sequence), rows(file, sequence)
    group = file["/skeletons"][file["/sequences/avatar"].asstr()[sequence]]
    names = tuple(group["names"].asstr()[:])
    skeleton = Skeleton(names, tuple(group["parents"][:].tolist()), body_offsets(group["offsets"][:], camera.frame), END_POINTS & set(names))
    quaternions = file["/frames/quaternions"][place].astype(np.float64)
    rotations = np.array(body_rotations(quaternions, camera.frame))
    rotations[:, 0] = camera.world_rotations(quaternions[:, 0])
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    return Motion(skeleton, rotations, camera.to_world(file["/frames/positions_3d"][place, 0]), float(file.attrs["fps"]))


def perform(file: h5py.File, sequence: int, edit: Callable[[Motion], Motion]) -> None:
    """Let a sequence show another motion, of as many frames."""
    motion = edit(motion_of(file, sequence))
    (shown,) = project_motion("", motion, forward_kinematics(motion), (camera_of(file, sequence),))
    for name in ("positions_3d", "positions_2d", "quaternions", "euler", "in_view"):
        file[f"/frames/{name}"][rows(file, sequence)] = getattr(shown, name)


def move(file: h5py.File, sequence: int, edit: Callable[[Array], Array | None]) -> None:
    """Change the joints' positions in the world, (T, J, 3) metres; pixels and flags follow, rotations do not."""
    camera, place = camera_of(file, sequence), rows(file, sequence)
    world = camera.to_world(file["/frames/positions_3d"][place])
    edited = edit(world)
    seen = camera.to_camera(world if edited is None else edited)
    pixels = camera.project(seen)
    file["/frames/positions_3d"][place] = seen
    file["/frames/positions_2d"][place] = pixels
    file["/frames/in_view"][place] = camera.in_view(seen, pixels)


def turned(motion: Motion, joint: str, axis: str, degrees: float | Array, frames: slice = slice(None)) -> Motion:
    """Return a motion with a joint turned further about an axis of its parent (of the world, for the root)."""
    rotations = np.array(motion.rotations)
    angles = np.zeros((len(motion), 3))
    angles[frames, "XYZ".index(axis)] = np.radians(degrees)
    index = motion.skeleton.index(joint)
    rotations[:, index] = multiply(from_euler("XYZ", angles), rotations[:, index])
    return replace(motion, rotations=rotations)


def shifted(motion: Motion, offset: Array | list[float]) -> Motion:
    """Return a motion elsewhere in the world: `offset` is (3,) or (T, 3) metres."""
    return replace(motion, root_positions=motion.root_positions + np.asarray(offset))


def tipped(motion: Motion, axis: str, degrees: float) -> Motion:
    """Return a motion with the whole world turned about one of its axes."""
    angles = np.zeros(3)
    angles["XYZ".index(axis)] = np.radians(degrees)
    turn = from_euler("XYZ", angles)
    rotations = np.array(motion.rotations)
    rotations[:, 0] = multiply(turn, rotations[:, 0])
    return replace(motion, rotations=rotations, root_positions=rotate(turn, motion.root_positions))


def noise(shape: tuple[int, ...], size: float) -> Array:
    """Return the same random numbers each time: normal, with this standard deviation."""
    return np.random.default_rng(5).normal(0.0, size, shape)


def viewed(file: h5py.File, sequence: int, **arrays: Array) -> SequenceView:
    """Return what checks look at, with some arrays of `/frames` put in the place of the file's."""
    place = rows(file, sequence)
    motion, camera = motion_of(file, sequence), camera_of(file, sequence)
    skeleton = replace(motion.skeleton, offsets=body_offsets(motion.skeleton.offsets, camera.frame))
    columns = {name: arrays.get(name, file[f"/frames/{name}"][place]) for name in file["/frames"]}
    row = _SequenceRow(sequence, place.start, len(columns["positions_3d"]), "average_man", {"id": "clip"}, camera, file, columns)
    return SequenceView(row, skeleton, motion.fps)


@dataclass(frozen=True, eq=False)
class _SequenceRow(SequenceRow):
    columns: dict[str, Array] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]
