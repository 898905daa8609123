"""Plain NumPy arrays in one ``.npz`` file: no pickled objects, so that ``numpy.load`` takes it as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mocapgen.export.base import Exporter, ExportOutput
from mocapgen.export.export_input import ExportInput, Item, Joints
from mocapgen.export.npz_stream import NpzStream
from mocapgen.store.reader import Dataset
from schemas.base import Settings
from schemas.conventions import WORLD_FRAME


class Options(Settings):
    """Settings of the format."""

    space: Literal["world", "camera"] = "world"
    """Frame of positions: the world, or the camera."""
    joints: str | None = None
    """Joint set, such as `h36m17`; by default all joints."""


def axes_of(source: ExportInput, space: str) -> str:
    """Return in words the axes of positions."""
    return WORLD_FRAME if space == "world" else source.data.conventions.get("camera_axes", source.data.camera_frame)


def write(source: ExportInput, items: Sequence[Item], options: Options, output: ExportOutput) -> None:
    """Write one file: frames one after the other, and where each sequence begins."""
    joints = source.joints(options.joints)
    with NpzStream(output.folder) as stream:
        for done, item in enumerate(items):
            output.step(done, len(items), item.name)
            output.written.add(item.name)
            positions = source.world(item) if options.space == "world" else source.positions(item)
            pixels, seen = item.row["positions_2d"][:, joints.index], source.seen(item)[:, joints.index]
            stream.append({"positions_3d": positions[:, joints.index].astype(np.float32), "positions_2d": pixels, "seen": seen})
        stream.save(output.folder / output.main, _about_sequences(source, items, joints, options))
    output.about |= {
        "units": "metres; pixels",
        "axes": axes_of(source, options.space),
        "space": options.space,
        "joints": list(joints.names),
        "parents": list(joints.parents),
        "conventions": source.data.conventions,
        "arrays": {
            "positions_3d": "(F, N, 3) float32, metres",
            "positions_2d": "(F, N, 2) float32, pixels; NaN where a joint has no projection or was not seen",
            "seen": "(F, N) bool: in the image" if isinstance(source.data, Dataset) else "(F, N) bool: found by the detector",
            "start, length": "(S,) frames of each sequence: positions_3d[start : start + length]",
            "name, clip, actor, action, avatar": "(S,) text",
            "K, R, t, image": "(S, ...) camera of each sequence: X_camera = R X_world + t, (u, v, 1) = K X_camera / z, in the camera frame of "
            f"the file it was exported from ({source.data.camera_frame}); width and height",
            "joints, parents": "(N,) names in order; parent of each, -1 for the root",
        },
    }


def _about_sequences(source: ExportInput, items: Sequence[Item], joints: Joints, options: Options) -> dict[str, NDArray[Any]]:
    """Return the arrays that say what the frames are."""
    length = np.array([item.row.length for item in items])
    cameras = [item.row.camera for item in items]
    return {
        "start": np.cumsum(length) - length,
        "length": length,
        "name": np.array([item.name for item in items]),
        "clip": np.array([item.clip for item in items]),
        "actor": np.array([item.actor for item in items]),
        "action": np.array([item.action for item in items]),
        "avatar": np.array([item.row.avatar for item in items]),
        **{name: np.stack([getattr(camera, name) for camera in cameras]) for name in ("K", "R", "t")},
        "image": np.array([(camera.width, camera.height) for camera in cameras]),
        "joints": np.array(joints.names),
        "parents": np.array(joints.parents),
        "fps": np.array(source.fps),
        "units": np.array("metres, pixels"),
        "axes": np.array(axes_of(source, options.space)),
    }


EXPORTER = Exporter("plain arrays, without pickled objects", Options, write, suffix=".npz")
