"""Predictions of keypoints and of dataset files: the numbers, the file, and one line for every wrong use."""

import json
import os

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from mocapgen.shared import config
from schemas.conventions import H36M17
from schemas.errors import ConfigError, DatasetError
from schemas.predictions import PREDICTIONS_LAYOUT, PredictConfig, PredictionAttributes
from schemas.train import ModelCard, TrainConfig
from trainer.cli.main import main
from trainer.data.joints import LiftedJoints
from trainer.evaluate import evaluate
from trainer.model import checkpoint
from trainer.model import lift as inference
from trainer.model.lifter import Lifter
from trainer.model.metrics import joint_errors, root_relative
from trainer.predict import person
from trainer.predict.camera import TYPICAL_DEPTH, assumed_intrinsics, place
from trainer.predict.predict import predict
from trainer.recipes.settings import train_config

NAMES = tuple(H36M17)
IMAGE = (1920, 1080)
RAW = {"to_pixels": False, "smooth": 0.0, "bone_lengths": False, "floor": False, "hold_feet": False}
"""Settings that leave a lifted pose as the model gives it."""


def written(path):
    """Return all arrays and attributes of a file."""
    found = {}

    def collect(name, item):
        if isinstance(item, h5py.Dataset):
            found[f"/{name}"] = item.asstr()[()] if h5py.check_string_dtype(item.dtype) else item[()]

    with h5py.File(path) as file:
        file.visititems(collect)
        return found, dict(file.attrs)


def save_keypoints(path, pixels, confidence=None, fps=30.0, **said):
    confidence = np.ones(pixels.shape[:2]) if confidence is None else confidence
    content = {"keypoints": np.concatenate([pixels, confidence[..., None]], axis=2).tolist(), "layout": "h36m17", "fps": fps, **said}
    path.write_text(json.dumps({"width": IMAGE[0], "height": IMAGE[1], **content}))
    return path


@pytest.fixture(scope="module")
def sequence(data):
    """Pixels of the longest sequence, and the focal length of its camera."""
    number = int(np.argmax(data.length))
    return number, data.positions_2d[data.rows([number])].astype(float), float(data.intrinsics[number, 0])


