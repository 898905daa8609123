"""A file gets its final name when it is complete, in one step; whatever happens before, the name holds what it held."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import DatasetError


def check_target(path: Path, overwrite: bool) -> None:
    """Make sure that a file can be written, before any work is done.

    Raises
    ------
    DatasetError
        If the folder is missing, the path is a folder, or the file exists and must not be overwritten.
    """
    if path.is_dir():
        raise DatasetError(f"{path}: expected the name of a file to write, found a folder; add a file name such as {path / 'data.h5'}")
    if not path.parent.is_dir():
        raise DatasetError(f"{path}: expected an existing folder to write to, found no {path.parent}; create it first")
    if path.exists() and not overwrite:
        raise DatasetError(f"{path}: the file exists already; choose another name or say --overwrite")


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the disk says into one line of ours."""
    try:
        yield
    except DatasetError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())[:200]
        raise DatasetError(f"{path}: cannot be written: {reason}; nothing was changed") from error


def put_in_place(partial: Path, path: Path, overwrite: bool) -> None:
    """Give the finished file its name, in one step; never over a file that appeared meanwhile, unless asked to."""
    umask = os.umask(0)
    os.umask(umask)
    partial.chmod(0o666 & ~umask)  # mkstemp makes private files
    if overwrite:
        partial.replace(path)
        return
    try:
        os.link(partial, path)
    except FileExistsError:
        raise DatasetError(f"{path}: the file appeared while it was being written; choose another name or say --overwrite") from None
    except OSError:  # a file system without hard links
        check_target(path, overwrite)
        partial.replace(path)
    else:
        partial.unlink()


def flush_folder(path: Path) -> None:
    """Write a folder's entries to the disk, so that a new name survives a power cut."""
    if os.name == "nt":  # Windows cannot open folders, and needs no such flush
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
