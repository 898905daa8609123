"""The whole job on the real HDM05 cuts: what is in the file, and that the file agrees with itself.

Everything is computed here a second time, from file names, frame numbers, SciPy's rotations and OpenCV's projection;
nothing of the program is used but the build itself and h5py.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mocapgen import build
from schemas.config import BuildConfig
from schemas.report import BuildReport

AVATARS = ("small_woman", "average_woman", "average_man", "tall_man", "child_10")
NAME = re.compile(r"HDM_(?P<actor>[a-z]+)_(?P<action>.+)_(?P<take>\d+)_120\.amc", re.IGNORECASE)
FRAMES = ("unity", "opencv")
SAMPLED = 40


class Built:
    """A file in memory: tables by column, frames by name, a slice per sequence."""

    def __init__(self, path: Path, report: BuildReport) -> None:
        self.report = report
        with h5py.File(path) as file:
            self.attrs = dict(file.attrs)
            self.frames = {name: file[f"frames/{name}"][:] for name in file["frames"]}
            self.tables = {
                group: {name: array.asstr()[:] if h5py.check_string_dtype(array.dtype) else array[:] for name, array in file[group].items()}
                for group in ("sequences", "clips", "cameras", "skipped")
            }
            self.offsets = {name: group["offsets"][:] for name, group in file["skeletons"].items()}
            some = file["skeletons/average_man"]
            self.names = list(some["names"].asstr()[:])
            self.parents = some["parents"][:]
        sequences = self.tables["sequences"]
        self.slices = [slice(start, start + length) for start, length in zip(sequences["start"], sequences["length"], strict=True)]
        self.owner = np.repeat(np.arange(len(self.slices)), sequences["length"])  # the sequence of every frame

    def per_frame(self, table: str, column: str) -> NDArray[np.float64]:
        """Return a column of /clips or /cameras, or the offsets of the avatar, for every frame."""
        sequences = self.tables["sequences"]
        if table == "skeletons":
            return np.stack([self.offsets[name] for name in sequences["avatar"]])[self.owner]
        return self.tables[table][column][sequences[table[:-1]]][self.owner]

    @property
    def local(self) -> NDArray[np.float64]:
        return self.frames["quaternions"].astype(np.float64)

    @property
    def positions(self) -> NDArray[np.float64]:
        return self.frames["positions_3d"].astype(np.float64)


def make(folder: Path, root: Path, **settings: object) -> Built:
    path = folder / "data.h5"
    config = BuildConfig.model_validate({"root": root, "out": path, "workers": 1, **settings})
    return Built(path, build(config))


@pytest.fixture(scope="session")
def cuts(data_dir: Path) -> Path:
    return data_dir / "hdm05/HDM05_cut_amc"


@pytest.fixture(scope="session")
def everything(cuts: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    """All 260 clips in both camera frames."""
    return {frame: make(tmp_path_factory.mktemp(frame), cuts, select="all", min_frames=1, max_frames=10000, camera_frame=frame) for frame in FRAMES}


@pytest.fixture(params=FRAMES)
def built(request: pytest.FixtureRequest, everything: dict[str, Built]) -> Built:
    return everything[request.param]


@pytest.fixture(scope="session")
def by_the_rules(cuts: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Default selection and lengths."""
    return make(tmp_path_factory.mktemp("default"), cuts, avatars=("average_man", "child_10"))


@pytest.fixture(scope="session")
def recorded(cuts: Path) -> dict[str, int]:
    """File (relative to the root) to the number of frames in it, counted by the lines that hold nothing but a number."""
    counted = re.compile(rb"^[ \t]*\d+[ \t]*\r?$", re.MULTILINE)
    return {path.relative_to(cuts).as_posix(): len(counted.findall(path.read_bytes())) for path in sorted(cuts.rglob("*.amc"))}


def at_30(frames: int) -> int:
    """Frames at 30 per second among those at 120: every fourth, the first one included."""
    return (frames + 3) // 4


# What is in the file --------------------------------------------------------------------------------


