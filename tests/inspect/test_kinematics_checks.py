"""Checks of bones and rotations: what they explain, and what they must not cry wolf at."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest

from mocapgen.core.motion import Motion
from mocapgen.core.rotation import multiply
from mocapgen.inspect.checks import kinematics
from mocapgen.inspect.registry import checks
from schemas.conventions import mirrored
from tests.inspect.planting import SEQUENCES, camera_of, perform, tipped, turned, viewed

SQUAT, WALK, LIE = SEQUENCES["squat"], SEQUENCES["walk"], SEQUENCES["lieDown"]


def family(view) -> list[str]:
    return [check.id for check in checks().values() if check.family == "kinematics" and check.scope == "sequence" and list(check.run(view))]


def stored(file: h5py.File, sequence: int, name: str) -> np.ndarray:
    start, length = file["/sequences/start"][sequence], file["/sequences/length"][sequence]
    return file[f"/frames/{name}"][start : start + length]


# Explanations -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda q, camera: q[..., [3, 0, 1, 2]], "(w, x, y, z)"),
        (lambda q, camera: q * np.float32([-1, -1, -1, 1]), "the inverse rotations"),
        (lambda q, camera: q * np.float32([1, -1, -1, 1]), "the other handedness"),
        (lambda q, camera: np.concatenate([camera.world_rotations(q[:, :1].reshape(-1, 4))[:, None], q[:, 1:]], axis=1), None),
    ],
    ids=["w first", "inverse", "handedness", "root in the world"],
)
def test_usual_mistakes_with_quaternions_are_told(stage: h5py.File, change, reason: str | None) -> None:
    """A root that is stored relative to the world, in the world's handedness, is what opencv files would hold without their camera."""
    q, camera = stored(stage, WALK, "quaternions"), camera_of(stage, WALK)
    (finding,) = kinematics.forward_kinematics(viewed(stage, WALK, quaternions=change(q, camera)))
    if reason is None:
        reason = "relative to the world" if camera.frame == "opencv" else ""
    assert reason in finding.message
    assert (finding.value or 0.0) > 50.0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda e: np.radians(e), "in radians"),
        (lambda e: e * np.float32([1, -1, -1]), "the other handedness"),
        (lambda e: e[..., [1, 0, 2]], "YXZ, stored in the order of rotation"),
        (lambda e: e + np.float32([0, 0.2, 0]), "0.20°"),
    ],
    ids=["radians", "handedness", "order of components", "a little off"],
)
def test_usual_mistakes_with_euler_angles_are_told(stage: h5py.File, change, reason: str) -> None:
    (finding,) = kinematics.euler_quaternion(viewed(stage, SQUAT, euler=change(stored(stage, SQUAT, "euler"))))
    assert reason in finding.message


UNITS = [(1000, "millimetres"), (100, "centimetres"), (1 / 0.0254, "inches"), (0.001, "metres taken for millimetres"), (1.3, "")]


@pytest.mark.parametrize(("factor", "unit"), UNITS)
def test_a_unit_of_length_is_told(stage: h5py.File, factor: float, unit: str) -> None:
    view = viewed(stage, SQUAT, positions_3d=stored(stage, SQUAT, "positions_3d") * np.float32(factor))
    (finding,) = kinematics.bone_length_skeleton(view)
    assert "all bones are" in finding.message
    assert finding.message.endswith(f"in {unit}" if unit else "times as long")
    assert list(kinematics.bone_length_constant(view)) == []


# Silence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize("tip", [("X", 180.0), ("Z", 90.0), ("X", 70.0), ("Y", 137.0)], ids=["upside down", "on the side", "leaning", "another way"])
def test_a_person_is_left_and_right_whichever_way_up(stage: h5py.File, sequence: int, tip: tuple[str, float]) -> None:
    perform(stage, sequence, lambda motion: tipped(motion, *tip))
    view = viewed(stage, sequence)
    assert family(view) == []
    names = list(view.skeleton.names)
    other = [names.index(mirrored(name)) for name in names]
    swapped = viewed(stage, sequence, positions_3d=view.row["positions_3d"][:, other])
    assert [finding.joint for finding in kinematics.left_right(swapped)] == ["LeftUpperLeg"]


@pytest.mark.parametrize("degrees", [-85.0, 85.0])
def test_a_twisted_trunk_is_no_swap(stage: h5py.File, degrees: float) -> None:
    perform(stage, WALK, lambda motion: turned(motion, "Spine", "Y", degrees))
    assert list(kinematics.left_right(viewed(stage, WALK))) == []


def test_a_knee_may_be_overstretched_a_little(stage: h5py.File) -> None:
    perform(stage, WALK, lambda motion: turned(motion, "LeftLowerLeg", "X", -35.0))
    view = viewed(stage, WALK)
    assert list(kinematics.bent_backwards(view)) == []
    assert list(kinematics.bent_backwards(view, degrees=5.0)) != []


def test_a_forearm_may_be_twisted(stage: h5py.File) -> None:
    """Pronation turns the forearm about its own length: no bend, however far."""
    perform(stage, SQUAT, _pronated)
    assert list(kinematics.bent_backwards(viewed(stage, SQUAT))) == []


def _pronated(motion: Motion) -> Motion:
    rotations = np.array(motion.rotations)
    index = motion.skeleton.index("LeftLowerArm")
    rotations[:, index] = multiply(rotations[:, index], np.array([np.sin(1.2), 0.0, 0.0, np.cos(1.2)]))
    return replace(motion, rotations=rotations)


def test_what_a_skeleton_lacks_is_not_checked(stage: h5py.File) -> None:
    view = viewed(stage, WALK)
    names = tuple(f"joint {number}" for number in range(len(view.skeleton.names)))
    view.skeleton = type(view.skeleton)(names, view.skeleton.parents, view.skeleton.offsets)
    assert family(view) == []
