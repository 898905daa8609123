"""A user's own folder: who does what by table, pattern, name or folder; ids; what is left out and why; every wrong use one line."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocapgen.pipeline import build
from mocapgen.sources import source_class
from mocapgen.sources.base import Clip
from mocapgen.sources.folder import Folder
from mocapgen.sources.naming import NamePattern, read_table
from mocapgen.sources.selection import select_clips
from schemas.config import BuildConfig
from schemas.errors import ConfigError, SourceError


def config(root: Path | None, **settings: Any) -> BuildConfig:
    return BuildConfig.model_validate({"source": "folder", "root": root, "dry_run": True, "workers": 1, "long": "split", **settings})


def listed(root: Path, **settings: Any) -> dict[str, Clip]:
    return {clip.file: clip for clip in Folder(config(root, **settings)).list().clips}


def make(root: Path, *paths: str) -> Path:
    """Write files that are found, though not read, by a listing."""
    for number, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x" * (number + 1), encoding="utf-8")
    return root


def said(clip: Clip) -> tuple[str, str, str, float | None]:
    return clip.actor, clip.action, clip.take, clip.fps


def test_it_is_registered() -> None:
    assert source_class("folder") is Folder
    assert Folder.default_select == "all"


# Folders ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("ann/walk/07.bvh", ("ann", "walk", "07", None)),
        ("data/ann/walk/07.c3d", ("ann", "walk", "07", None)),
        ("walk/07.bvh", ("unknown", "walk", "07", None)),
        ("walk_07.bvh", ("unknown", "walk", "walk_07", None)),
        ("slow walk (2).bvh", ("unknown", "slow walk", "slow walk (2)", None)),
        ("007.bvh", ("unknown", "007", "007", None)),
        ("asfamc/ann/walk/07.amc", ("ann", "walk", "07", None)),
        ("lab/bvh-iclone/walk/07.bvh", ("lab", "walk", "07", None)),
        ("walk/C3D/07.c3d", ("unknown", "walk", "07", None)),
        ("ann/bvh_files/jump2.bvh", ("unknown", "ann", "jump2", None)),
        ("amcor/walk/07.bvh", ("amcor", "walk", "07", None)),  # no format
        ("a/b/HDM_BD_squat1Reps_001_60.amc", ("bd", "squat1Reps", "001", 60.0)),
        ("a/b/HDM_bd_squat1Reps_001_60.c3d", ("bd", "squat1Reps", "001", None)),  # its header says it
    ],
)
def test_actor_and_action_by_folders_and_known_names(tmp_path: Path, path: str, expected: tuple[object, ...]) -> None:
    assert said(listed(make(tmp_path, path))[path]) == expected


def test_ids_are_unique_also_those_of_windows(tmp_path: Path) -> None:
    make(tmp_path, "a.bvh", "a/300.bvh", "a/b/300.bvh", "b/x.bvh", "b/x.c3d", "b/x.v2.bvh")
    clips = listed(tmp_path)
    assert {file: clip.id for file, clip in clips.items()} == {
        "a.bvh": "a",
        "a/300.bvh": "a/300.bvh",  # "a/300" is the second window of "a"
        "a/b/300.bvh": "a/b/300",
        "b/x.bvh": "b/x",
        "b/x.c3d": "b/x",  # the same motion
        "b/x.v2.bvh": "b/x.v2",
    }
    selection = select_clips(Folder(config(tmp_path)).list(), config(tmp_path, select="all"))
    assert [[clip.file for clip in group] for group in selection.groups if len(group) > 1] == [["b/x.bvh", "b/x.c3d"]]


def test_what_is_no_clip_is_reported_or_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "a.bvh", "notes.txt", "more.zip", ".hidden.bvh", "poses.bvh/b.c3d", "alone.asf")
    listing = Folder(config(tmp_path)).list()
    assert [clip.file for clip in listing.clips] == ["a.bvh", "poses.bvh/b.c3d"]
    assert {skip.file: skip.reason for skip in listing.skipped} == {"more.zip": "not a clip", "poses.bvh": "not a clip"}


@pytest.mark.parametrize("name", ["walk.bvh", "walk.C3D", "walk.amc"])
def test_a_root_may_be_a_single_file(tmp_path: Path, name: str) -> None:
    make(tmp_path, name, "other.bvh", "walk.asf", "walk/01.bvh")
    (clip,) = Folder(config(tmp_path / name)).list().clips
    assert (clip.file, clip.action, clip.take) == (name, "walk", "walk")


# Patterns -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("{actor}_{action}_{take}", "x/bd_sit_down_01.bvh", ("bd", "sit_down", "01", None)),
        ("{take}-{action}", "ann/x/01-sit-down.bvh", ("ann", "sit-down", "01", None)),
        ("{action}@{fps}", "ann/x/walk@59.94.c3d", ("ann", "walk", "walk@59.94", 59.94)),
        ("{action}/{actor}*", "root/walk/ann (final).bvh", ("a", "walk", "ann (final)", None)),
        ("{action}/{actor} *", "root/walk/ann (final).bvh", ("ann", "walk", "ann (final)", None)),
        ("Mocap {actor}.BVH", "x/mocap bd.bvh", ("bd", "x", "mocap bd", None)),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, path: str, expected: tuple[object, ...]) -> None:
    assert said(listed(make(tmp_path, path), pattern=pattern)[path]) == expected


def test_a_suffix_in_a_pattern_counts(tmp_path: Path) -> None:
    listing = Folder(config(make(tmp_path, "a_1.bvh", "a_1.c3d"), pattern="{actor}_{take}.c3d")).list()
    assert [clip.file for clip in listing.clips] == ["a_1.c3d"]
    assert [(skip.file, skip.reason) for skip in listing.skipped] == [("a_1.bvh", "not a clip")]
    assert "--pattern {actor}_{take}.c3d" in listing.skipped[0].detail


WORD = st.text(st.characters(categories=["L", "N"], exclude_characters="İ"), min_size=1, max_size=8)


@given(actor=WORD, action=st.lists(WORD, min_size=1, max_size=3).map("_".join), take=WORD, fps=st.integers(1, 999))
def test_a_name_that_is_built_like_the_pattern_gives_its_parts_back(actor: str, action: str, take: str, fps: int) -> None:
    found = NamePattern("{actor}_{action}_{take}_{fps}").match(f"x.y/{actor}_{action}_{take}_{fps}.bvh")
    assert found == {"actor": actor, "action": action, "take": take, "fps": str(fps)}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{actr}_{take}", r"found \{actr\}; did you mean \{actor\}\?"),
        ("{}", r"found \{\}"),
        ("{actor", "each at most once, found '{actor'"),
        ("actor", "found 'actor'"),
        ("", "found ''"),
        ("{actor}{actor}", "each at most once"),
        ("{actor}}", "each at most once"),
    ],
)
def test_patterns_that_are_none(tmp_path: Path, pattern: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^pattern: .*{message}"):
        Folder(config(tmp_path, pattern=pattern))


def test_a_pattern_that_matches_nothing(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"expected files named like pattern=\{actor\}-\{take\}, found 2 .* files named otherwise, such as a_1\.bvh"
    ):
        listed(make(tmp_path, "a_1.bvh", "b.c3d"), pattern="{actor}-{take}")


def test_a_frame_rate_in_a_name_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^pattern: a@0\.bvh: fps: expected .* found '0'"):
        listed(make(tmp_path, "a@0.bvh"), pattern="{actor}@{fps}")


# Tables -------------------------------------------------------------------------------------------


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "clips.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_table_names_the_clips(tmp_path: Path) -> None:
    root = make(tmp_path / "data", "x/y/a.bvh", "x/y/é.c3d", "c.bvh")
    csv = table(tmp_path, '\ufeffFile, actor,action,take,fps\r\n\r\nx\\y\\a.bvh,ann,"walk, slowly",1,59.94\r\n./x/y/e\u0301.c3d,,,,\r\n')
    listing = Folder(config(root, table=csv)).list()
    assert [(clip.file, *said(clip)) for clip in listing.clips] == [
        ("x/y/a.bvh", "ann", "walk, slowly", "1", 59.94),
        ("x/y/é.c3d", "x", "y", "é", None),
    ]
    assert [(skip.file, skip.reason, skip.detail) for skip in listing.skipped] == [("c.bvh", "not selected", "the table does not name it")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a line of column names"),
        ("file,actor\n", "found no clip"),
        ("actor,action\na,b\n", r":1: expected the columns file and any of .* found 'actor,action'"),
        ("file;actor\na.bvh;b\n", r":1: expected the columns .* found 'file;actor'"),
        ("file,actor,actor\na.bvh,b,c\n", ":1: .*each once"),
        ("file,actor\na.bvh\n", r":2: expected 2 values \(file,actor\), found 1"),
        ("file,actor\n,b\n", ":2: expected a file, found none"),
        ("file,actor\na.bvh,b\n\na.bvh,c\n", ":4: expected each file once, found a.bvh also in line 2"),
        ('file,actor\na.bvh,"an\nn"\n', r":3: expected values without line breaks .* found 'an\\\\nn'"),
        ("file,fps\na.bvh,fast\n", ":2: fps: expected .* found 'fast'"),
        ("file,fps\na.bvh,nan\n", ":2: fps: expected .* found 'nan'"),
        ('file,actor\n"a.bvh,b\n', ":2: expected comma-separated values"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^table: .*clips.csv{message if message.startswith(':') else f': .*{message}'}") as error:
        read_table(table(tmp_path, text))
    assert "\n" not in str(error.value)


def test_tables_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"clips\.csv: expected a CSV file in UTF-8, found bytes that are not"):
        read_table(table(tmp_path, "file,actor\na.bvh,é\n", "latin-1"))
    with pytest.raises(ConfigError, match=r"none\.csv: expected a CSV file, found none; check the path"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match="expected a CSV file, found a folder"):
        read_table(tmp_path)
    with pytest.raises(ConfigError, match=r"^table: \\x00: "):
        read_table(Path("\0"))
    with pytest.raises(ConfigError, match="expected a CSV file, found none"):
        read_table(Path("/dev/zero"))  # it never ends


def test_a_table_that_names_unknown_files(tmp_path: Path) -> None:
    root = make(tmp_path / "data", "x/walk_01.bvh", "notes.txt")
    csv = table(tmp_path, "file,actor\nx/walk_01.bvh,ann\nwalk_01.bvh,ann\nx/walk_2.bvh,ann\n")
    with pytest.raises(
        ConfigError, match=r"clips\.csv:3: .* found none named walk_01\.bvh \(nor those of 1 more lines\); did you mean x/walk_01\.bvh\?"
    ):
        listed(root, table=csv)
    with pytest.raises(ConfigError, match=r"clips\.csv:2: expected a \.c3d file"):
        listed(make(root, "a.c3d"), table=csv, format="c3d")


# Wrong uses ---------------------------------------------------------------------------------------


def test_wrong_uses(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^root: expected the folder, zip or file with your motion, found none"):
        Folder(config(None))
    with pytest.raises(SourceError, match="found nothing; check the path"):
        Folder(config(tmp_path / "nowhere"))
    with pytest.raises(SourceError, match=r"expected \.amc, \.bvh, \.npz, \.c3d files, found 2 \.csv, 1 \.md; name the folder"):
        listed(make(tmp_path, "a.csv", "b.csv", "c.md"))
    with pytest.raises(SourceError, match=r"expected \.amc files, found .*1 \.bvh.*; give format=bvh"):
        listed(make(tmp_path, "a.bvh"), format="amc")
    with pytest.raises(ConfigError, match=r"profile 'nope': expected one of bandai_namco, .* found neither"):
        Folder(config(tmp_path, profile="nope"))
    with pytest.raises(ConfigError, match=r"^pattern and table: expected one of them, found both"):
        Folder(config(tmp_path, pattern="{actor}", table=tmp_path / "t.csv"))


# Reading ------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(data_dir: Path, tmp_path: Path) -> Path:
    """Three formats by three people."""
    cmu = data_dir / "cmu"
    files = {
        "ann/walk/1.bvh": cmu / "bvh-iclone/006/006_01.bvh",
        "bob/kata/1.bvh": cmu / "bvh-neo/135/135_01.bvh",
        "cat/climb/1.amc": cmu / "asfamc/01/01_01.amc",
        "cat/cat.asf": cmu / "asfamc/01/01.asf",
        "cat/climb/cat.asf": cmu / "asfamc/01/01.asf",
        "dan/take/1.c3d": data_dir / "hdm05/takes/dg/HDM_dg_06-03_03_120.c3d",
    }
    for target, source in files.items():
        (tmp_path / "mixed" / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, tmp_path / "mixed" / target)
    return tmp_path / "mixed"


def test_any_mix_in_a_folder_and_in_a_zip(mixed: Path) -> None:
    packed = Path(shutil.make_archive(str(mixed.parent / "packed"), "zip", mixed))
    reports = [build(config(root)) for root in (mixed, packed)]
    assert reports[0].detections == reports[1].detections
    assert [(found.file, found.profile, found.actor, found.action, found.confidence) for found in reports[0].detections] == [
        ("ann/walk/1.bvh", "iclone", "ann", "walk", 1.0),
        ("bob/kata/1.bvh", "neo", "bob", "kata", 1.0),
        ("cat/climb/1.amc", "vicon", "cat", "climb", 1.0),
        ("dan/take/1.c3d", "vicon41", "dan", "take", 1.0),
    ]
    assert [found.fps for found in reports[0].detections] == [60.0, 30.0, 120.0, 120.0]
    assert reports[0].skipped == ()


def test_a_table_s_frame_rate_counts(mixed: Path) -> None:
    csv = table(mixed, "file,fps\nann/walk/1.bvh,120\nbob/kata/1.bvh,\n")
    slow, fast = build(config(mixed)), build(config(mixed, table=csv))
    assert [found.fps for found in fast.detections] == [120.0, 30.0]
    assert slow.detections[0].frames == fast.detections[0].frames
    assert fast.frames < slow.frames


CHAIN = """HIERARCHY
ROOT trunk
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT branch
  {
    OFFSET 0 50 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 50 0
    }
  }
}
MOTION
Frames: 200
Frame Time: 0.01
"""


def test_what_is_not_sure_is_said_and_what_is_not_understood_is_skipped_with_its_names(mixed: Path) -> None:
    path = mixed / "bob/kata/1.bvh"
    numbers = itertools.count()
    header, motion = path.read_text(encoding="utf-8").split("MOTION")
    path.write_text(re.sub(r"(ROOT|JOINT) \S+", lambda line: f"{line[1]} thing{next(numbers)}", header) + "MOTION" + motion, encoding="utf-8")
    (mixed / "tree.bvh").write_text(CHAIN + "0 90 0 0 0 0 1 2 3\n" * 200, encoding="utf-8")
    report = build(config(mixed, format="bvh"))
    found = {detection.file: detection for detection in report.detections}
    assert found.keys() == {"ann/walk/1.bvh", "bob/kata/1.bvh"}
    assert found["bob/kata/1.bvh"].profile == "inferred"
    assert found["bob/kata/1.bvh"].confidence < 0.9
    (skip,) = report.skipped
    assert (skip.file, skip.reason) == ("tree.bvh", "unreadable")
    assert "trunk" in skip.detail
    assert "branch" in skip.detail
    assert "\n" not in skip.detail
