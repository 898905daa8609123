"""A marker set: the positions of markers on the body, as stored in ``mocapgen/anatomy/marker_sets/*.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.base import Settings
from schemas.conventions import JOINT_PARENTS
from schemas.skeleton import Length

_SIDED = (
    "FrontHead",
    "BackHead",
    "Acromion",
    "UpperArm",
    "Elbow",
    "Forearm",
    "WristThumb",
    "WristLittle",
    "Finger",
    "FrontWaist",
    "BackWaist",
    "Thigh",
    "Knee",
    "Shank",
    "Ankle",
    "Heel",
    "Toe",
    "LittleToe",
)
LANDMARKS: tuple[str, ...] = ("C7", "T10", "Clavicle", "Sternum", *(side + name for side in ("Left", "Right") for name in _SIDED))
"""Places on the body that the solver asks for, each of them marked by one marker of a set."""

OPTIONAL: tuple[str, ...] = tuple(side + name for side in ("Left", "Right") for name in ("UpperArm", "Forearm", "Thigh", "Shank"))
"""Those without which every joint can still be found."""

Share = Annotated[float, Field(ge=-10.0, le=10.0)]
Vector3 = tuple[Share, Share, Share]


class Placement(Settings):
    """Where a marker sits on a standing body in T-pose."""

    bone: str
    """The joint (role name) with whose bone the marker turns."""
    joint: str | None = None
    """The joint that it keeps its distance to, if not that one: the far end of the bone, or where another bone begins."""
    at: tuple[Length, Length, Length]
    """Position relative to that joint in the rest pose, metres, world frame (x left, y up, z forward), on a body of `stature`."""

    @model_validator(mode="after")
    def _known_joints(self) -> Placement:
        for joint in (self.bone, self.joint or self.bone):
            if joint not in JOINT_PARENTS:
                raise ValueError(f"bone and joint must be out of {', '.join(JOINT_PARENTS)}, found {joint}")
        return self


class Anatomy(Settings):
    """Where joints lie inside the body, seen from the markers; lengths are fractions of stature where nothing else is said."""

    marker_height: float = Field(ge=0.0, le=0.05)
    """Centre of a marker above the skin, metres."""
    knee_breadth: float = Field(gt=0.0, lt=0.1)
    """Breadth of the knee over the skin: the joint lies half of it inwards of the marker's base."""
    ankle_breadth: float = Field(gt=0.0, lt=0.1)
    """Likewise of the ankle."""
    elbow_breadth: float = Field(gt=0.0, lt=0.1)
    """Likewise of the elbow."""
    wrist_thickness: float = Field(gt=0.0, lt=0.1)
    """From the back to the front of the wrist: the joint lies half of it under the markers' bases."""
    hip: Literal["davis1991", "harrington2007"] = "davis1991"
    """Regression that first places the hip joints."""
    shoulder: Vector3
    """The left shoulder joint from the acromion's marker, fraction of the distance between both; axes of the chest (x left)."""
    elbow: Vector3
    """The elbow joint from half a breadth inwards of its marker: outwards, towards the shoulder, forwards."""
    wrist: tuple[Share, Share]
    """The wrist joint from under the middle of its markers: towards the little finger, towards the hand."""
    root: Vector3
    """The Hips joint (lumbosacral joint) from the middle of the front waist markers: x and y in their distance, z in that of front and back."""
    source: str = Field(min_length=20)
    """Where these numbers come from."""


class MarkerSet(Settings):
    """A marker set, described for the solver."""

    name: str = Field(pattern=r"^[a-z0-9_]+$", max_length=64)
    """Name of the set: lower case."""
    description: str
    """Which set this is and who wears it, in one sentence."""
    source: str = Field(min_length=20)
    """Who defines the set."""
    landmarks: dict[str, str]
    """The label of the marker at each landmark; those of upper arm, forearm, thigh and shank may be left out."""
    synonyms: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Other spellings, by the label that they mean; compared without regard to case."""
    virtual: tuple[str, ...] = ()
    """Labels that nobody wears: they are computed from others by `substitutes`."""
    substitutes: dict[str, tuple[tuple[str, ...], ...]] = Field(default_factory=dict)
    """What takes the place of a marker that is absent: three or more others, from which it is placed as on a standard body; the first
    of these groups that is there."""
    segments: dict[str, tuple[str, ...]]
    """Labels of the markers that move as one piece, by the role of the bone: three or more; a marker may belong to several."""
    anatomy: Anatomy
    """Where the joints are, seen from the markers."""
    placements: dict[str, Placement]
    """Where each marker is put on a skeleton, by label."""
    stature: float = Field(gt=0.3, lt=3.0)
    """Height of the body that the placements are given for, from the toe tips' joints to the top of the head, metres."""

    @model_validator(mode="after")
    def _complete(self) -> MarkerSet:
        if missing := [name for name in LANDMARKS if name not in self.landmarks and name not in OPTIONAL]:
            raise ValueError(f"landmarks lack {', '.join(missing)}")
        if odd := [name for name in self.landmarks if name not in LANDMARKS]:
            raise ValueError(f"landmarks must be out of {', '.join(LANDMARKS)}, found {', '.join(odd)}")
        known = self.placements.keys()
        groups = (*self.segments.values(), *(group for alternatives in self.substitutes.values() for group in alternatives))
        used = {*self.landmarks.values(), *self.synonyms, *self.virtual, *self.substitutes, *(label for labels in groups for label in labels)}
        if unplaced := sorted(used - known):
            raise ValueError(f"placements lack {', '.join(unplaced)}")
        if few := [label for label, groups in self.substitutes.items() if any(len(group) < 3 for group in groups)]:
            raise ValueError(f"substitutes need three markers or more, found fewer for {', '.join(few)}")
        if nowhere := [label for label in self.virtual if label not in self.substitutes]:
            raise ValueError(f"virtual markers need substitutes, found none for {', '.join(nowhere)}")
        if small := [role for role, labels in self.segments.items() if len(labels) < 3 or role not in JOINT_PARENTS]:
            raise ValueError(f"segments need three markers or more and the name of a joint, found {', '.join(small)}")
        return self

    def label(self, landmark: str) -> str:
        """Return the label of the marker at a landmark."""
        return self.landmarks[landmark]
