"""Where files may be written: onto regular files or nothing, and never onto a file that is read.

Whatever reads files and writes others names both with :func:`writing`, or only the former with :func:`protected`; all writing within
the block obeys (:mod:`mocapgen.shared.files` asks again before a file gets its name). A link stays what it is: the file that it leads
to is written.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from mocapgen.shared.text import one_line
from schemas.errors import ConfigError, DatasetError

_protected: ContextVar[tuple[Path, ...]] = ContextVar("protected", default=())


@contextmanager
def protected(*inputs: str | Path | None) -> Iterator[None]:
    """Let nothing be written onto these files within the block, by whatever name or link.

    Parameters
    ----------
    *inputs : str, Path or None
        Files that are read. What is no file, such as the name of a part that comes with the program, does no harm.
    """
    token = _protected.set((*_protected.get(), *(Path(file) for file in inputs if file is not None)))
    try:
        yield
    finally:
        _protected.reset(token)


@contextmanager
def writing(*targets: str | Path | None, overwrite: bool, inputs: Iterable[str | Path | None] = ()) -> Iterator[None]:
    """Make sure that files can be written, and let nothing be written onto others within the block.

    Parameters
    ----------
    *targets : str, Path or None
        Files that will be written; None where one is not asked for.
    overwrite : bool
        Whether they may be replaced.
    inputs : iterable of str, Path or None
        Files that are read: see :func:`protected`.

    Raises
    ------
    ConfigError, DatasetError
        See :func:`check_target`; or if two of them are the same file.
    """
    with protected(*inputs):
        places: list[Path] = []
        for path in (Path(target) for target in targets if target is not None):
            place = check_target(path, overwrite)
            if any(place == other or (place.exists() and other.exists() and place.samefile(other)) for other in places):
                raise ConfigError(_line(path, "expected different files to write, found this one twice; choose another name"))
            places.append(place)
        yield


def check_target(path: Path, overwrite: bool) -> Path:
    """Make sure that a file can be written, before any work is done, and return where: what a link leads to.

    Raises
    ------
    ConfigError
        If it is one of the files that are read.
    DatasetError
        If the folder is missing or may not be written to, the path is a folder, device or pipe, or the file exists and must not be overwritten.
    """
    try:
        place = Path(os.path.realpath(path))
        found = _status(place)
        free = found is None and place.parent.is_dir()
    except (OSError, ValueError) as error:  # too long, a loop of links, a null character
        raise DatasetError(_line(path, f"expected the name of a file to write, found: {getattr(error, 'strerror', None) or error}")) from None
    if free:
        _require_writable(path, place.parent)
        return place
    if found is None:
        raise DatasetError(_line(path, f"expected an existing folder to write to, found no {place.parent}; create it first"))
    if stat.S_ISDIR(found.st_mode):
        raise DatasetError(_line(path, f"expected the name of a file to write, found a folder; add a file name such as {path / 'data.h5'}"))
    if not stat.S_ISREG(found.st_mode):
        raise DatasetError(_line(path, "expected the name of a file to write, found a device, pipe or socket; choose another name"))
    for file in _protected.get():
        if _is_same(file, found):
            same = "the same" if file == path else f"the same as {file}"
            raise ConfigError(_line(path, f"expected another file to write than one that is read, found {same}; choose another name"))
    if not overwrite:
        raise DatasetError(_line(path, "the file exists already; choose another name or say overwrite=True"))
    _require_writable(path, place.parent)
    return place


def _require_writable(path: Path, folder: Path) -> None:
    """Refuse a folder in which nothing may be written: hours of work shall not end with that."""
    if not os.access(folder, os.W_OK):
        raise DatasetError(_line(path, "expected a folder that may be written to, found one that may only be read; choose another name"))


def check_folder(path: Path) -> None:
    """Make sure that files can be written to a folder: that it is one, or nothing yet.

    Raises
    ------
    DatasetError
    """
    try:
        place = Path(os.path.realpath(path))
        found, there = _status(place), next(folder for folder in (place, *place.parents) if folder.exists())
    except (OSError, ValueError) as error:
        raise DatasetError(_line(path, f"expected a folder to write to, found: {getattr(error, 'strerror', None) or error}")) from None
    if found is not None and not stat.S_ISDIR(found.st_mode):
        kind = "a file" if stat.S_ISREG(found.st_mode) else "a device, pipe or socket"
        raise DatasetError(_line(path, f"expected a folder to write to, found {kind}; choose another name"))
    if found is not None or there.is_dir():
        _require_writable(path, there)


def _status(path: Path) -> os.stat_result | None:
    """Return what is there, None if nothing is."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_same(path: Path, found: os.stat_result) -> bool:
    """Return whether a path leads to a file: also by a hard link, or another spelling on a system that ignores case."""
    try:
        return os.path.samestat(path.stat(), found)
    except (OSError, ValueError):
        return False


def _line(path: Path, message: str) -> str:
    return one_line(str(path), message)
