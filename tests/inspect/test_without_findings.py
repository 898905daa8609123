"""`mocapgen select --without-findings`: what inspect has found is gone, the rest stays, and only the report of this very file counts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from mocapgen.inspect.run import inspect
from mocapgen.library import select
from mocapgen.store.reader import open_dataset
from schemas.errors import ConfigError
from schemas.inspection import Inspection
from tests.inspect.defects.dataset import copied

Call = Callable[..., tuple[object, str, str]]
FAST = ("--ignore", "camera,kinematics", "--workers", 1)


@pytest.fixture
def flawed(clean: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A file with a sequence that jumps, a copy of a clip, and a note about the file as a whole; and its report."""
    path, report = tmp_path / "flawed.h5", tmp_path / "report.json"
    shutil.copy(clean, path)
    with h5py.File(path, "r+") as file:
        copied(2)(file)
        start = int(file["/sequences/start"][0])
        file["/frames/positions_3d"][start + 10, 5] += 2.0
        file.attrs["author"] = "me"
    report.write_text(inspect(path, ignore="camera,kinematics", workers=1).model_dump_json(), encoding="utf-8")
    return path, report


def test_inspect_says_how_and_afterwards_finds_nothing(
    call: Call, flawed: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, report = flawed
    monkeypatch.chdir(tmp_path)
    report.unlink()
    status, out, _ = call("inspect", path, *FAST)
    lines = out.splitlines()
    commands = [line.split()[1:] for line in lines[lines.index("to leave out the sequences with findings:") + 1 :]]
    assert (status, len(commands)) == (1, 2)
    assert call(*commands[0], *FAST)[0] == 1
    status, out, err = call(*commands[1])
    assert (status, err) == (0, "")
    assert "motion.acceleration_spike: 1 sequence of 1 clip\n" in out
    assert "dataset.duplicates: 2 sequences of 1 clip\n" in out
    assert "1 clip stays on some avatars only, which dataset.missing_avatars finds; --whole-clips leaves it out\n" in out
    status, out, err = call(*commands[1], "--whole-clips", "--overwrite")
    assert (status, err, "stays on some" in out) == (0, "", False)
    status, out, _ = call("inspect", "clean.h5", *FAST)
    assert (status, "to leave out" in out) == (0, False), out
    with open_dataset("clean.h5") as data:
        assert data.config["settings"] == {"without_findings": "report.json", "whole_clips": True}


def test_only_some_checks_or_severe_findings_count(flawed: tuple[Path, Path]) -> None:
    path, report = flawed
    found = Inspection.model_validate_json(report.read_text(encoding="utf-8"))
    jumped = {row for result in found.checks if result.id.startswith("motion.") for row in result.rows}
    everything = select(path, without_findings=report)
    motion = select(path, without_findings=report, checks="motion")
    assert everything.sequences < motion.sequences == motion.sequences_found - len(jumped)
    assert select(path, without_findings=report, checks="motion", invert=True).sequences == len(jumped)
    severe = select(path, without_findings=report, severity="error")
    assert severe.sequences == severe.sequences_found
    told = select(path, without_findings=report, severity="info").notes
    assert "about the file as a whole, and no sequence: structure.unknown" in told


def test_a_clip_of_a_finding_that_names_no_sequence_is_left_out(flawed: tuple[Path, Path]) -> None:
    path, report = flawed
    content = json.loads(report.read_text(encoding="utf-8"))
    with open_dataset(path) as data:
        clip = str(data.clips["id"][1])
    result = next(result for result in content["checks"] if result["id"] == "dataset.near_duplicates")
    result |= {"findings": 1, "clip_ids": [clip]}
    report.write_text(json.dumps(content), encoding="utf-8")
    rest = select(path, without_findings=report, checks="dataset.near_duplicates")
    assert rest.clips == len(data.clips["id"]) - 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"sha256": "0" * 64, "file": "other.h5"},
            r"expected a report of flawed.h5, found one of other.h5; `mocapgen inspect \S+flawed.h5 --json flawed.json` makes one",
        ),
        (
            {"sha256": "0" * 64},
            r"of another file of this name, or from before it changed; `mocapgen inspect \S+flawed.h5 --json flawed.json` makes one",
        ),
        ({"checks": None}, "report.json: checks: input should be a valid tuple"),
    ],
)
def test_only_a_report_of_this_file_counts(flawed: tuple[Path, Path], change: dict[str, object], message: str) -> None:
    path, report = flawed
    report.write_text(json.dumps(json.loads(report.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        select(path, without_findings=report)


def test_wrong_uses_are_one_line(call: Call, flawed: tuple[Path, Path], tmp_path: Path) -> None:
    path, report = flawed
    other, flagged, beyond = tmp_path / "other.json", tmp_path / "flagged.json", tmp_path / "beyond.json"
    other.write_text("{}", encoding="utf-8")
    plain = tmp_path / "report"
    plain.write_bytes(report.read_bytes())
    content = json.loads(report.read_text(encoding="utf-8"))
    for target, rows in ((flagged, list(range(content["summary"]["sequences"]))), (beyond, [10**6])):
        content["checks"][0] |= {"findings": 1, "severity": "error", "rows": rows}
        target.write_text(json.dumps(content), encoding="utf-8")
    for options, said in (
        (("--without-findings", other), "found another JSON file; `mocapgen inspect"),  # a line with a long path is shortened in its middle
        (
            ("--without-findings", flagged),
            "--without-findings flagged.json: expected sequences without findings, found none; let fewer findings count: --severity",
        ),
        (("--without-findings", beyond), "expected sequences of"),
        (
            ("--without-findings", report, "--checks", "motion.jmp"),
            "--checks: expected the id of a check of the report, or a pattern, found 'motion.jmp'",
        ),
        (("--checks", "motion"), "--severity, --checks and --whole-clips say which findings count: name the report, too (--without-findings)"),
        (("--without-findings", plain, "--out", plain, "--overwrite"), "expected another file to write than one that is read"),
    ):
        more = () if "--out" in options else ("--dry-run",)
        status, out, err = call("select", path, *options, *more)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert said in err, err
