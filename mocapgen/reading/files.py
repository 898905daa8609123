"""Read and write motion-capture files of any format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from mocapgen.core.motion import Motion
from mocapgen.formats import Format, accepts, format_to_read, formats
from mocapgen.formats.limits import LARGEST
from mocapgen.reading.understand import ReadOptions, understand
from mocapgen.shared.files import new_files
from mocapgen.shared.outputs import writing
from schemas.errors import ConfigError, FormatError


def read(
    path: str | Path,
    *,
    asf: str | Path | None = None,
    fps: float | None = None,
    profile: str | Path | None = None,
    lenient: bool = False,
    scale: float | None = None,
    up: Literal["y", "z"] | None = None,
    subject: str | None = None,
    marker_set: str | Path | None = None,
    body_model: str | Path | None = None,
    notes: list[str] | None = None,
) -> Motion:
    """Read a motion-capture file.

    Parameters
    ----------
    path : str or Path
        The format follows from the suffix, in either case: ``.amc`` (with its ``.asf`` beside it), ``.bvh``, ``.c3d`` (markers,
        to which a skeleton is fitted), ``.npz`` (AMASS).
    asf : str or Path, optional
        AMC: the skeleton; by default the file beside it.
    fps : float, optional
        AMC: frames per second; by default what a comment in the file states (ours do), else the last part of an HDM05 name, else 120. AMASS: in
        place of what the file states.
    profile : str or Path, optional
        BVH: name of a built-in profile or path of a YAML file; by default what knows the joints' names, or names and proportions.
    lenient : bool
        BVH: mend what can be mended, and take what would otherwise be refused, such as a mirrored figure. AMC: take frames whose numbers
        count up by more than one. C3D: take what is there of a file that was cut short.
    scale : float, optional
        BVH: metres in a unit of the file, in place of what the profile or the body's size says.
    up : {"y", "z"}, optional
        BVH: the file's axis that points up, likewise. AMASS: by default z.
    subject : str, optional
        C3D: whose markers, where there are several people.
    marker_set : str or Path, optional
        C3D: name of a built-in marker set or path of a YAML file; by default the built-in set that fits best.
    body_model : str or Path, optional
        AMASS: the licensed body model, or a folder of models, whose bones to take; by default those of an avatar.
    notes : list of str, optional
        To which is added what had to be decided, one line each.

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
    form = format_to_read(path)
    assert form.read is not None, form.suffix
    asf = None if asf is None else Path(asf)
    given = {"asf": asf, "fps": fps, "profile": profile, "lenient": lenient, "scale": scale, "up": up, "subject": subject, "marker_set": marker_set}
    given |= {"body_model": body_model}
    given = {name: value for name, value in given.items() if value is not None and value is not False}
    if wrong := [name for name in given if name not in form.options]:
        raise ConfigError(f"{path}: {wrong[0]}: {form.suffix} files have no such option; leave it out")
    noted: list[str] = [] if notes is None else notes
    try:
        file = form.read(path, **{name: value for name, value in {**given, "notes": noted}.items() if accepts(form.read, name)})
    except OSError as error:
        raise FormatError(f"{error.filename or path}: cannot be read: {error.strerror or error}") from error
    try:
        found = understand(file, ReadOptions(profile, lenient, scale, up, subject, marker_set, body_model))
    except FormatError as error:  # of markers, which know the name of their clip alone
        raise FormatError(f"{path}: {str(error).removeprefix(f'{path}: ').removeprefix(f'{path.stem}: ')}") from None
    noted += found.notes
    return found.motion


def write(
    motion: Motion, path: str | Path, *, scale: float | None = None, up: Literal["y", "z"] | None = None, overwrite: bool = False
) -> tuple[Path, ...]:
    """Write a motion-capture file.

    Parameters
    ----------
    motion : Motion
    path : str or Path
        The format follows from the suffix: ``.amc`` (and ``.asf`` beside it), ``.bvh``, ``.glb`` or ``.gltf`` with a body of capsules, or
        ``.c3d`` or ``.trc`` with a marker at every joint.
    scale : float, optional
        BVH: metres in a unit of the file; by default 0.01. The other formats say what their unit is.
    up : {"y", "z"}, optional
        BVH: axis that points up in the file; by default y. The other formats have one of their own.
    overwrite : bool
        Replace files that exist.

    Returns
    -------
    tuple of Path
        What was written, `path` first: everything or, if it fails, nothing.

    Raises
    ------
    ConfigError
        If the format is not known or has no such option.
    FormatError
        If the format cannot hold the motion.
    DatasetError
        If a file exists or cannot be written.
    """
    path = Path(path)
    form = format_to_write(path)
    options = {name: value for name, value in (("scale", scale), ("up", up)) if value is not None}
    if fault := option_fault(form, options):
        raise ConfigError(f"{path}: {': '.join(fault)}")
    with writing(*files_written(path), overwrite=overwrite), new_files(path.parent, path.name, overwrite) as folder:
        assert form.write is not None, form.suffix
        form.write(folder / path.name, motion, **options)
        return tuple(sorted((path.parent / file.name for file in folder.iterdir()), key=lambda file: file != path))


_PICTURES = (".mp4", ".gif", ".png", ".svg", ".pdf", ".avi", ".mov")
_DRAWN = "; pictures are drawn of datasets: `mocapgen build --source folder --root FILE --out data.h5`, then `mocapgen render data.h5 --out x.mp4`"


def format_to_write(path: Path) -> Format:
    """Return the format of a file to be written.

    Raises
    ------
    ConfigError
        If it is not known.
    """
    known = {suffix: form for suffix, form in formats().items() if form.write is not None}
    if path.suffix.lower() not in known:
        advice = _DRAWN if path.suffix.lower() in _PICTURES else ""
        raise ConfigError(f"{path}: expected a file to write that ends in {', '.join(known)}, found {path.suffix or 'no suffix'}{advice}")
    return known[path.suffix.lower()]


def option_fault(form: Format, options: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return which option of :func:`write` cannot be used with a format and why; None if all can."""
    for name, value in options.items():
        if form.write is None or not accepts(form.write, name):
            return name, f"{form.suffix} files have a unit and axes of their own, so there is nothing to choose; leave the option out"
        if name == "scale" and not 0 < value < LARGEST:
            return name, f"expected a positive number of metres in a unit of the file, found {value:g}"
    return None


def files_written(path: Path) -> list[Path]:
    """Return what :func:`write` makes: the file itself, and the skeleton of an AMC file."""
    return [path, path.with_suffix(".asf")] if path.suffix.lower() == ".amc" else [path]
