"""The two ``.npz`` files from which VideoPose3D trains: joints in the world, and their projections before each camera.

Its class for Human3.6M knows seven subjects and, for each, the four cameras of that recording; it computes positions relative to a
camera by itself. So clips are placed in the middle of that room (``views: h36m``), and filmed by those cameras: its code then loads
and trains as it is. For programs that bring cameras of their own, ``views: file`` keeps actors and cameras as they are.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mocapgen.cameras.camera import Camera
from mocapgen.core.motion import Array
from mocapgen.core.rotation import from_matrix, to_matrix
from mocapgen.export.base import Exporter, ExportOutput
from mocapgen.export.export_input import ExportInput, HeldOut, Item, safe_name, split_actors
from mocapgen.export.npz_pickle import Later, save_objects
from schemas.conventions import H36M17
from schemas.errors import ConfigError

TRAIN, TEST = ("S1", "S5", "S6", "S7", "S8"), ("S9", "S11")
"""The subjects of Human3.6M that train and test, as VideoPose3D has them by default."""
KEPT = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""Of the 32 joints of Human3.6M, those that are h36m17, in its order."""
FOLLOWS = (0, 1, 2, 3, 3, 3, 4, 5, 6, 6, 6, 0, 7, 8, 9, 10, 8, 11, 12, 13, 13, 13, 13, 13, 8, 14, 15, 16, 16, 16, 16, 16)
"""For each of the 32, the joint of h36m17 in whose place it is written: itself, or the nearest one towards the root."""
LEFT, RIGHT = (tuple(n for n, name in enumerate(H36M17) if name.startswith(side)) for side in ("left", "right"))
NEAREST = 0.5
"""No joint may be nearer to a camera, metres."""


class Options(HeldOut):
    """Settings of the format."""

    views: Literal["h36m", "file"] = "h36m"
    """Cameras: those of Human3.6M, which VideoPose3D expects, or those of the file."""


@dataclass(frozen=True)
class H36mCamera:
    """One camera of the Human3.6M recording: metres, pixels, z up."""

    rotation: Array
    """(3, 3) camera to world."""
    position: Array
    """(3,) metres."""
    focal: Array
    centre: Array
    radial: Array
    tangential: Array

    def project(self, positions: Array) -> tuple[Array, Array]:
        """Return positions (..., 3) in the room, metres, in the camera frame, and their pixels."""
        seen = (positions - self.position) @ self.rotation
        flat = seen[..., :2] / seen[..., 2:]
        square = np.einsum("...i,...i->...", flat, flat)[..., None]
        radial = 1.0 + square * (self.radial[0] + square * (self.radial[1] + square * self.radial[2]))
        bent = flat * (radial + (flat @ self.tangential)[..., None]) + self.tangential * square
        return seen, bent * self.focal + self.centre


@cache
def h36m_cameras() -> dict[str, tuple[H36mCamera, ...]]:
    """Return the four cameras of each subject of Human3.6M."""
    data = json.loads((Path(__file__).parent / "_h36m_cameras.json").read_text(encoding="utf-8"))
    lenses = [{name: np.array(camera[name]) for name in ("focal", "centre", "radial", "tangential")} for camera in data["cameras"]]
    cameras = {}
    for subject, places in data["subjects"].items():
        turns = [to_matrix(np.array([*place["orientation"][1:], place["orientation"][0]])) for place in places]
        positions = [0.001 * np.array(place["position_mm"]) for place in places]
        cameras[subject] = tuple(H36mCamera(turn, position, **lens) for turn, position, lens in zip(turns, positions, lenses, strict=True))
    return cameras


def focus_of(cameras: Sequence[H36mCamera]) -> Array:
    """Return where on the floor the cameras look: (2,) metres, the point nearest to all optical axes seen from above."""
    axes = np.stack([camera.rotation[:2, 2] / np.linalg.norm(camera.rotation[:2, 2]) for camera in cameras])
    off = np.eye(2) - axes[:, :, None] * axes[:, None, :]
    places = np.stack([camera.position[:2] for camera in cameras])
    return np.linalg.solve(off.sum(axis=0), np.einsum("nij,nj->i", off, places))


