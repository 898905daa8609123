"""The joints that detectors see, computed from the avatars in a dataset file: those that it stores, and points of the face and feet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.hdf5 import OpenFile
from schemas.conventions import H36M17, JOINT_PARENTS
from schemas.detectors import DETECTOR_GROUPS, DETECTOR_PARENTS, DETECTOR_SET, FACE_AND_FEET
from schemas.errors import DatasetError
from trainer.data.joints import LiftedJoints

Array = NDArray[Any]


def detector_joints() -> LiftedJoints:
    """Return the joint set ``detector``."""
    names = tuple(DETECTOR_PARENTS)
    group = {joint: name for name, joints in DETECTOR_GROUPS.items() for joint in joints}
    lefts = [name for name in names if name.startswith("left_")]
    return LiftedJoints(
        DETECTOR_SET,
        names,
        tuple(-1 if parent is None else names.index(parent) for parent in DETECTOR_PARENTS.values()),
        tuple((names.index(left), names.index("right_" + left.removeprefix("left_"))) for left in lefts),
        tuple(group.get(name, "") for name in names),
    )


def detector_positions(file: OpenFile, positions: Array, quaternions: Array, sequences: Mapping[str, Array]) -> NDArray[np.float32]:
    """Return the positions of the joints of ``detector``, (F, 24, 3) float32, metres, camera frame; NaN in rows of no sequence.

    Parameters
    ----------
    file : OpenFile
        A dataset file, for its skeletons.
    positions, quaternions : (F, J, 3), (F, J, 4) float
        All of its frames, or some.
    sequences : mapping
        ``start``, ``length`` and ``avatar`` of the sequences among these frames.

    Raises
    ------
    DatasetError
        If its avatars lack joints.
    """
    out = np.full((len(positions), len(DETECTOR_PARENTS), 3), np.nan, dtype=np.float32)
    for avatar in sorted(set(sequences["avatar"])):
        names, offsets = _skeleton(file, avatar)
        chosen = np.flatnonzero(sequences["avatar"] == avatar)
        rows = np.concatenate([np.arange(sequences["start"][row], sequences["start"][row] + sequences["length"][row]) for row in chosen])
        stored = positions[rows]
        for column, joint in enumerate(H36M17.values()):
            out[rows, column] = stored[:, names.index(joint)]
        turned = quaternions[rows]
        turns: dict[str, Array] = {}
        for column, point in enumerate(FACE_AND_FEET.values(), len(H36M17)):
            unit = _distance(names, offsets, point.joint, point.unit)
            side = -1.0 if file.camera_frame == "unity" else 1.0  # the table counts to the left, unity's x to the right
            offset = unit * np.array(point.offset) * [side, 1.0, 1.0]
            base = stored[:, names.index(point.joint)]
            if np.any(offset):
                if point.joint not in turns:
                    turns[point.joint] = _orientation(turned, names, point.joint)
                base = base + rotate(turns[point.joint], offset)
            out[rows, column] = base
    return out


def _skeleton(file: OpenFile, avatar: str) -> tuple[list[str], Array]:
    """Return names and offsets, (J, 3) metres, of an avatar's joints."""
    group = file.file[f"/skeletons/{avatar}"]
    names = list(group["names"].asstr()[()])
    missing = [joint for joint in JOINT_PARENTS if joint not in names]
    if missing:
        raise DatasetError(
            f"{file.path}: /skeletons/{avatar}: joint set {DETECTOR_SET}: expected the avatars' joints, found none of {', '.join(missing[:3])}"
        )
    return names, group["offsets"][()]


def _distance(names: list[str], offsets: Array, joint: str, other: str) -> float:
    """Return the distance of two joints on one limb in the rest pose, metres; either may be the upper one."""
    for upper, lower in ((joint, other), (other, joint)):
        chain = _chain(lower)
        if upper in chain:
            return float(np.linalg.norm(sum(offsets[names.index(name)] for name in chain[: chain.index(upper)])))
    raise ValueError(f"{joint} and {other} are not on one limb")


def _chain(joint: str) -> list[str]:
    """Return a joint and those above it, up to the root."""
    chain: list[str] = []
    parent: str | None = joint
    while parent is not None:
        chain.append(parent)
        parent = JOINT_PARENTS[parent]
    return chain


def _orientation(quaternions: Array, names: list[str], joint: str) -> Array:
    """Return the orientation of a joint relative to the camera, (F, 4): the product of those from the root on."""
    total = None
    for name in reversed(_chain(joint)):
        local = quaternions[:, names.index(name)]
        total = local if total is None else _multiply(total, local)
    assert total is not None
    return total


def _multiply(a: Array, b: Array) -> Array:
    """Return the products of quaternions (x, y, z, w), (F, 4)."""
    va, wa, vb, wb = a[:, :3], a[:, 3:], b[:, :3], b[:, 3:]
    vector = wa * vb + wb * va + np.cross(va, vb)
    return np.concatenate([vector, wa * wb - (va * vb).sum(axis=1, keepdims=True)], axis=1)


def rotate(quaternions: Array, vector: Array) -> Array:
    """Return a vector, (3,), rotated by quaternions (x, y, z, w), (F, 4): (F, 3)."""
    axis, w = quaternions[:, :3], quaternions[:, 3:]
    across = 2.0 * np.cross(axis, vector)
    return vector + w * across + np.cross(axis, across)
