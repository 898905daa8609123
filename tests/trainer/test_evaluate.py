"""Judging a run on its own file and on others, and the command line around all of it."""

import json
import re
import subprocess
import sys

import h5py
import numpy as np
import pytest

from schemas.errors import DatasetError
from schemas.train import Evaluation, TrainConfig
from trainer import fit
from trainer.cli._verdict import _published, verdict
from trainer.cli.main import main
from trainer.evaluate import _sources, as_markdown, evaluate, evaluate_predictions, protocol_line
from trainer.model.metrics import PLAIN_NAMES, summarise


@pytest.fixture(scope="module")
def folder(data_file, tmp_path_factory):
    config = TrainConfig(model="cvmnet", model_settings={"width": 16, "depth": 1}, epochs=1, batch_size=16, threads=1, device="cpu", split="random")
    return fit.fit(data_file, config, tmp_path_factory.mktemp("run") / "run").folder


def test_own_file_is_judged_on_the_test_side(folder, data_file, data):
    found = evaluate(folder, data_file, threads=1)
    stored = json.loads((folder / "metrics.json").read_text())["test"]
    assert found.overall == pytest.approx(stored, rel=1e-5)
    names = json.loads((folder / "split.json").read_text())["test"]
    assert set(found.by_sequence) == set(names)
    assert "both sides" in found.note
    assert "random" in found.protocol["split"]
    assert list(found.protocol)[:5] == ["split", "root", "joints", "fps", "2D source"]
    assert "\n" not in protocol_line(found)
    errors = [row.mpjpe_mm for row in found.by_sequence.values()]
    assert errors == sorted(errors, reverse=True)
    for table in (found.by_action, found.by_actor, found.by_avatar, found.by_sequence):
        frames = sum(row.frames for row in table.values())
        assert sum(row.frames * row.mpjpe_mm for row in table.values()) / frames == pytest.approx(found.overall["mpjpe_mm"])
    assert np.mean(list(found.by_joint_mm.values())) == pytest.approx(found.overall["mpjpe_mm"])
    assert set(found.by_group_mm) == {"hip", "head", "shoulder", "elbow", "wrist", "knee", "ankle"}


def test_another_file_is_judged_whole(folder, changed, data, data_file):
    def touch(file: h5py.File):
        file.attrs["generator"] = "another"

    other = changed(touch)
    found = evaluate(folder, other, threads=1)
    assert len(found.by_sequence) == len(data)
    assert found.protocol["split"] == f"all {len(data)} sequences of another file than was trained on"
    assert evaluate(folder, data_file, side="all", threads=1).protocol["split"] == f"all {len(data)} sequences of the file that was trained on"
    with pytest.raises(DatasetError, match="use side='all'"):
        evaluate(folder, other, side="test", threads=1)


def test_clips_that_were_trained_on_are_told_of_in_any_file(folder, changed, tmp_path, data):
    """A file built with other cameras shows the same motions; a model without its split tells of the database."""
    record = json.loads((folder / "split.json").read_text())
    clips = {name.split(" / ")[0] for name in record["train"] + record["validation"]}
    other = changed(lambda file: file.attrs.__setitem__("generator", "another"))
    count = sum(clip in clips for clip in data.clip)
    assert count > 0
    assert (
        evaluate(folder, other, threads=1).note == f"{count} of {len(data)} sequences show clips by the names of those that the model was trained on"
    )
    alone = tmp_path / "model.safetensors"
    alone.write_bytes((folder / "best.safetensors").read_bytes())
    source = data.config["source"]
    assert evaluate(alone, other, threads=1).note == f"the model was trained on recordings of {source}; these may be among them"

    assert _sources({"command": "merge", "inputs": [{"config": {"source": "hdm05"}}, {"config": {"input": {"source": "cmu"}}}]}) == {"hdm05", "cmu"}

    def rename(file: h5py.File):
        file["clips/id"][:] = [f"new_{row}" for row in range(len(file["clips/id"]))]
        file["clips/source"][:] = ["elsewhere"] * len(file["clips/source"])

    assert evaluate(folder, changed(rename), threads=1).note == ""
    assert evaluate(alone, changed(rename), threads=1).note == ""


