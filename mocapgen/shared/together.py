"""Several files get their names together: each in one step when all are complete, or none does."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mocapgen.shared.atomic import check_target, disk_errors
from schemas.errors import DatasetError


@contextlib.contextmanager
def all_or_nothing(folder: Path, main: str, overwrite: bool) -> Iterator[Path]:
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
    with disk_errors(folder / main), tempfile.TemporaryDirectory(prefix=f".{main}.", dir=beside) as drafts:
        yield Path(drafts)
        found = sorted((path.relative_to(drafts) for path in Path(drafts).rglob("*") if path.is_file()), key=lambda path: (path == Path(main), path))
        _put_in_place(Path(drafts), found, folder, overwrite)


def _put_in_place(drafts: Path, files: list[Path], folder: Path, overwrite: bool) -> None:
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
                old = drafts / f"{number}.old"
                _keep(target, old)
            _flush(drafts / file)
            (drafts / file).replace(target)
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


def _keep(path: Path, copy: Path) -> None:
    """Give what a file holds a second name."""
    try:
        os.link(path, copy)
    except OSError:  # a file system without hard links
        shutil.copy2(path, copy)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
