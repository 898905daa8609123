"""Which sequences, frames and joints are shown; settings that are wrong."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocapgen import open_dataset
from mocapgen.figures.choose import frames_of, joints_of, range_of, sequences_of
from mocapgen.figures.output import gif_delays, play
from mocapgen.shared.config import settings
from schemas.errors import ConfigError
from schemas.render import RenderConfig


def chosen(path, **options):
    with open_dataset(path) as data:
        rows = sequences_of(data, settings(RenderConfig, {"out": "x.png", **options}))
        return [(str(data[row].clip["action"]), data[row].avatar, data[row].camera.rig) for row in rows]


def test_one_clip_its_first_avatar_and_camera(path):
    assert chosen(path) == [("grabHigh", "average_man", "orbit:2/0")]
    assert chosen(path, clip="sample_sa_kick_001_120", avatar="child_10", camera=1) == [("kick", "child_10", "orbit:2/1")]


def test_avatars_side_by_side(path):
    assert [avatar for _, avatar, _ in chosen(path, avatars="all")] == ["average_man", "child_10"]
    assert [avatar for _, avatar, _ in chosen(path, avatars="CHILD*")] == ["child_10"]


def test_a_sheet_has_each_clip_once_or_on_each_avatar_asked_for(path):
    assert chosen(path, sheet=True) == [("grabHigh", "average_man", "orbit:2/0"), ("kick", "average_man", "orbit:2/0")]
    assert len(chosen(path, sheet=True, avatars="all")) == 4
    assert chosen(path, sheet=True, actions="k*", avatar="child_10", camera=1) == [("kick", "child_10", "orbit:2/1")]
    assert len(chosen(path, sheet=True, clips="*grab*", actors="sa")) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"clip": "sample_sa_kik_001_120"}, ["clip", "found 'sample_sa_kik_001_120'", "did you mean sample_sa_kick_001_120"]),
        ({"avatar": "child"}, ["avatar", "did you mean child_10"]),
        ({"avatars": "x*"}, ["avatars", "there are average_man, child_10"]),
        ({"camera": 2}, ["camera", "cameras 0 to 1", "found 2"]),
        ({"sheet": True, "actions": "kcik"}, ["actions", "did you mean kick"]),
        ({"sheet": True, "actions": "kick", "clips": "*grab*"}, ["found none; loosen"]),
    ],
    ids=str,
)
def test_what_is_not_there(path, options, words):
    with pytest.raises(ConfigError) as raised:
        chosen(path, **options)
    assert all(word in str(raised.value) for word in words), str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"out": None}, "out: expected the file to write"),
        ({"out": "x.jpg"}, "out: expected a name that ends in .png, .svg, .pdf, .gif, .mp4, found 'x.jpg'"),
        ({"rrd": "x.rec"}, "rrd: expected a name that ends in .rrd"),
        ({"size": "10"}, "size: expected WIDTHxHEIGHT"),
        ({"size": "10x9000"}, "size: expected a width and a height of 64 to"),
        ({"size": "0x0"}, "size: "),
        ({"dpi": 0}, "dpi: input should be greater"),
        ({"fps": float("nan"), "out": "x.gif"}, "fps: "),
        ({"fps": 10.0}, "fps: a still picture has no frame rate"),
        ({"camera": -1}, "camera: "),
        ({"frame": -1}, "frame: "),
        ({"frame": 1, "count": 2}, "expected one of them"),
        ({"frame": 1, "out": "x.gif"}, "frames: an animation shows"),
        ({"sheet": True, "clip": "x"}, "clip: a sheet is of many clips"),
        ({"sheet": True, "count": 3}, "sheet: chooses its frames itself"),
        ({"sheet": True, "predictions": "x.h5"}, "sheet: takes no predictions"),
        ({"clips": "x"}, "add sheet"),
        ({"avatar": "a", "avatars": "b"}, "avatar: expected one of"),
        ({"avatars": "all", "count": 3}, "avatars: a filmstrip is of one avatar"),
        ({"avatars": ""}, "avatars: expected names"),
        ({"theme": "pink"}, "theme: "),
        ({"colour": "pink"}, "unknown setting 'colour'; there are out, rrd,"),
    ],
    ids=str,
)
def test_wrong_settings_are_one_line_that_names_the_option(options, words):
    with pytest.raises(ConfigError) as raised:
        settings(RenderConfig, {"out": "x.png", **options})
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0,10,20", [0, 10, 20]),
        ("5", [5]),
        ("0:60:20", [0, 20, 40]),
        ("95:", [95, 96, 97, 98, 99]),
        (":3", [0, 1, 2]),
        ("7, 2:4", [7, 2, 3]),
        ("99,0", [99, 0]),
    ],
)
def test_frames(text, expected):
    assert frames_of(text, 100) == expected


@pytest.mark.parametrize("text", ["", "a", "-1", "1-5", "0:10:0", "100", "0:101", "5:5", "1.5", "0,,1", "²", "1:2:3:4", "٣"])
def test_frames_that_are_none(text):
    with pytest.raises(ConfigError, match=r"^frames: expected"):
        frames_of(text, 100)


def test_the_part_of_a_clip_that_moves():
    assert range_of(None, 5) == range(5)
    assert range_of("1:4", 5) == range(1, 4)
    for text in ("0,1,2", "0:5:2", "3"):
        with pytest.raises(ConfigError, match="a range START:STOP"):
            range_of(text, 5)


def test_joints_by_wildcard():
    names = ("Hips", "LeftHand", "RightHand")
    assert joints_of(("*hand",), names) == {"LeftHand", "RightHand"}
    with pytest.raises(ConfigError, match=r"^trail: .*did you mean LeftHand"):
        joints_of(("LeftHnd",), names)


@given(st.integers(1, 400), st.floats(1.0, 240.0), st.floats(0.5, 1.0))
def test_an_animation_plays_at_the_speed_of_the_recording(length, source_fps, share):
    fps = source_fps * share
    frames = play(range(10, 10 + length), source_fps, fps)
    assert frames == sorted(frames)
    assert frames[0] == 10
    assert frames[-1] <= 9 + length
    assert abs(len(frames) / fps - length / source_fps) <= 0.5 / fps + 1e-9 or len(frames) == 1
    for k, frame in enumerate(frames):  # never more than a frame late
        assert k / fps - (frame - 10) / source_fps >= -1e-6
        assert k / fps - (frame - 10) / source_fps < 1.5 / source_fps + 1e-6 or frame == 9 + length


@given(st.integers(1, 500), st.floats(1.0, 50.0))
def test_delays_of_a_gif_add_up(count, fps):
    delays = gif_delays(count, fps)
    assert len(delays) == count
    assert min(delays) >= 2
    assert abs(sum(delays) - 100 * count / fps) <= 0.5 + 1e-6
    assert max(delays) - min(delays) <= 1
    assert max(delays) == math.ceil(100 / fps) or max(delays) == math.floor(100 / fps) or count < 3