def test_every_clip_is_performed_by_every_avatar(built: Built, recorded: dict[str, int]) -> None:
    sequences, clips = built.tables["sequences"], built.tables["clips"]
    assert len(clips["id"]) == len(recorded) == 260
    assert len(sequences["start"]) == 1300
    assert sorted(clips["file"]) == sorted(recorded)
    assert Counter(zip(sequences["clip"].tolist(), sequences["avatar"], strict=True)) == Counter(
        (clip, name) for clip in range(260) for name in AVATARS
    )
    assert [at_30(recorded[clips["file"][clip]]) for clip in sequences["clip"]] == sequences["length"].tolist()
    assert clips["source_frames"].tolist() == pytest.approx([4 * at_30(recorded[file]) for file in clips["file"]])
    assert set(clips["source_fps"]) == {120.0}
    assert set(clips["source"]) == {"hdm05"}


def test_the_tables_say_what_the_file_names_say(built: Built) -> None:
    clips = built.tables["clips"]
    for file, actor, action, take in zip(clips["file"], clips["actor"], clips["action"], clips["take"], strict=True):
        name = NAME.fullmatch(file.rpartition("/")[2])
        assert name is not None
        assert (actor, action, take) == (name["actor"].lower(), name["action"], name["take"])


def test_sequences_fill_the_frame_block_without_gaps(built: Built) -> None:
    start, length = built.tables["sequences"]["start"], built.tables["sequences"]["length"]
    np.testing.assert_array_equal(start, np.concatenate([[0], np.cumsum(length)[:-1]]))
    assert {len(array) for array in built.frames.values()} == {length.sum()}
    assert built.report.frames == length.sum()
    assert built.report.sequences == len(length)
    assert built.report.clips_found == built.report.clips_used == 260
    assert built.report.skipped == ()


def test_default_selection_and_lengths(by_the_rules: Built, recorded: dict[str, int]) -> None:
    """For every action the first clip of each actor with 40 to 300 frames at 30 fps."""
    groups: dict[tuple[str, str], list[str]] = {}
    for file in recorded:
        name = NAME.fullmatch(file.rpartition("/")[2])
        assert name is not None
        groups.setdefault((name["action"], name["actor"].lower()), []).append(file)
    expected, reasons = [], {}
    for files in groups.values():
        used = False
        for file in sorted(files, key=lambda file: int(file.split("_")[-2])):
            length = at_30(recorded[file])
            if used:
                reasons[file] = "not selected"
            elif length < 40:
                reasons[file] = "too short"
            elif length > 300:
                reasons[file] = "too long"
            else:
                used = True
                expected.append(file)
    assert sorted(by_the_rules.tables["clips"]["file"]) == sorted(expected)
    skipped = by_the_rules.tables["skipped"]
    assert dict(zip(skipped["file"], skipped["reason"], strict=True)) == reasons
    assert 0 < len(expected) < 55
    assert {"too short", "not selected"} <= set(reasons.values())


def test_the_summary_adds_up(by_the_rules: Built) -> None:
    report, tables = by_the_rules.report, by_the_rules.tables
    assert report.clips_found == 260 == report.clips_used + len(report.skipped)
    assert report.clips_used == len(tables["clips"]["id"])
    assert report.sequences == len(tables["sequences"]["start"]) == 2 * report.clips_used
    assert report.frames == tables["sequences"]["length"].sum() == len(by_the_rules.frames["euler"])
    assert report.skipped_by_reason() == Counter(tables["skipped"]["reason"])
    for column in ("file", "reason", "detail"):
        assert [getattr(skip, column) for skip in report.skipped] == list(tables["skipped"][column])
    assert all("\n" not in detail and detail for detail in tables["skipped"]["detail"])


def test_nothing_in_the_file_names_a_place(built: Built, cuts: Path) -> None:
    config = json.loads(built.attrs["config"])
    assert not {"root", "out", "workers"} & set(config)
    assert str(cuts) not in json.dumps({key: str(value) for key, value in built.attrs.items()})


