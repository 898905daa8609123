"""BVH of sequences: what is written performs what the file holds, in the world and before the camera."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mocapgen import forward_kinematics, open_dataset, read
from mocapgen.core.motion import Motion
from mocapgen.export import export
from schemas.errors import ConfigError, DatasetError, RetargetError
from tests.export.conftest import write_predictions

Array = NDArray[np.float64]


def positions(motion: Motion, names: tuple[str, ...]) -> Array:
    """Return where joints are; end points, which BVH does not name, by their parents' names."""
    at = forward_kinematics(motion)
    known = {name: at[:, motion.skeleton.index(name)] for name in motion.skeleton.names}
    known |= {"HeadTop": known["Head_end"]} | {
        f"{side}{part}End": known[f"{side}{part}_end"] for side in ("Left", "Right") for part in ("Hand", "Toes")
    }
    return np.stack([known[name] for name in names], axis=1)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 23), st.floats(0.001, 10.0), st.sampled_from("yz"), st.booleans(), st.sampled_from(["world", "camera"]))
def test_what_is_written_is_where_the_file_says(orbit: Path, tmp_path: Path, number: int, scale: float, up: Any, t_pose: bool, space: str) -> None:
    with open_dataset(orbit) as data:
        row = data[number]
        camera, seen = row.camera, row["positions_3d"].astype(np.float64)
        wanted = camera.to_world(seen)
        if space == "camera":  # x right, y up, z towards the viewer
            wanted = seen * (np.array([1.0, 1.0, -1.0]) if camera.frame == "unity" else np.array([1.0, -1.0, -1.0]))
        out = tmp_path / "one.bvh"
        export(
            orbit,
            "bvh",
            out,
            clips=row.clip["id"],
            avatars=row.avatar,
            camera=int(camera.rig[-1:]),
            space=space,
            scale=scale,
            up=up,
            t_pose=t_pose,
            overwrite=True,
        )
        motion = read(out, scale=scale, up=up)
        found = positions(motion, data.joint_names)
    assert motion.fps == data_fps(orbit)
    assert np.abs(found[len(motion) - row.length :] - wanted).max() < 1e-4  # the reader may know a T-pose for what it is, and leave it out
    lines = out.read_text().partition("MOTION\n")[2].splitlines()
    assert lines[0] == f"Frames: {row.length + int(t_pose)}"
    if t_pose and space == "world":
        values = np.array(lines[2].split(), dtype=float)
        assert not values[3:].any()
        assert values[1 if up == "y" else 2] * scale == pytest.approx(-min(motion.skeleton.rest_positions[:, 1]), abs=1e-6)


def data_fps(path: Path) -> float:
    with open_dataset(path) as data:
        return data.fps


def test_cameras_agree_on_the_world(orbit: Path, tmp_path: Path) -> None:
    """The motion of one clip in the world is the same through every camera."""
    done = export(orbit, "bvh", tmp_path / "all", clips="sample_sa_walk_001*", avatars="average_man")
    motions = [read(path, scale=0.01, up="y") for path in done.files[:-1]]
    assert len(motions) == 3
    for other in motions[1:]:
        np.testing.assert_allclose(forward_kinematics(other), forward_kinematics(motions[0]), atol=2e-5)


def test_predictions_are_solved(predicted: Path, front: Path, tmp_path: Path) -> None:
    done = export(predicted, "bvh", tmp_path / "out", clips="*walk*", avatar="average_man")
    assert "mm from those predicted, on average" in done.notes[0]
    about = json.loads(done.files[-1].read_text())
    assert max(about["mean_error_mm"].values()) < 2.0
    assert about["source"]["root"] == "placed"
    with open_dataset(front) as data:
        rows = [row for row in data if "walk" in row.clip["id"]]
        assert len(rows) == done.sequences
        for row, entry in zip(rows, about["sequences"], strict=True):
            found = positions(read(tmp_path / "out" / entry["file"], scale=0.01, up="y"), data.joint_names)
            wanted = row.camera.to_world(row["positions_3d"])
            index = data.joint_set("h36m17")[1]
            assert np.linalg.norm(found - wanted, axis=-1)[:, index].mean() < 0.002
            np.testing.assert_allclose(found[:, 0], wanted[:, 0], atol=1e-6)


