"""BVH against joint positions that other programs computed, and every real file read and written.

The conventions of the golden values (``oracles/bvh_*.npz``): ``positions`` (frames, joints, 3) are the heads of the joints
(no end sites) by Blender's importer, in the file's units and axes, with the root's OFFSET replaced by its position channels;
``frames`` counts from 0. They are single precision. A file's unit is 0.0564 m (cgspeed) or 0.01 m. ``pybvh`` is a second
program, written independently of both; it too replaces the OFFSET.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pybvh
import pytest

from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Motion
from mocapgen.core.rotation import angle_between
from mocapgen.formats.bvh import Bvh, format_bvh, parse_bvh

ORACLES = {
    "cgspeed_01_01": ("cmu/bvh-cgspeed/01/01_01.bvh", 0.0254 / 0.45),
    "iclone_006_02": ("cmu/bvh-iclone/006/006_02.bvh", 0.01),
    "neo_85_12": ("cmu/bvh-neo/85/85_12.bvh", 0.01),
}
RATES = {"bvh-cgspeed": 120.0, "bvh-iclone": 60.0, "bvh-neo": 30.0}


def load(path: Path, lenient: bool = False) -> Bvh:
    return parse_bvh(path.read_bytes(), path.name, lenient)


def files(data_dir: Path) -> list[Path]:
    return sorted(path for path in (data_dir / "cmu").rglob("*") if path.suffix.lower() == ".bvh")


@pytest.mark.parametrize("name", ORACLES)
def test_joint_positions(name: str, data_dir: Path) -> None:
    path, unit_metres = ORACLES[name]
    bvh = load(data_dir / path)
    with np.load(data_dir / "oracles" / f"bvh_{name}.npz") as oracle:
        joints = [bvh.names.index(joint) for joint in oracle["names"]]
        parents = ["" if bvh.parents[joint] < 0 else bvh.names[bvh.parents[joint]] for joint in joints]
        assert parents == oracle["parents"].tolist()
        assert len(joints) == len(bvh.names) - len(bvh.end_sites)
        difference = bvh.positions()[oracle["frames"]][:, joints] - oracle["positions"]
    assert np.linalg.norm(difference, axis=-1).max() * unit_metres < 1e-5


@pytest.mark.parametrize("name", ORACLES)
def test_joint_and_end_positions_by_another_program(name: str, data_dir: Path) -> None:
    path, _ = ORACLES[name]
    bvh, other = load(data_dir / path), pybvh.read_bvh_file(data_dir / path, world_up="+y")
    assert other.frame_time == pytest.approx(1 / bvh.fps, rel=1e-12)
    np.testing.assert_allclose(bvh.positions(), other.node_positions(), rtol=0, atol=1e-9)  # both go through the tree depth first


def test_every_real_file(data_dir: Path) -> None:
    found = files(data_dir)
    assert len(found) >= 20
    for path in found:
        bvh = load(path)
        assert bvh.fps == RATES[path.parts[-3]]  # exactly, whatever the frame time was rounded to
        assert len(bvh) > 100
        assert np.isfinite(bvh.positions()).all()
        assert bvh.moving_offsets == ()
        lenient = load(path, lenient=True)
        assert lenient.repairs == ()
        np.testing.assert_array_equal(lenient.values, bvh.values)
        rows = path.read_bytes().split(b"Frame Time:")[1].splitlines()[1:]
        np.testing.assert_array_equal(bvh.values[-1], list(map(float, rows[len(bvh) - 1].split())))


@pytest.mark.parametrize("up", ["y", "z"])
@pytest.mark.parametrize("name", ORACLES)
def test_written_and_read_again(name: str, up: str, data_dir: Path) -> None:
    path, unit_metres = ORACLES[name]
    bvh = load(data_dir / path)
    positions = bvh.positions()[:400] * unit_metres
    motion = Motion(bvh.skeleton, bvh.rotations()[:400], positions[:, 0] / unit_metres, bvh.fps)
    again = parse_bvh(format_bvh(motion, 1.0, up), "again.bvh")  # type: ignore[arg-type]
    found = again.positions() * unit_metres
    if up == "z":
        found = np.stack([found[..., 0], found[..., 2], -found[..., 1]], axis=-1)
    else:
        assert angle_between(again.rotations(), motion.rotations).max() < 1e-9
    np.testing.assert_allclose(found, forward_kinematics(motion) * unit_metres, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found, positions, rtol=0, atol=1e-9)
    assert (again.names, again.end_sites, again.fps) == (bvh.names, bvh.end_sites, bvh.fps)
