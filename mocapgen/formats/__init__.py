"""Motion-capture files: bytes <-> Motion. Adding a format is adding one module here with a ``SUFFIXES`` table."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path

from mocapgen.motion import Motion
from schemas.errors import FormatError

Reader = Callable[[Path], Motion]


def readers() -> dict[str, Reader]:
    """Return the function that reads a file, by lower-case suffix."""
    found: dict[str, Reader] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            found |= getattr(importlib.import_module(f"{__name__}.{module.name}"), "SUFFIXES", {})
    return found


def read(path: str | Path) -> Motion:
    """Read a motion-capture file.

    Parameters
    ----------
    path : str or Path
        The format follows from the suffix, in either case: ``.amc`` (with its ``.asf`` beside it).

    Returns
    -------
    Motion
        Metres, world frame (y up), at the file's own frame rate and on its own skeleton.

    Raises
    ------
    FormatError
        If there is no such file, its format is not known, or it is damaged: file, line and bone.
    """
    path = Path(path)
    known = readers()
    if path.suffix.lower() not in known:
        raise FormatError(f"{path}: expected a file that ends in {', '.join(sorted(known))}, found {path.suffix or 'no suffix'}")
    if not path.is_file():
        raise FormatError(f"{path}: expected a file, found {'a folder' if path.is_dir() else 'nothing'}")
    try:
        return known[path.suffix.lower()](path)
    except OSError as error:
        raise FormatError(f"{error.filename or path}: cannot be read: {error.strerror or error}") from error
