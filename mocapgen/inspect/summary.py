"""The summary of a dataset: what is in it and how much of it, and the same as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.inspect.dataset_view import recordings
from mocapgen.inspect.lenient_reader import column, dataset
from mocapgen.shared.hdf5 import json_attribute, text_attribute
from mocapgen.shared.hdf5_walk import UNREADABLE
from mocapgen.shared.text import format_size
from schemas.errors import DatasetError
from schemas.inspection import Lengths, Summary, Tally

_LISTED = 12


def summarise(file: h5py.File, size: int) -> Summary:
    """Return the contents of a dataset, as far as a damaged one can be read.

    Parameters
    ----------
    file : h5py.File
    size : int
        Of the file, bytes.

    Returns
    -------
    Summary
    """
    lengths = column(file, "/sequences/length", "iu", 1)
    lengths = np.zeros(0, dtype=np.int64) if lengths is None else np.clip(lengths.astype(np.int64), 0, None)
    cameras, ids = column(file, "/cameras/rig", "O", 1), column(file, "/clips/id", "O", 1)
    positions = dataset(file, "/frames/positions_3d")
    joints = positions.shape[1] if positions is not None and len(positions.shape or ()) == 3 else 0
    reasons = column(file, "/skipped/reason", "O", 1)
    recorded = _recordings(file)
    return Summary(
        size=size,
        schema_version=_text(file, "schema_version"),
        generator=_text(file, "generator"),
        camera_frame=_camera_frame(file),
        fps=_fps(file),
        joints=joints,
        clips=len(set(recorded)) if recorded is not None else 0 if ids is None else len(ids),
        windows=0 if ids is None else len(ids),
        cameras=0 if cameras is None else len(cameras),
        sequences=len(lengths),
        frames=int(lengths.sum()),
        lengths=Lengths(shortest=int(lengths.min()), median=float(np.median(lengths)), longest=int(lengths.max())) if len(lengths) else None,
        skipped=dict(Counter(map(str, () if reasons is None else reasons)).most_common()),
        **_tallies(file, lengths, recorded),
    )


def _text(file: h5py.File, name: str) -> str:
    return text_attribute(file, name) or ""


def _fps(file: h5py.File) -> float | None:
    try:
        fps = float(file.attrs["fps"])
    except UNREADABLE:
        return None
    return fps if np.isfinite(fps) else None


def _camera_frame(file: h5py.File) -> str:
    try:
        return str(json_attribute(Path(file.filename), file, "conventions").get("camera_frame", ""))
    except DatasetError:
        return ""


def _recordings(file: h5py.File) -> NDArray[Any] | None:
    """Return the recording of each row of ``/clips``, None where the file does not tell."""
    columns = {name: column(file, f"/clips/{name}", "O", 1) for name in ("source", "file")}
    source, name = columns["source"], columns["file"]
    if source is None or name is None or len(source) != len(name):
        return None
    return recordings({"source": source, "file": name})


def _tallies(file: h5py.File, lengths: NDArray[np.int64], recorded: NDArray[Any] | None) -> dict[str, tuple[Tally, ...]]:
    """Return how much there is by source, actor, action, avatar and rig; nothing where rows do not point at clips or cameras that exist."""
    clip = _pointers(file, "/sequences/clip", len(lengths), 0 if recorded is None else len(recorded))
    camera = _pointers(
        file, "/sequences/camera", len(lengths), file["/cameras/rig"].shape[0] if column(file, "/cameras/rig", "O", 1) is not None else 0
    )
    found: dict[str, tuple[Tally, ...]] = {}
    if clip is None or recorded is None:
        return found
    for key, name in (("sources", "source"), ("actors", "actor"), ("actions", "action")):
        values = column(file, f"/clips/{name}", "O", 1)
        if values is not None and len(values) == len(recorded):
            found[key] = _tally(values[clip], values, recorded, recorded[clip], lengths)
    avatars = column(file, "/sequences/avatar", "O", 1)
    if avatars is not None and len(avatars) == len(lengths):
        found["avatars"] = _tally(avatars, avatars[:0], recorded[:0], recorded[clip], lengths)
    rigs = column(file, "/cameras/rig", "O", 1)
    if rigs is not None and camera is not None:
        rig = np.array([str(name).partition("/")[0] for name in rigs], dtype=object)
        found["rigs"] = _tally(rig[camera], rig[:0], recorded[:0], recorded[clip], lengths)
    return found


def _pointers(file: h5py.File, path: str, count: int, below: int) -> NDArray[np.int64] | None:
    values = column(file, path, "iu", 1)
    if values is None or len(values) != count or not below or ((values < 0) | (values >= below)).any():
        return None
    return values.astype(np.int64)


def _tally(
    of_sequence: NDArray[Any], of_clip: NDArray[Any], clips: NDArray[Any], clip_of_sequence: NDArray[Any], lengths: NDArray[np.int64]
) -> tuple[Tally, ...]:
    """Return how much there is of each name, by name; clips without sequences count as clips."""
    recorded: dict[str, set[str]] = {}
    sequences: Counter[str] = Counter()
    frames: Counter[str] = Counter()
    pairs: Iterable[tuple[Any, Any]] = zip((*of_clip, *of_sequence), (*clips, *clip_of_sequence), strict=True)
    for name, clip in pairs:
        recorded.setdefault(str(name), set()).add(clip)
    for name, length in zip(of_sequence, lengths.tolist(), strict=True):
        sequences[str(name)] += 1
        frames[str(name)] += length
    return tuple(Tally(name=name, clips=len(recorded[name]), sequences=sequences[name], frames=frames[name]) for name in sorted(recorded))


# As text ------------------------------------------------------------------------------------------


def _name(text: str) -> str:
    """Return a name for a list that is separated by commas."""
    return f'"{text}"' if "," in text or text != text.strip() or not text else text


def _counted(tallies: Sequence[Tally]) -> str:
    """Return how many names there are, and which: ``5: bd, bk, dg, mm, tr``."""
    if not tallies:
        return "unknown"
    more = len(tallies) - _LISTED
    shown = ", ".join(_name(tally.name) for tally in tallies[:_LISTED])
    return f"{len(tallies):,}: {shown}" + (f" and {more:,} more" if more > 0 else "")


def summary_pairs(summary: Summary) -> dict[str, str | Sequence[str]]:
    """Return the summary of a dataset or of predictions, name to description, ready to print."""
    if summary.kind == "predictions":
        return _prediction_pairs(summary)
    seconds = summary.frames / summary.fps if summary.fps else None
    rigs = ", ".join(_name(tally.name) for tally in summary.rigs) or "unknown"
    skipped = ", ".join(f"{count:,} {reason}" for reason, count in summary.skipped.items())
    lengths = summary.lengths
    return {
        "schema": f"{summary.schema_version or 'unknown'}, written by {summary.generator or 'unknown'}",
        "size": format_size(summary.size),
        "sources": _counted(summary.sources),
        "clips": f"{summary.clips:,}" + (f" in {summary.windows:,} windows" if summary.windows != summary.clips else ""),
        "actors": _counted(summary.actors),
        "actions": _counted(summary.actions),
        "avatars": _counted(summary.avatars),
        "joints": f"{summary.joints:,}",
        "cameras": f"{summary.cameras:,}, rig {rigs}, axes of {summary.camera_frame or 'unknown'}",
        "sequences": f"{summary.sequences:,}",
        "frames": f"{summary.frames:,}"
        + (f" at {summary.fps:g} frames/s, {seconds / 60.0:,.1f} minutes" if summary.fps and seconds is not None else ", frame rate unknown"),
        "lengths": f"{lengths.shortest} to {lengths.longest} frames, median {lengths.median:g}" if lengths else "none",
        "skipped": f"{sum(summary.skipped.values()):,}" + (f": {skipped}" if skipped else ""),
    }


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"


def _prediction_pairs(summary: Summary) -> dict[str, str | Sequence[str]]:
    """Return the summary of predictions, name to description, ready to print."""
    lengths = summary.lengths
    return {
        "schema": f"{summary.schema_version}, written by {summary.generator}",
        "size": format_size(summary.size),
        **summary.predicted,
        "sequences": f"{summary.sequences:,} of {summary.clips:,} clip{'s' * (summary.clips != 1)}",
        "frames": f"{summary.frames:,} at {summary.fps or 0.0:g} frames/s, {summary.frames / (summary.fps or 1.0) / 60.0:,.1f} minutes",
        "lengths": f"{lengths.shortest} to {lengths.longest} frames, median {lengths.median:g}" if lengths else "none",
        "figures": [f"{name}: {_figure(value)}" for name, value in summary.figures.items()] or "none",
    }
