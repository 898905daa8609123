"""Why the file is stored as it is: compression and chunks compared on the frames that were just rendered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from benchmarks.stages import Material
from benchmarks.tables import Section, Value
from benchmarks.timing import measure
from schemas.dataset import CHUNK_FRAMES

_SHUFFLED = {"shuffle": True, "fletcher32": True}
_GZIP_1 = {**_SHUFFLED, "compression": "gzip", "compression_opts": 1}
_COMPRESSIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "lzf (needs a plugin outside h5py)": {**_SHUFFLED, "compression": "lzf"},
    "gzip 1": _GZIP_1,
    "gzip 4": {**_SHUFFLED, "compression": "gzip", "compression_opts": 4},
}
_ARRAYS = ("positions_3d", "positions_2d", "quaternions", "euler")
_WINDOW = 81  # frames


def frames_of(material: Material) -> dict[str, NDArray[np.float32]]:
    """Return the large arrays of ``/frames``."""
    sequences = [sequence for _, sequences in material.rendered for sequence in sequences]
    return {name: np.concatenate([getattr(sequence, name) for sequence in sequences]) for name in _ARRAYS}


def compression(material: Material, folder: Path, repeat: int, pinning: str) -> Section:
    """Measure writing and reading with each filter."""
    arrays = frames_of(material)
    megabytes = sum(array.nbytes for array in arrays.values()) / 1e6
    paths = {name: folder / f"{number}.h5" for number, name in enumerate(_COMPRESSIONS)}
    timings = measure({name: _writer(paths[name], arrays, filters) for name, filters in _COMPRESSIONS.items()}, repeat)
    reading = measure({name: _reader(path) for name, path in paths.items()}, repeat)
    rows: list[dict[str, Value]] = [
        {
            "filter": name,
            "write, MB/s": megabytes / timings[name].best,
            "read, MB/s": megabytes / reading[name].best,
            "size, MB": path.stat().st_size / 1e6,
            "of raw, %": path.stat().st_size / 1e4 / megabytes,
        }
        for name, path in paths.items()
    ]
    note = f"{megabytes:,.1f} MB of frames, chunks of {CHUNK_FRAMES} frames; all but `none` with shuffle and fletcher32; {pinning}; best of {repeat}."
    return Section("Compression", note, tuple(rows))


def windows(material: Material, folder: Path, count: int, repeat: int, pinning: str) -> Section:
    """Measure reading windows from random places, with our chunks and with those that h5py would choose."""
    array = frames_of(material)["positions_2d"]
    starts = np.random.default_rng(0).integers(0, max(len(array) - _WINDOW, 1), count)
    kinds: dict[str, Any] = {f"{CHUNK_FRAMES} frames": (CHUNK_FRAMES, *array.shape[1:]), "h5py's automatic choice": True}
    rows: list[dict[str, Value]] = []
    for name, chunks in kinds.items():
        path = folder / "windows.h5"
        with h5py.File(path, "w") as file:
            shape = file.create_dataset("x", data=array, chunks=chunks, maxshape=(None, *array.shape[1:]), **_GZIP_1).chunks
        timing = measure({name: partial(_read_windows, path, starts)}, repeat)[name]
        rows.append({"chunks": name, "shape": str(shape), "windows/s": count / timing.best, "ms per window": 1000 * timing.best / count})
    note = f"{count:,} windows of {_WINDOW} frames of positions_2d ({len(array):,} frames), gzip 1; {pinning}; best of {repeat}."
    return Section("Random windows", note, tuple(rows))


def _writer(path: Path, arrays: dict[str, NDArray[np.float32]], filters: dict[str, Any]) -> Callable[[], None]:
    def write() -> None:
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file.create_dataset(name, data=array, chunks=(CHUNK_FRAMES, *array.shape[1:]), **filters)

    return write


def _reader(path: Path) -> Callable[[], None]:
    def read() -> None:
        with h5py.File(path) as file:
            for name in _ARRAYS:
                file[name][()]

    return read


def _read_windows(path: Path, starts: NDArray[np.int64]) -> None:
    with h5py.File(path) as file:
        dataset = file["x"]
        for start in starts.tolist():
            dataset[start : start + _WINDOW]
