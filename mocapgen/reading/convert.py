"""Convert a motion-capture file to another format, on its own skeleton."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mocapgen.core.motion import Motion
from mocapgen.core.resample import frame_count, resample
from mocapgen.formats import formats
from mocapgen.formats.asf_amc import find_asf
from mocapgen.formats.limits import SLOWEST
from mocapgen.reading.files import files_written, format_to_write, option_fault, read, write
from mocapgen.shared.outputs import writing
from schemas.errors import ConfigError, FormatError, MocapError

MAX_FRAMES = 10_000_000
"""Most frames that are written: a day at 120 frames per second."""
_FASTEST = 100_000.0  # frames per second
_SOURCE_OPTIONS = {"fps": "source_fps", "scale": "source_scale", "up": "source_up"}  # what readers call otherwise


@dataclass(frozen=True)
class Converted:
    """What a conversion left."""

    files: tuple[Path, ...]
    """What was written, the file that was asked for first."""
    frames: int
    fps: float
    joints: int
    notes: tuple[str, ...]
    """What had to be decided, one sentence each."""


def convert(
    source: str | Path,
    out: str | Path,
    *,
    asf: str | Path | None = None,
    source_fps: float | None = None,
    profile: str | Path | None = None,
    lenient: bool = False,
    source_scale: float | None = None,
    source_up: Literal["y", "z"] | None = None,
    subject: str | None = None,
    marker_set: str | Path | None = None,
    body_model: str | Path | None = None,
    scale: float | None = None,
    up: Literal["y", "z"] | None = None,
    fps: float | None = None,
    overwrite: bool = False,
) -> Converted:
    """Read a file and write its motion in the format of another suffix.

    Parameters
    ----------
    source : str or Path
        ``.amc``, ``.bvh``, ``.c3d`` or ``.npz`` (AMASS); to markers a skeleton is fitted first.
    out : str or Path
        ``.amc`` (and ``.asf`` beside it), ``.bvh``, ``.glb`` or ``.gltf`` with a body of capsules, or ``.c3d`` or ``.trc`` with a marker at
        every joint.
    asf, source_fps, profile, lenient, source_scale, source_up, subject, marker_set, body_model
        About the source: as ``asf``, ``fps``, ``profile``, ``lenient``, ``scale``, ``up``, ``subject``, ``marker_set`` and ``body_model`` of
        :func:`mocapgen.reading.read`.
    scale, up
        Unit and vertical axis of a BVH file that is written, as in :func:`mocapgen.reading.write`.
    fps : float, optional
        Frames per second to resample to, by default those of the source.
    overwrite : bool
        Replace files that exist.

    Returns
    -------
    Converted

    Raises
    ------
    ConfigError
        If an option does not apply to the formats at hand, or is out of range.
    FormatError
        If the source cannot be read, or the format cannot hold its motion.
    DatasetError
        If the file exists or cannot be written. Either everything is written or nothing.
    """
    source, out = Path(source), Path(out)
    _check_options(source, out, {name: value for name, value in (("scale", scale), ("up", up)) if value is not None}, fps)
    notes: list[str] = []
    given = {"asf": asf, "source_fps": source_fps, "profile": profile, "lenient": lenient, "source_scale": source_scale, "source_up": source_up}
    given |= {"subject": subject, "marker_set": marker_set, "body_model": body_model}
    with writing(*files_written(out), overwrite=overwrite, inputs=(*_read_files(source, asf), profile, marker_set, body_model)):
        motion = _read(source, {name: value for name, value in given.items() if value not in (None, False)}, notes)
        if fps is not None:
            motion = _resampled(motion, fps, source)
        files = write(motion, out, scale=scale, up=up, overwrite=overwrite)
    if out.suffix.lower() == ".amc":
        notes.append(f"{out}: the frame rate, {motion.fps:g} frames per second, stands in a comment that other programs do not read")
    if out.suffix.lower() in (".c3d", ".trc"):
        notes.append(f"{out}: every joint is a marker; no skeleton can be fitted to these, so keep {source.name} to build from")
    return Converted(files, len(motion), motion.fps, len(motion.skeleton.names), tuple(note.removeprefix(f"{source}: ") for note in notes))


def _check_options(source: Path, out: Path, options: Mapping[str, Any], fps: float | None) -> None:
    """Check whatever can be checked before reading."""
    form = format_to_write(out)
    if fps is not None and not 0 < fps <= _FASTEST:
        raise ConfigError(f"fps: expected a positive number of frames per second up to {_FASTEST:g}, found {fps:g}")
    if fault := option_fault(form, options):
        raise ConfigError(": ".join(fault))
    if source.suffix.lower() == form.suffix == ".c3d":
        raise ConfigError(f"{out}: expected .amc or .bvh, found .c3d like {source.name}: its markers would become joints; copy the file instead")


def _read_files(source: Path, asf: str | Path | None) -> list[str | Path]:
    """Return the files that hold the motion and its skeleton."""
    if asf is None and source.suffix.lower() == ".amc":
        with contextlib.suppress(FormatError, OSError):  # reading says it better
            asf = find_asf(source)
    return [source] if asf is None else [source, asf]


def _read(source: Path, given: dict[str, Any], notes: list[str]) -> Motion:
    """Read a file, saying what the command calls its options."""
    known = formats()
    form = known.get(source.suffix.lower())
    for option in given:
        name = option.removeprefix("source_")
        if form is not None and name not in form.options:
            suffixes = ", ".join(suffix for suffix, other in known.items() if name in other.options)
            raise ConfigError(f"{option}: expected only with {suffixes} files to read, found {source}; leave the option out")
    rate = given.get("source_fps")
    if rate is not None and not SLOWEST <= rate <= _FASTEST:
        raise ConfigError(f"source_fps: expected a positive number of frames per second from {SLOWEST:g} to {_FASTEST:g}, found {rate:g}")
    try:
        return read(source, **{option.removeprefix("source_"): value for option, value in given.items()}, notes=notes)
    except MocapError as error:  # readers advise the options that a build has
        text = str(error)
        for name, option in _SOURCE_OPTIONS.items():
            text = re.sub(rf"\b{name}(?=[=:])", option, text)
        raise type(error)(text) from error


def _resampled(motion: Motion, fps: float, source: Path) -> Motion:
    count = frame_count(len(motion), motion.fps, fps)
    if count > MAX_FRAMES:
        raise FormatError(f"{source}: expected at most {MAX_FRAMES} frames to write, found {count} at {fps:g} frames per second; lower fps=...")
    return resample(motion, fps)
