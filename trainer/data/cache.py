"""The frames of a dataset file for training, which looks at them again and again in random order: in memory, or mapped from an uncompressed file.

The file is made once, some sequences at a time, and kept for the next run::

    $MOCAPGEN_CACHE/SHA256-JOINT_SET-1.frames      3D of all sequences, one after the other, then their 2D; float32; then a checksum of each

Its name says what is in it, so it is never out of date. It may be removed at any time, and is made again, as is one that is damaged. Without
the variable it lies in the user's folder for caches.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

import deflate
import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.files import disk_errors, in_home, new_file
from mocapgen.shared.locks import lock
from mocapgen.shared.memory import available_memory
from mocapgen.shared.text import format_size, one_line
from schemas.errors import DatasetError
from trainer.data.dataset import PoseData, load
from trainer.data.parts import parts

Cache = Literal["auto", "memory", "disk"]

FOLDER = "MOCAPGEN_CACHE"
"""Environment variable: folder of the caches."""
SHARE = 0.5
"""Share of the available memory that the frames may take, of all processes on a machine together."""
_VERSION = 1
_NUMBERS = 3, 2
"""Of a joint in 3D and in 2D."""
_CHECKSUM = 4
"""Bytes: CRC-32."""
_PIECE = 2**24  # bytes


def load_frames(path: str | Path, joint_set: str = "h36m17", cache: Cache = "auto") -> PoseData:
    """Read a dataset file for training.

    Parameters
    ----------
    path : str or Path
    joint_set : str
        See :func:`trainer.data.dataset.load`.
    cache : {"auto", "memory", "disk"}
        Where the frames are: in memory, in a file that is mapped into it, or in the latter if they would take more than half of the memory that
        is available.

    Returns
    -------
    PoseData
        With the same values in the same order, wherever they are.

    Raises
    ------
    DatasetError
        If the file cannot be used, or the cache not be written.
    """
    data = load(path, joint_set, frames=False)
    if cache == "memory" or (cache == "auto" and _size(data) <= _allowed()):
        return load(path, joint_set)
    folder = cache_folder()
    file = folder / f"{data.sha256}-{joint_set}-{_VERSION}.frames"
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if not _is_whole(file, data):
        with _one_at_a_time(file) as alone:
            if not _is_whole(file, data):  # another process may have made it meanwhile
                _make(file, data, alone)
    positions_3d, positions_2d = map_frames(file, len(data.joints.joints))
    return replace(data, positions_3d=positions_3d, positions_2d=positions_2d, start=np.cumsum(data.length) - data.length, cache=file)


def cache_folder() -> Path:
    """Return the folder of the caches.

    Raises
    ------
    ConfigError
        If it is in the home folder of a user that does not exist.
    """
    import platformdirs

    return in_home(Path(os.environ.get(FOLDER) or platformdirs.user_cache_path("mocapgen")), f"${FOLDER}")


def map_frames(file: Path, joints: int) -> list[NDArray[np.float32]]:
    """Return 3D and 2D positions of a cache, (F, J, 3) and (F, J, 2) float32: read from the file as they are looked at."""
    frames = file.stat().st_size // (4 * joints * sum(_NUMBERS))
    offsets = 0, 4 * frames * joints * _NUMBERS[0]
    return [
        np.memmap(file, dtype="<f4", mode="r", offset=offset, shape=(frames, joints, numbers))
        for numbers, offset in zip(_NUMBERS, offsets, strict=True)
    ]


def _size(data: PoseData) -> int:
    """Return the bytes of the frames of all sequences."""
    return 4 * int(data.length.sum()) * len(data.joints.joints) * sum(_NUMBERS)


def _allowed() -> float:
    """Return the bytes of frames that may be kept in memory."""
    available = available_memory()
    return math.inf if available is None else SHARE * available / int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def _is_whole(file: Path, data: PoseData) -> bool:
    """Return whether a cache is there, and is what was written."""
    if not file.is_file() or file.stat().st_size != _size(data) + len(_NUMBERS) * _CHECKSUM:
        return False
    with file.open("rb") as source:
        found = [_checksum_of(source, _size(data) * numbers // sum(_NUMBERS)) for numbers in _NUMBERS]
        return source.read() == b"".join(found)


def _checksum_of(source: BinaryIO, size: int) -> bytes:
    """Return the checksum of the next so many bytes of a file."""
    checksum = 0
    for first in range(0, size, _PIECE):
        checksum = deflate.crc32(source.read(min(_PIECE, size - first)), checksum)
    return checksum.to_bytes(_CHECKSUM, "little")


def _make(file: Path, data: PoseData, alone: bool) -> None:
    """Write a cache; what earlier attempts have left is removed if no other process can be making it."""
    if alone:
        for left in file.parent.glob(f".{file.name}.*.frames"):
            left.unlink(missing_ok=True)
    free = shutil.disk_usage(file.parent).free
    if free < _size(data):
        rule = f"expected {format_size(_size(data))} of room for the frames of {data.path.name}, found {format_size(free)}"
        raise DatasetError(one_line(str(file.parent), rule, f"; set {FOLDER} to a folder of another disk, or cache='memory'"))
    places = [0, _size(data) * _NUMBERS[0] // sum(_NUMBERS)]
    checksums = [0, 0]
    with new_file(file, overwrite=True) as partial, partial.open("r+b") as target:
        for part in parts(data, np.arange(len(data), dtype=np.int64)):
            for kind, positions in enumerate((part.positions_3d, part.positions_2d)):
                values = np.ascontiguousarray(positions, dtype="<f4").tobytes()
                target.seek(places[kind])
                target.write(values)
                places[kind] += len(values)
                checksums[kind] = deflate.crc32(values, checksums[kind])
        target.seek(_size(data))
        target.write(b"".join(checksum.to_bytes(_CHECKSUM, "little") for checksum in checksums))


@contextmanager
def _one_at_a_time(file: Path) -> Iterator[bool]:
    """Wait until no other process makes a cache; yields whether that is certain: where there are no locks, each makes its own."""
    with disk_errors(file):
        handle: Any = file.with_suffix(".lock").open("a")
    with handle:
        while True:
            try:
                alone = lock(handle.fileno())
                break
            except BlockingIOError:
                time.sleep(0.2)
        yield alone