def test_bone_lengths_are_those_of_the_prediction(front: Path, tmp_path: Path) -> None:
    noisy = write_predictions(tmp_path / "noisy.h5", front, noise=0.01)
    with open_dataset(front) as data:
        own = next(iter(data.skeletons.values())).bone_length("LeftFoot")
    lengths = []
    for avatar, out in ((None, "own"), ("child_10", "child")):
        export(noisy, "bvh", tmp_path / out, clips="*_kick_*", avatar=avatar)
        path = next((tmp_path / out).glob("*.bvh"))
        lengths.append(read(path, scale=0.01, up="y").skeleton.bone_length("LeftFoot"))
    assert lengths[0] == pytest.approx(own, abs=0.005)
    assert lengths[1] < own - 0.05


def test_an_untrue_file_is_refused_or_told(orbit: Path, front: Path, predicted: Path, change: Any, tmp_path: Path) -> None:
    def put(path: str, row: Any, value: Any) -> Any:
        return lambda file: file[path].__setitem__(row, value)

    for edit, message in (
        (put("frames/positions_3d", (3, 5), np.nan), r"/frames/positions_3d: expected finite numbers, found .* in frame 3 of .*, joint Head"),
        (put("frames/quaternions", (2, 4), [0, 0, 0, 2]), "/frames/quaternions: expected unit quaternions, found a norm of 2"),
        (put("cameras/R", 0, np.eye(3) * 2), "/cameras/R: expected an orthogonal matrix of determinant"),
    ):
        with pytest.raises(DatasetError, match=message):
            export(change(orbit, edit), "bvh", tmp_path / "out")
        assert not (tmp_path / "out").exists()
    with pytest.raises(DatasetError, match=r"frame 3 of .*, joint right_knee"):
        export(change(predicted, put("frames/positions_3d", (3, 2), np.inf)), "bvh", tmp_path / "out")
    with pytest.raises(RetargetError, match=r"prediction_0: .*are these metres\?"):
        export(
            change(predicted, lambda file: file["frames/positions_3d"].write_direct(1e-4 * file["frames/positions_3d"][:])), "bvh", tmp_path / "out"
        )
    moved = change(front, lambda file: file["frames/positions_3d"].__setitem__((0, 3), file["frames/positions_3d"][0, 3] + 0.1))
    assert "rotations and positions in the file disagree by up to 173.2 mm" in export(moved, "bvh", tmp_path / "out").notes[0]


def test_avatar_is_for_predictions(front: Path, predicted: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^avatar: expected only with predictions"):
        export(front, "bvh", tmp_path / "out", avatar="child_10")
    with pytest.raises(ConfigError, match="avatar 'nobody': expected one of"):
        export(predicted, "bvh", tmp_path / "out", avatar="nobody")
    assert not (tmp_path / "out").exists()


def test_clips_of_the_real_database(data_dir: Path, tmp_path: Path) -> None:
    """ExportReport and read again, the joints of an avatar are where the file has them."""
    from mocapgen.pipeline import build
    from schemas.config import BuildConfig

    path = tmp_path / "cmu.h5"
    settings = {"source": "cmu", "root": data_dir / "cmu" / "asfamc", "long": "split", "avatars": ("average_man",), "workers": 1, "out": path}
    build(BuildConfig.model_validate(settings))
    done = export(path, "bvh", tmp_path / "out")
    with open_dataset(path) as data:
        assert done.sequences == len(data)
        for row, entry in zip(data, json.loads(done.files[-1].read_text())["sequences"], strict=True):
            found_at = positions(read(tmp_path / "out" / entry["file"], scale=0.01, up="y"), data.joint_names)
            assert np.abs(found_at[-row.length :] - row.camera.to_world(row["positions_3d"])).max() < 1e-4
