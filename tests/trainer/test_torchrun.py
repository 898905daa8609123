"""Several processes of one run, as torchrun starts them: they are one run, stop together, and an error of one ends all and is told once."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from schemas.train import TrainConfig
from trainer import fit
from trainer.model import checkpoint
from trainer.model.device import Compute

LIMIT = 120
"""Seconds after which processes hang."""

SCENARIOS = """
import os, sys, torch
from schemas.errors import ConfigError
from schemas.train import TrainConfig
from trainer import fit

data, config, out, ports = sys.argv[1], TrainConfig.model_validate_json(sys.argv[2]), sys.argv[3], sys.argv[4:]
torch.set_num_threads(1)

def attempt(what, folder, **options):
    os.environ["MASTER_PORT"] = ports.pop()
    try:
        fit.fit(data, config, folder, **options)
    except Exception as error:
        print(f"{what}|{type(error).__name__}|{error}", flush=True)

attempt("first", f"{out}/taken")
real = fit.sequence_losses
if os.environ["RANK"] == "1":
    fit.sequence_losses = lambda predicted, *rest: real(predicted * float("nan"), *rest)
attempt("second", f"{out}/nan")
"""


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def config(tiny):
    """Batches of 7, of which the last is a single sequence: smaller than the number of processes."""
    return TrainConfig(**{**tiny.model_dump(), "ema": 0.0, "batch_size": 7, "epochs": 3})


@pytest.fixture
def start(tmp_path, data_file, config):
    """Return a function that starts torchrun on a run of these settings."""
    (tmp_path / "config.yaml").write_text(config.model_dump_json())
    running = []

    def run(*options, of_the_run=()):
        words = ["torch.distributed.run", *options, "-m", "trainer", "fit", str(data_file), "--config", str(tmp_path / "config.yaml")]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", *words, "--out", str(tmp_path / "run"), *of_the_run]
        running.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.communicate()


def history(folder: Path):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_stopped_and_resumed_it_is_the_run_of_one_process(data_file, config, tmp_path, start):
    """Gradients over two processes are those over one, up to the order of sums: first of one machine, then of two, here both this one."""
    process = start("--standalone", "--nproc-per-node", "2")
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    assert next(line for line in lines if line.startswith("epoch "))
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split() if sys.platform == "linux" else []
    for number in (*map(int, workers), process.pid):  # which passes the signal on: the workers receive it twice
        os.kill(number, signal.SIGINT)
    shown, error = process.communicate(timeout=LIMIT)
    assert shown == ""
    told = [line for line in error.splitlines() if line.startswith("trainer: ")]
    assert len(told) == 1
    assert told[0].startswith("trainer: stopped and saved after ")
    assert "go on with: torchrun --nproc-per-node 2 -m trainer fit " in told[0]
    assert "trainer/fit.py" not in error  # nothing of ours in a traceback
    done = checkpoint.read(tmp_path / "run" / "last.safetensors").progress
    assert 0 < done.step < 3 * 10

    address = ("--nnodes", "2", "--nproc-per-node", "1", "--master-addr", "127.0.0.1", "--master-port", free_port())
    machines = [start(*address, "--node-rank", str(number), of_the_run=("--resume",)) for number in range(2)]
    shown, errors = zip(*(machine.communicate(timeout=LIMIT) for machine in machines), strict=True)
    assert [machine.returncode for machine in machines] == [0, 0], errors
    assert shown[0].count("written to") == 1
    assert "written to" not in shown[1]

    single = fit.fit(data_file, config, tmp_path / "one").folder
    one, several = (checkpoint.read(folder / "last.safetensors").tensors for folder in (single, tmp_path / "run"))
    for name in one:
        if name.startswith("model."):
            assert torch.allclose(one[name], several[name], atol=2e-4), name
    for mine, theirs in zip(history(single), history(tmp_path / "run"), strict=True):
        for figure in ("loss", "train_mpjpe_mm", "validation_mpjpe_mm", "gradient_norm"):
            assert theirs[figure] == pytest.approx(mine[figure], rel=2e-3), figure


def test_an_error_of_one_process_ends_all_and_is_told_once(data_file, config, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("precious")
    # As torchrun keeps one, beyond the end of a process.
    stores = [torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False) for _ in range(2)]
    command = [sys.executable, "-c", SCENARIOS, str(data_file), config.model_dump_json(), str(tmp_path), *(str(store.port) for store in stores)]
    address = {"MASTER_ADDR": "127.0.0.1", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    environment = {**os.environ, **address, "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(command, env={**environment, "RANK": str(rank)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for rank in (0, 1)
    ]
    try:
        outputs = [process.communicate(timeout=LIMIT) for process in processes]
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    assert ["Traceback" in error for _, error in outputs] == [False, False], outputs
    first, other = ([line.split("|") for line in shown.splitlines()] for shown, _ in outputs)
    assert [line[:2] for line in first] == [["first", "ConfigError"], ["second", "FailedElsewhere"]]
    assert [line[:2] for line in other] == [["first", "FailedElsewhere"], ["second", "ConfigError"]]
    for place, words in enumerate(("expected a folder that is free, found other files", "expected a finite loss")):
        assert words in first[place][2]
        assert first[place][2] == other[place][2]
    assert sorted(path.name for path in (tmp_path / "taken").iterdir()) == ["thesis.txt"]


@pytest.mark.parametrize(("count", "world"), [(1, 2), (3, 2), (3, 4), (8, 4), (5, 8)])
def test_every_row_of_a_batch_counts_once(count, world):
    weight = np.zeros(count)
    for rank in range(world):
        rows, share = Compute(torch.device("cpu"), False, 1, rank, world).part(count)
        assert len(weight[rows])  # a network needs something to compute
        weight[rows] += share
    assert weight.tolist() == [1.0] * count


def test_a_second_ctrl_c_ends_at_once_but_the_same_one_twice_does_not(monkeypatch):
    from trainer.runs.interrupt import interruptible

    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with interruptible() as asked:
        assert not asked()
        for clock[0] in (0.0, 0.5, 1.0):
            signal.raise_signal(signal.SIGINT)
        assert asked()
        clock[0] = 1.5
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
