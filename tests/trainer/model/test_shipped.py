"""Models that ship: made from a run, found by name everywhere, and never in the way of a path."""

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from safetensors import safe_open

import trainer
from schemas.errors import DatasetError
from schemas.predictions import PredictConfig
from schemas.shipped import ShippedModel
from tools import ship_model
from trainer.cli.main import main
from trainer.model import checkpoint, shipped
from trainer.predict import onnx as export
from trainer.predict.predict import predict
from trainer.predict.stream import Stream

ABOUT = """purpose: Lifts people, in tests
licence: CC BY-SA 3.0
credits: ["The first database, a second sentence.", The second database]
data: [built-in motions]
figures: {"MPJPE, actor sa": 52 mm}
date: "2026-11-28"
commands: [trainer fit data.h5 --out runs/x]
"""

SAID = ShippedModel(purpose="p", licence="l", credits=("c",), data=("d",), figures={}, date="2026-11-28", commands=("x",))


@pytest.fixture(scope="module")
def about(tmp_path_factory):
    path = tmp_path_factory.mktemp("about") / "about.yaml"
    path.write_text(ABOUT)
    return path


@pytest.fixture(scope="module")
def models(run_folder, live_folder, about, tmp_path_factory):
    """A folder with two models that ship, as the package's own."""
    folder = tmp_path_factory.mktemp("models")
    for run, name in ((run_folder, "default"), (live_folder, "default-causal")):
        assert ship_model.main([str(run), name, "--about", str(about), "--folder", str(folder)]) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "FOLDER", folder)
        yield folder


def ended(*arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


def test_shipped_is_half_the_size_and_nearly_the_same(models, run_folder, live_folder):
    for run, name in ((run_folder, "default"), (live_folder, "default-causal")):
        with safe_open(models / f"{name}.safetensors", framework="pt") as file:
            assert {file.get_tensor(key).dtype for key in file.keys()} <= {torch.float16, torch.int64}  # noqa: SIM118
        lifter, card = checkpoint.load_lifter(name)
        assert {parameter.dtype for parameter in lifter.parameters()} == {torch.float32}
        assert card == checkpoint.read(run).card
        assert ship_model.difference(run, models / f"{name}.safetensors") < 0.005
        assert "The first database, a second sentence." in (models / f"{name}.md").read_text()


def test_the_averaged_weights_are_shipped(run_folder, tmp_path):
    found = checkpoint.read(run_folder)
    weights = found.part(checkpoint.MODEL)
    both = {f"model.{name}": torch.zeros_like(tensor) for name, tensor in weights.items()} | {f"average.{name}": t for name, t in weights.items()}
    checkpoint.save(tmp_path / "run.safetensors", found.card, {**both, "optimiser.x/step": torch.tensor(3.0)})
    kept = checkpoint.read(ship_model.ship(tmp_path / "run.safetensors", "mine", SAID, tmp_path))
    assert set(kept.tensors) == {f"model.{name}" for name in weights}
    assert all(torch.equal(kept.tensors[f"model.{name}"], tensor.half().float()) for name, tensor in weights.items() if tensor.is_floating_point())
    assert kept.about == SAID


def test_what_cannot_be_shipped(run_folder, about, tmp_path, monkeypatch, capsys):
    def refused(name="mine", about=about):
        assert ship_model.main([str(run_folder), name, "--about", str(about), "--folder", str(tmp_path)]) == 2
        message = capsys.readouterr().err
        assert message.count("\n") == 1
        return message

    assert "letters, digits and dashes, found '../x'" in refused("../x")
    (tmp_path / "bad.yaml").write_text(ABOUT.replace("2026-11-28", "yesterday"))
    assert "bad.yaml: date: input should be a valid date" in refused(about=tmp_path / "bad.yaml")
    monkeypatch.setattr(ship_model, "MOST_BYTES", 1000)
    assert "expected at most 1.0 kB for all models that ship" in refused()
    monkeypatch.undo()
    found = checkpoint.read(run_folder)
    huge = {name: tensor * 1e9 if tensor.is_floating_point() else tensor for name, tensor in found.tensors.items()}
    checkpoint.save(tmp_path / "huge.safetensors", found.card, huge)
    with pytest.raises(DatasetError, match="expected weights of at most 65504"):
        ship_model.ship(tmp_path / "huge.safetensors", "mine", SAID, tmp_path)
    assert not (tmp_path / "mine.safetensors").exists()


def test_a_name_works_wherever_a_run_does(models, data_file, data, tmp_path, capsys):
    points = data.positions_2d[:60].astype(float)
    loaded = trainer.load("default", "cpu", 1)
    assert loaded.lift(points, (1920, 1080)).shape == (60, 17, 3)
    assert "default:" in repr(loaded)
    stream = Stream("default-causal", PredictConfig(image=(1920, 1080)))
    assert np.isfinite(stream.push(points[0])).all()
    np.savez(tmp_path / "points.npz", keypoints=points, layout="h36m17", width=1920, height=1080, fps=30.0)
    predict("default", tmp_path / "points.npz", tmp_path / "pred.h5", None, "cpu", 1)
    assert ended("predict", "default", tmp_path / "points.npz", "--out", tmp_path / "pred2.h5", "--threads", 1) == 0
    assert (tmp_path / "pred.h5").read_bytes() == (tmp_path / "pred2.h5").read_bytes()
    assert ended("evaluate", "default", data_file, "--side", "all", "--threads", 1) == 0
    assert ended("evaluate", "default", data_file, "--threads", 1) == 2
    assert "default: expected a run with its split, found a model that ships without; use --side all" in capsys.readouterr().err


def test_an_onnx_file_has_the_licence_and_the_credits(models, tmp_path, monkeypatch, capsys):
    seen = []

    def convert(model, card):
        seen.append(card)
        graph = onnx.helper.make_graph([], "empty", [], [])
        return onnx.helper.make_model(graph, producer_name="x").SerializeToString()

    monkeypatch.setattr(export, "_convert", convert)
    monkeypatch.setattr(export, "_LENGTHS", ())
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *arguments, **options: None)
    monkeypatch.setattr(export, "max", lambda differences: 0.0, raising=False)
    assert ended("export", "default", "--out", tmp_path / "x.onnx") == 0
    assert seen == [checkpoint.read("default").card]
    said = {entry.key: entry.value for entry in onnx.load(tmp_path / "x.onnx").metadata_props}
    assert json.loads(said["about"])["licence"] == "CC BY-SA 3.0"


