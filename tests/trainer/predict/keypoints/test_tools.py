"""What tools write is read as what it is: every kind of file gives the same people."""

from __future__ import annotations

import gzip
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from schemas.detectors import DETECTOR_JOINTS
from schemas.errors import DatasetError
from tests.trainer.predict.keypoints.figures import IMAGE, expected, keypoints
from trainer.predict.keypoints import LAYOUTS, read_keypoints

FRAMES = 12
GONE = (4, 5)
"""Frames without anybody."""


def flat(points: np.ndarray) -> list[float]:
    return [float(value) for value in points.ravel()]


def dots(points: np.ndarray, score: str = "score", shares: bool = False, **more: float) -> list[dict[str, float]]:
    scale = np.array([1.0 / IMAGE[0], 1.0 / IMAGE[1]]) if shares else np.ones(2)
    return [{"x": x * scale[0], "y": y * scale[1], score: c, **more} for x, y, c in points.tolist()]


def person(points: np.ndarray) -> dict[str, Any]:
    return {"keypoints": points[:, :2].tolist(), "keypoint_scores": points[:, 2].tolist()}


def there(values: np.ndarray) -> list[tuple[int, np.ndarray]]:
    return [(row, frame) for row, frame in enumerate(values) if row not in GONE]


def named(points: np.ndarray, layout: str) -> dict[str, dict[str, float]]:
    return dict(zip(LAYOUTS[layout], dots(points), strict=True))


def yolo(points: np.ndarray) -> dict[str, Any]:
    columns = {"x": points[:, 0].tolist(), "y": points[:, 1].tolist(), "visible": points[:, 2].tolist()}
    return {"name": "person", "class": 0, "confidence": 0.9, "box": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}, "keypoints": columns}


