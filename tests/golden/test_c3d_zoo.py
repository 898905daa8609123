"""C3D files of other makers (beside the project, never in it): Plug-in Gait against Vicon's own joint centres, and refusals that say why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mocapgen.core.kinematics import forward_kinematics
from mocapgen.formats.c3d import parse_c3d
from mocapgen.formats.c3d_file import parse_c3d_file
from mocapgen.markers.solve import solve_clip
from schemas.errors import FormatError

CENTRES = {"UpperLeg": "FEP", "LowerLeg": "FEO", "Foot": "TIO", "LowerArm": "HUO", "Hand": "RAO"}
"""Vicon's joint centres: proximal and distal end of the femur, ankle, elbow and wrist."""
SACRUM = "markers are absent and placed by others: LBWT from SACR, LFWT, RFWT; RBWT from SACR, LFWT, RFWT"
ARMS = "markers are absent and not needed: LUPA, LFRM, RUPA, RFRM"


@pytest.fixture(scope="module")
def zoo(data_dir: Path) -> Path:
    folder = data_dir.parent / "zoo"
    if not folder.is_dir():
        pytest.skip("no files of other makers beside the project")
    return folder


def data_of(zoo: Path, name: str) -> bytes:
    return (zoo / ("kinds" if name.startswith("k") else "c3d") / name).read_bytes()


@pytest.mark.parametrize("name", ["PiG_Calibration2-NoOption.c3d", "PiG_Motion-FlatFoot-Full.c3d", "PiG_Motion-FlatFoot-Hole.c3d"])
def test_plug_in_gait_against_vicons_own_joint_centres(zoo: Path, name: str) -> None:
    data = data_of(zoo, name)
    found = solve_clip(parse_c3d(data, name))
    joints, file = forward_kinematics(found.motion), parse_c3d_file(data, name)
    for side in ("Left", "Right"):
        for joint, label in CENTRES.items():
            column = file.labels.index(side[0] + label)
            theirs = 0.001 * file.points[:, column][:, [1, 2, 0]].astype(np.float64)
            seen = file.residuals[:, column] >= 0
            off = np.linalg.norm(joints[:, found.motion.skeleton.index(side + joint)] - theirs, axis=-1)[seen]
            assert np.median(off) < 0.04, (side + joint, np.median(off))


@pytest.mark.parametrize(
    ("name", "subject", "notes"),
    [
        ("k4_pig_without_little_toes.c3d", None, ()),
        ("k4_pig_without_upper_arm_forearm.c3d", None, (ARMS,)),
        ("k4_pig_with_sacrum.c3d", None, (SACRUM, ARMS)),
        ("k14_two_players.c3d", "Derrick", ()),
        ("k14_two_players.c3d", "Viktor", ()),
    ],
)
def test_plug_in_gait_with_fewer_markers_and_more_people(zoo: Path, name: str, subject: str | None, notes: tuple[str, ...]) -> None:
    found = solve_clip(parse_c3d(data_of(zoo, name), name, name, subject=subject))
    assert (found.marker_set, found.notes, found.lost) == ("plugingait39", notes, ())
    assert np.isfinite(forward_kinematics(found.motion)).all()
    legs = [np.linalg.norm(found.motion.skeleton.offsets[found.motion.skeleton.index(f"{side}LowerLeg")]) for side in ("Left", "Right")]
    assert 0.3 < min(legs) <= max(legs) < 0.5  # thighs of a child and of adults


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("s01_Eb015si.c3d", r"another that is known, found RFT1, .*of the lower body only, it seems: they reach 0\.91 m high"),
        ("s02_sgi_real.c3d", r"another that is known, found RFT1, .*; say what they are with marker_set=\.\.\.$"),
        ("s06_newwalk.c3d", r"found nothing of C7, T10, CLAV, STRN, LFHD, LBHD"),
        ("s13_Dance.c3d", r"another that is known, found Channel101"),
        ("s37_ART-Human_2persons_integer.c3d", r"expected the markers of one person, found those of Human1, Human2; choose with subject=\.\.\.$"),
        ("k13_phasespace.c3d", r"expected one label for each marker, found none among 40 points$"),
        ("k13_duplicate_labels.C3D", r"POINT:UNITS: expected a unit"),
        ("k13_cut_short_29_of_1149.c3d", r"announces 1149 frames of 54 points, .* cut short \(with lenient=True: the 29 frames that are there\)$"),
        ("k14_two_players.c3d", r"found those of Derrick, Viktor; choose with subject=\.\.\.$"),
    ],
)
def test_what_cannot_be_read_is_refused_for_what_it_is(zoo: Path, name: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        solve_clip(parse_c3d(data_of(zoo, name), name, name))


@pytest.mark.parametrize(
    "pair", [("s01_Eb015pi.c3d", "s01_Eb015si.c3d"), ("s01_Eb015vr.c3d", "s01_Eb015sr.c3d"), ("s02_pc_real.c3d", "s02_sgi_real.c3d")]
)
def test_one_trial_in_several_number_formats_is_the_same(zoo: Path, pair: tuple[str, str]) -> None:
    a, b = (parse_c3d_file(data_of(zoo, name), name) for name in pair)
    assert (a.points == b.points).all()
    assert (a.residuals < 0).tolist() == (b.residuals < 0).tolist()
    assert a.labels == b.labels
