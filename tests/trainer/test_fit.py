"""Runs: they learn, resume bit for bit, stop with a name, and leave a folder that explains itself."""

import csv
import itertools
import json
import math
import os
import signal
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from mocapgen.shared.command import Stopped
from schemas.errors import ConfigError, DatasetError
from schemas.train import PoseComposition, TrainConfig
from trainer import fit
from trainer.data.batches import Loader
from trainer.data.splits import make_split
from trainer.model import checkpoint
from trainer.model.device import choose, has_bf16
from trainer.model.lift import lift_sequences
from trainer.model.lifter import Lifter
from trainer.model.optimiser import lr_factor, make_average, make_schedule
from trainer.runs.timer import Timer


@pytest.fixture
def whole(data_file, tiny, tmp_path):
    """A run of two epochs in one go."""
    return fit.fit(data_file, tiny, tmp_path / "whole", command="trainer fit data.h5")


def tensors(folder: Path):
    return checkpoint.read(folder / "last.safetensors").tensors


def assert_same_run(first: Path, second: Path):
    a, b = tensors(first), tensors(second)
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []
    assert (first / "best.safetensors").stat().st_size == (second / "best.safetensors").stat().st_size
    rows = [[json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()] for folder in (first, second)]
    timing = ("seconds", "frames_per_second", "computing_share")
    assert [{k: v for k, v in row.items() if k not in timing} for row in rows[0]] == [
        {k: v for k, v in row.items() if k not in timing} for row in rows[1]
    ]


MIXER = {"model": "stmixer", "model_settings": {"width": 8, "dilations": [1, 2]}, "window": 24, "losses": {"velocity": 1.0}}


SYMMETRIC = {
    "model": "symmixer",
    "model_settings": {"width": 64, "dilations": [1, 2]},
    "optimiser": "soap",
    "augment": {"composition": {"probability": 0.8}},
    "batch_size": 4,
}


@pytest.mark.parametrize("change", [{}, MIXER, {**MIXER, "threads": 3}, SYMMETRIC])
def test_resume_is_exact(data_file, tiny, tmp_path, change):
    config = TrainConfig(**{**tiny.model_dump(), **change})
    fit.fit(data_file, config, tmp_path / "whole")
    first = fit.fit(data_file, config, tmp_path / "parts", stop_after=1)
    assert len(first.history) == 1
    assert first.metrics == {}
    second = fit.fit(data_file, config, tmp_path / "parts", resume=True)
    assert len(second.history) == 2
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_running_on_with_a_constant_rate_is_exact(data_file, tiny, tmp_path):
    """N epochs and N more are 2 N epochs, where the schedule does not depend on the number."""
    constant = {**tiny.model_dump(), "final_lr_factor": 1.0, "warmup": 0.0}
    fit.fit(data_file, TrainConfig(**constant), tmp_path / "whole")
    fit.fit(data_file, TrainConfig(**{**constant, "epochs": 1}), tmp_path / "parts")
    fit.fit(data_file, TrainConfig(**constant), tmp_path / "parts", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def test_threads_share_the_sequences_of_a_batch(data_file, tiny, tmp_path, monkeypatch):
    """Each has two or more; the gradient is that of the whole batch, up to the order of sums, and the same in every run."""
    shares: list[int] = []
    real = fit.Run._share

    def counted(run, batch, *more):
        shares.append(len(batch.mask))
        return real(run, batch, *more)

    monkeypatch.setattr(fit.Run, "_share", counted)
    rows = {}
    for name, threads in (("one", 1), ("several", 3), ("again", 3)):
        rows[name] = fit.fit(data_file, TrainConfig(**{**tiny.model_dump(), "threads": threads}), tmp_path / name, stop_after=1).history[0]
    assert set(shares) > {8, 3, 2}
    assert min(shares) > 1
    assert_same_run(tmp_path / "several", tmp_path / "again")
    assert rows["several"]["loss"] == pytest.approx(rows["one"]["loss"], rel=1e-5)
    a, b = tensors(tmp_path / "one"), tensors(tmp_path / "several")
    assert all(torch.allclose(a[name], b[name], atol=2e-4) for name in a if name.startswith("model."))


def test_a_loss_that_is_not_finite_is_named_by_the_thread_that_finds_it(data_file, tiny, tmp_path, data, monkeypatch):
    test_loss_that_is_not_finite_stops_with_the_sequence(data_file, tiny.model_copy(update={"threads": 3}), tmp_path, data, monkeypatch)


def test_interrupted_within_an_epoch_goes_on_where_it_was(data_file, tiny, tmp_path, whole, monkeypatch):
    def interrupt(done, total, figures):
        if done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Stopped, match=r"saved after 0 of 2 epochs and 2 steps; go on with: trainer fit data\.h5 --resume"):
        fit.fit(data_file, tiny, tmp_path / "parts", command="trainer fit data.h5", progress=interrupt)
    progress = checkpoint.read(tmp_path / "parts" / "last.safetensors").progress
    assert progress.batch == 2
    waited = 100.0
    monkeypatch.setattr(fit, "Timer", lambda before: Timer({**before, "total": before["total"] + waited} if before else None))
    found = fit.fit(data_file, tiny, tmp_path / "parts", resume=True)
    assert_same_run(whole.folder, tmp_path / "parts")
    first, second = found.history
    assert first["seconds"] > waited + progress.seconds["total"], "the time before the interruption counts"
    assert second["seconds"] < waited