def write(source: ExportInput, items: Sequence[Item], options: Options, output: ExportOutput) -> None:
    """Write both files."""
    joints = source.joints("h36m17")
    if joints.names != tuple(H36M17):
        raise ConfigError(f"{source.path}: /joint_sets/h36m17: expected the joints {', '.join(H36M17)}, found {', '.join(joints.names)}")
    train, test = split_actors(items, options)
    takes: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        takes[item.clip, item.row.avatar].append(item)
    if options.views == "h36m":
        _in_the_room(source, list(takes.values()), train, test, output)
    else:
        _as_in_the_file(source, list(takes.values()), output)
    output.about |= {
        "units": "metres; pixels",
        "axes": "world right-handed, z up: (x, -z, y) of the file's world; pixels from the top-left corner, x right, y down",
        "joints": list(H36M17),
    }


def _position(source: ExportInput, item: Item) -> Array:
    """Return the joints of h36m17, (T, 17, 3) metres, z up; predictions, which know no floor, with their lowest joint on it."""
    found = source.world(item)[:, source.joints("h36m17").index]
    up = np.stack([found[..., 0], -found[..., 2], found[..., 1]], axis=-1)
    if source.predicted:
        up[..., 2] -= up[..., 2].min()
    return up


def _label(item: Item, taken: dict[str, Any]) -> str:
    """Return a new name of an action: the motion class first, as VideoPose3D reports errors by the first word."""
    parts = [safe_name(item.action or "motion"), safe_name(item.clip), safe_name(item.row.avatar) if item.row.avatar else ""]
    name = found = " ".join(part for part in parts if part)
    number = 1
    while found in taken:
        number += 1
        found = f"{name} {number}"
    return found


def _in_the_room(source: ExportInput, takes: list[list[Item]], train: Sequence[str], test: Sequence[str], output: ExportOutput) -> None:
    subjects = {actor: pool[n % len(pool)] for actors, pool in ((train, TRAIN), (test, TEST)) for n, actor in enumerate(actors)}
    in_space: dict[str, dict[str, Any]] = {}
    in_image: dict[str, dict[str, Any]] = {}
    left_out = []
    for done, same in enumerate(takes):
        item = same[0]  # its other cameras are not used
        output.step(done, len(takes), item.name)
        subject = subjects[item.actor]
        cameras = h36m_cameras()[subject]
        positions = _position(source, item)
        low, high = positions[..., :2].min(axis=(0, 1)), positions[..., :2].max(axis=(0, 1))
        positions[..., :2] += focus_of(cameras) - 0.5 * (low + high)
        positions = positions.astype(np.float32).astype(np.float64)
        seen = [camera.project(positions) for camera in cameras]
        if min(float((found[..., 2] - np.maximum(np.abs(found[..., :2]).max(axis=-1), NEAREST)).min()) for found, _ in seen) < 0:
            left_out.append(item.name)
            continue
        output.written.add(item.name)
        actions = in_space.setdefault(subject, {})
        name = _label(item, actions)
        actions[name] = np.take(positions, FOLLOWS, axis=1).astype(np.float32)
        in_image.setdefault(subject, {})[name] = [pixels.astype(np.float32) for _, pixels in seen]
    if not in_space:
        raise ConfigError(f"views: expected clips that stay within sight of the cameras of h36m, found none among {len(left_out)}; try views='file'")
    _save(output, "h36m", in_space, {}, in_image)
    written = sorted(in_space, key=(TRAIN + TEST).index)
    for_train, for_test = ([subject for subject in written if subject in pool] or written for pool in (TRAIN, TEST))
    command = f"python run.py -d h36m -k gt -str {','.join(for_train)} -ste {','.join(for_test)}"
    output.about |= {
        "views": "the four cameras of Human3.6M, in the order in which VideoPose3D has them",
        "subjects": subjects,
        "command": command,
        "joints_of_32": "those of joints in the places " + ", ".join(map(str, KEPT)) + "; the others lie where the joint is that they hang on",
    }
    output.notes.append(f"VideoPose3D trains on it, from its folder, with both files in data/: {command}")
    if left_out:
        named = ", ".join(left_out[:3]) + (", ..." if len(left_out) > 3 else "")
        output.notes.append(f"left out, since they go too near to a camera of h36m or beside it: {len(left_out):,} ({named})")
        output.about["left_out"] = left_out


