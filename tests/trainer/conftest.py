"""A small dataset file from the built-in source, and settings for runs of seconds."""

from __future__ import annotations

import shutil

import h5py
import numpy as np
import pytest
import torch

from mocapgen.pipeline import build
from schemas.config import BuildConfig
from schemas.train import TrainConfig
from trainer.data.batches import Items, Loader
from trainer.data.dataset import load
from trainer.fit import fit


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data_file(tmp_path_factory):
    """Sequences of four actions, five actors and two avatars, of 40 to 120 frames."""
    path = tmp_path_factory.mktemp("data") / "sample.h5"
    actions = ("walk", "hop*", "kick", "lieDown")
    build(BuildConfig(source="sample", out=path, actions=actions, avatars=("average_man", "child_10"), workers=1))
    return path


@pytest.fixture(scope="session")
def data(data_file):
    return load(data_file)


@pytest.fixture
def changed(data_file, tmp_path):
    """Return a function that copies the file, lets its argument change the copy, and returns the copy's path."""

    def change(edit):
        path = tmp_path / "changed.h5"
        shutil.copy(data_file, path)
        with h5py.File(path, "r+") as file:
            edit(file)
        return path

    return change


@pytest.fixture
def batch(data):
    """Six sequences of different lengths."""
    sequence = np.array([0, 3, 11, 17, 20, 25]) % len(data)
    return Loader(data).gather(Items(sequence, np.zeros(6, dtype=np.int64), np.minimum(data.length[sequence], [40, 61, 33, 50, 47, 64])))


@pytest.fixture
def tiny():
    """Settings of a run that takes a second."""
    return TrainConfig(
        precision="fp32",
        model="cvmnet",
        model_settings={"width": 16, "depth": 1},
        epochs=2,
        batch_size=8,
        threads=1,
        device="cpu",
        learning_rate=3e-3,
        ema=0.9,
        augment={"flip": 0.5, "speed": [0.8, 1.2], "camera": {"probability": 0.8, "random_rotation": 0.2}, "noise": 0.02},
    )


@pytest.fixture(scope="session")
def run_folder(data_file, tmp_path_factory):
    """A small model of the published kind, trained for a second."""
    config = TrainConfig(
        model="cvmnet",
        model_settings={"width": 16, "depth": 1},
        normalisation="image",
        head="direct",
        epochs=1,
        batch_size=16,
        threads=1,
        device="cpu",
        learning_rate=3e-3,
    )
    return fit(data_file, config, tmp_path_factory.mktemp("runs") / "plain").folder


@pytest.fixture(scope="session")
def live_folder(data_file, tmp_path_factory):
    """A small causal model that is told which joints are missing, and gives the root's path."""
    config = TrainConfig(
        model="stmixer",
        model_settings={"width": 16, "dilations": (1, 2), "causal": True, "patch": 1},
        target="absolute",
        confidence=True,
        augment={"missing": 0.1},
        epochs=1,
        batch_size=16,
        threads=1,
        device="cpu",
        learning_rate=3e-3,
    )
    return fit(data_file, config, tmp_path_factory.mktemp("runs") / "live").folder
