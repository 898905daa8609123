"""The sample actors as figures of CMU's conversion to BVH by cgspeed: with its joints, unit and digits, and a T-pose in front."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mocapgen.core.motion import Motion, Skeleton, with_rest_pose
from mocapgen.core.rotation import IDENTITY
from mocapgen.formats.bvh import write_bvh
from schemas.profile import UNITS

_ROOT = (("Hips", "", "Hips"),)
_LEG = (
    ("{S}HipJoint", "Hips", ""),
    ("{Side}UpLeg", "{S}HipJoint", "{Side}UpperLeg"),
    ("{Side}Leg", "{Side}UpLeg", "{Side}LowerLeg"),
    ("{Side}Foot", "{Side}Leg", "{Side}Foot"),
    ("{Side}ToeBase", "{Side}Foot", "{Side}Toes"),
    ("{Side}ToeBase_end", "{Side}ToeBase", "{Side}ToesEnd"),
)
_TRUNK = (
    ("LowerBack", "Hips", "Spine"),
    ("Spine", "LowerBack", "Chest"),
    ("Spine1", "Spine", "UpperChest"),
    ("Neck", "Spine1", "Neck"),
    ("Neck1", "Neck", ""),
    ("Head", "Neck1", "Head"),
    ("Head_end", "Head", "HeadTop"),
)
_ARM = (
    ("{Side}Shoulder", "Spine1", "{Side}Shoulder"),
    ("{Side}Arm", "{Side}Shoulder", "{Side}UpperArm"),
    ("{Side}ForeArm", "{Side}Arm", "{Side}LowerArm"),
    ("{Side}Hand", "{Side}ForeArm", "{Side}Hand"),
    ("{Side}FingerBase", "{Side}Hand", ""),
    ("{S}Fingers", "{Side}FingerBase", ""),
    ("{S}Fingers_end", "{S}Fingers", "{Side}HandEnd"),
    ("{S}Thumb", "{Side}Hand", ""),
    ("{S}Thumb_end", "{S}Thumb", ""),
)
_JOINTS = tuple(
    tuple(text.format(S=side[:1], Side=side) for text in joint)
    for part, side in ((_ROOT, ""), (_LEG, "Left"), (_LEG, "Right"), (_TRUNK, ""), (_ARM, "Left"), (_ARM, "Right"))
    for joint in part
)
"""Joint, its parent, and the role of ours that it has; a joint without one lies where its parent does and never turns."""
_DECIMALS = 4


def write_cgspeed(path: Path, motion: Motion) -> None:
    """Write a motion of :mod:`mocapgen.sources.procedural.body` as such a BVH file."""
    names, parents, roles = zip(*_JOINTS, strict=True)
    offsets, rotations = np.zeros((len(names), 3)), np.tile(IDENTITY, (len(motion), len(names), 1))
    for place, role in enumerate(roles):
        if role:
            joint = motion.skeleton.index(role)
            offsets[place], rotations[:, place] = motion.skeleton.offsets[joint], motion.rotations[:, joint]
    ends = frozenset(name for name in names if name.endswith("_end"))
    skeleton = Skeleton(names, tuple(names.index(parent) if parent else -1 for parent in parents), offsets, ends)
    figure = Motion(skeleton, rotations, motion.root_positions, motion.fps, motion.name)
    write_bvh(path, with_rest_pose(figure), scale=UNITS["cmu"], order="ZYX", decimals=_DECIMALS)