@pytest.fixture(scope="module")
def of_file(run_folder, data_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("predictions") / "pred.h5"
    predict(run_folder, data_file, path, threads=1)
    return path


# Numbers ------------------------------------------------------------------------------------------


def test_predictions_of_a_dataset_have_the_error_that_evaluate_prints(of_file, run_folder, data_file, data):
    found, attributes = written(of_file)
    errors = joint_errors(root_relative(found["/frames/positions_3d"], 0), root_relative(data.positions_3d, 0))
    expected = evaluate(run_folder, data_file, side="all", threads=1).overall["mpjpe_mm"]
    assert 1000 * errors.mean() == pytest.approx(expected, rel=1e-4)
    assert attributes["root"] == "placed"
    np.testing.assert_array_equal(found["/frames/positions_2d"], data.positions_2d)
    np.testing.assert_array_equal(found["/sequences/start"], data.start)
    assert tuple(found["/sequences/name"]) == data.names
    with h5py.File(data_file) as file:
        for name in ("K", "R", "t", "width", "height"):
            np.testing.assert_array_equal(found[f"/cameras/{name}"], file[f"/cameras/{name}"])
        np.testing.assert_array_equal(found["/sequences/camera"], file["/sequences/camera"])


def test_keypoints_of_a_sequence_give_what_the_dataset_gives(of_file, run_folder, data, sequence, tmp_path):
    number, pixels, focal = sequence
    path = save_keypoints(tmp_path / "clip.json", pixels)
    predict(run_folder, path, tmp_path / "out.h5", PredictConfig(focal=focal, **RAW), threads=1)
    found, _ = written(tmp_path / "out.h5")
    expected = written(of_file)[0]["/frames/positions_3d"][data.rows([number])]
    np.testing.assert_allclose(found["/frames/positions_3d"], expected, atol=1e-4)
    np.testing.assert_allclose(found["/frames/positions_2d"], pixels, atol=1e-3)
    assert (found["/sequences/start"], found["/sequences/length"]) == (0, len(pixels))


def test_an_absolute_model_gives_its_own_path(live_folder, data_file, data, tmp_path):
    predict(live_folder, data_file, tmp_path / "out.h5", threads=1)
    found, attributes = written(tmp_path / "out.h5")
    errors = np.linalg.norm(found["/frames/positions_3d"][:, 0] - data.positions_3d[:, 0], axis=-1)
    expected = evaluate(live_folder, data_file, side="all", threads=1).overall["root_mm"]
    assert attributes["root"] == "predicted"
    assert 1000 * errors.mean() == pytest.approx(expected, rel=1e-3)


def test_another_frame_rate_is_brought_to_the_models(run_folder, sequence, tmp_path):
    _, pixels, focal = sequence
    doubled = np.repeat(pixels, 2, axis=0)[:-1]
    doubled[1::2] = 0.5 * (pixels[:-1] + pixels[1:])
    config = PredictConfig(focal=focal)
    for name, content, rate in (("a", pixels, 30.0), ("b", doubled, 60.0)):
        predict(run_folder, save_keypoints(tmp_path / f"{name}.json", content, fps=rate), tmp_path / f"{name}.h5", config, threads=1)
    first, second = written(tmp_path / "a.h5")[0], written(tmp_path / "b.h5")[0]
    np.testing.assert_allclose(first["/frames/positions_3d"], second["/frames/positions_3d"], atol=1e-6)
    predict(run_folder, save_keypoints(tmp_path / "c.json", pixels, fps=25.0), tmp_path / "c.h5", config, threads=1)
    assert len(written(tmp_path / "c.h5")[0]["/frames/positions_3d"]) == int((len(pixels) - 1) * 30 / 25) + 1


def test_missing_joints_and_absent_people(run_folder, live_folder, sequence, tmp_path):
    _, pixels, _ = sequence
    confidence = np.full(pixels.shape[:2], 0.8)
    confidence[10:13, 5] = 0.0  # short: interpolated
    confidence[20:50, 9] = 0.0  # long: missing
    confidence[60:63] = 0.0  # away for a tenth of a second
    confidence[75:90] = 0.0  # for half a second
    confidence[:, 16] = 0.05  # never surely seen
    path = save_keypoints(tmp_path / "gaps.json", pixels, confidence)
    for folder in (run_folder, live_folder):
        result = predict(folder, path, tmp_path / "out.h5", overwrite=True, threads=1)
        found, _ = written(tmp_path / "out.h5")
        certain, positions = found["/frames/confidence"], found["/frames/positions_3d"]
        np.testing.assert_allclose(certain[10:13, 5], 0.8, rtol=1e-6)
        np.testing.assert_allclose(
            found["/frames/positions_2d"][10:13, 5], pixels[9:10, 5] + (pixels[13, 5] - pixels[9, 5]) * [[0.25], [0.5], [0.75]], rtol=1e-6
        )
        assert (certain[20:50, 9] == 0).all()
        assert (certain[60:63, :16] > 0).all()
        assert (certain[:, 16] == 0).all()
        assert np.isnan(found["/frames/positions_2d"][certain == 0]).all()
        np.testing.assert_array_equal(found["/sequences/start"], [0, 90])
        np.testing.assert_array_equal(found["/sequences/length"], [75, len(pixels) - 90])
        assert list(found["/sequences/name"]) == ["gaps 0.000 s", "gaps 3.000 s"]
        empty = np.isnan(positions).all(axis=(1, 2))
        np.testing.assert_array_equal(np.flatnonzero(empty), np.arange(75, 90))
        assert np.isfinite(positions[~empty]).all()
        assert any("right_wrist" in note for note in result.notes)
        assert any(f"no person detected in 15 of {len(pixels)} frames" in note for note in result.notes)


def test_what_a_missing_joint_says_is_not_looked_at(live_folder, sequence, tmp_path):
    _, pixels, _ = sequence
    confidence = np.ones(pixels.shape[:2])
    confidence[15:60, [3, 9]] = 0.0
    predictions = []
    for wild in (0.0, 700.0):
        changed = pixels + wild * (confidence == 0)[..., None]
        predictions.append(
            predict(live_folder, save_keypoints(tmp_path / "k.json", changed, confidence), tmp_path / "o.h5", overwrite=True, threads=1)
        )
    np.testing.assert_array_equal(predictions[0].positions_3d, predictions[1].positions_3d)


def test_a_model_with_its_joints_in_another_order_gets_them_by_name(live_folder, sequence, tmp_path):
    """Permute the weights of the first and last layer together with the names: the same model in another order."""
    found = checkpoint.read(live_folder)
    order = [0, *range(4, 7), *range(1, 4), *range(7, 17)]  # legs swapped: parents still come first
    names = tuple(NAMES[place] for place in order)
    parents = tuple(-1 if NAMES.index(name) == 0 else names.index(NAMES[found.card.parents[NAMES.index(name)]]) for name in names)
    pairs = np.array(order)
    columns = np.concatenate([np.stack([2 * pairs, 2 * pairs + 1], axis=1).ravel(), [34, 35, 36], 37 + pairs])
    rows = (3 * pairs[:, None] + np.arange(3)).ravel()
    tensors = {name: tensor.clone() for name, tensor in found.tensors.items()}
    for name in tensors:
        if name.endswith("network.first.weight"):
            tensors[name] = tensors[name][:, columns].contiguous()
        elif "network.last." in name:
            tensors[name] = tensors[name][rows].contiguous()
    card = {**found.card.model_dump(mode="json"), "joints": names, "parents": parents}
    save_file(tensors, tmp_path / "other.safetensors", {"card": json.dumps(card)})
    keypoints = save_keypoints(tmp_path / "k.json", sequence[1])
    first = predict(live_folder, keypoints, tmp_path / "a.h5", threads=1).positions_3d
    second = predict(tmp_path / "other.safetensors", keypoints, tmp_path / "b.h5", threads=1).positions_3d
    np.testing.assert_allclose(second, first[:, order], atol=1e-5)


MODELS = {
    "cvmnet": {"width": 8},
    "stmixer": {"width": 8, "dilations": (1, 2, 4)},
    "symmixer": {"width": 8, "dilations": (1, 2, 4)},
    "videopose": {"width": 8, "depth": 2},
}


@pytest.mark.parametrize("model", [*MODELS, "causal"])
@pytest.mark.parametrize(("normalisation", "head"), [("image", "ray"), ("centred", "ray"), ("centred", "rigid")])
def test_a_long_video_is_lifted_in_windows_without_a_seam(monkeypatch, model, normalisation, head):
    torch.manual_seed(0)
    kind = "stmixer" if model == "causal" else model
    settings = MODELS[kind] | ({"causal": True, "patch": 1} if model == "causal" else {})
    parents = tuple(-1 if place == 0 else place - 1 for place in range(17))
    joints = LiftedJoints("h36m17", NAMES, parents, (), ("",) * 17)
    lifter = Lifter(TrainConfig(model=kind, model_settings=settings, normalisation=normalisation, head=head), joints).eval()
    for parameter in lifter.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    random = np.random.default_rng(0)
    pixels = (
        900 + random.uniform(-200, 200, (17, 2)) + random.standard_normal((500, 1, 2)).cumsum(axis=0) * 5 + random.standard_normal((500, 17, 2)) * 20
    )
    arguments = (lifter, pixels, np.ones((500, 17)), np.array([1500.0, -1500.0, 960.0, 540.0]), np.array([1920.0, 1080.0]))
    whole = inference.lift_frames(*arguments)
    monkeypatch.setattr(inference, "WINDOW", 90)
    # Bones that hardly lean to the camera make fifty times as much of a rounding error, and processors round differently.
    tolerance = 2e-4 if head == "rigid" else 2e-5
    np.testing.assert_allclose(inference.lift_frames(*arguments), whole, atol=tolerance)
    before, after = inference.reach(lifter)
    assert (after == 0) == (model == "causal")
    # One frame fewer of overlap, and the seams show: the overlap is no larger than it must be.
    monkeypatch.setattr(inference, "reach", lambda lifter: (before // 2, after // 2))
    assert np.abs(inference.lift_frames(*arguments) - whole).max() > 5 * tolerance


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["unity", "opencv"]))
def test_a_pose_is_placed_where_it_was_seen(seed, frame):
    random = np.random.default_rng(seed)
    relative = random.uniform(-0.8, 0.8, (6, 17, 3))
    relative[:, 0] = 0.0
    root = np.stack([random.uniform(-2, 2, 6), random.uniform(-1, 1, 6), random.uniform(2, 15, 6)], axis=1)
    intrinsics = assumed_intrinsics(np.array(IMAGE, dtype=float), PredictConfig(), frame)
    positions = relative + root[:, None]
    pixels = positions[..., :2] / positions[..., 2:] * intrinsics[:2] + intrinsics[2:]
    every = np.broadcast_to(intrinsics, (6, 4))
    np.testing.assert_allclose(place(relative, pixels, random.uniform(0.05, 1, (6, 17)), every), root, atol=1e-6)
    # The least squares of a general solver, with pixels that fit no pose.
    noisy, weight = pixels + random.normal(0, 15, pixels.shape), random.uniform(0.05, 1, (6, 17))
    rays = (noisy - intrinsics[2:]) / intrinsics[:2]
    for row, found in enumerate(place(relative, noisy, weight, every)):
        a, b = rays[row].T
        one, zero = np.ones(17), np.zeros(17)
        matrix = np.concatenate([np.stack([one, zero, -a], axis=1), np.stack([zero, one, -b], axis=1)])
        target = np.concatenate([a * relative[row, :, 2] - relative[row, :, 0], b * relative[row, :, 2] - relative[row, :, 1]])
        scale = np.sqrt(np.concatenate([weight[row], weight[row]]))
        expected = np.linalg.lstsq(scale[:, None] * matrix, scale * target, rcond=None)[0]
        if expected[2] > 1.0:
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_a_pose_that_tells_no_distance_is_put_at_a_typical_one():
    intrinsics = np.array([[1000.0, -1000.0, 960.0, 540.0]])
    relative = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 17, 3))
    found = place(relative, np.full((1, 17, 2), [960.0, 540.0]), np.ones((1, 17)), intrinsics)
    assert found[0, 2] == pytest.approx(TYPICAL_DEPTH)
    # Mirrored keypoints want a person behind the camera; nobody is put there.
    pixels = np.array([960.0, 540.0]) - 300.0 * relative[..., :2] * [1.0, -1.0]
    found = place(relative, pixels, np.ones((1, 17)), intrinsics)
    assert (relative[0, :, 2] + found[0, 2]).min() > 0.09


