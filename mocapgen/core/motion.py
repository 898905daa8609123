"""A :class:`Motion`: the one type that flows through the pipeline."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field, replace

import numpy as np

from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.rotation import IDENTITY, make_continuous
from mocapgen.core.skeleton import Array, Skeleton, frozen_array
from mocapgen.shared.notebook import Playable

__all__ = ["Array", "Motion", "Skeleton", "with_rest_pose"]

_BLOCK = 4096  # frames at a time: what is worked out about all of them takes no memory to speak of


@dataclass(frozen=True, eq=False)
class Motion(Playable):
    """A skeleton moving: the one type that flows through the pipeline.

    Parameters
    ----------
    skeleton : Skeleton
    rotations : (T, J, 4) float64
        Local rotations (x, y, z, w), unit, relative to the parent; of the root, relative to the world. The identity
        everywhere is the rest pose.
    root_positions : (T, 3) float64, metres, world frame
    fps : float
        Frames per second.
    name : str
        What the motion is called in messages and files.

    Raises
    ------
    ValueError
        If shapes disagree, numbers are not finite, there is no frame, quaternions are not unit or fps is not positive.
    """

    skeleton: Skeleton
    rotations: Array
    root_positions: Array
    fps: float
    name: str = field(default="motion", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotations", frozen_array(self.rotations, (None, len(self.skeleton.names), 4), "rotations"))
        object.__setattr__(self, "root_positions", frozen_array(self.root_positions, (None, 3), "root_positions"))
        if len(self.rotations) == 0 or len(self.rotations) != len(self.root_positions):
            raise ValueError(
                f"motion: expected at least one frame and as many rotations as root positions, "
                f"found {len(self.rotations)} and {len(self.root_positions)}"
            )
        for start in range(0, len(self.rotations), _BLOCK):
            block = self.rotations[start : start + _BLOCK]
            norms = np.einsum("tji,tji->tj", block, block)
            if np.abs(norms - 1.0).max() > 1e-6:
                raise ValueError(f"rotations: expected unit quaternions, found a norm of {np.sqrt(norms.flat[np.abs(norms - 1.0).argmax()]):.6g}")
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f"fps: expected a positive number, found {self.fps}")

    def __len__(self) -> int:
        return len(self.rotations)

    def __repr__(self) -> str:
        joints = len(self.skeleton.names)
        return f"<Motion {self.name}: {len(self)} frames at {self.fps:g} fps, {self.duration:.2f} s, {joints} joints>"

    @property
    def duration(self) -> float:
        """Time from the first to the last frame, seconds."""
        return (len(self) - 1) / self.fps

    def __getitem__(self, frames: builtins.slice) -> Motion:
        """Return some frames as a motion: ``motion[:100]``; ``motion[::4]`` is every fourth, at a quarter of the rate.

        Raises
        ------
        TypeError
            If `frames` is not a slice.
        ValueError
            If the step is negative, or no frame is left.
        """
        if not isinstance(frames, builtins.slice):
            raise TypeError(f"motion: expected a slice of frames such as motion[:100], found {type(frames).__name__}")
        _, _, step = frames.indices(len(self))
        if step < 1:
            raise ValueError(f"motion: expected a slice with a positive step, found {step}")
        return replace(self, rotations=self.rotations[frames], root_positions=self.root_positions[frames], fps=self.fps / step)

    def slice(self, start: int, stop: int) -> Motion:
        """Return the frames from `start` up to, not including, `stop`."""
        return self[start:stop]

    def positions(self) -> Array:
        """Return the position of every joint in every frame, (T, J, 3) float64, metres, world frame; joints as in ``skeleton.names``."""
        return forward_kinematics(self)


def with_rest_pose(motion: Motion) -> Motion:
    """Return a motion that begins with one more frame: the rest pose, on the floor where the motion starts."""
    root = motion.root_positions[:1] * np.array([1.0, 0.0, 1.0])
    root[0, 1] = -float(motion.skeleton.rest_positions[:, 1].min())
    rest = np.broadcast_to(IDENTITY, (1, *motion.rotations.shape[1:]))
    rotations = make_continuous(np.concatenate([rest, motion.rotations]))
    return replace(motion, rotations=rotations, root_positions=np.concatenate([root, motion.root_positions]))
