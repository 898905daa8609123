"""What `mocapgen inspect` prints and writes, and how it ends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from mocapgen.cli._inspect_report import aggregated
from mocapgen.inspect.registry import checks
from mocapgen.shared.text import printable
from schemas.inspection import CheckResult, Finding, Inspection
from tests.inspect.defects.dataset import copied

Call = Callable[..., tuple[object, str, str]]


@pytest.fixture
def odd(clean: Path, tmp_path: Path) -> Path:
    """A file with a copied clip, an unknown attribute and names of all kinds."""
    path = tmp_path / "odd.h5"
    shutil.copy(clean, path)
    with h5py.File(path, "r+") as file:
        copied(2)(file)
        file.attrs["author"] = "me"
        file["/clips/action"][0] = "basketball - dribble, shoot"
        file["/clips/actor"][0] = "[bold]\x1b[31m<b>"
    return path


def result(**values: object) -> CheckResult:
    own = {"id": "motion.x", "title": "X", "severity": "warning", "unit": "m/s", "explain": "mocapgen inspect", "limits": {}, "findings": 1}
    return CheckResult(**{**own, **values})


def finding(**values: object) -> Finding:
    own = {"check": "motion.x", "severity": "warning", "message": "LeftFoot: expected less, found more", "joint": "LeftFoot", "value": 0.4123}
    return Finding(**{**own, "sequence": 3, "clip": "CLIP", "avatar": "AVATAR", "frame": 245, **values})


def test_many_findings_of_a_check_are_one_line_with_the_worst() -> None:
    text = aggregated("motion.x", result(findings=40, sequences=30, clips=12), [finding()])
    assert text == "motion.x: 12 clips (30 sequences), worst 0.412 m/s in CLIP on AVATAR, frame 245, LeftFoot: expected less, found more"
    predicted = aggregated("motion.x", result(findings=9, sequences=5, clips=5), [finding(avatar="")], "sequence")
    assert predicted.startswith("motion.x: 5 sequences, worst 0.412 m/s in CLIP, frame 245")


@pytest.mark.parametrize(
    ("single", "text"),
    [
        (finding(), "motion.x: CLIP on AVATAR, frame 245, LeftFoot: expected less, found more"),
        (finding(clip="", avatar="", frame=None, joint="", message="M"), "motion.x: sequence 3: M"),
        (Finding(check="motion.x", severity="info", message="M", where="/frames"), "motion.x: /frames: M"),
        (Finding(check="motion.x", severity="info", message="M"), "motion.x: M"),
    ],
)
def test_a_single_finding_is_told_as_it_is(single: Finding, text: str) -> None:
    assert aggregated("motion.x", result(), [single]) == text


def test_without_a_value_the_first_is_told() -> None:
    text = aggregated("motion.x", result(findings=2, unit=""), [finding(clip="", sequence=None, frame=None, joint="", where="/a", message="M")])
    assert text == "motion.x: 2 findings, first /a: M"


def test_nothing_from_a_file_reaches_the_terminal_as_a_command(call: Call, odd: Path) -> None:
    status, out, err = call("inspect", odd, "--select", "structure,dataset.duplicates,dataset.split*", "--workers", 1)
    assert (status, err) == (1, "")
    assert "\x1b" not in out
    assert r"[bold]\x1b[31m<b>" in out
    assert '"basketball - dribble, shoot", ' in out
    assert printable("a\nb\u202e\U0001f600") == "a\\nb\\u202e\U0001f600"


def test_findings_follow_the_summary_worst_first_with_links(call: Call, odd: Path) -> None:
    lines = call("inspect", odd, "--select", "structure,dataset.duplicates,dataset.split*", "--workers", 1)[1].splitlines()
    told = [line for line in lines if line.startswith(("error ", "warning ", "info "))]
    assert [line.split()[0] for line in told] == ["warning", "info"]
    assert told[0].startswith("warning  dataset.duplicates: 1 clip (2 sequences), first a copy on ")
    assert lines[lines.index(told[0]) + 1].endswith(": mocapgen inspect --explain dataset.duplicates")
    assert "docs/" not in lines[lines.index(told[0]) + 1]
    assert lines[-4].startswith("2 warnings, 1 info: ")
    assert "2 left out: needs --split" in lines[-4]
    assert lines[-1] == f"  mocapgen select {odd} --without-findings report.json --out clean.h5"


@pytest.mark.parametrize("option", ["--detailed", "-v"])
def test_each_finding_is_printed_on_request(call: Call, odd: Path, option: str) -> None:
    out = call("inspect", odd, "--select", "dataset.duplicates", "--workers", 1, option)[1]
    assert sum(line.startswith("         - a copy on ") for line in out.splitlines()) == 2


@pytest.mark.parametrize(("arguments", "status"), [((), 1), (("--threshold", "error"), 0), (("--ignore", "dataset.duplicates"), 0), (("-q",), 1)])
def test_exit_statuses(call: Call, odd: Path, arguments: tuple[str, ...], status: int) -> None:
    found, out, err = call("inspect", odd, "--select", "structure,dataset.duplicates", "--workers", 1, *arguments)
    assert (found, err) == (status, "")
    assert bool(out) is ("-q" not in arguments)


def test_the_report_as_json(call: Call, odd: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    options = ("--select", "structure,dataset.duplicates,dataset.split*", "--workers", 1, "--json")
    assert call("inspect", odd, *options, out)[0] == 1
    inspection = Inspection.model_validate_json(out.read_text(encoding="utf-8"))
    assert {finding.check for finding in inspection.findings} == {"dataset.duplicates", "structure.unknown"}
    assert inspection.file == "odd.h5"
    status, text, _ = call("inspect", odd, *options, "-")
    assert status == 1
    assert json.loads(text) == json.loads(out.read_text(encoding="utf-8"))


def test_a_report_replaces_nothing_unasked(call: Call, odd: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    out.write_text("old", encoding="utf-8")
    options = ("--select", "structure.rows", "--workers", 1, "--json")
    status, text, err = call("inspect", odd, *options, out)
    assert (status, text, err.count("\n"), out.read_text(encoding="utf-8")) == (2, "", 1, "old")
    assert call("inspect", odd, *options, out, "--overwrite")[0] == 0
    assert out.read_text(encoding="utf-8").startswith("{")
    status, _, err = call("inspect", odd, *options, odd, "--overwrite")
    assert status == 2
    assert "expected another file to write than one that is read" in err
    assert call("inspect", odd, *options, tmp_path / "no" / "found.json")[0] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["found.json", "odd.h5"]


def test_all_checks_are_listed(call: Call) -> None:
    status, out, err = call("inspect", "--list-checks")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == list(checks())
    assert "min_frames 2" in out


@pytest.mark.parametrize("arguments", [("--select", "nothing"), ("--policy", "none"), ("--split", "none")])
def test_wrong_options_are_one_line(call: Call, clean: Path, arguments: tuple[str, str]) -> None:
    status, out, err = call("inspect", clean, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"mocapgen: error: {arguments[0]}" if arguments[0] != "--policy" else "mocapgen: error: policy")
