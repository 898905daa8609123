"""The command line: options against the configuration, exit statuses, one line per error, what is printed."""

import ast
import inspect
import re
import subprocess
import sys
import textwrap
import time
import types
import typing
from pathlib import Path

import pytest

from mocapgen.cli import main as cli
from mocapgen.cli.build import build
from mocapgen.shared import config as settings
from mocapgen.shared.progress import progress_bar
from mocapgen.shared.text import format_size, format_time, split_list, time_left
from schemas.config import BuildConfig
from schemas.errors import ConfigError
from schemas.report import BuildReport, Detection, Skip
from tests.conftest import REPOSITORY, commands_of

COMMANDS = sorted(commands_of(cli.cli).items())
OPTIONS = {option.name: option for option in build.params if option.name not in ("config", "json", "verbose", "quiet", "debug")}


def report(**changes) -> BuildReport:
    values = {"clips_found": 4, "clips_used": 4, "sequences": 20, "frames": 1234, "skipped": (), "bytes": 5_000_000, "seconds": 2.0}
    return BuildReport(**{**values, **changes})


@pytest.fixture
def built(monkeypatch):
    """Replace the pipeline: collects (config, progress) of every call; ``built.result`` is returned or raised."""
    record = types.SimpleNamespace(calls=[], result=report())

    def built(config, progress=None):
        record.calls.append((config, progress))
        if isinstance(record.result, BaseException):
            raise record.result
        return record.result

    monkeypatch.setattr("mocapgen.pipeline.build", built)
    return record


# Options and configuration ------------------------------------------------------------------------


def test_every_setting_has_an_option_and_no_option_lacks_a_setting():
    assert OPTIONS.keys() == BuildConfig.model_fields.keys()


@pytest.mark.parametrize("field", BuildConfig.model_fields)
def test_option_and_setting_have_the_same_default(field):
    default = build.make_context("build", []).params[field]
    if field == "image":
        default = settings.build_config({"image": default, "dry_run": True}).image
    assert default == BuildConfig.model_fields[field].get_default(call_default_factory=True)


@pytest.mark.parametrize("field", ["format", "long", "select", "camera_frame"])
def test_option_offers_the_choices_of_the_setting(field):
    annotation = BuildConfig.model_fields[field].annotation
    parts = typing.get_args(annotation) if type(None) in typing.get_args(annotation) else (annotation,)
    literal = next(part for part in parts if typing.get_origin(part) is typing.Literal)
    assert tuple(OPTIONS[field].type.choices) == typing.get_args(literal)


def test_help_lists_the_registered_sources():
    from mocapgen.sources import source_names

    listed = OPTIONS["source"].help.split(":", 1)[1].strip(" .")
    assert tuple(listed.split(", ")) == source_names()


def test_nothing_but_what_was_typed_reaches_the_configuration(call, built, tmp_path):
    out = tmp_path / "d.h5"
    assert call("build", "--out", out)[0] == 0
    assert built.calls[0][0] == BuildConfig(out=out)


def test_all_kinds_of_options(call, built):
    arguments = "build --dry-run --source sample --fps 25 --actors bd,mm --actors dg --actions hop*,squat --avatars tall_man --antialias"
    arguments += " --image 640x480 --camera orbit:8 --camera-frame opencv --long split --select all --strict --workers 2 --root some/folder"
    assert call(*arguments.split())[0] == 0
    config = built.calls[0][0]
    assert config.actors == ("bd", "mm", "dg")
    assert config.actions == ("hop*", "squat")
    assert config.avatars == ("tall_man",)
    assert (config.image.width, config.image.height) == (640, 480)
    assert (config.fps, config.antialias, config.strict, config.dry_run) == (25.0, True, True, True)
    assert config.root == Path("some/folder")


