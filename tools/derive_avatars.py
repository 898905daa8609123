"""Derive the built-in avatars and the sample's actors from published body measurements: ``python -m tools.derive_avatars [--check]``.

Joint centres lie inside the body, surveys measure between landmarks on its surface. So a segment's length is

    length = (joint-centre length / stature of its study) * reference stature * (landmark length / reference landmark length)

The first factor is Dumas (joint centres); the last says by how much the avatar differs from the average person of the survey.
For adults it follows stature by the survey's own regression, which is why a tall man is not a scaled average man.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from schemas.conventions import JOINT_PARENTS, mirrored
from schemas.skeleton import Avatar

AVATARS = Path(__file__).parents[1] / "mocapgen" / "anatomy" / "avatars"
ACTORS = Path(__file__).parents[1] / "mocapgen" / "sources" / "procedural" / "actors"

Sex = Literal["female", "male"]
Vector = tuple[float, float, float]

ANSUR: dict[Sex, dict[str, tuple[float, float]]] = {
    "female": {
        "stature": (1628.5, 1.0),
        "cervicale height": (1395.7, 0.9126),
        "suprasternale height": (1329.7, 0.8740),
        "acromial height": (1335.1, 0.8793),
        "trochanterion height": (845.4, 0.5970),
        "tibial height": (437.8, 0.3325),
        "lateral malleolus height": (62.7, 0.0348),
        "biacromial breadth": (365.3, 0.1612),
        "bicristal breadth": (273.3, 0.1336),
        "acromion-radiale length": (311.2, 0.2120),
        "radiale-stylion length": (241.3, 0.1632),
        "hand length": (181.1, 0.1012),
        "foot length": (246.3, 0.1399),
        "ball of foot length": (182.1, 0.1034),
        "tragion-top of head": (126.5, 0.0223),
        "span": (1660.3, 1.0586),
    },
    "male": {
        "stature": (1756.2, 1.0),
        "cervicale height": (1517.3, 0.9084),
        "suprasternale height": (1438.6, 0.8769),
        "acromial height": (1440.7, 0.8926),
        "trochanterion height": (900.9, 0.6098),
        "tibial height": (468.2, 0.3344),
        "lateral malleolus height": (72.9, 0.0387),
        "biacromial breadth": (415.7, 0.1486),
        "bicristal breadth": (275.4, 0.1295),
        "acromion-radiale length": (335.2, 0.2028),
        "radiale-stylion length": (267.9, 0.1608),
        "hand length": (193.3, 0.0977),
        "foot length": (271.2, 0.1373),
        "ball of foot length": (200.9, 0.1017),
        "tragion-top of head": (131.1, 0.0178),
        "span": (1814.2, 1.0162),
    },
}
"""Mean, millimetres, and slope of the least-squares line on stature. Computed from the public data files of ANSUR II
(1,986 women, 4,082 men; Gordon et al. 2014, 2012 Anthropometric Survey of U.S. Army Personnel, NATICK/TR-15/007)."""

DUMAS: dict[Sex, dict[str, float]] = {
    "female": {
        "stature": 1610,
        "head and neck": 243,
        "torso": 429,
        "thorax": 322,
        "upper arm": 243,
        "forearm": 247,
        "thigh": 379,
        "shank": 388,
        "foot": 117,
        "lumbar joint above hip joints": 0.049 + 0.336,
    },
    "male": {
        "stature": 1770,
        "head and neck": 278,
        "torso": 477,
        "thorax": 334,
        "upper arm": 271,
        "forearm": 283,
        "thigh": 432,
        "shank": 433,
        "foot": 139,
        "lumbar joint above hip joints": 0.370 - 0.032,
    },
}
"""Joint-centre lengths, millimetres; the last as a fraction of the distance of the anterior superior iliac spines. Head and neck from
the C7/T1 joint to the vertex, torso from there to L5/S1, thorax to T12/L1, foot from the ankle to the metatarsal heads. Dumas, Cheze and
Verriest 2007, J. Biomech. 40:543-553; corrected head, thorax and foot from Dumas and Wojtusch 2018, Handbook of Human Motion, 47-77."""

SNYDER_10: dict[str, float] = {
    "sitting height": (0.526 + 0.524) / 2,
    "ankle height": 0.041,
    "head height": (0.1431 + 0.142) / 2,
    "menton-suprasternale": 0.054,
    "tragion-top of head": 0.089,
    "biacromial breadth": (0.2205 + 0.217) / 2,
    "acromion-wrist length": (0.337 + 0.322) / 2,
    "hand length": 0.109,
    "foot length": (0.157 + 0.156) / 2,
}
"""Fractions of stature at ten years: medians of the children's own ratios, mean of boys and girls where two figures stand, of boys
elsewhere. Computed from the individual records of Snyder et al. 1977, Anthropometry of Infants, Children, and Youths to Age 18,
UM-HSRI-77-17 (ankle height: sphyrion)."""

SNYDER_10_UPPER_ARM, SNYDER_10_FOREARM = 0.1902, 0.1504
"""Acromion-radiale and radiale-stylion length of boys of ten, fractions of stature (same records); only their proportion is used."""
SNYDER_10_LEG_GAP = 0.004
"""By how much trochanteric minus sphyrion height is below stature minus sitting height, fraction of stature: 0.002 to 0.006 (same records)."""
SNYDER_10_THIGH_SHARE = 0.5275
"""Trochanteric to tibiale height as a share of trochanteric to sphyrion height: 0.52 to 0.535 in children (same records)."""
BERKELEY_10_BIILIAC = (0.159 + 0.161) / 2
"""Bi-iliac breadth of boys and girls of ten, fraction of stature: Berkeley Child Guidance Study (Tuddenham and Snyder 1954)."""
CDC_10_STATURE = 1383.0
"""Median stature at ten years, millimetres, mean of boys (1386) and girls (1380): CDC growth charts (Kuczmarski et al. 2002)."""

ASIS_BREADTH = 227.0
"""Mean distance of the anterior superior iliac spines (ASIS), millimetres: computed tomography of 200 men and women,
Skeletal Radiology 2010, doi 10.1007/s00256-009-0791-x."""
HIP_FROM_MIDLINE = 0.36
"""Hip joint centre from the midline, fraction of that distance: Bell, Pedersen and Brand 1990, J. Biomech. 23:617-621."""
CONDYLE_BELOW_EAR = 31.0
"""Occipital condyles below the ear canal in adults, millimetres: Chancey et al. 2007, J. Biomech. 40:1953-1959. The ear canal is taken at the
tragion's height."""

