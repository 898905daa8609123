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
from mocapgen.export.npz_stream import NpzStream
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
    numbers = {camera: number for number, camera in enumerate(source.data.cameras)}
    subjects = _subjects(items)
    for item in items:
        camera = f"camera{numbers[item.row.camera]:04d}"
        cameras[subjects[item.actor], camera] = _camera(item.row.camera, camera)
    rate = f"{FOLDER}/fps{source.fps:g}"
    (output.folder / rate).mkdir(parents=True)
    for name, part in (("train", [item for item in items if item.actor not in test]), ("test", [item for item in items if item.actor in test])):
        if not part:
            continue
        videos = {item: _video(subjects[item.actor], item, numbers[item.row.camera]) for item in part}
        longest = max(len(_picture(subjects[item.actor], video, item.row.length)) for item, video in videos.items())
        with NpzStream(output.folder) as stream:
            for item, video in videos.items():
                output.step(len(output.written), len(items), item.name)
                output.written.add(item.name)
                subject = subjects[item.actor]
                pictures = np.array([_picture(subject, video, number + 1) for number in range(item.row.length)], dtype=f"U{longest}")
                stream.append({"imgname": pictures, **_annotations(source, item, joints.index)})
            stream.save(output.folder / rate / f"h36m_{name}.npz")
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


def _video(subject: str, item: Item, camera: int) -> str:
    """Return what the pictures of a sequence are named after: subject, sequence and camera."""
    return f"{subject}_{item.name.replace('.', '_')}.camera{camera:04d}"


def _picture(subject: str, video: str, frame: int) -> str:
    """Return the path of the picture of a frame, from 1."""
    return f"{subject}/{video}/{video}_{frame:06d}.jpg"


def _annotations(source: ExportInput, item: Item, index: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    """Return the arrays of one sequence."""
    positions, pixels, seen = source.positions(item)[:, index], item.row["positions_2d"][:, index], source.seen(item)[:, index]
    if item.row.camera.frame == "unity":
        positions = positions * np.array([1.0, -1.0, 1.0])
    known: NDArray[np.bool_] = np.isfinite(pixels).all(axis=-1)
    low, high = _box(pixels, known)
    flat = np.where(known[..., None], pixels, 0.0)
    return {
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
