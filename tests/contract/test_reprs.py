"""What the public objects print: one line with what matters; and the player in a notebook."""

from pathlib import Path

import pytest

import mocapgen
from tests.view.conftest import write_predictions


@pytest.fixture(scope="module")
def walk(tmp_path_factory) -> tuple[Path, object]:
    path = tmp_path_factory.mktemp("walk") / "walk.h5"
    return path, mocapgen.build(source="sample", actions="walk", avatars="average_man,child_10", out=path, workers=1)


def test_reports_are_one_line(walk):
    path, report = walk
    assert repr(report).startswith("<BuildReport: 5 of 125 clips used, 10 sequences, 1,")
    assert repr(report).endswith("s; skipped: 120 not selected>")
    assert str(report) == repr(report)
    subset = mocapgen.select(path, avatars="child_10")
    assert repr(subset).startswith("<SubsetReport: 5 of 10 sequences, 5 clips, ")
    inspection = mocapgen.inspect(path, workers=1)
    assert repr(inspection) == str(inspection)
    assert repr(inspection).startswith("<Inspection of walk.h5: 10 sequences, 1,")
    assert all("\n" not in repr(each) and len(repr(each)) < 200 for each in (report, subset, inspection))


def test_a_dataset_and_what_is_in_it_are_one_line_each(walk):
    path, report = walk
    with mocapgen.open_dataset(path) as data:
        assert repr(data) == f"<Dataset walk.h5: 10 sequences of 5 clips, {report.frames:,} frames at 30 fps; average_man, child_10>"
        assert repr(data[1]) == f"<SequenceRow 1: {data[1].clip['id']} of child_10, {data[1].length} frames>"
        camera = repr(data[0].camera)
        assert camera.startswith("<Camera front: 1920x1080, fov 60 degrees, at (")
        assert camera.endswith(") m, unity frame>")
        player = data._repr_html_()
    assert "<iframe" in player
    assert repr(data) == "<Dataset walk.h5: closed>"
    assert "closed" in data._repr_html_()


def test_a_motion_and_predictions_are_the_player_in_a_notebook(walk, tmp_path):
    with mocapgen.open_dataset(walk[0]) as data:
        skeleton = data.skeleton("average_man")
        motion = mocapgen.Motion(skeleton, data[0]["quaternions"][:9], data[0]["positions_3d"][:9, 0], 30.0, "walk")
    assert "<iframe" in motion._repr_html_()
    with mocapgen.open_predictions(write_predictions(walk[0], tmp_path / "pred.h5", [0, 2])) as predictions:
        frames = predictions.frames
        assert repr(predictions) == f"<Predictions pred.h5: 2 sequences, {frames} frames at 30 fps, 17 joints (h36m17), root {predictions.root}>"
        assert "<iframe" in predictions._repr_html_()
    assert repr(predictions) == "<Predictions pred.h5: closed>"
