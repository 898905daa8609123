"""Absent markers, other marker sets, and clips whose markers are not seen for long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from mocapgen.anatomy.marker_sets import load_marker_set, recognise_marker_set
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.markers import Markers
from mocapgen.markers.solve import solve, solve_clip
from mocapgen.markers.virtual import place_markers
from mocapgen.sources.sample import clips, make
from schemas.errors import ConfigError, FormatError

LIMBS = ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")
MOTION = make(next(clip for clip in clips() if clip.action == "walk"))[0].slice(0, 400)


@pytest.fixture(scope="module")
def walk() -> Markers:
    return place_markers(MOTION)


@pytest.fixture(scope="module")
def gait() -> Markers:
    """Return Plug-in Gait's 39 markers, by the names that it gives them."""
    markers = place_markers(MOTION, load_marker_set("plugingait39"))
    names = {"LFWT": "LASI", "RFWT": "RASI", "LBWT": "LPSI", "RBWT": "RPSI", "LSHN": "LTIB", "RSHN": "RTIB", "RBAC": "RBAK"}
    renamed = replace(markers, labels=tuple(names.get(label, label) for label in markers.labels))
    return without(renamed, "LMT5", "RMT5", "SACR")


def without(markers: Markers, *labels: str) -> Markers:
    kept = [place for place, label in enumerate(markers.labels) if label not in labels]
    assert len(kept) == len(markers.labels) - len(labels)
    return replace(markers, labels=tuple(markers.labels[place] for place in kept), positions=markers.positions[:, kept], valid=markers.valid[:, kept])


def unseen(markers: Markers, start: int, stop: int, *labels: str) -> Markers:
    valid = markers.valid.copy()
    valid[start:stop, [markers.index(label) for label in labels] if labels else slice(None)] = False
    return replace(markers, valid=valid)


def off(markers: Markers, reference: Markers) -> float:
    """Return the largest median distance of a limb's joints in millimetres."""
    a, b = solve(markers), solve(reference)
    names = [a.skeleton.index(side + limb) for side in ("Left", "Right") for limb in LIMBS]
    return 1000.0 * float(np.median(np.linalg.norm(forward_kinematics(a)[:, names] - forward_kinematics(b)[:, names], axis=-1), axis=0).max())


# Absent markers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label", ["LFIN", "T10", "LMT5", "LHEE", "LTOE", "C7", "CLAV", "STRN", "RFHD", "LWRB", "RWRA", "LFWT", "RBWT", "LANK", "RSHO", "RBAC"]
)
def test_a_marker_that_is_absent_is_placed_by_others_and_that_is_said(walk: Markers, label: str) -> None:
    found = solve_clip(without(walk, label))
    assert found.marker_set == "vicon41"
    assert len(found.notes) == (label != "RBAC")
    assert all(f"placed by others: {label} from" in note for note in found.notes)
    assert off(without(walk, label), walk) < 35.0


@pytest.mark.parametrize("label", ["LTHI", "RSHN", "LUPA", "RFRM"])
def test_a_marker_that_is_not_needed_may_be_absent(walk: Markers, label: str) -> None:
    assert solve_clip(without(walk, label)).notes == (f"markers are absent and not needed: {label}",)
    assert off(without(walk, label), walk) < 10.0


@pytest.mark.parametrize("label", ["LKNE", "RELB"])
def test_a_marker_for_which_nothing_stands_is_missing(walk: Markers, label: str) -> None:
    with pytest.raises(FormatError, match=f"expected the 40 markers of the set vicon41, found nothing of {label} among"):
        solve(without(walk, label))


def test_a_lower_body_is_refused_for_what_it_is(gait: Markers) -> None:
    legs = [label for label in gait.labels if label[1:] not in {"ASI", "PSI", "THI", "KNE", "TIB", "ANK", "HEE", "TOE"}]
    with pytest.raises(FormatError, match="expected the markers of a whole body, found markers of the lower body only: "):
        solve(without(gait, *legs))


def test_labels_of_no_known_set_are_said_to_be_that(walk: Markers) -> None:
    named = replace(walk, labels=tuple(f"P{place}" for place in range(len(walk.labels))))
    with pytest.raises(FormatError, match=r"or another that is known, found P0, P1, .*; say what they are with marker_set=\.\.\.$"):
        solve(named)


# Plug-in Gait -------------------------------------------------------------------------------------


def test_plug_in_gait_is_recognised_and_solved(gait: Markers) -> None:
    found = solve_clip(gait)
    assert (found.marker_set, found.notes, found.lost) == ("plugingait39", (), ())
    joints = forward_kinematics(found.motion)
    truth = forward_kinematics(MOTION)
    for side in ("Left", "Right"):
        for limb in ("UpperLeg", "LowerLeg", "Foot"):
            names = found.motion.skeleton.index(side + limb), MOTION.skeleton.index(side + limb)
            assert np.median(np.linalg.norm(joints[:, names[0]] - truth[:, names[1]], axis=-1)) < 0.04


def test_plug_in_gait_without_upper_arm_forearm_thigh_and_shank(gait: Markers) -> None:
    bare = without(gait, *(side + name for side in "LR" for name in ("UPA", "FRM", "THI", "TIB")))
    assert solve_clip(bare).marker_set == "plugingait39"
    assert off(bare, gait) < 15.0


