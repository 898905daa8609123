"""One sequence as checks see it, with what is derived from its arrays on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.kinematics import global_rotations, joint_positions
from mocapgen.core.motion import Array, Skeleton
from mocapgen.core.rotation import normalise
from mocapgen.core.vectors import dot, norms
from mocapgen.store.reader import SequenceRow
from schemas.inspection import Finding


def angles(a: Array, b: Array) -> Array:
    """Return the angles, (...) degrees, between unit quaternions (..., 4): good to 1e-6 degrees, in half the time of the exact formula."""
    return np.degrees(2.0 * np.arccos(np.minimum(np.abs(dot(a, b)), 1.0)))


@dataclass(frozen=True)
class Worst:
    """Where something is worst.

    Parameters
    ----------
    frame : int
    joint : str
    value : float
    frames : int
        In how many frames it is above the limit.
    """

    frame: int
    joint: str
    value: float
    frames: int

    @property
    def in_frames(self) -> str:
        """In how many frames, in words."""
        return f"in {self.frames} frame{'s' * (self.frames != 1)}"


class SequenceView:
    """One sequence, with what is derived from its arrays: computed when a check asks for it, once, and shared by all checks.

    Parameters
    ----------
    row : SequenceRow
    skeleton : Skeleton
        The avatar's, in body axes of the file's handedness.
    fps : float
    """

    def __init__(self, row: SequenceRow, skeleton: Skeleton, fps: float) -> None:
        self.row = row
        self.skeleton = skeleton
        self.fps = fps

    @property
    def floor_known(self) -> bool:
        """Whether y = 0 of the world is the floor."""
        return True

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """(T, J) bool: joints that the image shows."""
        return self.row["in_view"]

    @property
    def has_pixels(self) -> NDArray[np.bool_] | slice:
        """Which joints (T, J) are anywhere in the image or beside it; a slice that takes all of them."""
        return slice(None)

    @cached_property
    def positions(self) -> Array:
        """(T, J, 3) float64, metres, camera frame."""
        return self.row["positions_3d"].astype(np.float64)

    @cached_property
    def pixels(self) -> Array:
        """(T, J, 2) float64, pixels."""
        return self.row["positions_2d"].astype(np.float64)

    @cached_property
    def world(self) -> Array:
        """(T, J, 3) float64, metres, world frame: y up, floor at y = 0."""
        camera = self.row.camera
        return (self.positions - camera.t) @ camera.R  # R is orthonormal: its inverse is its transpose

    @cached_property
    def quaternions(self) -> Array:
        """(T, J, 4) float64, as stored: local, of the root relative to the camera."""
        return self.row["quaternions"].astype(np.float64)

    @cached_property
    def euler(self) -> Array:
        """(T, J, 3) float64, degrees: components x, y, z."""
        return self.row["euler"].astype(np.float64)

    @cached_property
    def rotations(self) -> Array:
        """(T, J, 4) float64, the quaternions scaled to unit length; NaN where that cannot be done."""
        return normalise(self.quaternions)

    @cached_property
    def forward(self) -> Array:
        """(T, J, 3) float64, metres, camera frame: the joints as rotations and the skeleton's offsets have them, from the stored root on."""
        return joint_positions(self.skeleton, global_rotations(self.skeleton, self.rotations), self.positions[:, 0])

    @cached_property
    def lengths(self) -> Array:
        """(T, J - 1) metres: distance of each joint but the root from its parent."""
        return norms(self.positions[:, 1:] - self.positions[:, list(self.skeleton.parents[1:])])

    @cached_property
    def velocities(self) -> Array:
        """(T - 1, J, 3) m/s, world frame: from each frame to the next."""
        return np.diff(self.world, axis=0) * self.fps

    @cached_property
    def speeds(self) -> Array:
        """(T - 1, J) m/s."""
        return norms(self.velocities)

    @cached_property
    def accelerations(self) -> Array:
        """(max(T - 2, 0), J, 3) m/s², world frame: of the frames from 1 on."""
        return np.diff(self.velocities, axis=0) * self.fps

    @cached_property
    def turns(self) -> Array:
        """(T - 1, J) degrees: by how much each joint turns relative to its parent, from each frame to the next."""
        return angles(self.rotations[:-1], self.rotations[1:])

    @cached_property
    def precision(self) -> float:
        """Metres: to what a float32 coordinate of this sequence is good, 4 units in the last place of the largest."""
        largest = float(np.abs(self.positions).max(initial=0.0))
        return 4.8e-7 * largest if np.isfinite(largest) else 0.0

    def joint(self, name: str) -> int:
        """Return the place of a joint among J."""
        return self.skeleton.index(name)

    def has(self, *names: str) -> bool:
        """Return whether the skeleton has all these joints."""
        return all(name in self.skeleton for name in names)

    def path(self, name: str) -> Array:
        """Return where a joint goes: (T, 3) metres, world frame."""
        return self.world[:, self.joint(name)]

    def worst(self, values: Array, limit: float, joints: Sequence[str] | None = None) -> Worst | None:
        """Return where values exceed a limit most.

        Parameters
        ----------
        values : (N, K) float
            Per frame and joint; NaN never exceeds anything.
        limit : float
        joints : sequence of K str, optional
            Their names; by default all of the skeleton.

        Returns
        -------
        Worst or None
        """
        over = values > limit
        if not over.any():
            return None
        frame, joint = np.unravel_index(int(np.argmax(np.where(over, values, -np.inf))), values.shape)
        names = self.skeleton.names if joints is None else joints
        return Worst(int(frame), names[int(joint)], float(values[frame, joint]), int(over.any(axis=1).sum()))

    def finding(self, message: str, *, frame: int | None = None, joint: str = "", value: float | None = None, where: str = "") -> Finding:
        """Return a finding in this sequence; check id and severity are filled in by the caller."""
        clip = str(self.row.clip["id"])
        return Finding(
            check="",
            severity="info",
            message=message,
            where=where,
            sequence=self.row.number,
            clip=clip,
            avatar=self.row.avatar,
            frame=None if frame is None else int(frame),
            joint=joint,
            value=None if value is None else float(value),
        )
