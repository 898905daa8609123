"""Closing reports as JSON: nothing else on standard output, and valid by the schemas that the project exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.report import BuildReport, SubsetReport

Call = Callable[..., tuple[object, str, str]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from mocapgen.library import build

    path = tmp_path_factory.mktemp("json") / "data.h5"
    build(source="sample", actions="squat", avatars="average_man", workers=1, out=path)
    return path


def test_a_build_reports_as_json(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "d.h5"
    status, text, err = call("build", "--source", "sample", "--actions", "squat,hop", "--actors", "sa", "--min-frames", 85, "--json", "--out", out)
    assert (status, err) == (0, "")
    report = BuildReport.model_validate_json(text)
    assert report.bytes == out.stat().st_size
    assert [(lost.kind, lost.name) for lost in report.vanished] == [("action", "hop")]


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_a_selection_reports_as_json(call: Call, data: Path, tmp_path: Path, quiet: tuple[str, ...]) -> None:
    status, text, err = call("select", data, "--actors", "sa", "--json", "--out", tmp_path / "s.h5", *quiet)
    assert (status, err) == (0, "")
    assert SubsetReport.model_validate_json(text).actors == ("sa",)


def test_a_merger_reports_as_json(call: Call, data: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.h5"
    assert call("select", data, "--actors", "sa", "--out", one)[0] == 0
    status, text, _ = call("merge", data, one, "--dry-run", "--json")
    assert status == 0
    assert SubsetReport.model_validate_json(text).sequences == 5
