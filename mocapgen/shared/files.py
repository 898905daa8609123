"""Atomic writing: a file gets its final name when it is complete and on the disk; until then the previous file stays.

Everything is written under a temporary name in the same folder, flushed, and renamed. :func:`write_file` writes content that is
in memory, :func:`new_file` gives a temporary file to fill, :func:`new_files` a temporary folder whose files are put in place together.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
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
        raise DatasetError(f"{path}: the file exists already; choose another name or say overwrite=True")


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into a DatasetError of one line."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())[:200]
        raise DatasetError(f"{path}: cannot be written: {reason}; nothing was changed") from error


def write_file(path: Path, content: bytes | str, overwrite: bool = True) -> None:
    """Write a file that is in memory; folders that are missing are made.

    Parameters
    ----------
    path : Path
    content : bytes or str
        Text is written as UTF-8, line ends as they are.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    DatasetError
        If it cannot be written, or exists and must not be overwritten.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with new_file(path, overwrite) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def new_file(path: Path, overwrite: bool) -> Iterator[Path]:
    """Yield an empty file with the same suffix to write to; afterwards it gets its name, or, if anything fails, is removed.

    Raises
    ------
    DatasetError
        If the disk refuses, or the file exists and must not be overwritten.
    """
    with disk_errors(path):
        partial = temporary_file(path, path.suffix)
        try:
            yield partial
            put_in_place(partial, path, overwrite)
        finally:
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def new_files(folder: Path, main: str, overwrite: bool) -> Iterator[Path]:
    """Yield a new folder; afterwards everything in it, at any depth, gets its place in `folder`, or nothing does.

    Parameters
    ----------
    folder : Path
        Need not exist, but the folder that holds it does. Other files that are in it already stay.
    main : str
        The file that gets its place last: whoever finds it finds the others. Named in messages, too.
    overwrite : bool
        Replace files that exist.

    Raises
    ------
    DatasetError
        If the disk refuses, or a file exists and must not be overwritten.
    """
    beside = folder if folder.is_dir() else folder.parent
    with disk_errors(folder / main), tempfile.TemporaryDirectory(prefix=f".{main[:100]}.", dir=beside) as partial:
        yield Path(partial)
        found = sorted(
            (path.relative_to(partial) for path in Path(partial).rglob("*") if path.is_file()), key=lambda path: (path == Path(main), path)
        )
        _put_all_in_place(Path(partial), found, folder, overwrite)


# The steps ----------------------------------------------------------------------------------------


def temporary_file(path: Path, suffix: str) -> Path:
    """Return a new, empty file in the folder of `path`, hidden by the dot that its name begins with."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=suffix, dir=path.parent)
    os.close(handle)
    return Path(name)


def put_in_place(partial: Path, path: Path, overwrite: bool) -> None:
    """Flush a finished file to the disk and give it its name, in one step; never over a file that appeared meanwhile, unless asked to."""
    umask = os.umask(0)
    os.umask(umask)
    partial.chmod(0o666 & ~umask)  # mkstemp makes private files
    _flush(partial)
    if overwrite:
        partial.replace(path)
    else:
        _name_new(partial, path)
    flush_folder(path.parent)


def _name_new(partial: Path, path: Path) -> None:
    """Give a file a name that no other file may have."""
    try:
        os.link(partial, path)
    except FileExistsError:
        raise DatasetError(f"{path}: the file appeared while it was being written; choose another name or say overwrite=True") from None
    except OSError:  # a file system without hard links
        check_target(path, overwrite=False)
        partial.replace(path)
    else:
        partial.unlink()


def _put_all_in_place(partial: Path, files: list[Path], folder: Path, overwrite: bool) -> None:
    """Move files to a folder, each in one step; if one of them cannot be, undo those before it."""
    done: list[tuple[Path, Path | None]] = []
    made: list[Path] = []
    try:
        for number, file in enumerate(files):
            target, old = folder / file, None
            missing = [parent for parent in target.parents if not parent.exists()]
            for parent in reversed(missing):
                parent.mkdir()
                made.append(parent)
            check_target(target, overwrite)  # it may have appeared meanwhile
            if target.exists():
                old = partial / f"{number}.old"
                _keep(target, old)
            _flush(partial / file)
            (partial / file).replace(target)
            done.append((target, old))
    except (OSError, DatasetError, KeyboardInterrupt):
        for target, old in done:
            if old is None:
                target.unlink()
            else:
                old.replace(target)
        for parent in reversed(made):
            parent.rmdir()
        raise
    for parent in {(folder / file).parent for file in files}:
        flush_folder(parent)


def _keep(path: Path, copy: Path) -> None:
    """Give what a file holds a second name."""
    try:
        os.link(path, copy)
    except OSError:  # a file system without hard links
        shutil.copy2(path, copy)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(path: Path) -> None:
    """Write a folder's entries to the disk, so that a new name survives a power cut; where the system cannot, the file is there all the same."""
    if os.name == "nt":  # Windows cannot open folders, and needs no such flush
        return
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
