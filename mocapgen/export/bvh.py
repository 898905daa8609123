"""BVH: the motion of an avatar, a file for each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from mocapgen.cameras.camera import Camera
from mocapgen.core.motion import Motion, with_rest_pose
from mocapgen.core.rotation import from_matrix, make_continuous, multiply
from mocapgen.export.base import Exporter, ExportOutput
from mocapgen.export.export_input import ExportInput, Item
from mocapgen.export.motions import motions
from mocapgen.formats._bvh_write import write_bvh
from schemas.base import Settings

AXES = {
    "world": "right-handed, x left of a person facing forward, y up, z forward",
    "camera": "right-handed, the camera at the origin: x right, y up, z towards the viewer",
}


class Options(Settings):
    """Settings of the format."""

    space: Literal["world", "camera"] = "world"
    """Frame of positions: the world, or the camera."""
    scale: float = Field(default=0.01, gt=0, le=1000)
    """Length of one unit of the file, metres; 0.01 writes centimetres."""
    up: Literal["y", "z"] = "y"
    """Axis of the file that points up."""
    t_pose: bool = False
    """Add a first frame in T-pose on the floor."""
    avatar: str | None = None
    """Avatar whose bone lengths are used for predictions: a name or the path of a JSON file; by default the lengths predicted."""


def camera_motion(motion: Motion, camera: Camera) -> Motion:
    """Return a motion in the world as seen from a camera: right-handed, x right, y up, z towards the viewer."""
    axes = np.array([1.0, 1.0, -1.0]) if camera.frame == "unity" else np.array([1.0, -1.0, -1.0])
    rotations = np.array(motion.rotations)
    rotations[:, 0] = make_continuous(multiply(from_matrix(axes[:, None] * camera.R), rotations[:, 0]))
    return replace(motion, rotations=rotations, root_positions=camera.to_camera(motion.root_positions) * axes)


def write(source: ExportInput, items: Sequence[Item], options: Options, output: ExportOutput) -> None:
    """Write a file for each sequence."""
    for item, motion in motions(source, items, options.avatar, output):
        motion = with_rest_pose(motion) if options.t_pose else motion
        motion = camera_motion(motion, item.row.camera) if options.space == "camera" else motion
        write_bvh(output.folder / output.name_of(item, ".bvh"), motion, options.scale, options.up)
    output.about |= {
        "units": f"{options.scale:g} m for lengths, degrees for angles",
        "axes": AXES[options.space] if options.up == "y" else f"{AXES[options.space]}; written with z up: (x, y, z) as (x, -z, y)",
        "joints": list(motion.skeleton.names),
        "first_frame": "T-pose, not part of the motion" if options.t_pose else "of the motion",
    }


EXPORTER = Exporter("motion of an avatar, for Blender, Unity, MotionBuilder", Options, write, suffix=".bvh", each=True)