SPINE_LEAN, NECK_LEAN, HEAD_LEAN = math.radians(7.0), math.radians(1.5), math.radians(1.8)
"""Backward lean, from the vertical, of the lines from the hip joints' midpoint to the neck base, from there to the head joint and on to the
vertex: means of the zero poses of five HDM05 and two CMU skeletons (ASF files; 4.9 to 8.1, -0.9 to 5.9 and -1.8 to 3.3 degrees). With the same
zero pose as the captured skeletons, the avatars stand and bend as the actors did; an anatomical neck, ten degrees forward, would push every
head forward."""

# The remaining choices have no published figure; they are estimates, named as such in each file.
HIPS_ABOVE_HIP_JOINTS = 0.023
STERNUM_FROM_MIDLINE = 0.06
STERNUM_FORWARD = 0.012
BALL_HEIGHT, TIP_HEIGHT = 0.35, 0.20


@dataclass(frozen=True)
class Body:
    """What the joint positions are computed from: lengths in millimetres."""

    stature: float
    ankle_height: float
    shank: float
    thigh: float
    hip_breadth: float
    lumbar_rise: float
    thorax_share: float
    head_and_neck: float
    condyle_depth: float
    sternum_height: float
    shoulder_height: float
    shoulder_half: float
    biacromial: float
    upper_arm: float
    forearm: float
    hand: float
    ankle_to_ball: float
    ball_to_tip: float


