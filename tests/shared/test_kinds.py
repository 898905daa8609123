"""What a path names, as messages say it."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from mocapgen.shared.inputs import similar_name
from mocapgen.shared.kinds import kind_of

CONTENTS = {
    "a video (MP4)": b"\0\0\0\x18ftypmp42",
    "motion capture (BVH)": b"HIERARCHY\nROOT Hips",
    "motion capture (C3D)": b"\x02\x50" + bytes(510),
    "a table (Parquet)": b"PAR1\x15\x04",
    "a picture (PNG)": b"\x89PNG\r\n\x1a\n",
    "a trained model": (80).to_bytes(8, "little") + b'{"__metadata__":',
    "JSON": b'\xef\xbb\xbf {"fps": 25}',
    "text": b"# A page\n",
    "something else": b"\x07\x01\x02",
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_file_is_known_by_its_first_bytes(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(CONTENTS[kind])
    assert kind_of(path) == kind


def test_folders_and_files_of_hdf5(tmp_path: Path) -> None:
    h5py.File(tmp_path / "a", "w").close()
    assert kind_of(tmp_path / "a") == "an HDF5 file"
    assert kind_of(tmp_path) == "a folder"
    (tmp_path / "best.safetensors").touch()
    assert kind_of(tmp_path) == "the folder of a trained model"
    assert kind_of(tmp_path / "none") == "nothing"
    assert kind_of("a\0b") == "nothing"


def test_a_similar_name_ends_alike(tmp_path: Path) -> None:
    for name in ("data.h5", "dat.json", "clip.mp4"):
        (tmp_path / name).touch()
    assert similar_name(tmp_path / "dat.h5") == f"; did you mean {str(tmp_path / 'data.h5')!r}?"
    assert similar_name(tmp_path / "other.h5") == ""
    assert similar_name(tmp_path / "none" / "dat.h5") == ""
