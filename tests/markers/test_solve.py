"""The solver against joints that are exactly known, and marker sets as data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.anatomy.infer import find_roles
from mocapgen.anatomy.marker_sets import load_marker_set, marker_set_names, standard_labels
from mocapgen.core.kinematics import forward_kinematics, global_rotations
from mocapgen.core.markers import Markers
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import angle_between
from mocapgen.markers import solve
from mocapgen.markers.virtual import place_markers
from mocapgen.sources.sample import clips, make
from schemas.conventions import END_POINTS, JOINT_PARENTS
from schemas.errors import ConfigError, FormatError, RetargetError

KNOWN = {
    "UpperLeg": 15.0,
    "LowerLeg": 12.0,
    "Foot": 10.0,
    "UpperArm": 10.0,
    "LowerArm": 15.0,
    "Hand": 12.0,
}
"""Roles, each with the mean distance from the true joint that is allowed, millimetres."""
TURNED = {"Hips": 4.0, "UpperChest": 4.0, "UpperArm": 12.0, "LowerArm": 5.0, "Hand": 5.0, "UpperLeg": 6.0, "LowerLeg": 6.0, "Foot": 6.0}
"""Bones, each with the mean angle from its true orientation that is allowed, degrees."""


def known(action: str, actor: str) -> Motion:
    return make(next(clip for clip in clips() if (clip.action, clip.actor) == (action, actor)))[0].slice(0, 400)


def sided(roles: dict[str, float]) -> list[tuple[str, float]]:
    return [(side + role if role not in ("Hips", "UpperChest") else role, limit) for role, limit in roles.items() for side in ("Left", "Right")]


@pytest.mark.parametrize("actor", ["sa", "sc", "se"])
@pytest.mark.parametrize("action", ["walk", "lieDown", "rotateArms", "elbowToKnee", "squat"])
def test_known_joints_are_found_again(action: str, actor: str) -> None:
    truth = known(action, actor)
    solved = solve(place_markers(truth))
    there, here = forward_kinematics(truth), forward_kinematics(solved)
    turned = np.degrees(
        angle_between(global_rotations(truth.skeleton, truth.rotations), global_rotations(solved.skeleton, solved.rotations)).mean(axis=0)
    )
    for joint, limit in sided(KNOWN):
        index = truth.skeleton.index(joint)
        assert 1000.0 * np.linalg.norm(here[:, index] - there[:, index], axis=-1).mean() < limit, joint
    for joint, limit in sided(TURNED):
        assert turned[truth.skeleton.index(joint)] < limit, joint


def test_what_comes_out_is_an_ordinary_motion() -> None:
    markers = place_markers(known("walk", "sb"))
    motion = solve(markers)
    skeleton = motion.skeleton
    assert dict(zip(skeleton.names, skeleton.parents, strict=True)) == {
        name: -1 if parent is None else list(JOINT_PARENTS).index(parent) for name, parent in JOINT_PARENTS.items()
    }
    assert skeleton.end_sites == END_POINTS
    assert (len(motion), motion.fps, motion.name) == (len(markers), markers.fps, markers.name)
    assert find_roles(skeleton).joints["LeftLowerLeg"] == "LeftLowerLeg"
    at = skeleton.rest_positions
    assert at[skeleton.index("LeftHand"), 0] > 0.5 > -0.5 > at[skeleton.index("RightHand"), 0]  # T-pose, facing +z
    assert at[skeleton.index("HeadTop"), 1] > 0.5
    assert at[skeleton.index("LeftToes"), 2] > at[skeleton.index("LeftFoot"), 2]
    for joint in ("LeftLowerArm", "RightHand", "LeftLowerLeg", "RightFoot"):
        parent = JOINT_PARENTS[joint]
        assert parent is not None
        path = forward_kinematics(motion)
        bone = np.linalg.norm(path[:, skeleton.index(joint)] - path[:, skeleton.index(parent)], axis=-1)
        assert np.ptp(bone) < 1e-9


def test_where_somebody_stands_and_faces_does_not_matter() -> None:
    markers = place_markers(known("kick", "sd"))
    turned = markers.positions[..., [2, 1, 0]] * [1.0, 1.0, -1.0] + [5.0, 0.0, -3.0]
    first, second = solve(markers), solve(replace(markers, positions=turned))
    assert np.abs(first.skeleton.offsets - second.skeleton.offsets).max() < 1e-6
    moved = forward_kinematics(first)[..., [2, 1, 0]] * [1.0, 1.0, -1.0] + [5.0, 0.0, -3.0]
    assert np.abs(moved - forward_kinematics(second)).max() < 1e-5


def test_left_and_right_are_the_same_but_for_the_side() -> None:
    """The mirror image, with the labels exchanged, gives the mirror image."""
    markers = place_markers(known("throw", "sa"))
    other = {"L": "R", "R": "L"}
    labels = tuple(label if label in ("C7", "CLAV", "RBAC") or label[0] not in other else other[label[0]] + label[1:] for label in markers.labels)
    mirror = Markers(labels, markers.positions * [-1.0, 1.0, 1.0], markers.valid, markers.fps)
    first, second = forward_kinematics(solve(markers)), forward_kinematics(solve(mirror)) * [-1.0, 1.0, 1.0]
    names = list(JOINT_PARENTS)
    for name in names:
        exchanged = name.replace("Left", "#").replace("Right", "Left").replace("#", "Right")
        assert np.abs(first[:, names.index(name)] - second[:, names.index(exchanged)]).max() < 1e-5, name


def test_exchanged_sides_are_refused() -> None:
    markers = place_markers(known("walk", "sa"))
    with pytest.raises(FormatError, match=r"expected the left markers on the left, found them on the right in 100% of the frames"):
        solve(replace(markers, positions=markers.positions * [-1.0, 1.0, 1.0]))


def test_a_single_frame_is_enough() -> None:
    assert len(solve(place_markers(known("walk", "sa").slice(0, 1)))) == 1


def test_markers_of_no_use_are_left_out() -> None:
    markers = place_markers(known("walk", "sa"))
    extra = np.concatenate([markers.positions, np.full((len(markers), 1, 3), np.nan)], axis=1)
    valid = np.concatenate([markers.valid, np.zeros((len(markers), 1), dtype=bool)], axis=1)
    more = Markers((*markers.labels, "BALL"), extra, valid, markers.fps)
    assert (solve(more).rotations == solve(markers).rotations).all()


# Marker sets --------------------------------------------------------------------------------------


def test_synonyms() -> None:
    found = standard_labels(("lasi", "RPSI", "LTIB", "STERNUM", "XYZ"), load_marker_set())
    assert found == {"LFWT": "lasi", "RBWT": "RPSI", "LSHN": "LTIB", "STRN": "STERNUM"}


def test_the_standard_set() -> None:
    vicon = load_marker_set()
    assert marker_set_names() == ("plugingait39", "vicon41")
    assert len(vicon.placements) == 41
    assert set(vicon.landmarks.values()) == set(vicon.placements) - {"RBAC"}


def test_another_set_is_a_file(tmp_path: Path) -> None:
    text = yaml.safe_load(load_marker_set().model_dump_json())
    markers = place_markers(known("walk", "sa"))
    renamed = {label: f"M{index}" for index, label in enumerate(text["placements"])}
    text["name"], text["synonyms"] = "mine", {}
    text["landmarks"] = {landmark: renamed[label] for landmark, label in text["landmarks"].items()}
    text["segments"] = {role: [renamed[label] for label in labels] for role, labels in text["segments"].items()}
    text["substitutes"] = {renamed[label]: [[renamed[other] for other in group] for group in groups] for label, groups in text["substitutes"].items()}
    text["placements"] = {renamed[label]: place for label, place in text["placements"].items()}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(text))
    mine = load_marker_set(tmp_path / "mine.yaml")
    assert (solve(replace(markers, labels=tuple(renamed[label] for label in markers.labels)), mine).rotations == solve(markers).rotations).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"landmarks": {"C7": "C7"}}, "landmarks lack T10"),
        ({"extra": 1}, "unknown setting 'extra'; there are name, description, source,"),
        ({"segments": {"Head": ["C7", "T10"]}}, "segments need three markers or more and the name of a joint, found Head"),
        ({"placements": {}}, "placements lack"),
    ],
)
def test_a_faulty_set_is_an_error(tmp_path: Path, change: dict[str, object], message: str) -> None:
    text = yaml.safe_load(load_marker_set().model_dump_json()) | change
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(text))
    with pytest.raises(ConfigError, match=rf"^marker set {tmp_path}/bad\.yaml: (\w+: )?{message}"):
        load_marker_set(tmp_path / "bad.yaml")


def test_a_set_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"^marker set 'nobody': expected one of plugingait39, vicon41, or the path of a YAML file, found neither$"):
        load_marker_set("nobody")


# Virtual markers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["small_woman", "tall_man", "child_10"])
def test_markers_sit_on_the_body(name: str) -> None:
    skeleton = avatar_skeleton(load_avatar(name))
    rest = Motion(skeleton, np.tile([0.0, 0.0, 0.0, 1.0], (1, len(skeleton.names), 1)), np.array([[0.0, 1.0, 0.0]]), 30.0)
    markers = place_markers(rest)

    def at(label: str) -> Array:
        return markers.position(label)[0]

    assert at("LKNE")[0] > at("RKNE")[0]
    assert at("LFHD")[1] > at("C7")[1] > at("T10")[1] > at("LFWT")[1] > at("LKNE")[1] > at("LANK")[1] > at("LHEE")[1]
    assert at("LTOE")[2] > at("LHEE")[2]
    assert at("LWRA")[2] > at("LWRB")[2]
    assert at("LFIN")[0] > at("LWRA")[0] > at("LELB")[0] > at("LSHO")[0]


def test_a_skeleton_without_a_joint_is_an_error() -> None:
    whole = avatar_skeleton(load_avatar("average_man"))
    kept = [index for index, name in enumerate(whole.names) if name not in ("Chest", "UpperChest")]
    parents = [whole.parents[index] for index in kept]
    parents = [-1 if parent < 0 else kept.index(parent if parent in kept else whole.index("Spine")) for parent in parents]
    part = Skeleton(tuple(whole.names[index] for index in kept), tuple(parents), whole.offsets[kept], END_POINTS)
    rest = Motion(part, np.tile([0.0, 0.0, 0.0, 1.0], (1, len(kept), 1)), np.zeros((1, 3)), 30.0, "part")
    with pytest.raises(RetargetError, match=r"^part: missing joints for markers of vicon41: UpperChest$"):
        place_markers(rest)
