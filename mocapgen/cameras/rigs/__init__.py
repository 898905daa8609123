"""Camera rigs: placement of cameras around a clip. Adding a rig is adding one module here with a ``place`` function."""

from mocapgen.cameras.rigs.base import Scene, parse_rig, place_cameras, rig_names

__all__ = ["Scene", "parse_rig", "place_cameras", "rig_names"]
