"""A pinhole camera, and points and rotations in its frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.core.rotation import conjugate, from_matrix, make_continuous, multiply
from schemas.conventions import CameraFrame

UP = np.array([0.0, 1.0, 0.0])
_MIRROR = np.array([-1.0, 1.0, 1.0])
"""Between a right-handed body (x left) and a left-handed one (x right)."""


@dataclass(frozen=True, eq=False)
class CameraPlacement:
    """Where a camera stands and what it sees, whatever the axes of its frame.

    Parameters
    ----------
    position : (3,) float, metres, world frame
    forward : (3,) float
        Unit vector along the optical axis, not vertical; the image's horizontal edges are level.
    fov : float
        Vertical field of view, radians.
    rig : str
        Name for the file.
    """

    position: Array
    forward: Array
    fov: float
    rig: str

    def axes(self) -> Array:
        """Return the unit vectors right, down, forward in the world, (3, 3) float64, one per row."""
        right = np.cross(self.forward, UP)
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(self.forward, right), self.forward])


@dataclass(frozen=True, eq=False)
class Camera:
    """A camera as stored in a file: ``X_camera = R X_world + t`` and ``(u, v, 1) = K X_camera / z``.

    Parameters
    ----------
    K : (3, 3) float64, pixels
        ``K[1, 1]`` is negative in the unity frame, where y points up but v down.
    R : (3, 3) float64
        Orthogonal; its determinant is -1 in the unity frame, which is left-handed.
    t : (3,) float64, metres
    width, height : int, pixels
    frame : {"unity", "opencv"}
    rig : str
    """

    K: Array
    R: Array
    t: Array
    width: int
    height: int
    frame: CameraFrame
    rig: str

    def __repr__(self) -> str:
        x, y, z = self.to_world(np.zeros(3))
        fov = math.degrees(2 * math.atan(0.5 * self.height / abs(self.K[1, 1])))
        return f"<Camera {self.rig}: {self.width}x{self.height}, fov {fov:.0f} degrees, at ({x:.2f}, {y:.2f}, {z:.2f}) m, {self.frame} frame>"

    @classmethod
    def of(cls, placement: CameraPlacement, width: int, height: int, frame: CameraFrame) -> Camera:
        """Build the camera of a placement: square pixels, principal point in the middle of the image."""
        focal = 0.5 * height / math.tan(0.5 * placement.fov)
        rotation = placement.axes()
        sign = 1.0
        if frame == "unity":
            rotation = rotation * np.array([[1.0], [-1.0], [1.0]])
            sign = -1.0
        intrinsics = np.array([[focal, 0.0, 0.5 * width], [0.0, sign * focal, 0.5 * height], [0.0, 0.0, 1.0]])
        return cls(intrinsics, rotation, -rotation @ placement.position, width, height, frame, placement.rig)

    @property
    def centre(self) -> Array:
        """(3,) float64, metres, world frame: where the camera stands."""
        return -self.R.T @ self.t

    def to_opencv(self) -> Camera:
        """Return the same camera with axes x right, y down, z forward: its ``K``, ``R`` and ``t`` are those that OpenCV takes.

        ``cv2.projectPoints(positions, cv2.Rodrigues(camera.R)[0], camera.t, camera.K, None)`` then gives the same pixels.
        """
        if self.frame == "opencv":
            return self
        flip = np.diag([1.0, -1.0, 1.0])
        return Camera(self.K @ flip, flip @ self.R, flip @ self.t, self.width, self.height, "opencv", self.rig)

    def to_camera(self, positions: Array) -> Array:
        """Return world positions, (..., 3) metres, in the camera frame, (..., 3) float64."""
        return np.asarray(positions) @ self.R.T + self.t

    def to_world(self, positions: Array) -> Array:
        """Return positions in the camera frame, (..., 3) metres, in the world, (..., 3) float64: undoes :meth:`to_camera`."""
        return (np.asarray(positions, dtype=np.float64) - self.t) @ self.R  # R is orthogonal: its inverse is its transpose

    def project(self, positions: Array) -> Array:
        """Return the pixels of points.

        Parameters
        ----------
        positions : (..., 3) float, metres, camera frame

        Returns
        -------
        (..., 2) float64, pixels
            By the same formula in front of the camera, behind it and outside the image; NaN for points closer than a
            micrometre to the camera's own plane, where there is no projection.
        """
        positions = np.asarray(positions, dtype=np.float64)
        depth = np.where(np.abs(positions[..., 2]) < 1e-6, np.nan, positions[..., 2])
        u = self.K[0, 0] * positions[..., 0] / depth + self.K[0, 2]
        v = self.K[1, 1] * positions[..., 1] / depth + self.K[1, 2]
        return np.stack([u, v], axis=-1)

    def in_view(self, positions: Array, pixels: Array) -> np.ndarray:
        """Return which points, camera frame (..., 3), are in front of the camera and inside the image: (...) bool."""
        u, v = pixels[..., 0], pixels[..., 1]
        with np.errstate(invalid="ignore"):
            return (positions[..., 2] > 0) & (u >= 0) & (u <= self.width) & (v >= 0) & (v <= self.height)

    def root_rotations(self, rotations: Array) -> Array:
        """Return rotations relative to the world, (T, 4), relative to the camera, (T, 4) float64, sign-continuous.

        They turn vectors in body axes of the file's handedness (:func:`body_offsets`) into the camera frame.
        """
        turned = multiply(self._turn, rotations)
        return make_continuous(mirror_rotations(turned) if self.frame == "unity" else turned)

    def world_rotations(self, rotations: Array) -> Array:
        """Return rotations relative to the camera, (T, 4) as in the file, relative to the world, (T, 4) float64.

        Undoes :meth:`root_rotations`: they turn vectors in the world's handedness (x to the person's left).
        """
        return make_continuous(multiply(conjugate(self._turn), body_rotations(rotations, self.frame)))

    @cached_property
    def _turn(self) -> Array:
        """R as a quaternion; in the unity frame R is the mirror times a proper rotation, and this is the latter."""
        return from_matrix(_MIRROR[:, None] * self.R if self.frame == "unity" else self.R)


def mirror_rotations(rotations: Array) -> Array:
    """Return rotations, (..., 4), as seen in the mirror that swaps left and right (x): (x, -y, -z, w)."""
    return np.asarray(rotations) * np.array([1.0, -1.0, -1.0, 1.0])


def body_rotations(rotations: Array, frame: CameraFrame) -> Array:
    """Return local rotations, (..., 4) in the world's handedness, in that of files with this camera frame."""
    return mirror_rotations(rotations) if frame == "unity" else np.asarray(rotations)


def body_offsets(offsets: Array, frame: CameraFrame) -> Array:
    """Return rest-pose vectors, (..., 3) with x to the person's left, in the handedness of files with this camera frame."""
    return np.asarray(offsets) * _MIRROR if frame == "unity" else np.asarray(offsets)