def test_options_override_the_file_and_defaults_do_not(call, built, tmp_path):
    path = tmp_path / "build.yaml"
    path.write_text(
        "source: sample\nfps: 60\nmin-frames: 7\nactors: bd, mm\nactions: [hop]\nimage: 320x200\nstrict: true\nout: a.h5\n", encoding="utf-8"
    )
    assert call("build", "--config", path, "--fps", "30", "--no-strict", "--actions", "squat")[0] == 0
    config = built.calls[0][0]
    assert (config.fps, config.strict, config.actions) == (30.0, False, ("squat",))
    assert (config.source, config.min_frames, config.actors, config.image.width) == ("sample", 7, ("bd", "mm"), 320)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fsp: 30", "build.yaml: unknown setting 'fsp'; did you mean 'fps'?"),
        ("qqqqqq: 30", "build.yaml: unknown setting 'qqqqqq'; there are source, root, out,"),
        ("fps: fast", "build.yaml: fps: input should be a valid number, found 'fast'"),
        ("image: {width: 3}", "build.yaml: image.width: input should be greater than or equal to 16, found 3"),
        ("a: b: c", "build.yaml:1: expected YAML, found: mapping values are not allowed"),
        ("fps: 30\nseed: 1\nfps: 60", "build.yaml:3: expected YAML, found: the key 'fps' twice, first in line 1"),
        ("image:\n  width: 64\n  width: 65", "build.yaml:3: expected YAML, found: the key 'width' twice, first in line 2"),
        ("min-frames: 3\nmin_frames: 4", "build.yaml: expected each setting once, found 'min_frames' twice, with dashes and without"),
        ("- fps", "build.yaml: expected build settings as 'key: value' lines, found a list"),
        ("camera: orbit:x", "build.yaml: camera: expected NAME or NAME:COUNT such as front, orbit:8 or random:4, found 'orbit:x'"),
    ],
)
def test_a_wrong_file_is_one_line(call, built, tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    Path("build.yaml").write_text(text, encoding="utf-8")
    status, out, err = call("build", "--config", "build.yaml", "--dry-run")
    assert (status, out, built.calls) == (2, "", [])
    assert err.startswith(f"mocapgen: error: {message}")
    assert err.count("\n") == 1


def test_a_missing_configuration_file_is_one_line(call, tmp_path):
    status, _, err = call("build", "--config", tmp_path / "no.yaml")
    assert status == 2
    assert err == f"mocapgen: error: {tmp_path / 'no.yaml'}: expected a YAML file of build settings, found nothing; check the path\n"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "{}"])
def test_an_empty_configuration_file_is_no_configuration(tmp_path, text):
    """More likely a file that was cut short than a wish for HDM05 with the default settings."""
    (tmp_path / "build.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"build\.yaml: expected build settings as 'key: value' lines, found none; for the defaults give no file"):
        settings.build_config({"dry_run": True}, tmp_path / "build.yaml")


def test_each_problem_is_one_line_with_the_name_of_its_option(call):
    status, _, err = call("build", "--out", "a.h5", "--fps", "0", "--min-frames", "0", "--camera", "Orbit")
    assert status == 2
    lines = err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("mocapgen: error: --") for line in lines)
    assert {line.split()[2].rstrip(":") for line in lines} == {"--fps", "--min-frames", "--camera"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--camera", "circle:4"], "--camera: expected one of front, orbit, random, with :COUNT for several cameras (orbit:8), found 'circle:4'"),
        (["--camera", "front:3"], "--camera: front is one camera, found front:3; several around the clip are orbit:3"),
        (["--source", "nowhere"], "--source: expected one of cmu, folder, hdm05, sample, found 'nowhere'"),
        (["--avatars", "nobody"], "--avatars: avatar 'nobody': expected one of small_woman, average_woman, average_man, tall_man, child_10, or"),
        (["--avatars", "tall_man,mocapgen/anatomy/avatars/tall_man.json"], "--avatars: expected different names, found tall_man, tall_man"),
        (["--fps", "nan"], "--fps: input should be a finite number, found nan"),
        (["--fov", "inf"], "--fov: input should be a finite number, found inf"),
        (["--scale", "nan"], "--scale: input should be a finite number, found nan"),
    ],
)
def test_problems_name_their_option(call, monkeypatch, arguments, message):
    monkeypatch.chdir(REPOSITORY)
    status, out, err = call("build", "--dry-run", *(["--source", "sample"] if "--source" not in arguments else []), *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"mocapgen: error: {message}")


def test_contradictions_name_the_options(call):
    assert call("build", "--out", "a.h5", "--min-frames", "9", "--max-frames", "8")[2] == (
        "mocapgen: error: --min-frames (9) must not exceed --max-frames (8)\n"
    )
    assert call("build")[2].startswith("mocapgen: error: --out: expected the path of the file to write")


@pytest.mark.parametrize("text", ["1920", "axb", "1920x1080x3", "-1x5", "1920 by 1080"])
def test_image_size_refuses(text):
    with pytest.raises(ConfigError, match=r"^image: expected WIDTHxHEIGHT"):
        settings.image_size(text)


def test_split_list_keeps_order_and_drops_blanks():
    assert split_list(("b, a", ",", "c")) == ("b", "a", "c")
    assert split_list("x,y") == ("x", "y")


