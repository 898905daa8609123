"""Frames are read in large pieces, and each piece once; nothing that is read depends on the order."""

from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from mocapgen.shared import frame_reader
from mocapgen.shared.frame_reader import FrameReader
from schemas.errors import DatasetError

ROWS = 1000


@pytest.fixture
def values() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(ROWS, 4)).astype(np.float32)


@pytest.fixture
def file(tmp_path: Path, values: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> h5py.File:
    monkeypatch.setattr(frame_reader, "AHEAD", 100 * 16)  # a hundred rows
    with h5py.File(tmp_path / "data.h5", "w") as made:
        made.create_dataset("/frames/points", data=values, chunks=(32, 4), compression="gzip", fletcher32=True)
    return h5py.File(tmp_path / "data.h5")


def test_any_order_gives_the_rows_asked_for(file: h5py.File, values: NDArray[np.float32]) -> None:
    reader, random = FrameReader(file), np.random.default_rng(1)
    ends = np.sort(random.integers(0, ROWS, 60))
    pieces = [(int(a), int(b - a)) for a, b in pairwise(ends)]
    for start, length in [*pieces, *pieces[::-1], *random.permutation(pieces).tolist(), (0, ROWS), (ROWS - 5, 5), (3, 250), (253, 10)]:
        assert np.array_equal(reader.read("points", start, length, 0), values[start : start + length])


def test_what_is_read_may_be_changed(file: h5py.File, values: NDArray[np.float32]) -> None:
    reader = FrameReader(file)
    for start in (0, 10, 20, 10):
        reader.read("points", start, 10, 0)[:] = 0.0
    assert np.array_equal(reader.read("points", 10, 10, 0), values[10:20])


def test_rows_that_follow_each_other_are_read_together_and_others_alone(file: h5py.File, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    read = h5py.Dataset.__getitem__

    def counted(array: h5py.Dataset, place: slice) -> NDArray[np.float32]:
        found = read(array, place)
        asked.append(len(found))
        return found

    monkeypatch.setattr(h5py.Dataset, "__getitem__", counted)
    reader = FrameReader(file)
    for start in range(0, ROWS, 10):
        reader.read("points", start, 10, 0)
    assert asked == [10, *[100] * 9, 90]
    asked.clear()
    for start in (900, 500, 100):
        reader.read("points", start, 10, 0)
    assert asked == [10, 10, 10]


def test_damage_is_said_of_the_rows_that_have_it_only(file: h5py.File, values: NDArray[np.float32]) -> None:
    chunk = file["/frames/points"].id.get_chunk_info_by_coord((160, 0))
    path = Path(file.filename)
    file.close()
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + 20] ^= 0xFF
    path.write_bytes(bytes(content))
    reader = FrameReader(h5py.File(path))
    for number, start in enumerate(range(0, ROWS, 32)):
        rows = slice(start, min(start + 32, ROWS))
        if start == 160:
            with pytest.raises(DatasetError, match=r"/frames/points: expected sound frames in sequence 5, found "):
                reader.read("points", rows.start, rows.stop - rows.start, number)
        else:
            assert np.array_equal(reader.read("points", rows.start, rows.stop - rows.start, number), values[rows])


def test_an_array_that_is_not_there(file: h5py.File) -> None:
    with pytest.raises(KeyError, match="no array 'colours'; there are points"):
        FrameReader(file).read("colours", 0, 1, 0)
