"""Project a motion into a camera: the arrays of one sequence of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mocapgen.cameras.camera import Camera, body_rotations
from mocapgen.core.motion import Array, Motion
from mocapgen.core.rotation import rotate, to_euler
from schemas.conventions import EULER_ORDER

_EULER_COLUMNS = ["XYZ".index(letter) for letter in EULER_ORDER]


@dataclass(frozen=True, eq=False)
class Sequence:
    """One performance before one camera, as it goes into the file.

    Parameters
    ----------
    avatar : str
    camera : int
        Number of the camera among the clip's.
    positions_3d : (T, J, 3) float32, metres, camera frame
    positions_2d : (T, J, 2) float32, pixels
    quaternions : (T, J, 4) float32
        Local; of the root, relative to the camera.
    euler : (T, J, 3) float32, degrees
        Components x, y, z; intrinsic order YXZ.
    in_view : (T, J) bool
    """

    avatar: str
    camera: int
    positions_3d: NDArray[np.float32]
    positions_2d: NDArray[np.float32]
    quaternions: NDArray[np.float32]
    euler: NDArray[np.float32]
    in_view: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.in_view)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in (self.positions_3d, self.positions_2d, self.quaternions, self.euler, self.in_view))

    def __repr__(self) -> str:
        return f"<Sequence of {self.avatar} before camera {self.camera}: {len(self)} frames, {self.in_view.shape[1]} joints>"


def project_motion(avatar: str, motion: Motion, positions: Array, cameras: tuple[Camera, ...]) -> Iterator[Sequence]:
    """Yield a motion as each camera sees it.

    Parameters
    ----------
    avatar : str
        Name of the avatar that performs.
    motion : Motion
        World frame.
    positions : (T, J, 3) float, metres, world frame
        ``forward_kinematics(motion)``.
    cameras : tuple of Camera
        All with the same camera frame.

    Yields
    ------
    Sequence
        One per camera. Nothing is clipped: points behind a camera or outside its image are flagged in ``in_view``.
    """
    local = body_rotations(motion.rotations, cameras[0].frame).copy()
    euler: Array | None = None
    for number, camera in enumerate(cameras):
        local[:, 0] = camera.root_rotations(motion.rotations[:, 0])
        if euler is None:
            euler = _euler(local)
        else:  # the same before every camera, except for the root
            euler[:, 0] = _euler(local[:, 0])
        seen = camera.to_camera(positions)
        pixels = camera.project(seen)
        in_view = np.ascontiguousarray(camera.in_view(seen, pixels))
        yield Sequence(avatar, number, _single(seen), _single(pixels), _single(local), _single(euler), in_view)


def _single(array: Array) -> NDArray[np.float32]:
    return np.ascontiguousarray(array, dtype=np.float32)


def _euler(rotations: Array) -> Array:
    """Return Euler angles, (..., 3) float64, degrees, as the components (x, y, z)."""
    angles = np.degrees(to_euler(EULER_ORDER, rotations))
    out = np.empty_like(angles)
    out[..., _EULER_COLUMNS] = angles
    return out


def heading(motion: Motion, left_hip: Array, right_hip: Array) -> Array:
    """Return where the actor faces in the first pose.

    Parameters
    ----------
    motion : Motion
    left_hip, right_hip : (3,) float, metres, world frame
        Hip joints in the first pose.

    Returns
    -------
    (3,) float64
        Level unit vector at a right angle to the line through the hips; where that stands upright (somebody lies on
        the side), where the root's forward axis points; failing that, +z.
    """
    across = np.asarray(left_hip) - np.asarray(right_hip)
    forward = rotate(motion.rotations[0, 0], np.array([0.0, 0.0, 1.0]))
    up = rotate(motion.rotations[0, 0], np.array([0.0, 1.0, 0.0]))
    candidates = (np.cross(across, [0.0, 1.0, 0.0]), forward, -up if forward[1] > 0 else up)
    for candidate, least in zip(candidates, (0.25 * float(np.linalg.norm(across)), 0.25, 0.25), strict=True):
        level = candidate * np.array([1.0, 0.0, 1.0])
        length = float(np.linalg.norm(level))
        if length > max(least, 1e-9):
            return np.asarray(level / length)
    return np.array([0.0, 0.0, 1.0])
