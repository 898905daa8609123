"""BVH files of some thirty makers, which lie beside the test data: each is read right or refused, as its list says.

Which joints are hip, knee, ankle, shoulder, elbow and wrist is looked up by name here, not by what the reader understood.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.core.kinematics import forward_kinematics, global_rotations, joint_positions
from mocapgen.core.motion import Array
from mocapgen.formats.bvh import Bvh, load_bvh
from mocapgen.reading.interpretation import Interpretation, interpret
from mocapgen.reading.translation import Translations
from mocapgen.retarget import Posed, retarget
from mocapgen.retarget.floor import level_floor
from schemas.errors import FormatError

LIMIT = 5.0
"""Degrees that a limb's median direction may be off."""
ROLES = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
SPELLINGS = (  # of the joints of one side, S being Left or Right, s its letter
    "SArm SForeArm SHand SUpLeg SLeg SFoot",
    "SUpperArm SLowerArm SHand SUpperLeg SLowerLeg SFoot",
    "SShoulder SForeArm SHand SUpLeg sShin SFoot",  # a helper joint SLeg in the thigh, at the hip
    "SShoulder SElbow SWrist SHip SKnee SAnkle",
    "SShoulder SForeArm SHand SUpLeg SLeg SFoot",
    "SUpArm SLowArm SHand SUpLeg SLowLeg SFoot",
    "sShldr sForeArm sHand sThigh sShin sFoot",
    "sshoulder selbow shand ship sknee sfoot",
    "UpperArm_s LowerArm_s Hand_s UpperLeg_s LowerLeg_s Foot_s",
    "UpArm_s LoArm_s Hand_s UpLeg_s LoLeg_s Foot_s",
    "upperarm01.s lowerarm01.s wrist.s upperleg01.s lowerleg01.s foot.s",
    "s_upArm_jnt s_lowArm_jnt s_hand_jnt s_upLeg_jnt s_lowLeg_jnt s_foot_jnt",
    "s_Shoulder s_Elbow s_Wrist s_Hip s_Knee s_Ankle",
)
AVATAR = avatar_skeleton(load_avatar("average_man"))
BONES = [(side + start, side + end) for side in ("Left", "Right") for start, end in pairwise(ROLES) if start != "Hand"]


def zoo(data_dir: Path) -> Path:
    folder = data_dir.parent / "zoo" / "bvh"
    if not (folder / "MANIFEST.tsv").is_file():
        pytest.skip(f"no BVH files of other makers in {folder}")
    return folder


def joints_by_name(names: tuple[str, ...]) -> dict[str, int]:
    """Return the joint of each limb role by the first spelling that fits."""
    plain = [re.sub(r"\s*#\d+$", "", name.rpartition(":")[2]).lower() for name in names]

    def find(word: str) -> int | None:
        exact = [index for index, name in enumerate(plain) if name == word]
        return next(iter(exact or [index for index, name in enumerate(plain) if name.endswith(word)]), None)

    for spelling in SPELLINGS:
        found: dict[str, int | None] = {}
        for side in ("Left", "Right"):
            words = spelling.split()
            for role, word in zip(ROLES, words, strict=True):
                spelled = re.sub(r"^S(?=[A-Z])", side, word)
                spelled = re.sub(r"^s(?=[A-Z_])|(?<=[._])s$", side[0], spelled)
                spelled = re.sub(r"^s(?=shoulder|elbow|hand|hip|knee|foot)", side[0], spelled)
                found[side + role] = find(spelled.lower())
        if None not in found.values() and len(set(found.values())) == len(found):
            return {role: index for role, index in found.items() if index is not None}
    raise AssertionError(f"no spelling fits {', '.join(names[:60])}")


def positions(bvh: Bvh) -> Array:
    """Return where the file says that its joints are, its units and axes."""
    paths = Translations.of(bvh).paths if bvh.moving_offsets else bvh.translations()
    return joint_positions(bvh.skeleton, global_rotations(bvh.skeleton, bvh.rotations()), paths[:, 0], paths)


def on_avatar(found: Interpretation) -> Array:
    """Return where the avatar's joints go, as in a build: after the floor has been found."""
    motion, _ = level_floor(found.motion, found.roles)
    return forward_kinematics(retarget(Posed.of(motion, found.roles), AVATAR))


def limb_errors(bvh: Bvh, found: Interpretation) -> Array:
    """Return the median angle of each limb, degrees, after one constant rotation of the world."""
    result = on_avatar(found)
    there = positions(bvh)[len(bvh) - len(result) :]
    at = joints_by_name(bvh.names)
    source = np.stack([there[:, at[end]] - there[:, at[start]] for start, end in BONES], axis=1)
    target = np.stack([result[:, AVATAR.index(end)] - result[:, AVATAR.index(start)] for start, end in BONES], axis=1)
    source, target = (lines / np.linalg.norm(lines, axis=-1, keepdims=True) for lines in (source, target))
    left, _, right = np.linalg.svd(np.einsum("tbi,tbj->ij", source, target))
    turn = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
    cosine = np.einsum("tbi,tbi->tb", source @ turn, target)
    return np.asarray(np.median(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))), axis=0))


def feet(found: Interpretation) -> float:
    """Return how high the lower foot is, metres: the 5th percentile over time, on the avatar, after the floor has been found."""
    result = on_avatar(found)
    points = AVATAR.indices([side + part for side in ("Left", "Right") for part in ("Foot", "Toes", "ToesEnd")])
    return float(np.percentile(result[:, points, 1].min(axis=1), 5))


def test_files_of_other_makers_are_read_right_or_refused(data_dir: Path) -> None:
    folder, wrong = zoo(data_dir), []
    for line in (folder / "MANIFEST.tsv").read_text(encoding="utf-8").splitlines():
        name, expected = [*line.split("\t"), ""][:2]
        if not name or name.startswith("#"):
            continue
        try:
            bvh = load_bvh(folder / name)
            found = interpret(bvh)
        except FormatError as error:
            if expected not in ("refuse", "either"):
                wrong.append(f"{name}: refused: {error}")
            continue
        worst = float(limb_errors(bvh, found).max())
        if expected == "refuse" or worst > LIMIT:
            wrong.append(f"{name}: accepted, expected {expected}; limbs {worst:.0f} degrees off")
        elif expected == "right" and not -0.10 <= (height := feet(found)) <= 0.15:
            wrong.append(f"{name}: feet at {height:.2f} m")
    assert not wrong, "\n".join(wrong)
