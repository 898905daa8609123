"""Atomic writing: a file gets its final name when it is complete and on the disk; until then the previous file stays.

Everything is written under a temporary name in the same folder, flushed, and renamed. :func:`write_file` writes content that is
in memory, :func:`new_file` gives a temporary file to fill, :func:`new_files` a temporary folder whose files are put in place together.
What may be written at all, :mod:`mocapgen.shared.outputs` says.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mocapgen.shared.outputs import check_target
from mocapgen.shared.signals import interrupts_deferred
from mocapgen.shared.text import one_line, quoted
from schemas.errors import ConfigError, DatasetError


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into a DatasetError of one line."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())[:200]
        raise DatasetError(one_line(str(path), f"cannot be written: {reason}; nothing was changed")) from error


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a whole file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    ConfigError, DatasetError
        If it cannot be written, see :func:`~mocapgen.shared.outputs.check_target`, or exists and must not be overwritten.
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
    ConfigError, DatasetError
        If the disk refuses, the file must not be written (:func:`~mocapgen.shared.outputs.check_target`), or exists and must not be overwritten.
    """
    place = check_target(path, overwrite)
    partial: Path | None = None
    with disk_errors(path):
        try:
            with interrupts_deferred():
                partial = temporary_file(place, path.suffix)
            yield partial
            put_in_place(partial, path, overwrite)
        finally:
            if partial is not None:
                partial.unlink(missing_ok=True)


@contextlib.contextmanager
def new_files(folder: Path, main: str, overwrite: bool) -> Iterator[Path]:
    """Yield a new folder; afterwards everything in it, at any depth, gets its place in `folder`, or nothing does.

    Parameters
    ----------
    folder : Path
        Need not exist, but the folder that holds it does: then it appears in one step. Other files that are in it already stay.
    main : str
        The file that gets its place last: whoever finds it finds the others. Named in messages, too. Empty if all are equal.
    overwrite : bool
        Replace files that exist.

    Raises
    ------
    ConfigError, DatasetError
        If the disk refuses, or a file must not be written or overwritten.
    """
    place = Path(os.path.realpath(folder))
    beside = place if place.is_dir() else place.parent
    partial: Path | None = None
    with disk_errors(folder / main):
        try:
            with interrupts_deferred():
                partial = Path(tempfile.mkdtemp(prefix=f".{(main or folder.name)[:100]}.", dir=beside))
            yield partial
            if not os.path.lexists(place):
                _put_folder_in_place(partial, place)
            else:
                found = (path.relative_to(partial) for path in partial.rglob("*") if path.is_file())
                _put_all_in_place(partial, sorted(found, key=lambda path: (path == Path(main), path)), folder, overwrite)
        finally:
            if partial is not None:
                shutil.rmtree(partial, ignore_errors=True)


def in_home(path: Path, name: str) -> Path:
    """Return a path with the folder that a leading ``~`` stands for.

    Parameters
    ----------
    path : Path
    name : str
        Of the setting or variable that holds it.

    Raises
    ------
    ConfigError
        If there is no such user.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        raise ConfigError(one_line(name, f"expected a folder, found {quoted(str(path))}, and no such user; write it without ~")) from None


# The steps ----------------------------------------------------------------------------------------


def temporary_file(path: Path, suffix: str) -> Path:
    """Return a new, empty file in the folder of `path`, hidden by the dot that its name begins with."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=suffix, dir=path.parent)
    os.close(handle)
    return Path(name)


def put_in_place(partial: Path, path: Path, overwrite: bool) -> None:
    """Flush a finished file to the disk and give it its name, in one step; never over a file that appeared meanwhile, unless asked to."""
    place = check_target(path, overwrite=True)  # once more: it may be another by now
    partial.chmod(0o666 & ~_umask())  # mkstemp makes private files
    _flush(partial)
    if overwrite:
        partial.replace(place)
    else:
        _name_new(partial, place)
    flush_folder(place.parent)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _name_new(partial: Path, path: Path) -> None:
    """Give a file a name that no other file may have."""
    try:
        os.link(partial, path)
    except FileExistsError:
        raise DatasetError(one_line(str(path), "the file appeared while it was being written; choose another name or say overwrite=True")) from None
    except OSError:  # a file system without hard links
        check_target(path, overwrite=False)
        partial.replace(path)
    else:
        partial.unlink()


def _put_folder_in_place(partial: Path, folder: Path) -> None:
    """Flush a finished folder to the disk and give it its name, in one step."""
    for path in partial.rglob("*"):
        if path.is_file():
            _flush(path)
    partial.chmod(0o777 & ~_umask())  # mkdtemp makes private folders
    partial.rename(folder)
    flush_folder(folder.parent)


@interrupts_deferred()
def _put_all_in_place(partial: Path, files: list[Path], folder: Path, overwrite: bool) -> None:
    """Move files to a folder, each in one step; if one of them cannot be, undo those before it."""
    done: dict[Path, Path | None] = {}
    made: list[Path] = []
    try:
        for number, file in enumerate(files):
            missing = [parent for parent in (folder / file).parents if not parent.exists()]
            for parent in reversed(missing):
                parent.mkdir()
                made.append(parent)
            target = check_target(folder / file, overwrite)  # it may have appeared meanwhile
            if target in done:
                raise ConfigError(one_line(str(folder / file), "expected different files to write, found this one twice"))
            old = partial / f"{number}.old" if target.exists() else None
            if old is not None:
                _keep(target, old)
            _flush(partial / file)
            _move(partial / file, target)
            done[target] = old
    except BaseException:
        for target, old in done.items():
            if old is None:
                target.unlink()
            else:
                _move(old, target)
        for parent in reversed(made):
            parent.rmdir()
        raise
    for parent in {target.parent for target in done}:
        flush_folder(parent)


def _move(path: Path, target: Path) -> None:
    """Give a finished file its name, in one step, also where a link leads to another file system."""
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = temporary_file(target, target.suffix)
        try:
            shutil.copy(path, beside)
            _flush(beside)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)


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
