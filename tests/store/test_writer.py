"""The file as written, held against the layout, and the writer's all or nothing."""

from __future__ import annotations

import errno
import io
import os
import signal
import stat
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocapgen import build, open_dataset
from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.shared import disk
from mocapgen.shared.disk import DiskFile, remove_stale
from mocapgen.shared.signals import interrupts_deferred
from mocapgen.store.writer import DatasetWriter
from schemas.config import BuildConfig
from schemas.dataset import CHUNK_FRAMES, LAYOUT, RootAttributes
from schemas.errors import DatasetError

OLD = b"an older file"
TYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "i8": "<i8", "bool": "|b1"}


def config(path: Path, **changes: Any) -> BuildConfig:
    settings = {"source": "sample", "actions": ("walk", "hop*"), "avatars": ("average_man", "child_10"), "workers": 1, "camera": "orbit:2"}
    return BuildConfig.model_validate({**settings, "out": path, **changes})


def writer(path: Path, **changes: Any) -> DatasetWriter:
    avatar = load_avatar("average_man")
    return DatasetWriter(path, config(path, **changes), [(avatar, avatar_skeleton(avatar))])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("writer") / "data.h5"
    build(config(path))
    return path


def test_every_array_is_as_the_layout_says_and_there_is_no_other(written: Path) -> None:
    found: dict[str, h5py.Dataset] = {}
    with h5py.File(written) as file:
        file.visititems(lambda name, item: found.__setitem__(f"/{name}", item) if isinstance(item, h5py.Dataset) else None)
        expected = set()
        for array in LAYOUT.arrays:
            group, named, _ = array.path.partition("/<name>")
            for name in file[group] if named else ("",):
                path = array.path.replace("<name>", name)
                expected.add(path)
                dataset = found[path]
                assert len(dataset.shape) == len(array.shape), path
                assert all(got == want for got, want in zip(dataset.shape, array.shape, strict=True) if isinstance(want, int)), path
                assert dict(dataset.attrs) == {"unit": array.unit, "meaning": array.meaning}
                if array.dtype == "str":
                    assert h5py.check_string_dtype(dataset.dtype).encoding == "utf-8"
                else:
                    assert dataset.dtype == np.dtype(TYPES[array.dtype]), path
        assert set(found) == expected
        assert set(file.attrs) == set(RootAttributes.model_fields)


def test_frames_are_chunked_and_need_no_plugin(written: Path) -> None:
    with h5py.File(written) as file:
        for dataset in file["frames"].values():
            assert dataset.chunks == (CHUNK_FRAMES, *dataset.shape[1:])
            filters = dataset.id.get_create_plist()
            codes = {filters.get_filter(index)[0] for index in range(filters.get_nfilters())}
            assert codes == {h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_FLETCHER32}


def test_metadata_has_checksums(written: Path) -> None:
    data = written.read_bytes()
    assert data[8] == 3  # the superblock's version: HDF5 1.10
    assert not [mark for mark in (b"TREE", b"SNOD", b"HEAP") if mark in data]  # structures of older versions, which have none
    damaged = bytearray(data)
    damaged[data.index(b"OHDR") + 20] ^= 1
    with pytest.raises((OSError, KeyError, RuntimeError), match="checksum"), h5py.File(io.BytesIO(damaged)) as file:
        file.visititems(lambda name, node: None)