# The file agrees with itself --------------------------------------------------------------------------


def test_kinematics_of_quaternions_and_offsets_give_the_positions(built: Built) -> None:
    local, offsets, positions = built.local, built.per_frame("skeletons", "offsets"), built.positions
    turned = [Rotation.from_quat(local[:, 0])]
    expected = [positions[:, 0]]
    for joint, parent in enumerate(built.parents[1:], start=1):
        turned.append(turned[parent] * Rotation.from_quat(local[:, joint]))
        expected.append(expected[parent] + turned[parent].apply(offsets[:, joint]))
    assert np.linalg.norm(np.stack(expected, axis=1) - positions, axis=-1).max() <= 1e-4


def test_bones_keep_their_length(built: Built) -> None:
    child = np.arange(1, len(built.parents))
    found = np.linalg.norm(built.positions[:, child] - built.positions[:, built.parents[child]], axis=-1)
    expected = np.linalg.norm(built.per_frame("skeletons", "offsets")[:, child], axis=-1)
    assert np.abs(found - expected).max() <= 1e-5


def test_quaternions_are_unit_and_sign_continuous(built: Built) -> None:
    local = built.local
    assert np.abs(np.linalg.norm(local, axis=-1) - 1.0).max() <= 1e-6
    same = built.owner[1:] == built.owner[:-1]
    assert (np.sum(local[1:] * local[:-1], axis=-1)[same] >= 0).all()


def test_euler_angles_are_the_quaternions(built: Built) -> None:
    """Components x, y, z of an intrinsic Y, X, Z rotation.

    A float32 quaternion is good to 1.2e-7 rad a component and float32 degrees to 8e-6 degrees; together below 1e-4.
    """
    euler = built.frames["euler"].astype(np.float64).reshape(-1, 3)
    from_euler = Rotation.from_euler("YXZ", euler[:, [1, 0, 2]], degrees=True)
    between = from_euler.inv() * Rotation.from_quat(built.local.reshape(-1, 4))
    assert np.degrees(between.magnitude()).max() <= 1e-3


def test_the_stored_camera_projects_positions_to_pixels(built: Built) -> None:
    """float32 limits both sides: a pixel near 1,900 is stored to 6e-5, and metres near 5 to 2.4e-7, times f/z below 1e-3 px."""
    seen, K = built.positions, built.per_frame("cameras", "K")
    image = np.einsum("fij,fkj->fki", K, seen)
    assert np.abs(image[..., :2] / image[..., 2:] - built.frames["positions_2d"]).max() <= 0.01


def test_opencv_projects_world_positions_to_the_same_pixels(built: Built) -> None:
    """From the world through R and t, as ``cv2.projectPoints`` does it, in float64 from the float32 positions.

    OpenCV knows no reflections: with S = diag(1, -1, 1), a unity camera (K, R, t) is the OpenCV camera (K S, S R, S t).
    """
    sequences, cameras = built.tables["sequences"], built.tables["cameras"]
    for number in np.linspace(0, len(built.slices) - 1, SAMPLED).astype(int):
        part, camera = built.slices[number], sequences["camera"][number]
        K, R, t = (cameras[key][camera] for key in ("K", "R", "t"))
        world = (built.positions[part].reshape(-1, 3) - t) @ R
        S = np.diag([1.0, np.sign(K[1, 1]), 1.0])
        assert np.linalg.det(S @ R) == pytest.approx(1.0, abs=1e-12)
        pixels, _ = cv2.projectPoints(world, cv2.Rodrigues(S @ R)[0], S @ t, K @ S, None)
        assert np.abs(pixels.reshape(-1, 27, 2) - built.frames["positions_2d"][part]).max() <= 0.01


def test_in_view_is_what_it_says(built: Built) -> None:
    pixels, depth = built.frames["positions_2d"], built.frames["positions_3d"][..., 2]
    size = np.stack([built.per_frame("cameras", "width"), built.per_frame("cameras", "height")], axis=-1)[:, None]
    np.testing.assert_array_equal(built.frames["in_view"], (depth > 0) & ((pixels >= 0) & (pixels <= size)).all(axis=-1))


