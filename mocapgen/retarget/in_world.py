"""The motion of a sequence in the world: of a dataset file by its rotations, of predictions by a skeleton that follows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mocapgen.anatomy.avatars import avatar_names, avatar_skeleton, load_avatar
from mocapgen.cameras.camera import Camera, body_offsets, body_rotations
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import make_continuous
from mocapgen.retarget.points import fit_skeleton, follow

_BASE = "average_man"
"""For predictions without an avatar: directions of bones, hands and feet; lengths come from the prediction."""


def recorded_motion(rotations: Array, positions: Array, camera: Camera, skeleton: Skeleton, fps: float, name: str) -> tuple[Motion, float]:
    """Return the motion of a sequence of a dataset file in the world.

    Parameters
    ----------
    rotations : (T, J, 4) float
        As stored: local, unit, the root relative to the camera.
    positions : (T, J, 3) float, metres, world frame
    camera : Camera
    skeleton : Skeleton
        The avatar's as stored: in body axes of the file's handedness.
    fps : float
    name : str

    Returns
    -------
    motion : Motion
        World frame, right-handed.
    deviation : float
        The largest distance of a joint from where the file says it is, metres.
    """
    local = make_continuous(body_rotations(rotations, camera.frame))
    local[:, 0] = camera.world_rotations(rotations[:, 0])
    upright = replace(skeleton, offsets=body_offsets(skeleton.offsets, camera.frame))
    motion = Motion(upright, local, positions[:, 0], fps, name)
    return motion, float(np.linalg.norm(forward_kinematics(motion) - positions, axis=-1).max())


def predicted_motion(at: Mapping[str, Array], own: str, avatar: str | None, fps: float, name: str) -> tuple[Motion, float]:
    """Return the motion that follows predicted joints.

    Parameters
    ----------
    at : mapping of str to (T, 3) float, metres, world frame
        Joints of the file schema, nose and ears; those that are not followed are ignored.
    own : str
        Avatar of the sequence, empty if unknown: its hands, feet and directions of bones are used.
    avatar : str or None
        Avatar whose bone lengths are used: a name or the path of a JSON file; by default lengths are those predicted.
    fps : float
    name : str

    Returns
    -------
    motion : Motion
        World frame.
    error : float
        The mean distance of its joints from those predicted, metres.

    Raises
    ------
    ConfigError
        If there is no such avatar.
    RetargetError
        If a joint is missing, a position is not finite, or no bone lengths can be had.
    """
    skeleton = avatar_skeleton(load_avatar(avatar or (own if own in avatar_names() else _BASE)))
    solved = follow(at, skeleton if avatar else fit_skeleton(at, skeleton), fps, name)
    return solved.motion, solved.mean_error
