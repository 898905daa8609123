"""How far the poses that a model is judged on are from those that it was trained on, and how its error grows with that distance."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from schemas.experiments import DISTANCES_MM, DistanceBin
from trainer.data.dataset import PoseData
from trainer.data.joints import LiftedJoints
from trainer.model.metrics import MILLIMETRES, joint_errors, root_relative

_EVERY = 3
"""Of the training side every third frame is looked at: at 30 frames per second a tenth of a second apart."""
_STANDARD_BONES = 4.3
"""Metres: all bones of joint set `h36m17` of a grown person together, about."""
_AT_ONCE = 2048
"""Poses that are compared at once with all of the training side."""


def by_distance(
    predicted: NDArray[np.float32], data: PoseData, sequences: NDArray[np.int64], trained: PoseData, train: NDArray[np.int64]
) -> tuple[DistanceBin, ...]:
    """Return the error of predictions by the distance of the true pose from the nearest one of the training side.

    Parameters
    ----------
    predicted : (F, J, 3) float, metres
        In the order of ``data.rows(sequences)``.
    data, sequences : PoseData, (n,) int64
        What was predicted.
    trained, train : PoseData, (m,) int64
        What was trained on. Of each clip one avatar is looked at, as all avatars move alike; and its mirror image.
    """
    root = data.joints.root
    true = data.positions_3d[data.rows(sequences)]
    errors = MILLIMETRES * joint_errors(root_relative(predicted, root), root_relative(true, root)).mean(axis=1)
    one_of_each = train[np.unique(trained.clip[train], return_index=True)[1]]
    known = standard_poses(trained, one_of_each)[::_EVERY]
    mirrored = known[:, trained.joints.mirror] * [-1.0, 1.0, 1.0]
    distance = MILLIMETRES * nearest(standard_poses(data, sequences), np.concatenate([known, mirrored]))
    edges = [0.0, *DISTANCES_MM, np.inf]
    found = []
    for low, high in pairwise(edges):
        inside = (distance >= low) & (distance < high)
        if inside.any():
            found.append(DistanceBin(least_mm=low, frames=int(inside.sum()), mpjpe_mm=float(errors[inside].mean())))
    return tuple(found)


def standard_poses(data: PoseData, sequences: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the true poses of sequences without place, heading and size, (F, J, 3) metres.

    Relative to the root; x to the person's left, horizontal, y up; all bones together as long as a grown person's.
    """
    joints = data.joints
    poses = root_relative(data.positions_3d[data.rows(sequences)], joints.root)
    up = np.repeat(data.up[sequences].astype(np.float64), data.length[sequences], axis=0)
    left, right = _hips(joints)
    across = poses[:, left] - poses[:, right]
    x = _unit(across - (across * up).sum(axis=1, keepdims=True) * up)
    turned = poses @ np.stack([x, up, np.cross(x, up)], axis=-1)
    child = [joint for joint, parent in enumerate(joints.parents) if parent >= 0]
    bones = np.linalg.norm(poses[:, child] - poses[:, [joints.parents[joint] for joint in child]], axis=-1).sum(axis=1)
    return np.asarray(turned * (_STANDARD_BONES / np.maximum(bones, 1e-6))[:, None, None])


def nearest(poses: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each pose, (F, J, 3), from the nearest known one, (N, J, 3): the root mean square over joints, (F,) metres."""
    flat, base = (values.reshape(len(values), -1).astype(np.float32) for values in (poses, known))
    size = np.square(base).sum(axis=1)
    squares = [
        (np.square(part).sum(axis=1) + (size - 2.0 * part @ base.T).min(axis=1)) for part in np.array_split(flat, max(len(flat) // _AT_ONCE, 1))
    ]
    return np.asarray(np.sqrt(np.maximum(np.concatenate(squares), 0.0) / poses.shape[1]), dtype=np.float64)


def _hips(joints: LiftedJoints) -> tuple[int, int]:
    """Return the pair of joints that hangs on the root; of joints without one, the first two."""
    on_root = [pair for pair in joints.pairs if all(joints.parents[joint] == joints.root for joint in pair)]
    return (on_root or [(0, min(1, len(joints.joints) - 1))])[0]


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))
