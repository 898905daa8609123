"""The CMU source: its index and categories, names, skeletons, formats and frame rates, on real clips in every layout."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest

from mocapgen.pipeline import build
from mocapgen.sources import source_class
from mocapgen.sources.cmu import Cmu, parse_name
from mocapgen.sources.cmu_index import categories, categories_of, trials
from mocapgen.sources.selection import select_clips
from schemas.config import BuildConfig
from schemas.errors import ConfigError, SourceError


def config(root: Path | None, **settings: Any) -> BuildConfig:
    return BuildConfig.model_validate({"source": "cmu", "root": root, "dry_run": True, "select": "all", **settings})


def chosen(root: Path, **settings: Any) -> list[str]:
    asked = config(root, **settings)
    return [clip.file for group in select_clips(Cmu(asked).list(), asked).groups for clip in group]


@pytest.fixture(scope="session")
def cmu(data_dir: Path) -> Path:
    return data_dir / "cmu"


def test_it_is_registered() -> None:
    assert source_class("cmu") is Cmu
    assert Cmu.default_select == "all"


# What is known without reading --------------------------------------------------------------------


def test_the_index() -> None:
    index = trials()
    assert len(index) == 2435
    assert Counter(trial.fps for trial in index.values()) == {120.0: 2109, 60.0: 326}
    assert (index[85, 12].description, index[1, 1].fps) == ("LongSequenceGood", 120.0)
    assert all(key == (trial.subject, trial.trial) for key, trial in index.items())


def test_the_index_says_what_the_data_beside_it_says(cmu: Path) -> None:
    import csv

    with (cmu / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(trials())
    for row in rows:
        trial = trials()[int(row["subject"]), int(row["trial"])]
        assert (trial.description, trial.fps) == (row["description"].strip(), float(row["fps"]))


@pytest.mark.parametrize(
    ("subject", "description", "expected", "not_expected"),
    [
        (6, "basketball - forward dribble", {"basketball", "sports"}, {"walk", "dance"}),
        (26, "basketball signals", {"gestures"}, {"basketball", "sports"}),
        (85, "Helicopter", {"breakdance", "dance"}, {"walk"}),
        (85, "motorcycle pose", {"calibration"}, {"breakdance", "dance"}),
        (90, "breakdance", {"breakdance", "dance"}, set()),
        (103, "lindyHop2", {"dance"}, {"jump"}),
        (13, "boxing", {"boxing", "sports"}, {"everyday"}),
        (62, "closing a box", {"everyday"}, {"boxing"}),
        (14, "jumping jacks, jog", {"exercise", "run", "sports"}, {"jump"}),
        (104, "RunThrough", {"run"}, set()),
        (135, "Bassai", {"martial-arts", "sports"}, set()),
        (106, "clean", set(), set(categories())),
        (94, "", set(), set(categories())),
    ],
)
def test_categories_by_description(subject: int, description: str, expected: set[str], not_expected: set[str]) -> None:
    found = set(categories_of(subject, description))
    assert found >= expected
    assert not found & not_expected


def test_every_category_holds_trials_and_names_known_ones() -> None:
    counts = Counter(name for trial in trials().values() for name in trial.categories)
    assert counts.keys() == categories().keys()
    assert {
        "walk",
        "run",
        "jump",
        "dance",
        "breakdance",
        "basketball",
        "soccer",
        "martial-arts",
        "boxing",
        "climb",
        "sports",
        "everyday",
    } <= counts.keys()
    assert all(set(rule.includes) <= categories().keys() for rule in categories().values())
    assert {trial.subject for trial in trials().values()} >= {subject for rule in categories().values() for subject in rule.subjects}


def test_the_manual_lists_the_categories(repository: Path) -> None:
    listed = re.search(r"words of a description:\n\n(.*?)\n\n", (repository / "docs/sources.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert listed is not None
    assert listed[1].replace("\n", " ").split(", ") == sorted(categories())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("subjects/01/01_01.amc", ("01_01", "01", "playground - forward jumps, turn around", "01", 120.0)),
        ("006_02.bvh", ("06_02", "06", "basketball - forward dribble", "02", None)),
        ("1_1.C3D", ("01_01", "01", "playground - forward jumps, turn around", "01", None)),
        ("0033_0001.AMC", ("33_01", "33", "football - throw, catch (2 subjects - subject A)", "01", 60.0)),
        ("135_11.bvh", ("135_11", "135", "Yokogeri", "11", None)),
        ("999_01.amc", ("999_01", "999", "unknown 999_01", "01", None)),
        ("94_01.amc", ("94_01", "94", "unknown 94_01", "01", 120.0)),  # in the index, without a description
    ],
)
def test_names(path: str, expected: tuple[object, ...]) -> None:
    clip = parse_name(path)
    assert clip is not None
    assert (clip.id, clip.actor, clip.action, clip.take, clip.fps) == expected
    assert clip.file == path


@pytest.mark.parametrize("path", ["01.amc", "01_01_02.amc", "HDM_bd_walk_001_120.amc", "00_01.bvh", "01_01.asf", "a_1.bvh", "01-01.bvh"])
def test_names_that_are_none(path: str) -> None:
    assert parse_name(path) is None


# What is there ------------------------------------------------------------------------------------


def test_of_several_formats_one_is_used(cmu: Path) -> None:
    asked = config(cmu)
    selection = select_clips(Cmu(asked).list(), asked)
    groups = {group[0].id: [clip.file for clip in group] for group in selection.groups}
    files = {name: group[0] for name, group in groups.items()}
    assert files["01_01"] == "asfamc/01/01_01.amc"
    assert files["02_01"] == "asfamc/02/02_01.amc"
    assert files["85_12"] == "bvh-neo/85/85_12.bvh"
    assert {name: group[1:] for name, group in groups.items() if len(group) > 1} == {  # tried if the first cannot be used
        "01_01": ["bvh-cgspeed/01/01_01.bvh"],
        "02_01": ["bvh-iclone/002/002_01.bvh"],
        "02_04": ["bvh-iclone/002/002_04.bvh"],
        "85_12": ["c3d/85_12.c3d"],
    }
    assert chosen(cmu, format="c3d") == ["c3d/85_12.c3d"]
    assert set(chosen(cmu, format="bvh")) > {"bvh-cgspeed/01/01_01.bvh", "bvh-iclone/002/002_01.bvh"}


def test_basketball_and_break_dance(cmu: Path) -> None:
    found = chosen(cmu, categories=["basketball", "breakdance"], format="bvh")
    assert found == [f"bvh-iclone/006/006_{trial:02d}.bvh" for trial in range(2, 10)] + ["bvh-neo/85/85_03.bvh", "bvh-neo/85/85_12.bvh"]
    assert chosen(cmu, actions=("Basketball*",), format="bvh") == found[:8]
    assert chosen(cmu, categories=("break*",), actors=("85",), format="bvh") == found[8:]


def test_a_mistyped_category_is_answered_with_those_there_are(cmu: Path) -> None:
    with pytest.raises(ConfigError, match=r"^categories: .* found 'basketbal'; did you mean basketball.* there are \d+$"):
        chosen(cmu, categories=("basketbal",))
    with pytest.raises(ConfigError, match=r"^categories: expected a category that there are clips of, found 'golf'; there are basketball, .*, walk$"):
        chosen(cmu, categories=("golf",))


def test_layouts(cmu: Path, tmp_path: Path) -> None:
    official, flat, packed = tmp_path / "subjects/02", tmp_path / "flat", tmp_path / "all.zip"
    official.mkdir(parents=True)
    flat.mkdir()
    for file in ("02.asf", "02_01.amc", "02_03.amc"):
        shutil.copyfile(cmu / "asfamc/02" / file, official / file)
        shutil.copyfile(cmu / "asfamc/02" / file, flat / file.replace("02", "2", 1))  # without the zeros
    shutil.copyfile(cmu / "asfamc/01/01.asf", flat / "01.asf")
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(official.iterdir()):
            archive.write(path, f"all_asfamc/subjects/02/{path.name}")
    read = []
    for root in (tmp_path / "subjects", flat, packed):
        source = Cmu(config(root))
        listing = source.list()
        assert [(clip.id, clip.fault) for clip in listing.clips] == [("02_01", None), ("02_03", None)]
        assert listing.skipped == ()
        read.append(source.read(listing.clips[0]))
    assert len({one.sha256 for one in read}) == 1
    assert all(np.array_equal(one.motion.skeleton.offsets, read[0].motion.skeleton.offsets) for one in read)
    assert all(np.array_equal(one.motion.rotations, read[0].motion.rotations) for one in read)


def test_another_subjects_skeleton_is_not_taken(cmu: Path, tmp_path: Path) -> None:
    shutil.copyfile(cmu / "asfamc/01/01.asf", tmp_path / "01.asf")  # the only one there
    shutil.copyfile(cmu / "asfamc/02/02_01.amc", tmp_path / "02_01.amc")
    (clip,) = Cmu(config(tmp_path)).list().clips
    assert clip.fault is not None
    assert (clip.fault.reason, "expected its skeleton 02.asf" in clip.fault.detail) == ("no skeleton", True)


# Frame rates --------------------------------------------------------------------------------------


def test_capture_rates_come_from_the_index(cmu: Path, tmp_path: Path) -> None:
    """Trial 33_01 was captured at 60 frames per second; no file of an AMC, nor cgspeed's header, says so."""
    shutil.copyfile(cmu / "asfamc/01/01.asf", tmp_path / "33.asf")
    shutil.copyfile(cmu / "asfamc/01/01_01.amc", tmp_path / "33_01.amc")
    shutil.copyfile(cmu / "bvh-cgspeed/01/01_01.bvh", tmp_path / "33_02.bvh")
    shutil.copyfile(cmu / "bvh-neo/135/135_01.bvh", tmp_path / "34_01.bvh")
    shutil.copyfile(cmu / "c3d/85_12.c3d", tmp_path / "34_02.c3d")
    source = Cmu(config(tmp_path))
    found = {}
    for clip in source.list().clips:
        read = source.read(clip)
        assert read.detection is not None
        assert read.detection.fps == read.motion.fps
        found[clip.id] = (read.motion.fps, [note for note in read.detection.notes if "index" in note])
    assert found == {
        "33_01": (60.0, []),
        "33_02": (60.0, ["captured at 60 frames per second by the index, not at the file's 120"]),
        "34_01": (30.0, []),  # resampled by whoever made this flavour
        "34_02": (120.0, ["the index says that it was captured at 60 frames per second; the file's 120 is taken"]),
    }


