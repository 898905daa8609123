"""A source profile: unit, axes and joint roles of a flavour of BVH, as stored in ``mocapgen/anatomy/profiles/*.yaml``."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from schemas.base import Settings
from schemas.conventions import END_POINTS, JOINT_PARENTS

UNITS: dict[str, float] = {"m": 1.0, "dm": 0.1, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "cmu": 0.0254 / 0.45}
"""Metres in a unit of length, by name; `cmu` is the 1/0.45 inch of CMU's and HDM05's skeletons."""

OPTIONAL_ROLES = END_POINTS | {"Spine", "Chest", "UpperChest", "LeftShoulder", "RightShoulder", "LeftToes", "RightToes"}
"""Roles that a skeleton may lack: the joint then goes along with its parent."""
REQUIRED_ROLES = tuple(role for role in JOINT_PARENTS if role not in OPTIONAL_ROLES)
"""Roles without which a skeleton is not understood."""

Quaternion = tuple[float, float, float, float]


def _check_unit(unit: str | float) -> str | float:
    if unit != "infer" and unit not in UNITS and not (isinstance(unit, float) and 1e-6 <= unit <= 1000):
        raise ValueError(f"expected infer, one of {', '.join(UNITS)}, or a number of metres from 1e-6 to 1000, found {unit!r}")
    return unit


def _check_rotations(rotations: dict[str, Quaternion]) -> dict[str, Quaternion]:
    for joint, quaternion in rotations.items():
        if abs(math.hypot(*quaternion) - 1.0) > 1e-3:
            raise ValueError(f"{joint}: expected a unit quaternion (x, y, z, w), found a norm of {math.hypot(*quaternion):.4g}")
    return rotations


class RestPose(Settings):
    """How to find the rotations at which the figure stands upright in a T-like pose."""

    method: Literal["decide", "zero", "first_frame", "directions", "stored"] = "decide"
    """`zero`: all rotations zero, turned as a whole to stand upright and face +z. `first_frame`: the file's first frame is a T-pose.
    `directions`: the zero pose with its bones turned into a T-pose, each by the least turn. `stored`: `rotations`. `decide`: the first
    frame if it is a T-pose that was put there, else zero if that stands upright, else directions."""
    rotations: Annotated[dict[str, Quaternion], AfterValidator(_check_rotations)] = Field(default_factory=dict)
    """For `stored`: rotation of each joint relative to the world (x, y, z, w), y up, in T-pose facing +z; joints that are not named keep
    their angle to their parent."""
    source: str = ""
    """For `stored`: where the rotations come from."""

    @model_validator(mode="after")
    def _check(self) -> RestPose:
        if (self.method == "stored") != bool(self.rotations):
            raise ValueError("rotations are wanted for method stored, and only for it")
        return self


class Profile(Settings):
    """How the files of one program or database are to be understood."""

    name: str = Field(pattern=r"^[a-z0-9_]+$", max_length=64)
    """Name of the profile: lower case, as on the command line."""
    description: str = Field(min_length=10)
    """Whose files these are, in one sentence."""
    prefixes: tuple[str, ...] = ("",)
    """What may stand before every joint's name and is taken off, such as `mixamorig:`; an empty one means nothing."""
    recognise: tuple[str, ...] = ()
    """Joints (without the prefix) that all must be there for the profile to be chosen by itself, besides the indispensable roles. Of several
    profiles that fit, the one that names more of them is chosen."""
    joints: dict[str, tuple[str, ...] | str]
    """The joint (without the prefix) that plays each role, a role being a joint name of the dataset file; or several names to be tried in order."""
    drivers: dict[str, tuple[str, ...] | str] = Field(default_factory=dict)
    """Roles whose bone is turned by another joint than the one at its head, such as a forearm whose twist sits in the wrist."""
    unit: Annotated[str | float, AfterValidator(_check_unit)] = "infer"
    """Of lengths: `m`, `dm`, `cm`, `mm`, `inch`, `cmu` (1/0.45 inch), a number of metres, or `infer`: the one of these that makes a person of it."""
    up: Literal["y", "z", "infer"] = "infer"
    """Which axis points up; `infer`: where the head is above the feet."""
    frame_rate: float | None = Field(default=None, ge=0.01, le=1000)
    """Frames per second in place of what the file says."""
    first_frame: Literal["keep", "drop", "detect"] = "detect"
    """Whether the first frame is part of the motion; `detect`: it is not if it is a T-pose from which the next frame leaps away."""
    root_position: Literal["absolute", "relative", "decide"] = "decide"
    """Whether the root's position channels replace its OFFSET or add to it; `decide`: as the feet then come nearer to the floor."""
    rest: RestPose = RestPose()
    """The pose in which every joint's rotation counts as none."""

    @model_validator(mode="after")
    def _check(self) -> Profile:
        for key, mapping in (("joints", self.joints), ("drivers", self.drivers)):
            if unknown := [role for role in mapping if role not in JOINT_PARENTS]:
                raise ValueError(f"{key}: expected roles out of {', '.join(JOINT_PARENTS)}, found {', '.join(unknown)}")
        if missing := [role for role in REQUIRED_ROLES if role not in self.joints]:
            raise ValueError(f"joints: lacks {', '.join(missing)}")
        if not self.prefixes:
            raise ValueError("prefixes: expected at least one, which may be empty")
        return self