def test_the_focal_length_that_is_assumed():
    image = np.array([1920.0, 1080.0])
    assert assumed_intrinsics(image, PredictConfig(), "opencv").tolist() == pytest.approx([2202.907, 2202.907, 960, 540], rel=1e-6)
    assert assumed_intrinsics(image, PredictConfig(focal=900.0), "unity").tolist() == [900.0, -900.0, 960.0, 540.0]
    assert assumed_intrinsics(image, PredictConfig(fov=90.0), "opencv")[0] == pytest.approx(540.0)


# The file -----------------------------------------------------------------------------------------


def test_the_file_is_what_the_schema_says(of_file, run_folder, data, data_file):
    found, attributes = written(of_file)
    sizes = {"F": len(data.positions_3d), "J": 17, "N": 17, "S": len(data), "M": len(found["/cameras/K"]), "P": 6}
    expected = {array.path.replace("<name>", "h36m17"): array for array in PREDICTIONS_LAYOUT.arrays}
    assert set(found) == set(expected)
    kinds = {"f4": np.float32, "f8": np.float64, "i4": np.int32, "i8": np.int64, "str": object}
    with h5py.File(of_file) as file:
        for path, array in expected.items():
            assert found[path].shape == tuple(sizes[size] if isinstance(size, str) else size for size in array.shape), path
            assert found[path].dtype == kinds[array.dtype], path
            assert (file[path].attrs["unit"], file[path].attrs["meaning"]) == (array.unit, array.meaning)
    checked = PredictionAttributes(**attributes)
    assert (checked.fps, checked.schema_version) == (30.0, "1.0")
    assert ModelCard(**json.loads(checked.model)) == checkpoint.read(run_folder).card
    assert json.loads(checked.source)["sha256"] == data.sha256
    assert json.loads(checked.conventions)["camera_frame"] == data.camera_frame
    assert tuple(found["/joint_sets/h36m17/names"]) == NAMES
    content = of_file.read_bytes()
    assert str(data_file.parent).encode() not in content


