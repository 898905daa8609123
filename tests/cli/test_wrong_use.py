"""What newcomers type, and the one line that says what to type instead."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from mocapgen.library import build
from mocapgen.shared.text import no_match, option_words

Call = Callable[..., tuple[object, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, a motion file and a video."""
    path = tmp_path_factory.mktemp("newcomer")
    build(source="sample", actions="squat", avatars="average_man", workers=1, out=path / "data.h5")
    (path / "clip.bvh").write_text("HIERARCHY\nROOT Hips\n", encoding="utf-8")
    (path / "clip.amc").write_text("#!OML:ASF file\n:FULLY-SPECIFIED\n", encoding="utf-8")
    (path / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    return path


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "build --source sample --out x.csv",
            "--out: expected a name for an HDF5 file, such as x.h5, found 'x.csv'; `mocapgen export` makes files of",
        ),
        ("select data.h5 --out x.json", "--out: expected a name for an HDF5 file, such as x.h5, found 'x.json'"),
        ("build --source sample --camera orbit --dry-run", "--camera: expected orbit:COUNT, the number of cameras, such as orbit:8, found 'orbit'"),
        ("build --source sample --camera frnt --dry-run", "found 'frnt'; did you mean 'front'?"),
        ("build --source smple --dry-run", "found 'smple'; did you mean 'sample'?"),
        ("build --source sample --avatars tallman --dry-run", "found neither; did you mean 'tall_man'?"),
        ("build --source sample --long spilt --dry-run", "'spilt' is not one of 'drop', 'split'; did you mean 'split'?"),
        ("build data.h5", "expected options only, found data.h5; --out data.h5 writes it, `mocapgen inspect data.h5` looks into it"),
        (
            "build --source sample --actions hop --actors sa --min-frames 85 --out h.h5",
            "expected at least 85 (--min-frames); --min-frames 35 keeps all that are too short",
        ),
        ("build my_mocap", "found my_mocap; `mocapgen build --source folder --root my_mocap --out data.h5` reads motion of your own"),
        (
            "view clip.bvh",
            "clip.bvh: expected an HDF5 file, found motion capture (BVH); `mocapgen build --source folder --root clip.bvh --out data.h5`",
        ),
        ("inspect clip.amc", "clip.amc: expected an HDF5 file, found motion capture (ASF or AMC); `mocapgen build --source folder --root clip.amc"),
        ("inspect clip.mp4", "found a video (MP4); `trainer predict default clip.mp4 --out pred.h5` finds the person in it"),
        ("inspect data.h5 --policy trainig", "found neither; did you mean 'training'?"),
        ("export data.h5 --format mp4 --out o", "found 'mp4'; `mocapgen render FILE.H5 --out x.mp4` draws"),
        ("export data.h5 --format gtlf --out o", "; did you mean 'gltf'?"),
        ("render data.h5 --out x.bvh", "found 'x.bvh'; `mocapgen export` writes motion and tables"),
        ("convert clip.bvh x.mp4", "found .mp4; pictures are drawn of datasets: `mocapgen build --source folder --root FILE --out data.h5`, then"),
        ("convert data.h5 x.bvh", "found .h5; `mocapgen export FILE.H5 --format bvh --out FOLDER` writes what a dataset"),
        ("convert clip.mp4 x.bvh", "found .mp4; `trainer predict default VIDEO --out pred.h5` finds the motion in a video"),
        ("select data.h5 --actions sqat --out s.h5", "found 'sqat'; did you mean squat? there are squat"),
        ("view data.h5 --clip squat_001 --out v.html", "found 'squat_001'; did you mean sample_s"),
        ("fetch hdm5", "found 'hdm5'; did you mean 'hdm05'?"),
        ("fetch amass", "found 'amass'; other files of yours: `mocapgen build --source folder --root FOLDER --out data.h5`"),
        ("skeletons tall", "Got unexpected extra argument (tall). Expected: mocapgen skeletons [OPTIONS]"),
        ("bild", "No such command 'bild'; did you mean 'build'?"),
        ("predict default clip.mp4", "No such command 'predict'; `trainer predict` is one"),
    ],
)
def test_a_wrong_use_is_one_helpful_line(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str) -> None:
    monkeypatch.chdir(folder)
    before = sorted(path.name for path in folder.iterdir())
    status, out, err = call(*shlex.split(line))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err, err
    assert sorted(path.name for path in folder.iterdir()) == before


def test_the_nearest_of_many_names_are_enough() -> None:
    many = [f"HDM_bd_{action}_{take:03}" for action in ("walk", "run", "squat") for take in range(50)]
    said = str(no_match("clip", "the id of a clip", "HDM_bd_sqat_003", many))
    assert said.endswith("? there are 150; `mocapgen inspect FILE.H5 --list-clips` lists them")
    assert "did you mean HDM_bd_squat_003 or" in said
    said = str(no_match("clips", "a pattern that matches a clip", "zzz", many))
    assert said.endswith("and 138 more; `mocapgen inspect FILE.H5 --list-clips` lists them")
    assert len(said) < 400


def test_clips_are_listed(call: Call, folder: Path) -> None:
    status, out, err = call("inspect", folder / "data.h5", "--list-clips")
    assert (status, err) == (0, "")
    header, *rows = out.splitlines()
    assert header.split() == ["clip", "actor", "action", "frames", "sequences"]
    assert [row.split()[:3] for row in rows] == [[f"sample_{actor}_squat_001_120", actor, "squat"] for actor in ("sa", "sb", "sc", "sd", "se")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clip.bvh: expected x", "clip.bvh: expected x"),
        ("image.width: expected x", "--image width: expected x"),
        ("clip: expected", "--clip: expected"),
    ],
)
def test_a_file_that_is_called_like_a_setting_is_no_setting(text: str, said: str) -> None:
    assert option_words(text, {"clip": "--clip", "image": "--image"}) == said


def test_names_that_are_typed_stay_whole_in_a_narrow_terminal(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    status, out, _ = call("skeletons")
    assert (status, "…" in out) == (0, False)
    assert "\naverage_woman  1.63 m   female" in out
