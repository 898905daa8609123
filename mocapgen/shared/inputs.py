"""Read files that anybody may have made: regular files only, no larger than a reader can take, and never believed before they are looked at."""

from __future__ import annotations

import os
import stat
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from mocapgen.shared.text import format_size, nearest, one_line
from schemas.errors import DatasetError, MocapError

MOST_BYTES = 2**30
"""Largest file that is read into memory by default."""
_MOST_NAMES = 2_000
"""Files of a folder that are looked through for a similar name."""


def read_bytes(path: str | Path, what: str, most: int = MOST_BYTES, subject: str = "", error: type[MocapError] = DatasetError) -> bytes:
    """Return what a regular file holds.

    Parameters
    ----------
    path : str or Path
        Symbolic links are followed.
    what : str
        What the file should be, for messages: ``a YAML file of build settings``.
    most : int
        Bytes; of a larger file nothing is read.
    subject : str
        What messages begin with; by default the path.
    error : type of MocapError
        What is raised.

    Raises
    ------
    DatasetError
        Or `error`: if there is no such file, it is a folder, device or pipe, it cannot be read, or it is larger.
    """
    subject = subject or str(path)
    with open_regular(path, what, subject, error) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= most:
            try:
                data = file.read(size + 1)
                if len(data) > size:  # it grows meanwhile
                    data += file.read(most + 1 - len(data))
            except OSError as problem:
                raise error(one_line(subject, f"expected {what}, found one that cannot be read: {problem.strerror or problem}")) from None
            size = len(data)
        if size > most:
            raise error(one_line(subject, f"expected {what} of at most {format_size(most)}, found {format_size(size)}"))
    return data


def open_regular(path: str | Path, what: str, subject: str = "", error: type[MocapError] = DatasetError) -> BinaryIO:
    """Open a regular file for reading bytes, without waiting for whoever would write to a pipe.

    Raises
    ------
    DatasetError
        Or `error`: if there is no such file, it is a folder, device or pipe, or it may not be read.
    """
    subject = subject or str(path)
    try:
        # Opening a pipe waits for a writer, unless told not to; of a regular file O_NONBLOCK changes nothing.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as problem:  # ValueError: a null character in the path
        gone = isinstance(problem, FileNotFoundError)
        found = "nothing" if gone else _found(Path(path)) or getattr(problem, "strerror", None) or problem
        near = similar_name(path) if gone else ""
        raise error(one_line(subject, f"expected {what}, found {found}", near or "; check the path")) from None
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise error(one_line(subject, f"expected {what}, found {_kind(mode)}; check the path"))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def similar_name(path: str | Path) -> str:
    """Return the end of a message about a file that is not there: ``; did you mean 'data.h5'?``, by the files of its folder that end alike."""
    path = Path(path)
    try:
        found = (Path(entry.name) for entry in islice(os.scandir(path.parent), _MOST_NAMES))
        stems = [name.stem for name in found if name.suffix == path.suffix]
    except (OSError, ValueError):
        return ""
    return nearest(path.stem, stems, path.parent, path.suffix)  # without the suffix, or all short names were alike


def _found(path: Path) -> str:
    """Return what a path that cannot be opened names; empty if that is a regular file or not known."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""
    return "" if stat.S_ISREG(mode) else _kind(mode)


def _kind(mode: int) -> str:
    return "a folder" if stat.S_ISDIR(mode) else "a device, pipe or socket"
