"""The folder of a run: new or resumed, with its settings and its split."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from mocapgen.shared.files import write_file
from mocapgen.shared.outputs import check_folder, check_target
from mocapgen.shared.text import one_line, quoted
from schemas.errors import ConfigError, DatasetError
from schemas.train import TrainConfig
from trainer.data.dataset import PoseData
from trainer.data.splits import Split, read_split_record, split_from_record
from trainer.model.shipped import RUN_FILES
from trainer.recipes.settings import read_run

NOT_COMPARED = frozenset({"epochs", "device", "precision", "compile", "threads", "cache", "tensorboard", "test_every"})
"""Settings that may differ when a run is resumed. With more epochs the learning rate follows the schedule of the new number of epochs."""


def check_run_folder(folder: Path, resume: bool, overwrite: bool) -> None:
    """Check that a folder holds a run to resume, or is free; of several processes only the first does it.

    Raises
    ------
    ConfigError
        If the folder is in use, or a file of the run that it holds is one that is read.
    DatasetError
        If there is no run to resume, or it is no folder.
    """
    if int(os.environ.get("RANK", 0)) > 0:
        return
    check_folder(folder)
    started = (folder / "config.json").exists()
    if resume:
        if not started:
            raise DatasetError(one_line(str(folder), "expected a run to resume, found none; start it without resume=True"))
    elif not (started and overwrite) and folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):  # a lock, a draft
        found = "a run" if started else "other files"
        raise ConfigError(one_line(str(folder), f"expected a folder that is free, found {found}; resume=True, overwrite=True or another out=..."))
    for name in RUN_FILES if started else ():
        check_target(folder / name, overwrite=True)


def clear_folder(folder: Path, resume: bool) -> None:
    """Make the folder of a run, and remove an old one that is not resumed: what training wrote, nothing else; only the first of several processes."""
    if int(os.environ.get("RANK", 0)) > 0:
        return
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        written = [*(folder / name for name in RUN_FILES), *folder.glob("evaluation-*.json"), *folder.glob("tensorboard/events.out.tfevents.*")]
        for path in sorted(written, key=lambda path: path.name == "config.json"):  # which makes it a run
            path.unlink(missing_ok=True)


def write_settings(folder: Path, config: TrainConfig, split: Split, data: PoseData) -> None:
    """Write settings and split."""
    write_json(folder / "config.json", config.model_dump(mode="json"))
    write_json(folder / "split.json", split.record(data))


def require_same_settings(folder: Path, config: TrainConfig) -> None:
    """Check that a run was started with these settings, except for :data:`NOT_COMPARED`.

    Raises
    ------
    ConfigError
        With the settings that differ.
    """
    old, new = read_run(folder).model_dump(), config.model_dump()
    names = [name for name in new if name not in NOT_COMPARED and new[name] != old[name]]
    differences = [f"{name} {quoted(new[name])} instead of {quoted(old[name])}" for name in names]
    if differences:
        raise ConfigError(one_line(str(folder), f"expected the settings that the run was started with, found others: {'; '.join(differences)}"))


def read_split(folder: Path, data: PoseData) -> Split:
    """Return the split of a run."""
    return split_from_record(data, read_split_record(folder))


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file, whole or not at all."""
    write_file(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
