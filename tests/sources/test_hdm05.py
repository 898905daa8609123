"""The HDM05 source on real clips: names, skeletons, folder and zip, and where it looks for the data."""

from __future__ import annotations

import hashlib
import pickle
import random
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest

from mocapgen.sources import file_tree as tree_module
from mocapgen.sources import files as module
from mocapgen.sources import source_class
from mocapgen.sources.base import Clip
from mocapgen.sources.hdm05 import Hdm05, parse_name
from mocapgen.sources.selection import select_clips
from schemas.config import BuildConfig
from schemas.errors import ConfigError, SourceError

ACTORS = {"bd", "bk", "dg", "mm", "tr"}


def source(root: Path | None, **settings: Any) -> Hdm05:
    return Hdm05(BuildConfig.model_validate({"root": root, "dry_run": True, **settings}))


@pytest.fixture(scope="session")
def cuts(data_dir: Path) -> Path:
    return data_dir / "hdm05/HDM05_cut_amc"


@pytest.fixture(scope="session")
def cuts_zip(cuts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("zip") / "HDM05_cut_amc.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(cuts.rglob("*")):
            archive.write(path, path.relative_to(cuts.parent).as_posix())
    return target


@pytest.fixture
def squats(cuts: Path, tmp_path: Path) -> Path:
    """A small copy: two actors, two takes each, in the layout of the cuts."""
    root = tmp_path / "data"
    (root / "squat1Reps").mkdir(parents=True)
    for actor, takes in (("bd", ("001", "002")), ("mm", ("037", "038"))):
        shutil.copy(cuts / f"squat1Reps/HDM_{actor}.asf", root / "squat1Reps")
        for take in takes:
            shutil.copy(cuts / f"squat1Reps/HDM_{actor}_squat1Reps_{take}_120.amc", root / "squat1Reps")
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return root


def test_it_is_registered() -> None:
    assert source_class("hdm05") is Hdm05
    assert Hdm05.name == "hdm05"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/HDM_bd_squat1Reps_001_120.amc", ("HDM_bd_squat1Reps_001_120", "bd", "squat1Reps", "001", 120.0)),
        ("HDM_dg_06-03_03_120.AMC", ("HDM_dg_06-03_03_120", "dg", "06-03", "03", 120.0)),
        ("hdm_BD_lie_down_7_60.Amc", ("HDM_bd_lie_down_7_60", "bd", "lie_down", "7", 60.0)),
        ("HDM_bd_éa (x)_1_59.94.amc", ("HDM_bd_éa (x)_1_59.94", "bd", "éa (x)", "1", 59.94)),
        ("HDM_bd_e\u0301a (x)_1_59.94.amc", ("HDM_bd_éa (x)_1_59.94", "bd", "éa (x)", "1", 59.94)),
    ],
)
def test_names(path: str, expected: tuple[object, ...]) -> None:
    clip = parse_name(path)
    assert clip is not None
    assert (clip.id, clip.actor, clip.action, clip.take, clip.fps) == expected
    assert clip.file == path


@pytest.mark.parametrize(
    "path", ["01_01.amc", "HDM_bd.amc", "HDM_bd_squat_001.amc", "HDM_bd_squat_x_120.amc", "HDM_bd_squat_001_0.amc", "HDM_bd_x_1_9999.amc"]
)
def test_names_that_are_none(path: str) -> None:
    assert parse_name(path) is None


def test_all_cuts_are_listed(cuts: Path) -> None:
    listing = source(cuts).list()
    assert len(listing.clips) == 260
    assert listing.skipped == ()
    assert list(listing.clips) == sorted(listing.clips)
    assert {clip.actor for clip in listing.clips} == ACTORS
    assert {clip.action for clip in listing.clips} == {folder.name for folder in cuts.iterdir()}
    assert {clip.fps for clip in listing.clips} == {120.0}
    assert not any(clip.fault or clip.sha256 for clip in listing.clips)
    assert all((cuts / clip.file).is_file() for clip in listing.clips)


