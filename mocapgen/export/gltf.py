"""Binary glTF: skeleton, a body of capsules and animation, a file for each sequence."""

from __future__ import annotations

from collections.abc import Sequence

from mocapgen.export.base import Exporter, ExportOutput
from mocapgen.export.export_input import ExportInput, Item
from mocapgen.export.motions import motions
from mocapgen.formats.glb import write_glb
from schemas.base import Settings
from schemas.conventions import WORLD_FRAME


class Options(Settings):
    """Settings of the format."""

    avatar: str | None = None
    """Avatar whose bone lengths are used for predictions: a name or the path of a JSON file; by default the lengths predicted."""


def write(source: ExportInput, items: Sequence[Item], options: Options, output: ExportOutput) -> None:
    """Write a file for each sequence."""
    for item, motion in motions(source, items, options.avatar, output):
        write_glb(output.folder / output.name_of(item, ".glb"), motion)
    output.about |= {"units": "metres; rotations as quaternions (x, y, z, w)", "axes": WORLD_FRAME, "joints": list(motion.skeleton.names)}


EXPORTER = Exporter("a body that moves, for Blender, three.js, Godot", Options, write, suffix=".glb", each=True)
