"""Small files to draw, in both camera frames, and predictions of them."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from mocapgen import build, open_dataset
from mocapgen.figures.drawn_sequence import DrawnSequence, read_sequence
from mocapgen.store.reader import Dataset
from schemas.config import BuildConfig
from schemas.conventions import file_conventions
from schemas.predictions import CONVENTIONS, PREDICTIONS_FORMAT, PREDICTIONS_LAYOUT

AVATARS = ("average_man", "child_10")
SHIFT_MM = 40.0
"""How far the predicted left wrist is from the true one."""


def write_predictions(path: Path, data: Dataset) -> Path:
    """Write what a model could have made of a dataset: the truth, but for the left wrist."""
    names, joints = data.joint_set("h36m17")
    positions = data.file["frames/positions_3d"][:][:, joints]
    positions[:, names.index("left_wrist"), 0] += SHIFT_MM / 1000.0
    clip = data.sequences["clip"]
    columns = {
        "/frames/positions_3d": positions,
        "/frames/positions_2d": data.file["frames/positions_2d"][:][:, joints],
        "/frames/confidence": np.ones(positions.shape[:2]),
        "/sequences/name": [f"{number}" for number in range(len(data))],
        "/sequences/clip": data.clips["id"][clip],
        "/sequences/actor": data.clips["actor"][clip],
        "/sequences/action": data.clips["action"][clip],
        "/joint_sets/<name>/joints": np.arange(len(names)),
    }
    texts = {"conventions": {name: file_conventions(data.camera_frame)[name] for name in CONVENTIONS}, "model": {}, "source": {}}
    with h5py.File(path, "w") as file:
        file.attrs.update({name: json.dumps(text) for name, text in texts.items()})
        file.attrs.update({"format": PREDICTIONS_FORMAT, "schema_version": "1.0", "generator": "tests", "fps": data.fps, "root": "predicted"})
        for array in PREDICTIONS_LAYOUT.arrays:
            where = array.path.replace("<name>", "h36m17")
            values = columns.get(array.path, data.file[where][()] if where in data.file else None)
            file.create_dataset(where, data=np.asarray(values).astype(h5py.string_dtype()) if array.dtype == "str" else np.asarray(values))
    return path


@pytest.fixture(scope="session", params=["unity", "opencv"])
def any_frame(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset in either camera frame."""
    return make(tmp_path_factory.mktemp(f"figures_{request.param}") / "data.h5", request.param)


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset: 2 clips on 2 avatars before 2 cameras each."""
    return make(tmp_path_factory.mktemp("figures") / "data.h5", "unity", camera="orbit:2")


def make(path: Path, frame: str, camera: str = "front") -> Path:
    settings = {"source": "sample", "actions": ("kick", "grabHigh"), "actors": ("sa",), "avatars": AVATARS, "camera": camera, "camera_frame": frame}
    build(BuildConfig.model_validate({**settings, "workers": 1, "out": path}))
    return path


@pytest.fixture(scope="session")
def predicted(path: Path) -> Path:
    """Predictions of that dataset."""
    with open_dataset(path) as data:
        return write_predictions(path.with_name("pred.h5"), data)


def clip_of(path: Path, action: str, avatar: str = AVATARS[0]) -> DrawnSequence:
    """Return one sequence of a dataset, before its first camera."""
    with open_dataset(path) as data:
        return read_sequence(data, next(row for row in data if row.clip["action"] == action and row.avatar == avatar))
