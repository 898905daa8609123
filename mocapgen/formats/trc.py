"""TRC, the marker trajectories of OpenSim and Motion Analysis: written, not read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Motion
from mocapgen.formats import Format
from mocapgen.formats._decimals import format_rows

Unit = Literal["mm", "m"]
_PER_METRE = {"mm": 1000.0, "m": 1.0}
_DECIMALS = {"mm": 4, "m": 7}
"""Digits behind the point: tenths of a micrometre."""
_NO_NUMBER = re.compile(r"-?(?:nan|inf)")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\xa0\u202a-\u202e\u2066-\u2069]+")


def format_trc(labels: Sequence[str], positions: NDArray[np.floating], fps: float, name: str, unit: Unit = "mm") -> bytes:
    r"""Return the bytes of a TRC file, as OpenSim writes it: tabs between columns, y up.

    Parameters
    ----------
    labels : sequence of N str
        Names of the markers; blanks in them become ``_``.
    positions : (T, N, 3) float, metres, world frame
        NaN where a marker is not there: such columns stay empty.
    fps : float
    name : str
        The file's name, for its first line.
    unit : {"mm", "m"}
        In which positions are written; the file says so.

    Returns
    -------
    bytes
        UTF-8. Time begins at 0.
    """
    rate, count, markers = f"{fps:.10g}", len(positions), len(labels)
    names = [_BLANKS.sub("_", label) or "_" for label in labels]
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{_BLANKS.sub('_', name)}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{count}\t{markers}\t{unit}\t{rate}\t1\t{count}",
        "Frame#\tTime\t" + "\t".join(f"{label}\t\t" for label in names),
        "\t\t" + "\t".join(f"X{number}\tY{number}\tZ{number}" for number in range(1, markers + 1)),
        "",
    ]
    values = np.asarray(positions, dtype=np.float64).reshape(count, -1) * _PER_METRE[unit]
    rows = format_rows(values, _DECIMALS[unit], "\t").decode().split("\n")
    lines += (f"{frame + 1}\t{frame / fps:.8f}\t{_NO_NUMBER.sub('', row)}" for frame, row in zip(range(count), rows, strict=False))
    return ("\n".join(lines) + "\n").encode("utf-8")


def _write_joints(path: Path, motion: Motion) -> None:
    """Write a marker at every joint, labelled by its name."""
    path.write_bytes(format_trc(motion.skeleton.names, forward_kinematics(motion), motion.fps, path.name))


FORMAT = Format(".trc", None, _write_joints)
