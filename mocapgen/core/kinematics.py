"""Forward kinematics: from local rotations to joint positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.rotation import conjugate, multiply, rotate
from mocapgen.core.skeleton import Array, Skeleton

_BLOCK = 512  # frames at a time: fits the processor's cache; faster than one huge array


class Frames(Protocol):
    """An array along time, or what makes one of it block by block."""

    def __getitem__(self, frames: slice, /) -> Array: ...


class Moving(Protocol):
    """What forward kinematics asks of a motion: see :class:`~mocapgen.core.motion.Motion`."""

    @property
    def skeleton(self) -> Skeleton: ...  # noqa: D102
    @property
    def rotations(self) -> Frames: ...  # noqa: D102
    @property
    def root_positions(self) -> Array: ...  # noqa: D102


def global_rotations(skeleton: Skeleton, rotations: Array) -> Array:
    """Return the rotation of every joint relative to the world.

    Parameters
    ----------
    skeleton : Skeleton
    rotations : (T, J, 4) float
        Local rotations (x, y, z, w).

    Returns
    -------
    (T, J, 4) float64
    """
    out = np.array(np.asarray(rotations, dtype=np.float64).T, order="C").T  # time innermost, as rotation.py likes it
    planes = out.T
    for joints, parents in skeleton.levels:
        planes[:, joints] = multiply(planes[:, parents].T, planes[:, joints].T).T
    return out


def local_rotations(skeleton: Skeleton, rotations: Array) -> Array:
    """Return the local rotations, (T, ..., J, 4) float64, that give the global ones: undoes :func:`global_rotations`."""
    rotations = np.asarray(rotations, dtype=np.float64)
    out = np.array(rotations)
    parents = np.array(skeleton.parents[1:], dtype=np.intp)
    inverse = conjugate(np.take(rotations.T, parents, axis=1).T)
    out[..., 1:, :] = multiply(inverse, rotations[..., 1:, :])
    return out


def joint_positions(skeleton: Skeleton, global_rotation: Array, root_positions: Array, offsets: Array | None = None) -> Array:
    """Return where every joint is, given global rotations.

    Parameters
    ----------
    skeleton : Skeleton
    global_rotation : (T, ..., J, 4) float
    root_positions : (T, ..., 3) float, metres
    offsets : (..., J, 3) float, metres, optional
        Of several skeletons with the same tree, to be posed at once; by default those of `skeleton`.

    Returns
    -------
    (T, ..., J, 3) float64, metres, in the frame of `root_positions`
    """
    root_positions = np.asarray(root_positions)
    planes = np.empty((3, len(skeleton.names), *root_positions.shape[-2::-1]))
    planes[:, 0] = root_positions.T
    parents = np.array(skeleton.parents[1:], dtype=np.intp)
    offsets = skeleton.offsets if offsets is None else offsets
    planes[:, 1:] = rotate(np.take(np.asarray(global_rotation).T, parents, axis=1).T, offsets[..., 1:, :]).T
    for joints, parent in skeleton.levels:
        planes[:, joints] += planes[:, parent]
    return planes.T


def forward_kinematics(motion: Moving, joints: Sequence[str] | None = None) -> Array:
    """Return the position of joints in every frame.

    Parameters
    ----------
    motion : Motion
    joints : sequence of str, optional
        Of which; by default of all, in the order of ``motion.skeleton.names``.

    Returns
    -------
    (T, J, 3) float64, metres, world frame
    """
    skeleton = motion.skeleton
    kept: slice | NDArray[np.intp] = slice(None)
    chosen: slice | NDArray[np.intp] = slice(None)
    if joints is not None:  # those that carry none of them need not be worked out
        kept = skeleton.carrying(tuple(joints))
        skeleton = skeleton.part(kept)
        chosen = skeleton.indices(tuple(joints))
    frames = len(motion.root_positions)
    out = np.empty((3, len(motion.skeleton.names if joints is None else joints), frames)).T
    for start in range(0, frames, _BLOCK):
        rotations = global_rotations(skeleton, motion.rotations[start : start + _BLOCK][:, kept])
        out[start : start + _BLOCK] = joint_positions(skeleton, rotations, motion.root_positions[start : start + _BLOCK])[:, chosen]
    return out
