"""``--person``: the largest, one by number, or everybody in one file."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from mocapgen.store import open_predictions
from schemas.errors import ConfigError, DatasetError
from schemas.predictions import PredictConfig
from tests.trainer.predict.keypoints.figures import keypoints
from trainer.predict.predict import predict

FRAMES = 50


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a small person, who is away for a second, and a large one."""
    small, large = keypoints("coco17", FRAMES, size=200.0, at=(400.0, 500.0)), keypoints("coco17", FRAMES, size=300.0, at=(1300.0, 500.0))
    frames = [[] if 15 <= row < 35 else [small[row].tolist()] for row in range(FRAMES)]
    people = [[*frame, large[row].tolist()] for row, frame in enumerate(frames)]
    path = tmp_path_factory.mktemp("two") / "two.json"
    path.write_text(json.dumps({"layout": "coco17", "fps": 30, "width": 1920, "height": 1080, "people": people}))
    return path


@pytest.mark.parametrize(("person", "middle"), [("largest", 1300.0), ("1", 1300.0), ("2", 400.0)])
def test_one_is_lifted(run_folder: Path, two: Path, tmp_path: Path, person: str, middle: float) -> None:
    predict(run_folder, two, tmp_path / "o.h5", PredictConfig(person=person), threads=1)
    with h5py.File(tmp_path / "o.h5") as file:
        found = file["/frames/positions_2d"][()]
        assert found.shape == (FRAMES, 17, 2)
        assert np.nanmean(found[..., 0]) == pytest.approx(middle, abs=60)
        assert json.loads(file.attrs["source"])["people"] == 2
        assert all(actor == b"" for actor in file["/sequences/actor"][()])


def test_everybody_is_in_one_file(run_folder: Path, two: Path, tmp_path: Path) -> None:
    written = predict(run_folder, two, tmp_path / "o.h5", PredictConfig(person="all"), threads=1)
    with open_predictions(tmp_path / "o.h5") as found:
        assert [(row.name, row.clip["actor"], row.start, row.length) for row in found] == [
            ("two person 1", "person 1", 0, 50),
            ("two person 2 0.000 s", "person 2", 50, 15),
            ("two person 2 1.167 s", "person 2", 85, 15),
        ]
        assert found.frames == 2 * FRAMES
    assert any(note.startswith("2 people, the largest first seen in 50, 30 frames; --person chooses") for note in written.notes)


def test_wrong_choices_are_one_line(run_folder: Path, two: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="expected person 3, found 2; give person=1 to 2, largest or all"):
        predict(run_folder, two, tmp_path / "o.h5", PredictConfig(person="3"), threads=1)
    for wrong in ("0", "everybody", "-1"):
        with pytest.raises((ConfigError, ValueError)):
            PredictConfig(person=wrong)