Write = Callable[[np.ndarray], Any]
COCO: dict[str, Write] = {
    "AlphaPose": lambda v: [{"image_id": f"{row}.jpg", "category_id": 1, "keypoints": flat(p), "score": 2.5, "idx": [1.0]} for row, p in there(v)],
    "AlphaPose tracked": lambda v: {f"{row}.jpg": [{"idx": 1, "keypoints": flat(p), "scores": 2.5}] for row, p in there(v)},
    "COCO results": lambda v: [{"image_id": row, "category_id": 1, "keypoints": flat(p), "score": 0.9} for row, p in there(v)],
    "COCO data set": lambda v: {
        "images": [{"id": 900 + row, "file_name": f"img_{row + 1:04d}.jpg", "width": 1920, "height": 1080} for row in range(len(v))],
        "annotations": [{"id": row, "image_id": 900 + row, "keypoints": flat(p), "num_keypoints": 17} for row, p in there(v)],
        "categories": [{"id": 1, "name": "person"}],
    },
    "MMPose demo": lambda v: {
        "meta_info": {"dataset_name": "coco"},
        "instance_info": [{"frame_id": row + 1, "instances": [] if row in GONE else [person(p)]} for row, p in enumerate(v)],
    },
    "MMPose inferencer": lambda v: [{"frame_id": row, "instances": [person(p)]} for row, p in there(v)],
    "MMPose returned": lambda v: {"predictions": [[] if row in GONE else [person(p) | {"bbox": [[0, 0, 1, 1]]}] for row, p in enumerate(v)]},
    "Ultralytics, frame by frame": lambda v: [[] if row in GONE else [yolo(p)] for row, p in enumerate(v)],
    "Ultralytics, texts": lambda v: [json.dumps([] if row in GONE else [yolo(p)]) for row, p in enumerate(v)],
    "Ultralytics, by frame": lambda v: {str(row): [] if row in GONE else [yolo(p)] for row, p in enumerate(v)},
    "frames and people": lambda v: [
        {"frame_index": row, "people": [] if row in GONE else [{"bbox": [0, 0, 1, 1], "keypoints": flat(p)}]} for row, p in enumerate(v)
    ],
    "TensorFlow.js": lambda v: [
        {"frame": row, "poses": [{"score": 0.9, "keypoints": [{**d, "name": n} for d, n in zip(dots(p), LAYOUTS["coco17"], strict=True)]}]}
        for row, p in there(v)
    ],
    "named joints": lambda v: {"fps": 30, "frames": [{"frame": row, "keypoints": named(p, "coco17")} for row, p in there(v)]},
    "named joints of frames": lambda v: {f"frame_{row:04d}.png": named(p, "coco17") for row, p in enumerate(v) if row not in GONE},
    "ids as texts": lambda v: [
        {"frame_id": f"{row}", "persons": [{"id": "person-7", "keypoints": p.tolist(), "bbox": [0, 0, 1, 1]}]} for row, p in there(v)
    ],
    "nested lists": lambda v: {"keypoints": [[[[float(c) for c in joint] for joint in p]] for p in np.where(gone(v), np.nan, v)], "layout": "coco17"},
    "percents": lambda v: [{"image_id": f"{row}.jpg", "keypoints": flat(p * [1, 1, 100])} for row, p in there(v)],
    "null": lambda v: {"keypoints": [[[None, None, 0]] * 17 if row in GONE else p.tolist() for row, p in enumerate(v)], "layout": "coco17"},
    "minus one": lambda v: {"keypoints": np.where(gone(v), -1.0, v)[..., :2].tolist(), "layout": "coco17"},
    "zeros": lambda v: {"keypoints": np.where(gone(v), 0.0, v)[..., :2].tolist(), "layout": "coco17"},
    "times": lambda v: [{"timestamp_ms": row * 1000 / 30, "keypoints": p.tolist()} for row, p in there(v)],
    "seconds": lambda v: [{"time": round(row / 30, 4), "pose": p.tolist()} for row, p in there(v)],
}
MEDIAPIPE: dict[str, Write] = {
    "landmarks": lambda v: [{"frame": row, "landmarks": dots(p, "visibility", True, z=-0.3, presence=0.2)} for row, p in there(v)],
    "solutions": lambda v: {"frames": [{"pose_landmarks": None if row in GONE else dots(p, "visibility", True, z=0.1)} for row, p in enumerate(v)]},
    "message": lambda v: [
        {"frame_number": row, "pose_landmarks": {"landmark": dots(p, "visibility", True)}, "pose_world_landmarks": {"landmark": dots(p / 1000)}}
        for row, p in there(v)
    ],
    "tasks": lambda v: [{"timestamp_ms": row * 1000 / 30, "landmarks": [dots(p, "visibility", True, z=0.0)]} for row, p in there(v)],
    "lists": lambda v: {str(row): [[x / 1920, y / 1080, -0.2, c] for x, y, c in p.tolist()] for row, p in enumerate(v) if row not in GONE},
    "lists of landmarks": lambda v: [[] if row in GONE else dots(p, "visibility", True, z=0.1) for row, p in enumerate(v)],
    "JavaScript": lambda v: [
        {"frame": row, "poseLandmarks": dots(p, "visibility", True), "poseWorldLandmarks": dots(p / 500)} for row, p in there(v)
    ],
    "upper-case names": lambda v: {
        "width": 1920,
        "height": 1080,
        "frames": [{"frame": row, "landmarks": {n.upper(): d for n, d in named(p, "mediapipe33").items()}} for row, p in there(v)],
    },
}


def gone(values: np.ndarray) -> np.ndarray:
    return np.isin(np.arange(len(values)), GONE)[:, None, None]


