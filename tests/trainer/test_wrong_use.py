"""Arguments in the wrong order and of the wrong kind, and misspelt names: each one line with the command that is right."""

from __future__ import annotations

import importlib.machinery
import subprocess
import sys
import types

import pytest

from trainer.cli.main import main


@pytest.fixture
def place(tmp_path, monkeypatch, data_file):
    """A folder with one thing of each kind, in which commands are run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.h5").symlink_to(data_file)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "best.safetensors").write_bytes((8).to_bytes(8, "little") + b"{}      ")
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    (tmp_path / "walk.bvh").write_text("HIERARCHY\n")
    (tmp_path / "notes.md").write_text("# Notes\n")
    return tmp_path


WRONG = {
    "evaluate data.h5 run": "data.h5: expected a model, found an HDF5 file; the model goes first: `trainer evaluate run data.h5`",
    "evaluate data.h5 default": "data.h5: expected a model, found an HDF5 file; the model goes first: `trainer evaluate default data.h5`",
    "predict clip.mp4 run --out p.h5": "found a video (MP4); the model goes first: `trainer predict run clip.mp4 --out p.h5`",
    "predict data.h5 clip.mp4 --out p.h5": "data.h5: expected a model, found an HDF5 file; `trainer models` lists those that ship",
    "predict run data.h5 --out p.csv": "--out: expected a name for an HDF5 file, such as p.h5, found 'p.csv'; `mocapgen export` makes files of other",
    "predict run run --out p.h5": "run: expected a video, keypoints or a dataset file, found the folder of a trained model",
    "fit run": "run: expected a dataset file, found the folder of a trained model; `trainer fit DATA.H5 --out run --resume` goes on with it",
    "fit run/best.safetensors": "found a trained model; `trainer fit DATA.H5 --out run --resume` goes on with it",
    "fit clip.mp4": "found a video (MP4); `trainer predict default clip.mp4 --out pred.h5` lifts it",
    "fit walk.bvh": "found motion capture (BVH); `mocapgen build --source folder --root . --out data.h5` makes a dataset file of it",
    "fit notes.md": "notes.md: expected a dataset file, found text; `mocapgen build` writes one",
    "evaluate run run": "run: expected a dataset file, found the folder of a trained model; name the file that the model is to see",
    "experiments run --out x": "run: expected a dataset file, found the folder of a trained model",
    "ablate data.h5 --cmu clip.mp4 --out x": "clip.mp4: expected a dataset file, found a video (MP4)",
    "export data.h5 --out x.onnx": "data.h5: expected a model, found an HDF5 file",
    "fit data.h5 --recipe papr": "videopose or a YAML file, found 'papr'; did you mean 'paper'?",
    "fit data.h5 --model cvmnt": "--model: expected one of cvmnet, stmixer, symmixer, videopose, found 'cvmnt'; did you mean 'cvmnet'?",
    "evluate run data.h5": "No such command 'evluate'; did you mean 'evaluate'? (see 'trainer --help')",
    "train data.h5": "No such command 'train'; there are ablate, evaluate, experiments, export, fit, models, predict (see 'trainer --help')",
    "evaluate data.h5": "Missing argument 'DATA.H5'. Expected: trainer evaluate [OPTIONS] MODEL DATA.H5 (see 'trainer evaluate --help')",
}


@pytest.mark.parametrize("command", WRONG)
def test_wrong_use_names_the_right_command(place, capsys, command):
    with pytest.raises(SystemExit) as end:
        main(command.split())
    shown, error = capsys.readouterr()
    assert (end.value.code, shown) == (2, "")
    assert error.startswith("trainer: error: ")
    assert error.count("\n") == 1
    assert WRONG[command] in error


LATER = {
    "predict rn data.h5 --out p.h5": "rn: expected a model that ships, a checkpoint or the folder of a run, found nothing; did you mean 'run'?",
    "predict ./rn data.h5 --out p.h5": "rn: expected a checkpoint or the folder of a run, found nothing; did you mean 'run'?",
    "fit dat.h5 --device cpu": "dat.h5: expected a dataset file, found nothing; did you mean 'data.h5'?",
    "fit data.h5 --split clp --device cpu": "action=PATTERN or a file of clip ids, found 'clp'; did you mean 'clip'?",
    "export default --out model.h5": "--out: expected a name that ends in .onnx, found 'model.h5'",
}


@pytest.mark.parametrize("command", LATER)
def test_misspelt_files_and_settings(place, capsys, command):
    with pytest.raises(SystemExit) as end:
        main(command.split())
    error = capsys.readouterr().err
    assert (end.value.code, error.count("\n")) == (2, 1)
    assert LATER[command] in error


@pytest.mark.parametrize(
    ("lacks", "line"),
    [
        (("torch", "av", "mediapipe"), "the packages torch, av and mediapipe, which are not installed: pip install 'mocapgen[train,video]'"),
        (("torch", "safetensors"), "the packages torch and safetensors, which are not installed: pip install 'mocapgen[train]'"),
    ],
)
def test_all_extras_that_a_video_needs_are_named_at_once(place, capsys, monkeypatch, lacks, line):
    for package in ("torch", "safetensors", "av", "mediapipe"):
        monkeypatch.setitem(sys.modules, package, None if package in lacks else installed(package))
    with pytest.raises(SystemExit) as end:
        main(["predict", "default", "clip.mp4", "--out", "p.h5"])
    assert (end.value.code, capsys.readouterr().err) == (2, f"trainer: error: expected {line}\n")


def installed(name):
    """Return a module that counts as installed."""
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    return module


def test_the_wrong_order_is_answered_before_pytorch_is_imported(place):
    script = "import sys\nsys.modules['torch'] = None\nfrom trainer.cli.main import main\nmain(['evaluate', 'data.h5', 'run'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "the model goes first" in done.stderr