# Errors and exit statuses -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["bulid"], "No such command 'bulid'"),
        (["build", "--fsp", "3"], "No such option"),
        (["build", "--fps", "fast"], "'fast' is not a valid float"),
        (["build", "--long", "keep"], "'keep' is not one of 'drop', 'split'"),
        (["inspect"], "Missing argument 'DATA.H5'"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(call, arguments, part):
    status, out, err = call(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert part in err
    assert "--help'" in err


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ConfigError("source: expected x, found y"), 2, "mocapgen: error: --source: expected x, found y\n"),
        (KeyboardInterrupt(), 130, "mocapgen: error: interrupted\n"),
        (OSError(28, "No space left on device", "d.h5"), 2, "mocapgen: error: d.h5: No space left on device\n"),
        (TimeoutError(), 2, "mocapgen: error: TimeoutError\n"),
        (MemoryError(), 2, "mocapgen: error: not enough memory for what was asked; ask for less at once, or use a machine with more\n"),
        (
            ZeroDivisionError("division by zero\nmore"),
            70,
            "mocapgen: error: unexpected ZeroDivisionError: division by zero; this is a bug: "
            "please report it with what --debug and `mocapgen info` print\n",
        ),
    ],
)
def test_exceptions_become_one_line(call, built, error, status, line):
    built.result = error
    found, out, err = call("build", "--out", "d.h5")
    assert (found, out, err.lstrip("\n")) == (status, "", line)


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (ConfigError("a\nb \x1b[31m\u202e"), ["mocapgen: error: a b \\x1b[31m\\u202e"]),
        (ConfigError("first", "second"), ["mocapgen: error: first", "mocapgen: error: second"]),
        (ConfigError("min_frames: " + "x" * 1000 + " end"), None),
    ],
)
def test_a_message_is_one_line_whatever_is_quoted_in_it(call, built, error, lines):
    built.result = error
    status, _, err = call("build", "--out", "d.h5")
    assert status == 2
    assert err.splitlines() == lines or (lines is None and len(err) == 301 and err.endswith("xxx end\n"))


@pytest.mark.parametrize("option", [(), ("--debug",)])
def test_warnings_for_developers_are_shown_with_debug_only(call, monkeypatch, option):
    import warnings

    from mocapgen.sources import sample

    def write_sample(*_):
        warnings.warn("only for us", RuntimeWarning, stacklevel=1)
        return 1

    monkeypatch.setattr(sample, "write_sample", write_sample)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        shown = []
        monkeypatch.setattr(warnings, "showwarning", lambda *told: shown.append(told))
        assert call("sample", "there", *option) == (0, "wrote 1 clips to there\n", "")
    assert len(shown) == len(option)


@pytest.mark.parametrize("place", ["before", "after"])
def test_debug_shows_the_traceback_and_keeps_the_status(call, built, place):
    built.result = ConfigError("no")
    arguments = ["--debug", "build", "--out", "d.h5"] if place == "before" else ["build", "--out", "d.h5", "--debug"]
    status, _, err = call(*arguments)
    assert status == 2
    assert "Traceback" in err
    assert err.endswith("mocapgen: error: no\n")


def test_a_reader_that_leaves_early_is_no_error():
    writer = [sys.executable, "-c", "from mocapgen.cli.main import main\nmain(['build', '--help'])"]
    with subprocess.Popen(writer, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        err = process.stderr.read()
    assert err == b""


# Commands -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [command for _, command in COMMANDS], ids=[name for name, _ in COMMANDS])
def test_every_command_has_help_with_an_example_and_is_short(command):
    assert command.help
    assert f"mocapgen {command.name}" in command.epilog
    function = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(command.callback)))).body[0]
    assert function.end_lineno - function.lineno < 15


def test_without_arguments_the_help_is_printed(call):
    status, out, err = call()
    assert (status, err) == (0, "")
    assert all(name in out for name, _ in COMMANDS)


def test_version(call):
    import mocapgen

    assert call("--version")[1] == f"mocapgen, version {mocapgen.__version__}\n"


