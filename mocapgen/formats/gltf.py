"""GlTF in JSON, one file with everything in it: written, not read."""

from __future__ import annotations

from pathlib import Path

from mocapgen.core.motion import Motion
from mocapgen.formats import Format
from mocapgen.formats._gltf_write import format_gltf


def write_gltf(path: Path, motion: Motion) -> None:
    """Write a motion as glTF in JSON; see :func:`~mocapgen.formats._gltf_write.format_gltf`."""
    path.write_bytes(format_gltf(motion))


FORMAT = Format(".gltf", None, write_gltf)
