"""The folder of a run: new or resumed, with its settings and its split."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from mocapgen.shared.files import write_file
from mocapgen.shared.outputs import check_target
from mocapgen.shared.text import one_line
from schemas.errors import ConfigError, DatasetError
from schemas.train import TrainConfig
from trainer.data.dataset import PoseData
from trainer.data.splits import Split, split_from_record
from trainer.model.shipped import RUN_FILES
from trainer.recipes.settings import read_run

NOT_COMPARED = frozenset({"epochs", "device", "precision", "compile", "threads", "tensorboard", "test_every"})
"""Settings that may differ when a run is resumed. With more epochs the learning rate follows the schedule of the new number of epochs."""


def check_folder(folder: Path, resume: bool, overwrite: bool) -> None:
    """Check that a folder holds a run to resume, or is free; of several processes only the first does it.

    Raises
    ------
    ConfigError
        If the folder is in use, or a file of the run that it holds is one that is read.
    DatasetError
        If there is no run to resume.
    """
    if int(os.environ.get("RANK", 0)) > 0:
        return
    started = (folder / "config.json").exists()
    if resume:
        if not started:
            raise DatasetError(f"{folder}: expected a run to resume, found none; start it without resume=True")
    elif not (started and overwrite) and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        found = "a run" if started else "other files" if folder.is_dir() else "a file"
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
    differences = [f"{name} {new[name]} instead of {old[name]}" for name in new if name not in NOT_COMPARED and new[name] != old[name]]
    if differences:
        raise ConfigError(f"{folder}: expected the settings that the run was started with, found others: {'; '.join(differences)}")


def read_split(folder: Path, data: PoseData) -> Split:
    """Return the split of a run."""
    return split_from_record(data, json.loads((folder / "split.json").read_text(encoding="utf-8")))


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file, whole or not at all."""
    write_file(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
