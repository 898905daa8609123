"""Small datasets in both camera frames, with cameras all around, and predictions files made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from mocapgen.pipeline import build
from mocapgen.retarget.in_world import recorded_motion
from mocapgen.store import open_dataset
from schemas.config import BuildConfig
from schemas.conventions import H36M17, H36M17_PARENTS
from schemas.detectors import DETECTOR_JOINTS, DETECTOR_PARENTS
from schemas.predictions import PREDICTIONS_LAYOUT
from tests.retarget.test_extremities import detected

TYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "i8": "<i8", "str": h5py.string_dtype()}


@pytest.fixture(scope="session", params=["unity", "opencv"])
def orbit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two actors, two actions, two avatars, three cameras around: 24 sequences; once in each camera frame."""
    path = tmp_path_factory.mktemp("export") / f"{request.param}.h5"
    settings = {"actors": ("sa", "sd"), "actions": ("walk", "kick"), "avatars": ("average_man", "child_10"), "camera": "orbit:3"}
    build(BuildConfig.model_validate({"source": "sample", "camera_frame": request.param, "workers": 1, "out": path, **settings}))
    return path


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every action of one actor before one camera, unity."""
    path = tmp_path_factory.mktemp("export") / "front.h5"
    build(BuildConfig(source="sample", actors=("sd",), avatars=("average_man",), workers=1, out=path))
    return path


def write_predictions(path: Path, data: Path, noise: float = 0.0, names: list[str] | None = None) -> Path:
    """Write a predictions file that holds a dataset's own joints of h36m17, off by `noise` metres along each axis."""
    places = list(H36M17)
    with open_dataset(data) as source, h5py.File(path, "w") as file:
        index = source.joint_set("h36m17")[1]
        frames = {name: source.file[f"/frames/{name}"][:][:, index] for name in ("positions_3d", "positions_2d")}
        frames["positions_3d"] = frames["positions_3d"] + np.random.default_rng(0).normal(0.0, noise, frames["positions_3d"].shape)
        frames["confidence"] = np.ones(frames["positions_2d"].shape[:2])
        labels = {key: source.clips[key][source.sequences["clip"]] for key in ("actor", "action")}
        sequences = {**source.sequences, **labels, "clip": source.clips["id"][source.sequences["clip"]]}
        sequences["name"] = names or [f"prediction/{number}" for number in range(len(source))]
        pairs = [(places.index(name), places.index(name.replace("left", "right"))) for name in places if name.startswith("left")]
        joint_set = {"names": places, "joints": range(17), "symmetric_pairs": pairs, "groups": [""] * 17}
        joint_set["parents"] = [-1 if parent is None else places.index(parent) for parent in H36M17_PARENTS.values()]
        groups = {"/frames": frames, "/sequences": sequences, "/cameras": source.table("cameras"), "/joint_sets/<name>": joint_set}
        for array in PREDICTIONS_LAYOUT.arrays:
            group, _, column = array.path.rpartition("/")
            values = np.array(groups[group][column], dtype=TYPES[array.dtype])
            file.create_dataset(array.path.replace("<name>", "h36m17"), data=values, fletcher32=group == "/frames" or None)
        file.attrs.update(
            {
                "format": "mocapgen-predictions",
                "schema_version": "1.0",
                "generator": "trainer 0",
                "fps": source.fps,
                "conventions": source.file.attrs["conventions"],
                "model": '{"model": "none"}',
                "root": "placed",
                "source": '{"file": "keypoints.json"}',
            }
        )
    return path


@pytest.fixture(scope="session")
def predicted(front: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prediction that is exact."""
    return write_predictions(tmp_path_factory.mktemp("predicted") / "pred.h5", front)


def write_detector_predictions(path: Path, data: Path) -> Path:
    """Write a predictions file of the joint set ``detector`` that is exact: face and feet are where the avatars have them."""
    write_predictions(path, data)
    bones = [*H36M17.values(), *(name for name in DETECTOR_JOINTS if name not in H36M17)]
    with open_dataset(data) as source, h5py.File(path, "r+") as file:
        positions = np.empty((source.frames, len(bones), 3), np.float32)
        for row in source:
            at = row.camera.to_world(row["positions_3d"])
            motion = recorded_motion(row["quaternions"], at, row.camera, source.skeletons[row.avatar], source.fps, "truth")[0]
            seen = detected(motion)
            world = np.stack([seen[{"left_toe": "LeftToesEnd", "right_toe": "RightToesEnd"}.get(bone, bone)] for bone in bones], axis=1)
            positions[row.start : row.start + row.length] = row.camera.to_camera(world)
        frames, group = file["frames"], file["joint_sets"]
        for name, values in {"positions_3d": positions, "positions_2d": positions[..., :2], "confidence": np.ones(positions.shape[:2], "f4")}.items():
            del frames[name]
            frames.create_dataset(name, data=values, fletcher32=True)
        whole = group.create_group("detector")
        parents = [-1 if parent is None else list(DETECTOR_PARENTS).index(parent) for parent in DETECTOR_PARENTS.values()]
        pairs = [
            (place, DETECTOR_JOINTS.index(name.replace("left", "right"))) for place, name in enumerate(DETECTOR_JOINTS) if name.startswith("left")
        ]
        whole.create_dataset("names", data=list(DETECTOR_JOINTS), dtype=h5py.string_dtype())
        whole.create_dataset("groups", data=[""] * len(bones), dtype=h5py.string_dtype())
        for name, column in {"joints": range(len(bones)), "parents": parents, "symmetric_pairs": pairs}.items():
            whole.create_dataset(name, data=np.array(column), dtype=group["h36m17"][name].dtype)
    return path


@pytest.fixture(scope="session")
def detected_predictions(front: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exact prediction of the joints that detectors see."""
    return write_detector_predictions(tmp_path_factory.mktemp("detected") / "pred.h5", front)


@pytest.fixture
def change(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies a file and lets its second argument change the copy."""

    def changed(path: Path, edit: Callable[[h5py.File], object]) -> Path:
        copy = tmp_path / f"changed_{path.name}"
        copy.write_bytes(path.read_bytes())
        with h5py.File(copy, "r+") as file:
            edit(file)
        return copy

    return changed
