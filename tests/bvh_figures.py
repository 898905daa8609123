"""BVH files of known content: any motion under other names, in another unit, with another axis up and another zero pose."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import from_euler, multiply, rotate, to_euler
from mocapgen.formats.bvh import Bvh
from mocapgen.reading.rest_pose import rebase_rest_pose
from mocapgen.retarget import retarget
from mocapgen.sources.sample import clips, make

ORDER = "YXZ"


def sample_motion(action: str = "walk", frames: int = 90) -> Motion:
    """An avatar's performance of a built-in clip: role names, T-pose rest, 120 frames per second."""
    clip = next(clip for clip in clips() if clip.action == action)
    return retarget(make(clip)[0].slice(0, frames), avatar_skeleton(load_avatar("average_man")))


def as_bvh(
    motion: Motion,
    rename: Mapping[str, str] | Callable[[str], str] = lambda name: name,
    unit: float = 1.0,
    up: str = "y",
    zero_pose: Array | None = None,
    root_offset: tuple[float, float, float] = (0.0, 0.0, 0.0),
    relative: bool = False,
    inserted: Array | None = None,
) -> Bvh:
    """Return the BVH file that says what a motion does.

    `unit` : metres; `zero_pose` : (J, 4) global rotations, in the motion's terms, of the pose that shall be the file's zero pose;
    `root_offset` : metres, y up, in the file as the root's OFFSET, and with `relative` taken off the position channels;
    `inserted` : (J, 4) local rotations of a frame put before the motion.
    """
    rotations, path = np.array(motion.rotations), np.array(motion.root_positions)
    if inserted is not None:
        rotations, path = np.concatenate([inserted[None], rotations]), np.concatenate([path[:1], path])
        motion = Motion(motion.skeleton, rotations, path, motion.fps, motion.name)
    if zero_pose is not None:
        motion = rebase_rest_pose(motion, zero_pose)
    rotations, path = np.array(motion.rotations), np.array(motion.root_positions)
    start = np.array(root_offset)
    path = path - start if relative else path
    if up == "z":
        turn = from_euler("XYZ", np.array([0.5 * np.pi, 0.0, 0.0]))
        rotations[:, 0], path, start = multiply(turn, rotations[:, 0]), rotate(turn, path), rotate(turn, start)
    offsets = np.array(motion.skeleton.offsets)
    offsets[0] = start
    spelled = rename if callable(rename) else lambda name: rename.get(name, name)
    skeleton = Skeleton(tuple(spelled(name) for name in motion.skeleton.names), motion.skeleton.parents, offsets)
    moving = [name not in motion.skeleton.end_sites for name in motion.skeleton.names]
    turns = tuple(f"{axis}rotation" for axis in ORDER)
    channels = tuple((("Xposition", "Yposition", "Zposition") if index == 0 else ()) + turns if moves else () for index, moves in enumerate(moving))
    angles = np.degrees(to_euler(ORDER, rotations[:, moving])).reshape(len(path), -1)
    return Bvh(
        names=skeleton.names,
        parents=skeleton.parents,
        offsets=skeleton.offsets / unit,
        end_sites=frozenset(spelled(name) for name in motion.skeleton.end_sites),
        channels=channels,
        values=np.concatenate([path / unit, angles], axis=1),
        frame_time=1.0 / motion.fps,
        where="figure.bvh",
    )
