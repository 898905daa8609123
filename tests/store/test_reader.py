"""Opening dataset files that are damaged, foreign, newer or untrue: one line that names the array, never a traceback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from mocapgen import build, open_dataset
from schemas.config import BuildConfig
from schemas.errors import DatasetError


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reader") / "data.h5"
    settings = {"source": "sample", "actions": ("walk",), "avatars": ("average_man", "child_10"), "workers": 1, "out": path}
    build(BuildConfig.model_validate(settings))
    return path


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "copy.h5"))


def replace(name: str, data: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = data

    return change


def put(name: str, row: int, value: object) -> Callable[[h5py.File], None]:
    return lambda file: file[name].__setitem__(row, value)


def attribute(name: str, value: object) -> Callable[[h5py.File], None]:
    return lambda file: file.attrs.__setitem__(name, value)


def drop(name: str) -> Callable[[h5py.File], None]:
    return lambda file: file.__delitem__(name)


CHANGES = {
    "another format": (attribute("format", "other"), "format='mocapgen-dataset', found 'other'"),
    "a newer schema": (attribute("schema_version", "2.0"), "found 2.0; pip install --upgrade"),
    "a version that is none": (attribute("schema_version", "²"), "found ²"),
    "no rate": (lambda file: file.attrs.__delitem__("fps"), "attribute fps"),
    "no time": (attribute("fps", 0.0), "attribute fps: expected frames per second"),
    "no rate of a camera": (attribute("fps", 1e300), "attribute fps: expected frames per second"),
    "NUL in a text": (replace("sequences/avatar", np.full(10, b"a\0b")), "/sequences/avatar: expected texts without NUL"),
    "broken JSON": (attribute("conventions", "{"), "attribute conventions:1: expected JSON"),
    "no JSON object": (attribute("config", "[]"), "attribute config: expected a JSON object"),
    "unknown frame": (attribute("conventions", '{"camera_frame": "x"}'), "unity, opencv, found 'x'"),
    "missing array": (drop("frames/euler"), "/frames/euler: expected an array, found nothing"),
    "no skeletons": (drop("skeletons"), "/skeletons: expected at least one group"),
    "half a skeleton": (drop("skeletons/child_10/offsets"), "/skeletons/child_10/offsets: expected an array"),
    "no joint sets": (drop("joint_sets"), "/joint_sets: expected at least one group"),
    "wrong type": (replace("clips/source_fps", ["x"]), "/clips/source_fps: expected type f8, found str"),
    "long double": (replace("clips/source_fps", np.ones(2, "longdouble")), r"/clips/source_fps: expected type f8, found float128"),
    "wrong dimensions": (replace("frames/in_view", np.zeros(3, bool)), "/frames/in_view: expected 2 dimensions"),
    "wrong size": (replace("frames/in_view", np.zeros((3, 27), bool)), "/frames/in_view: expected shape"),
    "start beyond the end": (put("sequences/start", 1, 10**12), "/sequences/start: expected numbers from 0"),
    "start before the beginning": (put("sequences/start", 1, -1), "found -1 in row 1"),
    "length beyond the end": (put("sequences/length", 0, 2**31 - 1), "/sequences/length: expected numbers from 1"),
    "no focal length": (put("cameras/K", 1, 0.0), "/cameras/K: expected focal lengths, found [[0.0, 0.0, 0.0],"),
    "no place": (put("cameras/t", 1, 1e300), "/cameras/t: expected finite numbers of a camera, found [1e+300, 1e+300, 1e+300] in row 1"),
    "no image": (put("cameras/width", 1, 0), "/cameras/width: expected numbers from 1 to below 1000000, found 0 in row 1"),
    "length zero": (put("sequences/length", 0, 0), "found 0 in row 0"),
    "no such clip": (put("sequences/clip", 2, 999), "/sequences/clip: expected numbers from 0 to below"),
    "no such camera": (put("sequences/camera", 2, -3), "/sequences/camera: expected numbers from 0 to below"),
    "no such avatar": (put("sequences/avatar", 0, "nobody"), "average_man, child_10, found 'nobody'"),
    "no such joint": (put("joint_sets/h36m17/joints", 4, 27), "/joint_sets/h36m17/joints: expected numbers from 0 to below 27, found 27 in row 4"),
    "no offset": (put("skeletons/child_10/offsets", 2, np.nan), "/skeletons/child_10/offsets: expected numbers from -1000000 to below"),
    "no such pair": (put("joint_sets/h36m17/symmetric_pairs", 0, [0, 17]), "/joint_sets/h36m17/symmetric_pairs"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_file_that_cannot_be_trusted_is_one_line(copy: Path, name: str) -> None:
    change, expected = CHANGES[name]
    with h5py.File(copy, "a") as file:
        change(file)
    with pytest.raises(DatasetError) as caught:
        open_dataset(copy)
    message = str(caught.value)
    assert message.startswith(f"{copy}: ")
    assert expected in message
    assert "\n" not in message
    with h5py.File(copy, "a"):  # the failed attempt has let go of the file
        pass


@pytest.mark.parametrize("content", [b"", b"text", b"\x89HDF\r\n\x1a\n" + bytes(64)], ids=["empty", "text", "damaged"])
def test_no_hdf5(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.h5").write_bytes(content)
    with pytest.raises(DatasetError, match="expected an HDF5 file") as caught:
        open_dataset(tmp_path / "data.h5")
    assert "\n" not in str(caught.value)


def test_nothing_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="found nothing"):
        open_dataset(tmp_path / "none.h5")
    with pytest.raises(DatasetError, match="found a folder"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.999])
def test_a_file_cut_short(copy: Path, share: float) -> None:
    content = copy.read_bytes()
    copy.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DatasetError):
        open_dataset(copy)


def test_damaged_frames_are_noticed(copy: Path) -> None:
    """The checksum of each chunk tells a flipped bit from data."""
    with h5py.File(copy) as file:
        place = file["frames/positions_3d"].id.get_chunk_info(0)
    content = bytearray(copy.read_bytes())
    content[place.byte_offset + place.size // 2] ^= 1
    copy.write_bytes(content)
    with open_dataset(copy) as data, pytest.raises(DatasetError, match="/frames/positions_3d: expected sound frames in sequence 0"):
        data[0]["positions_3d"]


def test_rows(sound: Path) -> None:
    with open_dataset(sound) as data:
        assert [row.number for row in data] == list(range(len(data)))
        assert data[-1].number == len(data) - 1
        assert sum(row.length for row in data) == data.frames
        assert {len(row["euler"]) == row.length for row in data} == {True}
        with pytest.raises(IndexError):
            data[len(data)]
        with pytest.raises(KeyError, match="there are euler"):
            data[0]["nothing"]
