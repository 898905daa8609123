"""What is gathered from each sequence for the checks that look at the dataset as a whole: little, so that much fits into memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.inspect.similar import poses
from mocapgen.inspect.tempo import gait, gravity
from mocapgen.inspect.views import SequenceView


@dataclass(frozen=True, eq=False)
class Gathered:
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
        At which the body falls in jumps, m/s²; NaN without any (:func:`mocapgen.inspect.tempo.gravity`).
    gait : float
        Walk ratio; NaN where nobody walks (:func:`mocapgen.inspect.tempo.gait`).
    poses : (T, 30) float16 or None
        The course of the pose, whatever the avatar and the camera (:func:`mocapgen.inspect.similar.poses`); None if nobody asked.
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


def gather(sequence: SequenceView, with_poses: bool) -> Gathered:
    """Return what is to be remembered of a sequence.

    Raises
    ------
    DatasetError
        If its arrays cannot be read.
    """
    camera = sequence.row.camera
    azimuth, elevation, distance = _placed(sequence)
    with np.errstate(all="ignore"):
        fov = 2.0 * np.degrees(np.arctan(0.5 * camera.height / abs(camera.K[1, 1])))
    return Gathered(
        frames=sequence.row.length,
        digest=hashlib.blake2b(sequence.row["positions_3d"].tobytes(), digest_size=16).digest(),
        azimuth=azimuth,
        elevation=elevation,
        distance=distance,
        fov=float(fov),
        in_view=float(np.mean(sequence.row["in_view"])),
        anchors=sequence.world[0, [0, len(sequence.skeleton.names) // 2, -1]],
        gravity=gravity(sequence),
        gait=gait(sequence),
        poses=poses(sequence) if with_poses else None,
    )


def merged(first: Gathered, second: Gathered) -> Gathered:
    """Return what is remembered of a long sequence, given that of two parts that follow each other."""
    share = second.frames / (first.frames + second.frames)

    def mean(name: str) -> float:
        return _mean(getattr(first, name), getattr(second, name), share)

    turn = (second.azimuth - first.azimuth + 180.0) % 360.0 - 180.0
    return Gathered(
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
    to_camera = -camera.R.T @ camera.t - world[:, 0]
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
