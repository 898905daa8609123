"""Reading BVH beside pybvh, the ``bvh`` package alone, and NumPy's text readers on the bare numbers."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.tables import Section, Value
from benchmarks.timing import Timing, measure
from mocapgen.core.motion import Array
from mocapgen.formats._bvh_header import forget_hierarchies
from mocapgen.formats.bvh import load_bvh, write_bvh

if TYPE_CHECKING:
    from benchmarks.stages import Material

_BESIDE = Path(__file__).parents[2] / "shared" / "data" / "cmu"
_REAL = ("bvh-cgspeed/01/01_01.bvh", "bvh-iclone/006/006_02.bvh", "bvh-neo/85/85_12.bvh")


def bvh_reading(material: Material, folder: Path, repeat: int, pinning: str) -> Section:
    """Measure reading on real files where they lie beside the repository, and on one of ours."""
    written = folder / "written_by_us.bvh"
    write_bvh(written, max(material.motions, key=len))
    files = [path for path in (_BESIDE / name for name in _REAL) if path.is_file()]
    figures = tuple(row for path in [*files, written] for row in _rows(path, repeat))
    note = (
        f"Frames/s; {pinning}; best of {repeat}. The last two columns do less: text to words, and bare numbers to an array. Difference in file units."
    )
    return Section("Reading BVH", note, figures)


def _rows(path: Path, repeat: int) -> list[dict[str, Value]]:
    """Return the figures of one file: a file of a rig that was seen before, one of a new rig, and with joint positions."""
    data = path.read_bytes()
    numbers = data[data.index(b"\n", data.index(b"Frame Time")) + 1 :]

    def first_of_its_rig() -> Array:
        forget_hierarchies()
        return load_bvh(path).values

    jobs: dict[str, Callable[[], object]] = {
        "read": lambda: load_bvh(path).values,
        "read, new rig": first_of_its_rig,
        "read + positions": lambda: load_bvh(path).positions(),
        "bvh": lambda: _package(path),
        "loadtxt": lambda: np.loadtxt(io.BytesIO(numbers), ndmin=2),
    }
    if importlib.util.find_spec("pybvh") is not None:
        import pybvh

        # Told which axis points up, it does not have to guess.
        jobs["pybvh"] = lambda: pybvh.read_bvh_file(path, world_up="+y")
        jobs["pybvh + positions"] = lambda: pybvh.read_bvh_file(path, world_up="+y").node_positions()
    timings = measure(jobs, repeat)
    return [_row(path.name, task, timings) for task in ("read", "read, new rig", "read + positions")]


def _package(path: Path) -> object:
    import bvh

    return bvh.Bvh(path.read_text(encoding="latin-1"))


def _row(name: str, task: str, timings: dict[str, Timing]) -> dict[str, Value]:
    positions = task.endswith("positions")
    frames = len(timings["loadtxt"].result)
    theirs = timings.get("pybvh + positions" if positions else "pybvh")
    expected = (theirs.result if theirs else None) if positions else timings["loadtxt"].result
    return {
        "file": name,
        "task": task,
        "ours": frames / timings[task].best,
        "pybvh": frames / theirs.best if theirs else None,
        "times faster": theirs.best / timings[task].best if theirs else None,
        "bvh alone": frames / timings["bvh"].best,
        "np.loadtxt": frames / timings["loadtxt"].best,
        "largest difference": None if expected is None else f"{np.abs(timings[task].result - expected).max():.1e}",
    }
