"""Skeleton and Motion: what they refuse, in which words, and that they cannot be changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Motion, Skeleton

NAMES = ("Hips", "Spine", "Head", "LeftLeg", "HeadTop")
PARENTS = (-1, 0, 1, 0, 2)
OFFSETS = np.array([[0, 0, 0], [0, 0.3, 0], [0, 0.4, 0.1], [0.1, -0.1, 0], [0, 0.2, 0]])


def skeleton(**changes: Any) -> Skeleton:
    return Skeleton(**{"names": NAMES, "parents": PARENTS, "offsets": OFFSETS, "end_sites": frozenset({"HeadTop"}), **changes})


def motion(frames: int = 4, **changes: Any) -> Motion:
    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (frames, 5, 1))
    positions = np.arange(frames * 3.0).reshape(frames, 3)
    return Motion(**{"skeleton": skeleton(), "rotations": rotations, "root_positions": positions, "fps": 30.0, **changes})


def test_names_not_indices() -> None:
    figure = skeleton()
    assert figure.index("Head") == 2
    assert list(figure.indices(["HeadTop", "Hips"])) == [4, 0]
    assert (figure.parent("Hips"), figure.parent("Head")) == (None, "Spine")
    assert (figure.children("Hips"), figure.children("HeadTop")) == (("Spine", "LeftLeg"), ())
    assert "Head" in figure
    assert "head" not in figure
    assert figure.bone_length("Head") == pytest.approx(np.hypot(0.4, 0.1))
    assert [name for name in NAMES if name in figure.end_sites] == ["HeadTop"]


def test_rest_positions_and_levels() -> None:
    figure = skeleton(offsets=OFFSETS + np.eye(5)[:, :1] * 9.0)
    np.testing.assert_allclose(figure.rest_positions, [[0, 0, 0], [0, 0.3, 0], [0, 0.7, 0.1], [0.1, -0.1, 0], [0, 0.9, 0.1]], atol=1e-15)
    assert [(joints.tolist(), parents.tolist()) for joints, parents in figure.levels] == [([1, 3], [0, 0]), ([2], [1]), ([4], [2])]
    assert Skeleton(("only",), (-1,), np.zeros((1, 3))).levels == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": (), "parents": (), "offsets": np.zeros((0, 3))}, "skeleton: expected one parent per joint, found 0 names, 0 parents"),
        ({"parents": PARENTS[:4]}, "skeleton: expected one parent per joint, found 5 names, 4 parents"),
        ({"names": ("Hips", "Spine", "Spine", "Hips", "HeadTop")}, "skeleton: joint names repeat: Hips, Spine"),
        ({"parents": (0, 0, 1, 0, 2)}, "skeleton: joint Hips must come after its parent, found parent index 0"),
        ({"parents": (-1, 0, -1, 0, 2)}, "skeleton: joint Head must come after its parent, found parent index -1"),
        ({"parents": (-1, 0, 2, 0, 2)}, "skeleton: joint Head must come after its parent, found parent index 2"),
        ({"parents": (-1, 4, 1, 0, 2)}, "skeleton: joint Spine must come after its parent, found parent index 4"),
        ({"parents": (-1, -2, 1, 0, 2)}, "skeleton: joint Spine must come after its parent, found parent index -2"),
        ({"parents": (-1, 0, 1, 0, 99)}, "skeleton: joint HeadTop must come after its parent, found parent index 99"),
        ({"offsets": OFFSETS[:4]}, "skeleton offsets: expected shape (5, 3), found (4, 3)"),
        ({"offsets": OFFSETS[:, :2]}, "skeleton offsets: expected shape (5, 3), found (5, 2)"),
        ({"offsets": OFFSETS + np.array([0.0, np.nan, np.inf])}, "skeleton offsets: expected finite numbers, found 10 that are not"),
        ({"end_sites": frozenset({"Head", "HeadTop"})}, "skeleton: end sites must be leaves, found ['Head']"),
        ({"end_sites": frozenset({"Tail"})}, "skeleton: end sites must be leaves, found ['Tail']"),
    ],
)
def test_what_a_skeleton_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        skeleton(**changes)
    assert str(error.value) == message


def test_unknown_joint() -> None:
    with pytest.raises(KeyError, match=r"no joint 'head'; there are Hips, Spine, Head, LeftLeg, HeadTop"):
        skeleton().index("head")
    for call in (skeleton().parent, skeleton().children, skeleton().bone_length, lambda joint: skeleton().indices([joint])):
        with pytest.raises(KeyError, match="no joint 'Tail'"):
            call("Tail")


def _spoiled(shape: tuple[int, ...], where: tuple[int, ...], value: float) -> np.ndarray:
    out = np.zeros(shape)
    if shape[-1] == 4:
        out[..., 3] = 1.0
    out[where] = value
    return out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rotations": np.zeros((4, 4, 4))}, "rotations: expected shape (T, 5, 4), found (4, 4, 4)"),
        ({"rotations": np.zeros((4, 5, 3))}, "rotations: expected shape (T, 5, 4), found (4, 5, 3)"),
        ({"rotations": np.zeros((5, 4))}, "rotations: expected shape (T, 5, 4), found (5, 4)"),
        ({"root_positions": np.zeros((4, 2))}, "root_positions: expected shape (T, 3), found (4, 2)"),
        ({"root_positions": np.zeros(3)}, "root_positions: expected shape (T, 3), found (3,)"),
        ({"root_positions": np.zeros((3, 3))}, "motion: expected at least one frame and as many rotations as root positions, found 4 and 3"),
        (
            {"rotations": np.zeros((0, 5, 4)), "root_positions": np.zeros((0, 3))},
            "motion: expected at least one frame and as many rotations as root positions, found 0 and 0",
        ),
        ({"rotations": _spoiled((4, 5, 4), (1, 2, 0), np.nan)}, "rotations: expected finite numbers, found 1 that are not"),
        ({"root_positions": _spoiled((4, 3), (1, 2), -np.inf)}, "root_positions: expected finite numbers, found 1 that are not"),
        ({"rotations": _spoiled((4, 5, 4), (3, 4, 3), 1.1)}, "rotations: expected unit quaternions, found a norm of 1.1"),
        ({"rotations": _spoiled((4, 5, 4), (3, 4, 3), 0.0)}, "rotations: expected unit quaternions, found a norm of 0"),
        ({"rotations": _spoiled((4, 5, 4), (0, 0, 3), 1.00001)}, "rotations: expected unit quaternions, found a norm of 1.00001"),
        ({"fps": 0.0}, "fps: expected a positive number, found 0.0"),
        ({"fps": -30.0}, "fps: expected a positive number, found -30.0"),
        ({"fps": float("nan")}, "fps: expected a positive number, found nan"),
        ({"fps": float("inf")}, "fps: expected a positive number, found inf"),
    ],
)
def test_what_a_motion_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        motion(**changes)
    assert str(error.value) == message


def test_single_precision_quaternions_are_unit_enough() -> None:
    rotations = np.random.default_rng(0).normal(size=(4, 5, 4))
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    assert motion(rotations=rotations.astype(np.float32)).rotations.dtype == np.float64


def test_length_duration_and_slices() -> None:
    clip = motion(4)
    assert len(clip) == 4
    assert clip.duration == pytest.approx(0.1)
    part = clip.slice(1, 3)
    np.testing.assert_array_equal(part.root_positions, clip.root_positions[1:3])
    assert (len(part), part.fps, part.skeleton, part.name) == (2, 30.0, clip.skeleton, clip.name)
    assert motion(1).duration == 0.0
    with pytest.raises(ValueError, match="expected at least one frame"):
        clip.slice(2, 2)


def test_frames_are_taken_like_those_of_a_list() -> None:
    clip = motion(9)
    np.testing.assert_array_equal(clip[:4].rotations, clip.rotations[:4])
    np.testing.assert_array_equal(clip[-3:].root_positions, clip.root_positions[-3:])
    assert (len(clip[::4]), clip[::4].fps, clip[::4].duration) == (3, clip.fps / 4, clip.duration)
    with pytest.raises(TypeError, match=r"expected a slice of frames such as motion\[:100\], found int"):
        clip[3]
    with pytest.raises(ValueError, match="expected a slice with a positive step, found -1"):
        clip[::-1]
    with pytest.raises(ValueError, match="expected at least one frame"):
        clip[20:]


def test_positions_are_those_of_forward_kinematics() -> None:
    clip = motion(4)
    assert clip.positions().shape == (4, 5, 3)
    np.testing.assert_array_equal(clip.positions(), forward_kinematics(clip))


def test_a_motion_and_a_skeleton_are_printed_in_one_line() -> None:
    clip = motion(4)
    assert repr(clip) == "<Motion motion: 4 frames at 30 fps, 0.10 s, 5 joints>"
    assert repr(clip.skeleton) == f"<Skeleton: 5 joints ({', '.join(clip.skeleton.names[:3])}, ...)>"


ARRAYS: list[Callable[[Motion], np.ndarray]] = [
    lambda m: m.rotations,
    lambda m: m.root_positions,
    lambda m: m.skeleton.offsets,
    lambda m: m.skeleton.rest_positions,
]


@pytest.mark.parametrize("array", ARRAYS)
def test_arrays_cannot_be_written(array: Callable[[Motion], np.ndarray]) -> None:
    with pytest.raises(ValueError, match="read-only"):
        array(motion())[0] = 1.0


def test_fields_cannot_be_set_and_the_caller_keeps_his_arrays() -> None:
    positions, offsets = np.zeros((4, 3)), OFFSETS.copy()
    clip = motion(root_positions=positions, skeleton=skeleton(offsets=offsets))
    with pytest.raises(dataclasses.FrozenInstanceError):
        clip.fps = 60.0  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        clip.skeleton.names = ()  # type: ignore[misc]
    positions += 1.0
    offsets += 1.0
    assert not clip.root_positions.any()
    np.testing.assert_array_equal(clip.skeleton.offsets, OFFSETS)
