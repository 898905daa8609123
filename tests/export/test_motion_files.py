"""glTF and TRC of sequences: what is written is where the file says, and moves as the BVH export does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mocapgen import open_dataset, read
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.export import export
from schemas.detectors import DETECTOR_JOINTS
from tests.formats.test_trc import parsed
from tests.glb import read_glb


def test_gltf_of_a_dataset(orbit: Path, tmp_path: Path) -> None:
    done = export(orbit, "gltf", tmp_path / "out", clips="sample_sa_*", camera=1)
    about = json.loads(done.files[-1].read_text())
    with open_dataset(orbit) as data:
        rows = {(row.clip["id"], row.avatar): row for row in data if row.camera.rig == "orbit:3/1"}
        assert len(about["sequences"]) == done.sequences == 4
        for entry in about["sequences"]:
            row = rows[entry["clip"], entry["avatar"]]
            found = read_glb(tmp_path / "out" / entry["file"])
            assert tuple(found.joints) == data.joint_names == tuple(about["joints"])
            assert np.abs(found.positions - row.camera.to_world(row["positions_3d"])).max() < 1e-4
            np.testing.assert_allclose(found.times, np.arange(row.length) / data.fps, atol=1e-6)


def test_gltf_of_predictions_is_the_motion_of_bvh(predicted: Path, tmp_path: Path) -> None:
    notes = [export(predicted, "gltf", tmp_path / "kick.glb", clips="sample_sd_kick_001*", avatar="child_10").notes]
    notes += [export(predicted, "bvh", tmp_path / "same.bvh", clips="sample_sd_kick_001*", avatar="child_10").notes]
    motion, found = read(tmp_path / "same.bvh", scale=0.01, up="y"), read_glb(tmp_path / "kick.glb")
    shared = [name for name in found.joints if name in motion.skeleton.names]
    assert len(shared) == 22
    at = forward_kinematics(motion)[:, motion.skeleton.indices(shared)]
    assert np.abs(found.positions[:, [found.joints.index(name) for name in shared]] - at).max() < 1e-4
    assert "mm from those predicted" in notes[0][0]
    assert notes[0] == notes[1]


def test_trc_of_datasets_and_predictions(orbit: Path, predicted: Path, tmp_path: Path) -> None:
    export(orbit, "trc", tmp_path / "one.trc", clips="sample_sa_kick_001*", avatars="child_10", camera=2, joints="h36m17", units="m")
    header, names, table = parsed((tmp_path / "one.trc").read_text())
    with open_dataset(orbit) as data:
        wanted, index = data.joint_set("h36m17")
        row = next(row for row in data if (row.clip["action"], row.avatar, row.camera.rig) == ("kick", "child_10", "orbit:3/2"))
        assert (header["Units"], float(header["DataRate"]), tuple(names)) == ("m", data.fps, wanted)
        np.testing.assert_allclose(table[:, 2:].reshape(row.length, -1, 3), row.camera.to_world(row["positions_3d"])[:, index], atol=1e-6)
    done = export(predicted, "trc", tmp_path / "all")
    assert parsed(done.files[0].read_text())[0]["Units"] == "mm"
    assert done.sequences > 1


def test_feet_and_head_of_detector_joints(detected_predictions: Path, front: Path, tmp_path: Path) -> None:
    """Toes give the feet their direction, nose and ears the head its turn, in both formats; all 24 joints are markers."""
    clip = "sample_sd_kick_001*"
    export(detected_predictions, "gltf", tmp_path / "kick.glb", clips=clip, avatar="average_man")
    export(detected_predictions, "bvh", tmp_path / "same.bvh", clips=clip, avatar="average_man")
    export(detected_predictions, "trc", tmp_path / "kick.trc", clips=clip, overwrite=True)
    assert parsed((tmp_path / "kick.trc").read_text())[1] == list(DETECTOR_JOINTS)
    with open_dataset(front) as data:
        row = next(row for row in data if row.clip["action"] == "kick")
        truth = row.camera.to_world(row["positions_3d"])
        names = data.joint_names
    found, motion = read_glb(tmp_path / "kick.glb"), read(tmp_path / "same.bvh", scale=0.01, up="y")
    at = forward_kinematics(motion)
    for side in ("Left", "Right"):
        tip, ankle = (names.index(f"{side}{part}") for part in ("ToesEnd", "Foot"))
        assert np.linalg.norm(found.positions[:, tip] - truth[:, tip], axis=-1).max() < 0.012
        ends = [at[:, motion.skeleton.index(f"{side}Toes_end")] - at[:, motion.skeleton.index(f"{side}Foot")], truth[:, tip] - truth[:, ankle]]
        assert np.abs(ends[0] - ends[1]).max() < 0.002
    assert found.joints == list(names)
