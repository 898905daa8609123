"""When a foot is down: a walk, a hop, a foot in the air, an unknown floor, and frames that are missing."""

from __future__ import annotations

import numpy as np
import pytest

from mocapgen import BuildConfig, build, open_dataset
from mocapgen.anatomy.contact import foot_contacts

FPS = 30.0
NAMES = ("Hips", "LeftFoot", "RightFoot")


def path(*stretches: tuple[float, float, int]) -> np.ndarray:
    """A foot that moves forward and stays at a height for some frames, stretch after stretch: (metres per second, metres, frames)."""
    steps = np.concatenate([np.full(frames, speed / FPS) for speed, _, frames in stretches])
    heights = np.concatenate([np.full(frames, height) for _, height, frames in stretches])
    return np.stack([np.zeros(len(steps)), heights, np.cumsum(steps)], axis=1)


def body(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.stack([left * 0.0 + [0.0, 1.0, 0.0], left, right], axis=1)


def test_a_foot_is_down_while_it_is_low_and_slow() -> None:
    left, right = path((0.0, 0.08, 20), (3.0, 0.2, 20), (0.0, 0.08, 20)), path((3.0, 0.2, 20), (0.0, 0.08, 20), (3.0, 0.2, 20))
    found = foot_contacts(body(left, right), NAMES, FPS)
    (first, last), (second,) = found["left"], found["right"]
    assert first[0] == 0
    assert last[1] == 59
    assert 16 <= first[1] <= 21  # the path is averaged over a sixth of a second
    assert 38 <= last[0] <= 43
    assert 18 <= second[0] <= 23
    assert 36 <= second[1] <= 41


def test_a_foot_held_in_the_air_is_not_down_unless_nobody_knows_the_floor() -> None:
    still = body(path((0.0, 0.5, 40)), path((0.0, 0.08, 40)))
    assert foot_contacts(still, NAMES, FPS) == {"left": [], "right": [(0, 39)]}
    assert foot_contacts(still, NAMES, FPS, floor=0.42) == {"left": [(0, 39)], "right": [(0, 39)]}
    assert foot_contacts(still, NAMES, FPS, floor=None)["left"] == [(0, 39)]


def test_missing_frames_are_no_contact_and_spoil_no_others() -> None:
    still = body(path((0.0, 0.08, 60)), path((0.0, 0.08, 60)))
    still[20:23, 1] = np.nan
    assert foot_contacts(still, NAMES, FPS) == {"left": [(0, 19), (23, 59)], "right": [(0, 59)]}


def test_joints_without_feet_have_no_contacts() -> None:
    assert foot_contacts(np.zeros((9, 1, 3)), ("Hips",), FPS) == {}
    assert foot_contacts(np.zeros((1, 3, 3)), NAMES, FPS) == {"left": [], "right": []}


@pytest.mark.parametrize("action", ["walk", "lieDown"])
def test_motions_that_are_known(action: str, tmp_path) -> None:
    build(BuildConfig(source="sample", actors=("sa",), actions=(action,), avatars=("average_man",), workers=1, out=tmp_path / "a.h5"))
    with open_dataset(tmp_path / "a.h5") as data:
        row = data[0]
        found = foot_contacts(row.camera.to_world(row["positions_3d"].astype(float)), data.joint_names, data.fps)
    down = np.zeros((2, row.length), dtype=bool)
    for foot, spans in enumerate((found["left"], found["right"])):
        for first, last in spans:
            down[foot, first : last + 1] = True
    if action == "walk":  # each foot is down for more than half of the time, both at once for less
        assert all(len(spans) >= 2 for spans in found.values())
        assert (down.mean(axis=1) > 0.4).all()
        assert down.any(axis=0).mean() > 0.9
        assert down.all(axis=0).mean() < 0.6
    else:
        assert down[:, :10].all()
