"""``front``: one still, level camera that faces the actor's first pose; the published method's."""

from __future__ import annotations

from mocapgen.cameras.camera import CameraPlacement
from mocapgen.cameras.rigs.base import Scene

SEVERAL = False
"""Whether the rig may have more than one camera."""


def place(scene: Scene, count: int) -> tuple[CameraPlacement, ...]:
    """Return the one placement for a scene; it stands level with the middle of the clip."""
    assert count == 1
    return (scene.look_from(scene.facing(0.0), scene.fov, "front"),)