@dataclass(frozen=True)
class Person:
    """One avatar: who it is and where its measures come from."""

    name: str
    description: str
    sex: Literal["female", "male", "unspecified"]
    age: str
    stature: float
    population: str
    """What its stature is in the population."""


PEOPLE = (
    Person("small_woman", "Woman of about the 5th percentile of stature", "female", "adult", 1525.0, "5th percentile of women,"),
    Person("average_woman", "Woman of average stature", "female", "adult", 1629.0, "mean of women,"),
    Person("average_man", "Man of average stature", "male", "adult", 1756.0, "mean of men,"),
    Person("tall_man", "Man of about the 95th percentile of stature, long-legged", "male", "adult", 1870.0, "95th percentile of men,"),
    Person("child_10", "Ten-year-old of average stature, boys and girls pooled", "unspecified", "10 years", CDC_10_STATURE, "median at ten years,"),
)
"""The avatars."""

_CHOSEN = "chosen so that the actors differ,"
CAST = (
    Person("sa", "Actor of the sample", "female", "adult", 1560.0, _CHOSEN),
    Person("sb", "Actor of the sample", "female", "adult", 1690.0, _CHOSEN),
    Person("sc", "Actor of the sample", "male", "adult", 1720.0, _CHOSEN),
    Person("sd", "Actor of the sample", "male", "adult", 1800.0, _CHOSEN),
    Person("se", "Actor of the sample", "male", "adult", 1910.0, _CHOSEN),
)
"""The actors of the source ``sample``."""


def _landmarks(sex: Sex, stature: float) -> dict[str, float]:
    """Return the survey's dimensions expected of a person of that stature, millimetres."""
    mean = ANSUR[sex]["stature"][0]
    return {name: at_mean + slope * (stature - mean) for name, (at_mean, slope) in ANSUR[sex].items()}


def _derived(marks: dict[str, float]) -> dict[str, float]:
    """Return the landmark length that stands for each joint-centre segment."""
    return {
        "head and neck": marks["stature"] - marks["cervicale height"],
        "upper arm": marks["acromion-radiale length"],
        "forearm": marks["radiale-stylion length"],
        "thigh": marks["trochanterion height"] - marks["tibial height"],
        "shank": marks["tibial height"] - marks["lateral malleolus height"],
        "foot": marks["ball of foot length"],
    }


def adult(sex: Sex, stature: float) -> Body:
    """Return the measures of an adult of given stature, millimetres."""
    marks, dumas = _landmarks(sex, stature), DUMAS[sex]
    mean = ANSUR[sex]["stature"][0]
    reference = _derived(_landmarks(sex, mean))
    joints = {name: dumas[name] / dumas["stature"] * mean * length / reference[name] for name, length in _derived(marks).items()}
    asis = marks["bicristal breadth"] * _asis_over_bicristal()
    return Body(
        stature=stature,
        ankle_height=marks["lateral malleolus height"],
        shank=joints["shank"],
        thigh=joints["thigh"],
        hip_breadth=2 * HIP_FROM_MIDLINE * asis,
        lumbar_rise=dumas["lumbar joint above hip joints"] * asis,
        thorax_share=dumas["thorax"] / dumas["torso"],
        head_and_neck=joints["head and neck"],
        condyle_depth=marks["tragion-top of head"] + CONDYLE_BELOW_EAR,
        sternum_height=marks["suprasternale height"],
        shoulder_height=marks["acromial height"],
        shoulder_half=marks["span"] / 2 - joints["upper arm"] - joints["forearm"] - marks["hand length"],
        biacromial=marks["biacromial breadth"],
        upper_arm=joints["upper arm"],
        forearm=joints["forearm"],
        hand=marks["hand length"],
        ankle_to_ball=joints["foot"],
        ball_to_tip=marks["foot length"] - marks["ball of foot length"],
    )