def test_the_front_camera_sees_the_whole_clip(built: Built) -> None:
    assert built.frames["in_view"].all()
    assert set(built.tables["cameras"]["rig"]) == {"front"}
    assert len(built.tables["cameras"]["rig"]) == 260


def test_the_actor_faces_the_camera_first_and_left_is_left(built: Built) -> None:
    """Seen from the front, a person's left is on the right of the image, for everybody who stands upright at first."""
    first = [part.start for part in built.slices]
    joint = {name: index for index, name in enumerate(built.names)}
    pixels, seen = built.frames["positions_2d"][first], built.positions[first]
    upright = pixels[:, joint["Head"], 1] < pixels[:, joint["Hips"], 1] - 20
    assert upright.mean() > 0.9
    for name in ("UpperLeg", "UpperArm"):
        assert (pixels[upright, joint[f"Left{name}"], 0] > pixels[upright, joint[f"Right{name}"], 0]).all()
    across = seen[:, joint["LeftUpperLeg"]] - seen[:, joint["RightUpperLeg"]]
    # The hips' line is parallel to the image; the avatars' hips follow the source's, which the camera was placed by.
    turned = np.degrees(np.arctan2(np.abs(across[upright, 2]), across[upright, 0]))
    assert turned.max() < 10
    up = built.positions[first][:, joint["Head"], 1] - built.positions[first][:, joint["Hips"], 1]
    sign = 1 if json.loads(built.attrs["conventions"])["camera_frame"] == "unity" else -1
    assert (sign * up[upright] > 0).all()


def test_both_camera_frames_describe_the_same_scene(everything: dict[str, Built]) -> None:
    """As docs/conventions.md says, with S = diag(1, -1, 1) for the camera and M = diag(-1, 1, 1) for the body."""
    unity, opencv = everything["unity"], everything["opencv"]
    S, M = np.diag([1.0, -1.0, 1.0]), np.diag([-1.0, 1.0, 1.0])
    np.testing.assert_array_equal(unity.frames["positions_3d"], opencv.frames["positions_3d"] * np.diag(S).astype(np.float32))
    np.testing.assert_allclose(unity.frames["positions_2d"], opencv.frames["positions_2d"], atol=2e-4)
    np.testing.assert_array_equal(unity.frames["in_view"], opencv.frames["in_view"])
    for name in AVATARS:
        np.testing.assert_array_equal(unity.offsets[name], opencv.offsets[name] @ M)
    for key, expected in (("R", S @ opencv.tables["cameras"]["R"]), ("t", opencv.tables["cameras"]["t"] @ S)):
        np.testing.assert_allclose(unity.tables["cameras"][key], expected, atol=1e-12)
    np.testing.assert_allclose(unity.tables["cameras"]["K"], opencv.tables["cameras"]["K"] @ S, atol=1e-9)
    root = S @ Rotation.from_quat(opencv.local[:, 0]).as_matrix() @ M
    np.testing.assert_allclose(Rotation.from_quat(unity.local[:, 0]).as_matrix(), root, atol=2e-6)
    np.testing.assert_array_equal(unity.frames["quaternions"][:, 1:], opencv.frames["quaternions"][:, 1:] * np.float32([1, -1, -1, 1]))
    assert {name: set(built.tables["clips"]["sha256"]) for name, built in everything.items()}["unity"] == set(opencv.tables["clips"]["sha256"])


def test_the_world_is_the_same_before_every_camera_and_the_floor_is_level(built: Built) -> None:
    """Back in the world, y is up and nobody is far from the floor at y = 0."""
    R, t = built.per_frame("cameras", "R"), built.per_frame("cameras", "t")
    world = np.einsum("fji,fkj->fki", R, built.positions - t[:, None])
    lowest = np.minimum.reduceat(world[..., 1].min(axis=1), [part.start for part in built.slices])
    assert np.abs(np.median(lowest)) < 0.05
    assert lowest.min() > -0.25
