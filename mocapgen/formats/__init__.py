"""Motion-capture files: bytes <-> what the file says. Adding a format is adding one module here that defines ``FORMAT``.

What a file means (its unit, axes, rest pose, or the skeleton behind markers) is for :mod:`mocapgen.reading` to find out.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mocapgen.shared.parts import part_names
from schemas.errors import FormatError


@dataclass(frozen=True)
class Format:
    """How files with one suffix are read and written.

    Parameters
    ----------
    suffix : str
        In lower case: ``.bvh``.
    read : callable or None
        None if the format is written only. Called with a path, and with those of `options` that it names among its parameters. Returns
        what the file says: a :class:`~mocapgen.core.motion.Motion` if it says everything, else a :class:`~mocapgen.formats.bvh.Bvh`,
        :class:`~mocapgen.core.markers.Markers` or :class:`~mocapgen.formats.amass.Amass`.
    write : callable or None
        None if the format is read only. Called with a path and a motion, and with ``scale`` and ``up`` if it names them; may write other files
        beside the path.
    options : tuple of str
        What may be said about a file of this format when it is read: some of the options of :func:`mocapgen.reading.read`.
    """

    suffix: str
    read: Callable[..., Any] | None
    write: Callable[..., None] | None
    options: tuple[str, ...] = ()


def formats() -> dict[str, Format]:
    """Return all formats, by suffix."""
    found: list[Format] = [importlib.import_module(f"mocapgen.formats.{name}").FORMAT for name in part_names("mocapgen.formats", "FORMAT")]
    return {form.suffix: form for form in sorted(found, key=lambda form: form.suffix)}


_DATASET = "; `mocapgen export FILE.H5 --format bvh --out FOLDER` writes what a dataset or predictions file holds"
_VIDEO = "; `trainer predict default VIDEO --out pred.h5` finds the motion in a video, and `mocapgen export` writes it"
_OTHERS = {".h5": _DATASET, ".hdf5": _DATASET, **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm"), _VIDEO)}
"""What reads files of other kinds, by suffix."""


def format_to_read(path: Path) -> Format:
    """Return the format that a file's name says.

    Raises
    ------
    FormatError
        If it is not known, or is written only.
    """
    known = {suffix: form.read for suffix, form in formats().items() if form.read is not None}
    if (suffix := path.suffix.lower()) not in known:
        only = f": {suffix} is written, not read; keep the file that it was made from" if suffix in formats() else _OTHERS.get(suffix, "")
        raise FormatError(f"{path}: expected a file that ends in {', '.join(known)}, found {path.suffix or 'no suffix'}{only}")
    return formats()[suffix]


def accepts(function: Callable[..., Any], option: str) -> bool:
    """Tell whether a function has a parameter."""
    return option in inspect.signature(function).parameters
