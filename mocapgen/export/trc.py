"""TRC for OpenSim: joints as markers, a file for each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mocapgen.export.base import Exporter, ExportOutput
from mocapgen.export.export_input import ExportInput, Item
from mocapgen.formats.trc import format_trc
from schemas.base import Settings
from schemas.conventions import WORLD_FRAME


class Options(Settings):
    """Settings of the format."""

    joints: str | None = None
    """Joint set, such as `h36m17`; by default all joints."""
    units: Literal["mm", "m"] = "mm"
    """Unit of positions."""


def write(source: ExportInput, items: Sequence[Item], options: Options, output: ExportOutput) -> None:
    """Write a file for each sequence."""
    joints = source.joints(options.joints)
    for done, item in enumerate(items):
        output.step(done, len(items), item.name)
        name = output.name_of(item, ".trc")
        positions = source.world(item)[:, joints.index]
        (output.folder / name).write_bytes(format_trc(joints.names, positions, source.fps, name, options.units))
    output.about |= {"units": f"{options.units}; time in seconds", "axes": WORLD_FRAME, "joints": list(joints.names), "parents": list(joints.parents)}


EXPORTER = Exporter("joints as markers, for OpenSim", Options, write, suffix=".trc", each=True)
