"""``front``: one still, level camera that faces the actor's first pose; the published method's."""

from __future__ import annotations

from mocapgen.camera import View
from mocapgen.rigs.base import Scene
from schemas.errors import ConfigError


def place(scene: Scene, count: int) -> tuple[View, ...]:
    """Return the one view of a scene; it stands level with the middle of the clip."""
    if count != 1:
        raise ConfigError(f"camera: front is one camera, found front:{count}; several around the clip are orbit:{count}")
    return (scene.look_from(scene.facing(0.0), scene.fov, "front"),)