def test_the_same_input_gives_the_same_bytes(run_folder, sequence, tmp_path):
    contents = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        keypoints = save_keypoints(tmp_path / folder / "k.json", sequence[1])
        predict(run_folder, keypoints, tmp_path / folder / "out.h5", threads=1)
        contents.append((tmp_path / folder / "out.h5").read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize("window", [50, 2048])
def test_the_bytes_do_not_depend_on_the_number_of_threads(live_folder, sequence, tmp_path, monkeypatch, window):
    monkeypatch.setattr(inference, "WINDOW", window)
    keypoints = save_keypoints(tmp_path / "k.json", sequence[1])
    contents = []
    for threads in (1, 2, 3):
        predict(live_folder, keypoints, tmp_path / "out.h5", device="cpu", threads=threads, overwrite=True)
        assert torch.get_num_threads() == threads
        contents.append((tmp_path / "out.h5").read_bytes())
    assert contents[0] == contents[1] == contents[2]


def test_the_assumed_camera_is_a_camera_of_the_dataset_kind(run_folder, sequence, tmp_path):
    predict(run_folder, save_keypoints(tmp_path / "k.json", sequence[1]), tmp_path / "out.h5", threads=1)
    found, attributes = written(tmp_path / "out.h5")
    rotation = found["/cameras/R"][0]
    np.testing.assert_array_equal(rotation @ rotation.T, np.eye(3))
    assert json.loads(attributes["conventions"])["camera_frame"] == "unity"
    assert np.linalg.det(rotation) == pytest.approx(-1.0)
    np.testing.assert_array_equal(rotation @ [0.0, 1.0, 0.0], [0.0, 1.0, 0.0])  # up is up
    assert found["/cameras/K"][0].tolist() == [[np.hypot(*IMAGE), 0.0, 960.0], [0.0, -np.hypot(*IMAGE), 540.0], [0.0, 0.0, 1.0]]
    assert (found["/frames/positions_3d"][..., 2] > 0).all()  # nobody is behind it


def test_disk_errors_leave_what_was_there(run_folder, sequence, tmp_path, monkeypatch):
    keypoints, out = save_keypoints(tmp_path / "k.json", sequence[1]), tmp_path / "out.h5"
    out.write_bytes(b"old")

    def full(handle):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DatasetError, match="cannot be written: No space left on device; nothing was changed"):
        predict(run_folder, keypoints, out, overwrite=True, threads=1)
    assert out.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["k.json", "out.h5"]


