"""``orbit:N``: N still, level cameras at equal angles around the clip, the first one in front."""

from __future__ import annotations

import math

from mocapgen.cameras.camera import CameraPlacement
from mocapgen.cameras.rigs.base import Scene

COUNTED = True
"""It is asked for with a number of cameras: a single one of it is ``front``."""


def place(scene: Scene, count: int) -> tuple[CameraPlacement, ...]:
    """Return the placements for a scene, going round towards the actor's left."""
    directions = (scene.facing(2.0 * math.pi * index / count) for index in range(count))
    return tuple(scene.look_from(direction, scene.fov, f"orbit:{count}/{index}") for index, direction in enumerate(directions))
