"""What the tab key offers: through the protocol of the shells, from what is there, and without anything heavy."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import click
import pytest
from click.shell_completion import BashComplete

from trainer.cli._complete import layout_names, shipped_names
from trainer.cli.main import cli
from trainer.model import shipped
from trainer.predict.keypoints.layouts import LAYOUTS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("data.h5", "notes.md", "more/other.h5", "runs/first/best.safetensors", "runs/second/last.safetensors", "runs/broken/log.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


OFFERED = {
    "ev": ["evaluate"],
    "evaluate ": ["default", "default-causal", "runs/first", "runs/second", "more/", "runs/"],
    "evaluate runs/f": ["runs/first"],
    "evaluate runs/first ": ["data.h5", "more/", "runs/"],
    "evaluate runs/first mo": ["more/other.h5"],
    "evaluate runs/first ./d": ["./data.h5"],
    "evaluate runs/first data.h5 --side te": ["test"],
    "fit data.h5 --recipe video": ["video", "video-causal", "videopose"],
    "fit data.h5 --split ": ["clip", "random", "all", "actor=", "action=", "more/", "runs/"],
    "fit data.h5 --model cv": ["cvmnet"],
    "predict default clip.mp4 --layout MPI": ["mpi15", "mpii16"],
    "predict default clip.mp4 --detector ": ["mediapipe"],
    "experiments data.h5 --only A,C": ["A,clip", "A,C", "A,CMU"],
    "experiments data.h5 --recipes paper,vid": ["paper,video", "paper,video-causal", "paper,videopose"],
    "models ": ["default", "default-causal"],
}


@pytest.mark.parametrize("line", OFFERED)
def test_values_are_offered(folder, line):
    *words, incomplete = line.split(" ")
    found = BashComplete(cli, {}, "trainer", "_TRAINER_COMPLETE").get_completions(words, incomplete)
    assert [item.value for item in found] == OFFERED[line]


def test_where_nothing_fits_any_file_is_offered(folder):
    (found,) = BashComplete(cli, {}, "trainer", "_TRAINER_COMPLETE").get_completions(["fit"], "none/x")
    assert (found.type, found.value) == ("file", "none/x")


def test_names_that_are_read_without_imports_are_the_real_ones():
    assert layout_names() == list(LAYOUTS)
    assert shipped_names() == shipped.shipped_names()


def test_every_option_that_takes_a_name_offers_some():
    context = click.Context(cli)
    silent = {
        (name, option.name)
        for name in cli.list_commands(context)
        for option in cli.get_command(context, name).params
        if option.name in ("model", "data", "recipe", "recipes", "split", "device", "joint_set", "layout", "detector", "cmu")
        and not option.shell_complete(context, "")
    }
    assert silent == set()


def test_the_protocol_of_bash_imports_nothing_heavy(folder):
    words = {"COMP_WORDS": "trainer evaluate runs/fi", "COMP_CWORD": "2", "_TRAINER_COMPLETE": "bash_complete"}
    command = [sys.executable, "-X", "importtime", "-c", "from trainer.cli.main import main; main()"]
    done = subprocess.run(command, env={**os.environ, **words}, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["plain,runs/first"]
    assert not re.findall(r"\| +(torch|numpy|h5py|scipy|pydantic|safetensors)$", done.stderr, re.MULTILINE)
