"""Real output of detectors, and reported files, from ../shared: never committed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import DatasetError
from trainer.predict.keypoints import Keypoints, read_keypoints

IMAGE = (1920, 1080)


def shared(repository: Path, name: str) -> Path:
    """Return a folder of ../shared; skip without it, fail in continuous integration."""
    folder = repository.parent / "shared" / name
    if not folder.is_dir():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no real files in {folder}")
    return folder


@pytest.fixture(scope="session")
def files(repository: Path) -> Path:
    return shared(repository, "detectors") / "files"


@pytest.fixture(scope="session")
def reports(repository: Path) -> Path:
    return shared(repository, "reports")


FILES = {
    "alphapose_coco17_with_gaps_silently_compressed.json": ("coco17", 227, 2),
    "alphapose_halpe26.json": ("halpe26", 40, 1),
    "alphapose_halpe26_boxing_301_frames.json": ("halpe26", 301, 1),
    "body25b_taken_for_body25.json": ("body_25b", 49, 1),
    "mediapipe33_pixels_own_format.json": ("mediapipe33", 60, 1),
    "mediapipe_landmarks.csv": ("mediapipe33", 60, 1),
    "mediapipe_landmarks.json": ("mediapipe33", 40, 1),
    "mmpose_inferencer_video.json": ("coco17", 60, 1),
    "openpose_body25_array.npy": ("body_25", 120, 1),
    "openpose_body25_treadmill": ("body_25", 90, 3),
    "openpose_coco18": ("coco18", 40, 1),
    "ultralytics_to_json_one_frame.json": ("coco17", 1, 1),
    "videopose3d_data_2d_custom_60frames.npz": ("coco17", 60, 1),
}


@pytest.mark.parametrize("name", FILES)
def test_real_files(files: Path, name: str) -> None:
    layout, frames, people = FILES[name]
    found = read_keypoints(files / name, fps=30, image=IMAGE)
    assert (found.layout, len(found.people[0].positions), len(found.people)) == (layout, frames, people)
    for person in found.people:
        assert np.isfinite(person.positions).all()
        seen = np.flatnonzero((person.confidence > 0).any(axis=1))
        middle = np.array([person.positions[row][person.confidence[row] > 0].mean(axis=0) for row in seen])
        near = np.diff(seen) == 1
        assert not len(seen) > 1 or np.linalg.norm(np.diff(middle, axis=0), axis=1)[near].max() < 100  # nobody jumps


def test_frames_keep_their_time_and_people_are_not_mixed(files: Path) -> None:
    """Two people: one jumps from a roof, the other one passes; the detector looks at one of them at a time."""
    path = files / "alphapose_coco17_with_gaps_silently_compressed.json"
    found = read_keypoints(path, fps=30, image=(1768, 994))
    seen = np.sum([(person.confidence > 0).any(axis=1) for person in found.people], axis=0)
    rows = [int(item["image_id"].split(".")[0]) for item in json.loads(path.read_text())]
    np.testing.assert_array_equal(np.flatnonzero(seen), rows)
    first = np.flatnonzero((found.people[0].confidence > 0).any(axis=1))
    assert first[[0, -1]].tolist() == [3, 226]
    assert not {*range(170, 201)} & set(first.tolist())


def test_a_stated_layout_that_is_wrong_is_refused(files: Path) -> None:
    with pytest.raises(DatasetError, match="found those of body_25b; give layout=body_25b"):
        read_keypoints(files / "body25b_taken_for_body25.json", "body_25", fps=30, image=IMAGE)


def report(reports: Path, name: str) -> Keypoints:
    return read_keypoints(next(reports.glob(f"{name}_*")), "h36m17", fps=30, image=IMAGE)


REPORTS = {
    "10": ("truth_A", [*range(30, 60)]),
    "11": ("truth_A", [*range(30, 60)]),
    "12": ("truth_A", []),
    "13": ("truth_A", [40]),
    "14": ("truth_id1", []),
}


@pytest.mark.parametrize("name", REPORTS)
def test_reported_files(reports: Path, name: str) -> None:
    truth, gone = REPORTS[name]
    person = report(reports, name).people[0]
    positions = np.load(reports / f"{truth}.npy")
    there = np.ones(64, dtype=bool)
    there[gone] = False
    np.testing.assert_allclose(person.positions[there, :17], positions[there], atol=1e-3)
    np.testing.assert_array_equal((person.confidence[:, :17] > 0).all(axis=1), there)
    assert (person.confidence[~there] == 0).all()


def test_zeros_mean_not_seen(reports: Path) -> None:
    confidence = report(reports, "15").people[0].confidence[:, :17]
    expected = np.ones((64, 17), dtype=bool)
    expected[20:40, 13] = expected[50:55] = False
    np.testing.assert_array_equal(confidence > 0, expected)