# Use ----------------------------------------------------------------------------------------------


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code, *capsys.readouterr()


def test_command(capsys, run_folder, sequence, tmp_path):
    keypoints, out = save_keypoints(tmp_path / "k.json", sequence[1]), tmp_path / "out.h5"
    code, shown, error = run(capsys, "predict", run_folder, keypoints, "--out", out, "--fov", "60", "--threads", "1", "--device", "cpu")
    assert (code, error) == (0, "")
    assert shown.startswith(f"{out}: 1 sequence, {len(sequence[1])} frames at 30 fps, 17 joints; placed over the keypoints\nnote: ")
    assert json.loads(written(out)[1]["source"])["settings"] == {
        "fov": 60.0,
        "min_confidence": 0.1,
        "gap": 0.25,
        "person": "largest",
        "to_pixels": True,
        "smooth": 1.0,
        "bone_lengths": True,
        "floor": True,
        "hold_feet": True,
        "causal": False,
    }
    code, shown, error = run(capsys, "-q", "predict", run_folder, keypoints, "--out", out, "--overwrite", "--threads", "1", "--image", "640x480")
    assert (code, shown, error) == (0, "", "")
    code, shown, error = run(capsys, "predict", run_folder, keypoints, "--out", out, "--overwrite", "--threads", "1", "--image", "640x480")
    assert "is the image size right?" in shown


