"""Layouts are recognised by the body's proportions, in any pose and from any side, and contradicted only where another one fits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import DatasetError
from tests.trainer.predict.keypoints.figures import keypoints
from trainer.predict.keypoints import LAYOUTS, read_keypoints
from trainer.predict.keypoints.proportions import CLEARLY, PLAUSIBLE, fits

POSES = ("walk", "lie", "sit", "handstand")
TWINS = ("h36m17", "coco17", "body_25", "body_25b")
"""Layouts that share their number of joints with another one."""


def own(path: Path, values: np.ndarray, **said: object) -> Path:
    path.write_text(json.dumps({"keypoints": values.tolist(), "fps": 30, "width": 1920, "height": 1080, **said}))
    return path


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(LAYOUTS)), st.sampled_from(POSES), st.floats(0, 6.3), st.floats(0, 5))
def test_the_right_layout_is_the_best(layout: str, pose: str, turn: float, noise: float) -> None:
    found = fits(keypoints(layout, pose=pose, turn=turn, noise=noise))
    assert next(iter(found)) == layout
    assert found[layout] < PLAUSIBLE


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(TWINS), st.floats(0, 6.3), st.sampled_from(["legs", "an arm", "a side", "face"]))
def test_people_who_are_cut_off_do_not_contradict_their_layout(layout: str, turn: float, hidden: str) -> None:
    values = keypoints(layout, turn=turn, pose="sit")
    words = {"legs": ("knee", "ankle", "toe", "heel"), "an arm": ("left_elbow", "left_wrist"), "a side": ("left_",), "face": ("eye", "ear", "nose")}
    values[:, [any(word in name for word in words[hidden]) for name in LAYOUTS[layout]], 2] = 0.0
    found = fits(values)
    assert found[layout] < CLEARLY * next(iter(found.values()))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_of_the_project_that_says_no_layout_is_recognised(tmp_path: Path, layout: str) -> None:
    assert read_keypoints(own(tmp_path / "k.json", keypoints(layout))).layout == layout


@pytest.mark.parametrize(("said", "true"), [("body_25", "body_25b"), ("body_25b", "body_25"), ("coco17", "h36m17"), ("h36m17", "coco17")])
def test_a_layout_that_contradicts_the_body_is_refused_with_the_right_one(tmp_path: Path, said: str, true: str) -> None:
    path = own(tmp_path / "k.json", keypoints(true))
    with pytest.raises(DatasetError, match=f"expected the proportions of a body in layout {said}, found those of {true}; give layout={true}"):
        read_keypoints(path, said)
    assert read_keypoints(path, true).layout == true  # the advice is sound
    with pytest.raises(DatasetError, match=f"give layout={true}"):
        read_keypoints(own(tmp_path / "said.json", keypoints(true), layout=said))


@pytest.mark.parametrize("layout", TWINS)
@pytest.mark.parametrize("pose", POSES)
def test_no_pose_contradicts_the_right_layout(tmp_path: Path, layout: str, pose: str) -> None:
    for turn in (0.0, 1.5, 3.0):
        assert read_keypoints(own(tmp_path / "k.json", keypoints(layout, frames=2, pose=pose, turn=turn, noise=8.0)), layout).layout == layout


def test_another_number_of_joints_names_the_layout(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="expected 17 joints a frame for layout coco17, found 26; give layout=halpe26"):
        read_keypoints(own(tmp_path / "k.json", keypoints("halpe26")), "coco17")
    with pytest.raises(DatasetError, match=r"expected a layout of joints .*, found 40 joints a frame"):
        read_keypoints(own(tmp_path / "k.json", np.ones((5, 40, 3)) + np.random.default_rng(0).uniform(0, 900, (5, 40, 3))))