def _asis_over_bicristal() -> float:
    return ASIS_BREADTH / ((ANSUR["female"]["bicristal breadth"][0] + ANSUR["male"]["bicristal breadth"][0]) / 2)


def child() -> Body:
    """Return the measures of the ten-year-old: the mean of the average woman's and man's, changed by the ratios of landmark lengths."""
    stature, ten = CDC_10_STATURE, SNYDER_10
    bodies = [adult(sex, ANSUR[sex]["stature"][0]) for sex in ANSUR]
    marks = [_landmarks(sex, ANSUR[sex]["stature"][0]) for sex in ANSUR]

    def both(of_woman: float, of_man: float) -> float:
        """Return a length in the child's stature, from the mean of the adults' fractions of theirs."""
        return stature * (of_woman / bodies[0].stature + of_man / bodies[1].stature) / 2

    def body(measure: str) -> float:
        return both(*(getattr(person, measure) for person in bodies))

    def mark(name: str) -> float:
        return both(*(person[name] for person in marks))

    leg = stature * (1 - ten["sitting height"] - SNYDER_10_LEG_GAP)
    thigh, shank = leg * SNYDER_10_THIGH_SHARE, leg * (1 - SNYDER_10_THIGH_SHARE)
    arm = stature * ten["acromion-wrist length"] / (SNYDER_10_UPPER_ARM + SNYDER_10_FOREARM)
    sternum_depth = stature * (ten["head height"] + ten["menton-suprasternale"])
    ear_depth = stature * ten["tragion-top of head"]
    foot = stature * ten["foot length"] / mark("foot length")
    biacromial = stature * ten["biacromial breadth"]
    asis = stature * BERKELEY_10_BIILIAC * _asis_over_bicristal()
    return Body(
        stature=stature,
        ankle_height=stature * ten["ankle height"],
        shank=body("shank") * shank / (mark("tibial height") - mark("lateral malleolus height")),
        thigh=body("thigh") * thigh / (mark("trochanterion height") - mark("tibial height")),
        hip_breadth=2 * HIP_FROM_MIDLINE * asis,
        lumbar_rise=sum(dumas["lumbar joint above hip joints"] for dumas in DUMAS.values()) / 2 * asis,
        thorax_share=sum(person.thorax_share for person in bodies) / 2,
        head_and_neck=body("head_and_neck") * sternum_depth / (stature - mark("suprasternale height")),
        condyle_depth=ear_depth * (1 + CONDYLE_BELOW_EAR / (sum(person["tragion-top of head"] for person in marks) / 2)),
        sternum_height=stature - sternum_depth,
        shoulder_height=(stature - sternum_depth) * mark("acromial height") / mark("suprasternale height"),
        shoulder_half=body("shoulder_half") * biacromial / mark("biacromial breadth"),
        biacromial=biacromial,
        upper_arm=body("upper_arm") * arm * SNYDER_10_UPPER_ARM / mark("acromion-radiale length"),
        forearm=body("forearm") * arm * SNYDER_10_FOREARM / mark("radiale-stylion length"),
        hand=stature * ten["hand length"],
        ankle_to_ball=body("ankle_to_ball") * foot,
        ball_to_tip=body("ball_to_tip") * foot,
    )