def test_killed_at_any_moment_goes_on_after_the_last_complete_epoch(data_file, tiny, tmp_path, whole):
    class Killed(Exception):
        pass

    def kill(done, total, figures):
        if figures["epoch"] == 2:
            raise Killed

    with pytest.raises(Killed):
        fit.fit(data_file, tiny, tmp_path / "parts", progress=kill)
    assert checkpoint.read(tmp_path / "parts" / "last.safetensors").progress.epoch == 1
    fit.fit(data_file, tiny, tmp_path / "parts", resume=True)
    assert_same_run(whole.folder, tmp_path / "parts")


def test_a_run_learns(data_file, tiny, tmp_path):
    config = TrainConfig(
        **{**tiny.model_dump(), "epochs": 12, "augment": {}, "ema": 0.0, "model_settings": {"width": 32, "depth": 1}, "target": "absolute"}
    )
    history = fit.fit(data_file, config, tmp_path / "run").history
    assert history[-1]["train_mpjpe_mm"] < 0.5 * history[0]["train_mpjpe_mm"]
    assert history[-1]["validation_mpjpe_mm"] < 0.8 * history[0]["validation_mpjpe_mm"]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    assert metrics["root_mm"] > 0.0


def test_what_a_run_leaves(whole, data, data_file, tiny):
    names = {path.name for path in whole.folder.iterdir()}
    assert names == {
        *(".lock", "config.json", "split.json", "last.safetensors", "last.json", "best.safetensors", "best.json"),
        *("log.csv", "log.jsonl", "history.png", "metrics.json", "README.md"),
    }
    assert TrainConfig(**json.loads((whole.folder / "config.json").read_text())) == tiny
    split = json.loads((whole.folder / "split.json").read_text())
    assert sorted(split["train"] + split["validation"] + split["test"]) == sorted(data.names)
    with (whole.folder / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["validation_mpjpe_mm"]) == whole.history[1]["validation_mpjpe_mm"]
    assert (whole.folder / "history.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    readme = (whole.folder / "README.md").read_text()
    for words in ("trainer fit data.h5", data.sha256, "clip: ", "torch 2", "MPJPE"):
        assert words in readme
    card = checkpoint.read(whole.folder).card
    assert (card.fps, card.camera_frame, card.joints, card.data["sha256"]) == (data.fps, data.camera_frame, data.joints.joints, data.sha256)


def test_stored_metrics_are_those_of_the_best_weights(whole, data):
    lifter, _ = checkpoint.load_lifter(whole.folder)
    test = make_split(data, "clip").test
    predicted, true = lift_sequences(lifter, Loader(data), test).astype(float), data.positions_3d[data.rows(test)].astype(float)
    error = np.linalg.norm((predicted - predicted[:, :1]) - (true - true[:, :1]), axis=-1).mean()
    assert whole.metrics["mpjpe_mm"] == pytest.approx(1000 * error, rel=1e-6)
    best = min(whole.history, key=lambda row: row["validation_mpjpe_mm"])
    assert best["test_mpjpe_mm"] == pytest.approx(whole.metrics["mpjpe_mm"], rel=1e-6)


def test_loss_that_is_not_finite_stops_with_the_sequence(data_file, tiny, tmp_path, data, monkeypatch):
    real = fit.sequence_losses
    split = make_split(data, "clip")
    victim = int(split.train[3])

    def poisoned(predicted, true, *rest):
        where = (true[:, 0] == torch.from_numpy(data.positions_3d[data.start[victim]])).all(dim=(1, 2))
        return real(torch.where(where[:, None, None, None], torch.nan, predicted), true, *rest)

    monkeypatch.setattr(fit, "sequence_losses", poisoned)
    plain = TrainConfig(**{**tiny.model_dump(), "augment": {}})
    with pytest.raises(ConfigError) as caught:
        fit.fit(data_file, plain, tmp_path / "run")
    assert data.names[victim] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_diverging_run_stops(data_file, tiny, tmp_path):
    wild = tiny.model_copy(update={"learning_rate": 1e30, "grad_clip_norm": 0.0})
    with pytest.raises(ConfigError, match="expected a finite loss") as caught:
        fit.fit(data_file, wild, tmp_path / "run")
    assert "; inspect them with `mocapgen inspect`, or lower learning_rate; " in str(caught.value)


def test_folder_in_use_and_wrong_resumes_are_one_line(data_file, tiny, tmp_path, whole, changed):
    with pytest.raises(ConfigError, match="found a run; resume=True, overwrite=True"):
        fit.fit(data_file, tiny, whole.folder)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    with pytest.raises(ConfigError, match="found other files"):
        fit.fit(data_file, tiny, tmp_path / "full", overwrite=True)
    assert (tmp_path / "full" / "thesis.txt").exists()
    with pytest.raises(DatasetError, match="expected a run to resume"):
        fit.fit(data_file, tiny, tmp_path / "none", resume=True)
    other = TrainConfig(**{**tiny.model_dump(), "batch_size": 7})
    with pytest.raises(ConfigError, match="batch_size 7 instead of 8"):
        fit.fit(data_file, other, whole.folder, resume=True)

    def touch(file: h5py.File):
        file.attrs["generator"] = "another"

    with pytest.raises(DatasetError, match="found another"):
        fit.fit(changed(touch), tiny, whole.folder, resume=True)


def test_overwrite_starts_afresh(data_file, tiny, whole):
    again = fit.fit(data_file, tiny, whole.folder, overwrite=True, stop_after=1)
    assert len(again.history) == 1
    assert not (whole.folder / "metrics.json").exists()


def earlier_learning_rate(step, steps, config):
    """The schedule as it was written by hand before PyTorch's schedulers were used."""
    warmup = config.warmup * steps
    if step < warmup:
        return config.learning_rate * (step + 1) / (math.floor(warmup) + 1)
    progress = (step - warmup) / max(steps - warmup, 1)
    share = config.final_lr_factor + (1.0 - config.final_lr_factor) * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
    return config.learning_rate * share


def scheduled_rates(config, steps, done=0):
    """The learning rates that the optimiser uses, step by step."""
    parameter = torch.nn.Parameter(torch.zeros(2, 2))
    optimiser = torch.optim.AdamW([parameter], lr=config.learning_rate)
    if done:
        make_schedule(optimiser, config, steps)  # as a run does before it restores its checkpoint
    schedule = make_schedule(optimiser, config, steps, done)
    rates = []
    for _ in range(done, steps):
        rates.append(optimiser.param_groups[0]["lr"])
        parameter.grad = torch.ones_like(parameter)
        optimiser.step()
        schedule.step()
    return rates


@pytest.mark.parametrize(
    "settings", [{}, {"warmup": 0.0}, {"warmup": 0.257, "final_lr_factor": 0.3}, {"final_lr_factor": 1.0}, {"learning_rate": 7e-4}]
)
@pytest.mark.parametrize("steps", [1, 7, 100])
def test_learning_rates_are_those_of_the_earlier_formula(settings, steps):
    config = TrainConfig(**settings)
    expected = [earlier_learning_rate(step, steps, config) for step in range(steps)]
    assert scheduled_rates(config, steps) == pytest.approx(expected, rel=3e-16, abs=0)
    for done in (1, steps // 2, steps - 1):
        assert scheduled_rates(config, steps, done) == pytest.approx(expected[done:], rel=3e-16, abs=0)


def test_averaged_weights_are_those_of_the_earlier_formula(data, tiny):
    """The initial weights are the first of the average, and its decay rises with the number of steps."""
    torch.manual_seed(0)
    lifter = Lifter(TrainConfig(**{**tiny.model_dump(), "model": "videopose", "model_settings": {"width": 8}}), data.joints)  # has buffers
    expected = {name: value.clone() for name, value in lifter.state_dict().items()}
    parameters = {name for name, _ in lifter.named_parameters()}
    average = make_average(lifter, 0.6)
    for step in range(1, 20):
        if step == 8:  # as if resumed
            stored = {name: value.clone() for name, value in average.module.state_dict().items()}
            average = make_average(lifter, 0.6)
            average.module.load_state_dict(stored)
            average.n_averaged.fill_(step)
        with torch.no_grad():
            for value in lifter.state_dict().values():
                value.add_(torch.randn_like(value))
        average.update_parameters(lifter)
        decay = min(0.6, (1 + step) / (10 + step))
        for name, value in lifter.state_dict().items():
            expected[name] = torch.lerp(expected[name], value, 1.0 - decay) if name in parameters else value.clone()
        assert not average.module.training
        assert all(torch.equal(value, expected[name]) for name, value in average.module.state_dict().items())


def test_schedule():
    config = TrainConfig(learning_rate=1.0, warmup=0.1, final_lr_factor=0.1)
    rates = [lr_factor(step, 100, config) for step in range(101)]
    assert rates[0] == pytest.approx(1 / 11)
    assert max(rates) == rates[10] == 1.0
    assert all(a > b for a, b in itertools.pairwise(rates[10:]))
    assert rates[100] == pytest.approx(0.1)
    constant = TrainConfig(learning_rate=1.0, warmup=0.0, final_lr_factor=1.0)
    assert {lr_factor(step, 100, constant) for step in range(100)} == {1.0}


def test_device_and_precision(tmp_path):
    assert choose("cpu", "auto", 1).bf16 == has_bf16()
    assert choose("cpu", "bf16", 1).bf16
    with pytest.raises(ConfigError, match="expected auto, cpu, cuda"):
        choose("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="use device='cpu'"):
            choose("cuda")
    flags = tmp_path / "cpuinfo"
    flags.write_text("flags : avx2 amx_bf16 amx_tile\n")
    assert has_bf16(flags)
    flags.write_text("flags : avx2 avx512_bf16\n")
    assert has_bf16(flags)
    flags.write_text("flags : avx2 avx512f\n")
    assert not has_bf16(flags)
    assert not has_bf16(tmp_path / "none")


def test_without_matplotlib_or_tensorboard(data_file, tiny, tmp_path, monkeypatch):
    for package in ("matplotlib.figure", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, package, None)
    result = fit.fit(data_file, tiny, tmp_path / "run", stop_after=1)
    assert "pip install 'mocapgen[report]'" in result.note
    assert not (tmp_path / "run" / "history.png").exists()
    with pytest.raises(ConfigError, match=r"pip install 'mocapgen\[tensorboard\]'"):
        fit.fit(data_file, TrainConfig(**{**tiny.model_dump(), "tensorboard": True}), tmp_path / "other")


def test_joints_without_pairs_are_told_that_nothing_was_composed(changed, tiny, tmp_path):
    def unpaired(file):
        pairs = file["/joint_sets/h36m17/symmetric_pairs"]
        attributes = dict(pairs.attrs)
        del file["/joint_sets/h36m17/symmetric_pairs"]
        file.create_dataset("/joint_sets/h36m17/symmetric_pairs", data=np.zeros((0, 2), dtype=pairs.dtype)).attrs.update(attributes)

    config = tiny.model_copy(update={"augment": tiny.augment.model_copy(update={"composition": PoseComposition(probability=0.5)})})
    assert "composed" not in fit.fit(changed(lambda file: None), config, tmp_path / "paired").note
    assert "nothing was composed" in fit.fit(changed(unpaired), config, tmp_path / "unpaired").note
