"""BVH: the motion of an avatar, a file for each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from mocapgen.anatomy.avatars import avatar_names, avatar_skeleton, load_avatar
from mocapgen.cameras.camera import Camera, body_offsets, body_rotations
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.rotation import IDENTITY, from_matrix, make_continuous, multiply
from mocapgen.export.base import Exporter, ExportOutput
from mocapgen.export.export_input import ExportInput, Item
from mocapgen.formats._bvh_write import write_bvh
from mocapgen.retarget.points import POINTS, fit_skeleton, follow
from mocapgen.store.reader import Dataset
from schemas.base import Model
from schemas.errors import ConfigError, RetargetError

AXES = {
    "world": "right-handed, x left of a person facing forward, y up, z forward",
    "camera": "right-handed, the camera at the origin: x right, y up, z towards the viewer",
}
_BASE = "average_man"
"""For predictions without an avatar: directions of bones, hands and feet; lengths come from the prediction."""


class Options(Model):
    """Settings of the format."""

    space: Literal["world", "camera"] = "world"
    """Frame of positions: the world, or the camera."""
    scale: float = Field(default=0.01, gt=0, le=1000, allow_inf_nan=False)
    """Length of one unit of the file, metres; 0.01 writes centimetres."""
    up: Literal["y", "z"] = "y"
    """Axis of the file that points up."""
    t_pose: bool = False
    """Add a first frame in T-pose on the floor."""
    avatar: str | None = None
    """Avatar whose bone lengths are used for predictions: a name or the path of a JSON file; by default the lengths predicted."""


def world_motion(source: ExportInput, item: Item, skeleton: Skeleton) -> tuple[Motion, float]:
    """Return the motion of a sequence of a dataset file in the world.

    Parameters
    ----------
    source : ExportInput
    item : Item
    skeleton : Skeleton
        The avatar's as stored: in body axes of the file's handedness.

    Returns
    -------
    motion : Motion
        World frame, right-handed.
    deviation : float
        The largest distance of a joint from where the file says it is, metres.
    """
    camera, rotations = item.row.camera, source.rotations(item)
    local = make_continuous(body_rotations(rotations, camera.frame))
    local[:, 0] = camera.world_rotations(rotations[:, 0])
    positions = source.world(item)
    upright = replace(skeleton, offsets=body_offsets(skeleton.offsets, camera.frame))
    motion = Motion(upright, local, positions[:, 0], source.fps, item.name)
    return motion, float(np.linalg.norm(forward_kinematics(motion) - positions, axis=-1).max())


def camera_motion(motion: Motion, camera: Camera) -> Motion:
    """Return a motion in the world as seen from a camera: right-handed, x right, y up, z towards the viewer."""
    axes = np.array([1.0, 1.0, -1.0]) if camera.frame == "unity" else np.array([1.0, -1.0, -1.0])
    rotations = np.array(motion.rotations)
    rotations[:, 0] = make_continuous(multiply(from_matrix(axes[:, None] * camera.R), rotations[:, 0]))
    return replace(motion, rotations=rotations, root_positions=camera.to_camera(motion.root_positions) * axes)


def with_t_pose(motion: Motion) -> Motion:
    """Return a motion that begins with a frame in the rest pose, on the floor where the motion starts."""
    root = motion.root_positions[:1] * np.array([1.0, 0.0, 1.0])
    root[0, 1] = -float(motion.skeleton.rest_positions[:, 1].min())
    rest = np.broadcast_to(IDENTITY, (1, *motion.rotations.shape[1:]))
    rotations = make_continuous(np.concatenate([rest, motion.rotations]))
    return replace(motion, rotations=rotations, root_positions=np.concatenate([root, motion.root_positions]))


def write(source: ExportInput, items: Sequence[Item], options: Options, output: ExportOutput) -> None:
    """Write a file for each sequence."""
    if options.avatar is not None and not source.predicted:
        raise ConfigError("avatar: expected only with predictions, found with a dataset file, whose sequences have avatars; try avatars=...")
    skeletons = source.data.skeletons if isinstance(source.data, Dataset) else {}
    deviations: dict[str, float] = {}
    for done, item in enumerate(items):
        output.step(done, len(items), item.name)
        if skeletons:
            motion, deviations[item.name] = world_motion(source, item, skeletons[item.row.avatar])
        else:
            motion, deviations[item.name] = _solved(source, item, options.avatar)
        motion = with_t_pose(motion) if options.t_pose else motion
        motion = camera_motion(motion, item.row.camera) if options.space == "camera" else motion
        write_bvh(output.folder / output.name_of(item, ".bvh"), motion, options.scale, options.up)
    output.about |= {
        "units": f"{options.scale:g} m for lengths, degrees for angles",
        "axes": AXES[options.space] if options.up == "y" else f"{AXES[options.space]}; written with z up: (x, y, z) as (x, -z, y)",
        "joints": list(motion.skeleton.names),
        "first_frame": "T-pose, not part of the motion" if options.t_pose else "of the motion",
    }
    _tell(deviations, source.predicted, output)


def _solved(source: ExportInput, item: Item, avatar: str | None) -> tuple[Motion, float]:
    """Return the motion that follows a prediction, and the mean distance of its joints from those predicted, metres."""
    positions = source.world(item)
    points = {joint: positions[:, place] for place, joint in enumerate(source.bones) if joint in POINTS}
    own = item.row.avatar if item.row.avatar in avatar_names() else _BASE
    skeleton = avatar_skeleton(load_avatar(avatar or own))
    try:
        solved = follow(points, skeleton if avatar else fit_skeleton(points, skeleton), source.fps, item.name)
    except RetargetError as error:
        raise RetargetError(f"{source.path}: {item.name}: {error}") from None
    return solved.motion, solved.mean_error


def _tell(deviations: dict[str, float], predicted: bool, output: ExportOutput) -> None:
    """Say how far what was written is from the positions in the file."""
    worst = max(deviations, key=lambda name: deviations[name])
    if predicted:
        mean = 1000.0 * float(np.mean(list(deviations.values())))
        message = f"joints are {mean:.1f} mm from those predicted, on average, since bones keep their lengths"
        output.notes.append(message + (f"; most in {worst}: {1000 * deviations[worst]:.1f} mm" if len(deviations) > 1 else ""))
        output.about["mean_error_mm"] = {name: round(1000.0 * error, 3) for name, error in deviations.items()}
    elif deviations[worst] > 0.001:
        output.notes.append(f"{worst}: rotations and positions in the file disagree by up to {1000 * deviations[worst]:.1f} mm; rotations are used")


EXPORTER = Exporter("motion of an avatar, for Blender, Unity, MotionBuilder", Options, write, suffix=".bvh", each=True)