WRONG = {
    "no run": (["GONE", "KEYPOINTS"], "expected a checkpoint"),
    "keypoints for a run": (["KEYPOINTS", "KEYPOINTS"], "expected a model, found JSON"),
    "a dataset for a run": (["DATA", "KEYPOINTS"], "expected a model, found an HDF5 file"),
    "no keypoints": (["RUN", "GONE.json"], "expected a file of keypoints, found nothing"),
    "no dataset": (["RUN", "GONE.h5"], "expected a dataset file, found nothing"),
    "a checkpoint for keypoints": (["RUN", "CHECKPOINT"], "expected a video, keypoints or a dataset file, found a trained model"),
    "predictions for a dataset": (["RUN", "PREDICTIONS"], "expected a dataset file, found predictions of a model"),
    "no rate": (["RUN", "NO_RATE"], "give --fps"),
    "too slow": (["RUN", "NO_RATE", "--fps", "0.5"], "at least 1 frame per second"),
    "bad rate": (["RUN", "KEYPOINTS", "--fps", "nan"], "--fps: input should be a finite number, found nan"),
    "another layout": (["RUN", "KEYPOINTS", "--layout", "body_25"], "expected 25 joints a frame"),
    "unknown layout": (["RUN", "KEYPOINTS", "--layout", "coco"], "expected a layout of joints"),
    "too few joints": (["RUN", "FEW"], "expected a frame with at least 5 joints of confidence 0.1 or more, found at most 4"),
    "not a number": (["RUN", "NAN"], "expected keypoints with a confidence above 0"),
    "no pixels": (["RUN", "UNIT"], "expected pixels, found numbers up to"),
    "far away": (["RUN", "FAR"], "expected pixels, found 1e+30"),
    "bad image": (["RUN", "KEYPOINTS", "--image", "1920"], "expected WIDTHxHEIGHT"),
    "no image": (["RUN", "KEYPOINTS", "--image", "0x5"], "expected a width and a height"),
    "two focal lengths": (["RUN", "KEYPOINTS", "--focal", "900", "--fov", "60"], "found both"),
    "bad focal length": (["RUN", "KEYPOINTS", "--focal", "-3"], "--focal: input should be greater than or equal to 1, found -3"),
    "causal": (["RUN", "KEYPOINTS", "--causal"], "use default-causal, or train one (trainer fit DATA.H5 --recipe video-causal)"),
    "rate of a dataset": (["RUN", "DATA", "--fps", "25"], "expected no settings for keypoints with a dataset file, found --fps"),
    "no folder": (["RUN", "KEYPOINTS", "--out", "GONE/x.h5"], "expected an existing folder"),
    "itself": (["RUN", "DATA", "--out", "DATA", "--overwrite"], "expected another file to write than one that is read"),
    "there already": (["RUN", "KEYPOINTS", "--out", "PREDICTIONS"], "say --overwrite"),
}