def test_the_closing_table(call, built):
    skipped = [Skip(file="a.amc", reason="too short", detail="12 frames at 30 fps")]
    skipped += [Skip(file=f"b{index:02}[x].amc", reason="unreadable", detail=f"b{index:02}[x].amc: empty file") for index in range(12)]
    built.result = report(clips_found=17, skipped=tuple(skipped))
    status, out, err = call("build", "--out", "d.h5")
    assert (status, err) == (0, "")
    values = {line[2:17].strip(): line[17:].strip() for line in out.splitlines()[1:8]}
    assert values == {
        "clips found": "17",
        "clips used": "4",
        "clips skipped": "13: 12 unreadable, 1 too short",
        "sequences": "20",
        "frames": "1,234",
        "file": "d.h5, 5.0 MB",
        "time": "2.0 s",
    }
    assert out.count("  unreadable: b") == 10
    assert "  unreadable: b00[x].amc: empty file\n" in out
    assert "a.amc" not in out
    assert out.endswith("and 2 more; see /skipped in d.h5\n")


def detection(number: int, **changes) -> Detection:
    values = {"file": f"a/{number}.bvh", "format": "bvh", "profile": "neo", "confidence": 1.0, "metres_per_unit": 0.01, "up": "y", "fps": 30.0}
    return Detection(**{**values, "frames": 1000 + number, "actor": "ann", "action": "walk", "notes": ("unit cm, by profile neo",), **changes})


def test_a_dry_run_shows_how_each_file_was_understood(call, built):
    unsure = detection(1, profile="inferred", confidence=0.6, metres_per_unit=0.123, up="+Z", fps=59.94, notes=())
    built.result = report(detections=(detection(0), unsure))
    lines = call("build", "--dry-run")[1].splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["file", "format", "profile", "sure", "unit", "up", "rate", "frames", "actor", "action"],
        ["a/0.bvh", "bvh", "neo", "100", "%", "cm", "y", "30", "1,000", "ann", "walk"],
        ["a/1.bvh", "bvh", "inferred", "60", "%", "0.123", "m", "z", "59.94", "1,001", "ann", "walk"],
    ]
    assert "  understood as  1 bvh neo, 1 bvh inferred (60 % sure)" in lines
    assert "    unit cm, by profile neo" in call("build", "--dry-run", "-v")[1].splitlines()
    assert "a/0.bvh" not in call("build", "--out", "d.h5")[1]


def test_a_dry_run_lists_what_would_be_left_out(call, built):
    reasons = ("too long", "duplicate", "not selected", "not a clip")
    skipped = [Skip(file=f"{reason}.bvh", reason=reason, detail="because") for reason in reasons]
    built.result = report(clips_found=7, skipped=tuple(skipped), detections=(detection(0),))
    lines = call("build", "--dry-run")[1].splitlines()
    assert lines[lines.index("would be left out:") + 1 :] == [
        "  too long: too long.bvh: because",
        "  duplicate: duplicate.bvh: because",
        "  not a clip: not a clip.bvh: because",
    ]


def test_what_is_no_clip_is_not_counted_as_one(call, built):
    skipped = [Skip(file=f"{reason}.bvh", reason=reason, detail="because") for reason in ("too long", "not a clip", "not a clip")]
    built.result = report(clips_found=5, clips_used=4, skipped=tuple(skipped))
    lines = call("build", "--out", "d.h5")[1].splitlines()
    assert "  clips found    5" in lines
    assert "  clips skipped  1: 1 too long" in lines
    assert "  other files    2, which are no clips" in lines


def test_warnings_are_shown_without_asking(call, built):
    found = [detection(number, warnings=("60 frames per second as table or pattern say, not the 30 of the file",)) for number in range(12)]
    built.result = report(detections=tuple(found))
    lines = call("build", "--out", "d.h5")[1].splitlines()
    place = lines.index("to be checked:")
    assert lines[place + 1] == "  a/0.bvh: 60 frames per second as table or pattern say, not the 30 of the file"
    assert lines[place + 11] == "  and 2 more; use -v to list them"
    assert "  a/11.bvh: 60 frames" in call("build", "--out", "d.h5", "-v")[1]
    assert call("-q", "build", "--out", "d.h5") == (0, "", "")


def test_many_files_are_counted_by_how_they_were_understood(call, built):
    built.result = report(detections=(detection(0, profile="iclone"), *(detection(number) for number in range(1, 41))))
    lines = call("build", "--dry-run")[1].splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["40", "files", "bvh", "neo", "100", "%", "cm", "y", "30"],
        ["1", "file", "bvh", "iclone", "100", "%", "cm", "y", "30"],
        [],
    ]
    assert "a/40.bvh" in call("build", "--dry-run", "-v")[1]