def test_file_that_does_not_fit_is_refused(folder, changed):
    def faster(file: h5py.File):
        file.attrs["fps"] = 60.0

    with pytest.raises(DatasetError, match="60 frames per second instead of 30"):
        evaluate(folder, changed(faster), threads=1)


def test_perfect_predictions_have_no_error(folder, data_file, data):
    card = fit.checkpoint.read(folder).card
    sequences = np.arange(4)
    found = evaluate_predictions(data.positions_3d[data.rows(sequences)], data, sequences, card, "none")
    assert found.overall["mpjpe_mm"] == 0.0
    assert found.overall["p_mpjpe_mm"] == pytest.approx(0.0, abs=1e-6)
    assert found.overall["pck_200"] == 100.0


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code, *capsys.readouterr()


def test_commands(capsys, data_file, tmp_path, folder):
    out, small = tmp_path / "run", ["--set", "model_settings={width: 8, depth: 1}", "--recipe", "paper", "--threads", "1", "--device", "cpu"]
    code, shown, error = run(capsys, "fit", data_file, "--out", out, "--epochs", "2", "--stop-after", "1", *small)
    assert code == 0
    assert re.fullmatch(r"epoch 1 of 2: \S+ mm in training; loss \S+, \S+ frames/s, about .* left\n", error)
    assert "epoch 1: train" in shown
    code, shown, error = run(capsys, "fit", data_file, "--out", out, "--resume", "-q")
    assert (code, shown, error) == (0, "", "")
    code, shown, error = run(capsys, "fit", data_file, "--out", out, "--resume")
    assert (code, error) == (0, "")
    assert "best weights on the test side" in shown
    table, page = tmp_path / "e.json", tmp_path / "e.md"
    code, shown, error = run(capsys, "evaluate", out, data_file, "--json", table, "--markdown", page, "--threads", "1")
    assert (code, error) == (0, "")
    assert "By action" in shown
    assert not set(re.findall(r"[a-z]+(?:_[a-z0-9]+)+", shown)) & evaluation_keys()
    last = shown.splitlines()[-1]
    assert re.fullmatch(r"On average a joint is \S+ mm off, seen from the pelvis, in \d+ sequences that were held out\.", last)
    evaluation = Evaluation.model_validate_json(table.read_text())
    assert page.read_text() == as_markdown(evaluation)
    assert f"| MPJPE, mm | {evaluation.overall['mpjpe_mm']:.1f} | {evaluation.overall['mpjpe_no_root_mm']:.1f} |" in page.read_text()
    before = table.read_bytes()
    for option, file in (("--json", table), ("--markdown", page)):
        code, shown, error = run(capsys, "evaluate", out, data_file, option, file, "--threads", "1")
        assert (code, shown) == (2, "")
        assert error == f"trainer: error: {file}: the file exists already; choose another name or say --overwrite\n"
    table.write_text("old")
    code, shown, error = run(capsys, "-q", "evaluate", out, data_file, "--json", table, "--overwrite", "--threads", "1")
    assert (code, shown, error, table.read_bytes()) == (0, "", "", before)
    code, shown, error = run(capsys, "-q", "evaluate", out, data_file, "--threads", "1")
    assert (code, shown, error) == (0, "", "")


def evaluation_keys():
    """Return the names of all figures in files."""
    ones = np.ones((3, 2, 3))
    return set(summarise(ones, ones, [3], 30.0, (-1, 0), has_root=True))


def test_every_figure_has_a_plain_name():
    assert evaluation_keys() == set(PLAIN_NAMES)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fit", "none.h5", "--out", "OUT"], "expected a dataset file, found nothing"),
        (["fit", "DATA", "--out", "OUT", "--set", "epoch=3"], "did you mean 'epochs'?"),
        (["fit", "DATA", "--out", "OUT", "--split", "actor=nobody"], "expected one of the 5 actors"),
        (["fit", "DATA", "--out", "OUT", "--model", "resnet"], "expected one of cvmnet"),
        (["fit", "DATA", "--out", "OUT", "--resume"], "found none"),
        (["evaluate", "OUT", "DATA"], "expected a checkpoint"),
        (["fit"], "Missing argument"),
    ],
)
def test_wrong_use_is_one_line(capsys, data_file, tmp_path, arguments, words):
    places = {"DATA": data_file, "OUT": tmp_path / "out"}
    code, shown, error = run(capsys, *(places.get(argument, argument) for argument in arguments))
    assert code == 2
    assert shown == ""
    assert words in error
    assert error.count("\n") == 1
    assert error.startswith("trainer: error: ")


