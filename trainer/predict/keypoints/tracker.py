"""Who is who: detections of people in single frames, joined to people over time.

Frame by frame, everybody is expected where the motion so far leads, and the detections are given to people so that the distances together are
smallest (``scipy.optimize.linear_sum_assignment``). Nobody goes farther than a body can; the detector's ids decide where the motion leaves it open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trainer.predict.keypoints.arrays import Array

JITTER = 0.3
"""Body sizes by which detections of the same person are apart at most, if nobody moves."""
SPEED = 4.0
"""Body sizes per second: nobody is faster, seen from a camera that stands still."""
MEMORY = 0.5
"""Seconds for which a person who is not seen is expected to come back near the place; later, pieces are joined by :func:`_joined`."""
_DECAY = 0.3
"""Seconds in which the motion that is expected of somebody who is not seen dies away."""
_SAME_ID = 0.3
"""What the detector's id is worth, as a share of the largest step."""
_DOUBLE = 0.08
"""Body sizes: two detections closer than this are one person."""
_TRIES = 3
"""Frames with other people in which somebody who has been seen less often may be missing."""
_MOST = 50
"""People in a frame, and in a video."""
_MOST_ALIVE = 4 * _MOST
"""People who are expected at once; of more, those who were seen last and most often."""


@dataclass(eq=False)
class _Track:
    """The detections of one person so far."""

    size: float
    found: list[int] = field(default_factory=list)
    missed: int = 0


@dataclass(eq=False)
class _Video:
    """All detections; N of 24 joints, NaN where not seen."""

    rows: NDArray[np.int64]
    where: Array
    ids: Sequence[str]
    sizes: Array
    fps: float

    def distances(self, expected: Array, found: list[int]) -> Array:
        """Return mean distances of joints, (n, m), pixels, of n expected people (n, 24, 2) from m detections; infinite where no joint is shared."""
        apart = np.linalg.norm(expected[:, None] - self.where[found][None], axis=3)
        both = np.isfinite(apart)
        count = both.sum(axis=2)
        return np.where(count > 0, np.where(both, apart, 0.0).sum(axis=2) / np.maximum(count, 1), np.inf)

    def expected(self, track: _Track, row: int) -> Array:
        """Return where a person's joints are expected, (24, 2): at constant velocity that dies away."""
        last = track.found[-1]
        before = next((one for one in reversed(track.found[-6:-1]) if self.rows[last] - self.rows[one] >= 3), track.found[max(-6, -len(track.found))])
        passed = (self.rows[last] - self.rows[before]) / self.fps
        if passed <= 0 or passed > MEMORY:
            return self.where[last]
        moved = self.where[last] - self.where[before]
        known = np.isfinite(moved).all(axis=1)
        if not known.any():
            return self.where[last]
        ahead = _DECAY * (1.0 - np.exp(-(row - self.rows[last]) / self.fps / _DECAY))
        return np.asarray(self.where[last] + np.median(moved[known], axis=0) / passed * ahead)


