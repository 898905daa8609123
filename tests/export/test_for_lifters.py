"""Files for VideoPose3D and MMPose, read by small readers written from the definition of each format, not by their code."""

from __future__ import annotations

import json
import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mocapgen import open_dataset
from mocapgen.export import export
from mocapgen.export.videopose3d import h36m_cameras
from schemas.conventions import H36M17, H36M17_PARENTS
from schemas.errors import ConfigError

Array = NDArray[np.float64]
REMOVED = [4, 5, 9, 10, 11, 16, 20, 21, 22, 23, 24, 28, 29, 30, 31]
"""Joints that Human36mDataset takes out of the 32, which leaves 17."""
PARENTS_32 = [-1, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9, 0, 11, 12, 13, 14, 12, 16, 17, 18, 19, 20, 19, 22, 12, 24, 25, 26, 27, 28, 27, 30]


def world_to_camera(positions: Array, orientation: Array, translation: Array) -> Array:
    """As the format defines it: orientation (w, x, y, z) and translation lead from the camera to the world."""
    w, x, y, z = orientation
    turn = Rotation.from_quat([x, y, z, w])
    return turn.inv().apply((positions - translation).reshape(-1, 3)).reshape(positions.shape)


def load(folder: Path, dataset: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], Any]:
    with np.load(folder / f"data_3d_{dataset}.npz", allow_pickle=True) as file:
        in_space, cameras = file["positions_3d"].item(), file["cameras"].item() if "cameras" in file else None
    with np.load(folder / f"data_2d_{dataset}_gt.npz", allow_pickle=True) as file:
        return in_space, file["positions_2d"].item(), file["metadata"].item(), cameras


def distances(positions: Array, pairs: list[tuple[int, int]]) -> Array:
    return np.stack([np.linalg.norm(positions[:, a] - positions[:, b], axis=-1) for a, b in pairs], axis=1)


def test_videopose3d_loads_it_as_human36m(orbit: Path, tmp_path: Path) -> None:
    done = export(orbit, "videopose3d", tmp_path / "data")
    in_space, in_image, metadata, _ = load(tmp_path / "data", "h36m")
    assert "python run.py -d h36m -k gt -str S1 -ste S9" in done.notes[0]
    assert metadata == {"layout_name": "h36m", "num_joints": 17, "keypoints_symmetry": [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]}
    assert list(in_space) == list(in_image) == ["S1", "S9"]
    names = list(H36M17)
    bones = [(names.index(child), names.index(parent)) for child, parent in H36M17_PARENTS.items() if parent]
    with open_dataset(orbit) as data:
        rows = {(row.clip["id"], row.avatar): row for row in data if row.camera.rig == "orbit:3/0"}
        index = data.joint_set("h36m17")[1]
        assert sum(map(len, in_space.values())) == len(rows)
        for subject, actions in in_space.items():
            for name, joints in actions.items():
                action, clip, avatar = name.split(" ")
                row = rows[clip, avatar]
                assert (joints.shape, joints.dtype, action) == ((row.length, 32, 3), np.float32, row.clip["action"])
                kept = np.delete(joints, REMOVED, axis=1).astype(float)
                np.testing.assert_allclose(distances(kept, bones), distances(row["positions_3d"][:, index], bones), atol=1e-5)
                floor = row.camera.to_world(row["positions_3d"][:, index])[..., 1]
                np.testing.assert_allclose(kept[..., 2], floor, atol=1e-5)  # z is up
                assert len(in_image[subject][name]) == 4  # as many as cameras of the subject
                for camera, pixels in zip(h36m_cameras()[subject], in_image[subject][name], strict=True):
                    w_last = Rotation.from_matrix(camera.rotation).as_quat()
                    seen = world_to_camera(kept, np.roll(w_last, 1), camera.position)
                    assert seen[..., 2].min() > 0.5
                    flat = seen[..., :2] / seen[..., 2:]
                    r2 = (flat**2).sum(-1, keepdims=True)
                    radial = 1 + camera.radial[0] * r2 + camera.radial[1] * r2**2 + camera.radial[2] * r2**3
                    bent = flat * (radial + (camera.tangential * flat).sum(-1, keepdims=True)) + camera.tangential * r2
                    np.testing.assert_allclose(pixels, bent * camera.focal + camera.centre, atol=2e-3)
                    assert pixels.shape == (row.length, 17, 2)


