"""Gaps: short ones are interpolated, longer ones filled from the markers that move along, and what is left is said.

Up to a second, the poses of the clip say best where a marker must have been; beyond that only the rigid segment on which it sits
does, if three more markers of it are seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mocapgen.core.markers import Markers
from mocapgen.core.motion import Array
from mocapgen.markers.likely import CLOSE, SAMPLES, WIDE, likely_positions, runs, smooth_step, width
from mocapgen.markers.rigid import fit_rigid

SHORT = 0.1
"""Seconds up to which a gap is interpolated by a cubic curve: in half of that, people change their acceleration little."""
LOOSE = 1.0
"""Seconds up to which a gap is filled by what usually goes along with the markers that are seen; half of it at the clip's ends."""
EVIDENCE = 0.25
"""Share of the markers that must be seen in a frame for the others to be filled by what is likely."""
RIGID = 0.01
"""Metres by which distances of markers on one rigid segment vary: skin moves. From three such markers gaps of any length are filled."""
_TANGENT = 3  # frames over which the velocity at the edge of a gap is taken


@dataclass(frozen=True, order=True)
class Gap:
    """Frames in which a marker was not seen."""

    label: str
    start: int
    stop: int
    """The first frame in which it was seen again."""
    filled: str
    """How: ``interpolated``, ``rigid`` (from markers on the same segment), ``likely`` (from all others), or ``not`` at all."""


def fill_gaps(markers: Markers, segments: Iterable[Sequence[str]] = ()) -> tuple[Markers, tuple[Gap, ...]]:
    """Fill what can be filled.

    Parameters
    ----------
    markers : Markers
    segments : iterable of sequences of str
        Labels of markers that move as one piece; without them no gap is filled that is longer than :data:`LOOSE`.

    Returns
    -------
    filled : Markers
        Valid wherever a gap was filled.
    gaps : tuple of Gap
        All that there were, with what became of them.
    """
    if markers.valid.all():
        return markers, ()
    filling = _Filling(markers, segments)
    open_gaps = [(index, *gap) for index in range(len(markers.labels)) for gap in runs(markers.valid[:, index])]
    done: list[Gap] = []
    for fill in (filling.interpolate, filling.rigid, filling.rigid):  # again, with the help of what was filled
        left = []
        for index, start, stop in sorted(open_gaps, key=lambda gap: (gap[2] - gap[1], gap)):
            how = fill(index, start, stop)
            if how is None:
                left.append((index, start, stop))
            else:
                done.append(Gap(markers.labels[index], start, stop, how))
        open_gaps = left
    short = [gap for gap in open_gaps if gap[2] - gap[1] <= filling.longest(gap[1], gap[2]) and filling.evidence(gap[1], gap[2])]
    if short:
        filling.likely(short)
        done += [Gap(markers.labels[index], start, stop, "likely") for index, start, stop in short]
        open_gaps = [gap for gap in open_gaps if gap not in short]
    done += [Gap(markers.labels[index], start, stop, "not") for index, start, stop in open_gaps]
    return replace(markers, positions=filling.positions, valid=filling.valid), tuple(sorted(done))