def test_a_trial_that_the_index_does_not_know(cmu: Path, tmp_path: Path) -> None:
    shutil.copyfile(cmu / "bvh-neo/135/135_01.bvh", tmp_path / "777_1.bvh")
    report = build(config(tmp_path, long="split", workers=1))
    (found,) = report.detections
    assert (found.actor, found.action) == ("777", "unknown 777_01")
    assert any("not in the index" in note for note in found.notes)


# Where the data is --------------------------------------------------------------------------------


def test_no_data_names_the_ways_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cmu: Path) -> None:
    monkeypatch.delenv("MOCAPGEN_CMU", raising=False)
    monkeypatch.setattr(platformdirs, "user_data_path", lambda name: tmp_path / "user" / name)
    with pytest.raises(SourceError) as error:
        Cmu(config(None))
    for way in ("root=PATH", "$MOCAPGEN_CMU", "mocapgen fetch cmu", "source='sample'", str(tmp_path / "user/mocapgen/cmu")):
        assert way in str(error.value)
    monkeypatch.setenv("MOCAPGEN_CMU", str(cmu / "c3d"))
    assert [clip.id for clip in Cmu(config(None)).list().clips] == ["85_12"]


def test_root_without_trials_says_what_is_there(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"expected clips named <subject>_<trial>, found 2 .* source='folder' takes any names"):
        Cmu(config(data_dir / "hdm05/takes/dg")).list()
    with pytest.raises(SourceError, match=r"expected CMU's \.amc files, found 1 \.c3d; give format=c3d"):
        Cmu(config(data_dir / "cmu/c3d", format="amc")).list()
    with pytest.raises(SourceError, match="found no files; name the folder or zip"):
        Cmu(config(tmp_path)).list()
