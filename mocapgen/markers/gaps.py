"""Gaps: short ones are interpolated, longer ones filled from the markers that move along, and what is left is said.

Up to a second, the poses of the clip say best where a marker must have been; beyond that only the rigid segment on which it sits
does, if three more markers of it are seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.markers import Markers
from mocapgen.core.motion import Array
from mocapgen.core.rotation import conjugate, rotate
from mocapgen.markers.rigid import fit_rigid, mean_shape

SHORT = 0.1
"""Seconds up to which a gap is interpolated by a cubic curve: in half of that, people change their acceleration little."""
LOOSE = 1.0
"""Seconds up to which a gap is filled by what usually goes along with the markers that are seen; half of it at the clip's ends."""
RIGID = 0.01
"""Metres by which distances of markers on one rigid segment vary: skin moves. From three such markers gaps of any length are filled."""
_WIDE = 0.02  # metres by which three markers must be off a straight line to say how a segment is turned
_CLOSE = 0.002  # metres: distances that vary less than that are as good as any
_NEIGHBOURS = 6  # of which three may be nearly on a line
_SAMPLES = 300
_CORE = 8  # markers that define the frame in which poses are compared: the trunk, whatever the labels
_NOISE = 0.003  # metres by which markers tremble for themselves
_ROUNDS = 8
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
    open_gaps = [gap for index in range(len(markers.labels)) for gap in _runs(markers.valid[:, index], index)]
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
    short = [gap for gap in open_gaps if gap[2] - gap[1] <= filling.longest(gap[1], gap[2])]
    if short:
        filling.likely(short, [gap for gap in open_gaps if gap not in short])
        done += [Gap(markers.labels[index], start, stop, "likely") for index, start, stop in short]
        open_gaps = [gap for gap in open_gaps if gap not in short]
    done += [Gap(markers.labels[index], start, stop, "not") for index, start, stop in open_gaps]
    return replace(markers, positions=filling.positions, valid=filling.valid), tuple(sorted(done))


