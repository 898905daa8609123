"""CSV: a row for each frame, a file for each sequence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mocapgen.export.base import Exporter, ExportOutput
from mocapgen.export.export_input import ExportInput, Item
from mocapgen.export.npz import Options, axes_of
from mocapgen.formats._decimals import format_rows
from mocapgen.shared.markup import csv_cell

_DECIMALS = 6
"""Digits of metres and seconds behind the point: micrometres."""


def write(source: ExportInput, items: Sequence[Item], options: Options, output: ExportOutput) -> None:
    """Write a file for each sequence: ``frame,time,Hips_x,Hips_y,Hips_z,...``."""
    joints = source.joints(options.joints)
    header = ",".join(["frame", "time", *(csv_cell(f"{joint}_{axis}") for joint in joints.names for axis in "xyz")])
    for done, item in enumerate(items):
        output.step(done, len(items), item.name)
        positions = (source.world(item) if options.space == "world" else source.positions(item))[:, joints.index]
        values = np.round(positions.reshape(len(positions), -1), _DECIMALS)
        rows = format_rows(values.astype(np.float64), _DECIMALS, ",").decode().splitlines()
        text = "\n".join([header, *(f"{frame},{frame / source.fps:.{_DECIMALS}f},{row}" for frame, row in enumerate(rows))]) + "\n"
        (output.folder / output.name_of(item, ".csv")).write_text(text, encoding="utf-8", newline="\n")
    output.about |= {
        "units": "metres; time in seconds",
        "axes": axes_of(source, options.space),
        "space": options.space,
        "joints": list(joints.names),
        "parents": list(joints.parents),
        "columns": "frame from 0, time, then x, y, z of each joint in the order of joints",
    }


EXPORTER = Exporter("a table for each sequence, a row for each frame", Options, write, suffix=".csv", each=True)