def test_takes_beside_cuts(data_dir: Path) -> None:
    listing = source(data_dir / "hdm05").list()
    take = next(clip for clip in listing.clips if clip.action == "06-03")
    assert len(listing.clips) == 261
    assert (take.actor, take.take, take.file) == ("dg", "03", "takes/dg/HDM_dg_06-03_03_120.amc")


def test_zip_and_folder_give_the_same(cuts: Path, cuts_zip: Path) -> None:
    in_folder, in_zip = source(cuts.parent / "HDM05_cut_amc"), source(cuts_zip)
    clips, zipped = in_folder.list().clips, in_zip.list()
    assert zipped.skipped == ()
    assert [(clip.id, clip.fault, clip.sha256) for clip in zipped.clips] == [(clip.id, None, None) for clip in clips]
    for clip, packed in list(zip(clips, zipped.clips, strict=True))[::13]:
        assert packed.file == f"HDM05_cut_amc/{clip.file}"
        one, other = in_folder.read(clip), in_zip.read(packed)
        assert one.sha256 == other.sha256 == hashlib.sha256((cuts / clip.file).read_bytes()).hexdigest()
        assert one.motion.skeleton.names == other.motion.skeleton.names
        assert np.array_equal(one.motion.rotations, other.motion.rotations)
        assert np.array_equal(one.motion.root_positions, other.motion.root_positions)
        assert (one.motion.fps, one.motion.name) == (120.0, clip.id)


def test_takes_as_c3d(data_dir: Path) -> None:
    hdm05 = source(data_dir / "hdm05/takes", format="c3d")
    listing = hdm05.list()
    found = [(clip.id, clip.actor, clip.action, clip.take, clip.file, clip.fault) for clip in listing.clips]
    assert found == [
        ("HDM_dg_06-03_03_120", "dg", "06-03", "03", "dg/HDM_dg_06-03_03_120.c3d", None),
        ("HDM_mm_01-02_03_120", "mm", "01-02", "03", "mm/HDM_mm_01-02_03_120.c3d", None),  # no skeleton needed
    ]
    assert listing.skipped == ()
    clip = listing.clips[0]
    read, amc = hdm05.read(clip), source(data_dir / "hdm05/takes").read(replace(clip, file="dg/HDM_dg_06-03_03_120.amc"))
    assert (read.motion.name, read.motion.fps, len(read.motion)) == (clip.id, 120.0, len(amc.motion))
    assert read.detection is not None
    assert (read.detection.format, read.detection.profile, read.detection.metres_per_unit, read.detection.up) == ("c3d", "vicon41", 0.001, "+Z")
    roots = np.linalg.norm(read.motion.root_positions - amc.motion.root_positions, axis=1)
    assert roots.mean() < 0.03


def test_c3d_by_any_suffix(data_dir: Path, tmp_path: Path) -> None:
    shutil.copy(data_dir / "hdm05/takes/dg/HDM_dg_06-03_03_120.c3d", tmp_path / "hdm_DG_06-03_03_120.C3D")
    assert [clip.id for clip in source(tmp_path, format="c3d").list().clips] == ["HDM_dg_06-03_03_120"]
    with pytest.raises(SourceError, match=r"found 1 \.c3d; give format=c3d"):
        source(tmp_path).list()


def test_the_right_skeleton_is_used(cuts: Path) -> None:
    hdm05 = source(cuts)
    leg = {}
    for clip in hdm05.list().clips:
        if clip.actor not in leg:
            leg[clip.actor] = hdm05.read(clip).motion.skeleton.bone_length("ltibia")
    assert set(leg) == ACTORS
    assert len({round(length, 4) for length in leg.values()}) == 5