class _Filling:
    """Positions on the way to completeness."""

    def __init__(self, markers: Markers, segments: Iterable[Sequence[str]]) -> None:
        self.positions = np.array(markers.positions)
        self.valid = np.array(markers.valid)
        self.fps = markers.fps
        self.spread = _distance_spread(markers)
        self.segments = [[markers.index(label) for label in labels if label in markers] for labels in segments]

    def interpolate(self, index: int, start: int, stop: int) -> str | None:
        """Fill a short gap by a cubic Hermite curve."""
        if start == 0 or stop == len(self.valid) or stop - start > SHORT * self.fps:
            return None
        path = self.positions[:, index]
        before, after = (self._velocity(index, frame, step) for frame, step in ((start - 1, -1), (stop, 1)))
        span = stop - start + 1
        s = np.arange(1, span)[:, None] / span
        curve = (2 * s**3 - 3 * s**2 + 1) * path[start - 1] + (3 * s**2 - 2 * s**3) * path[stop]
        curve += span * ((s**3 - 2 * s**2 + s) * before + (s**3 - s**2) * after)
        self._set(index, start, stop, curve)
        return "interpolated"

    def _velocity(self, index: int, frame: int, step: int) -> Array:
        """Return the velocity per frame at the edge of a gap, from the frames on its far side."""
        far = frame
        while abs(far - frame) < _TANGENT and 0 <= far + step < len(self.valid) and self.valid[far + step, index]:
            far += step
        return (self.positions[far, index] - self.positions[frame, index]) / (far - frame) if far != frame else np.zeros(3)

    def rigid(self, index: int, start: int, stop: int) -> str | None:
        """Fill a long gap from three or more markers of one rigid segment."""
        if stop - start <= self.longest(start, stop):
            return None
        found = any(index in segment and self._from_segment(index, start, stop, segment) for segment in self.segments)
        return "rigid" if found else None

    def longest(self, start: int, stop: int) -> float:
        """Return how many frames a gap may have to be filled by what is likely."""
        return LOOSE * self.fps * (0.5 if start == 0 or stop == len(self.valid) else 1.0)

    def evidence(self, start: int, stop: int) -> bool:
        """Tell whether enough markers are seen in every frame of a gap to say how the body is posed there."""
        return bool(self.valid[start:stop].mean(axis=1).min() >= EVIDENCE)

    def likely(self, gaps: Sequence[tuple[int, int, int]]) -> None:
        """Fill gaps by the poses that the clip shows. What these are off by at the edges of a gap is blended away within it."""
        expected = likely_positions(self.positions, self.valid, self.spread)
        for index, start, stop in gaps:
            path = expected[:, index]
            off = [self.positions[edge, index] - path[edge] for edge in self._edges(start, stop)]
            share = _blend(stop - start)
            drift = off[0] if len(off) == 1 else (1.0 - share) * off[0] + share * off[1]
            self._set(index, start, stop, path[start:stop] + drift)

    def _from_segment(self, index: int, start: int, stop: int, segment: Sequence[int]) -> bool:
        """Carry the marker along with others of its segment that are seen, from before the gap and from after it, and blend."""
        edges = self._edges(start, stop)
        seen = set(np.flatnonzero(self.valid[max(start - 1, 0) : stop + 1].all(axis=0)))
        near = [other for other in segment if other in seen and self.spread[index, other] < RIGID]
        others = np.array(sorted(near, key=lambda other: (self.spread[index, other], other)), dtype=np.intp)
        if not edges or len(others) < 3 or width(self.positions[edges[0], others]) < WIDE:
            return False
        weights = 1.0 / (CLOSE**2 + self.spread[index][others] ** 2)
        points = self.positions[start:stop, others]
        ways = [fit_rigid(self.positions[edge, others], points, weights).to_world(self.positions[edge, index]) for edge in edges]
        share = _blend(stop - start)
        self._set(index, start, stop, ways[0] if len(ways) == 1 else (1.0 - share) * ways[0] + share * ways[1])
        return True

    def _edges(self, start: int, stop: int) -> list[int]:
        """Return the frames next to a gap."""
        return [frame for frame in (start - 1, stop) if 0 <= frame < len(self.valid)]

    def _set(self, index: int, start: int, stop: int, path: Array) -> None:
        self.positions[start:stop, index] = path
        self.valid[start:stop, index] = True


def _blend(frames: int) -> Array:
    """Return a smooth step from 0 to 1, (T, 1), that leaves both out."""
    return smooth_step(np.arange(1, frames + 1)[:, None] / (frames + 1))


def _distance_spread(markers: Markers) -> Array:
    """Return by how much the distance of every two markers varies, (M, M) metres; infinite where they are never seen together."""
    sample = np.unique(np.linspace(0, len(markers) - 1, SAMPLES).astype(np.intp))
    points, valid = np.nan_to_num(markers.positions[sample]), markers.valid[sample]
    count = len(markers.labels)
    out = np.full((count, count), np.inf)
    for index in range(count):
        both = valid & valid[:, index : index + 1]
        both[:, index] = False
        seen = both.sum(axis=0)
        steps = points - points[:, index : index + 1]
        distance = np.sqrt(np.einsum("tmi,tmi->tm", steps, steps)) * both
        mean = distance.sum(axis=0) / np.maximum(seen, 1)
        deviation = np.sqrt((((distance - mean) * both) ** 2).sum(axis=0) / np.maximum(seen, 1))
        out[index] = np.where(seen >= 3, deviation, np.inf)
    return out
