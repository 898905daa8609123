"""Export selected sequences of a file in any format."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mocapgen.export.base import Exporter, ExportOutput, exporter, exporter_names
from mocapgen.export.export_input import ExportInput, Item, SequenceFilter
from mocapgen.shared.config import checked, from_text
from mocapgen.shared.files import new_files
from mocapgen.shared.outputs import check_folder, protected, writing
from mocapgen.shared.progress import Progress
from mocapgen.shared.text import listed
from mocapgen.shared.version import __version__
from mocapgen.store.predictions import open_any
from schemas.base import Model
from schemas.errors import ConfigError, DatasetError

M = TypeVar("M", bound=Model)
BESIDE = "export.json"
"""The file that says what is in a folder."""


@dataclass(frozen=True)
class ExportReport:
    """What an export left."""

    out: Path
    """The file or folder that was asked for."""
    files: tuple[Path, ...]
    """All files, the one that describes the others last."""
    sequences: int
    frames: int
    notes: tuple[str, ...]
    """What a person should know, one sentence each."""


def export(
    path: str | Path,
    format: str,
    out: str | Path,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> ExportReport:
    """Export sequences of a dataset file or a predictions file.

    Parameters
    ----------
    path : str or Path
        The file.
    format : str
        One of :func:`~mocapgen.export.exporter_names`.
    out : str or Path
        A folder for formats of several files, created if it is missing; else a file. A format with a file for each sequence takes a
        file name too, if there is one sequence.
    overwrite : bool
        Replace files that exist. Other files in the folder stay.
    progress : callable, optional
        Called with (done, total, label).
    **options
        Which sequences: ``clips``, ``actors``, ``actions``, ``avatars`` (names or wildcards, a sequence or comma-separated text) and
        ``camera`` (its number in the rig). How: the format's own settings; see ``docs/export.md``. None leaves the default.

    Returns
    -------
    ExportReport

    Raises
    ------
    ConfigError
        If a setting is wrong or none of this format, or nothing is selected.
    DatasetError
        If the file cannot be read, or the output exists or cannot be written. Either everything is written or nothing.
    RetargetError
        If predictions cannot be solved to rotations.

    Examples
    --------
    >>> export("data.h5", "bvh", "motions", actions="walk*", up="z")  # doctest: +SKIP
    """
    chosen, out = exporter(format), Path(out)
    given = {name: value for name, value in options.items() if value not in (None, ())}
    selection = _checked(SequenceFilter, {name: given.pop(name) for name in SequenceFilter.model_fields if name in given}, format)
    settings = _checked(chosen.options, given, format)
    with protected(path, given.get("avatar")), open_any(path) as data:
        source = ExportInput(data)
        items = source.select(selection)
        folder, main = _target(chosen, out, len(items))
        beside = f"{Path(main).stem}.json" if main else BESIDE
        names = [*([main] if main else []), beside]
        known = [folder / name for name in names] if folder.is_dir() or main else []
        with writing(*known, overwrite=overwrite), new_files(folder, beside, overwrite) as drafts:
            output = ExportOutput(drafts, main, progress)
            chosen.write(source, items, settings, output)
            used = [item for item in items if item.name in output.written]
            with (drafts / beside).open("w", encoding="utf-8", newline="\n") as file:  # piece by piece: an entry for each of many sequences
                json.dump(_description(source, format, used, selection, settings, output), file, indent=1, ensure_ascii=False)
                file.write("\n")
            files = sorted(file.relative_to(drafts) for file in drafts.rglob("*") if file.is_file() and file.name != beside)
    places = (*(folder / file for file in files), folder / beside)
    return ExportReport(out, places, len(used), sum(item.row.length for item in used), tuple(output.notes))


def _checked(model: type[M], given: Mapping[str, Any], format: str) -> M:
    """Return settings, or raise one line that names the option."""
    for name in given.keys() - model.model_fields.keys():
        others = [other for other in exporter_names() if name in exporter(other).options.model_fields]
        advice = f"an option of {listed(others)} only" if others else "no option of any format"
        raise ConfigError(f"{name}: {advice}, found with format={format}; leave it out")
    return checked(model, from_text(model, given), first=True)


def _target(chosen: Exporter, out: Path, count: int) -> tuple[Path, str]:
    """Return the folder to write to and the name of the one file that was asked for, empty if a folder was."""
    is_file = chosen.suffix and out.suffix.lower() == chosen.suffix
    if chosen.suffix and not chosen.each and not is_file:
        raise ConfigError(f"{out}: expected a file to write that ends in {chosen.suffix}, found {out.suffix or 'no suffix'}")
    if is_file and chosen.each and count > 1:
        raise ConfigError(
            f"{out}: expected a folder for the files of {count:,} sequences, found the name of a file; select one sequence or leave {out.suffix} out"
        )
    folder = out.parent if is_file else out
    if not is_file:
        check_folder(out)
    if not (folder.is_dir() or (not is_file and folder.parent.is_dir())):
        missing = folder if is_file else folder.parent
        raise DatasetError(f"{out}: expected an existing folder to write to, found no {missing}; create it first")
    return folder, out.name if is_file else ""


def _description(source: ExportInput, format: str, items: Sequence[Item], selection: Model, settings: Model, output: ExportOutput) -> dict[str, Any]:
    """Return what is written beside: what the numbers mean, and where they come from."""
    return {
        "format": format,
        "generator": f"mocapgen {__version__}",
        "fps": source.fps,
        **output.about,
        "notes": output.notes,
        "settings": settings.model_dump(),
        "selection": {name: value for name, value in selection.model_dump().items() if value not in (None, ())},
        "source": source.origin,
        "sequences": [_entry(item, output) for item in items],
    }


def _entry(item: Item, output: ExportOutput) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": item.name, "clip": item.clip, "actor": item.actor, "action": item.action, "avatar": item.row.avatar}
    entry |= {"camera": item.row.camera.rig, "frames": item.row.length}
    return entry | ({"file": output.files[item.name]} if item.name in output.files else {})
