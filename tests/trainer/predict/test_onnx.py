"""ONNX files give the numbers of PyTorch for any length, say what they are, and know nothing of this machine."""

import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors.torch import save_file

from schemas.errors import DatasetError
from schemas.predictions import PredictConfig
from schemas.train import ModelCard
from trainer.cli.main import main
from trainer.fit import fit
from trainer.model import checkpoint
from trainer.model.lift import lift_frames
from trainer.predict import onnx as export
from trainer.predict.camera import assumed_intrinsics
from trainer.recipes.settings import read_recipe, train_config

IMAGE = np.array([1920.0, 1080.0])

ROUNDING = 1e-6
"""Metres."""


@pytest.fixture(scope="module")
def default_folder(data_file, tmp_path_factory):
    """A small model of the default recipe."""
    small = {"model_settings": {"width": 16, "dilations": [1, 2]}, "epochs": 1, "threads": 1, "device": "cpu"}
    return fit(data_file, train_config(read_recipe("default"), small), tmp_path_factory.mktemp("runs") / "default").folder


@pytest.fixture(scope="module")
def files(run_folder, live_folder, default_folder, tmp_path_factory):
    """The exported file of each kind of model, and what was said about it."""
    folder = tmp_path_factory.mktemp("onnx")
    models = run_folder, live_folder, default_folder
    return {model: export.export_onnx(model, folder / f"{number}.onnx") for number, model in enumerate(models)}


@pytest.fixture(params=["run_folder", "live_folder", "default_folder"])
def exported(request, files):
    model = request.getfixturevalue(request.param)
    return model, files[model]


def session_of(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("frames", [1, 7, 41, 206])
def test_any_length_gives_what_predict_gives(exported, data, frames):
    model, result = exported
    lifter, card = checkpoint.load_lifter(model)
    number = int(np.argmax(data.length))
    pixels = data.positions_2d[data.rows([number])][:frames].astype(float)
    confidence = (np.random.default_rng(frames).random(pixels.shape[:2]) > 0.1).astype(float)
    intrinsics = assumed_intrinsics(IMAGE, PredictConfig(), card.camera_frame)
    expected = lift_frames(lifter, pixels, confidence, intrinsics, IMAGE)
    given = {"pixels": pixels, "intrinsics": intrinsics, "image": IMAGE, "confidence": confidence}
    session = session_of(result.path)
    assert [item.name for item in session.get_inputs()] == [name for name in given if name != "confidence" or card.confidence]
    inputs = {item.name: given[item.name][None].astype(np.float32) for item in session.get_inputs()}
    (found,) = session.run(None, inputs)
    assert found.shape == (1, len(pixels), 17, 3)
    # Bones that lean towards the camera hardly at all, as those of a model that knows nothing yet, make fifty times as much of a rounding error.
    tolerance = 50 * ROUNDING if card.head == "rigid" else ROUNDING
    np.testing.assert_allclose(found[0], expected, atol=10 * tolerance)
    # And several sequences at once.
    (both,) = session.run(["positions"], {name: np.concatenate([array, array]) for name, array in inputs.items()})
    np.testing.assert_allclose(both, np.concatenate([found, found]), atol=tolerance)


def test_the_file_explains_itself(exported):
    model, result = exported
    said = session_of(result.path).get_modelmeta().custom_metadata_map
    assert said["format"] == "mocapgen-onnx"
    card = checkpoint.read(model).card
    assert ModelCard(**json.loads(said["card"])) == card
    assert said["joints"].split(",") == list(card.joints)
    assert json.loads(said["conventions"])["camera_frame"] == card.camera_frame
    assert result.difference < export.TOLERANCE
    assert result.size == result.path.stat().st_size
    shapes = {item.name: item.shape for item in session_of(result.path).get_inputs()}
    assert shapes["pixels"][2:] == [17, 2]
    assert all(isinstance(size, str) for size in shapes["pixels"][:2])


def test_nothing_of_this_machine_is_in_it(files, repository):
    for result in files.values():
        content = result.path.read_bytes()
        for secret in (str(repository), "site-packages", sys.prefix, ".py"):
            assert secret.encode() not in content, secret
        assert not list(result.path.parent.glob("*.data"))  # the weights are inside
        onnx.checker.check_model(onnx.load(result.path), full_check=True)


def test_a_difference_is_an_error_and_leaves_no_file(run_folder, tmp_path, monkeypatch):
    convert = export._convert

    def other_weights(whole, card):
        content = convert(whole, card)
        with_error = onnx.load_from_string(content)
        weights = next(item for item in with_error.graph.initializer if item.name.endswith("refine.last.bias"))
        weights.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weights) + 0.001, weights.name))
        return with_error.SerializeToString()

    monkeypatch.setattr(export, "_convert", other_weights)
    with pytest.raises(DatasetError, match=r"expected ONNX Runtime within 0\.1 mm of PyTorch, found 1(\.\d+)? mm; nothing was written"):
        export.export_onnx(run_folder, tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code, *capsys.readouterr()


def test_command_prints_one_line_and_the_same_bytes_again(capsys, files, run_folder, tmp_path):
    out = tmp_path / "model.onnx"
    code, shown, error = run(capsys, "export", run_folder, "--format", "onnx", "--out", out)
    assert (code, error) == (0, "")
    assert shown.startswith(f"{out}: ")
    assert "of PyTorch for sequences of 1 to 300 frames" in shown
    assert out.read_bytes() == files[run_folder].path.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["RUN", "--out", "THERE"], "say --overwrite"),
        (["RUN", "--out", "GONE/x.onnx"], "expected an existing folder"),
        (["RUN", "--out", "FOLDER"], "expected a name that ends in .onnx"),
        (["FOLDER", "--out", "NEW"], "expected a run with best.safetensors"),
        (["THERE", "--out", "NEW"], "expected a model, found text"),
        (["RUN", "--out", "NEW", "--format", "tflite"], "'tflite' is not"),
    ],
)
def test_wrong_use_is_one_line(capsys, run_folder, tmp_path, arguments, words):
    (tmp_path / "there.onnx").write_bytes(b"there")
    places = {
        "RUN": run_folder,
        "THERE": tmp_path / "there.onnx",
        "GONE/x.onnx": tmp_path / "gone/x.onnx",
        "FOLDER": tmp_path,
        "NEW": tmp_path / "new.onnx",
    }
    code, shown, error = run(capsys, "export", *(places.get(argument, argument) for argument in arguments))
    assert (code, shown) == (2, "")
    assert words in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there.onnx"]


@pytest.mark.parametrize("package", ["onnxruntime", "onnxscript", "onnx"])
def test_the_extra_that_is_missing_is_named(package, capsys, run_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    code, shown, error = run(capsys, "export", run_folder, "--out", tmp_path / "x.onnx")
    assert (code, shown) == (2, "")
    assert error == f"trainer: error: expected the package {package}, which is not installed: pip install 'mocapgen[onnx]'\n"


def test_a_checkpoint_of_another_kind_is_refused(tmp_path, run_folder):
    save_file(checkpoint.read(run_folder).tensors, tmp_path / "x.safetensors")
    with pytest.raises(DatasetError, match="safetensors of something else"):
        export.export_onnx(tmp_path / "x.safetensors", tmp_path / "x.onnx")
