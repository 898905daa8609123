"""The input of camera rigs, the smallest distance of a camera, and the lookup of rigs by name."""

from __future__ import annotations

import importlib
import math
import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mocapgen.cameras.camera import UP, Camera, CameraPlacement
from mocapgen.core.motion import Array
from mocapgen.shared.parts import load_part, part_names
from mocapgen.shared.text import nearest
from schemas.camera import RIG_PATTERN
from schemas.config import BuildConfig
from schemas.errors import ConfigError

MARGIN = 0.08
"""Share of the image kept free at each edge."""
NEAREST = 0.5
"""No camera comes closer than this to the nearest point, metres."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A clip as rigs see it.

    Parameters
    ----------
    points : (N, 3) float64, metres, world frame
        Every joint of every avatar in every frame.
    heading : (3,) float64
        Level unit vector: where the actor faces in the first pose.
    aspect : float
        Width over height of the image.
    fov : float
        Vertical field of view asked for, radians.
    random : numpy Generator
        The clip's own, seeded by the build's seed and the clip's id.
    """

    points: Array
    heading: Array
    aspect: float
    fov: float
    random: np.random.Generator

    @cached_property
    def centre(self) -> Array:
        """(3,) float64: the middle of the box around all points."""
        return 0.5 * (self.points.min(axis=0) + self.points.max(axis=0))

    def facing(self, azimuth: float, elevation: float = 0.0) -> Array:
        """Return the direction from the clip to a camera, (3,) unit.

        Parameters
        ----------
        azimuth : float
            Radians from the actor's heading, towards the actor's left.
        elevation : float
            Radians above the horizon.
        """
        left = np.cross(UP, self.heading)
        level = math.cos(azimuth) * self.heading + math.sin(azimuth) * left
        return math.cos(elevation) * level + math.sin(elevation) * UP

    def look_from(self, direction: Array, fov: float, rig: str, factor: float = 1.0) -> CameraPlacement:
        """Place a camera in a direction, just far enough that the whole clip is in the image.

        Parameters
        ----------
        direction : (3,) float
            Unit vector from the clip's centre to the camera.
        fov : float
            Vertical field of view, radians.
        rig : str
            Name for the file.
        factor : float
            Multiplies the distance; at least 1 keeps everything in view.
        """
        axes = CameraPlacement(self.centre, -direction, fov, rig).axes()
        aside, below, beyond = axes @ (self.points - self.centre).T
        tangent = math.tan(0.5 * fov) * (1.0 - 2.0 * MARGIN)
        # A point is inside if |aside| <= tangent * aspect * (distance + beyond), and likewise below; the largest need wins.
        needed = np.maximum(np.abs(aside) / (tangent * self.aspect), np.abs(below) / tangent) - beyond
        distance = factor * max(float(needed.max()), NEAREST - float(beyond.min()))
        return CameraPlacement(self.centre + distance * direction, -direction, fov, rig)


def rig_names() -> tuple[str, ...]:
    """Return the names of all rigs."""
    return part_names("mocapgen.cameras.rigs", "place")


def parse_rig(text: str) -> tuple[str, int]:
    """Return name and number of cameras of a rig such as ``orbit:8``.

    Raises
    ------
    ConfigError
        With the rigs that there are, or if the rig does not take that many cameras.
    """
    match = RIG_PATTERN.match(text)
    if match is None or match["name"] not in rig_names():
        known = f"expected one of {', '.join(rig_names())}, with :COUNT for several cameras (orbit:8)"
        raise ConfigError(f"camera: {known}, found {text!r}{nearest(text.partition(':')[0], rig_names())}")
    name, count = match["name"], int(match["count"] or 1)
    if match["count"] is None and getattr(importlib.import_module(f"mocapgen.cameras.rigs.{name}"), "COUNTED", False):
        raise ConfigError(f"camera: expected {name}:COUNT, the number of cameras, such as {name}:8, found {text!r}")
    if count > 1 and not getattr(importlib.import_module(f"mocapgen.cameras.rigs.{name}"), "SEVERAL", True):
        raise ConfigError(f"camera: {name} is one camera, found {text}; several around the clip are orbit:{count}")
    return name, count


def place_cameras(points: Array, heading: Array, config: BuildConfig, clip_id: str) -> tuple[Camera, ...]:
    """Return the cameras of a clip.

    Parameters
    ----------
    points : (N, 3) float, metres, world frame
        Everything that should be in view.
    heading : (3,) float
        Level unit vector: where the actor faces in the first pose.
    config : BuildConfig
        Its camera, image, fov, camera_frame and seed are used.
    clip_id : str
        Seeds the clip's random numbers, together with the build's seed.

    Raises
    ------
    ConfigError
        If there is no such rig, or it does not take that many cameras.
    """
    name, count = parse_rig(config.camera)
    random = np.random.default_rng([config.seed, zlib.crc32(clip_id.encode())])
    scene = Scene(points, heading, config.image.width / config.image.height, math.radians(config.fov), random)
    placements: tuple[CameraPlacement, ...] = load_part("mocapgen.cameras.rigs", "place", name, "camera")(scene, count)
    return tuple(Camera.of(placement, config.image.width, config.image.height, config.camera_frame) for placement in placements)
