"""Features of each sequence, a few numbers: for the checks of the whole dataset and for the charts of the report."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array, Skeleton
from mocapgen.core.runs import runs
from mocapgen.core.vectors import norms
from mocapgen.inspect.duplicates import poses
from mocapgen.inspect.sequence_view import SequenceView

GRAVITY = 9.81
"""m/s²"""
GAIT = 1.4
"""Length of a step over its rate, both made dimensionless by leg length and gravity, of people who walk or run.

People who go faster take longer steps and more of them, in about the same proportion (Grieve and Gear, Ergonomics 9:379, 1966;
Sekiya et al., Journal of Human Movement Studies 30:241, 1996). On HDM05 and CMU recordings it is 1.05 to 2.0 from a walk to a run, 1.4
in the median. At half the true frame rate it doubles.
"""

OFF_FLOOR, JUMP = 0.09, 5
"""Metres above the floor at which the whole body is in the air, and the frames that a jump lasts at least."""
STEPS, ADVANCE = 3, 0.6
"""Of somebody who walks: at least so many steps, each of so many times the length of a leg."""

_SEGMENTS = {
    ("Hips", "Chest"): (0.142, 0.5),
    ("Chest", "Neck"): (0.355, 0.5),
    ("Neck", "HeadTop"): (0.081, 0.5),
    ("UpperArm", "LowerArm"): (0.028, 0.436),
    ("LowerArm", "Hand"): (0.016, 0.430),
    ("Hand", "HandEnd"): (0.006, 0.5),
    ("UpperLeg", "LowerLeg"): (0.100, 0.433),
    ("LowerLeg", "Foot"): (0.0465, 0.433),
    ("Foot", "ToesEnd"): (0.0145, 0.5),
}
"""Share of each segment in the body's mass, and where its centre lies between its joints (Winter, Biomechanics and Motor Control, 2009)."""


def gravity(view: SequenceView) -> float:
    """Return the acceleration, m/s², at which the body falls while it is in the air; NaN without a jump.

    A parabola through the heights of the centre of mass; median over the jumps. Carried over to a smaller avatar, everybody falls more
    slowly in proportion to size.
    """
    lowest = view.world[..., 1].min(axis=1)
    jumps = [(start, stop) for start, stop in runs(lowest > OFF_FLOOR) if stop - start >= JUMP and start > 0 and stop < len(lowest)]
    weights = _weights(view.skeleton)
    if not jumps or weights is None:
        return float("nan")
    height = view.world[..., 1] @ weights
    found = []
    for start, stop in jumps:
        time = (np.arange(stop - start) - 0.5 * (stop - start - 1)) / view.fps
        curve = np.polynomial.polynomial.polyfit(time, height[start:stop], 2)
        off = np.abs(np.polynomial.polynomial.polyval(time, curve) - height[start:stop]).max()
        rise = -curve[2] * time[-1] ** 2
        if rise > 0.02 and abs(curve[1] / curve[2]) < 2.0 * time[-1] and off < 0.2 * rise:
            found.append(-2.0 * curve[2])
    return float(np.median(found)) if found else float("nan")


@lru_cache(maxsize=64)
def _weights(skeleton: Skeleton) -> Array | None:
    """Return the share of each joint, (J,), in where the centre of mass is, or None if joints are missing."""
    weights = np.zeros(len(skeleton.names))
    for (first, second), (mass, along) in _SEGMENTS.items():
        for side in ("",) if first in skeleton and second in skeleton else ("Left", "Right"):
            if side + first not in skeleton or side + second not in skeleton:
                return None
            weights[skeleton.index(side + first)] += mass * (1.0 - along)
            weights[skeleton.index(side + second)] += mass * along
    return np.asarray(weights / weights.sum())


