"""Joints get the role that their names tell, whoever named them."""

from __future__ import annotations

from mocapgen.store.joint_tree import JointTree
from mocapgen.view.body_roles import body_roles
from schemas.conventions import H36M17_PARENTS, JOINT_PARENTS
from schemas.detectors import DETECTOR_PARENTS


def tree(parents: dict[str, str | None]) -> JointTree:
    names = tuple(parents)
    return JointTree(names, tuple(-1 if parent is None else names.index(parent) for parent in parents.values()))


def roles(parents: dict[str, str | None]) -> dict[str, str]:
    return dict(zip(parents, body_roles(tree(parents)), strict=True))


def test_joints_of_avatars_are_their_own_roles():
    assert roles(JOINT_PARENTS) == {name: name for name in JOINT_PARENTS}


def test_joints_of_lifting_and_of_detectors():
    found = roles(DETECTOR_PARENTS)
    assert roles(H36M17_PARENTS) == {name: found[name] for name in H36M17_PARENTS}
    wanted = {"thorax": "Neck", "neck": "Head", "left_shoulder": "LeftUpperArm", "nose": "Nose", "right_heel": "RightHeel", "left_toe": "LeftToesEnd"}
    assert {name: found[name] for name in wanted} == wanted


def test_joints_of_other_files_by_words():
    parents = {"mixamorig:Hips": None, "mixamorig:LeftUpLeg": "mixamorig:Hips", "mixamorig:LeftLeg": "mixamorig:LeftUpLeg", "tail": "mixamorig:Hips"}
    assert list(roles(parents).values()) == ["Hips", "LeftUpperLeg", "LeftLowerLeg", ""]


def test_trees_that_are_no_skeleton_have_no_roles():
    assert body_roles(JointTree(("hub", "hub"), (-1, 0))) == ("", "")
    assert body_roles(JointTree(("one", "other"), (-1, -1))) == ("", "")
