"""Parquet: a row for each sequence, bit by bit what the file holds, and what others make of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mocapgen import open_dataset
from mocapgen.export import export, parquet
from mocapgen.store.predictions import open_predictions
from schemas.conventions import H36M17
from schemas.errors import ConfigError, DatasetError

pq = pytest.importorskip("pyarrow.parquet")

FRAMES = ("positions_3d", "positions_2d", "quaternions", "euler", "in_view")


def array(scalar: Any) -> np.ndarray:
    """Return a value of a column as an array, whatever its lists are."""
    values, shape = scalar.values, [len(scalar)]
    while hasattr(values.type, "list_size"):
        shape.append(values.type.list_size)
        values = values.flatten()
    return values.to_numpy(zero_copy_only=False).reshape(shape)


def same_bits(found: np.ndarray, expected: np.ndarray) -> bool:
    return found.dtype == expected.dtype and found.shape == expected.shape and found.tobytes() == expected.tobytes()


def test_every_bit_comes_back(orbit: Path, tmp_path: Path) -> None:
    done = export(orbit, "parquet", tmp_path / "poses.parquet")
    table = pq.read_table(tmp_path / "poses.parquet")
    with open_dataset(orbit) as data:
        assert (table.num_rows, done.sequences, done.frames) == (len(data), len(data), data.frames)
        for number, row in enumerate(data):
            line = {name: table[name][number] for name in table.column_names}
            for name in FRAMES:
                assert same_bits(array(line[name]), row[name]), name
            for name in ("K", "R", "t"):
                assert same_bits(array(line[name]), getattr(row.camera, name)), name
            labels = {name: line[name].as_py() for name in ("clip", "avatar", "camera", "actor", "action", "source", "source_file", "frames", "fps")}
            clip = {"clip": row.clip["id"], **{name: row.clip[name] for name in ("actor", "action", "source")}, "source_file": row.clip["file"]}
            assert labels == {**clip, "avatar": row.avatar, "camera": row.camera.rig, "frames": row.length, "fps": data.fps}
            assert (line["width"].as_py(), line["height"].as_py()) == (row.camera.width, row.camera.height)
    assert len(set(table["name"].to_pylist())) == table.num_rows


def test_the_file_says_what_its_numbers_mean(orbit: Path, tmp_path: Path) -> None:
    export(orbit, "parquet", tmp_path / "poses.parquet", camera=0)
    about = json.loads(pq.read_schema(tmp_path / "poses.parquet").metadata[parquet.METADATA.encode()])
    with open_dataset(orbit) as data:
        assert (about["fps"], tuple(about["joints"]), about["conventions"]) == (data.fps, data.joint_names, data.conventions)
        assert about["axes"] == data.conventions["camera_axes"]
        assert about["source"]["config"] == data.config
        for avatar, offsets in about["offsets"].items():
            np.testing.assert_array_equal(offsets, data.skeletons[avatar].offsets)
    beside = json.loads((tmp_path / "poses.json").read_text())
    assert {key: beside[key] for key in about} == about


@pytest.mark.parametrize(("source", "words"), [("hdm05", "ShareAlike"), ("cmu", "resold"), ("sample", None)])
def test_licences_travel_with_the_motions(front: Path, tmp_path: Path, change: Callable[..., Path], source: str, words: str | None) -> None:
    path = change(front, lambda file: file["clips/source"].__setitem__(..., source))
    export(path, "parquet", tmp_path / "poses.parquet")
    terms = json.loads(pq.read_schema(tmp_path / "poses.parquet").metadata[parquet.METADATA.encode()])["terms"]
    assert list(terms) == ([] if words is None else [source])
    assert words is None or words in terms[source]["licence"]


def test_a_joint_set_has_positions_only(orbit: Path, tmp_path: Path) -> None:
    export(orbit, "parquet", tmp_path / "poses.parquet", joints="h36m17", clips="sample_sa_walk*")
    table = pq.read_table(tmp_path / "poses.parquet")
    assert not {"quaternions", "euler"} & set(table.column_names)  # those of a joint without its parents say nothing
    with open_dataset(orbit) as data:
        index = data.joint_set("h36m17")[1]
        rows = [row for row in data if str(row.clip["id"]).startswith("sample_sa_walk")]
        assert table.num_rows == len(rows)
        for number, row in enumerate(rows):
            for name in ("positions_3d", "positions_2d", "in_view"):
                assert same_bits(array(table[name][number]), row[name][:, index]), name


def test_predictions(predicted: Path, tmp_path: Path) -> None:
    export(predicted, "parquet", tmp_path / "pred.parquet")
    table = pq.read_table(tmp_path / "pred.parquet")
    about = json.loads(table.schema.metadata[parquet.METADATA.encode()])
    assert (about["joints"], about["source"]["root"]) == (list(H36M17), "placed")
    with open_predictions(predicted) as data:
        assert table["clip"].to_pylist() == [row.clip["id"] for row in data]
        for number, row in enumerate(data):
            for name in ("positions_3d", "positions_2d", "confidence"):
                assert same_bits(array(table[name][number]), row[name]), name


def test_row_groups_are_limited(orbit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(orbit, "parquet", tmp_path / "whole.parquet")
    monkeypatch.setattr(parquet, "GROUP_BYTES", 400_000)
    export(orbit, "parquet", tmp_path / "parts.parquet")
    whole, parts = (pq.ParquetFile(tmp_path / f"{name}.parquet") for name in ("whole", "parts"))
    sizes = [parts.metadata.row_group(number) for number in range(parts.num_row_groups)]
    assert (whole.num_row_groups, parts.num_row_groups > 3) == (1, True)
    assert all(group.num_rows == 1 or group.total_byte_size < 500_000 for group in sizes)
    assert parts.read().equals(whole.read())


def test_the_same_bytes_again(front: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        export(front, "parquet", tmp_path / f"{name}.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "other.parquet").read_bytes()


def test_pandas(front: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    export(front, "parquet", tmp_path / "poses.parquet", clips="sample_sd_walk*")
    table = pandas.read_parquet(tmp_path / "poses.parquet")
    with open_dataset(front) as data:
        row = next(row for row in data if row.clip["id"] == table["clip"][0])
        found = np.stack([np.stack(list(frame)) for frame in table.positions_3d[0]])
        assert same_bits(found, row["positions_3d"])
    assert set(table.action) == {"walk"}


def test_hugging_face_datasets(front: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    export(front, "parquet", tmp_path / "poses.parquet", clips="sample_sd_walk*")
    loaded = datasets.load_dataset("parquet", data_files=str(tmp_path / "poses.parquet"), split="train", cache_dir=str(tmp_path / "cache"))
    with open_dataset(front) as data:
        row = next(row for row in data if row.clip["id"] == loaded[0]["clip"])
        for name in ("positions_3d", "quaternions", "in_view"):
            assert same_bits(np.array(loaded[0][name], row[name].dtype), row[name]), name
            assert same_bits(array(loaded.with_format("arrow")[0][name][0]), row[name]), name


def test_without_pyarrow(front: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"^parquet: expected the package pyarrow, .*: pip install 'mocapgen\[parquet\]'$"):
        export(front, "parquet", tmp_path / "poses.parquet")
    assert not list(tmp_path.iterdir())


def test_frames_that_are_not_finite(front: Path, tmp_path: Path, change: Callable[..., Path]) -> None:
    def spoil(file: h5py.File) -> None:
        values = file["frames/euler"][:]
        values[3, 5, 1] = np.nan
        del file["frames/euler"]
        file.create_dataset("frames/euler", data=values, fletcher32=True)

    with pytest.raises(DatasetError, match=r"/frames/euler: expected finite numbers, found .*nan.* in frame 3 of \w+, joint Head$"):
        export(change(front, spoil), "parquet", tmp_path / "poses.parquet")
    assert not (tmp_path / "poses.parquet").exists()
