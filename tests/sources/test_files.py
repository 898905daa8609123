"""What file-based sources share: skeletons, formats side by side, and from bytes to motions with roles."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from mocapgen.formats.asf import parse_asf
from mocapgen.pipeline import build
from mocapgen.reading.understand import ReadOptions
from mocapgen.sources.base import READING_SETTINGS, SOURCE_SETTINGS, Clip, check_settings, source_class, source_names
from mocapgen.sources.file_tree import Contents, Entry
from mocapgen.sources.files import Skeletons, format_of, read_motion
from mocapgen.sources.folder import Folder
from mocapgen.sources.selection import select_clips
from schemas.config import BuildConfig
from schemas.errors import ConfigError, FormatError, SourceError
from schemas.profile import REQUIRED_ROLES

FIGURE_ASF = """:version 1.10
:name figure
:units
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name spine
    direction 0 1 0
    length 10
    axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root spine
  end
"""


def skeletons(*paths: str) -> Skeletons:
    return Skeletons.of(Contents(tuple(Entry(path, 1) for path in paths), (), ()))


def clip(file: str, fps: float | None = None) -> Clip:
    return Clip("some clip", file, "ann", "walk", "1", fps)


@pytest.mark.parametrize(
    ("path", "expected"), [("a/b.AMC", "amc"), ("b.bvh", "bvh"), ("x.y.C3d", "c3d"), ("b.asf", None), ("bvh", None), (".bvh/readme", None)]
)
def test_formats_by_suffix(path: str, expected: str | None) -> None:
    assert format_of(path) == expected


@pytest.mark.parametrize(
    ("file", "files", "expected"),
    [
        ("a/01_02.amc", ("a/01.asf", "a/02.asf"), "a/01.asf"),
        ("a/01_02.AMC", ("a/01_02.ASF", "a/01.asf"), "a/01_02.ASF"),  # the longest
        ("a/b/HDM_bd_hop_001_120.amc", ("hdm_BD.asf", "a/c/HDM_bd.asf"), "hdm_BD.asf"),  # above, not beside
        ("a/b/01_02.amc", ("01.asf", "a/01.asf"), "a/01.asf"),  # the nearest
        ("a/011_1.amc", ("a/01.asf", "a/02.asf"), None),  # 01 begins the name, but not a word of it
        ("a/walk.amc", ("a/someone.asf",), "a/someone.asf"),  # the only one beside it
        ("a/walk.amc", ("a/someone.asf", "a/other.asf"), None),
        ("a/walk.amc", ("someone.asf",), None),  # above it, only a fitting name counts
    ],
)
def test_the_skeleton_of_an_amc_file(file: str, files: tuple[str, ...], expected: str | None) -> None:
    assert skeletons(*files).fitting(file) == expected


def test_a_missing_skeleton_is_reported_with_where_it_was_looked_for() -> None:
    skip = skeletons("a/b/x.asf", "a/b/y.asf").missing("a/b/walk.amc", "walk.asf")
    assert (skip.file, skip.reason) == ("a/b/walk.amc", "no skeleton")
    assert "expected its skeleton walk.asf (any case) in a/b or a or . (. is the root), found x.asf, y.asf beside it" in skip.detail


# Motions ------------------------------------------------------------------------------------------


def test_every_format_gives_a_motion_with_roles(data_dir: Path) -> None:
    cmu = data_dir / "cmu"
    asf = parse_asf((cmu / "asfamc/01/01.asf").read_bytes(), "01.asf")
    expected = {
        "asfamc/01/01_01.amc": ("amc", "vicon", pytest.approx(0.0254 / 0.45), "y", 120.0),
        "bvh-cgspeed/01/01_01.bvh": ("bvh", "cgspeed", pytest.approx(0.0254 / 0.45), "y", 120.0),
        "bvh-neo/85/85_12.bvh": ("bvh", "neo", 0.01, "y", 30.0),
        "bvh-iclone/006/006_02.bvh": ("bvh", "iclone", 0.01, "y", 60.0),
        "c3d/85_12.c3d": ("c3d", "vicon41", 0.001, "+Z", 120.0),
    }
    for file, facts in expected.items():
        read = read_motion((cmu / file).read_bytes(), clip(file), asf)
        found = read.detection
        assert found is not None
        assert read.roles is not None
        assert (found.format, found.profile, found.metres_per_unit, found.up, found.fps) == facts
        assert (found.frames, found.actor, found.action, found.confidence) == (len(read.motion), "ann", "walk", 1.0)
        assert all(read.roles.joints[role] in read.motion.skeleton for role in REQUIRED_ROLES)
        assert read.motion.name == "some clip"
        assert not any(note.startswith(file) for note in found.notes)
        rest = read.motion.skeleton.rest_positions
        top, foot = (rest[read.motion.skeleton.index(read.roles.joints[role])] for role in ("Head", "LeftFoot"))
        assert 1.1 < top[1] - foot[1] < 1.8  # metres, upright


def test_a_rate_said_beside_the_file_overrides_it(data_dir: Path) -> None:
    file = "bvh-neo/135/135_01.bvh"
    data = (data_dir / "cmu" / file).read_bytes()
    own, said = read_motion(data, clip(file)), read_motion(data, clip(file, 60.0))
    assert (own.motion.fps, said.motion.fps) == (30.0, 60.0)
    assert np.array_equal(own.motion.rotations, said.motion.rotations)
    assert said.detection is not None
    contradiction = "60 frames per second as table or pattern say, not the 30 of the file"
    assert said.detection.warnings == (contradiction,)
    assert contradiction in said.detection.notes


def test_an_amc_file_without_a_rate_says_so(data_dir: Path) -> None:
    asf = parse_asf((data_dir / "cmu/asfamc/01/01.asf").read_bytes(), "01.asf")
    data = (data_dir / "cmu/asfamc/01/01_01.amc").read_bytes()
    found = [read_motion(data, clip("01_01.amc", fps), asf).detection for fps in (None, 60.0)]
    assert [(detection.fps, len(detection.notes)) for detection in found if detection] == [(120.0, 1), (60.0, 0)]


def test_what_the_user_says_of_bvh_files_counts(data_dir: Path) -> None:
    file = "bvh-iclone/007/007_01.bvh"  # its pelvis does not move vertically
    data = (data_dir / "cmu" / file).read_bytes()
    with pytest.raises(FormatError, match=r"007_01\.bvh: .* vertical motion is lost"):
        read_motion(data, clip(file))
    found = read_motion(data, clip(file), None, ReadOptions(profile="iclone", lenient=True, scale=0.02)).detection
    assert found is not None
    assert found.metres_per_unit == 0.02
    assert any("vertical" in note for note in found.notes)


def test_a_sound_file_with_joints_that_nobody_knows_can_still_be_read(tmp_path: Path) -> None:
    """Whether it can be retargeted is another question, and answered there."""
    (tmp_path / "figure.asf").write_text(FIGURE_ASF, encoding="ascii")
    frames = "".join(f"{frame}\nroot 0 1 0 0 0 0\n" for frame in range(1, 201))
    (tmp_path / "figure.amc").write_text(f":FULLY-SPECIFIED\n:DEGREES\n{frames}", encoding="ascii")
    config = BuildConfig.model_validate({"source": "folder", "root": tmp_path, "dry_run": True, "workers": 1})
    source = Folder(config)
    read = source.read(source.list().clips[0])
    assert (len(read.motion), read.roles, read.detection) == (200, None, None)
    with pytest.raises(SourceError, match=r"found 1 cannot retarget; first: figure\.amc: .*not understood: root, spine"):
        build(config)


# Formats side by side -----------------------------------------------------------------------------


@pytest.fixture
def take(data_dir: Path, tmp_path: Path) -> Path:
    """One take as AMC and as C3D."""
    for path in (data_dir / "hdm05/takes/dg").iterdir():
        shutil.copyfile(path, tmp_path / path.name)
    return tmp_path


def used(root: Path, **settings: object) -> tuple[list[str], dict[str, str]]:
    config = BuildConfig.model_validate({"source": "folder", "root": root, "dry_run": True, "select": "all", **settings})
    selection = select_clips(Folder(config).list(), config)
    return [clip.file for group in selection.groups for clip in group], {skip.file: f"{skip.reason}: {skip.detail}" for skip in selection.skipped}


def built(root: Path, **settings: object) -> tuple[list[str], dict[str, str]]:
    """Return the files used, and what is said of the others."""
    report = build(BuildConfig.model_validate({"source": "folder", "root": root, "dry_run": True, "workers": 1, **settings}))
    return [found.file for found in report.detections], {skip.file: f"{skip.reason}: {skip.detail}" for skip in report.skipped}


def test_the_same_motion_in_two_formats_is_used_once(take: Path) -> None:
    amc, c3d = "HDM_dg_06-03_03_120.amc", "HDM_dg_06-03_03_120.c3d"
    assert used(take) == ([amc, c3d], {})  # candidates, the better one first
    assert built(take) == ([amc], {c3d: f"duplicate: the same clip id as {amc}"})
    assert used(take, format="c3d") == ([c3d], {})
    (take / "HDM_dg.asf").unlink()
    files, skipped = used(take)
    assert files == [c3d]  # the better format cannot be read
    assert skipped[amc].startswith("no skeleton: ")


@pytest.mark.parametrize("select", ["all", "one-per-actor"])
def test_where_the_better_format_is_damaged_the_other_is_used(take: Path, select: str) -> None:
    amc, c3d = "HDM_dg_06-03_03_120.amc", "HDM_dg_06-03_03_120.c3d"
    (take / amc).write_bytes((take / amc).read_bytes()[:5000])
    files, skipped = built(take, select=select)
    assert files == [c3d]
    assert skipped.keys() == {amc}
    assert skipped[amc].startswith(f"unreadable: {amc}:")


# Settings that not every source supports ---------------------------------------------------------


def test_every_special_setting_is_understood_by_some_source() -> None:
    assert set().union(*(source_class(name).supported for name in source_names())) == set(SOURCE_SETTINGS)
    assert set(SOURCE_SETTINGS) >= READING_SETTINGS


@pytest.mark.parametrize(
    ("source", "setting"), [("hdm05", {"categories": ("walk",)}), ("cmu", {"pattern": "{actor}"}), ("sample", {"lenient": True})]
)
def test_settings_that_mean_nothing_are_refused(source: str, setting: dict[str, object]) -> None:
    config = BuildConfig.model_validate({"source": source, "dry_run": True, **setting})
    name = next(iter(setting))
    with pytest.raises(ConfigError, match=f"^{name}: is not supported by source='{source}', only by"):
        check_settings(source_class(source), config)
    for name in source_names():
        check_settings(source_class(name), BuildConfig(source=name, dry_run=True))