def _as_in_the_file(source: ExportInput, takes: list[list[Item]], output: ExportOutput) -> None:
    in_space: dict[str, dict[str, Any]] = {}
    in_image: dict[str, dict[str, Any]] = {}
    cameras: dict[str, dict[str, Any]] = {}
    index = source.joints("h36m17").index

    def position(done: int, item: Item) -> Array:
        output.step(done, len(takes), item.name)
        return _position(source, item).astype(np.float32)

    def pixels(item: Item) -> Array:
        return np.asarray(item.row["positions_2d"][:, index], dtype=np.float32)

    def described(same: list[Item]) -> list[dict[str, Any]]:
        lift = float((source.world(same[0])[:, index, 1]).min()) if source.predicted else 0.0
        return [_camera(item.row.camera, lift) for item in same]

    for done, same in enumerate(takes):
        output.written |= {item.name for item in same}
        subject = safe_name(same[0].actor or "somebody")
        name = _label(same[0], in_space.setdefault(subject, {}))
        in_space[subject][name] = Later(partial(position, done, same[0]))
        in_image.setdefault(subject, {})[name] = [Later(partial(pixels, item)) for item in same]
        cameras.setdefault(subject, {})[name] = Later(partial(described, same))
    _save(output, "mocapgen", in_space, {"cameras": cameras}, in_image)
    output.about["views"] = "those of the file, under cameras: subject, action, a list; orientation (w, x, y, z) and translation from camera to world"
    output.notes.append("classes of VideoPose3D bring cameras of their own: let yours take those under `cameras` (docs/export.md)")


def _camera(camera: Camera, lift: float) -> dict[str, Any]:
    """Return a camera as VideoPose3D describes one, with pixels and metres; moved up as predictions are."""
    turn = camera.to_opencv().R.T  # camera, x right and y down, to the world
    centre = camera.centre - np.array([0.0, lift, 0.0])
    to_z_up = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    x, y, z, w = from_matrix(to_z_up @ turn)
    return {
        "id": camera.rig,
        "res_w": camera.width,
        "res_h": camera.height,
        "center": np.array(camera.K[:2, 2], dtype=np.float32),
        "focal_length": np.abs(np.diag(camera.K)[:2]).astype(np.float32),
        "radial_distortion": np.zeros(3, dtype=np.float32),
        "tangential_distortion": np.zeros(2, dtype=np.float32),
        "orientation": np.array([w, x, y, z], dtype=np.float32),
        "translation": (to_z_up @ centre).astype(np.float32),
        "azimuth": np.float32(0.0),
    }


def _save(output: ExportOutput, dataset: str, in_space: dict[str, Any], more: dict[str, Any], in_image: dict[str, Any]) -> None:
    metadata = {"layout_name": "h36m", "num_joints": len(H36M17), "keypoints_symmetry": [list(LEFT), list(RIGHT)]}
    save_objects(output.folder / f"data_3d_{dataset}.npz", {"positions_3d": in_space, **more})
    save_objects(output.folder / f"data_2d_{dataset}_gt.npz", {"positions_2d": in_image, "metadata": metadata})


EXPORTER = Exporter("the two files that VideoPose3D trains on", Options, write)
