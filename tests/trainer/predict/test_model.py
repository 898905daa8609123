"""A loaded model lifts arrays to what ``predict`` writes for the same keypoints, whatever their rate, and refuses what is none."""

import h5py
import numpy as np
import pytest

import trainer.predict.model as module
from schemas.conventions import H36M17
from schemas.errors import ConfigError, DatasetError
from schemas.predictions import PredictConfig
from trainer.predict.model import load
from trainer.predict.predict import predict

IMAGE = (1920, 1080)


@pytest.fixture(scope="module")
def points(data):
    """(T, 17, 2) pixels of the longest sequence."""
    return data.positions_2d[data.rows([int(np.argmax(data.length))])].astype(float)


def predicted(folder, points, path, **settings):
    np.savez(path / "points.npz", keypoints=points, layout="h36m17", width=IMAGE[0], height=IMAGE[1])
    predict(folder, path / "points.npz", path / "pred.h5", PredictConfig(**{"fps": 30.0, **settings}), "cpu", 1)
    with h5py.File(path / "pred.h5") as file:
        return file["/frames/positions_3d"][()]


@pytest.mark.parametrize("model", ["run_folder", "live_folder"])
def test_the_same_as_predict_and_no_files(request, model, points, tmp_path):
    folder = request.getfixturevalue(model)
    before = sorted(folder.iterdir())
    loaded = load(folder, "cpu", 1)
    found = loaded.lift(points, image=IMAGE, fov=60)
    assert found.shape == (len(points), 17, 3)
    assert found.dtype == np.float32
    assert sorted(folder.iterdir()) == before
    np.testing.assert_array_equal(found, predicted(folder, points, tmp_path, fov=60))


def test_missing_joints_and_frames(live_folder, points, tmp_path):
    loaded = load(live_folder, "cpu", 1)
    holes = points.copy()
    holes[3, 5] = np.nan
    holes[20:40] = np.nan
    confidence = np.isfinite(holes).all(axis=-1, keepdims=True).astype(float)
    found = loaded.lift(holes, image=IMAGE)
    assert np.isnan(found).all(axis=(1, 2)).tolist() == [20 <= frame < 40 for frame in range(len(points))]
    np.testing.assert_array_equal(found, loaded.lift(np.concatenate([points, confidence], axis=2), image=IMAGE))
    np.testing.assert_array_equal(found, predicted(live_folder, np.concatenate([np.nan_to_num(holes), confidence], axis=2), tmp_path))


def test_points_of_another_rate_come_back_at_it(run_folder, points):
    loaded = load(run_folder, "cpu", 1)
    expected = loaded.lift(points, image=IMAGE)
    between = np.empty((2 * len(points) - 1, 17, 2))
    between[::2], between[1::2] = points, 0.5 * (points[1:] + points[:-1])
    twice = loaded.lift(between, image=IMAGE, fps=60.0)
    assert twice.shape == (len(between), 17, 3)
    np.testing.assert_allclose(twice[::2], expected, atol=1e-5)
    np.testing.assert_allclose(twice[1::2], 0.5 * (expected[1:] + expected[:-1]), atol=1e-5)
    assert loaded.lift(points[::2], image=IMAGE, fps=15.0).shape == (*points[::2].shape[:2], 3)
    assert np.isfinite(loaded.lift(points[:50], image=IMAGE, fps=24.0)).all()


def test_focal_length_and_field_of_view(run_folder, points):
    loaded = load(run_folder, "cpu", 1)
    focal = 0.5 * IMAGE[1] / np.tan(np.radians(30.0))
    np.testing.assert_array_equal(loaded.lift(points, IMAGE, fov=60), loaded.lift(points, IMAGE, focal=float(focal)))


def test_what_it_says_about_itself(run_folder, live_folder):
    loaded = load(run_folder, "cpu", 1)
    assert loaded.joints == tuple(H36M17)
    assert all(joint in (module.TrainedModel.__doc__ or "") for joint in loaded.joints)
    assert " ".join((module.TrainedModel.__doc__ or "").split()).count(", ".join(H36M17)) == 1
    assert repr(loaded) == f"TrainedModel({run_folder}: cvmnet, 17 joints (h36m17), 30 fps, root placed over the keypoints)"
    assert "with the root's path" in repr(load(live_folder, "cpu", 1))


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((5, 16, 2), {}, r"points: expected shape \(frames, 17, 2 or 3\), found \(5, 16, 2\)"),
        ((17, 2), {}, "points: expected shape"),
        ((0, 17, 2), {}, "points: expected shape"),
        ((5, 17, 4), {}, "points: expected shape"),
        ((5, 17, 2), {"fov": 200.0}, "fov: input should be less than 179, found 200.0"),
        ((5, 17, 2), {"fov": 60.0, "focal": 1000.0}, "expected a focal length or a field of view, found both"),
        ((5, 17, 2), {"fps": 0.0}, "fps: input should be greater than or equal to 0.01"),
        ((5, 17, 2), {"image": (0, 1080)}, "image: expected a width and a height"),
        ((5, 17, 2), {"gap": -1.0}, "gap: "),
    ],
)
def test_wrong_arguments_are_one_line_without_options(run_folder, shape, options, words):
    with pytest.raises(ConfigError, match=words) as caught:
        load(run_folder, "cpu", 1).lift(np.full(shape, 100.0), **{"image": IMAGE, **options})
    assert "\n" not in str(caught.value)
    assert "--" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "words"), [(np.nan, "expected a frame with at least 5 joints"), (0.5, "expected pixels"), (1e9, "expected pixels")]
)
def test_what_cannot_be_pixels_is_one_line_without_options(run_folder, value, words):
    with pytest.raises(DatasetError, match=f"points: {words}") as caught:
        load(run_folder, "cpu", 1).lift(np.full((5, 17, 2), value), image=IMAGE)
    assert "\n" not in str(caught.value)
    assert "--" not in str(caught.value)
