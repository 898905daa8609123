"""The joints that 2D detectors see, and where each of them is on an avatar: one table, used in training and in use alike.

Detectors such as OpenPose, COCO's and MediaPipe's see limbs, a face and feet, but no pelvis, spine or top of the head; Human3.6M and MPII have
those, but no face. The joint set ``detector`` has all of them. A layout that lacks some gives them confidence 0, and models of this joint set are
trained with the same joints missing.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.conventions import H36M17, H36M17_GROUPS, H36M17_PARENTS

DETECTOR_SET = "detector"
"""Name of the joint set."""


class BodyPoint(NamedTuple):
    """A point that moves with a joint of an avatar.

    Parameters
    ----------
    joint : str
        The avatar's joint.
    unit : str
        The offset's unit is the distance from `joint` to this joint of the avatar in the rest pose.
    offset : (float, float, float)
        From the joint, along the axes of the rest pose: left of the person, up, forward.
    """

    joint: str
    unit: str
    offset: tuple[float, float, float]


FACE_AND_FEET: dict[str, BodyPoint] = {
    "nose": BodyPoint("Head", "HeadTop", (0.0, 0.18, 0.68)),
    "left_ear": BodyPoint("Head", "HeadTop", (0.43, 0.28, 0.06)),
    "right_ear": BodyPoint("Head", "HeadTop", (-0.43, 0.28, 0.06)),
    "left_toe": BodyPoint("LeftToesEnd", "LeftToes", (0.0, 0.0, 0.0)),
    "right_toe": BodyPoint("RightToesEnd", "RightToes", (0.0, 0.0, 0.0)),
    "left_heel": BodyPoint("LeftFoot", "LeftToesEnd", (0.0, -0.25, -0.22)),
    "right_heel": BodyPoint("RightFoot", "RightToesEnd", (0.0, -0.25, -0.22)),
}
"""Joints of the set that ``h36m17`` has not.

The avatars' head joint lies about 17 cm below the top of an adult's head. The ear (tragion) is taken 12 cm below the top and 7 cm to the side, the tip
of the nose 14 cm below the top and 11 cm before the ear, the heel at the back of the shoe, close to the floor. Training varies all of them,
because people and detectors do.
"""

DETECTOR_PARENTS: dict[str, str | None] = {
    **H36M17_PARENTS,
    "nose": "neck",
    "left_ear": "neck",
    "right_ear": "neck",
    "left_toe": "left_ankle",
    "right_toe": "right_ankle",
    "left_heel": "left_ankle",
    "right_heel": "right_ankle",
}
"""Joint set ``detector``: names in order, those of ``h36m17`` first, each with its parent."""

DETECTOR_GROUPS: dict[str, tuple[str, ...]] = {**H36M17_GROUPS, "face": ("nose", "left_ear", "right_ear"), "foot": tuple(FACE_AND_FEET)[3:]}
"""Groups over which errors are reported."""

SUBSTITUTES: dict[str, tuple[dict[str, float], ...]] = {
    "pelvis": ({"left_hip": 0.5, "right_hip": 0.5},),
    "thorax": ({"left_shoulder": 0.5, "right_shoulder": 0.5},),
    "spine": ({"pelvis": 0.5, "thorax": 0.5},),
    "neck": ({"left_ear": 0.5, "right_ear": 0.5}, {"nose": 1.0}),
    "head_top": ({"neck": 2.0, "thorax": -1.0},),
}
"""What stands for a joint that a detector does not give: the first of these weighted sums of which every part is there. In this order: a joint may be
made from those before it. The top of the head is about as far above the ears as the ears are above the base of the neck."""

DETECTOR_JOINTS: tuple[str, ...] = tuple(DETECTOR_PARENTS)
"""Names, in order: 17 + 7."""

assert DETECTOR_JOINTS[: len(H36M17)] == tuple(H36M17)
