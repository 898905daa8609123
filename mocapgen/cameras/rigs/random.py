"""``random:N``: N cameras at random azimuth, height, distance and focal length, the same for the same seed and clip."""

from __future__ import annotations

import math

from mocapgen.cameras.camera import CameraPlacement
from mocapgen.cameras.rigs.base import Scene

ELEVATION = (-10.0, 35.0)
"""Degrees above the horizon, seen from the clip: from hip height looking up to a camera under the ceiling."""
DISTANCE = (1.0, 1.6)
"""Times the least distance at which the whole clip is in view."""
FOV = (0.6, 1.1)
"""Times the field of view asked for, as tangents: focal length varies by the inverse."""
LOWEST = 0.3
"""A camera that would stand lower than this above the floor, metres, looks level instead."""


def place(scene: Scene, count: int) -> tuple[CameraPlacement, ...]:
    """Return the placements for a scene."""
    return tuple(_one(scene, f"random:{count}/{index}") for index in range(count))


def _one(scene: Scene, rig: str) -> CameraPlacement:
    azimuth = scene.random.uniform(-math.pi, math.pi)
    elevation = math.radians(scene.random.uniform(*ELEVATION))
    factor = scene.random.uniform(*DISTANCE)
    fov = 2.0 * math.atan(math.tan(0.5 * scene.fov) * scene.random.uniform(*FOV))
    placement = scene.look_from(scene.facing(azimuth, elevation), fov, rig, factor)
    if placement.position[1] < LOWEST:  # looking up from below the floor: look level instead
        placement = scene.look_from(scene.facing(azimuth), fov, rig, factor)
    return placement
