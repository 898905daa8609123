"""Motion-capture files: bytes <-> Motion. Adding a format is adding one module here with a ``SUFFIXES`` and a ``WRITERS`` table."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mocapgen.core.motion import Motion
from schemas.errors import ConfigError, FormatError

Reader = Callable[..., Motion]
"""Called with a path, and with the options that it names among its parameters."""
Writer = Callable[..., None]
"""Called with a path and a motion, and with the options that it names; may write other files beside the path."""


def readers() -> dict[str, Reader]:
    """Return the function that reads a file, by lower-case suffix."""
    return _registered("SUFFIXES")


def writers() -> dict[str, Writer]:
    """Return the function that writes a file, by lower-case suffix."""
    return _registered("WRITERS")


def _registered(table: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            found |= getattr(importlib.import_module(f"{__name__}.{module.name}"), table, {})
    return found


def understands(function: Reader | Writer, option: str) -> bool:
    """Tell whether a reader or a writer has an option."""
    return option in inspect.signature(function).parameters


def read(path: str | Path, **options: Any) -> Motion:
    """Read a motion-capture file.

    Parameters
    ----------
    path : str or Path
        The format follows from the suffix, in either case: ``.amc`` (with its ``.asf`` beside it), ``.bvh``, ``.c3d`` (markers,
        to which a skeleton is fitted).
    **options
        What the format has to be told, None for what is to be found out. AMC: ``asf`` (path of the skeleton), ``fps``. BVH: ``profile``,
        ``lenient``, ``scale``, ``up``, as in :func:`mocapgen.anatomy.profiles.interpret`. BVH and C3D: ``notes``, a list to which is added
        what had to be decided.

    Returns
    -------
    Motion
        Metres, world frame (y up), at the file's own frame rate and on its own skeleton.

    Raises
    ------
    ConfigError
        If the format has no such option.
    FormatError
        If there is no such file, its format is not known, or it is damaged: file, line and bone.
    """
    path = Path(path)
    known = readers()
    if path.suffix.lower() not in known:
        raise FormatError(f"{path}: expected a file that ends in {', '.join(sorted(known))}, found {path.suffix or 'no suffix'}")
    if not path.is_file():
        raise FormatError(f"{path}: expected a file, found {'a folder' if path.is_dir() else 'nothing'}")
    reader = known[path.suffix.lower()]
    options = {name: value for name, value in options.items() if value is not None}
    if wrong := [name for name in options if not understands(reader, name)]:
        raise ConfigError(f"{path}: {wrong[0]}: {path.suffix.lower()} files have no such option; leave it out")
    try:
        return reader(path, **options)
    except OSError as error:
        raise FormatError(f"{error.filename or path}: cannot be read: {error.strerror or error}") from error