def check(path: Path, values: np.ndarray, layout: str, asked: str | None = None, sure: bool = True) -> Any:
    """Read, and compare with what was written; without `sure` confidences were not."""
    found = read_keypoints(path, asked, fps=30, image=IMAGE)
    positions, confidence = expected(values, layout)
    positions[list(GONE)] = confidence[list(GONE)] = 0.0
    last = len(found.people[0].positions)
    assert last >= GONE[-1] + 2
    assert len(found.people) == 1
    np.testing.assert_allclose(found.people[0].positions, positions[:last], atol=0.02, err_msg=path.name)
    np.testing.assert_allclose(found.people[0].confidence, confidence[:last] if sure else confidence[:last] > 0, atol=1e-3, err_msg=path.name)
    assert last == FRAMES
    return found


@pytest.mark.parametrize("tool", COCO)
def test_json_of_coco_joints(tmp_path: Path, tool: str) -> None:
    values = keypoints("coco17", FRAMES)
    path = tmp_path / "k.json"
    path.write_text(json.dumps(COCO[tool](values)))
    check(path, values, "coco17", sure=tool not in ("minus one", "zeros"))


@pytest.mark.parametrize("tool", MEDIAPIPE)
def test_json_of_mediapipe(tmp_path: Path, tool: str) -> None:
    values = keypoints("mediapipe33", FRAMES)
    path = tmp_path / "k.json"
    path.write_text(json.dumps(MEDIAPIPE[tool](values)))
    check(path, values, "mediapipe33")
    if tool != "upper-case names":
        with pytest.raises(DatasetError, match=r"expected the size of the image in pixels \(the points are shares of it\).*give image="):
            read_keypoints(path, fps=30)


@pytest.mark.parametrize("layout", ["body_25", "coco18", "body_25b", "mpi15", "body_135"])
@pytest.mark.parametrize("name", ["clip_{:012d}_keypoints.json", "{}.json", "my clip 2-{}_keypoints.json", "img_{:04d}_keypoints.json"])
def test_folders_of_openpose(tmp_path: Path, layout: str, name: str) -> None:
    values = keypoints(layout, FRAMES)
    first = 1 if name.startswith("img") else 0
    for row, frame in enumerate(values):
        key = "pose_keypoints" if layout == "coco18" else "pose_keypoints_2d"
        people = [] if row in GONE else [{"person_id": [-1], key: flat(frame), "face_keypoints_2d": []}]
        if row != GONE[0]:  # one frame without a file, one with an empty one
            (tmp_path / name.format(row + first)).write_text(json.dumps({"version": 1.3, "people": people}))
    check(tmp_path, values, layout)


