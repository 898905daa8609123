"""The summary of a dataset: what is in it and how much of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mocapgen.console import format_size
from mocapgen.store.reader import open_dataset

_LISTED = 12


def _counted(names: Iterable[str]) -> str:
    """Return how many different names there are, and which: ``5: bd, bk, dg, mm, tr``."""
    different = sorted(set(names))
    shown = ", ".join(different[:_LISTED])
    more = len(different) - _LISTED
    return f"{len(different):,}: {shown}" + (f" and {more:,} more" if more > 0 else "")


def summarise(path: str | Path) -> dict[str, str]:
    """Return what a dataset holds, name to description, ready to print.

    Parameters
    ----------
    path : str or Path
        A dataset file.

    Returns
    -------
    dict of str to str

    Raises
    ------
    DatasetError
        If the file cannot be read or is not a dataset.
    """
    with open_dataset(path) as data:
        clips, sequences, cameras = data.clips, data.sequences, data.cameras
        length = sequences["length"]
        frames = int(length.sum())
        rigs = sorted({camera.rig.partition("/")[0] for camera in cameras})
        return {
            "schema": f"{data.schema_version}, written by {data.generator}",
            "size": format_size(Path(path).stat().st_size),
            "sources": _counted(clips["source"]),
            "clips": f"{len(clips['id']):,}",
            "actors": _counted(clips["actor"]),
            "actions": _counted(clips["action"]),
            "avatars": _counted(sequences["avatar"]),
            "joints": f"{data.file['/frames/positions_3d'].shape[1]:,}",
            "cameras": f"{len(cameras):,}, rig {', '.join(rigs)}, axes of {data.conventions['camera_frame']}",
            "sequences": f"{len(length):,}",
            "frames": f"{frames:,} at {data.fps:g} frames/s, {frames / data.fps / 60.0:,.1f} minutes",
            "lengths": f"{length.min()} to {length.max()} frames, median {np.median(length):g}" if len(length) else "none",
            "skipped": f"{len(data.file['/skipped/file']):,}",
        }