def test_which_of_two_of_one_name(models, run_folder, live_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ours = models / "default.safetensors"
    (tmp_path / "default").write_text("a note")
    assert shipped.locate("default") == ours
    (tmp_path / "default").unlink()
    (tmp_path / "default").mkdir()
    assert shipped.locate("default") == ours
    with pytest.raises(DatasetError, match=r"^default: expected a run with best.safetensors, found none"):
        shipped.locate("./default/")
    (tmp_path / "default" / "best.safetensors").write_bytes((live_folder / "best.safetensors").read_bytes())
    assert shipped.locate("default").resolve() == (tmp_path / "default" / "best.safetensors").resolve()
    for name, hint in (("defalt", "did you mean 'default'"), ("best", "there are default, default-causal")):
        with pytest.raises(DatasetError, match=rf"^{name}: expected a model that ships, a checkpoint or the folder of a run, found nothing; {hint}"):
            trainer.load(name)
    with pytest.raises(DatasetError, match="expected a checkpoint or the folder of a run, found nothing; `trainer fit` writes one"):
        trainer.load("runs/default")


def test_the_list(models, monkeypatch, tmp_path, capsys):
    assert ended("models") == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if line[:1].isalpha()] == ["name", "default", "default-causal", "credits,"]
    assert "17 (h36m17)" in out
    assert "MPJPE, actor sa: 52 mm" in out
    assert ended("models", "default-causal") == 0
    out = capsys.readouterr().out
    for part in ("The second database", "CC BY-SA 3.0", "2026-11-28", "causal", "trainer fit data.h5", "right_ankle", "the root's path is predicted"):
        assert part in out
    assert ended("models", "defalt") == 2
    assert "did you mean 'default'?" in capsys.readouterr().err
    (tmp_path / "run.safetensors").write_bytes((models / "default.safetensors").read_bytes()[:400])
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    assert ended("models") == 2
    assert "damaged one or something else" in capsys.readouterr().err
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "none")
    assert ended("models") == 0
    assert "no model ships" in capsys.readouterr().out


def test_the_list_needs_no_pytorch():
    script = (
        "import sys\nfrom trainer.cli.main import main\ntry:\n    main(['models'])\n"
        "except SystemExit as end:\n    assert not end.code\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60, capture_output=True)


def test_what_really_ships_is_complete():
    names = shipped.shipped_names()
    for name in names:
        model = shipped.read_shipped(name)
        assert model.about.figures
        assert model.path.with_suffix(".md").is_file()
        checkpoint.load_lifter(model.path)
    assert sum(shipped.read_shipped(name).size for name in names) <= ship_model.MOST_BYTES + 100_000
