"""Convert a motion-capture file to another format, on its own skeleton."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mocapgen.core.motion import Motion
from mocapgen.core.resample import frame_count, resample
from mocapgen.formats import read, readers, understands, writers
from mocapgen.formats.limits import LARGEST
from mocapgen.shared.files import check_target, new_files
from schemas.errors import ConfigError, FormatError, MocapError

MAX_FRAMES = 10_000_000
"""Most frames that are written: a day at 120 frames per second."""
_FASTEST = 100_000.0  # frames per second
_SOURCE_OPTIONS = {"fps": "source-fps", "scale": "source-scale", "up": "source-up"}  # what readers call otherwise than the command does


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
    source: Path,
    out: Path,
    scale: float | None = None,
    up: Literal["y", "z"] | None = None,
    fps: float | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Converted:
    """Read a file and write its motion in the format of another suffix.

    Parameters
    ----------
    source : Path
        ``.amc``, ``.bvh`` or ``.c3d``; to the markers of the last a skeleton is fitted first.
    out : Path
        ``.amc`` (and ``.asf`` beside it), ``.bvh``, or ``.c3d`` with a marker at every joint.
    scale : float, optional
        Metres in a unit of a BVH file that is written, by default 0.01. The other formats say what their unit is.
    up : {"y", "z"}, optional
        Axis that points up in a BVH file that is written, by default y. The other formats have one of their own.
    fps : float, optional
        Frames per second to resample to, by default those of the source.
    overwrite : bool
        Replace files that exist.
    **options
        What the source's format has to be told: ``asf``, ``source_fps`` for AMC; ``profile``, ``lenient``, ``source_scale``, ``source_up`` for
        BVH. See :func:`mocapgen.read`.

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
    writer = _writer(source, out, scale, up, fps)
    notes: list[str] = []
    products = [out, out.with_suffix(".asf")] if out.suffix.lower() == ".amc" else [out]
    for path in products:
        check_target(path, overwrite)
    motion = _read(source, options, notes)
    if fps is not None:
        motion = _resampled(motion, fps, source)
    if out.suffix.lower() == ".amc":
        notes.append(f"{out}: AMC does not hold the frame rate, which is {motion.fps:g} frames per second")
    if out.suffix.lower() == ".c3d":
        notes.append(f"{out}: every joint is a marker; no skeleton can be fitted to these, so keep {source.name} to build from")
    chosen = {name: value for name, value in (("unit_metres", scale), ("up", up)) if value is not None}
    with new_files(out.parent, out.name, overwrite) as folder:
        writer(folder / out.name, motion, **chosen)
        files = tuple(sorted((out.parent / path.name for path in folder.iterdir()), key=lambda path: path != out))
    told = tuple(note.removeprefix(f"{source}: ") for note in notes)
    return Converted(files, len(motion), motion.fps, len(motion.skeleton.names), told)


def _writer(source: Path, out: Path, scale: float | None, up: str | None, fps: float | None) -> Any:
    """Return the function that writes `out`, after checking whatever can be checked before reading."""
    known = writers()
    suffix = out.suffix.lower()
    if suffix not in known:
        raise ConfigError(f"{out}: expected a file to write that ends in {', '.join(sorted(known))}, found {out.suffix or 'no suffix'}")
    if scale is not None and not 0 < scale < LARGEST:
        raise ConfigError(f"--scale: expected a positive number of metres in a unit of {out.name}, found {scale:g}")
    if fps is not None and not 0 < fps <= _FASTEST:
        raise ConfigError(f"--fps: expected a positive number of frames per second up to {_FASTEST:g}, found {fps:g}")
    for option, name, value in (("--scale", "unit_metres", scale), ("--up", "up", up)):
        if value is not None and not understands(known[suffix], name):
            raise ConfigError(f"{option}: {suffix} files have a unit and axes of their own, so there is nothing to choose; leave the option out")
    if source.suffix.lower() == suffix == ".c3d":
        raise ConfigError(f"{out}: expected .amc or .bvh, found .c3d like {source.name}: its markers would become joints; copy the file instead")
    if source.exists() and out.exists() and source.samefile(out):
        raise ConfigError(f"{out}: expected another file to write than the one to read, found the same; choose another name")
    return known[suffix]


def _read(source: Path, options: dict[str, Any], notes: list[str]) -> Motion:
    """Read a file, saying what the command calls its options."""
    reader = readers().get(source.suffix.lower())
    given = {name: value for name, value in options.items() if value not in (None, False)}
    translated = {name.removeprefix("source_"): value for name, value in given.items()}
    for name, option in zip(translated, given, strict=True):
        if reader is not None and not understands(reader, name):
            known = ", ".join(suffix for suffix, other in sorted(readers().items()) if understands(other, name))
            raise ConfigError(f"--{option.replace('_', '-')}: expected only with {known} files to read, found {source}; leave the option out")
    rate = translated.get("fps")
    if rate is not None and not 0 < rate <= _FASTEST:
        raise ConfigError(f"--source-fps: expected a positive number of frames per second up to {_FASTEST:g}, found {rate:g}")
    if reader is not None and understands(reader, "notes"):
        translated["notes"] = notes
    try:
        return read(source, **translated)
    except MocapError as error:  # readers advise the options that a build has
        text = str(error)
        for name, option in _SOURCE_OPTIONS.items():
            text = text.replace(f"--{name}", f"--{option}")
        raise type(error)(text) from error


def _resampled(motion: Motion, fps: float, source: Path) -> Motion:
    count = frame_count(len(motion), motion.fps, fps)
    if count > MAX_FRAMES:
        raise FormatError(f"{source}: expected at most {MAX_FRAMES} frames to write, found {count} at {fps:g} frames per second; lower --fps")
    return resample(motion, fps)