def test_the_file_may_be_read_by_others_as_the_umask_says(written: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(written.stat().st_mode) == 0o666 & ~umask


def test_an_exception_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "data.h5"
    with pytest.raises(StopIteration), writer(path):
        raise StopIteration
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(OLD)
    with pytest.raises(KeyboardInterrupt), writer(path, overwrite=True):
        raise KeyboardInterrupt
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == {"data.h5": OLD}


def test_targets_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "old.h5").write_bytes(OLD)
    for path, expected in ((tmp_path / "old.h5", "exists already"), (tmp_path, "found a folder"), (tmp_path / "no/data.h5", "found no ")):
        with pytest.raises(DatasetError, match=expected) as caught, writer(path):
            pass
        assert "\n" not in str(caught.value)
    assert [item.name for item in tmp_path.iterdir()] == ["old.h5"]


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "data.h5"
    with pytest.raises(DatasetError, match="appeared while it was being written"), writer(path):
        path.write_bytes(OLD)
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == {"data.h5": OLD}


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:  # permissions do not stop the super-user, who may run these tests
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("mocapgen.shared.files.tempfile.mkstemp", refuse)
    with pytest.raises(DatasetError, match="cannot be written: Permission denied; nothing was changed"), writer(tmp_path / "data.h5"):
        pass
    assert list(tmp_path.iterdir()) == []


def disk_with_room(room: int) -> type[io.FileIO]:
    """Return files of a disk that takes so many bytes more."""
    left = [room]

    class Full(io.FileIO):
        def write(self, data: Any) -> int:
            if left[0] <= 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            count = super().write(data[: left[0]])
            left[0] -= count
            return count

    return Full


@pytest.mark.parametrize("room", [0, 1, 96, 4_000, 50_000, 200_000, 500_000])
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    path = tmp_path / "data.h5"
    path.write_bytes(OLD)
    monkeypatch.setattr(disk, "FileIO", disk_with_room(room))
    with pytest.raises(DatasetError, match="No space left on device; nothing was changed") as caught:
        build(config(path, overwrite=True))
    assert "\n" not in str(caught.value)
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == {"data.h5": OLD}


def test_only_partials_that_nobody_writes_are_removed(tmp_path: Path) -> None:
    for name in ("open", "stale"):
        (tmp_path / name).write_bytes(OLD)
    with DiskFile(tmp_path / "open"):
        remove_stale(tmp_path / "open")
        remove_stale(tmp_path / "stale")
        remove_stale(tmp_path / "missing")
    assert [item.name for item in tmp_path.iterdir()] == ["open"]


def test_partials_that_are_new_are_left_alone_too(tmp_path: Path) -> None:
    (tmp_path / "new").touch()  # by a program that locks it in a moment
    remove_stale(tmp_path / "new")
    assert (tmp_path / "new").exists()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_without_locks_builds_to_one_name_do_not_disturb_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(*_: Any) -> Any:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", refuse)
    path = tmp_path / "data.h5"
    with DiskFile(stale_file(tmp_path)) as other:
        build(config(path))
        other.write(b"more")
    assert sorted(item.name for item in tmp_path.iterdir()) == [".data.h5.other.partial", "data.h5"]
    with open_dataset(path) as data:
        assert len(data) > 0


def stale_file(folder: Path) -> Path:
    """Return a file of a build that has begun."""
    path = folder / ".data.h5.other.partial"
    path.write_bytes(OLD)
    return path


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 60), st.binary(max_size=20)),
        st.tuples(st.just("read"), st.integers(0, 60), st.integers(0, 30)),
    )
)


@given(steps=STEPS, room=st.integers(0, 200))
def test_what_is_written_is_read_back_also_when_the_disk_is_full(tmp_path_factory: pytest.TempPathFactory, steps: Any, room: int) -> None:
    path = tmp_path_factory.mktemp("disk") / "file"
    path.touch()
    expected = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "FileIO", disk_with_room(room))
        file = DiskFile(path)
    with file:
        for what, offset, value in steps:
            file.seek(offset)
            if what == "write":
                expected.seek(offset)
                if value:
                    expected.write(value)
                assert file.write(value) == len(value)
            else:
                expected.seek(offset)
                assert file.read(value) == expected.read(value)
        if file.error is not None:
            with pytest.raises(OSError, match="No space"):
                file.check()


def test_an_interrupt_waits_until_the_disk_is_done() -> None:
    done = []

    def write() -> None:
        with interrupts_deferred():
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        write()
    assert done == [True]
    assert signal.getsignal(signal.SIGINT) is before