def follow(rows: NDArray[np.int64], where: Array, ids: Sequence[str], fps: float) -> list[NDArray[np.int64]]:
    """Return people: for each the numbers of its detections, at most one a frame, in the order of time.

    Parameters
    ----------
    rows : (N,) int64
        The frame of each detection.
    where : (N, 24, 2) float64, pixels
        NaN where a joint was not seen.
    ids : sequence of N str
        The detector's names for people, empty where it has none.
    fps : float
    """
    low = np.where(np.isfinite(where), where, np.inf).min(axis=1)
    high = np.where(np.isfinite(where), where, -np.inf).max(axis=1)
    sizes = np.maximum(np.max(high - low, axis=1), 1e-6)
    video = _Video(rows, where, ids, sizes, fps)
    order = np.flatnonzero(np.isfinite(sizes))
    order = order[np.argsort(rows[order], kind="stable")]
    if not len(order):
        return []
    breaks = np.flatnonzero(np.diff(rows[order])) + 1
    frames = [frame.tolist() for frame in np.split(order, breaks)]
    clear = _clear_steps(video, frames)
    done: list[_Track] = []
    alive: list[_Track] = []
    for number, frame in enumerate(frames):
        if number in clear and len(alive) == len(frame):
            owners = {track.found[-1]: track for track in alive}
            if all(one in owners for one in frames[number - 1]):
                for one, before in zip(frame, clear[number], strict=True):
                    _take(video, owners[before], one)
                continue
        row = int(rows[frame[0]])
        gone = [track for track in alive if row - rows[track.found[-1]] > MEMORY * fps + 1 or (track.missed > _TRIES and len(track.found) < _TRIES)]
        done += gone
        alive = [track for track in alive if track not in gone] if gone else alive
        if len(alive) > _MOST_ALIVE:
            alive.sort(key=lambda track: (track.missed, -len(track.found)))
            done += alive[_MOST_ALIVE:]
            del alive[_MOST_ALIVE:]
        _give(video, alive, _without_doubles(video, frame) if len(frame) > len(alive) else frame, row)
    joined = _joined(video, [track.found for track in done + alive])
    return [np.array(found, dtype=np.int64) for found in joined]