@pytest.fixture(scope="module")
def places(run_folder, data_file, of_file, sequence, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrong")
    pixels = sequence[1][:20]
    few = np.zeros(pixels.shape[:2])
    few[:, :4] = 1.0
    files = {
        "KEYPOINTS": save_keypoints(folder / "k.json", pixels),
        "NO_RATE": save_keypoints(folder / "r.json", pixels, fps=None),
        "FEW": save_keypoints(folder / "f.json", pixels, few),
        "NAN": save_keypoints(folder / "n.json", pixels * np.nan),
        "UNIT": save_keypoints(folder / "u.json", pixels / 1920),
        "FAR": save_keypoints(folder / "w.json", np.full_like(pixels, 1e30)),
    }
    given = {"RUN": run_folder, "DATA": data_file, "CHECKPOINT": run_folder / "best.safetensors", "PREDICTIONS": of_file}
    return {**files, **given, **{name: folder / name for name in ("GONE", "GONE.json", "GONE.h5", "GONE/x.h5")}}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use_is_one_line(capsys, places, tmp_path, name):
    arguments, words = WRONG[name]
    out = [] if "--out" in arguments else ["--out", tmp_path / "out.h5"]
    code, shown, error = run(capsys, "predict", *(places.get(argument, argument) for argument in arguments), *out, "--threads", "1")
    assert (code, shown) == (2, "")
    assert words in error
    assert error.count("\n") == 1
    assert error.startswith("trainer: error: ")
    assert not (tmp_path / "out.h5").exists()


def test_a_folder_and_a_pattern_that_matches_it_are_the_same(run_folder, sequence, tmp_path):
    (tmp_path / "clip").mkdir()
    for row, pixels in enumerate(sequence[1][:12]):
        person = np.concatenate([pixels, np.ones((17, 1))], axis=1)
        content = {"people": [{"pose_keypoints_2d": person.ravel().tolist()}]}
        (tmp_path / f"clip/a_{row:012d}_keypoints.json").write_text(json.dumps(content))
    given = PredictConfig(layout="h36m17", fps=30.0, image=IMAGE)
    digests = {
        predict(run_folder, path, tmp_path / "o.h5", given, overwrite=True).source["sha256"] for path in (tmp_path / "clip", tmp_path / "clip/a_*")
    }
    assert len(digests) == 1


def test_a_video_of_more_frames_than_can_be_held_is_refused(run_folder, sequence, tmp_path, monkeypatch):
    monkeypatch.setattr(person, "MOST_ROWS", 100)
    keypoints = save_keypoints(tmp_path / "k.json", sequence[1][:20], fps=2.0)
    with pytest.raises(DatasetError, match="expected at most 100 frames at the 30 frames per second of the model, found 300; cut it"):
        predict(run_folder, keypoints, tmp_path / "o.h5", threads=1)


def test_a_broken_model_is_noticed(run_folder, sequence, tmp_path):
    found = checkpoint.read(run_folder)
    tensors = {name: tensor * torch.nan for name, tensor in found.tensors.items()}
    save_file(tensors, tmp_path / "nan.safetensors", {"card": found.card.model_dump_json()})
    with pytest.raises(DatasetError, match=r"nan\.safetensors: expected finite weights, found NaN, infinity or millions"):
        predict(tmp_path / "nan.safetensors", save_keypoints(tmp_path / "k.json", sequence[1]), tmp_path / "o.h5", threads=1)


def test_a_model_of_other_joints_is_refused(run_folder, sequence, tmp_path):
    found = checkpoint.read(run_folder)
    card = {**found.card.model_dump(mode="json"), "joint_set": "all", "joints": [f"joint_{place}" for place in range(17)]}
    save_file(found.tensors, tmp_path / "all.safetensors", {"card": json.dumps(card)})
    with pytest.raises(DatasetError, match=r"expected a model of these, found one of all \(joint_0, "):
        predict(tmp_path / "all.safetensors", save_keypoints(tmp_path / "k.json", sequence[1]), tmp_path / "o.h5", threads=1)


def test_the_advice_is_sound():
    assert train_config({"confidence": True}, {"augment": {"missing": 0.1}}).confidence
    assert train_config({"model": "stmixer"}, {"model_settings": {"causal": True, "patch": 1}}).model_settings == {"causal": True, "patch": 1}
    with pytest.raises(ConfigError, match=r"^gap: "):
        config.settings(PredictConfig, {"gap": -1.0})


def test_a_dataset_is_lifted_in_parts(of_file, run_folder, data_file, tmp_path, monkeypatch):
    """Sequences in another order, with rows between them that are of none: the same numbers in the same rows, whatever the size of a part."""
    other = tmp_path / "data.h5"
    other.write_bytes(data_file.read_bytes())
    with h5py.File(other, "r+") as file:
        count = len(file["/sequences/start"])
        order = np.r_[5:count, 1:5]  # the first one is left out
        for name in list(file["/sequences"]):
            values = file[f"/sequences/{name}"][()][order]
            kind = file[f"/sequences/{name}"].dtype
            del file[f"/sequences/{name}"]
            file.create_dataset(f"/sequences/{name}", data=values, dtype=kind)
    monkeypatch.setattr("trainer.data.parts.parts.__defaults__", (700,))
    predict(run_folder, other, tmp_path / "out.h5", threads=1)
    (found, _), (expected, _) = written(tmp_path / "out.h5"), written(of_file)
    length = int(expected["/sequences/length"][0])
    assert np.isnan(found["/frames/positions_3d"][:length]).all()
    assert not found["/frames/confidence"][:length].any()
    np.testing.assert_allclose(found["/frames/positions_3d"][length:], expected["/frames/positions_3d"][length:], atol=1e-4)
    np.testing.assert_array_equal(found["/frames/positions_2d"][length:], expected["/frames/positions_2d"][length:])
    np.testing.assert_array_equal(found["/sequences/start"], expected["/sequences/start"][order])
