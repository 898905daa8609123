"""Keypoints of other tools: every layout and kind of file ends as the same joints; bad ones are one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.conventions import H36M17
from schemas.detectors import DETECTOR_JOINTS
from schemas.errors import DatasetError
from trainer.predict.keypoints import LAYOUTS, joints_of, read_keypoints, to_detector, to_h36m17

FRAMES = 5
NAMES = tuple(H36M17)


def figure(layout: str, shift: float = 0.0) -> np.ndarray:
    """(T, K, 3) keypoints of a layout in which each joint of a name is at a place of its own."""
    random = np.random.default_rng(7)
    places = {name: random.uniform(100, 900, 2) for name in sorted({name for names in LAYOUTS.values() for name in names})}
    points = np.array([[*places[name], 0.9] for name in LAYOUTS[layout]])
    out = np.tile(points, (FRAMES, 1, 1))
    out[..., :2] += shift + 10.0 * np.arange(FRAMES)[:, None, None]
    return out


def as_h36m17(values: np.ndarray, layout: str) -> tuple[np.ndarray, np.ndarray]:
    """Convert keypoints of a layout to the joints of older models."""
    positions, confidence = to_detector(values, LAYOUTS[layout])
    return to_h36m17(positions, confidence, joints_of(layout, confidence))


def write(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data))
    return path


def read(path: Path, layout: str | None = None, **options: Any) -> Any:
    return read_keypoints(path, layout, **{"fps": 25.0, "image": (1920, 1080), **options})


@pytest.mark.parametrize("layout", LAYOUTS)
def test_joints_of_the_same_name_are_where_they_were(layout: str) -> None:
    values = figure(layout)
    seen, certain = to_detector(values, LAYOUTS[layout])
    assert seen.shape == (FRAMES, 24, 2)
    for joint, name in enumerate(DETECTOR_JOINTS):
        there = name in LAYOUTS[layout]
        np.testing.assert_array_equal(certain[:, joint], 0.9 if there else 0.0)
        np.testing.assert_array_equal(seen[:, joint], values[:, LAYOUTS[layout].index(name), :2] if there else 0.0)
    positions, confidence = as_h36m17(values, layout)
    assert positions.shape == (FRAMES, 17, 2)
    for name in set(NAMES) & set(LAYOUTS[layout]):
        np.testing.assert_array_equal(positions[:, NAMES.index(name)], values[:, LAYOUTS[layout].index(name), :2])
    np.testing.assert_array_equal(confidence, np.full((FRAMES, 17), 0.9))


def test_joints_that_coco_lacks_lie_between_those_it_has() -> None:
    values = figure("coco17")
    positions, _ = as_h36m17(values, "coco17")
    at = {name: values[:, index, :2] for index, name in enumerate(LAYOUTS["coco17"])}
    pelvis, thorax = 0.5 * (at["left_hip"] + at["right_hip"]), 0.5 * (at["left_shoulder"] + at["right_shoulder"])
    ears = 0.5 * (at["left_ear"] + at["right_ear"])
    expected = {"pelvis": pelvis, "thorax": thorax, "spine": 0.5 * (pelvis + thorax), "neck": ears, "head_top": 2.0 * ears - thorax}
    for name, where in expected.items():
        np.testing.assert_allclose(positions[:, NAMES.index(name)], where)


def test_a_missing_joint_is_missing_and_nothing_else() -> None:
    values = figure("coco17")
    values[2, LAYOUTS["coco17"].index("left_hip")] = [np.nan, np.nan, 0.7]
    values[3, LAYOUTS["coco17"].index("left_ear"), 2] = 0.0
    positions, confidence = as_h36m17(values, "coco17")
    assert {NAMES[joint] for joint in np.flatnonzero(confidence[2] == 0)} == {"left_hip", "pelvis", "spine"}
    assert (positions[2, confidence[2] == 0] == 0).all()
    # Without an ear the nose stands in.
    np.testing.assert_allclose(positions[3, NAMES.index("neck")], values[3, LAYOUTS["coco17"].index("nose"), :2])
    assert (confidence[3] > 0).all()


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(LAYOUTS)), st.floats(0.1, 10), st.floats(-500, 500))
def test_scaling_and_shifting_the_image_does_the_same_to_every_joint(layout: str, scale: float, shift: float) -> None:
    values = figure(layout)
    moved = values.copy()
    moved[..., :2] = scale * moved[..., :2] + shift
    np.testing.assert_allclose(as_h36m17(moved, layout)[0], scale * as_h36m17(values, layout)[0] + shift, atol=1e-6)


def test_every_kind_of_file_says_the_same(tmp_path: Path) -> None:
    coco = figure("coco17")
    flat = [[float(value) for value in frame.ravel()] for frame in coco]
    other = [[float(value) for value in frame.ravel()] for frame in figure("coco17", shift=300.0) * [0.4, 0.4, 1.0]]
    files = {
        "own.json": {"keypoints": coco.tolist(), "layout": "coco17"},
        "flat.json": {"keypoints": flat, "layout": "coco17"},
        "parts.json": {"keypoints": coco[..., :2].tolist(), "confidence": coco[..., 2].tolist(), "layout": "coco17"},
        "alphapose.json": [{"image_id": f"{frame}.jpg", "keypoints": points} for frame in (0, 1, 2, 3, 4) for points in (other[frame], flat[frame])],
        "mmpose.json": {
            "instance_info": [
                {"frame_id": frame, "instances": [{"keypoints": coco[frame, :, :2].tolist(), "keypoint_scores": coco[frame, :, 2].tolist()}]}
                for frame in range(FRAMES)
            ]
        },
    }
    paths = [write(tmp_path / name, data) for name, data in files.items()]
    np.savez(tmp_path / "own.npz", keypoints=coco, layout="coco17")
    (tmp_path / "openpose").mkdir()
    for frame in range(FRAMES):
        people = [{"pose_keypoints_2d": other[frame]}, {"pose_keypoints_2d": flat[frame]}]
        write(tmp_path / f"openpose/video_{frame:012d}_keypoints.json", {"version": 1.3, "people": people})
    expected, _ = to_detector(coco, LAYOUTS["coco17"])
    for path in [*paths, tmp_path / "own.npz", tmp_path / "openpose"]:
        np.testing.assert_allclose(read(path, "coco17").people[0].positions, expected, err_msg=path.name)


def test_frames_without_anybody_are_empty_and_the_person_is_followed(tmp_path: Path) -> None:
    near, far = figure("body_25"), figure("body_25", shift=400.0)
    far[..., :2] *= 0.5
    (tmp_path / "poses").mkdir()
    for frame in range(FRAMES):
        people = [] if frame == 2 else [far[frame], near[frame]]
        if frame == 3:
            people[1][5:, 2] = 0.0  # mostly hidden now, and the smaller one: still the same person
        write(tmp_path / f"poses/{frame:03d}.json", {"people": [{"pose_keypoints_2d": person.ravel().tolist()} for person in people]})
    found = read(tmp_path / "poses").people[0]
    assert (found.confidence[2] == 0).all()
    elbow = LAYOUTS["body_25"].index("right_elbow")  # not hidden
    np.testing.assert_allclose(found.positions[3, NAMES.index("right_elbow")], near[3, elbow, :2])
    assert (found.confidence[3] > 0).sum() < 17 <= (found.confidence[4] > 0).sum() == 19


def test_what_the_file_says_and_what_overrides_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"keypoints": figure("h36m17").tolist(), "layout": "h36m17", "fps": 50, "width": 640, "height": 480})
    found = read_keypoints(path)
    assert (found.fps, found.width, found.height) == (50.0, 640, 480)
    found = read_keypoints(path, fps=25, image=(320, 240))
    assert (found.fps, found.width, found.height) == (25.0, 320, 240)


BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no layout": ({"keypoints": figure("coco17").tolist()}, {}, "expected a layout of joints .* found 17 joints a frame"),
    "unknown layout": ({"keypoints": figure("coco17").tolist()}, {"layout": "coco"}, "expected a layout of joints .* found coco"),
    "another count": ({"keypoints": figure("coco17").tolist()}, {"layout": "body_25"}, "expected 25 joints a frame .* found 17"),
    "no rate": ({"keypoints": figure("body_25").tolist()}, {"fps": None}, "expected the frame rate .* give fps="),
    "no size": ({"keypoints": figure("body_25").tolist()}, {"image": None}, "expected the size of the image .* give image="),
    "nobody": ({"keypoints": (0 * figure("body_25")).tolist()}, {}, "expected keypoints with a confidence above 0"),
    "ragged": ({"keypoints": [[[1, 2, 3]], [[1, 2, 3], [4, 5, 6]]]}, {}, "expected keypoints as numbers"),
    "words": ({"keypoints": "left"}, {}, "expected keypoints as numbers"),
    "no frames": ({"keypoints": []}, {}, "expected keypoints of shape"),
    "other JSON": ({"poses": []}, {}, "expected keypoints .a key"),
    "a number": (3, {}, "expected keypoints .a key"),
    "confidence": ({"keypoints": figure("body_25").tolist(), "confidence": [1.0]}, {}, "expected 'confidence' of shape"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_content_is_one_line(tmp_path: Path, name: str) -> None:
    data, options, message = BAD[name]
    path = write(tmp_path / "bad.json", data)
    with pytest.raises(DatasetError, match=message) as caught:
        read(path, **options)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["gone.json", "empty.json", "noise.json", "empty.npz", "noise.npz", "objects.npz", "folder"])
def test_bad_files_are_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    elif name == "objects.npz":
        np.savez(path, keypoints=np.array([None, "x"], dtype=object))
    elif name != "gone.json":
        path.write_bytes(b"" if name.startswith("empty") else b"\x00\xff\xfe noise \x80")
    with pytest.raises(DatasetError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}")
    assert "\n" not in str(caught.value)
