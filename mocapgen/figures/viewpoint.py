"""The viewpoint of a picture: a virtual camera that shows the whole motion as large as its box allows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from mocapgen.cameras.camera import UP, Camera, CameraPlacement
from mocapgen.core.motion import Array

PERSPECTIVE = 3.4
"""Distance of the viewpoint in radii of the scene: far enough that near limbs are not oversized."""
NEAREST = 0.05
"""Points nearer to the viewpoint than this, metres, are not drawn."""


@dataclass(frozen=True)
class Box:
    """A rectangle of the picture, pixels, y down."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height

    def inset(self, margin: float) -> Box:
        """Return the box without a margin on all sides, at least a pixel large."""
        return Box(self.left + margin, self.top + margin, max(self.width - 2 * margin, 1.0), max(self.height - 2 * margin, 1.0))


def level_direction(vector: Array) -> Array:
    """Return the horizontal unit vector of a direction, (3,); +z for a vertical one."""
    level = np.array([vector[0], 0.0, vector[2]])
    length = float(np.linalg.norm(level))
    return level / length if length > 1e-6 else np.array([0.0, 0.0, 1.0])


def direction(towards: Array, azimuth: float, elevation: float) -> Array:
    """Return the unit vector from what is looked at to the viewpoint.

    Parameters
    ----------
    towards : (3,) float
        Horizontal unit vector.
    azimuth : float
        Degrees from it, counterclockwise as seen from above.
    elevation : float
        Degrees above the horizon.
    """
    turn, rise = math.radians(azimuth), math.radians(elevation)
    aside = np.cross(UP, towards)
    return math.cos(rise) * (math.cos(turn) * towards + math.sin(turn) * aside) + math.sin(rise) * UP


def robust_bounds(points: Array) -> tuple[Array, Array]:
    """Return lowest and highest coordinates, (3,) each, of points (T, J, 3), without the most extreme hundredth of the frames.

    A spike in one frame must not shrink the person of all the others.
    """
    finite = np.where(np.isfinite(points), points, np.nan)
    usable = finite[np.any(np.isfinite(finite).all(axis=2), axis=1)]
    lowest, highest = np.nanmin(usable, axis=1), np.nanmax(usable, axis=1)
    return np.percentile(lowest, 1, axis=0), np.percentile(highest, 99, axis=0)


def fit(points: Array, box: Box, towards: Array, distance: float = PERSPECTIVE) -> Camera:
    """Return the camera that sees points from a direction, fitted to a box.

    Parameters
    ----------
    points : (N, 3) float, metres, world frame
        NaN are ignored.
    box : Box
        Where on the picture they are to be.
    towards : (3,) float
        Unit vector from them to the viewpoint, not vertical.
    distance : float
        Of the viewpoint, in radii of the points; the larger, the weaker the perspective.

    Returns
    -------
    Camera
        ``opencv`` frame; its pixels are those of the picture, not of the box.
    """
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    radius = max(0.5 * float(np.linalg.norm(high - low)), 0.3)
    view = CameraPlacement(0.5 * (low + high) + distance * radius * towards, -towards, 1.0, "viewpoint")
    rotation = view.axes()
    seen = (points - view.position) @ rotation.T
    flat = seen[:, :2] / seen[:, 2:]
    least, most = flat.min(axis=0), flat.max(axis=0)
    focal = float(min(box.width / max(most[0] - least[0], 1e-3), box.height / max(most[1] - least[1], 1e-3)))
    centre = np.array([box.left + 0.5 * box.width, box.top + 0.5 * box.height]) - focal * 0.5 * (least + most)
    intrinsics = np.array([[focal, 0.0, centre[0]], [0.0, focal, centre[1]], [0.0, 0.0, 1.0]])
    return Camera(intrinsics, rotation, -rotation @ view.position, math.ceil(box.right), math.ceil(box.bottom), "opencv", "viewpoint")


def moved(camera: Camera, shift: Array) -> Camera:
    """Return the same view translated by `shift`, (3,) metres."""
    return replace(camera, t=camera.t - camera.R @ shift)


def on_picture(camera: Camera, points: Array) -> tuple[Array, Array]:
    """Return pixels, (..., 2), and distances along the view, (...), of world points (..., 3); NaN where they are behind it."""
    seen = camera.to_camera(points)
    depth = np.where(seen[..., 2] > NEAREST, seen[..., 2], np.nan)
    return camera.project(np.concatenate([seen[..., :2], depth[..., None]], axis=-1)), depth
