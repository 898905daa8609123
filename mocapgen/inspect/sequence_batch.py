"""Many sequences at once, as screens see them: all of their frames together, in single precision.

Arrays are planes, (components, J, N), of the N frames of all sequences, so that each component of each joint lies in one piece of memory.
Most sequences are short: what NumPy needs to begin a calculation would be most of the work if each were looked at by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Skeleton
from mocapgen.inspect.lenient_reader import InspectedRow
from mocapgen.inspect.sequence_view import SequenceView
from mocapgen.store.reader import SequenceRow
from schemas.conventions import EULER_ORDER
from schemas.errors import DatasetError

Single = NDArray[np.float32]
Mask = NDArray[np.bool_]

ARRAYS = ("positions_3d", "positions_2d", "quaternions", "euler", "in_view")
MOST_BYTES = 2**24
"""Of one array of the frames that are read together."""
ROUNDING = 2e-6
"""Of numbers that follow from some products and sums in single precision, as a share of the largest: 16 units in the last place or more."""


class SequenceBatch:
    """Sequences of one tree of joints that follow each other in the file, and hold nothing but finite numbers.

    Parameters
    ----------
    rows : sequence of S SequenceRow
    skeletons : sequence of S Skeleton
        Of each row.
    fps : float
    arrays : dict of str to (N, J, ...) array
        The frames of all rows, for each name of :data:`ARRAYS`.
    """

    def __init__(self, rows: Sequence[SequenceRow], skeletons: Sequence[Skeleton], fps: float, arrays: dict[str, NDArray[Any]]) -> None:
        self.rows = rows
        self.skeletons = skeletons
        self.skeleton = skeletons[0]
        self.fps = fps
        self.lengths = np.array([row.length for row in rows])
        self.starts = np.cumsum(self.lengths) - self.lengths
        self._arrays = arrays

    # Of sequences and frames -----------------------------------------------------------------------

    def each_frame(self, values: Any) -> Single:
        """Return numbers (..., S) of each sequence for each of its frames, (..., N)."""
        return np.repeat(np.asarray(values, dtype=np.float32), self.lengths, axis=-1)

    def most(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the largest of values (..., N) in each sequence, (..., S); NaN if one is."""
        return np.asarray(np.maximum.reduceat(values, self.starts, axis=-1))

    def least(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the smallest of values (..., N) in each sequence, (..., S); NaN if one is."""
        return np.asarray(np.minimum.reduceat(values, self.starts, axis=-1))

    def total(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sum of values (..., N), or how many are true, in each sequence, (..., S)."""
        kind = np.float32 if values.dtype.kind == "f" else np.int32
        return np.asarray(np.add.reduceat(values, self.starts, axis=-1, dtype=kind), dtype=np.float64)

    def any(self, mask: Mask) -> Mask:
        """Return in which sequences, (S,), a mask (J, N) or (N,) is true anywhere."""
        return np.asarray(np.logical_or.reduceat(np.any(np.atleast_2d(mask), axis=0), self.starts))

    def has_run(self, mask: Mask, least: Any) -> Mask:
        """Return which sequences, (S,), have a run of `least` frames, a number or (S,), in which a mask (N,) is true."""
        begin, end = mask.copy(), mask.copy()  # a run ends with its sequence
        begin[1:] &= ~mask[:-1]
        end[:-1] &= ~mask[1:]
        begin[self.starts] = mask[self.starts]
        end[self.starts + self.lengths - 1] = mask[self.starts + self.lengths - 1]
        first, last = np.flatnonzero(begin), np.flatnonzero(end)
        sequence = np.searchsorted(self.starts, first, side="right") - 1
        out = np.zeros(len(self.rows), dtype=bool)
        out[sequence[last - first + 1 >= np.broadcast_to(least, out.shape)[sequence]]] = True
        return out

    def differences(self, values: Single) -> Single:
        """Return the differences of values (..., N) from each frame to the next, (..., N); the last of a sequence follows from another one."""
        out = np.empty_like(values)
        np.subtract(values[..., 1:], values[..., :-1], out=out[..., :-1])
        out[..., -1] = 0.0
        return out

    def ends(self, frames: int) -> NDArray[np.intp]:
        """Return the last frames of each sequence, so many or all."""
        stops = (self.starts + self.lengths)[:, None] - 1
        return np.unique(np.maximum(stops - np.arange(frames), self.starts[:, None]))

    # Joints ------------------------------------------------------------------------------------------

    def joint(self, name: str) -> int:
        """Return the place of a joint among J."""
        return self.skeleton.index(name)

    def has(self, *names: str) -> bool:
        """Return whether the skeletons have all these joints."""
        return all(name in self.skeleton for name in names)

    @cached_property
    def offsets(self) -> Single:
        """(3, J, S) metres: of each joint from its parent in the rest pose."""
        return np.stack([skeleton.offsets.T for skeleton in self.skeletons], axis=-1).astype(np.float32)

    # Cameras -----------------------------------------------------------------------------------------

    @cached_property
    def lenses(self) -> Single:
        """(4, N): the focal lengths in x and y, and the principal point; pixels."""
        return self.each_frame(np.array([[row.camera.K[0, 0], row.camera.K[1, 1], row.camera.K[0, 2], row.camera.K[1, 2]] for row in self.rows]).T)

    @cached_property
    def images(self) -> NDArray[np.float64]:
        """(2, S): width and height, pixels."""
        return np.array([[row.camera.width, row.camera.height] for row in self.rows], dtype=np.float64).T

    # Arrays ------------------------------------------------------------------------------------------

    def _planes(self, name: str) -> Single:
        return np.ascontiguousarray(self._arrays[name].T, dtype=np.float32)

    @cached_property
    def flags(self) -> Mask:
        """(J, N): joints that the file says to be in view."""
        return np.ascontiguousarray(self._arrays["in_view"].T)

    @cached_property
    def positions(self) -> Single:
        """(3, J, N) metres, camera frame."""
        return self._planes("positions_3d")

    @cached_property
    def pixels(self) -> Single:
        """(2, J, N) pixels."""
        return self._planes("positions_2d")

    @cached_property
    def quaternions(self) -> Single:
        """(4, J, N), as stored."""
        return self._planes("quaternions")

    @cached_property
    def squared_norms(self) -> Single:
        """(J, N): of the quaternions."""
        return squares(self.quaternions)

    @cached_property
    def rotations(self) -> Single:
        """(4, J, N): the quaternions scaled to unit length."""
        return np.asarray(self.quaternions / np.sqrt(self.squared_norms), dtype=np.float32)

    @cached_property
    def euler(self) -> Single:
        """(3, J, N) degrees: components x, y, z."""
        return self._planes("euler")

    @cached_property
    def largest(self) -> NDArray[np.float64]:
        """(S,) metres: the largest coordinate, camera frame."""
        highest, lowest = (self.positions.max(axis=(0, 1)), self.positions.min(axis=(0, 1)))
        return np.maximum(self.most(highest), -self.least(lowest)).astype(np.float64)

    @cached_property
    def precision(self) -> NDArray[np.float64]:
        """(S,) metres: as :attr:`mocapgen.inspect.sequence_view.SequenceView.precision`."""
        return 4.8e-7 * self.largest

    @cached_property
    def rounding(self) -> NDArray[np.float64]:
        """(S,) metres: by how much positions in the world may be off here."""
        turned = np.array([max(1.0, float(np.abs(row.camera.R).max())) for row in self.rows])
        moved = np.array([float(np.abs(row.camera.t).max()) for row in self.rows])
        return ROUNDING * turned * (self.largest + moved)

    @cached_property
    def world(self) -> Single:
        """(3, J, N) metres, world frame."""
        turns = self.each_frame(np.array([row.camera.R for row in self.rows]).transpose(1, 2, 0))
        moves = self.each_frame(np.array([row.camera.t for row in self.rows]).T)
        x, y, z = (plane - move for plane, move in zip(self.positions, moves, strict=True))
        out = np.empty_like(self.positions)
        for axis in range(3):
            out[axis] = x * turns[0, axis] + y * turns[1, axis] + z * turns[2, axis]
        return out

    @cached_property
    def bones(self) -> Single:
        """(J - 1, N) metres: distance of each joint but the root from its parent."""
        parents = list(self.skeleton.parents[1:])
        return np.sqrt(squares(self.positions[:, 1:] - self.positions[:, parents]))

    @cached_property
    def velocities(self) -> Single:
        """(3, J, N) m/s, world frame: from each frame to the next; 0 at the end of a sequence."""
        out = self.differences(self.world)
        out *= np.float32(self.fps)
        out[..., self.ends(1)] = 0.0
        return out

    @cached_property
    def speeds(self) -> Single:
        """(J, N) m/s: as velocities."""
        return np.sqrt(squares(self.velocities))

    @cached_property
    def changes(self) -> Single:
        """(3, J, N) m/s, world frame: of the velocity from each frame to the next; 0 in the last two frames of a sequence."""
        out = self.differences(self.velocities)
        out[..., self.ends(2)] = 0.0
        return out

    @cached_property
    def heights(self) -> Single:
        """(J, N) metres above the floor."""
        return self.world[1]

    @cached_property
    def lowest(self) -> Single:
        """(N,) metres: height of the lowest joint."""
        return self.heights.min(axis=0)

    @cached_property
    def together(self) -> Single:
        """(J, N): the cosine of half the angle by which each joint turns from each frame to the next, negative if the sign changes; 1 at the end."""
        out = np.empty_like(self.rotations[0])
        out[:, :-1] = dots(self.rotations[..., 1:], self.rotations[..., :-1])
        out[:, self.ends(1)] = 1.0
        return out

    @cached_property
    def legs(self) -> NDArray[np.float64]:
        """(S,) metres: length of thigh and shank, mean of both sides and all frames; of skeletons that have legs."""
        rows = [self.joint(side + name) - 1 for side in ("Left", "Right") for name in ("LowerLeg", "Foot")]
        return 2.0 * self.total(self.bones[rows].mean(axis=0)) / self.lengths

    @cached_property
    def from_euler(self) -> Single:
        """(4, J, N): the quaternions of the Euler angles."""
        i, j, k = ("XYZ".index(letter) for letter in EULER_ORDER)
        sign = np.float32(1.0 if (i, j, k) in ((0, 1, 2), (1, 2, 0), (2, 0, 1)) else -1.0)
        half = self.euler * np.float32(np.pi / 360.0)
        sines, cosines = np.sin(half), np.cos(half)
        (s1, s2, s3), (c1, c2, c3) = ((part[i], part[j], part[k]) for part in (sines, cosines))
        cc, ss, cs, sc = c2 * c3, s2 * s3, c2 * s3, s2 * c3
        out = np.empty_like(self.quaternions)
        out[i] = s1 * cc + sign * (c1 * ss)
        out[j] = c1 * sc - sign * (s1 * cs)
        out[k] = c1 * cs + sign * (s1 * sc)
        out[3] = c1 * cc - sign * (s1 * ss)
        return out

    @cached_property
    def forward(self) -> Single:
        """(3, J, N) metres, camera frame: the joints as rotations and the skeletons' offsets have them, from the stored root on."""
        turned = self.rotations.copy()
        out = np.empty_like(self.positions)
        out[:, 0] = self.positions[:, 0]
        for joints, parents in self.skeleton.levels:
            above = turned[:, parents]
            out[:, joints] = out[:, parents] + rotated(above, np.repeat(self.offsets[:, joints], self.lengths, axis=-1))
            turned[:, joints] = product(above, turned[:, joints])
        return out


def squares(vectors: Single) -> Single:
    """Return the squared lengths (...) of vectors (K, ...)."""
    return dots(vectors, vectors)


def dots(a: Single, b: Single) -> Single:
    """Return the scalar products (...) of vectors (K, ...)."""
    out = a[0] * b[0]
    for one, other in zip(a[1:], b[1:], strict=True):
        out += one * other
    return out


def crosses(a: Single, b: Single) -> Single:
    """Return the vector products (3, ...) of vectors (3, ...)."""
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def product(a: Single, b: Single) -> Single:
    """Return the products of quaternions (4, ...)."""
    (ax, ay, az, aw), (bx, by, bz, bw) = a, b
    return np.stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ]
    )