def test_the_32_joints_hang_together(front: Path, tmp_path: Path) -> None:
    """A joint that we do not have lies where one of ours is, up the tree; the collar bones at the thorax, as in the recording."""
    export(front, "videopose3d", tmp_path / "data", actions="walk")
    joints = next(iter(next(iter(load(tmp_path / "data", "h36m")[0].values())).values()))
    kept = [joint for joint in range(32) if joint not in REMOVED]
    for joint in REMOVED:
        above = 13 if joint in (16, 24) else PARENTS_32[joint]
        while above not in kept:
            above = PARENTS_32[above]
        np.testing.assert_array_equal(joints[:, joint], joints[:, above])


def test_the_room_is_that_of_the_recording() -> None:
    """Cameras of all subjects: proper rotations that look into one room from 4 to 6 m off and about 1.5 m above its floor."""
    assert list(h36m_cameras()) == ["S1", "S5", "S6", "S7", "S8", "S9", "S11"]
    for cameras in h36m_cameras().values():
        assert len(cameras) == 4
        for camera in cameras:
            np.testing.assert_allclose(camera.rotation.T @ camera.rotation, np.eye(3), atol=1e-6)
            assert np.linalg.det(camera.rotation) == pytest.approx(1.0, abs=1e-6)
            assert 1.4 < camera.position[2] < 1.7
            assert camera.rotation[2, 1] < -0.9  # y of the camera points down
            aim = camera.position + camera.rotation[:, 2] * np.linalg.norm(camera.position[:2])
            assert np.linalg.norm(aim[:2]) < 1.2
    assert np.abs(np.array([camera.position for camera in h36m_cameras()["S1"]])[:, 1] - [4.955, -5.078, 5.215, -3.723]).max() < 1e-3


def test_the_files_own_cameras(orbit: Path, tmp_path: Path) -> None:
    export(orbit, "videopose3d", tmp_path / "data", views="file")
    in_space, in_image, _, cameras = load(tmp_path / "data", "mocapgen")
    assert list(in_space) == ["sa", "sd"]
    rows = defaultdict(list)
    with open_dataset(orbit) as data:
        index = data.joint_set("h36m17")[1]
        for row in data:
            rows[f"{row.clip['action']} {row.clip['id']} {row.avatar}"].append(row)
        for subject, actions in in_space.items():
            for name, joints in actions.items():
                assert joints.shape[1:] == (17, 3)
                for row, camera, pixels in zip(rows[name], cameras[subject][name], in_image[subject][name], strict=True):
                    seen = world_to_camera(joints.astype(float), camera["orientation"], camera["translation"])
                    mirror = np.array([1.0, -1.0, 1.0]) if row.camera.frame == "unity" else np.ones(3)
                    np.testing.assert_allclose(seen, row["positions_3d"][:, index] * mirror, atol=1e-4)
                    np.testing.assert_allclose(seen[..., :2] / seen[..., 2:] * camera["focal_length"] + camera["center"], pixels, atol=0.1)
                    np.testing.assert_array_equal(pixels, row["positions_2d"][:, index])
                    assert (camera["res_w"], camera["res_h"]) == (1920, 1080)


def test_test_actors(orbit: Path, predicted: Path, tmp_path: Path) -> None:
    done = export(orbit, "videopose3d", tmp_path / "a", test_actors="sa")
    assert json.loads(done.files[-1].read_text())["subjects"] == {"sd": "S1", "sa": "S9"}
    done = export(predicted, "videopose3d", tmp_path / "b")  # one actor only trains and tests
    assert "-str S1 -ste S1" in done.notes[0]
    joints = next(iter(load(tmp_path / "b", "h36m")[0]["S1"].values()))
    assert joints[..., 2].min() == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(ConfigError, match=r"^test_actors: expected a pattern that matches an actor, found 'nobody'"):
        export(orbit, "mmpose", tmp_path / "c", test_actors="nobody")