def test_zipped_packed_and_marked_files(tmp_path: Path) -> None:
    values = keypoints("coco17", FRAMES)
    text = json.dumps(COCO["AlphaPose"](values))
    (tmp_path / "mark.json").write_bytes(b"\xef\xbb\xbf" + text.encode())
    (tmp_path / "wide.json").write_bytes(text.encode("utf-16"))
    (tmp_path / "k.json.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "lines.jsonl").write_text("\n".join(map(json.dumps, COCO["AlphaPose"](values))))
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("out/alphapose-results.json", text)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for row, frame in there(values):
            archive.writestr(f"out/clip_{row:012d}_keypoints.json", json.dumps({"people": [{"pose_keypoints_2d": flat(frame)}]}))
    for name in ("mark.json", "wide.json", "k.json.gz", "lines.jsonl", "one.zip", "many.zip"):
        check(tmp_path / name, values, "coco17", "coco17")


@pytest.mark.parametrize("layout", ["coco17", "halpe26", "wholebody133", "halpe136", "mpii16", "h36m17"])
def test_detections_of_other_layouts(tmp_path: Path, layout: str) -> None:
    values = keypoints(layout, FRAMES)
    (tmp_path / "alphapose.json").write_text(json.dumps(COCO["AlphaPose"](values)))
    (tmp_path / "mmpose.json").write_text(json.dumps(COCO["MMPose demo"](values)))
    for name in ("alphapose.json", "mmpose.json"):
        assert check(tmp_path / name, values, layout).layout == layout


def test_other_forms_of_alphapose(tmp_path: Path) -> None:
    values = keypoints("coco18", FRAMES)
    forms = {
        "open.json": {f"{row}.jpg": {"version": "0.3", "people": [{"pose_keypoints_2d": flat(p)}]} for row, p in there(values)},
        "cmu.json": {f"{row}.jpg": {"version": "0.3", "bodies": [{"joints": flat(p)}]} for row, p in there(values)},
    }
    for name, content in forms.items():
        (tmp_path / name).write_text(json.dumps(content))
        assert check(tmp_path / name, values, "coco18").layout == "coco18"


def test_folders_of_mmpose(tmp_path: Path) -> None:
    values = keypoints("coco17", FRAMES)
    for row, frame in enumerate(values):
        content = [] if row in GONE else [{**person(frame), "bbox": [[0, 0, 1, 1]], "bbox_score": 0.9}]
        (tmp_path / f"{row:06d}.json").write_text(json.dumps(content))
    check(tmp_path, values, "coco17")


def test_detections_that_were_appended_without_frame_numbers(tmp_path: Path) -> None:
    values = keypoints("coco17", FRAMES)
    (tmp_path / "k.json").write_text(json.dumps([yolo(frame) for frame in values]))
    found = read_keypoints(tmp_path / "k.json", fps=30, image=IMAGE)
    np.testing.assert_allclose(found.people[0].positions, expected(values, "coco17")[0])
    assert any("without frame numbers" in note for note in found.notes)
    crowd = [keypoints("coco17", 1, size=100.0, at=(150.0 + 200.0 * number, 500.0))[0] for number in range(8)]
    (tmp_path / "crowd.json").write_text(json.dumps([yolo(person) for person in crowd]))
    assert len(read_keypoints(tmp_path / "crowd.json", fps=30, image=IMAGE).people) == 8


def test_layouts_by_other_names(tmp_path: Path) -> None:
    (tmp_path / "k.json").write_text(json.dumps({"keypoints": keypoints("body_25", FRAMES).tolist(), "layout": "BODY25"}))
    assert read_keypoints(tmp_path / "k.json", fps=30, image=IMAGE).layout == "body_25"
    assert read_keypoints(tmp_path / "k.json", "BODY_25", fps=30, image=IMAGE).layout == "body_25"


def test_world_landmarks_are_refused(tmp_path: Path) -> None:
    values = keypoints("mediapipe33", FRAMES)
    values[..., :2] = (values[..., :2] - (900.0, 500.0)) / 300.0
    (tmp_path / "k.json").write_text(json.dumps(MEDIAPIPE["landmarks"](values * [1920, 1080, 1])))
    with pytest.raises(DatasetError, match="found negative ones: 3D coordinates such as MediaPipe's world landmarks"):
        read_keypoints(tmp_path / "k.json", fps=30, image=IMAGE)


@pytest.mark.parametrize("tail", ["", "conf", "conf and id"])
def test_folders_of_ultralytics(tmp_path: Path, tail: str) -> None:
    values = keypoints("coco17", FRAMES)
    for row, frame in there(values):
        numbers = [0, 0.5, 0.5, 0.2, 0.4, *(frame / [*IMAGE, 1.0]).ravel(), *([0.91] if tail else []), *([3] if "id" in tail else [])]
        (tmp_path / f"clip_{row + 1}.txt").write_text(" ".join(f"{number:.6g}" for number in numbers) + "\n")
    found = check(tmp_path, values, "coco17")
    assert found.people[0].id == ("3" if "id" in tail else "")


CSV: dict[str, Callable[[int, str], str]] = {
    "x_0": lambda joint, axis: f"{axis}_{joint}",
    "x1": lambda joint, axis: f"{axis[0]}{joint + 1}",
    "nose_x": lambda joint, axis: f"{LAYOUTS['mediapipe33'][joint]}_{axis}",
    "NOSE.x": lambda joint, axis: f"{LAYOUTS['mediapipe33'][joint].upper()}.{axis}",
    "landmark_0_x": lambda joint, axis: f"landmark_{joint}_{axis}",
}


@pytest.mark.parametrize("spelling", CSV)
@pytest.mark.parametrize("mark", [",", ";"])
def test_tables_of_mediapipe(tmp_path: Path, spelling: str, mark: str) -> None:
    values = keypoints("mediapipe33", FRAMES)
    header = ["frame", *(CSV[spelling](joint, axis) for joint in range(33) for axis in ("x", "y", "z", "visibility"))]
    rows = []
    for row, frame in there(values):
        cells = np.stack([frame[:, 0] / 1920, frame[:, 1] / 1080, 0 * frame[:, 0], frame[:, 2]], axis=1).ravel()
        rows.append([str(row), *(f"{cell:.7g}".replace(".", "," if mark == ";" else ".") for cell in cells)])
    (tmp_path / "k.csv").write_text("\n".join(mark.join(line) for line in [header, *rows]))
    check(tmp_path / "k.csv", values, "mediapipe33")


def test_a_table_with_a_row_for_each_joint(tmp_path: Path) -> None:
    values = keypoints("mediapipe33", FRAMES)
    lines = [f"{row},{n},{x},{y},{c}" for row, p in there(values) for n, (x, y, c) in zip(LAYOUTS["mediapipe33"], p.tolist(), strict=True)]
    (tmp_path / "k.csv").write_text("\n".join(["frame,landmark,x,y,visibility", *lines]))
    check(tmp_path / "k.csv", values, "mediapipe33")


BODY = ("ankle1", "knee1", "hip1", "hip2", "knee2", "ankle2", "wrist1", "elbow1", "shoulder1", "shoulder2", "elbow2", "wrist2", "chin", "forehead")
SAME = (
    *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist", "right_elbow", "right_shoulder"),
    *("left_shoulder", "left_elbow", "left_wrist", "neck", "head_top"),
)


def deeplabcut(values: np.ndarray) -> tuple[list[tuple[str, str, str]], np.ndarray]:
    """Return the columns and numbers of DeepLabCut's model of people."""
    columns = [("DLC_resnet", part, axis) for part in BODY for axis in ("x", "y", "likelihood")]
    at = [LAYOUTS["mpii16"].index(name) for name in SAME]
    return columns, values[:, at].reshape(len(values), -1)


def test_deeplabcut(tmp_path: Path) -> None:
    values = keypoints("mpii16", FRAMES)
    values[list(GONE)] = np.nan
    columns, numbers = deeplabcut(values)
    heads = [",".join([name, *(column[place] for column in columns)]) for place, name in enumerate(("scorer", "bodyparts", "coords"))]
    lines = [",".join([str(row), *("" if np.isnan(cell) else f"{cell:.7g}" for cell in line)]) for row, line in enumerate(numbers)]
    (tmp_path / "k.csv").write_text("\n".join([*heads, *lines]))
    with h5py.File(tmp_path / "k.h5", "w") as file:  # as pandas writes format="table"
        kind = np.dtype([("index", "<i8"), ("values_block_0", "<f8", (numbers.shape[1],))])
        rows = np.empty(len(numbers), dtype=kind)
        rows["index"], rows["values_block_0"] = np.arange(len(numbers)), numbers
        table = file.create_group("df_with_missing").create_dataset("table", data=rows)
        table.attrs["values_block_0_kind"] = np.bytes_(pickle.dumps(columns, protocol=0))
    for name in ("k.csv", "k.h5"):
        found = read_keypoints(tmp_path / name, fps=30, image=IMAGE)
        for joint in SAME:
            truth = np.nan_to_num(values[:, LAYOUTS["mpii16"].index(joint)])
            np.testing.assert_allclose(found.people[0].positions[:, DETECTOR_JOINTS.index(joint)], truth[:, :2], atol=1e-3)
            np.testing.assert_allclose(found.people[0].confidence[:, DETECTOR_JOINTS.index(joint)], truth[:, 2], atol=1e-3)


def test_sleap(tmp_path: Path) -> None:
    values = keypoints("coco17", FRAMES)
    tracks = values[..., :2].transpose(2, 1, 0)[None].copy()
    tracks[..., list(GONE)] = np.nan
    with h5py.File(tmp_path / "k.h5", "w") as file:
        file["tracks"], file["node_names"] = tracks, [name.encode() for name in LAYOUTS["coco17"]]
        file["track_names"] = [b"track_0"]
    check(tmp_path / "k.h5", values, "coco17", sure=False)
    header = ["track", "frame_idx", "instance.score", *(f"{name}.{axis}" for name in LAYOUTS["coco17"] for axis in ("x", "y", "score"))]
    lines = [["track_0", str(row), "0.9", *map(str, flat(frame))] for row, frame in there(values)]
    (tmp_path / "k.csv").write_text("\n".join(",".join(line) for line in [header, *lines]))
    check(tmp_path / "k.csv", values, "coco17")


def test_animals_are_refused(tmp_path: Path) -> None:
    parts = ["snout", "left_ear", "right_ear", "tailbase", "spine", "left_front_paw"]
    heads = [",".join([name, *cells]) for name, cells in (("scorer", ["s"] * 18), ("bodyparts", [p for p in parts for _ in range(3)]))]
    heads.append(",".join(["coords", *["x", "y", "likelihood"] * 6]))
    (tmp_path / "k.csv").write_text("\n".join([*heads, *(",".join([str(row), *["5.0"] * 18]) for row in range(5))]))
    with pytest.raises(DatasetError, match=r"expected the joints of a human body .* found snout, left_ear, right_ear, tailbase"):
        read_keypoints(tmp_path / "k.csv", fps=30, image=IMAGE)


def test_arrays(tmp_path: Path) -> None:
    values = keypoints("coco17", FRAMES)
    values[list(GONE)] = 0.0
    np.save(tmp_path / "k.npy", values)
    np.save(tmp_path / "fortran.npy", np.asfortranarray(values[..., :2]))
    np.save(tmp_path / "people.npy", values[:, None])
    np.save(tmp_path / "batch.npy", values[None])
    np.save(tmp_path / "flat.npy", values.reshape(FRAMES, -1))
    np.savez(tmp_path / "k.npz", keypoints=values, fps=30, layout="coco17")
    boxes = np.empty(FRAMES, dtype=object)
    for row, frame in enumerate(values):
        boxes[row] = [[], [] if row in GONE else np.stack([frame[:, 0], frame[:, 1], 0 * frame[:, 0], frame[:, 2]])[None]]
    np.savez(tmp_path / "detectron2.npz", boxes=boxes, keypoints=boxes, metadata={"w": 1920, "h": 1080})
    meta = {"layout_name": "coco", "video_metadata": {"clip.mp4": {"w": 1920, "h": 1080}}}
    np.savez(tmp_path / "videopose3d.npz", positions_2d={"clip.mp4": {"custom": [values[..., :2]]}}, metadata=meta)
    np.save(tmp_path / "dictionary.npy", {"keypoints": values})
    for name in ("k.npy", "fortran.npy", "people.npy", "batch.npy", "flat.npy", "k.npz", "detectron2.npz", "videopose3d.npz", "dictionary.npy"):
        check(tmp_path / name, values, "coco17", sure=name not in ("fortran.npy", "videopose3d.npz"))
    assert read_keypoints(tmp_path / "videopose3d.npz", fps=30).width == 1920
    np.savez(tmp_path / "two.npz", positions_2d={"a.mp4": {"custom": [values]}, "b.mp4": {"custom": [values]}}, metadata=meta)
    with pytest.raises(DatasetError, match=r"expected the keypoints of one video, found 2: a\.mp4, b\.mp4; save the one"):
        read_keypoints(tmp_path / "two.npz", fps=30)