def rotated(q: Single, v: Single) -> Single:
    """Return vectors (3, ...) turned by unit quaternions (4, ...)."""
    twice = 2.0 * crosses(q[:3], v)
    return v + q[3] * twice + crosses(q[:3], twice)


def read_batch(views: Sequence[SequenceView]) -> SequenceBatch | None:
    """Read the frames of sequences of a dataset at once; the arrays of each are then parts of these.

    Returns
    -------
    SequenceBatch or None
        None if the sequences do not follow each other, are of different trees of joints, or anything in their frames is not as it should be:
        then each is to be looked at by itself.
    """
    rows = [view.row for view in views]
    first, count = rows[0], sum(row.length for row in rows)
    trees = {(view.skeleton.names, view.skeleton.parents) for view in views}
    follow = all(row.start + row.length == other.start for row, other in pairwise(rows))
    if not (follow and len(trees) == 1 and all(type(row) is InspectedRow for row in rows)):
        return None
    assert isinstance(first, InspectedRow)
    whole = replace(first, length=count, _arrays={})
    if count * whole.joints * 16 > MOST_BYTES:
        return None
    try:
        arrays = {name: whole[name] for name in ARRAYS}
        if any(whole.not_finite(name).any() for name in ARRAYS if name != "in_view"):
            return None
    except DatasetError:
        return None
    for row in rows:
        assert isinstance(row, InspectedRow)
        for name, values in arrays.items():
            row.give(name, values[row.start - first.start : row.start - first.start + row.length])
    return SequenceBatch(rows, [view.skeleton for view in views], views[0].fps, arrays)
