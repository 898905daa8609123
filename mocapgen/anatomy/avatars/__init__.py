"""The avatars: skeletons of known build, one JSON file each, to which motions are carried over."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from mocapgen.core.motion import Array, Skeleton
from mocapgen.shared.config import checked
from mocapgen.shared.documents import find_document, read_json
from mocapgen.shared.text import one_line
from schemas.config import DEFAULT_AVATARS
from schemas.conventions import END_POINTS
from schemas.errors import ConfigError
from schemas.skeleton import Avatar

_MOST_ANGLE = 60.0
"""Degrees between a limb and where it points in T-pose."""
_FOLDER = Path(__file__).parent


def avatar_names() -> tuple[str, ...]:
    """Return the names of the built-in avatars: the default ones in their order, then any others by name."""
    found = {path.stem for path in _FOLDER.glob("*.json")}
    first = tuple(name for name in DEFAULT_AVATARS if name in found)
    return first + tuple(sorted(found.difference(first)))


def load_avatar(name_or_path: str | Path) -> Avatar:
    """Load a built-in avatar by name, or anybody's by the path of its JSON file.

    Parameters
    ----------
    name_or_path : str or Path
        One of :func:`avatar_names`; anything else is a path.

    Returns
    -------
    Avatar
        Offsets in metres, world frame (x left, y up, z forward).

    Raises
    ------
    ConfigError
        If there is no such avatar or file, or the file is not a valid avatar; the message names the file and the first
        field that is wrong.
    """
    return _read(find_document("avatar", name_or_path, _FOLDER, avatar_names(), ".json"))


def _read(path: Path) -> Avatar:
    subject = f"avatar file {path}"
    avatar = checked(Avatar, read_json(path, "an avatar", subject), subject, first=True)
    if fault := _impossible(avatar):
        raise ConfigError(one_line(subject, fault))
    return avatar


def _impossible(avatar: Avatar) -> str | None:
    """Return what shows that a figure is no person in T-pose facing +z with y up, in metres; None if nothing does."""
    skeleton = avatar_skeleton(avatar)
    at = {name: skeleton.rest_positions[skeleton.index(name)] for name in skeleton.names}
    height = float(at["HeadTop"][1] - skeleton.rest_positions[:, 1].min())
    if not 0.85 < height / avatar.stature < 1.02:
        return f"stature: expected the height of the figure in metres, y up, found {avatar.stature:g} for a figure of {height:g}"
    for joint in ("UpperArm", "UpperLeg"):
        if not at[f"Left{joint}"][0] > at[f"Right{joint}"][0]:
            return f"Left{joint}: expected x above Right{joint}'s (the person faces +z, so +x is left), found {at[f'Left{joint}'][0]:g}"
    for joint in skeleton.names:
        if skeleton.bone_length(joint) > avatar.stature:
            return f"{joint}: expected at most the stature from its parent, found {skeleton.bone_length(joint):g}"
    return _not_in_t_pose(skeleton)


def _not_in_t_pose(skeleton: Skeleton) -> str | None:
    """Return which arm does not point out to the side, or which leg down; None if all do."""
    for side, outwards in (("Left", 1.0), ("Right", -1.0)):
        limbs = ((("LowerArm", "Hand"), (outwards, 0.0, 0.0), "out to the side"), (("LowerLeg", "Foot"), (0.0, -1.0, 0.0), "down"))
        for joint, axis, where in ((side + bone, axis, where) for bones, axis, where in limbs for bone in bones):
            length = skeleton.bone_length(joint)
            if length < 0.01:
                return f"{joint}: expected at least 0.01 m from its parent, found {length:g}"
            along = float(np.dot(skeleton.offsets[skeleton.index(joint)], axis)) / length
            angle = math.degrees(math.acos(min(max(along, -1.0), 1.0)))
            if angle > _MOST_ANGLE:
                return f"{joint}: expected it to point {where} from its parent (the person stands in T-pose), found an angle of {angle:.0f} degrees"
    return None


def avatar_skeleton(avatar: Avatar) -> Skeleton:
    """Return the skeleton of an avatar.

    Parameters
    ----------
    avatar : Avatar

    Returns
    -------
    Skeleton
        The joints of the file schema, in T-pose. The root's offset is zero: where an avatar stands is up to the motion.
    """
    names = tuple(joint.name for joint in avatar.joints)
    parents = tuple(-1 if joint.parent is None else names.index(joint.parent) for joint in avatar.joints)
    offsets = np.array([joint.offset for joint in avatar.joints], dtype=np.float64)
    offsets[0] = 0.0
    return Skeleton(names, parents, offsets, END_POINTS)


def describe(avatar: Avatar) -> dict[str, float]:
    """Return the key lengths of an avatar, by name, in metres.

    Parameters
    ----------
    avatar : Avatar

    Returns
    -------
    dict of str to float
        ``stature``; ``leg_length`` from hip to ankle and ``arm_length`` from shoulder to fingertip along the bones, mean of both
        sides; ``trunk_length`` from the hips' midpoint to the neck base; ``shoulder_width`` and ``hip_width`` between joint centres.
    """
    skeleton = avatar_skeleton(avatar)
    at = {name: skeleton.rest_positions[skeleton.index(name)] for name in skeleton.names}

    def along(*bones: str) -> float:
        return sum(skeleton.bone_length(side + bone) for side in ("Left", "Right") for bone in bones) / 2

    def between(first: Array, second: Array) -> float:
        return float(np.linalg.norm(first - second))

    return {
        "stature": avatar.stature,
        "leg_length": along("LowerLeg", "Foot"),
        "arm_length": along("LowerArm", "Hand", "HandEnd"),
        "trunk_length": between((at["LeftUpperLeg"] + at["RightUpperLeg"]) / 2, at["Neck"]),
        "shoulder_width": between(at["LeftUpperArm"], at["RightUpperArm"]),
        "hip_width": between(at["LeftUpperLeg"], at["RightUpperLeg"]),
    }
