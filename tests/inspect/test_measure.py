"""What charts show is what the file holds, in parts or at once, by one process or several."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pytest

from mocapgen import open_dataset
from mocapgen.inspect import run_checks
from mocapgen.inspect.measure import COLUMNS, ROWS
from mocapgen.inspect.run import survey
from schemas.conventions import CAMERA_FRAMES


@pytest.mark.parametrize("frame", CAMERA_FRAMES)
def test_numbers_are_those_of_the_file(frame: str, clean_files: dict[str, Path]) -> None:
    measured = survey(clean_files[frame], workers=1, measuring=True, select="structure.rows").measured
    with open_dataset(clean_files[frame]) as data:
        assert set(measured.sequences) == set(range(len(data)))
        image = np.zeros((ROWS, COLUMNS), dtype=int)
        for row in data:
            found, camera = measured.sequences[row.number], row.camera
            world, pixels = camera.to_world(row["positions_3d"].astype(float)), row["positions_2d"].astype(float)
            image += np.histogram2d(pixels[..., 1].ravel(), pixels[..., 0].ravel(), (ROWS, COLUMNS), ((0, camera.height), (0, camera.width)))[
                0
            ].astype(int)
            speeds = np.linalg.norm(np.diff(world, axis=0), axis=-1) * data.fps
            assert found.frames == row.length
            assert found.speed == pytest.approx(np.percentile(speeds, 95))
            assert (found.lowest, found.highest) == pytest.approx((world[..., 1].min(), world[..., 1].max()))
            assert found.travel == pytest.approx(np.linalg.norm(np.diff(world[:, 0, [0, 2]], axis=0), axis=-1).sum())
            assert found.size == pytest.approx(np.ptp(pixels[..., 1], axis=1).mean() / camera.height)
        np.testing.assert_array_equal(measured.image, image)
        assert measured.image.sum() + measured.outside == data.frames * len(data.joint_names)


def test_parts_of_long_sequences_are_put_together(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = survey(clean, workers=1, measuring=True, select="structure.rows").measured
    monkeypatch.setattr(run_checks, "PART", 32)
    parts = survey(clean, workers=1, measuring=True, select="structure.rows").measured
    np.testing.assert_array_equal(parts.image, whole.image)
    for number, found in whole.sequences.items():
        other = parts.sequences[number]
        assert (other.frames, other.lowest, other.highest) == (found.frames, found.lowest, found.highest)
        assert other.size == pytest.approx(found.size)
        assert other.speed == pytest.approx(found.speed, rel=0.5)
        assert 0.8 * found.travel <= other.travel <= found.travel


def test_workers_change_nothing(clean: Path) -> None:
    one, two = (survey(clean, workers=count, measuring=True, select="structure.rows").measured for count in (1, 2))
    assert {number: dataclasses.astuple(found) for number, found in one.sequences.items()} == {
        number: dataclasses.astuple(found) for number, found in two.sequences.items()
    }
    np.testing.assert_array_equal(one.image, two.image)


def test_what_is_not_finite_is_left_out(stage: h5py.File) -> None:
    path = Path(stage.filename)
    stage["/frames/positions_3d"][3] = np.nan
    stage.close()
    found = survey(path, workers=1, measuring=True, select="structure.rows")
    assert set(range(16)) - set(found.measured.sequences) == {0}
    assert survey(path, workers=1, select="structure.rows").measured.sequences == {}