def positions(body: Body) -> dict[str, Vector]:
    """Return where the joints of a standing T-pose are: name to metres in the world frame, floor at y = 0, to a tenth of a millimetre."""
    knee = body.ankle_height + body.shank
    hip = knee + body.thigh
    hips = hip + HIPS_ABOVE_HIP_JOINTS * body.stature
    neck = body.stature - body.head_and_neck
    lumbar = hip + body.lumbar_rise
    thoracic = neck - body.thorax_share * (neck - lumbar)
    head = body.stature - body.condyle_depth

    def spine(height: float) -> Vector:
        return 0.0, height, -(height - hip) * math.tan(SPINE_LEAN)

    head_z = spine(neck)[2] - (head - neck) * math.tan(NECK_LEAN)
    top_z = head_z - (body.stature - head) * math.tan(HEAD_LEAN)
    arm_y, arm_z, side = body.shoulder_height, spine(neck)[2], body.hip_breadth / 2
    elbow = body.shoulder_half + body.upper_arm
    wrist = elbow + body.forearm
    ball_y, tip_y = BALL_HEIGHT * body.ankle_height, TIP_HEIGHT * body.ankle_height
    ball_z = math.sqrt(body.ankle_to_ball**2 - (body.ankle_height - ball_y) ** 2)
    found = {
        "Hips": spine(hips),
        "Spine": spine(lumbar),
        "Chest": spine(thoracic),
        "UpperChest": spine((thoracic + neck) / 2),
        "Neck": spine(neck),
        "Head": (0.0, head, head_z),
        "HeadTop": (0.0, body.stature, top_z),
        "LeftShoulder": (STERNUM_FROM_MIDLINE * body.biacromial, body.sternum_height, arm_z + STERNUM_FORWARD * body.stature),
        "LeftUpperArm": (body.shoulder_half, arm_y, arm_z),
        "LeftLowerArm": (elbow, arm_y, arm_z),
        "LeftHand": (wrist, arm_y, arm_z),
        "LeftHandEnd": (wrist + body.hand, arm_y, arm_z),
        "LeftUpperLeg": (side, hip, 0.0),
        "LeftLowerLeg": (side, knee, 0.0),
        "LeftFoot": (side, body.ankle_height, 0.0),
        "LeftToes": (side, ball_y, ball_z),
        "LeftToesEnd": (side, tip_y, ball_z + body.ball_to_tip),
    }
    metres = {name: (_metres(x), _metres(y), _metres(z)) for name, (x, y, z) in found.items()}
    return metres | {mirrored(name): (-x, y, z) for name, (x, y, z) in metres.items() if name.startswith("Left")}


def _metres(millimetres: float) -> float:
    return round(millimetres / 1000, 4) + 0.0  # no negative zero


_ANSUR = "ANSUR II (Gordon et al. 2014, NATICK/TR-15/007; means and regressions on stature computed from its public data)"
_DUMAS = "Dumas et al. 2007 (J. Biomech. 40:543; head, thorax and foot as corrected in Dumas and Wojtusch 2018)"
_SNYDER = "Snyder et al. 1977 (UM-HSRI-77-17; medians at ten years computed from the individual records)"

_ADULT = f"""
all landmark lengths as expected at this stature in {_ANSUR}.
Thigh, shank, upper arm, forearm, head with neck, ankle to ball of foot: joint-centre lengths of {_DUMAS} as fractions of stature,
changed in the proportion of the ANSUR II lengths trochanterion-tibiale, tibiale-lateral malleolus, acromion-radiale, radiale-stylion,
vertex-cervicale, ball of foot.
Ankle height (lateral malleolus), hand, ball of foot to toe tip, height of sternum and acromion: ANSUR II directly.
Shoulder breadth: what the arms leave of the ANSUR II span.
Head joint: 31 mm below the tragion (occipital condyles, Chancey et al. 2007).
Hip breadth: from ANSUR II bicristal breadth;"""

_CHILD = f"""
mean of boys and girls, CDC 2000 (Kuczmarski et al. 2002).
Thigh, shank, upper arm, forearm, head with neck, ankle to ball of foot: joint-centre lengths of {_DUMAS}
as fractions of stature, mean of women and men, changed in the proportion of the fractions of stature in {_SNYDER}
to those in {_ANSUR}: leg from sitting height with 0.5275 of it thigh,
acromion-radiale, radiale-stylion, vertex-suprasternale, foot length.
Ankle height (sphyrion), hand and foot length, height of sternum: Snyder directly; acromion over sternum as in adults.
Shoulder breadth: the adults' in the proportion of biacromial breadth (Snyder).
Head joint: as in adults (31 mm below the tragion, Chancey et al. 2007), in the proportion of tragion-top of head (Snyder).
Hip breadth: from bi-iliac breadth of the Berkeley Child Guidance Study (Tuddenham and Snyder 1954);"""

