"""TRC: the layout of OpenSim's own files, read back with NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mocapgen import forward_kinematics, read
from mocapgen.formats.trc import format_trc
from mocapgen.reading.convert import convert


def parsed(text: str) -> tuple[dict[str, str], list[str], np.ndarray]:
    """Return the header, the markers, and the columns: frame, time, then x, y, z of each."""
    first, keys, values, markers, axes, blank, *rows = text.removesuffix("\n").split("\n")
    assert first.split("\t")[:3] == ["PathFileType", "4", "(X/Y/Z)"]
    assert blank == ""
    names = markers.split("\t")[2::3]
    assert markers.split("\t")[:2] == ["Frame#", "Time"]
    assert axes.split("\t") == ["", ""] + [f"{axis}{number + 1}" for number in range(len(names)) for axis in "XYZ"]
    table = np.genfromtxt(rows, delimiter="\t", ndmin=2)
    assert table.shape[1] == 2 + 3 * len(names)
    return dict(zip(keys.split("\t"), values.split("\t"), strict=True)), names, table


@pytest.mark.parametrize(("unit", "size"), [("mm", 1000.0), ("m", 1.0)])
def test_what_is_written_is_there(unit: Any, size: float) -> None:
    at = np.random.default_rng(0).normal(0, 1, (7, 3, 3))
    at[2, 1] = np.nan
    text = format_trc(["knee", "left ankle", "x"], at, 29.97, "a b.trc", unit).decode()
    header, names, table = parsed(text)
    assert list(header) == ["DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate", "OrigDataStartFrame", "OrigNumFrames"]
    assert list(header.values()) == ["29.97", "29.97", "7", "3", unit, "29.97", "1", "7"]
    assert names == ["knee", "left_ankle", "x"]
    assert text.startswith("PathFileType\t4\t(X/Y/Z)\ta_b.trc\n")
    np.testing.assert_array_equal(table[:, 0], np.arange(1, 8))
    np.testing.assert_allclose(table[:, 1], np.arange(7) / 29.97, atol=1e-8)
    np.testing.assert_allclose(table[:, 2:].reshape(7, 3, 3) / size, at, atol=1e-7)
    assert text.split("\n")[8].split("\t")[5:8] == ["", "", ""]


def test_the_joints_of_a_real_file(data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "hdm05/HDM05_cut_amc/squat1Reps/HDM_bd_squat1Reps_001_120.amc"
    done = convert(source, tmp_path / "squat.trc")
    assert done.notes[-1].endswith("every joint is a marker; no skeleton can be fitted to these, so keep HDM_bd_squat1Reps_001_120.amc to build from")
    header, names, table = parsed((tmp_path / "squat.trc").read_text())
    motion = read(source)
    assert (header["DataRate"], header["Units"], tuple(names)) == ("120", "mm", motion.skeleton.names)
    np.testing.assert_allclose(table[:, 2:].reshape(len(motion), -1, 3) / 1000, forward_kinematics(motion), atol=1e-6)
