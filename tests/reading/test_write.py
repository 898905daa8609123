"""Writing a motion: every format comes back, nothing is replaced unasked, options apply where they make sense."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mocapgen.core.kinematics import forward_kinematics
from mocapgen.formats.bvh import load_bvh
from mocapgen.reading import read, write
from mocapgen.sources.sample import clips, make
from schemas.errors import ConfigError, DatasetError

MOTION = make(clips()[0])[0].slice(0, 20)


@pytest.mark.parametrize("name", ["walk.bvh", "walk.amc"])
def test_a_motion_comes_back(tmp_path: Path, name: str) -> None:
    written = write(MOTION, tmp_path / name)
    assert written == ((tmp_path / "walk.amc", tmp_path / "walk.asf") if name == "walk.amc" else (tmp_path / name,))
    again = read(tmp_path / name)
    common = [joint for joint in MOTION.skeleton.names[1:] if joint in again.skeleton]
    ours, theirs = (forward_kinematics(motion)[:, motion.skeleton.indices(common)] for motion in (MOTION, again))
    np.testing.assert_allclose(theirs, ours, atol=1e-6)


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "walk.asf").write_text("mine")
    with pytest.raises(DatasetError, match="exists already"):
        write(MOTION, tmp_path / "walk.amc")
    assert [path.name for path in tmp_path.iterdir()] == ["walk.asf"]
    assert write(MOTION, str(tmp_path / "walk.amc"), overwrite=True)[0] == tmp_path / "walk.amc"


def test_unit_and_axis_of_a_bvh_file(tmp_path: Path) -> None:
    write(MOTION, tmp_path / "walk.bvh", scale=1.0, up="z")
    np.testing.assert_allclose(load_bvh(tmp_path / "walk.bvh").positions()[0, 0], MOTION.root_positions[0][[0, 2, 1]] * [1, -1, 1], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("walk.fbx", {}, "expected a file to write that ends in .amc, .bvh, .c3d, .glb, .gltf, .trc, found .fbx"),
        ("walk.amc", {"scale": 1.0}, "scale: .amc files have a unit and axes of their own"),
        ("walk.c3d", {"up": "y"}, "up: .c3d files have a unit and axes of their own"),
        ("walk.bvh", {"scale": 0.0}, "scale: expected a positive number of metres"),
    ],
)
def test_wrong_use_writes_nothing(tmp_path: Path, name: str, options: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        write(MOTION, tmp_path / name, **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