_EVERYBODY = f"""
inter-ASIS distance {_asis_over_bicristal():.3f} of it (computed tomography, mean 227 mm, doi 10.1007/s00256-009-0791-x,
over the ANSUR II mean), hip joints {HIP_FROM_MIDLINE} of that from the midline (Bell et al. 1990).
Trunk: what the rest leaves of stature; L5/S1 (Spine) and T12/L1 (Chest) by the fractions of Dumas.
Rest pose: leaning back by {math.degrees(SPINE_LEAN):.1f} degrees from the hip joints' midpoint to the neck base, the spine straight,
{math.degrees(NECK_LEAN):.1f} from there to the head joint, {math.degrees(HEAD_LEAN):.1f} on to the vertex
(mean zero pose of HDM05 and CMU skeletons).
Estimates without a published figure: Hips {HIPS_ABOVE_HIP_JOINTS} of stature above the hip joints; UpperChest halfway from T12/L1 to C7/T1;
sternal end of the clavicle {STERNUM_FROM_MIDLINE} of biacromial breadth from the midline, {STERNUM_FORWARD} of stature before the arms;
shoulder joint of the raised arm at the height of the acromion; ball of the foot at {BALL_HEIGHT}, toe tip at {TIP_HEIGHT} of the ankle's height."""


def source(person: Person) -> str:
    """Return the text of the file's ``source``: for every segment where its length comes from."""
    parts = f"stature {person.stature / 1000:.3f} m: {person.population}", _CHILD if person.sex == "unspecified" else _ADULT, _EVERYBODY
    return " ".join(" ".join(parts).split())


def derive(person: Person) -> Avatar:
    """Return the avatar of a person."""
    body = child() if person.sex == "unspecified" else adult(person.sex, person.stature)
    at = positions(body) | {"": (0.0, 0.0, 0.0)}
    joints = [
        {"name": name, "parent": parent, "offset": [round(here - there, 4) + 0.0 for here, there in zip(at[name], at[parent or ""], strict=True)]}
        for name, parent in JOINT_PARENTS.items()
    ]
    return Avatar.model_validate(
        {
            "name": person.name,
            "description": person.description,
            "sex": person.sex,
            "age": person.age,
            "stature": round(person.stature / 1000, 4),
            "source": source(person),
            "joints": joints,
        }
    )


def as_json(avatar: Avatar) -> str:
    """Return the text of an avatar's file, one joint per line."""
    fields = avatar.model_dump(mode="json")
    joints = ",\n".join(f"    {json.dumps(joint)}" for joint in fields.pop("joints"))
    head = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in fields.items())
    return f'{{\n{head}  "joints": [\n{joints}\n  ]\n}}\n'


def exported(people: Iterable[Person]) -> dict[str, str]:
    """Return the text of every person's file, by file name."""
    return {f"{person.name}.json": as_json(derive(person)) for person in people}


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with ``--check`` only compare them; return 1 if they were out of date then."""
    parser = argparse.ArgumentParser(prog="python -m tools.derive_avatars", description="Write the built-in avatars and the sample's actors.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if a file is out of date")
    parser.add_argument("--folder", type=Path, default=AVATARS, help="where the avatars are (default: %(default)s)")
    parser.add_argument("--actors", type=Path, default=ACTORS, help="where the sample's actors are (default: %(default)s)")
    options = parser.parse_args(arguments)
    files = {options.folder / name: text for name, text in exported(PEOPLE).items()}
    files |= {options.actors / name: text for name, text in exported(CAST).items()}
    outdated = 0
    for path, text in files.items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        outdated += 1
        if not options.check:
            path.write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{path.name} {'is out of date: run python -m tools.derive_avatars' if options.check else 'written'}\n")
    return 1 if options.check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
