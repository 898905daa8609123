"""Which row of the result a frame is: by its number, or by the number in a file's name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.text import quoted
from schemas.errors import DatasetError

MOST_ROWS = 1_000_000
"""Nine hours at 30 frames per second."""
MOST_FPS = 1000.0
_LAST = 1e18
"""Microseconds since 1970 are below."""
_DIGITS = re.compile(r"(\d+)")
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
_OPENPOSE = re.compile(r"_\d{12}(_keypoints|_rendered)?$")


def rows_of(keys: Sequence[Any], path: Path, first: int | None = None) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the row of each frame, from 0, and what a user should know about it.

    Parameters
    ----------
    keys : sequence
        The number of each frame, or the name of its file or picture.
    path : Path
        Named in errors.
    first : int, optional
        The number of the video's first frame, where the tool is known; else 1 if the lowest is 1 and nothing speaks for 0.

    Raises
    ------
    DatasetError
        If these are frames of several videos, or the numbers are no frames of a video.
    """
    found = [_whole(key) for key in keys]
    names = any(number is None for number in found)
    numbers = numbers_in_names([str(key) for key in keys], path) if names else np.array(found, dtype=np.int64)
    lowest, highest = int(numbers.min()), int(numbers.max())
    if first is None:
        padded = not names or _padded([str(key) for key in keys[:100]])
        first = 1 if lowest == 1 and padded and not all(_OPENPOSE.search(_stem(str(key))) for key in keys[:3]) else 0
    if lowest < first:
        first = lowest
    different = len(set(numbers.tolist()))
    rows = highest - first + 1
    if rows > min(MOST_ROWS, 100 * different + 20_000, 10 * different + 200_000):
        raise DatasetError(f"{path}: expected the frames of a video, found {different:,} with numbers from {lowest:,} to {highest:,}")
    notes = ("frames are numbered from 1: number 1 is the first of the video, at 0 s",) if first == 1 else ()
    return numbers - first, notes


def _whole(key: Any) -> int | None:
    """Return a whole number, or the one that a text is."""
    if isinstance(key, str):
        return int(key) if key.strip().isdecimal() and len(key) < 18 else None
    if isinstance(key, bool) or not isinstance(key, int | float) or not abs(key) < 1e17 or key != int(key):
        return None
    return int(key)


def _stem(name: str) -> str:
    """Return the name of a file without folders and suffix."""
    return _SUFFIX.sub("", name.replace("\\", "/").rpartition("/")[2])


def _padded(names: Sequence[str]) -> bool:
    """Return whether numbers in names are filled up with zeros, or stand behind a word: as ffmpeg and others write pictures, from 1."""
    return not all(_stem(name).isdecimal() and not (len(_stem(name)) > 1 and _stem(name).startswith("0")) for name in names)


def numbers_in_names(names: Sequence[str], path: Path) -> NDArray[np.int64]:
    """Return the frame numbers in the names of files: of the numbers in a name, the last one that differs from file to file.

    Raises
    ------
    DatasetError
        If the names are those of several videos, or some have no number.
    """
    stems = {name: _DIGITS.split(_stem(name)) for name in dict.fromkeys(names)}
    by_shape: dict[tuple[str, ...], list[str]] = {}
    for name, parts in stems.items():
        by_shape.setdefault(tuple(parts[::2]), []).append(name)
    if len(by_shape) == 1:
        varying = [place for place in range(1, len(next(iter(stems.values()))), 2) if len({parts[place] for parts in stems.values()}) > 1]
        places = varying or [len(next(iter(stems.values()))) - 2]
        place = places[-1]
    else:
        place = -2
    if any(len(parts) < 2 for parts in stems.values()):
        odd = next(name for name, parts in stems.items() if len(parts) < 2)
        raise DatasetError(f"{path}: expected the number of the frame in every name, found {quoted(odd)}")
    videos = Counter("".join([*parts[:place], "*", *parts[place:][1:]]) for parts in stems.values())
    if len(videos) > 1:
        shown = ", ".join(f"{video} ({count})" for video, count in videos.most_common(4))
        raise DatasetError(f"{path}: expected the frames of one video, found those of {len(videos)}: {shown}; {_advice(path, videos)}")
    if any(len(parts[place]) > 18 for parts in stems.values()):
        raise DatasetError(f"{path}: expected frame numbers, found {quoted(next(iter(stems)))}")
    number = {name: int(parts[place]) for name, parts in stems.items()}
    return np.array([number[name] for name in names], dtype=np.int64)


def _advice(path: Path, videos: Counter[str]) -> str:
    if path.is_dir():
        return f"give one of them, quoted: '{path}/{videos.most_common(1)[0][0]}*'"
    return "put each video into a file of its own"


def rows_of_times(times: Sequence[Any], fps: float | None, milliseconds: bool, path: Path) -> tuple[NDArray[np.int64], float]:
    """Return the row of each frame, and the frame rate, from the times of frames; the video begins at 0 s.

    Raises
    ------
    DatasetError
        If these are no times.
    """
    try:
        seconds = np.array([float(time) for time in times])
    except (TypeError, ValueError, OverflowError):
        raise DatasetError(f"{path}: expected times as numbers, found {quoted(times[0])}") from None
    if not (np.abs(seconds) < _LAST).all():
        raise DatasetError(f"{path}: expected times as numbers, found {seconds[np.argmax(~(np.abs(seconds) < _LAST))]:g}")
    steps = np.diff(np.unique(seconds))
    if not len(steps):
        raise DatasetError(f"{path}: expected the times of at least two frames, found {len(steps) + 1}")
    step = float(np.median(steps))
    scale = 1e-3 if milliseconds or step > 4.0 else 1.0
    if step * scale > 4.0:
        scale = 1e-6
    seconds = (seconds - (seconds.min() if seconds.min() * scale > 86_400 else 0.0)) * scale
    rate = fps or round(1.0 / (step * scale), 3)
    if not 0 < rate <= MOST_FPS:
        raise DatasetError(f"{path}: expected times of at most {MOST_FPS:g} frames a second, found {rate:.6g}")
    return rows_of(np.round(seconds * rate).astype(np.int64).tolist(), path, first=0)[0], rate
