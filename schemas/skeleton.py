"""An avatar: a named tree of joints with its rest pose, as stored in ``mocapgen/anatomy/avatars/*.json``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.base import Settings
from schemas.conventions import JOINT_PARENTS

LONGEST = 3.0
"""Metres: the tallest person, and so the longest of anybody's bones."""
Length = Annotated[float, Field(ge=-LONGEST, le=LONGEST)]


class Joint(Settings):
    """One joint of an avatar in its rest pose."""

    name: str = Field(min_length=1)
    """VRM/Unity humanoid bone name, or one of the end points (`HeadTop`, `LeftHandEnd`, ...)."""
    parent: str | None
    """Name of the parent joint; null for the root."""
    offset: tuple[Length, Length, Length]
    """Position relative to the parent in the rest pose, metres, world frame (x left, y up, z forward)."""


class Avatar(Settings):
    """A skeleton of known build, standing in T-pose (arms out, palms down, feet forward) and facing +z."""

    name: str = Field(pattern=r"^[a-z0-9_]+$", max_length=64)
    """Name of the avatar: lower case, used on the command line and inside files."""
    description: str
    """Who this is, in one sentence."""
    sex: Literal["female", "male", "unspecified"]
    """Sex of the population the proportions come from."""
    age: str
    """Age or age range of that population, for example `adult` or `10 years`."""
    stature: float = Field(gt=0.3, lt=LONGEST)
    """Standing height from the floor to the top of the head, metres."""
    source: str = Field(min_length=20)
    """Where the segment lengths come from: publication, table, and how they were turned into offsets."""
    joints: tuple[Joint, ...]
    """All joints, parents before children, in the order of the file schema."""

    @model_validator(mode="after")
    def _same_tree(self) -> Avatar:
        found = {joint.name: joint.parent for joint in self.joints}
        if len(found) != len(self.joints):
            raise ValueError("joint names repeat")
        if list(found.items()) != list(JOINT_PARENTS.items()):
            odd = sorted(set(found.items()) ^ set(JOINT_PARENTS.items()), key=str)
            raise ValueError(f"joints must be the {len(JOINT_PARENTS)} of the schema in its order; differing: {odd[:6]}")
        return self
