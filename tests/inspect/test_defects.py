"""Every seeded defect is found by the check meant for it; the clean files have none; and no check is left untried."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import pytest

from mocapgen.inspect.registry import checks
from mocapgen.inspect.run import inspect
from schemas.conventions import CAMERA_FRAMES
from schemas.inspection import CHECK_FAILED, Inspection
from tests.inspect.defects import Defect, all_defects
from tests.inspect.defects.dataset import by_clip, split

DEFECTS = all_defects()


def planted(defect: Defect, clean: Path, folder: Path) -> Path:
    """Return a copy of a clean file with the defect in it."""
    path = folder / "planted.h5"
    shutil.copy(clean, path)
    with h5py.File(path, "r+") as file:
        defect.plant(file)
    return path


def inspected(defect: Defect, path: Path, **options: object) -> Inspection:
    own = {name: value(path) if callable(value) else value for name, value in defect.options.items()}
    return inspect(path, **{"workers": 1, "threshold": "info", **own, **options})


def hits(defect: Defect, inspection: Inspection) -> list[object]:
    """Return the findings of the right check at the right place."""
    return [
        finding
        for finding in inspection.findings
        if finding.check == defect.check
        and (defect.sequence is None or finding.sequence == defect.sequence)
        and (defect.frame is None or (finding.frame is not None and abs(finding.frame - defect.frame) <= 1))
        and (not defect.joint or finding.joint == defect.joint)
    ]


@pytest.fixture(scope="session")
def clean_inspections(clean_files: dict[str, Path]) -> dict[str, Inspection]:
    return {frame: inspect(path, workers=1, threshold="info", policy="training", split=split(by_clip)(path)) for frame, path in clean_files.items()}


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_defect_is_found_by_the_check_meant_for_it(defect: Defect, clean: Path, tmp_path: Path) -> None:
    family = defect.check.partition(".")[0]
    everything = family == "structure"  # no check may stumble over a damaged file
    inspection = inspected(defect, planted(defect, clean, tmp_path), **({} if everything else {"select": family}))
    assert hits(defect, inspection), [(finding.check, finding.message) for finding in inspection.findings[:5]]
    assert inspection.exit_status == 1
    assert [finding.message for finding in inspection.findings if finding.check == CHECK_FAILED] == []


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_defect_is_found_in_the_other_camera_frame(defect: Defect, clean_files: dict[str, Path], tmp_path: Path) -> None:
    inspection = inspected(defect, planted(defect, clean_files["opencv"], tmp_path), select=defect.check)
    assert hits(defect, inspection)
    assert {finding.check for finding in inspection.findings} == {defect.check}


@pytest.mark.parametrize("frame", CAMERA_FRAMES)
def test_a_clean_file_has_no_finding_of_any_severity(frame: str, clean_inspections: dict[str, Inspection]) -> None:
    inspection = clean_inspections[frame]
    assert [(finding.check, finding.message) for finding in inspection.findings] == []
    assert [(result.id, result.left_out, result.unread) for result in inspection.checks if result.left_out or result.unread] == []
    assert (inspection.notes, inspection.exit_status) == ((), 0)


def test_every_check_has_a_case_where_it_fires_and_no_case_is_of_an_unknown_one() -> None:
    assert {defect.check for defect in DEFECTS} == {id for id, check in checks().items() if "dataset" in check.kinds}  # others: test_predictions.py


def test_there_are_enough_of_both() -> None:
    assert len(checks()) >= 25
    assert len(DEFECTS) >= 25
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)