def test_clips_that_the_cameras_do_not_see_are_left_out(front: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that cannot come as near as the nearest clip does: that clip is named and left out; if all do, there is no export."""
    export(front, "videopose3d", tmp_path / "all")
    in_space = load(tmp_path / "all", "h36m")[0]["S1"]
    cameras = h36m_cameras()["S1"]
    nearest = {name: min(float(camera.project(joints.astype(float))[0][..., 2].min()) for camera in cameras) for name, joints in in_space.items()}
    name, limit = min(nearest.items(), key=lambda found: found[1])
    monkeypatch.setattr("mocapgen.export.videopose3d.NEAREST", limit + 1e-4)
    done = export(front, "videopose3d", tmp_path / "most")
    assert done.sequences == len(in_space) - 1
    assert name.split(" ")[1] in done.notes[1]
    monkeypatch.setattr("mocapgen.export.videopose3d.NEAREST", 100.0)
    with pytest.raises(ConfigError, match=r"^views: expected clips that stay within sight of the cameras of h36m"):
        export(front, "videopose3d", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def parse(name: str) -> tuple[str, str, str]:
    """Subject, action and camera of a picture's name: S1_Directions_1.54138969_000001.jpg."""
    subject, rest = Path(name).name.split("_", 1)
    action, rest = rest.split(".", 1)
    return subject, action, rest.split("_", 1)[0]


def test_mmpose_reads_it_as_human36m(orbit: Path, tmp_path: Path) -> None:
    export(orbit, "mmpose", tmp_path / "h36m")
    folder = tmp_path / "h36m" / "annotation_body3d"
    cameras = pickle.loads((folder / "cameras.pkl").read_bytes())
    with open_dataset(orbit) as data:
        index = data.joint_set("h36m17")[1]
        expected = {"train": [row for row in data if row.clip["actor"] == "sa"], "test": [row for row in data if row.clip["actor"] == "sd"]}
        for part, rows in expected.items():
            with np.load(folder / "fps30" / f"h36m_{part}.npz", allow_pickle=False) as file:
                found = {name: file[name] for name in ("imgname", "center", "scale", "part", "S")}
            videos: dict[tuple[str, str, str], list[int]] = defaultdict(list)
            for number, name in enumerate(found["imgname"]):
                videos[parse(str(name))].append(number)
            assert len(videos) == len(rows)
            for ((subject, _, camera), frames), row in zip(videos.items(), rows, strict=True):
                assert frames == list(range(frames[0], frames[0] + row.length))
                part_2d, part_3d = found["part"][frames], found["S"][frames]
                mirror = np.array([1.0, -1.0, 1.0]) if row.camera.frame == "unity" else np.ones(3)
                np.testing.assert_allclose(part_3d[..., :3], row["positions_3d"][:, index] * mirror, atol=1e-6)
                np.testing.assert_array_equal(part_3d[..., 3], 1)
                np.testing.assert_allclose(part_2d[..., :2], row["positions_2d"][:, index], atol=1e-3)
                np.testing.assert_array_equal(part_2d[..., 2], row["in_view"][:, index])
                box = np.ptp(part_2d[..., :2], axis=1)
                np.testing.assert_allclose(found["scale"][frames], 1.2 * box.max(axis=-1) / 200, rtol=1e-5)
                np.testing.assert_allclose(found["center"][frames], part_2d[..., :2].min(axis=1) + box / 2, atol=1e-2)
                lens = cameras[subject, camera]
                assert {name: np.shape(lens[name]) for name in "RTfckp"} == {
                    "R": (3, 3),
                    "T": (3, 1),
                    "f": (2, 1),
                    "c": (2, 1),
                    "k": (3, 1),
                    "p": (2, 1),
                }
                assert (lens["w"], lens["h"]) == (1920, 1080)
                np.testing.assert_allclose(part_3d[..., :2] / part_3d[..., 2:3] * lens["f"][:, 0] + lens["c"][:, 0], part_2d[..., :2], atol=0.1)
                world = part_3d[..., :3] @ lens["R"].T + lens["T"][:, 0]  # from camera to world
                np.testing.assert_allclose(world, row.camera.to_world(row["positions_3d"][:, index]), atol=1e-4)