def test_options_of_the_file_sources(call, built):
    arguments = "build --dry-run --source folder --category walk,run --category golf --pattern {actor}_{take} --table t.csv --profile my/own.yaml"
    assert call(*arguments.split(), "--lenient", "--scale", "0.01", "--up", "z")[0] == 0
    config = built.calls[0][0]
    assert (config.categories, config.pattern, config.table) == (("walk", "run", "golf"), "{actor}_{take}", Path("t.csv"))
    assert (config.profile, config.lenient, config.scale, config.up) == ("my/own.yaml", True, 0.01, "z")
    assert config.recorded()["profile"] == "own.yaml"  # no places in the file
    assert "table" not in config.recorded()


def test_verbose_lists_everything_skipped_and_quiet_nothing(call, built):
    built.result = report(skipped=(Skip(file="a.amc", reason="too short", detail="12 frames at 30 fps"),))
    assert "  too short: a.amc: 12 frames at 30 fps\n" in call("build", "--out", "d.h5", "-v")[1]
    assert "a.amc" not in call("build", "--out", "d.h5")[1]
    assert call("-q", "build", "--out", "d.h5") == (0, "", "")


def test_a_dry_run_names_no_file(call, built):
    out = call("build", "--dry-run")[1]
    assert out.startswith("would build\n")
    assert "file" not in out


def test_progress_is_a_bar_for_a_person_and_a_line_now_and_then_for_a_log(call, built, capsys, monkeypatch):
    call("build", "--out", "d.h5", "-q")
    assert built.calls[0][1] is None
    with progress_bar(-1, True) as progress:
        assert progress is None
    with progress_bar(0, True) as progress:
        for done in range(3):
            progress(done, 2, "clip [bold]")
    assert "2 of 2  0 s  clip [bold]" in capsys.readouterr().err
    clock = iter([0.0, 1.0, 31.0, 60.0, 61.0, 36_061.0, 36_200.0, 38_000.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with progress_bar(0, False) as progress:
        for done in range(7):
            progress(done, 1_000, f"clip\n{done}")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "1 of 1,000, about 8 h 36 min left: clip\\n1"
    assert [line.split()[0] for line in lines] == ["1", "3", "4", "6"]
    clock = iter([0.0, 31.0])
    with progress_bar(0, False, sizes=True) as progress:
        progress(12_300_000, 0, "archive.zip")
    assert capsys.readouterr().err == "12.3 MB: archive.zip\n"


@pytest.mark.parametrize(
    ("elapsed", "left", "text"),
    [(16.3, 94.2, "16 s, about 1 min 34 s left"), (59.6, 7500.0, "1 min 0 s, about 2 h 05 min left"), (3.0, 0.0, "3 s"), (3.0, None, "3 s")],
)
def test_time_so_far_does_not_read_as_time_left(elapsed, left, text):
    assert time_left(elapsed, left) == text


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_a_bar_fits_into_a_line(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    with progress_bar(0, True) as progress:
        progress(57, 4_000, "epoch 2 of 50, 98.8 mm on validation")
    line = next(line for line in re.split(r"\x1b\[\S*?[A-Za-z]|\r|\n", capsys.readouterr().err) if "of 4,000" in line)
    assert len(line) <= columns
    assert "57 of 4,000  0 s" in line
    assert ("98.8 mm on validation" in line) == (columns >= 80)


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (5e12, "5.0 TB")])
def test_sizes(size, text):
    assert format_size(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (59.9, "59.9 s"), (59.97, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")])
def test_times(seconds, text):
    assert format_time(seconds) == text


@pytest.mark.parametrize("option", ["--actors", "--actions", "--category", "--avatars"])
@pytest.mark.parametrize("value", ["", " , "])
def test_an_empty_list_does_not_mean_everything(call, built, option, value):
    status, out, err = call("build", "--dry-run", "--source", "cmu", option, value)
    assert (status, out, built.calls) == (2, "", [])
    assert err == f"mocapgen: error: {option}: expected names or wildcards, found nothing; leave it out to take all\n"


def test_sample_says_what_it_wrote(call, tmp_path):
    status, out, _ = call("sample", tmp_path / "motions")
    assert (status, out) == (0, f"wrote {len(list((tmp_path / 'motions').rglob('*.amc')))} clips to {tmp_path / 'motions'}\n")


def test_nothing_usable_quotes_the_telling_reason(call):
    status, _, err = call("build", "--dry-run", "--source", "sample", "--actions", "hop", "--fps", "0.5")
    assert status == 2
    assert "first: 2 frames at 0.5 fps" in err or "first: 1 frames at 0.5 fps" in err