def test_skeletons_with_the_same_bytes_are_parsed_once(cuts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = module.parse_asf
    monkeypatch.setattr(module, "parse_asf", lambda data, where: calls.append(where) or real(data, where))
    module._parse_asf.cache_clear()
    hdm05 = source(cuts)
    clips = hdm05.list().clips
    assert len(calls) == 5  # of 55 files
    assert hdm05.read(clips[0]).motion.skeleton is hdm05.read(clips[1]).motion.skeleton
    assert len(calls) == 5


def test_one_per_actor(cuts: Path) -> None:
    config = BuildConfig(root=cuts, dry_run=True)
    selection = select_clips(Hdm05(config).list(), config)
    assert len(selection.groups) == 55  # 11 actions by 5 actors
    assert sum(map(len, selection.groups)) == 260
    assert all([int(clip.take) for clip in group] == sorted(int(clip.take) for clip in group) for group in selection.groups)
    chosen = select_clips(Hdm05(config).list(), BuildConfig(root=cuts, dry_run=True, actors=("b*",), actions=("SQUAT*",)))
    assert Counter(clip.actor for group in chosen.groups for clip in group).keys() == {"bd", "bk"}


def test_reading_works_in_another_process_with_or_without_a_listing(squats: Path) -> None:
    hdm05 = source(squats)
    clip = hdm05.list().clips[0]
    listed = pickle.loads(pickle.dumps(hdm05)).read(clip)
    fresh = pickle.loads(pickle.dumps(source(squats))).read(clip)
    assert np.array_equal(listed.motion.rotations, fresh.motion.rotations)


def test_order_of_the_directory_does_not_matter(squats: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(squats / "squat1Reps", squats / "copy")
    expected = source(squats).list()
    real = tree_module.os.scandir
    generator = random.Random(0)

    @contextmanager
    def shuffled(path: Path) -> Iterator[list[Any]]:
        with real(path) as entries:
            yield sorted(entries, key=lambda _: generator.random())

    monkeypatch.setattr(tree_module.os, "scandir", shuffled)
    for _ in range(5):
        found = source(squats).list()
        assert found == expected
        assert [clip.sha256 for clip in found.clips] == [clip.sha256 for clip in expected.clips]


# Skeletons ----------------------------------------------------------------------------------------


def faults(hdm05: Hdm05) -> dict[str, tuple[str, str]]:
    return {clip.file: (clip.fault.reason, clip.fault.detail) for clip in hdm05.list().clips if clip.fault}


def test_skeleton_above_and_in_another_case(squats: Path) -> None:
    (squats / "squat1Reps/HDM_bd.asf").rename(squats / "hdm_BD.ASF")
    deep = squats / "squat1Reps/even/deeper"
    deep.mkdir(parents=True)
    (squats / "squat1Reps/HDM_bd_squat1Reps_001_120.amc").rename(deep / "HDM_BD_squat1Reps_001_120.AMC")
    hdm05 = source(squats)
    assert faults(hdm05) == {}
    clip = next(clip for clip in hdm05.list().clips if "deeper" in clip.file)
    assert clip.id == "HDM_bd_squat1Reps_001_120"
    assert len(hdm05.read(clip).motion) > 50


def test_the_nearest_skeleton_counts(squats: Path) -> None:
    (squats / "HDM_bd.asf").write_text("broken, but not the nearest")
    assert faults(source(squats)) == {}


def test_missing_skeleton(squats: Path) -> None:
    (squats / "squat1Reps/HDM_bd.asf").unlink()
    hdm05 = source(squats)
    found = faults(hdm05)
    assert list(found) == [f"squat1Reps/HDM_bd_squat1Reps_{take}_120.amc" for take in ("001", "002")]
    assert {reason for reason, _ in found.values()} == {"no skeleton"}
    for text in ("HDM_bd.asf (any case)", "in squat1Reps or . (. is the root)", "found HDM_mm.asf beside it"):
        assert text in next(iter(found.values()))[1]


def test_a_skeleton_outside_the_root_is_not_used(squats: Path) -> None:
    (squats / "squat1Reps/HDM_bd.asf").rename(squats / "HDM_bd.asf")
    assert len(faults(source(squats / "squat1Reps"))) == 2


def test_broken_skeleton(squats: Path) -> None:
    (squats / "squat1Reps/HDM_bd.asf").write_bytes(b"")
    found = faults(source(squats))
    assert {reason for reason, _ in found.values()} == {"unreadable"}
    assert len(found) == 2
    assert all("squat1Reps/HDM_bd.asf" in detail for _, detail in found.values())


# Duplicates ---------------------------------------------------------------------------------------


def test_copies_are_found_by_their_bytes(squats: Path) -> None:
    folder = squats / "squat1Reps"
    shutil.copy(folder / "HDM_bd_squat1Reps_001_120.amc", folder / "HDM_bd_squat1Reps_099_120.amc")
    data = (folder / "HDM_bd_squat1Reps_002_120.amc").read_bytes()
    (folder / "HDM_bd_squat1Reps_003_120.amc").write_bytes(data[:-4] + b"9\r\n\n")  # as long, not the same
    (squats / "other").mkdir()
    shutil.copy(folder / "HDM_mm_squat1Reps_037_120.amc", squats / "other")
    shutil.copy(folder / "HDM_mm.asf", squats / "other")
    for root in (squats, packed(squats)):
        config = BuildConfig(root=root, dry_run=True, select="all")
        selection = select_clips(Hdm05(config).list(), config)
        assert [(skip.file, skip.reason, skip.detail) for skip in selection.skipped] == [
            ("squat1Reps/HDM_bd_squat1Reps_099_120.amc", "duplicate", "the same bytes as squat1Reps/HDM_bd_squat1Reps_001_120.amc"),
            ("squat1Reps/HDM_mm_squat1Reps_037_120.amc", "duplicate", "the same bytes as other/HDM_mm_squat1Reps_037_120.amc"),
        ]
        assert len(selection.groups) == 5


def packed(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder.parent / "packed"), "zip", folder))


