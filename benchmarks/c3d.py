"""Reading C3D beside ezc3d and the package c3d, and solving markers."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.tables import Section, Value
from benchmarks.timing import measure
from mocapgen.core.markers import Markers
from mocapgen.formats.c3d import parse_c3d, write_c3d
from mocapgen.markers import solve
from mocapgen.markers.virtual import place_markers
from mocapgen.sources.sample import clips, make

_BESIDE = Path(__file__).parents[2] / "shared" / "data"
_REAL = ("hdm05/takes/dg/HDM_dg_06-03_03_120.c3d", "hdm05/takes/mm/HDM_mm_01-02_03_120.c3d", "cmu/c3d/85_12.c3d")


def c3d_reading(folder: Path, repeat: int, pinning: str) -> Section:
    """Measure reading and solving on real files where they lie beside the repository, and on one of the sample source's."""
    written = folder / "written_by_us.c3d"
    write_c3d(written, place_markers(make(next(clip for clip in clips() if clip.action == "walk" and clip.take == "003"))[0]))
    files = [path for path in (_BESIDE / name for name in _REAL) if path.is_file()]
    note = (
        f"Frames/s; {pinning}; best of {repeat}. ezc3d and the package c3d make their own Python objects of the same file in this process. Gaps: a "
        "fifth of all samples missing, in runs of up to half a second."
    )
    return Section("Reading C3D and solving markers", note, tuple(_row(path, repeat) for path in [*files, written]))


def _row(path: Path, repeat: int) -> dict[str, Value]:
    import ezc3d

    data = path.read_bytes()
    markers = parse_c3d(data, path.name)
    holes = _with_gaps(markers)
    jobs: dict[str, Callable[[], object]] = {
        "read": lambda: parse_c3d(data, path.name),
        "ezc3d": lambda: ezc3d.c3d(str(path)),
        "c3d": lambda: _by_c3d(data),
        "solve": lambda: solve(markers),
        "solve with gaps": lambda: solve(holes),
    }
    timings = measure(jobs, repeat)
    frames = len(markers)
    return {
        "file": path.name,
        "frames": frames,
        "read": frames / timings["read"].best,
        "ezc3d": frames / timings["ezc3d"].best,
        "times ezc3d's": timings["ezc3d"].best / timings["read"].best,
        "c3d": frames / timings["c3d"].best,
        "solve": frames / timings["solve"].best,
        "solve with gaps": frames / timings["solve with gaps"].best,
    }


def _by_c3d(data: bytes) -> list[object]:
    """Return all frames as the package c3d reads them."""
    import c3d

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of parameters that it does not expect
        return list(c3d.Reader(io.BytesIO(data)).read_frames(copy=True))


def _with_gaps(markers: Markers) -> Markers:
    """Take a fifth of the samples away, in runs of up to half a second, at least half a second apart and away from the ends."""
    generator = np.random.default_rng(0)
    valid = markers.valid.copy()
    longest = int(0.5 * markers.fps)
    for column in valid.T:
        at = int(generator.integers(1, 2 * longest))
        while at + longest < len(column) - 1:
            size = int(generator.integers(1, longest))
            column[at : at + size] = False
            at += 4 * size + 1 + int(generator.integers(0, 2 * size))
    return Markers(markers.labels, markers.positions, valid, markers.fps, markers.name)