def test_who_watches_sees_every_step_and_a_log_every_epoch(capsys):
    from trainer.cli._training import training_bar

    step = {"epoch": 2, "epochs": 5, "loss": 0.5, "mpjpe_mm": 120.0}
    row = {**step, "train_mpjpe_mm": 120.04, "validation_mpjpe_mm": None, "best": True, "frames_per_second": 4321.0, "seconds": 60.0}
    judged = {**row, "validation_mpjpe_mm": 98.76}
    with training_bar(-1, stream_is_terminal=False, epochs=True) as watch:
        assert watch is None
    with training_bar(0, stream_is_terminal=True, epochs=True) as watch:
        watch(3, 10, step)
    assert "epoch 2 of 5" in capsys.readouterr().err
    with training_bar(0, stream_is_terminal=True, epochs=True) as watch:
        watch(4, 10, judged)
        watch(5, 10, step)
    shown = capsys.readouterr().err
    assert "epoch 2 of 5, 98.8 mm on validation" in shown
    assert "120.0 mm" not in shown
    with training_bar(0, stream_is_terminal=False, epochs=True) as watch:
        watch(4, 10, step)
        watch(4, 10, row)
        watch(10, 10, judged)
    assert capsys.readouterr().err == (
        "epoch 2 of 5: 120.0 mm in training; loss 0.5000, 4,321 frames/s, about 3 min 0 s left\n"
        "epoch 2 of 5: 98.8 mm on validation (best so far), 120.0 mm in training; loss 0.5000, 4,321 frames/s\n"
    )


def test_a_run_tells_of_each_epoch(data_file, tiny, tmp_path):
    told = []
    fit.fit(data_file, tiny, tmp_path / "run", progress=lambda done, total, figures: told.append((done, total, figures)))
    rows = [(done, total, figures) for done, total, figures in told if "seconds" in figures]
    assert [figures["epoch"] for _, _, figures in rows] == [1, 2]
    assert rows[1][0] == rows[1][1]
    assert all({"loss", "mpjpe_mm", "epoch"} <= figures.keys() for _, _, figures in told)


def test_the_verdict_says_what_was_judged_and_what_it_was_elsewhere(folder, data_file, changed, tmp_path):
    other = evaluate(folder, changed(lambda file: file.attrs.__setitem__("generator", "another")), threads=1)
    own = evaluate(folder, data_file, threads=1)
    held_out = f"{own.overall['mpjpe_mm']:.1f} mm"
    (first, _) = verdict(other, str(folder), "auto")
    assert first.endswith(f"of another file than was trained on; on the held-out side of its own file: {held_out}.")
    assert verdict(own, str(folder), "auto")[0].startswith(f"On average a joint is {held_out} off")
    validation = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["validation_mpjpe_mm"]
    assert f"that were held out; on the validation side: {validation:.1f} mm." in verdict(own, str(folder), "test")[0]
    assert "that were trained on: how well it has learned them" in verdict(own, str(folder), "train")[0]


def test_a_published_figure_is_named_where_the_split_is_such(folder, data_file):
    card = fit.checkpoint.read(folder).card
    of_hdm05 = card.model_copy(update={"data": {**card.data, "config": {"source": "hdm05"}}})
    assert _published(card, True) == ""
    assert _published(of_hdm05, False) == ""
    assert _published(of_hdm05, True) == "; published for such a split of HDM05: about 200 mm"
    assert _published(of_hdm05.model_copy(update={"split": "clip: 3 train"}), True) == ""


def test_an_extra_that_is_not_installed_is_named():
    script = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from trainer.cli.main import main\n"
        "main(['evaluate', 'a', 'b'])\n"
    )  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "trainer: error: expected the package torch, which is not installed: pip install 'mocapgen[train]'\n"