def _clear_steps(video: _Video, frames: list[list[int]]) -> dict[int, list[int]]:
    """Return, for frames in which nobody comes or goes and all stay near where they were, from which detection each comes; the rest is for motion."""
    out: dict[int, list[int]] = {}
    counts = np.array([len(frame) for frame in frames])
    rows = video.rows[[frame[0] for frame in frames]]
    steady = (counts[1:] == counts[:-1]) & (np.diff(rows) == 1)
    for count in range(1, 7):
        numbers = np.flatnonzero(steady & (counts[1:] == count)) + 1
        for some in np.array_split(numbers, max(1, len(numbers) // 2000)) if len(numbers) else ():
            before, now = (np.array([frames[number - back] for number in some]) for back in (1, 0))
            apart = np.linalg.norm(video.where[before][:, :, None] - video.where[now][:, None], axis=4)
            both = np.isfinite(apart)
            joints = both.sum(axis=3)
            steps = np.where(both, apart, 0.0).sum(axis=3) / np.maximum(joints, 1) / video.sizes[before][:, :, None]
            near = (steps < 0.5 * JITTER) & (joints >= 3)
            one_each = (near.sum(axis=1) == 1).all(axis=1) & (near.sum(axis=2) == 1).all(axis=1) & (near | (steps > JITTER)).all(axis=(1, 2))
            comes_from = np.take_along_axis(before, near.argmax(axis=1), axis=1)
            out.update({int(some[place]): comes_from[place].tolist() for place in np.flatnonzero(one_each)})
    return out


def _take(video: _Video, track: _Track, detection: int) -> None:
    track.found.append(detection)
    track.missed = 0
    track.size = max(float(video.sizes[detection]), 0.98 * track.size)


def _without_doubles(video: _Video, frame: list[int]) -> list[int]:
    """Return the detections of a frame, of two of the same person only the one with more joints, and no more than can be handled."""
    if len(frame) == 1:
        return frame
    if len(frame) > _MOST:
        frame = sorted(frame, key=lambda one: -video.sizes[one])[:_MOST]
    frame = sorted(frame, key=lambda one: -int(np.isfinite(video.where[one, :, 0]).sum()))
    apart = video.distances(video.where[frame], frame)
    kept: list[int] = []
    for number, one in enumerate(frame):
        if all(apart[number, other] > _DOUBLE * video.sizes[one] for other in kept):
            kept.append(number)
    return sorted(frame[number] for number in kept)


def _give(video: _Video, alive: list[_Track], frame: list[int], row: int) -> None:
    """Give the detections of a frame to people, and make new people of those that are left."""
    left = set(frame)
    if alive:
        wait = np.array([(row - video.rows[track.found[-1]]) / video.fps for track in alive])
        size = np.maximum(np.array([track.size for track in alive])[:, None], video.sizes[frame][None])
        limit = (JITTER + SPEED * np.minimum(wait, MEMORY))[:, None] * size
        apart = video.distances(np.stack([video.expected(track, row) for track in alive]), frame)
        share = apart / limit
        cost = share + _ids(video, alive, frame)
        for track, place in _assigned(np.where(share <= 1.0, cost, np.inf)):
            _take(video, alive[track], frame[place])
            left.discard(frame[place])
    for one in alive:
        one.missed += int(video.rows[one.found[-1]] != row)
    alive += [_Track(float(video.sizes[detection]), [detection]) for detection in frame if detection in left]


def _ids(video: _Video, alive: list[_Track], frame: list[int]) -> Array:
    """Return what the detector's ids add to the cost, (people, detections): less for the same, more for another one."""
    out = np.zeros((len(alive), len(frame)))
    for number, track in enumerate(alive):
        known = video.ids[track.found[-1]]
        for place, one in enumerate(frame):
            if known and video.ids[one]:
                out[number, place] = -_SAME_ID if known == video.ids[one] else _SAME_ID
    return out


def _assigned(cost: Array) -> list[tuple[int, int]]:
    """Return pairs of the smallest sum of costs; to leave both of a pair alone costs 1."""
    people, found = cost.shape
    if people == found == 1:
        return [(0, 0)] if np.isfinite(cost[0, 0]) else []
    from scipy.optimize import linear_sum_assignment

    size = people + found
    square = np.full((size, size), 0.5)
    square[:people, :found] = np.where(np.isfinite(cost), cost, 1e6)
    square[people:, found:] = 0.0
    first, second = linear_sum_assignment(square)
    return [(int(a), int(b)) for a, b in zip(first, second, strict=True) if a < people and b < found and square[a, b] < 1e5]


def _joined(video: _Video, pieces: list[list[int]]) -> list[list[int]]:
    """Join pieces of people who were away for longer, and leave out what was seen for a moment only.

    Where there is never more than one person, it is always the same one. Else pieces are joined that have the same id, or are near in time and place.
    """
    least = min(max(3, round(0.1 * video.fps)), max(len(piece) for piece in pieces))
    pieces = sorted((piece for piece in pieces if len(piece) >= least), key=len)[-4 * _MOST :]
    pieces.sort(key=lambda piece: int(video.rows[piece[0]]))
    ends = [int(video.rows[piece[-1]]) for piece in pieces]
    alone = all(int(video.rows[piece[0]]) > max(ends[:number]) for number, piece in enumerate(pieces) if number)
    people: list[list[int]] = []
    for piece in pieces:
        costs = [_cost_of_joining(video, person, piece, alone) for person in people]
        if costs and min(costs) < np.inf:
            people[int(np.argmin(costs))].extend(piece)
        else:
            people.append(list(piece))
    return people


def _cost_of_joining(video: _Video, person: list[int], piece: list[int], alone: bool) -> float:
    """Return how far apart in time and place the end of one piece and the beginning of another are; infinite if they cannot be one person."""
    away = float(video.rows[piece[0]] - video.rows[person[-1]]) / video.fps
    if away <= 0:
        return float("inf")
    same = bool(video.ids[person[-1]]) and video.ids[person[-1]] == video.ids[piece[0]]
    if away > 2.0 and not same and not alone:
        return float("inf")
    size = max(float(np.median(video.sizes[person[-15:]])), 1e-6)
    ratio = float(np.median(video.sizes[piece[:15]])) / size
    apart = float(video.distances(video.where[[person[-1]]], [piece[0]])[0, 0]) / (size * max(ratio, 1.0))
    near = away <= 2.0 and apart <= 0.5 + away and 0.5 <= ratio <= 2.0
    far_but_same = same and apart <= 3.0 and away > MEMORY
    return apart + away if near or far_but_same or (alone and away > MEMORY) else float("inf")
