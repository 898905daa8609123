"""Every convention of the project, in one place.

``docs/conventions.md`` is tested against this module, and the writer repeats :data:`FILE_CONVENTIONS`
as attributes in every file.
"""

from __future__ import annotations

from typing import Literal

SCHEMA_VERSION = "1.0"
FILE_FORMAT = "mocapgen-dataset"

CameraFrame = Literal["unity", "opencv"]
CAMERA_FRAMES: tuple[CameraFrame, ...] = ("unity", "opencv")

EULER_ORDER = "YXZ"
"""Intrinsic order (upper case, as in scipy): Unity rotates about z, then x, then y of the fixed frame."""

WORLD_FRAME = "right-handed, x left of a person facing forward, y up, z forward; metres"

_CAMERA_AXES: dict[CameraFrame, str] = {
    "unity": "left-handed, x right, y up, z forward; metres",
    "opencv": "right-handed, x right, y down, z forward; metres",
}
_BODY_AXES: dict[CameraFrame, str] = {
    "unity": "left-handed, x right of the person, y up, z forward; metres",
    "opencv": "right-handed, x left of the person, y up, z forward; metres",
}
"""Axes of the rest pose (``offsets``) in the file."""


def file_conventions(camera_frame: CameraFrame) -> dict[str, str]:
    """Return the conventions of a file, as written to its attributes: name to one plain sentence."""
    return {
        "length": "metres",
        "time": "seconds",
        "world_frame": WORLD_FRAME,
        "camera_frame": camera_frame,
        "camera_axes": _CAMERA_AXES[camera_frame],
        "camera_transform": "X_camera = R X_world + t",
        "projection": "(u, v, 1) = K X_camera / z, in both camera frames: K[1, 1] is negative where y points up",
        "pixels": "origin at the outer corner of the top-left pixel, u right, v down",
        "body_axes": _BODY_AXES[camera_frame],
        "quaternions": "(x, y, z, w), unit, sign-continuous along time; relative to the parent; root relative to the camera",
        "euler_order": EULER_ORDER,
        "euler": "degrees, intrinsic YXZ (Unity: about z, then x, then y), stored as components (x, y, z)",
        "kinematics": "P[root] = positions_3d[root]; P[j] = P[parent] + Q[parent] offsets[j]; Q[j] = Q[parent] q[j]",
        "joint_position": "a joint's position is the head of the bone of that name",
    }


# Joints -------------------------------------------------------------------------------------------

JOINT_PARENTS: dict[str, str | None] = {
    "Hips": None,
    "Spine": "Hips",
    "Chest": "Spine",
    "UpperChest": "Chest",
    "Neck": "UpperChest",
    "Head": "Neck",
    "HeadTop": "Head",
    "LeftShoulder": "UpperChest",
    "LeftUpperArm": "LeftShoulder",
    "LeftLowerArm": "LeftUpperArm",
    "LeftHand": "LeftLowerArm",
    "LeftHandEnd": "LeftHand",
    "RightShoulder": "UpperChest",
    "RightUpperArm": "RightShoulder",
    "RightLowerArm": "RightUpperArm",
    "RightHand": "RightLowerArm",
    "RightHandEnd": "RightHand",
    "LeftUpperLeg": "Hips",
    "LeftLowerLeg": "LeftUpperLeg",
    "LeftFoot": "LeftLowerLeg",
    "LeftToes": "LeftFoot",
    "LeftToesEnd": "LeftToes",
    "RightUpperLeg": "Hips",
    "RightLowerLeg": "RightUpperLeg",
    "RightFoot": "RightLowerLeg",
    "RightToes": "RightFoot",
    "RightToesEnd": "RightToes",
}
"""The avatars' joints in file order, each with its parent (VRM/Unity humanoid names, plus end points)."""

END_POINTS = frozenset({"HeadTop", "LeftHandEnd", "RightHandEnd", "LeftToesEnd", "RightToesEnd"})
"""Joints that end a bone and carry no rotation of their own."""


def mirrored(joint: str) -> str:
    """Return the name of the joint on the other side of the body (itself for joints on the midline)."""
    if joint.startswith("Left"):
        return "Right" + joint.removeprefix("Left")
    if joint.startswith("Right"):
        return "Left" + joint.removeprefix("Right")
    return joint


H36M17: dict[str, str] = {
    "pelvis": "Hips",
    "right_hip": "RightUpperLeg",
    "right_knee": "RightLowerLeg",
    "right_ankle": "RightFoot",
    "left_hip": "LeftUpperLeg",
    "left_knee": "LeftLowerLeg",
    "left_ankle": "LeftFoot",
    "spine": "Chest",
    "thorax": "Neck",
    "neck": "Head",
    "head_top": "HeadTop",
    "left_shoulder": "LeftUpperArm",
    "left_elbow": "LeftLowerArm",
    "left_wrist": "LeftHand",
    "right_shoulder": "RightUpperArm",
    "right_elbow": "RightLowerArm",
    "right_wrist": "RightHand",
}
"""Joint set ``h36m17``: names in the order every lifting project knows, each with the joint it is."""

H36M17_GROUPS: dict[str, tuple[str, ...]] = {
    "hip": ("pelvis", "left_hip", "right_hip"),
    "head": ("thorax", "neck", "head_top"),
    "shoulder": ("left_shoulder", "right_shoulder"),
    "elbow": ("left_elbow", "right_elbow"),
    "wrist": ("left_wrist", "right_wrist"),
    "knee": ("left_knee", "right_knee"),
    "ankle": ("left_ankle", "right_ankle"),
}
"""Groups of ``h36m17`` over which errors are reported (the spine belongs to none)."""

H36M17_PARENTS: dict[str, str | None] = {
    "pelvis": None,
    "right_hip": "pelvis",
    "right_knee": "right_hip",
    "right_ankle": "right_knee",
    "left_hip": "pelvis",
    "left_knee": "left_hip",
    "left_ankle": "left_knee",
    "spine": "pelvis",
    "thorax": "spine",
    "neck": "thorax",
    "head_top": "neck",
    "left_shoulder": "thorax",
    "left_elbow": "left_shoulder",
    "left_wrist": "left_elbow",
    "right_shoulder": "thorax",
    "right_elbow": "right_shoulder",
    "right_wrist": "right_elbow",
}
