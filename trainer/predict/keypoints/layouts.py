"""The joint layouts of 2D detectors, and their conversion to the joints that models use.

Adding a layout is adding a line to :data:`LAYOUTS`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.conventions import H36M17
from schemas.detectors import DETECTOR_JOINTS, SUBSTITUTES

Array = NDArray[np.float64]


def _unnamed(count: int) -> tuple[str, ...]:
    """Return names for points of face and hands, which no model uses."""
    return tuple(f"point_{number}" for number in range(count))


_COCO17 = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    *("left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
)
_ARMS = ("right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist")
_LEGS = ("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle")
_EYES_EARS = ("right_eye", "left_eye", "right_ear", "left_ear")
_FEET = ("left_toe", "left_small_toe", "left_heel", "right_toe", "right_small_toe", "right_heel")
_HALPE26 = (
    *_COCO17,
    *("head_top", "neck_base", "mid_hip", "left_toe", "right_toe", "left_small_toe", "right_small_toe", "left_heel", "right_heel"),
)
_BODY_25B = (*_COCO17, "neck", "head_top", *_FEET)
_MEDIAPIPE33 = (
    *("nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer", "left_ear", "right_ear"),
    *("mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel", "right_heel", "left_toe", "right_toe"),
)
_MPII16 = (
    *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax", "neck", "head_top"),
    *("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
)
LAYOUTS: dict[str, tuple[str, ...]] = {
    "h36m17": tuple(H36M17),
    "coco17": _COCO17,
    "body_25": ("nose", "neck_base", *_ARMS, "mid_hip", *_LEGS, *_EYES_EARS, *_FEET),
    "coco18": ("nose", "neck_base", *_ARMS, *_LEGS, *_EYES_EARS),
    "body_25b": _BODY_25B,
    "body_135": (*_BODY_25B, *_unnamed(110)),
    "mpi15": ("head_top", "neck", *_ARMS, *_LEGS, "chest"),
    "halpe26": _HALPE26,
    "halpe136": (*_HALPE26, *_unnamed(110)),
    "wholebody133": (*_COCO17, *_FEET, *_unnamed(110)),
    "mediapipe33": _MEDIAPIPE33,
    "mpii16": _MPII16,
    "detector": DETECTOR_JOINTS,
}
"""Joint names of each layout, in order; those of ``schemas.detectors.DETECTOR_JOINTS`` are used.

