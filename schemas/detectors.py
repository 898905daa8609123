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
    "nose": BodyPoint("Head", "HeadTop", (0.0, 0.04, 0.71)),
    "left_ear": BodyPoint("Head", "HeadTop", (0.44, 0.19, 0.0)),
    "right_ear": BodyPoint("Head", "HeadTop", (-0.44, 0.19, 0.0)),
    "left_toe": BodyPoint("LeftToesEnd", "LeftToes", (0.0, 0.0, 0.0)),
    "right_toe": BodyPoint("RightToesEnd", "RightToes", (0.0, 0.0, 0.0)),
    "left_heel": BodyPoint("LeftFoot", "LeftToesEnd", (0.0, -0.25, -0.22)),
    "right_heel": BodyPoint("RightFoot", "RightToesEnd", (0.0, -0.25, -0.22)),
}
"""Joints of the set that ``h36m17`` has not.

The avatars' head joint lies 31 mm below the ear (tragion), which is 7 cm to the side; the tip of the nose is taken 25 mm below the ear and 11.5 cm
before it, the heel at the back of the shoe, close to the floor. Training varies all of them, because people and detectors do.
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


class JointErrors(NamedTuple):
    """How a detector errs at a joint, as shares of the person's size in the image (root mean square distance of the joints from the pelvis).

    Parameters
    ----------
    noise : float
        Standard deviation, along each axis, of the errors that are always there.
    far : float
        Standard deviation of the rare large ones: a wrist that is found on the background.
    missing : float
        How often the joint is missing, in multiples of the mean of all joints.
    """

    noise: float
    far: float
    missing: float


DETECTOR_ERRORS: dict[str, JointErrors] = {
    "nose": JointErrors(0.035, 0.35, 3.0),
    "ear": JointErrors(0.035, 0.30, 3.0),
    "shoulder": JointErrors(0.030, 0.20, 0.5),
    "elbow": JointErrors(0.035, 0.25, 1.0),
    "wrist": JointErrors(0.045, 0.40, 1.5),
    "hip": JointErrors(0.035, 0.15, 0.5),
    "knee": JointErrors(0.035, 0.25, 0.7),
    "ankle": JointErrors(0.035, 0.30, 1.0),
    "toe": JointErrors(0.045, 0.30, 1.5),
    "heel": JointErrors(0.045, 0.30, 1.5),
    "trunk": JointErrors(0.035, 0.15, 0.5),
}
"""Of joints by their name without the side; all of the trunk and the top of the head share a line. Rounded from OpenPose against triangulated joints
of one person in 300 images: 95 % of the errors are below 0.06 (shoulders) to 0.26 (wrists), the rest reach several times that."""


def joint_errors(joint: str) -> JointErrors:
    """Return how a detector errs at a joint of the set."""
    return DETECTOR_ERRORS.get(joint.removeprefix("left_").removeprefix("right_"), DETECTOR_ERRORS["trunk"])


_TRUNK = ("pelvis", "spine", "thorax", "neck")
_NO_FEET = tuple(name for name in DETECTOR_JOINTS if not name.endswith(("_toe", "_heel")))

SEEN_BY: dict[str, tuple[str, ...]] = {
    "coco17": tuple(name for name in _NO_FEET if name not in (*_TRUNK, "head_top")),
    "body_25": tuple(name for name in DETECTOR_JOINTS if name not in (*_TRUNK, "head_top")),
    "halpe26": tuple(name for name in DETECTOR_JOINTS if name not in _TRUNK),
    "mpii16": tuple(name for name in H36M17 if name != "spine"),
    "h36m17": tuple(H36M17),
    "all": DETECTOR_JOINTS,
}
"""Joints that the kinds of detectors give; models are trained with each of them. The 'neck' and 'mid hip' of OpenPose and Halpe are midpoints of the
shoulders and the hips, and so not among them."""
