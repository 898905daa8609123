"""Text of messages: quoted values, one line, and Python's keywords as options of the command line."""

import pytest

from mocapgen.shared.text import LONGEST_LINE, did_you_mean, one_line, option_words, quoted

OPTIONS = {
    "min_frames": "--min-frames",
    "max_frames": "--max-frames",
    "fps": "--fps",
    "source": "--source",
    "root": "--root",
    "pattern": "--pattern",
    "table": "--table",
    "overwrite": "--overwrite",
    "strict": "--strict",
    "categories": "--category",
    "image": "--image",
    "actors": "--actors",
    "camera_frame": "--camera-frame",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the setting that a message begins with
        ("min_frames: expected 1 or more, found 0", "--min-frames: expected 1 or more, found 0"),
        ("categories: unknown", "--category: unknown"),
        ("pattern and table: expected one of them", "--pattern and --table: expected one of them"),
        ("fps, root, and table: expected one of them", "--fps, --root, and --table: expected one of them"),
        ("image.width: expected 16 or more", "--image width: expected 16 or more"),
        ("actors[1]: expected a name", "--actors[1]: expected a name"),
        # a setting with a value
        ("a.h5: exists; take another name or overwrite=True", "a.h5: exists; take another name or --overwrite"),
        ("expected strict=False", "expected --no-strict"),
        ("is not supported by source='sample'; leave it out", "is not supported by --source sample; leave it out"),
        ("expected root='my files'", "expected --root 'my files'"),
        ("a lower fps=... helps", "a lower --fps helps"),
        ("set fps=30, or (fps=25)", "set --fps 30, or (--fps 25)"),
        # names with an underscore, anywhere
        ("expected fewer than max_frames, found 3", "expected fewer than --max-frames, found 3"),
        # what only looks like a setting
        ("expected fps and a root: none found", "expected fps and a root: none found"),
        ("build.yaml: min_frames: expected 1", "build.yaml: --min-frames: expected 1"),
        ("data/min_frames.h5: no such file", "data/min_frames.h5: no such file"),
        ("unknown setting 'max_frames'", "unknown setting 'max_frames'"),
        ("my.fps=3 stays", "my.fps=3 stays"),
        ("--fps=3 stays", "--fps=3 stays"),
        ("other=3 stays", "other=3 stays"),
    ],
)
def test_settings_are_called_options(text, expected):
    assert option_words(text, OPTIONS) == expected


def test_without_options_nothing_changes():
    assert option_words("min_frames: expected overwrite=True", {}) == "min_frames: expected overwrite=True"
    assert option_words("fps: expected overwrite=True", {"fps": "--fps"}) == "--fps: expected overwrite=True"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("orbit:x", "'orbit:x'"),
        (3.5, "3.5"),
        (None, "None"),
        ({"width": 3}, "{'width': 3}"),
        ([1, 2], "[1, 2]"),
        ("a\nb\x1b", r"'a\nb\x1b'"),
        (16**500, "an integer of 2,001 bits"),
    ],
)
def test_values_are_quoted_as_in_python(value, expected):
    assert quoted(value) == expected


LONG = ["x" * 10**6, list(range(10**6)), 16**5000, -(16**5000), {"k" * 300: "v" * 300}, b"\xff" * 5000, [[[[[[1]]]]]] * 20]


@pytest.mark.parametrize("value", LONG, ids=lambda value: type(value).__name__)
def test_long_values_are_cut(value):
    assert len(quoted(value)) <= 80


@pytest.mark.parametrize("subject", ["", "a.yaml", "/folder" * 100 + "/a.yaml", "\x00" * 100])
@pytest.mark.parametrize("text", ["short", "begin " + "m" * 1000 + " end", "\x1b\u2028" * 400, "two\nlines"])
@pytest.mark.parametrize("ending", ["", " (and 3 more)"])
def test_one_line_is_one_line(subject, text, ending):
    line = one_line(subject, text, ending)
    assert len(line) <= LONGEST_LINE
    assert line.isprintable()
    assert line.endswith(ending)


def test_of_a_long_line_both_ends_are_kept():
    line = one_line("/folder" * 100 + "/a.yaml:3", "expected " + "m" * 1000 + ", found 'x'")
    assert "/a.yaml:3: expected mm" in line
    assert line.endswith(", found 'x'")
    assert len(line) == LONGEST_LINE


def test_hints_of_very_long_names_take_no_time():
    assert did_you_mean("x" * 10**6, ["fps", "root"]) == "there are fps, root"
