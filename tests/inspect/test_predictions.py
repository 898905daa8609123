"""Inspecting predictions: clean ones have no finding, and everything that models do wrong is found by the check meant for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mocapgen import BuildConfig, build, open_dataset
from mocapgen.inspect.opening import open_contents, open_file
from mocapgen.inspect.prediction_summary import in_sequences
from mocapgen.inspect.registry import checks
from mocapgen.inspect.report import report_page
from mocapgen.inspect.run import inspect, survey
from mocapgen.shared.hdf5 import write_array
from schemas.conventions import CAMERA_FRAMES, H36M17, H36M17_PARENTS, CameraFrame
from schemas.detectors import DETECTOR_PARENTS, FACE_AND_FEET
from schemas.errors import ConfigError, DatasetError
from schemas.inspection import Inspection
from schemas.predictions import PREDICTIONS_LAYOUT

Edit = Callable[[h5py.File], None]
WALK = 2
"""The sequence of a walk."""


def write_predictions(truth: Path, path: Path, joint_set: str) -> Path:
    """Write the joints of a dataset as predictions of ``h36m17`` or ``detector``."""
    with open_dataset(truth) as data, h5py.File(path, "w") as file:
        positions = {name: data.file["/frames/positions_3d"][:, data.joint_names.index(joint)] for name, joint in H36M17.items()}
        if joint_set == "detector":
            positions |= {name: data.file["/frames/positions_3d"][:, data.joint_names.index(point.joint)] for name, point in FACE_AND_FEET.items()}
            for side in ("left", "right"):  # a rough heel: below the ankle
                positions[f"{side}_heel"] = positions[f"{side}_ankle"] - 0.06 * data.cameras[0].R[:, 1].astype(np.float32)
        parents = DETECTOR_PARENTS if joint_set == "detector" else H36M17_PARENTS
        names = list(parents)
        stacked = np.stack([positions[name] for name in names], axis=1)
        of_frame = np.repeat(data.sequences["camera"], data.sequences["length"])
        pixels = np.concatenate([data.cameras[camera].project(frame[None]) for camera, frame in zip(of_frame, stacked, strict=True)])
        labels = {key: data.clips[key][data.sequences["clip"]] for key in ("actor", "action")}
        clips = data.clips["id"][data.sequences["clip"]]
        pairs = [(names.index(name), names.index(name.replace("left", "right"))) for name in names if name.startswith("left")]
        columns: dict[str, dict[str, Any]] = {
            "/frames": {"positions_3d": stacked, "positions_2d": pixels, "confidence": np.ones(stacked.shape[:2])},
            "/sequences": {**data.sequences, **labels, "clip": clips, "name": [f"video {number}" for number in range(len(clips))]},
            "/cameras": data.table("cameras"),
            "/joint_sets/<name>": {
                "names": names,
                "joints": range(len(names)),
                "parents": [-1 if parent is None else names.index(parent) for parent in parents.values()],
                "symmetric_pairs": pairs,
                "groups": [""] * len(names),
            },
        }
        for array in PREDICTIONS_LAYOUT.arrays:
            group, _, column = array.path.rpartition("/")
            write_array(file, array, columns[group][column], joint_set, **({"fletcher32": True} if group == "/frames" else {}))
        said = {
            "model": json.dumps({"model": "stmixer", "epoch": 40, "data": {"file": "train.h5"}}),
            "source": '{"file": "clip.json", "layout": "coco17"}',
        }
        kind = {"format": "mocapgen-predictions", "schema_version": "1.0", "generator": "trainer 1", "root": "predicted", "fps": data.fps}
        file.attrs.update({**kind, **said, "conventions": data.file.attrs["conventions"]})
    return path


@pytest.fixture(scope="module")
def clean_predictions(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[CameraFrame, str], Path]:
    """Exact predictions by camera frame and joint set; never to be changed: copy them."""
    folder, found = tmp_path_factory.mktemp("predictions"), {}
    for frame in CAMERA_FRAMES:
        truth = folder / f"{frame}.h5"
        actions = ("kick", "squat", "walk")
        build(BuildConfig(source="sample", camera_frame=frame, out=truth, workers=1, actors=("sa",), actions=actions, avatars=("average_man",)))
        for joint_set in ("h36m17", "detector"):
            found[frame, joint_set] = write_predictions(truth, folder / f"{frame}_{joint_set}.h5", joint_set)
    return found


@pytest.fixture
def planted(clean_predictions: dict[tuple[CameraFrame, str], Path], tmp_path: Path) -> Callable[..., Path]:
    """Return a function that changes a copy of the clean predictions."""

    def plant(edit: Edit, joint_set: str = "h36m17", frame: CameraFrame = "unity") -> Path:
        path = tmp_path / "planted.h5"
        shutil.copy(clean_predictions[frame, joint_set], path)
        with h5py.File(path, "r+") as file:
            edit(file)
        return path

    return plant


def moved(change: Callable[[np.ndarray, list[str]], None], sequence: int = WALK) -> Edit:
    """Return an edit of a sequence's positions in the world: `change` is called with (T, J, 3) metres, y up, and the joints' names."""

    def edit(file: h5py.File) -> None:
        start, length = (int(file[f"/sequences/{name}"][sequence]) for name in ("start", "length"))
        camera = int(file["/sequences/camera"][sequence])
        R, t = file["/cameras/R"][camera], file["/cameras/t"][camera]
        (joint_set,) = file["/joint_sets"]
        positions = file["/frames/positions_3d"]
        world = (positions[start : start + length] - t) @ R
        change(world, list(file[f"/joint_sets/{joint_set}/names"].asstr()))
        positions[start : start + length] = world @ R.T + t

    return edit


def longer_shin(world: np.ndarray, names: list[str]) -> None:
    ankle, knee = names.index("left_ankle"), names.index("left_knee")
    world[:, ankle] += 0.2 * (world[:, ankle] - world[:, knee])


def breathing_shin(world: np.ndarray, names: list[str]) -> None:
    ankle, knee = names.index("left_ankle"), names.index("left_knee")
    world[:, ankle] += 0.2 * np.sin(np.linspace(0, 6, len(world)))[:, None] * (world[:, ankle] - world[:, knee])


def swap_legs(world: np.ndarray, names: list[str]) -> None:
    for part in ("knee", "ankle"):
        left, right = names.index(f"left_{part}"), names.index(f"right_{part}")
        world[20:30, [left, right]] = world[20:30, [right, left]]


def swap_hips(world: np.ndarray, names: list[str]) -> None:
    for part in ("hip", "knee", "ankle"):
        left, right = names.index(f"left_{part}"), names.index(f"right_{part}")
        world[20:40, [left, right]] = world[20:40, [right, left]]


def glide(world: np.ndarray, names: list[str]) -> None:
    world[..., 0] += 0.012 * np.arange(len(world))[:, None]


def sink(world: np.ndarray, names: list[str]) -> None:
    world[..., 1] -= 0.1


def tremble(world: np.ndarray, names: list[str]) -> None:
    world[..., 2] += 0.02 * (-1.0) ** np.arange(len(world))[:, None]


def whirl(world: np.ndarray, names: list[str]) -> None:
    wrist, elbow = names.index("left_wrist"), names.index("left_elbow")
    world[20, wrist] = 2.0 * world[20, elbow] - world[20, wrist]


def aside(world: np.ndarray, names: list[str]) -> None:
    world[..., 0] += 0.25


def unseen(file: h5py.File) -> None:
    start, length = (int(file[f"/sequences/{name}"][WALK]) for name in ("start", "length"))
    file["/frames/confidence"][start : start + length, list(H36M17).index("left_wrist")] = 0.0
    file["/frames/positions_2d"][start : start + length, list(H36M17).index("left_wrist")] = np.nan


def gap(file: h5py.File) -> None:
    file["/sequences/length"][0] -= 30


STANDING = 1
DEFECTS: dict[str, tuple[str, Edit]] = {
    "a shin that changes its length": ("prediction.bone_lengths", moved(breathing_shin)),
    "a shin that is longer than the other": ("prediction.asymmetry", moved(longer_shin)),
    "legs that change places": ("prediction.sides", moved(swap_legs)),
    "a lower body that is turned round": ("prediction.sides", moved(swap_hips)),
    "a person who glides": ("prediction.foot_slide", moved(glide)),
    "feet in the floor": ("prediction.off_floor", moved(sink)),
    "a person who trembles in depth": ("prediction.unsteady_root", moved(tremble, STANDING)),
    "a forearm that whirls": ("prediction.turn_speed", moved(whirl)),
    "a person beside the picture": ("prediction.reprojection", moved(aside)),
    "a hand that is never seen": ("prediction.guessed", unseen),
    "frames without a person": ("prediction.gaps", gap),
}


@pytest.mark.parametrize("frame", CAMERA_FRAMES)
@pytest.mark.parametrize("joint_set", ["h36m17", "detector"])
def test_clean_predictions_have_no_finding(clean_predictions: dict[Any, Path], frame: CameraFrame, joint_set: str) -> None:
    found = inspect(clean_predictions[frame, joint_set], workers=1, threshold="info")
    assert [(finding.check, finding.message) for finding in found.findings] == []
    assert [(result.id, result.unread) for result in found.checks if result.left_out or result.unread] == []
    assert (found.notes, found.exit_status, found.summary.kind) == ((), 0, "predictions")


@pytest.mark.parametrize("joint_set", ["h36m17", "detector"])
@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found_by_the_check_meant_for_it(planted: Callable[..., Path], name: str, joint_set: str) -> None:
    check, edit = DEFECTS[name]
    found = inspect(planted(edit, joint_set, "opencv" if joint_set == "detector" else "unity"), workers=1, threshold="info", select="prediction")
    assert check in {finding.check for finding in found.findings}, found.findings
    assert found.exit_status == 1
    names = {*DETECTOR_PARENTS, ""}
    assert {finding.joint for finding in found.findings} <= names  # in the words of the file


def test_every_check_of_predictions_has_a_case_where_it_fires() -> None:
    assert {check for check, _ in DEFECTS.values()} == {id for id, check in checks().items() if check.kinds == ("predictions",)}


def test_what_was_measured(clean_predictions: dict[Any, Path], planted: Callable[..., Path]) -> None:
    clean = inspect(clean_predictions["unity", "h36m17"], workers=1).summary
    assert clean.predicted["model"] == "stmixer, 40 epochs on train.h5"
    assert clean.predicted["made from"] == "clip.json, coco17"
    assert clean.figures["limbs change their lengths by, % (mean)"] < 0.5
    assert clean.figures["re-projection off by, % of the person's size (median)"] < 0.01
    assert clean.figures["joints seen, % (mean)"] == 100.0
    assert clean.figures["frames without a person, %"] == 0.0
    assert clean.figures["planted feet slide, m/s (mean)"] < 0.1
    glided = inspect(planted(moved(glide)), workers=1).summary
    assert glided.figures["planted feet slide, m/s (mean)"] > 2.0 * clean.figures["planted feet slide, m/s (mean)"]


def test_without_a_floor_nothing_is_said_of_it(planted: Callable[..., Path]) -> None:
    def assumed(file: h5py.File) -> None:
        file["/cameras/t"][:] += 0.1 * file["/cameras/R"][:][..., 1]  # the world's origin 10 cm above the floor
        file["/cameras/rig"][:] = "assumed"

    found = inspect(planted(assumed), workers=1, threshold="info")
    assert found.findings == ()
    assert "lower foot within 3 cm of the floor, % of the frames" not in found.summary.figures
    assert ["nobody knows where the floor is" in note for note in found.notes] == [True]
    assert found.summary.predicted["camera"] == "assumed; the floor is not known"


def test_damage(planted: Callable[..., Path], clean_predictions: dict[Any, Path], tmp_path: Path) -> None:
    def holes(file: h5py.File) -> None:
        file["/frames/positions_3d"][5, 3] = np.nan

    found = inspect(planted(holes), workers=1)
    assert [(finding.check, finding.frame, finding.joint) for finding in found.findings] == [("structure.not_finite", 5, "right_ankle")]
    assert "hold numbers that are not finite" in found.notes[0]

    def cut(file: h5py.File) -> None:
        del file["/frames/confidence"]

    with pytest.raises(DatasetError, match="/frames/confidence: expected an array, found nothing"):
        inspect(planted(cut))

    def foreign(file: h5py.File) -> None:
        file.move("/joint_sets/h36m17", "/joint_sets/smpl24")

    with pytest.raises(DatasetError, match="expected the joints of h36m17"):
        inspect(planted(foreign))
    path = clean_predictions["unity", "h36m17"]
    content = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        offset = file["/frames/positions_3d"].id.get_chunk_info(0).byte_offset
    content[offset + 20] ^= 0xFF
    (tmp_path / "bad.h5").write_bytes(content)
    assert "structure.checksums" in {finding.check for finding in inspect(tmp_path / "bad.h5", workers=1).findings}


def test_checks_of_the_other_kind_are_not_run(clean_predictions: dict[Any, Path], clean: Path) -> None:
    predicted = inspect(clean_predictions["unity", "h36m17"], workers=1)
    assert {result.id for result in predicted.checks} == {id for id, check in checks().items() if "predictions" in check.kinds}
    with pytest.raises(ConfigError, match="select: expected checks that are for predictions, found only dataset"):
        inspect(clean_predictions["unity", "h36m17"], select="dataset")
    with pytest.raises(ConfigError, match="select: expected checks that are for datasets, found only prediction"):
        inspect(clean, select="prediction")


def test_frames_of_no_sequence(planted: Callable[..., Path]) -> None:
    path = planted(gap)
    with open_file(path) as file:
        there = in_sequences(open_contents(path, file).data)  # type: ignore[arg-type]
        length = int(file["/sequences/length"][0])
    assert np.flatnonzero(~there).tolist() == list(range(length, length + 30))


def test_the_report_is_the_same_page(planted: Callable[..., Path], call: Callable[..., tuple[object, str, str]], tmp_path: Path) -> None:
    path = planted(moved(swap_legs))
    found = survey(path, workers=1, measuring=True)
    page = report_page(found, path)
    assert "prediction.sides" in page
    assert "#sequence=2&amp;frame=20&amp;joint=left_ankle" in page
    assert "planted feet slide" in page
    status, out, _ = call("inspect", path, "--json", "-", "--workers", 1)
    assert status == 1
    assert Inspection.model_validate_json(out).findings == found.inspection.findings
    status, out, _ = call("inspect", path, "--html", tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page
    assert "video 2, frame 20, left_ankle: expected the legs where they were a frame ago" in out
