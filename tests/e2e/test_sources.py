"""The file sources as a user starts them: the benchmark, everything at once, dry runs, wrong uses, and a zoo of bad files of every format."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from mocapgen import build
from schemas.config import BuildConfig

ONE = ("--avatars", "average_man", "--long", "split")


def mocapgen(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "mocapgen", *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=120)


def pairs(text: str) -> dict[str, str]:
    return dict(match.groups() for match in re.finditer(r"^  (\S.*?) {2,}(\S.*)$", text, flags=re.MULTILINE))


def test_the_benchmark_in_one_command(data_dir: Path, tmp_path: Path) -> None:
    asked = ("--source", "cmu", "--root", data_dir / "cmu", "--category", "basketball,breakdance", "--format", "bvh")
    done = mocapgen("build", *asked, *ONE, "--out", "cmu.h5", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert pairs(done.stdout)["understood as"] == "8 bvh iclone, 2 bvh neo"
    assert pairs(done.stdout)["sequences"] == "15"
    inspected = mocapgen("inspect", "cmu.h5", cwd=tmp_path)
    assert (inspected.returncode, inspected.stderr) == (1, "")  # dancers who wait, hands that jump: true findings, docs/checks.md
    assert " error " not in inspected.stdout


def test_everything_in_one_command(data_dir: Path, tmp_path: Path) -> None:
    asked = ("--source", "folder", "--root", data_dir, "--workers", "2")
    done = mocapgen("build", *asked, *ONE, "--out", "all.h5", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    values = pairs(done.stdout)
    motions = [path for path in data_dir.rglob("*") if path.suffix.lower() in (".amc", ".bvh", ".c3d")]
    assert values["clips found"] == str(len(motions))
    used = {kind: int(count) for count, kind in (part.split(" ", 1) for part in values["understood as"].split(", "))}
    assert used.keys() == {"amc vicon", "bvh iclone", "bvh neo", "c3d vicon41", "bvh cgspeed"}
    assert sum(used.values()) == int(values["clips used"]) > 200
    assert done.stdout.count("  unreadable: ") == 2  # both lost the pelvis's vertical motion
    assert done.stdout.count("vertical motion is lost") == 2
    with h5py.File(tmp_path / "all.h5") as file:
        ids, files = file["clips/id"].asstr()[:], file["clips/file"].asstr()[:]
        skipped = dict(zip(file["skipped/file"].asstr()[:], file["skipped/reason"].asstr()[:], strict=True))
    assert len(set(ids)) == len(ids)
    arrays = {path.relative_to(data_dir).as_posix() for path in data_dir.rglob("*.npz")}  # no motions of AMASS, and listed as that
    assert set(files) | skipped.keys() == {path.relative_to(data_dir).as_posix() for path in motions} | arrays
    assert not arrays & set(files)
    assert not set(files) & skipped.keys()
    assert sorted(file for file, reason in skipped.items() if reason.startswith("duplicate")) == ["hdm05/takes/dg/HDM_dg_06-03_03_120.c3d"]


def test_a_dry_run_shows_what_was_detected(data_dir: Path, tmp_path: Path) -> None:
    done = mocapgen("build", "--source", "folder", "--root", data_dir / "cmu", "--dry-run", *ONE, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["file", "format", "profile", "sure", "unit", "up", "rate", "frames", "actor", "action"]
    rows = {line[0]: line[1:] for line in lines[1:] if line and line[0].startswith(("asfamc", "bvh", "c3d"))}
    assert len(rows) == 24  # of 26; two are refused
    assert rows["bvh-neo/85/85_12.bvh"] == ["bvh", "neo", "100", "%", "cm", "y", "30", "1,097", "unknown", "85"]
    assert rows["c3d/85_12.c3d"] == ["c3d", "vicon41", "100", "%", "mm", "z", "120", rows["c3d/85_12.c3d"][7], "unknown", "85"]
    assert rows["asfamc/01/01_01.amc"][:7] == ["amc", "vicon", "100", "%", "cmu", "y", "120"]
    assert list(tmp_path.iterdir()) == []
    verbose = mocapgen("build", "--source", "folder", "--root", data_dir / "cmu/bvh-cgspeed", "--dry-run", "-v", *ONE, cwd=tmp_path)
    assert "    first frame dropped: a T-pose put before the motion" in verbose.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--source cmu --root {data}/cmu --category basketbal", "did you mean basketball"),
        ("--source cmu --root {data}/cmu --actions swiming", "--actions: expected a pattern that matches an action, found 'swiming'"),
        ("--source hdm05 --root {data}/hdm05 --category walk", "--category: is not supported by --source hdm05"),
        ("--source folder", "--root: expected the folder, zip or file with your motion"),
        ("--source folder --root {data}/oracles", r"found \d+ \.npz; .*\.npz: expected a motion of AMASS, found an archive with"),
        ("--source folder --root {data}/cmu --pattern {{actor}}-{{take}}-x", "found 26 .* files named otherwise"),
        ("--source folder --root {data}/cmu --table {data}/cmu/index.csv", r"index\.csv:1: expected the columns file and any of"),
        ("--source folder --root {data}/cmu --profile my.yaml", r"profile 'my\.yaml': expected one of bandai_namco, .* found neither"),
        ("--source folder --root {data}/cmu/bvh-neo --profile iclone", "3 unreadable; first: .* profile iclone: found no joint for"),
        ("--source folder --root {data}/cmu --scale 0", "--scale: input should be greater than or equal to 0.000001"),
        ("--source hdm05 --root {data}/hdm05/takes/mm", r"found 1 \.c3d; give --format c3d"),
    ],
)
def test_wrong_uses_are_one_line(data_dir: Path, tmp_path: Path, arguments: str, message: str) -> None:
    done = mocapgen("build", "--dry-run", *arguments.format(data=data_dir).split(), cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert re.search(message, done.stderr), done.stderr


# Bad files ----------------------------------------------------------------------------------------


@pytest.fixture
def zoo(data_dir: Path, tmp_path: Path) -> Path:
    """Good files of every format, and each of them cut short, emptied, mixed up and under another format's name."""
    good = {
        "bvh": data_dir / "cmu/bvh-neo/135/135_01.bvh",
        "c3d": data_dir / "hdm05/takes/dg/HDM_dg_06-03_03_120.c3d",
        "amc": data_dir / "cmu/asfamc/02/02_03.amc",
    }
    root = tmp_path / "zoo"
    for number, (kind, path) in enumerate(good.items()):
        data, folder = path.read_bytes(), root / kind
        other = list(good.values())[number - 1].read_bytes()
        folder.mkdir(parents=True)
        shutil.copyfile(data_dir / "cmu/asfamc/02/02.asf", folder / "skeleton.asf")
        bad = {"good": data, "empty": b"", "half": data[: len(data) // 2 + 3], "other": other, "zeros": bytes(5000), "text": b"dear sir\n" * 100}
        for name, content in bad.items():
            (folder / f"{name}.{kind}").write_bytes(content)
    return root


def run(root: Path, **settings: object) -> tuple[list[str], dict[str, str]]:
    config = {"source": "folder", "root": root, "dry_run": True, "long": "split", "workers": 1, **settings}
    report = build(BuildConfig.model_validate(config))
    assert all("\n" not in skip.detail and str(root) not in skip.detail for skip in report.skipped)
    return [found.file for found in report.detections], {skip.file: skip.reason for skip in report.skipped}


def test_bad_files_are_skipped_and_good_ones_used(zoo: Path) -> None:
    bad = {f"{kind}/{name}.{kind}": "unreadable" for kind in ("amc", "bvh", "c3d") for name in ("empty", "half", "other", "zeros", "text")}
    used, skipped = run(zoo)
    assert used == [f"{kind}/good.{kind}" for kind in ("amc", "bvh", "c3d")]
    assert skipped == bad
