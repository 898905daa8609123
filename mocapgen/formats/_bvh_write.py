"""Motions as BVH."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from mocapgen.core.motion import Array, Motion
from mocapgen.core.rotation import to_euler
from mocapgen.formats._bvh_header import BvhJoint, unique_names
from mocapgen.formats._decimals import format_rows

DECIMALS = 10
"""Digits behind the point, of file units and degrees: what is read back is within 1e-12 m (at centimetres) and 1e-12 rad."""

_BLOCK = 512  # frames at a time: numbers as Python's objects take five times the memory
_UNSAFE = re.compile(r"[\s{}\x00-\x1f\x7f-\xa0\u202a-\u202e\u2066-\u2069]+")


def format_bvh(motion: Motion, scale: float = 0.01, up: Literal["y", "z"] = "y", order: str = "ZXY", decimals: int = DECIMALS) -> bytes:
    """Return the bytes of a BVH file.

    Parameters
    ----------
    motion : Motion
        Its rest pose becomes the file's zero pose.
    scale : float
        Length of the file's unit; most programs take centimetres.
    up : {"y", "z"}
        Axis that points up in the file: for z, (x, y, z) is written as (x, -z, y), and every rotation accordingly.
    order : str
        Order of the rotation channels, the same for all joints: three letters, intrinsic.
    decimals : int
        Digits behind the point, at least one.

    Returns
    -------
    bytes
        UTF-8. The root has OFFSET 0 0 0 and absolute positions, every other joint its rotations alone. Joints stand depth
        first, which may be another order than that of ``motion.skeleton``. A leaf of ``end_sites`` is an End Site, which
        has no name; any other leaf is a joint with an End Site at its own place, since many programs require one. In
        names, blanks and braces become ``_``, and a name that then stands twice gets a number. Angles are continuous
        along time, so they may exceed a full turn.

    Raises
    ------
    ValueError
        If `scale` is not positive or `up`, `order` or `decimals` is none of those above.

    Notes
    -----
    Written and read again, positions in file units and angles in degrees come back with an error of at most half a unit
    of the last digit behind the point, and the frame rate exactly if :func:`~mocapgen.core.resample.snap_frame_rate` knows it
    (all whole and NTSC rates): with 10 digits, joint positions agree to 1e-9 m.
    """
    return b"".join(_blocks(motion, scale, up, order, decimals))


def write_bvh(path: Path, motion: Motion, scale: float = 0.01, up: Literal["y", "z"] = "y", order: str = "ZXY", decimals: int = DECIMALS) -> None:
    """Write a motion as BVH, block by block; see :func:`format_bvh`."""
    with path.open("wb") as file:
        file.writelines(_blocks(motion, scale, up, order, decimals))


def _blocks(motion: Motion, scale: float, up: str, order: str, decimals: int) -> Iterator[bytes]:
    """Yield the bytes of a BVH file: its head, then some frames at a time."""
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"scale: expected a positive length, found {scale}")
    if up not in ("y", "z"):
        raise ValueError(f"up: expected y or z, found {up!r}")
    if decimals < 1:
        raise ValueError(f"decimals: expected at least one digit behind the point, found {decimals}")
    skeleton = motion.skeleton
    joints = _depth_first(motion)
    header = _hierarchy(motion, joints, _to_axes(skeleton.offsets, up) / scale, order, decimals)
    frame_time = np.format_float_positional(1.0 / motion.fps, trim="0")
    yield "\n".join([*header, "MOTION", f"Frames: {len(motion)}", f"Frame Time: {frame_time}", ""]).encode("utf-8")
    moving = [joint for joint in joints if joint == 0 or skeleton.names[joint] not in skeleton.end_sites]
    unwrap = Unwrap()
    for start in range(0, len(motion), _BLOCK):
        quaternions = motion.rotations[start : start + _BLOCK, moving]
        quaternions[..., :3] = _to_axes(quaternions[..., :3], up)
        angles = np.degrees(unwrap(to_euler(order, quaternions)))
        positions = _to_axes(motion.root_positions[start : start + _BLOCK], up) / scale
        yield format_rows(np.concatenate([positions, angles.reshape(len(angles), -1)], axis=1), decimals)


class Unwrap:
    """Makes angles along time continuous, block by block: the bits are those of :func:`numpy.unwrap` of all at once."""

    def __init__(self) -> None:
        self._last: Array | None = None
        self._turns: Array | None = None

    def __call__(self, angles: Array) -> Array:
        """Return the next angles, (n, ...) radians, none of them further than half a turn from the one before."""
        before = angles[:1] if self._last is None else self._last
        steps = np.diff(np.concatenate([before, angles]), axis=0)
        wrapped = np.mod(steps + np.pi, 2.0 * np.pi) - np.pi
        wrapped[(wrapped == -np.pi) & (steps > 0)] = np.pi
        turns = np.where(np.abs(steps) < np.pi, 0.0, wrapped - steps)
        if self._turns is not None:
            turns[0] += self._turns  # added up in the same order as all at once
        turns = turns.cumsum(axis=0)
        self._last, self._turns = angles[-1:].copy(), turns[-1]
        return angles + turns


def _to_axes(vectors: Array, up: str) -> Array:
    """Turn vectors (..., 3) from y up to the file's axes; the vector part of a quaternion turns likewise."""
    return vectors if up == "y" else np.stack([vectors[..., 0], -vectors[..., 2], vectors[..., 1]], axis=-1)


def _depth_first(motion: Motion) -> list[int]:
    """Return all joints, each followed by everything below it."""
    children: list[list[int]] = [[] for _ in motion.skeleton.names]
    for joint, parent in enumerate(motion.skeleton.parents):
        if parent >= 0:
            children[parent].append(joint)
    out, pending = [], [0]
    while pending:
        out.append(pending.pop())
        pending += reversed(children[out[-1]])
    return out


def _hierarchy(motion: Motion, joints: list[int], offsets: Array, order: str, decimals: int) -> list[str]:
    """Return the lines of the hierarchy."""
    skeleton = motion.skeleton
    safe = unique_names([BvhJoint(_UNSAFE.sub("_", name) or "_", -1, 0) for name in skeleton.names])
    channels = " ".join(f"{axis}rotation" for axis in order)
    has_children = set(skeleton.parents)
    depth = {-1: -1}
    lines = ["HIERARCHY"]
    open_joints: list[int] = []
    for joint in joints:
        parent = skeleton.parents[joint]
        depth[joint] = depth[parent] + 1
        while len(open_joints) > depth[joint]:
            open_joints.pop()
            lines.append("\t" * len(open_joints) + "}")
        open_joints.append(joint)
        indent = "\t" * depth[joint]
        is_end = skeleton.names[joint] in skeleton.end_sites and joint > 0
        offset = np.zeros(3) if joint == 0 else np.round(offsets[joint], decimals) + 0.0
        lines += [
            indent + ("End Site" if is_end else f"{'JOINT' if joint else 'ROOT'} {safe[joint]}"),
            indent + "{",
            indent + "\tOFFSET " + " ".join(f"{value:.{decimals}f}" for value in offset),
        ]
        if not is_end:
            lines.append(indent + ("\tCHANNELS 3 " if joint else "\tCHANNELS 6 Xposition Yposition Zposition ") + channels)
            if joint not in has_children:
                lines += [indent + "\tEnd Site", indent + "\t{", indent + "\t\tOFFSET" + f" {0:.{decimals}f}" * 3, indent + "\t}"]
    return lines + ["\t" * level + "}" for level in reversed(range(len(open_joints)))]
