"""Binary glTF: written, not read."""

from __future__ import annotations

from pathlib import Path

from mocapgen.core.motion import Motion
from mocapgen.formats import Format
from mocapgen.formats._gltf_write import format_glb


def write_glb(path: Path, motion: Motion) -> None:
    """Write a motion as binary glTF; see :func:`~mocapgen.formats._gltf_write.format_glb`."""
    path.write_bytes(format_glb(motion))


FORMAT = Format(".glb", None, write_glb)
