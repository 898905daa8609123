"""Predictions on their video: at the video's size and rate, aligned by time."""

import json

import h5py
import numpy as np
import pytest

from mocapgen.figures import render
from mocapgen.figures.overlay import read_shown
from mocapgen.shared.video import Video
from mocapgen.store.predictions import open_predictions
from mocapgen.view.backdrop import start_times
from schemas.errors import ConfigError
from schemas.render import RenderConfig
from tests.videos import write_video


def clip(path, predicted, fps, seconds=0.6, scale=0.25, shape=None):
    """Write a plain video in the shape of the predictions' camera."""
    with open_predictions(predicted) as data:
        camera = data[0].camera
    width, height = shape or (round(camera.width * scale) // 2 * 2, round(camera.height * scale) // 2 * 2)
    return write_video(path, [np.full((height, width, 3), 40 + k, dtype=np.uint8) for k in range(round(seconds * fps))], fps)


@pytest.mark.parametrize("fps", [25.0, 60_000 / 1001])
def test_the_video_keeps_its_length_and_rate(predicted, tmp_path, fps):
    source = clip(tmp_path / "clip.mp4", predicted, fps, 0.3, scale=0.1)
    render(predicted, RenderConfig(out=tmp_path / "out.mp4", video=source, size=(480, 220)))
    with Video(source) as before, Video(tmp_path / "out.mp4") as after:
        assert len([*before]) == len([*after]) == round(0.3 * fps)
        assert after.fps == pytest.approx(fps, rel=1e-4)
        assert after.height > before.height


@pytest.mark.parametrize("fps", [25.0, 30.0, 50.0, 60_000 / 1001])
def test_poses_are_those_of_the_time(predicted, tmp_path, fps):
    with open_predictions(predicted) as data, Video(clip(tmp_path / "clip.mp4", predicted, fps)) as video:
        shown = read_shown(data, video)[0]
        row = data[0]
        world, pixels = row.camera.to_world(row["positions_3d"]), row["positions_2d"]
        start = start_times(data)[0]
        for frame in range(8):
            at = (frame / fps - start) * data.fps
            if 0 <= at < row.length - 1:
                low = int(at)
                expected = (1 - at + low) * world[low] + (at - low) * world[low + 1]
                np.testing.assert_allclose(shown.sequence.poses.world[frame], expected, atol=1e-5)
                np.testing.assert_allclose(shown.keypoints[frame], (1 - at + low) * pixels[low] + (at - low) * pixels[low + 1], atol=1e-3)
        assert np.isnan(shown.sequence.poses.world[-1]).all()


def test_the_picture_changes_where_the_person_is(predicted, tmp_path):
    source = clip(tmp_path / "clip.mp4", predicted, 30.0, 0.1)
    render(predicted, RenderConfig(out=tmp_path / "out.mp4", video=source, theme="dark", size=(640, 300)))
    with Video(tmp_path / "out.mp4") as video:
        image = next(iter(video)).image.astype(int)
    assert np.any(image[..., 2] - image[..., 0] > 60)
    assert np.any(image[..., 0] - image[..., 2] > 60)


def test_what_does_not_fit_is_refused(predicted, path, tmp_path):
    upright = clip(tmp_path / "upright.mp4", predicted, 30.0, 0.1, shape=(90, 160))
    with pytest.raises(ConfigError, match=r"video: expected the video that .*pred.h5 was made from, of .* found 90 x 160"):
        render(predicted, RenderConfig(out=tmp_path / "out.mp4", video=upright))
    with pytest.raises(ConfigError, match="video: expected predictions to draw on it, found a dataset"):
        render(path, RenderConfig(out=tmp_path / "out.mp4", video=upright))
    with h5py.File(predicted) as file, h5py.File(tmp_path / "of_data.h5", "w") as copy:
        for name in file:
            file.copy(name, copy)
        copy.attrs.update({**file.attrs, "source": json.dumps({"camera": "of the dataset"})})
    with pytest.raises(ConfigError, match="video: expected predictions of a video, found those of a dataset"):
        render(tmp_path / "of_data.h5", RenderConfig(out=tmp_path / "out.mp4", video=upright))
    assert not (tmp_path / "out.mp4").exists()
    with pytest.raises(ValueError, match=r"ends in \.mp4"):
        RenderConfig(out=tmp_path / "out.png", video=upright)
    with pytest.raises(ValueError, match="drawn whole"):
        RenderConfig(out=tmp_path / "out.mp4", video=upright, frames="0:10")
