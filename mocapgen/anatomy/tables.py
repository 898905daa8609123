"""Tables of the body: sides, limbs, where feet touch the floor, and the words by which joints are called."""

from __future__ import annotations

from itertools import pairwise

SIDES = ("Left", "Right")
SIDE_SIGNS = {"Left": 1.0, "Right": -1.0}
"""The sign of x on each side of a person who faces +z."""

ARM = ("UpperArm", "LowerArm", "Hand")
LEG = ("UpperLeg", "LowerLeg", "Foot")
"""Roles (without the side) of a limb's joints, from the trunk outwards."""
ARM_BONES, LEG_BONES = tuple(pairwise(ARM)), tuple(pairwise(LEG))
"""Start and end of each bone of a limb."""
LIMBS = {side + start: side + end for side in SIDES for start, end in (*ARM_BONES, *LEG_BONES)}
"""The limbs' bones, each with the role at its far end."""

CONTACT_POINTS = ("Foot", "Toes", "ToesEnd")
"""Roles (without the side) at which a foot touches the floor: ankle (as a stand-in for the heel), ball, tip."""

SIDE_WORDS = {"l": "Left", "left": "Left", "lft": "Left", "r": "Right", "right": "Right", "rgt": "Right"}
ROLE_WORDS: dict[str, tuple[str, ...]] = {
    "UpperLeg": ("upperleg", "upleg", "legupper", "upperthigh", "thigh", "femur", "hip"),
    "LowerLeg": ("lowerleg", "lowleg", "loleg", "leglower", "knee", "calf", "shin", "shank", "tibia", "leg"),
    "Foot": ("ankle", "foot"),
    "Toes": ("toes", "toe", "toebase", "ball", "forefoot", "foot"),
    "Shoulder": ("clavicle", "collar", "collarbone", "scapula", "shoulder"),
    "UpperArm": ("upperarm", "uparm", "armupper", "humerus", "arm", "shoulder", "shldr"),
    "LowerArm": ("lowerarm", "lowarm", "loarm", "forearm", "armlower", "elbow", "radius"),
    "Hand": ("wrist", "hand"),
    "Hips": ("hips", "pelvis", "hip"),
    "Neck": ("neck", "lowerneck", "necklower", "neckbase"),
    "Head": ("head", "skull"),
}
"""Words for the parts, most specific first. One word may mean several roles: which one is seen from the others there are."""

FILLER_WORDS = frozenset({"jnt", "joint", "bone", "bend", "def", "org", "bn", "fk", "skel"})
"""Words in names that say nothing about the part of the body. A bend bone starts its limb; a twist bone does not, so ``twist`` is none of them."""