Sources: Human3.6M; COCO keypoint challenge 2017; OpenPose's ``poseParameters.cpp`` (BODY_25, COCO, BODY_25B, BODY_135, MPI); README of
Halpe-FullBody; COCO-WholeBody; MediaPipe's pose landmarks; MPII Human Pose.
The neck of BODY_25, COCO-18 and Halpe, and the hip of BODY_25 and Halpe, are midpoints of the
shoulders and hips, which are there themselves.
"""


ALIASES = {
    "coco": "coco17",
    "coco_17": "coco17",
    "h36m": "h36m17",
    "mpii": "mpii16",
    "mpi": "mpi15",
    "halpe": "halpe26",
    "halpe_26": "halpe26",
    "body25": "body_25",
    "body25b": "body_25b",
    "openpose": "body_25",
    "coco_18": "coco18",
    "mediapipe": "mediapipe33",
    "blazepose": "mediapipe33",
    "wholebody": "wholebody133",
    "coco_wholebody": "wholebody133",
    "coco-wholebody": "wholebody133",
}
"""What files call layouts."""


def split_confidence(values: Array) -> tuple[Array, Array]:
    """Return pixels and confidence of keypoints, with missing joints marked.

    Parameters
    ----------
    values : (..., 3) float
        Pixels and confidence.

    Returns
    -------
    positions : (..., 2) float64, pixels
        0 where a joint is missing: where a number is not finite, or the confidence is not above 0.
    confidence : (...) float64
        At most 1; 0 where a joint is missing.
    """
    values = np.array(values, dtype=np.float64)
    values[~np.isfinite(values).all(axis=-1) | ~(values[..., 2] > 0)] = 0.0
    return values[..., :2], np.minimum(values[..., 2], 1.0)


def to_detector(values: Array, names: Sequence[str]) -> tuple[Array, Array]:
    """Bring keypoints into the order of ``schemas.detectors.DETECTOR_JOINTS``; nothing is made up.

    Parameters
    ----------
    values : (T, K, 3) float
        Pixels and confidence; joints that are not finite, or without confidence, are missing.
    names : sequence of K str
        A layout of :data:`LAYOUTS`.

    Returns
    -------
    positions : (T, 24, 2) float64, pixels
        0 where a joint is missing.
    confidence : (T, 24) float64
        0 to 1; 0 where a joint is missing, and for joints that the layout has not.
    """
    place = {name: index for index, name in enumerate(names)}
    known = [joint for joint, name in enumerate(DETECTOR_JOINTS) if name in place]
    found = np.zeros((len(values), len(DETECTOR_JOINTS), 3))
    found[:, known] = np.asarray(values)[:, [place[DETECTOR_JOINTS[joint]] for joint in known]]
    return split_confidence(found)


def joints_of(layout: str, confidence: Array) -> frozenset[str]:
    """Return the joints of the set ``detector`` that a layout has; of one without a name, those that are seen in a frame of `confidence`, (T, 24)."""
    if layout in LAYOUTS:
        return frozenset(LAYOUTS[layout]) & frozenset(DETECTOR_JOINTS)
    return frozenset(DETECTOR_JOINTS[joint] for joint in np.flatnonzero((confidence > 0).any(axis=0)))


def to_h36m17(positions: Array, confidence: Array, given: Collection[str]) -> tuple[Array, Array]:
    """Convert keypoints to the joint set ``h36m17``.

    Parameters
    ----------
    positions : (T, 24, 2) float, pixels
    confidence : (T, 24) float
        As :func:`to_detector` returns them.
    given : collection of str
        The joints that the layout has (see :func:`joints_of`): they are left as they are, missing or not.

    Returns
    -------
    positions : (T, 17, 2) float64, pixels
        What the layout has not is made from other joints by ``schemas.detectors.SUBSTITUTES`` where they are there.
    confidence : (T, 17) float64
        Of a joint made from others, the lowest of theirs.
    """
    positions, confidence = with_substitutes(positions, confidence, DETECTOR_JOINTS, given)
    return positions[:, : len(H36M17)], confidence[:, : len(H36M17)]


def with_substitutes(positions: Array, confidence: Array, names: Sequence[str], keep: Collection[str] = ()) -> tuple[Array, Array]:
    """Make joints that are missing from others, by ``schemas.detectors.SUBSTITUTES``.

    Parameters
    ----------
    positions : (T, J, 2) float, pixels
    confidence : (T, J) float
    names : sequence of J str
        Of ``schemas.detectors.DETECTOR_JOINTS``.
    keep : collection of str
        Joints that are left as they are.

    Returns
    -------
    positions : (T, J, 2) float64, pixels
    confidence : (T, J) float64
        Of a joint made from others, the lowest of theirs; 0 where one of these is missing, too.
    """
    positions, confidence = np.array(positions, dtype=np.float64), np.array(confidence, dtype=np.float64)
    place = {name: index for index, name in enumerate(names)}
    for name, sums in SUBSTITUTES.items():
        if name in keep or name not in place:
            continue
        joint = place[name]
        for parts in sums:
            if not set(parts) <= set(place):
                continue
            columns = [place[part] for part in parts]
            lowest = confidence[:, columns].min(axis=1)
            rows = (confidence[:, joint] == 0) & (lowest > 0)
            positions[rows, joint] = np.einsum("tjc,j->tc", positions[rows][:, columns], list(parts.values()))
            confidence[rows, joint] = lowest[rows]
    return positions, confidence