def gait(view: SequenceView) -> float:
    """Return the walk ratio of a sequence in which somebody walks or runs on for three steps or more: see :data:`GAIT`; NaN if nobody does."""
    if not view.has("LeftFoot", "RightFoot", "LeftLowerLeg") or len(view.world) < 8:
        return float("nan")
    world = view.world
    bones = [view.joint("LeftLowerLeg"), view.joint("LeftFoot")]
    above = [view.skeleton.parents[joint] for joint in bones]
    leg = float(norms(view.positions[:, bones] - view.positions[:, above]).sum(axis=1).mean())
    hips = world[:, 0, ::2]
    count = len(world)
    reach = max(2, count // 8)
    frames = np.arange(count)
    course = hips[np.minimum(frames + reach, count - 1)] - hips[np.maximum(frames - reach, 0)]
    course /= np.maximum(np.hypot(*course.T), 1e-6)[:, None]
    stride = ((world[:, view.joint("LeftFoot"), ::2] - world[:, view.joint("RightFoot"), ::2]) * course).sum(axis=1) / leg
    passing = np.flatnonzero(np.sign(stride[1:]) * np.sign(stride[:-1]) < 0)  # one foot passes the other
    if len(passing) < 4:
        return float("nan")
    advance = np.hypot(*(hips[passing[1:]] - hips[passing[:-1]]).T) / leg
    widest = np.maximum.reduceat(np.abs(stride), passing + 1)[:-1]
    steps = (widest > 0.4) & (advance > ADVANCE)
    if steps.sum() < STEPS or not leg > 0:
        return float("nan")
    seconds = np.diff(passing)[steps] / view.fps
    return float(np.median(advance[steps]) * np.median(seconds) / np.sqrt(leg / GRAVITY))


@dataclass(frozen=True, eq=False)
class SequenceFeatures:
    """What is remembered of one sequence.

    Parameters
    ----------
    frames : int
    digest : bytes
        Of the positions, camera frame: equal for equal sequences.
    azimuth : float
        Where the camera stands as seen by the person, degrees: 0 in front, 90 to the left, -90 to the right, 180 behind; NaN for bodies
        without hips. Mean over the frames.
    elevation : float
        How high it stands above the hips, degrees; 0 is level with them. Mean over the frames.
    distance : float
        Of the camera from the hips, metres; mean over the frames.
    fov : float
        Vertical field of view, degrees.
    in_view : float
        Share of the joints' frames that the image shows, 0 to 1.
    anchors : (3, 3) float64
        Where the root, a joint halfway down the list and the last one are in the first frame; metres, world frame.
    gravity : float
        At which the body falls in jumps, m/s²; NaN without any (:func:`mocapgen.inspect.measure.gravity`).
    gait : float
        Walk ratio; NaN if nobody walks (:func:`mocapgen.inspect.measure.gait`).
    poses : (T, 30) float16 or None
        The course of the pose, whatever the avatar and the camera (:func:`mocapgen.inspect.duplicates.poses`); None if it was not asked for.
    """

    frames: int
    digest: bytes
    azimuth: float
    elevation: float
    distance: float
    fov: float
    in_view: float
    anchors: Array
    gravity: float
    gait: float
    poses: NDArray[np.float16] | None = None


def sequence_features(sequence: SequenceView, with_poses: bool, jumps: bool = True, walks: bool = True) -> SequenceFeatures:
    """Return what is to be remembered of a sequence.

    Parameters
    ----------
    sequence : SequenceView
    with_poses : bool
        Whether the course of the pose is among it.
    jumps, walks : bool
        False if it is known that nobody does.

    Raises
    ------
    DatasetError
        If its arrays cannot be read.
    """
    camera = sequence.row.camera
    azimuth, elevation, distance = _placed(sequence)
    with np.errstate(all="ignore"):
        fov = 2.0 * np.degrees(np.arctan(0.5 * camera.height / abs(camera.K[1, 1])))
    return SequenceFeatures(
        frames=sequence.row.length,
        digest=hashlib.blake2b(sequence.row["positions_3d"].tobytes(), digest_size=16).digest(),
        azimuth=azimuth,
        elevation=elevation,
        distance=distance,
        fov=float(fov),
        in_view=float(np.mean(sequence.seen)),
        anchors=sequence.world[0, [0, len(sequence.skeleton.names) // 2, -1]],
        gravity=gravity(sequence) if jumps else float("nan"),
        gait=gait(sequence) if walks else float("nan"),
        poses=poses(sequence) if with_poses else None,
    )


def merged_features(first: SequenceFeatures, second: SequenceFeatures) -> SequenceFeatures:
    """Return what is remembered of a long sequence, given that of two parts that follow each other."""
    share = second.frames / (first.frames + second.frames)

    def mean(name: str) -> float:
        return _mean(getattr(first, name), getattr(second, name), share)

    turn = (second.azimuth - first.azimuth + 180.0) % 360.0 - 180.0
    return SequenceFeatures(
        frames=first.frames + second.frames,
        digest=hashlib.blake2b(first.digest + second.digest, digest_size=16).digest(),
        azimuth=(first.azimuth + share * turn + 180.0) % 360.0 - 180.0,
        elevation=mean("elevation"),
        distance=mean("distance"),
        fov=mean("fov"),
        in_view=mean("in_view"),
        anchors=first.anchors,
        gravity=mean("gravity"),
        gait=mean("gait"),
        poses=None if first.poses is None or second.poses is None else np.concatenate([first.poses, second.poses]),
    )


def _mean(first: float, second: float, share: float) -> float:
    """Return the mean of two numbers, the second with this share; where one is NaN, the other."""
    if np.isnan(first) or np.isnan(second):
        return second if np.isnan(first) else first
    return (1.0 - share) * first + share * second


def _placed(sequence: SequenceView) -> tuple[float, float, float]:
    """Return azimuth, elevation (degrees) and distance (metres) of the camera, as the person sees it."""
    names = sequence.skeleton.names
    world = sequence.world
    camera = sequence.row.camera
    to_camera = camera.centre - world[:, 0]
    level = np.hypot(to_camera[:, 0], to_camera[:, 2])
    elevation = float(np.degrees(np.arctan2(to_camera[:, 1], level)).mean())
    distance = float(np.linalg.norm(to_camera, axis=-1).mean())
    if not {"LeftUpperLeg", "RightUpperLeg"} <= set(names):
        return float("nan"), elevation, distance
    left = world[:, names.index("LeftUpperLeg")] - world[:, names.index("RightUpperLeg")]
    return _mean_angle(left, to_camera), elevation, distance


def _mean_angle(left: Array, to_camera: Array) -> float:
    """Return the mean angle about the vertical from where a person faces, whose left is `left`, to `to_camera`; degrees, positive to the left."""
    # x is to the left of a person who faces z, so facing is `left` turned by a quarter to the right: (-z, x) of it
    forward_x, forward_z = -left[:, 2], left[:, 0]
    ahead = forward_x * to_camera[:, 0] + forward_z * to_camera[:, 2]
    aside = left[:, 0] * to_camera[:, 0] + left[:, 2] * to_camera[:, 2]
    size = np.hypot(ahead, aside)
    weight = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0.0)
    return float(np.degrees(np.arctan2((aside * weight).sum(), (ahead * weight).sum())))


ROWS, COLUMNS = 27, 48
"""Cells of the image in which joints are counted."""
_QUICK = 95.0  # percent


@dataclass(frozen=True)
class SequenceStatistics:
    """What is measured of one sequence.

    Parameters
    ----------
    frames : int
    speed : float
        Speed that 95 % of the joints' frames stay below, m/s; NaN for a single frame. Of parts of a long sequence, their mean.
    lowest, highest : float
        Least and greatest height of a joint, metres above the floor.
    travel : float
        Way of the root on the ground, metres; of parts of a long sequence, without the steps between them.
    size : float
        Height of the person in the image as a share of the image's height, mean over the frames.
    """

    frames: int
    speed: float
    lowest: float
    highest: float
    travel: float
    size: float

    def followed_by(self, other: SequenceStatistics) -> SequenceStatistics:
        """Return what is measured of a sequence, given that of two parts that follow each other."""
        share = other.frames / (self.frames + other.frames)
        speed = self.speed if np.isnan(other.speed) else (1.0 - share) * self.speed + share * other.speed
        return SequenceStatistics(
            frames=self.frames + other.frames,
            speed=speed,
            lowest=min(self.lowest, other.lowest),
            highest=max(self.highest, other.highest),
            travel=self.travel + other.travel,
            size=(1.0 - share) * self.size + share * other.size,
        )


@dataclass
class DatasetStatistics:
    """What is measured of all sequences.

    Parameters
    ----------
    sequences : dict of int to SequenceStatistics
        By row of ``/sequences``; those that cannot be read, or hold numbers that are not finite, are not in it.
    image : (27, 48) int64
        Joints' frames by where they fall in the image, top left first.
    outside : int
        Joints' frames that fall beside the image.
    """

    sequences: dict[int, SequenceStatistics] = field(default_factory=dict)
    image: NDArray[np.int64] = field(default_factory=lambda: np.zeros((ROWS, COLUMNS), dtype=np.int64))
    outside: int = 0

    def add(self, number: int, view: SequenceView) -> None:
        """Measure a sequence, or the part of it that follows what has been added already.

        Raises
        ------
        DatasetError
            If its arrays cannot be read; then nothing is added.
        """
        with np.errstate(all="ignore"):
            measured, shares = sequence_statistics(view), _shares(view)[view.has_pixels]
        self._put(number, measured)
        inside = ((shares >= 0.0) & (shares < 1.0)).all(axis=-1)
        cells = (shares[inside] * (COLUMNS, ROWS)).astype(np.int64)
        self.image += np.bincount(cells[:, 1] * COLUMNS + cells[:, 0], minlength=ROWS * COLUMNS).reshape(ROWS, COLUMNS)
        self.outside += int(inside.size - inside.sum())

    def merge(self, other: DatasetStatistics) -> None:
        """Add what was measured of other sequences, or of parts that follow."""
        for number, measured in other.sequences.items():
            self._put(number, measured)
        self.image += other.image
        self.outside += other.outside

    def _put(self, number: int, measured: SequenceStatistics) -> None:
        known = self.sequences.get(number)
        self.sequences[number] = measured if known is None else known.followed_by(measured)


def sequence_statistics(view: SequenceView) -> SequenceStatistics:
    """Return what is measured of a sequence, or of a part of one."""
    heights, root = view.world[..., 1], view.world[:, 0]
    steps = np.hypot(*np.diff(root[:, [0, 2]], axis=0).T)
    rows = view.pixels[..., 1]
    size = np.fmax.reduce(rows, axis=1) - np.fmin.reduce(rows, axis=1)  # predictions have no pixels where a joint was not seen
    return SequenceStatistics(
        frames=view.row.length,
        speed=float(np.percentile(view.speeds, _QUICK)) if view.speeds.size else float("nan"),
        lowest=float(heights.min()),
        highest=float(heights.max()),
        travel=float(steps.sum()),
        size=float(size[np.isfinite(size)].mean() / view.row.camera.height) if np.isfinite(size).any() else float("nan"),
    )


def _shares(view: SequenceView) -> Array:
    """Return where joints are in the image, (T, J, 2): 0 to 1 from left to right and from top to bottom; what is behind the camera is nowhere."""
    shares = view.pixels / (view.row.camera.width, view.row.camera.height)
    shares[view.positions[..., 2] <= 0.0] = np.nan
    return np.asarray(shares)
