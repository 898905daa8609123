"""Opening predictions files: what they hold; damaged, foreign or untrue ones are one line, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocapgen.export import export
from mocapgen.store import Dataset, Predictions, open_any, open_dataset, open_predictions
from schemas.conventions import H36M17
from schemas.errors import DatasetError, MocapError


def replace(name: str, data: object) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        del file[name]
        file[name] = data

    return edit


def put(name: str, row: object, value: object) -> Callable[[h5py.File], None]:
    return lambda file: file[name].__setitem__(row, value)


def attribute(name: str, value: object) -> Callable[[h5py.File], None]:
    return lambda file: file.attrs.__setitem__(name, value)


CHANGES = {
    "a dataset": (attribute("format", "mocapgen-dataset"), "expected predictions of a model, found a dataset"),
    "a newer schema": (attribute("schema_version", "2.0"), "found 2.0; pip install --upgrade"),
    "no model": (lambda file: file.attrs.__delitem__("model"), "expected the attribute model"),
    "a broken card": (attribute("model", "{"), "attribute model:1: expected JSON"),
    "an odd root": (attribute("root", "guessed"), "attribute root: expected predicted or placed, found 'guessed'"),
    "no rate": (attribute("fps", np.nan), "attribute fps: expected frames per second"),
    "missing array": (lambda file: file.__delitem__("frames/confidence"), "/frames/confidence: expected an array, found nothing"),
    "wrong size": (replace("frames/confidence", np.zeros((3, 17), "f4")), "/frames/confidence: expected shape"),
    "clips by number": (replace("sequences/clip", np.zeros(12, "i4")), "/sequences/clip: expected type str"),
    "length beyond the end": (put("sequences/length", 0, 2**31 - 1), "/sequences/length: expected numbers from 1"),
    "no such camera": (put("sequences/camera", 1, 99), "/sequences/camera: expected numbers from 0 to below"),
    "a joint twice": (put("joint_sets/h36m17/joints", 4, 5), "/joint_sets: expected one set with each of the 17 joints"),
    "a second set": (
        lambda file: file.copy("joint_sets/h36m17", "joint_sets/other"),
        "/joint_sets: expected one set with each of the 17 joints, found 2",
    ),
    "no such parent": (put("joint_sets/h36m17/parents", 4, 17), "/joint_sets/h36m17/parents"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_file_that_cannot_be_trusted_is_one_line(predicted: Path, change: Callable[..., Path], name: str) -> None:
    edit, expected = CHANGES[name]
    path = change(predicted, edit)
    with pytest.raises(DatasetError) as caught:
        open_predictions(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    with h5py.File(path, "a"):  # the failed attempt has let go of the file
        pass


def test_rows_and_joints(predicted: Path, front: Path) -> None:
    with open_predictions(predicted) as predictions, open_dataset(front) as data:
        assert (len(predictions), predictions.frames, predictions.fps) == (len(data), data.frames, data.fps)
        assert predictions.joint_names == tuple(H36M17)
        assert predictions.joints == tuple(H36M17.values())
        assert predictions.joint_parents[:4] == (-1, 0, 1, 2)
        assert (predictions.root, predictions.model["model"], predictions.source["file"]) == ("placed", "none", "keypoints.json")
        row, truth = predictions[-1], data[-1]
        assert (row.name, row.avatar, row.clip["id"]) == (f"prediction/{len(data) - 1}", truth.avatar, truth.clip["id"])
        np.testing.assert_array_equal(row["positions_3d"], truth["positions_3d"][:, data.joint_set("h36m17")[1]])
        assert row["confidence"].shape == (row.length, 17)
        with pytest.raises(IndexError):
            predictions[len(data)]
        with pytest.raises(KeyError, match="no array 'quaternions'; there are confidence"):
            row["quaternions"]


def test_joints_are_named_whatever_their_order(predicted: Path, change: Callable[..., Path]) -> None:
    order = np.random.default_rng(1).permutation(17)
    with open_predictions(change(predicted, put("joint_sets/h36m17/joints", slice(None), order))) as predictions:
        place = dict(zip(H36M17, order, strict=True))
        assert all(predictions.joint_names[place[name]] == name for name in H36M17)
        assert predictions.joint_parents[place["right_knee"]] == place["right_hip"]


def test_foreign_joints_are_named(predicted: Path, change: Callable[..., Path]) -> None:
    with open_predictions(change(predicted, put("joint_sets/h36m17/names", 3, "tail"))) as predictions, pytest.raises(DatasetError, match="'tail'"):
        _ = predictions.joints


def test_whichever_it_is(predicted: Path, front: Path, tmp_path: Path) -> None:
    with open_any(predicted) as first, open_any(front) as second:
        assert isinstance(first, Predictions)
        assert isinstance(second, Dataset)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs["format"] = "other"
    with pytest.raises(DatasetError, match="mocapgen-dataset or mocapgen-predictions, found 'other'"):
        open_any(tmp_path / "other.h5")
    with pytest.raises(DatasetError, match="found nothing; `mocapgen build` and `trainer predict` write them"):
        open_any(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("text")
    with pytest.raises(DatasetError, match="expected an HDF5 file"):
        open_any(tmp_path / "text.h5")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=20))
def test_flipped_bytes_are_an_error_of_ours_or_no_harm(predicted: Path, tmp_path: Path, flips: list[tuple[float, int]]) -> None:
    """A file with random bytes changed is exported, or refused in one line; never a traceback, never half an output."""
    content = bytearray(predicted.read_bytes())
    for place, value in flips:
        content[int(place * (len(content) - 1))] = value
    path, out = tmp_path / "flipped.h5", tmp_path / "out.npz"
    path.write_bytes(content)
    out.unlink(missing_ok=True)
    out.with_suffix(".json").unlink(missing_ok=True)
    refused = ""
    try:
        export(path, "npz", out)
    except MocapError as error:
        refused = str(error)
    assert "\n" not in refused
    assert out.exists() != bool(refused)
    if not refused:
        with np.load(out, allow_pickle=False) as arrays:
            assert np.isfinite(arrays["positions_3d"]).all()
    assert {found.name for found in tmp_path.iterdir()} <= {"flipped.h5", "out.npz", "out.json"}
