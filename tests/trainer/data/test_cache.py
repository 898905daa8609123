"""Frames that are mapped from a cache are those in memory, in fit and in workers; caches are made once, whole or not at all."""

import multiprocessing
import pickle
import shutil
import threading

import h5py
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mocapgen.shared.memory import available_memory
from schemas.errors import ConfigError, DatasetError
from trainer import PoseDataset
from trainer.data import cache
from trainer.data.cache import load_frames
from trainer.fit import fit


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    """The folder of the caches."""
    folder = tmp_path / "caches"
    monkeypatch.setenv(cache.FOLDER, str(folder))
    return folder


def names(folder):
    return sorted(path.suffix for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("joint_set", ["h36m17", "detector"])
def test_mapped_frames_are_those_in_memory(data_file, joint_set):
    there, mapped = (load_frames(data_file, joint_set, where) for where in ("memory", "disk"))
    everything = np.arange(len(there))
    assert isinstance(mapped.positions_3d, np.memmap)
    for name in ("positions_3d", "positions_2d"):
        assert np.array_equal(getattr(there, name)[there.rows(everything)], getattr(mapped, name)[mapped.rows(everything)])
    assert there.sha256 == mapped.sha256
    assert np.array_equal(there.length, mapped.length)


@pytest.mark.parametrize("window", [None, 24])
def test_a_run_is_the_same_bit_by_bit(data_file, tiny, tmp_path, window):
    runs = [fit(data_file, tiny.model_copy(update={"cache": where, "window": window}), tmp_path / where) for where in ("memory", "disk")]
    figures = [[{k: row[k] for k in ("loss", "train_mpjpe_mm", "validation_mpjpe_mm", "test_mpjpe_mm")} for row in run.history] for run in runs]
    assert figures[0] == figures[1]
    assert runs[0].metrics == runs[1].metrics
    assert (runs[0].folder / "best.safetensors").stat().st_size == (runs[1].folder / "best.safetensors").stat().st_size
    went_on = fit(data_file, tiny.model_copy(update={"cache": "memory", "window": window, "epochs": 3}), tmp_path / "disk", resume=True)
    assert len(went_on.history) == 3


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_map_the_cache_themselves(data_file, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    there, mapped = (PoseDataset(data_file, window=50, cache=where) for where in ("memory", "disk"))
    assert len(pickle.dumps(mapped)) < 0.1 * len(pickle.dumps(there))
    batches = DataLoader(mapped, batch_size=64, num_workers=1, multiprocessing_context=method)
    for expected, batch in zip(DataLoader(there, batch_size=64), batches, strict=True):
        assert torch.equal(expected.positions_3d, batch.positions_3d)
        assert torch.equal(expected.positions_2d, batch.positions_2d)


def test_a_cache_is_made_once_and_again_if_it_is_not_whole(data_file, caches, monkeypatch):
    load_frames(data_file, cache="disk")
    assert names(caches) == [".frames", ".lock"]
    file = next(caches.glob("*.frames"))
    whole = file.read_bytes()
    monkeypatch.setattr(cache, "_make", lambda *arguments: pytest.fail("made again"))
    load_frames(data_file, cache="disk")
    monkeypatch.undo()
    monkeypatch.setenv(cache.FOLDER, str(caches))
    file.write_bytes(whole[:1000])
    left = caches / f".{file.name}.killed.frames"
    left.touch()
    load_frames(data_file, cache="disk")
    assert file.read_bytes() == whole
    assert not left.exists()


def test_a_damaged_cache_is_made_again(data_file, caches):
    """Finite numbers that are not those of the dataset would be trained on."""
    memory, mapped = load_frames(data_file, cache="memory"), load_frames(data_file, cache="disk")
    (file,) = caches.glob("*.frames")
    del mapped
    for place in (8, file.stat().st_size - 16):
        with file.open("r+b") as damaged:
            damaged.seek(place)
            damaged.write(b"\0\0\x80?")
        again = load_frames(data_file, cache="disk")
        for name in ("positions_3d", "positions_2d"):
            assert np.array_equal(getattr(again, name)[again.rows(range(len(again)))], getattr(memory, name)[memory.rows(range(len(memory)))])


def test_several_processes_make_one(data_file, monkeypatch):
    made = []
    real = cache._make
    monkeypatch.setattr(cache, "_make", lambda *arguments: (made.append(arguments), real(*arguments)))
    threads = [threading.Thread(target=load_frames, args=(data_file, "h36m17", "disk")) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_changed_file_has_another_cache(data_file, tmp_path, caches):
    copy = tmp_path / "copy.h5"
    shutil.copy(data_file, copy)
    first = load_frames(copy, cache="disk")
    with h5py.File(copy, "r+") as file:
        frames = file["/frames/positions_2d"]
        frames[0] = frames[0] + np.float32(1.0)
    second = load_frames(copy, cache="disk")
    assert len(list(caches.glob("*.frames"))) == 2
    assert (second.positions_2d[0] == first.positions_2d[0] + np.float32(1.0)).all()


def test_what_cannot_be_cached_leaves_nothing(data_file, caches, changed, monkeypatch):
    def spoil(file):
        file["/frames/positions_3d"][5] = np.nan

    with pytest.raises(DatasetError, match="expected finite numbers"):
        load_frames(changed(spoil), cache="disk")
    assert names(caches) == [".lock"]
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(1, 1, 12_000))
    with pytest.raises(DatasetError, match=r"MB of room for the frames of sample.h5, found 12.0 kB; set MOCAPGEN_CACHE to a folder of another disk"):
        load_frames(data_file, cache="disk")
    monkeypatch.setenv(cache.FOLDER, str(data_file))
    with pytest.raises(DatasetError, match="cannot be written"):
        load_frames(data_file, cache="disk")
    monkeypatch.setenv(cache.FOLDER, "~nobody.has.this.name/frames")
    with pytest.raises(ConfigError, match=r"^\$MOCAPGEN_CACHE: expected a folder, found '~nobody\.has\.this\.name/frames', and no such user; "):
        load_frames(data_file, cache="disk")


def test_large_files_are_cached_without_being_asked(data_file, caches, monkeypatch):
    assert load_frames(data_file).cache is None
    monkeypatch.setattr(cache, "available_memory", lambda: 2**20)
    assert load_frames(data_file).cache is not None


def test_the_memory_that_is_left(tmp_path):
    assert available_memory(tmp_path / "nothing")
    files = {
        "proc/meminfo": "MemTotal: 9000 kB\nMemAvailable: 5000 kB\n",
        "proc/self/cgroup": "5:memory:/job/step\n0::/job/step\n",
        "sys/fs/cgroup/job/memory.max": "4000000\n",
        "sys/fs/cgroup/job/memory.current": "3000000\n",
        "sys/fs/cgroup/job/memory.stat": "anon 5\ninactive_file 500000\n",
        "sys/fs/cgroup/job/step/memory.max": "max\n",
        "sys/fs/cgroup/job/step/memory.current": "7\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert available_memory(tmp_path) == 1_500_000
    old = tmp_path / "sys/fs/cgroup/memory/job"
    old.mkdir(parents=True)
    for name, text in (("memory.limit_in_bytes", "2000000"), ("memory.usage_in_bytes", "1900000"), ("memory.stat", "total_inactive_file 1000")):
        (old / name).write_text(text)
    assert available_memory(tmp_path) == 101_000
    (tmp_path / "proc/self/cgroup").unlink()
    assert available_memory(tmp_path) == 5_120_000
