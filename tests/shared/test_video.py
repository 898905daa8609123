"""Videos: upright pictures with their times; whatever else is one line."""

import contextlib
import os

import numpy as np
import pytest

from mocapgen.shared import video as video_module
from mocapgen.shared.video import Video, is_video
from schemas.errors import DatasetError
from tests.videos import square, write_video

WALK = [square(20 + 4 * k, 48) for k in range(12)]


def test_pictures_have_the_time_of_the_file(tmp_path):
    for fps in (5.0, 25.0, 30_000 / 1001, 60_000 / 1001, 120.0):
        with Video(write_video(tmp_path / "a.mp4", WALK, fps)) as video:
            times = [picture.time for picture in video]
        assert video.fps == pytest.approx(fps, rel=1e-4)
        assert times == pytest.approx(np.arange(12) / fps, abs=1e-4)
        assert (video.width, video.height, video.expected, video.notes) == (160, 96, 12, [])


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".avi", ".webm"])
def test_containers(tmp_path, suffix):
    path = write_video(tmp_path / f"a{suffix}", WALK)
    assert is_video(path)
    with Video(path) as video:
        assert [round(picture.time * 25) for picture in video] == list(range(12))


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_phones_hold_the_picture_as_it_was_recorded(tmp_path, turn):
    upright = square(30, 20)
    with Video(write_video(tmp_path / "a.mp4", [np.rot90(upright, turn // 90)] * 3, turn=turn)) as video:
        assert (video.width, video.height) == (160, 96)
        for picture in video:
            assert np.abs(picture.image.astype(int) - upright).mean() < 3.0


def test_pixels_become_square(tmp_path):
    with Video(write_video(tmp_path / "a.mp4", WALK, pixel="3/2")) as video:
        assert (video.width, video.height) == (240, 96)
        assert next(iter(video)).image.shape == (96, 240, 3)


def test_gaps_between_pictures_are_kept(tmp_path):
    times = [0.0, 0.04, 0.12, 0.5, 0.7]
    with Video(write_video(tmp_path / "a.mp4", WALK[:5], times=times)) as video:
        assert [picture.time for picture in video] == pytest.approx(times, abs=1e-3)


def test_what_cannot_be_decoded_is_one_line(tmp_path):
    whole = write_video(tmp_path / "whole.mp4", WALK).read_bytes()
    from PIL import Image

    Image.fromarray(WALK[0]).save(tmp_path / "still.png")
    Image.fromarray(WALK[0]).save(tmp_path / "still.mp4", format="JPEG")
    cases = {
        "cut.mp4": (whole[: len(whole) // 2], "cut off or damaged"),
        "empty.mp4": (b"", "an empty file"),
        "text.mp4": (b"not a video\n" * 99, "none in a form that FFmpeg knows"),
        "noise.mp4": (np.random.default_rng(0).bytes(9999), "none in a form that FFmpeg knows"),
        "still.png": ((tmp_path / "still.png").read_bytes(), "a single picture"),
        "still.mp4": ((tmp_path / "still.mp4").read_bytes(), "a single picture"),
        "one.mp4": (write_video(tmp_path / "one.mp4", WALK[:1]).read_bytes(), "a single picture"),
    }
    for name, (content, expected) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DatasetError, match=expected) as error:
            Video(tmp_path / name)
        assert "\n" not in str(error.value)
    with pytest.raises(DatasetError, match="found nothing"):
        Video(tmp_path / "none.mp4")
    with pytest.raises(DatasetError, match="found a folder"):
        Video(tmp_path)


def test_a_video_that_ends_early_is_read_to_there_and_said(tmp_path):
    images = [np.random.default_rng(k).integers(0, 255, (96, 160, 3), dtype=np.uint8) for k in range(75)]
    whole = write_video(tmp_path / "a.mkv", images).read_bytes()
    (tmp_path / "a.mkv").write_bytes(whole[: len(whole) // 2])
    with Video(tmp_path / "a.mkv") as video:
        count = sum(1 for _ in video)
    assert 20 < count < 55
    assert any("cut off" in note for note in video.notes)


def test_noise_in_the_middle_never_crashes(tmp_path):
    whole = bytearray(write_video(tmp_path / "a.mp4", WALK * 3).read_bytes())
    for seed in range(20):
        random = np.random.default_rng(seed)
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 1 + seed):
            damaged[place] = random.integers(0, 256)
        (tmp_path / "b.mp4").write_bytes(damaged)
        with contextlib.suppress(DatasetError), Video(tmp_path / "b.mp4") as video:
            assert all(picture.image.shape == (video.height, video.width, 3) for picture in video)


def test_pipes_and_lists_of_other_files_are_no_videos(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    assert not is_video(tmp_path / "pipe.mp4")
    with pytest.raises(DatasetError, match="found a device, pipe or socket"):
        Video(tmp_path / "pipe.mp4")
    write_video(tmp_path / "a.ts", WALK)
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\na.ts\n#EXT-X-ENDLIST\n")
    (tmp_path / "joined.mp4").write_text("ffconcat version 1.0\nfile a.ts\n")
    for name in ("list.mp4", "joined.mp4"):
        with pytest.raises(DatasetError, match=r"^[^\n]*: expected a video, found ") as error:
            Video(tmp_path / name)
        assert len(str(error.value)) <= 300


@pytest.mark.parametrize("pixel", ["1/1", "8/1"])
def test_pictures_that_fill_the_memory_are_refused(tmp_path, monkeypatch, pixel):
    path = write_video(tmp_path / "a.mp4", WALK, pixel=pixel)
    monkeypatch.setattr(video_module, "MOST_PIXELS", 160 * 96 * 4 - 1 if pixel == "8/1" else 160 * 96 - 1)
    with pytest.raises(DatasetError, match=r"expected (a video|pictures of)"):
        Video(path)