def _runs(valid: NDArray[np.bool_], index: int) -> list[tuple[int, int, int]]:
    """Return (index, start, stop) of every run of frames that are not valid."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], valid, [True]]).astype(np.int8)))
    return [(index, int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


class _Filling:
    """Positions on the way to completeness."""

    def __init__(self, markers: Markers, segments: Iterable[Sequence[str]]) -> None:
        self.positions = np.array(markers.positions)
        self.valid = np.array(markers.valid)
        self.fps = markers.fps
        self.spread = _distance_spread(markers)
        self.mates = np.zeros(self.spread.shape, dtype=np.bool_)
        for labels in segments:
            of_segment = [markers.index(label) for label in labels if label in markers]
            self.mates[np.ix_(of_segment, of_segment)] = True

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
        """Fill a long gap from three or more markers of the same rigid segment."""
        if stop - start <= self.longest(start, stop):
            return None
        return "rigid" if self._from_others(index, start, stop, self.mates[index] & (self.spread[index] < RIGID)) else None

    def longest(self, start: int, stop: int) -> float:
        """Return how many frames a gap may have to be filled by what is likely."""
        return LOOSE * self.fps * (0.5 if start == 0 or stop == len(self.valid) else 1.0)

    def likely(self, gaps: list[tuple[int, int, int]], others: list[tuple[int, int, int]]) -> None:
        """Fill gaps by the poses that the clip shows: the missing coordinates' expectation, given the others.

        Poses are taken for normally distributed in a frame that moves with the trunk; mean and covariance come from the clip, in
        rounds (expectation maximisation: Dempster, Laird and Rubin, J. Royal Stat. Soc. B 39, 1977). What that is off by at the edges
        of a gap is blended away within it. The `others`, too long to be filled, are only guessed at for the time being.
        """
        frames = len(self.valid)
        asked = ~self.valid
        asked[:-1] |= asked[1:].copy()
        asked[1:] |= ~self.valid[:-1]
        seen = self.valid.copy()
        for index, start, stop in (*gaps, *others):
            self._guess(index, start, stop)
        core = np.argsort(np.median(self.spread, axis=1), kind="stable")[:_CORE]
        shape = self.positions[frames // 2, core]
        body = fit_rigid(mean_shape(self.positions[:, core], shape - shape.mean(axis=0)), self.positions[:, core])
        local = rotate(conjugate(body.rotations)[:, None], self.positions - body.origins[:, None]).reshape(frames, -1)
        expected = _expected(local, np.repeat(~seen, 3, axis=1), np.repeat(asked, 3, axis=1)).reshape(self.positions.shape)
        world = rotate(body.rotations[:, None], expected) + body.origins[:, None]
        for index, start, stop in gaps:
            path = world[:, index]
            edges = [frame for frame in (start - 1, stop) if 0 <= frame < frames]
            off = [self.positions[edge, index] - path[edge] for edge in edges]
            share = _blend(stop - start)
            drift = off[0] if len(off) == 1 else (1.0 - share) * off[0] + share * off[1]
            self._set(index, start, stop, path[start:stop] + drift)
        for index, start, stop in others:
            self.valid[start:stop, index] = False

    def _guess(self, index: int, start: int, stop: int) -> None:
        """Fill a gap for the time being."""
        if not self._from_others(index, start, stop, np.isfinite(self.spread[index])):
            edges = [frame for frame in (start - 1, stop) if 0 <= frame < len(self.valid)]
            share = _blend(stop - start)
            self._set(index, start, stop, (1.0 - share) * self.positions[edges[0], index] + share * self.positions[edges[-1], index])

    def _from_others(self, index: int, start: int, stop: int, allowed: NDArray[np.bool_]) -> bool:
        """Carry the marker along with others, out of those allowed, that are seen, from before the gap and from after it, and blend."""
        edges = [frame for frame in (start - 1, stop) if 0 <= frame < len(self.valid)]
        if not edges:
            return False
        seen = self.valid[max(start - 1, 0) : stop + 1].all(axis=0)
        others = np.flatnonzero(seen & allowed)
        others = others[np.argsort(self.spread[index][others], kind="stable")][:_NEIGHBOURS]
        if len(others) < 3 or _width(self.positions[edges[0], others]) < _WIDE:
            return False
        weights = 1.0 / (_CLOSE**2 + self.spread[index][others] ** 2)
        points = self.positions[start:stop, others]
        ways = []
        for edge in edges:
            frames = fit_rigid(self.positions[edge, others], points, weights)
            ways.append(rotate(frames.rotations, self.positions[edge, index]) + frames.origins)
        share = _blend(stop - start)
        self._set(index, start, stop, ways[0] if len(ways) == 1 else (1.0 - share) * ways[0] + share * ways[1])
        return True

    def _set(self, index: int, start: int, stop: int, path: Array) -> None:
        self.positions[start:stop, index] = path
        self.valid[start:stop, index] = True


def _width(points: Array) -> float:
    """Return how far points (K, 3) stand off the straight line that fits them best, metres."""
    return float(np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[1])


def _blend(frames: int) -> Array:
    """Return a smooth step from 0 to 1, (T, 1), that leaves both out."""
    share = np.arange(1, frames + 1)[:, None] / (frames + 1)
    return share * share * (3.0 - 2.0 * share)


def _expected(values: Array, missing: NDArray[np.bool_], asked: NDArray[np.bool_]) -> Array:
    """Return the expectation of the values (T, D) that are asked for, given those that are not; of the missing ones, guesses are there."""
    values, out = values.copy(), values.copy()
    rows = np.flatnonzero(asked.any(axis=1))
    uncertain = np.zeros((values.shape[1], values.shape[1]))
    for _ in range(_ROUNDS):
        mean = values.mean(axis=0)
        off = values - mean
        precision = np.linalg.inv((off.T @ off + uncertain) / len(off) + _NOISE**2 * np.eye(len(mean)))
        pull = np.where(asked, 0.0, off) @ precision
        uncertain[:] = 0.0
        for row in rows:
            gone = np.flatnonzero(asked[row])
            covariance = np.linalg.inv(precision[np.ix_(gone, gone)])
            out[row, gone] = mean[gone] - covariance @ pull[row, gone]
            uncertain[np.ix_(gone, gone)] += covariance
        values = np.where(missing, out, values)
    return out


def _distance_spread(markers: Markers) -> Array:
    """Return by how much the distance of every two markers varies, (M, M) metres; infinite where they are never seen together."""
    sample = np.unique(np.linspace(0, len(markers) - 1, _SAMPLES).astype(np.intp))
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