# Where the data is --------------------------------------------------------------------------------


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("MOCAPGEN_HDM05", raising=False)
    monkeypatch.setattr(platformdirs, "user_data_path", lambda name: tmp_path / "user" / name)
    return tmp_path / "user/mocapgen/hdm05"


def test_no_data_names_the_ways_out(nowhere: Path) -> None:
    with pytest.raises(SourceError) as error:
        source(None)
    for way in ("root=PATH", "$MOCAPGEN_HDM05", "source='sample'", str(nowhere)):
        assert way in str(error.value)
    assert "\n" not in str(error.value)


def test_where_it_looks(squats: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(squats, nowhere)
    (nowhere / "squat1Reps/HDM_bd_squat1Reps_001_120.amc").unlink()
    assert len(source(None).list().clips) == 3
    monkeypatch.setenv("MOCAPGEN_HDM05", "")  # as good as not set
    assert len(source(None).list().clips) == 3
    monkeypatch.setenv("MOCAPGEN_HDM05", str(squats))
    assert len(source(None).list().clips) == 4
    (squats / "squat1Reps/HDM_bd_squat1Reps_002_120.amc").unlink()
    monkeypatch.setenv("MOCAPGEN_HDM05", "not there")
    assert len(source(squats).list().clips) == 3
    with pytest.raises(SourceError, match=r"MOCAPGEN_HDM05: expected a folder or zip .* found nothing at 'not there'"):
        source(None)


def test_root_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^root: expected a folder or zip"):
        source(tmp_path / "nothing")


def test_other_formats_are_refused(cuts: Path) -> None:
    with pytest.raises(ConfigError, match=r"^format: expected amc or c3d .* found bvh"):
        source(cuts, format="bvh")
    assert isinstance(source(cuts, format="amc").list().clips[0], Clip)


def test_root_without_clips_says_what_is_there(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"expected HDM05's \.amc files, found 1 \.c3d; give format=c3d to read"):
        source(data_dir / "hdm05/takes/mm").list()
    with pytest.raises(SourceError, match=r"expected clips named HDM_.*, found 1 \.amc files named otherwise, such as 01_01\.amc"):
        source(data_dir / "cmu/asfamc/01").list()
    with pytest.raises(SourceError, match="found no files"):
        source(tmp_path).list()
    (tmp_path / "HDM05_cut_amc.zip").write_bytes(b"PK")
    with pytest.raises(SourceError, match=r"found 1 \.zip; a zip is read in place: root=.*HDM05_cut_amc\.zip"):
        source(tmp_path).list()