def test_one_sacral_marker_stands_for_both_at_the_back(gait: Markers) -> None:
    middle = 0.5 * (gait.position("LPSI") + gait.position("RPSI"))
    sacral = without(gait, "RPSI")
    positions = sacral.positions.copy()
    positions[:, sacral.index("LPSI")] = middle
    sacral = replace(sacral, positions=positions, labels=tuple("SACR" if label == "LPSI" else label for label in sacral.labels))
    assert solve_clip(sacral).notes == ("markers are absent and placed by others: LBWT from SACR, LFWT, RFWT; RBWT from SACR, LFWT, RFWT",)
    assert off(sacral, gait) < 15.0


def test_the_set_that_fits_best_is_taken(walk: Markers, gait: Markers) -> None:
    assert recognise_marker_set(walk.labels).name == "vicon41"
    assert recognise_marker_set(without(walk, "LMT5").labels).name == "vicon41"
    assert recognise_marker_set(gait.labels).name == "plugingait39"
    assert recognise_marker_set(("A", "B")).name == "vicon41"


# A set of one's own -------------------------------------------------------------------------------

OWN = """
name: ourlab
extends: plugingait39
description: Full body of our laboratory.
source: Protocol of our laboratory of 2026, page 3.
synonyms:
  LFWT: [WaistLFront]
  RFWT: [WaistRFront]
  LKNE: [LKneeOut]
"""


def test_a_set_of_ones_own_extends_a_built_in_one(gait: Markers, tmp_path: Path) -> None:
    (tmp_path / "ourlab.yaml").write_text(OWN)
    names = {"LASI": "WaistLFront", "RASI": "WaistRFront", "LKNE": "LKneeOut"}
    markers = replace(gait, labels=tuple(names.get(label, label) for label in gait.labels))
    with pytest.raises(FormatError, match="found nothing of LFWT, LKNE, RFWT among"):
        solve(markers)
    mine = load_marker_set(tmp_path / "ourlab.yaml")
    assert (mine.name, mine.virtual) == ("ourlab", ("LMT5", "RMT5"))
    assert mine.synonyms["LFWT"][0] == "LASI"
    assert (solve(markers, mine).rotations == solve(gait).rotations).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extends": "nobody"}, "extends: expected one of plugingait39, vicon41, found 'nobody'"),
        ({"virtual": ["LKNE"]}, "virtual markers need substitutes, found none for LKNE"),
        ({"substitutes": {"LKNE": [["LTHI", "LSHN"]]}}, "substitutes need three markers or more, found fewer for LKNE"),
        ({"substitutes": {"LKNE": [["LTHI", "LSHN", "X"]]}}, "placements lack X"),
    ],
)
def test_a_faulty_set_of_ones_own(tmp_path: Path, change: dict[str, object], message: str) -> None:
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(yaml.safe_load(OWN) | change))
    with pytest.raises(ConfigError, match=rf"^marker set {tmp_path}/bad\.yaml: {message}"):
        load_marker_set(tmp_path / "bad.yaml")


@pytest.mark.parametrize(
    ("text", "line", "key", "first"),
    [(OWN + "name: other\n", 10, "name", 2), (OWN + "  LKNE: [Knee]\n", 10, "LKNE", 9)],
    ids=["setting", "marker"],
)
def test_a_key_given_twice_is_an_error(tmp_path: Path, text: str, line: int, key: str, first: int) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text.removesuffix("\n"))
    with pytest.raises(ConfigError) as caught:
        load_marker_set(path)
    assert str(caught.value) == f"marker set {path}:{line}: expected YAML, found: the key {key!r} twice, first in line {first}"


# Not seen for long --------------------------------------------------------------------------------


def test_frames_without_any_marker_at_the_ends_are_left_out_and_said(walk: Markers) -> None:
    found = solve_clip(unseen(unseen(walk, 0, 50), 380, 400))
    assert (found.start, len(found.motion)) == (50, 330)
    assert [lost.split(":")[0] for lost in found.lost] == ["frames 0 to 49 of 400 are left out", "frames 380 to 399 of 400 are left out"]
    moved = np.linalg.norm(np.diff(found.motion.root_positions, axis=0), axis=-1)
    assert moved.min() > 0.001  # nobody stands frozen


def test_a_knee_that_appears_late_cuts_the_beginning(walk: Markers) -> None:
    found = solve_clip(unseen(walk, 0, 150, "LKNE"))
    assert (found.start, len(found.motion)) == (150, 250)
    assert found.lost == ("frames 0 to 149 of 400 are left out: no LKNE",)


def test_a_knee_that_is_gone_for_seconds_is_no_guess(walk: Markers) -> None:
    message = r"marker LKNE \(LeftUpperLeg\): expected it to be seen again .* found frames 100 to 349 \(2\.08 s\) without; cut the clip there$"
    with pytest.raises(FormatError, match=message):
        solve(unseen(walk, 100, 350, "LKNE"))


def test_no_marker_at_all_within_a_clip_is_no_guess_either(walk: Markers) -> None:
    assert len(solve(unseen(walk, 200, 212))) == 400  # a tenth of a second is interpolated
    with pytest.raises(FormatError, match="found frames 200 to 259"):
        solve(unseen(walk, 200, 260))


@pytest.mark.parametrize(("label", "said"), [("LFIN", "placed by LWRA, LWRB, LELB"), ("LTHI", "not used")])
def test_a_long_gap_that_does_not_matter_is_said(walk: Markers, label: str, said: str) -> None:
    markers = unseen(walk, 100, 350, label)
    found = solve_clip(markers)
    assert found.notes[0] == f"marker {label} is not seen in frames 100 to 349: {said}"
    assert len(found.motion) == 400
    assert off(markers, walk) < 10.0
