"""Annotations as MMPose's ``Human36mDataset`` reads them: positions before the camera, pixels, boxes, and the cameras."""

from __future__ import annotations

import pickle
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.cameras.camera import Camera
from mocapgen.core.motion import Array
from mocapgen.export.base import Exporter, ExportOutput
from mocapgen.export.export_input import ExportInput, HeldOut, Item, safe_name, split_actors
from schemas.conventions import H36M17
from schemas.errors import ConfigError

FOLDER = "annotation_body3d"
PADDING = 1.2
"""Size of a box relative to the person's, as in MMPose's annotations of Human3.6M."""
BOX_UNIT = 200.0
"""Pixels in a unit of the scale of a box."""


class Options(HeldOut):
    """Settings of the format."""


def write(source: ExportInput, items: Sequence[Item], options: Options, output: ExportOutput) -> None:
    """Write ``annotation_body3d`` with the cameras and an annotation file for training and, if there are actors for it, one for testing."""
    joints = source.joints("h36m17")
    if joints.names != tuple(H36M17):
        raise ConfigError(f"{source.path}: /joint_sets/h36m17: expected the joints {', '.join(H36M17)}, found {', '.join(joints.names)}")
    _, test = split_actors(items, options)
    cameras: dict[tuple[str, str], dict[str, Any]] = {}
    parts: dict[str, list[dict[str, NDArray[Any]]]] = {"train": [], "test": []}
    numbers = {camera: number for number, camera in enumerate(source.data.cameras)}
    subjects = _subjects(items)
    for done, item in enumerate(items):
        output.step(done, len(items), item.name)
        output.written.add(item.name)
        subject, camera = subjects[item.actor], f"camera{numbers[item.row.camera]:04d}"
        cameras[subject, camera] = _camera(item.row.camera, camera)
        part = parts["test" if item.actor in test else "train"]
        part.append(_annotations(source, item, joints.index, f"{subject}_{item.name.replace('.', '_')}.{camera}", subject))
    rate = f"{FOLDER}/fps{source.fps:g}"
    (output.folder / rate).mkdir(parents=True)
    for name, found in parts.items():
        if found:
            arrays: dict[str, Any] = {key: np.concatenate([entry[key] for entry in found]) for key in found[0]}
            np.savez(output.folder / rate / f"h36m_{name}.npz", **arrays)
    (output.folder / FOLDER / "cameras.pkl").write_bytes(pickle.dumps(cameras, protocol=4))
    output.about |= {
        "units": "metres; pixels",
        "axes": "S in the camera frame: right-handed, x right, y down, z forward; world y up, right-handed",
        "joints": list(H36M17),
        "subjects": subjects,
        "test_actors": list(test),
        "arrays": {
            "imgname": "(F,) subject/subject_sequence.camera/subject_sequence.camera_frame.jpg; there are no such pictures",
            "center, scale": "(F, 2) pixels; (F,) size of the box, in 200 pixels",
            "part": "(F, 17, 3) pixels, and 1 where the joint is in the image (or was seen), else 0",
            "S": "(F, 17, 4) metres, camera frame, and 1",
        },
        "cameras": "cameras.pkl: by (subject, camera): R (3, 3) and T (3, 1) metres from camera to world, f, c (2, 1) pixels, no distortion",
    }


def _subjects(items: Sequence[Item]) -> dict[str, str]:
    """Return a name without the signs that part the names of pictures, for each actor."""
    names: dict[str, str] = {}
    for actor in sorted({item.actor for item in items}):
        name = found = re.sub(r"[_.]+", "-", safe_name(actor or "somebody")).strip("-") or "somebody"
        number = 1
        while found in names.values():
            number += 1
            found = f"{name}-{number}"
        names[actor] = found
    return names


def _annotations(source: ExportInput, item: Item, index: NDArray[np.intp], video: str, subject: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of one sequence."""
    positions, pixels, seen = source.positions(item)[:, index], item.row["positions_2d"][:, index], source.seen(item)[:, index]
    if item.row.camera.frame == "unity":
        positions = positions * np.array([1.0, -1.0, 1.0])
    known: NDArray[np.bool_] = np.isfinite(pixels).all(axis=-1)
    low, high = _box(pixels, known)
    flat = np.where(known[..., None], pixels, 0.0)
    return {
        "imgname": np.array([f"{subject}/{video}/{video}_{frame + 1:06d}.jpg" for frame in range(len(positions))]),
        "center": 0.5 * (low + high),
        "scale": PADDING * (high - low).max(axis=-1) / BOX_UNIT,
        "part": np.concatenate([flat, (seen & known)[..., None]], axis=-1).astype(np.float32),
        "S": np.concatenate([positions, np.ones((*positions.shape[:2], 1))], axis=-1).astype(np.float32),
    }


def _box(pixels: NDArray[Any], known: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return the corners, (T, 2), of the box around the joints that are known; empty at the origin where none is."""
    low = np.where(known[..., None], pixels, np.inf).min(axis=1)
    high = np.where(known[..., None], pixels, -np.inf).max(axis=1)
    some = known.any(axis=1, keepdims=True)
    return np.where(some, low, 0.0), np.where(some, high, 0.0)


def _camera(camera: Camera, name: str) -> dict[str, Any]:
    return {
        "R": camera.to_opencv().R.T,
        "T": camera.centre[:, None],
        "c": camera.K[:2, 2:],
        "f": np.abs(np.diag(camera.K)[:2, None]),
        "k": np.zeros((3, 1)),
        "p": np.zeros((2, 1)),
        "w": camera.width,
        "h": camera.height,
        "name": name,
        "id": name,
    }


EXPORTER = Exporter("annotations for the Human36mDataset of MMPose", Options, write)
