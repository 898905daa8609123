"""Screens leave nothing out: with and without them an inspection says the same, whatever the limits are, and most checks are spared."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

from mocapgen.inspect import run_checks, screens
from mocapgen.inspect.registry import checks
from mocapgen.inspect.run import inspect, survey
from schemas.conventions import CAMERA_FRAMES
from schemas.inspection import Inspection
from tests.inspect.defects import Defect, all_defects
from tests.inspect.test_defects import planted

FAMILIES = ("camera", "kinematics", "motion")
SCREENED = [check for check in checks().values() if check.scope == "sequence" and "dataset" in check.kinds]


def both(path: Path, monkeypatch: pytest.MonkeyPatch, **options: object) -> tuple[Inspection, Inspection]:
    """Return what is said with screens, and without."""
    screened = inspect(path, workers=1, **options)  # type: ignore[arg-type]
    with monkeypatch.context() as patch:
        patch.setattr(screens, "SCREENS", {})
        return screened, inspect(path, workers=1, **options)  # type: ignore[arg-type]


def test_screens_are_of_checks_that_there_are() -> None:
    assert set(screens.SCREENS) <= {check.id for check in SCREENED}


@pytest.mark.parametrize("frame", CAMERA_FRAMES)
@pytest.mark.parametrize("factor", [-1.0, 0.0, 0.01, 0.1, 0.6, 1.2, 1e6])
def test_screens_leave_nothing_out_whatever_the_limits(
    factor: float, frame: str, clean_files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        yaml.safe_dump({"limits": {check.id: {name: factor * value for name, value in check.limits.items()} for check in SCREENED if check.limits}})
    )
    screened, whole = both(clean_files[frame], monkeypatch, policy=own, select=FAMILIES)
    assert screened == whole


@pytest.mark.parametrize("defect", [defect for defect in all_defects() if defect.check.startswith(FAMILIES)], ids=str)
def test_screens_leave_no_defect_out(defect: Defect, clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screened, whole = both(planted(defect, clean, tmp_path), monkeypatch, select=FAMILIES)
    assert screened == whole


@pytest.mark.parametrize("frame", CAMERA_FRAMES)
def test_what_is_remembered_of_sequences_is_the_same(frame: str, clean_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    together = survey(clean_files[frame], workers=1, select="dataset").gathered
    monkeypatch.setattr(run_checks, "read_batch", lambda views: None)
    each = survey(clean_files[frame], workers=1, select="dataset").gathered
    for name in ("digest", "azimuth", "elevation", "distance", "fov", "in_view", "anchors", "gravity", "gait"):
        np.testing.assert_array_equal([getattr(together[row], name) for row in each], [getattr(each[row], name) for row in each])
    assert np.isfinite([features.gait for features in each.values()]).any()


def test_checks_are_run_where_they_may_find_something(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: Counter[str] = Counter()
    run = run_checks.FindingCollector.run

    def counted(self, planned, *rest) -> None:
        ran[planned.check.id] += 1
        run(self, planned, *rest)

    monkeypatch.setattr(run_checks.FindingCollector, "run", counted)
    inspect(clean, workers=1)
    assert sum(ran[check.id] for check in SCREENED) < 0.05 * 16 * len(SCREENED)
