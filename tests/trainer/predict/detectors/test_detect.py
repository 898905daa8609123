"""From a video to keypoints, with a detector that is one file."""

import json

import numpy as np
import pytest

import trainer.predict.detectors as room
from mocapgen.shared.parts import part_names
from schemas.errors import ConfigError, DatasetError
from schemas.predictions import PredictConfig
from tests.videos import DETECTOR, square, write_video
from trainer.predict.detectors import detect, detector_names, mediapipe, write_keypoints
from trainer.predict.keypoints import read_keypoints
from trainer.predict.video import check_settings, keypoints_of_video


@pytest.fixture
def squares(tmp_path, monkeypatch):
    """Name of a detector in a file of its own."""
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "squares.py").write_text(DETECTOR)
    monkeypatch.setattr(room, "__path__", [*room.__path__, str(folder)])
    monkeypatch.setattr(room.__spec__, "submodule_search_locations", room.__path__)
    part_names.cache_clear()
    yield "squares"
    part_names.cache_clear()


def middle(person):
    return person[:, :2].mean(axis=0)


def test_a_detector_is_one_file(squares):
    assert {"mediapipe", "squares"} <= set(detector_names())
    with pytest.raises(ConfigError, match="detector: expected one of mediapipe, squares, found 'openpose'"):
        detect("a.mp4", "openpose")


def test_frames_are_at_their_times_in_upright_pixels(squares, tmp_path):
    images = [np.rot90(square(30 + 3 * k, 40), 1) for k in range(20)]
    images[7:10] = [np.rot90(square(-99, -99), 1)] * 3
    found = detect(write_video(tmp_path / "a.mp4", images, 50.0, turn=90), squares)
    assert (found.fps, found.width, found.height, found.layout, found.notes) == (50.0, 160, 96, "coco17", ())
    assert [k for k, people in enumerate(found.frames) if not people] == [7, 8, 9]
    offset = middle(found.frames[0][0]) - [30, 40]
    for k, people in enumerate(found.frames):
        if people:
            np.testing.assert_allclose(middle(people[0]) - offset, [30 + 3 * k, 40], atol=0.6)


def test_keypoints_are_read_back_as_they_were_found(squares, tmp_path):
    images = [square(30 + 3 * k, 40) if k % 5 else square(-99, -99) for k in range(20)]
    found = detect(write_video(tmp_path / "a.mp4", images), squares)
    write_keypoints(tmp_path / "a.json", found)
    back = read_keypoints(tmp_path / "a.json")
    assert (back.fps, back.width, back.height, back.layout) == (25.0, 160, 96, "coco17")
    seen = (back.people[0].confidence > 0).any(axis=1)
    assert np.flatnonzero(~seen).tolist() == [0, 5, 10, 15]
    with pytest.raises(DatasetError, match="exists already"):
        write_keypoints(tmp_path / "a.json", found)


def test_several_people_are_kept_apart(squares, tmp_path):
    images = [square(20 + 2 * k, 30, under=square(140 - 2 * k, 70, colour=(0, 255, 0))) for k in range(12)]
    found = detect(write_video(tmp_path / "a.mp4", images), squares)
    assert {len(people) for people in found.frames} == {2}
    write_keypoints(tmp_path / "a.json", found)
    assert len(json.loads((tmp_path / "a.json").read_text())["people"]) == 12
    person = read_keypoints(tmp_path / "a.json").people[0]
    assert np.abs(np.diff(person.positions[:, 5], axis=0)).max() < 5.0


def test_a_variable_rate_is_made_constant_and_said(squares, tmp_path):
    random = np.random.default_rng(0)
    times = np.concatenate([[0.0], np.cumsum(random.uniform(0.025, 0.06, 40))]).tolist()
    images = [square(20 + 60 * time, 48) for time in times]
    found = detect(write_video(tmp_path / "a.mp4", images, times=times), squares)
    assert any("variable frame rate" in note for note in found.notes)
    x = np.array([middle(people[0])[0] for people in found.frames])
    assert np.abs(x - x[0] - 60 * np.arange(len(x)) / found.fps).max() < 1.5


def test_dropped_pictures_are_gaps_and_said(squares, tmp_path):
    kept = [0, 1, 2, 3, 7, 8, 9, 10]
    found = detect(write_video(tmp_path / "a.mp4", [square(20 + k, 48) for k in kept], times=[k / 30 for k in kept]), squares)
    assert [k for k, people in enumerate(found.frames) if people] == kept
    assert found.notes == ("3 of 11 frames have no picture in the video",)


def test_a_video_without_people_is_one_line(squares, tmp_path):
    path = write_video(tmp_path / "a.mp4", [square(-99, -99)] * 5)
    with pytest.raises(DatasetError, match="expected a person in the video, squares 1 sees none in 5 pictures"):
        detect(path, squares)


def test_progress_is_reported(squares, tmp_path):
    steps = []
    detect(write_video(tmp_path / "a.mp4", [square(30, 30)] * 4), squares, progress=lambda *step: steps.append(step))
    assert steps == [(k, 4, "detecting") for k in (1, 2, 3, 4)]


def test_keypoints_of_a_video(squares, tmp_path):
    path = write_video(tmp_path / "a.mp4", [square(30, 30)] * 9)
    kept = tmp_path / "kept.json"
    found = keypoints_of_video(path, PredictConfig(detector=squares, keypoints_out=kept, fps=100.0))
    assert (found.fps, len(found.people), kept.is_file()) == (100.0, 1, True)
    assert "25 frames per second" in found.notes[0]


def test_settings_that_do_not_fit_are_refused(tmp_path):
    video = tmp_path / "a.mp4"
    cases = [
        (True, {"image": (640, 480)}, "image: a video says this itself"),
        (True, {"layout": "coco17"}, "layout: a video says this itself"),
        (False, {"keypoints_out": tmp_path / "k.json"}, "keypoints_out: only for a video"),
        (False, {"detector": "mediapipe"}, "detector: only for a video"),
        (True, {"keypoints_out": tmp_path / "k.csv"}, "ends in .json"),
    ]
    for is_video, options, expected in cases:
        with pytest.raises(ConfigError, match=expected):
            check_settings(is_video, video, PredictConfig(**options))
    check_settings(True, video, PredictConfig(keypoints_out=tmp_path / "k.json"))


def test_paths_of_settings_are_not_recorded(tmp_path):
    config = PredictConfig(keypoints_out=tmp_path / "k.json", detector_model=tmp_path / "m.task")
    assert str(tmp_path) not in config.model_dump_json()


def test_the_detectors_model_is_fetched_by_https_only(monkeypatch, tmp_path):
    pytest.importorskip("pooch")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache")
    monkeypatch.setattr(mediapipe, "MODEL_URL", "http://127.0.0.1:9/model.task")
    with pytest.raises(ConfigError, match=r"^detector_model: .* cannot be fetched \(.*expected an address that begins with https"):
        mediapipe._fetched()
