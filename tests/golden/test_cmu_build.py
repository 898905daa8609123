"""The published benchmark, CMU's basketball and break dance, and one trial in two formats: what is in the file, read with h5py alone."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mocapgen import build
from schemas.config import BuildConfig
from schemas.report import BuildReport


class Built:
    """A file in memory."""

    def __init__(self, report: BuildReport, path: Path) -> None:
        self.report = report
        with h5py.File(path) as file:
            self.positions = file["frames/positions_3d"][:].astype(np.float64)
            self.in_view = file["frames/in_view"][:]
            self.tables: dict[str, dict[str, Any]] = {
                group: {name: array.asstr()[:] if h5py.check_string_dtype(array.dtype) else array[:] for name, array in file[group].items()}
                for group in ("sequences", "clips", "cameras", "skipped")
            }
            self.names = list(file["skeletons/average_man/names"].asstr()[:])

    def sequence(self, clip: str) -> slice:
        """Return the frames of a clip (of one avatar, seen by one camera)."""
        row = list(self.tables["clips"]["id"]).index(clip)
        (place,) = np.flatnonzero(self.tables["sequences"]["clip"] == row)
        start = self.tables["sequences"]["start"][place]
        return slice(start, start + self.tables["sequences"]["length"][place])

    def joint(self, clip: str, name: str) -> Any:
        """Return where a joint goes, (T, 3) metres in the camera frame of the file (x right, y up, z forward)."""
        return self.positions[self.sequence(clip), self.names.index(name)]

    def world(self, clip: str, name: str) -> Any:
        """Return where a joint goes in the world, y up."""
        row = self.tables["sequences"]["camera"][list(self.tables["clips"]["id"]).index(clip)]
        rotation, translation = self.tables["cameras"]["R"][row], self.tables["cameras"]["t"][row]
        return (self.joint(clip, name) - translation) @ rotation  # R^-1 = R^T


def built(folder: Path, root: Path, **settings: Any) -> Built:
    folder.mkdir(exist_ok=True)
    path = folder / "cmu.h5"
    return Built(build(BuildConfig.model_validate({"root": root, "out": path, "avatars": ("average_man",), "long": "split", **settings})), path)


@pytest.fixture(scope="session")
def benchmark(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    settings = {"source": "cmu", "categories": ("basketball", "breakdance"), "format": "bvh", "workers": 1}
    return built(tmp_path_factory.mktemp("benchmark"), data_dir / "cmu", **settings)


BASKETBALL = [f"06_{trial:02d}" for trial in range(2, 10)]
BREAK_DANCE = {"85_03": (300, 300, 213), "85_12": (300, 300, 300, 197)}


def test_the_clips_of_the_benchmark(benchmark: Built) -> None:
    clips = benchmark.tables["clips"]
    windows = [f"{clip}/{300 * number}" for clip, lengths in BREAK_DANCE.items() for number in range(len(lengths))]
    assert list(clips["id"]) == BASKETBALL + windows
    assert set(clips["source"]) == {"cmu"}
    assert list(clips["actor"]) == ["06"] * 8 + ["85"] * 7
    assert all(action.startswith("basketball - ") for action in clips["action"][:8])
    assert clips["source_fps"].tolist() == [60.0] * 8 + [30.0] * 7
    assert benchmark.report.clips_used == 10
    assert {skip.reason for skip in benchmark.report.skipped} == {"not selected"}
    assert [found.profile for found in benchmark.report.detections] == ["iclone"] * 8 + ["neo"] * 2


def test_windows_follow_each_other_without_a_gap(benchmark: Built) -> None:
    clips, lengths = benchmark.tables["clips"], benchmark.tables["sequences"]["length"]
    assert lengths.max() == 300
    assert lengths.min() >= 40
    for clip, expected in BREAK_DANCE.items():
        rows = [row for row, name in enumerate(clips["id"]) if name.startswith(clip)]
        assert tuple(lengths[rows]) == tuple(clips["source_frames"][rows]) == expected
        assert clips["source_start"][rows].tolist() == np.cumsum([0, *expected[:-1]]).tolist()
        ends = [benchmark.world(name, "Hips") for name in clips["id"][rows]]
        step = max(np.linalg.norm(np.diff(end, axis=0), axis=1).max() for end in ends)
        for before, after in pairwise(ends):
            assert np.linalg.norm(after[0] - before[-1]) < 2.0 * step  # the way is scaled about each window's own start


def test_durations_are_right(benchmark: Built, data_dir: Path) -> None:
    for clip in BASKETBALL:
        text = (data_dir / f"cmu/bvh-iclone/006/006_{clip[3:]}.bvh").read_text(encoding="latin-1")
        seconds = int(text.split("Frames:")[1].split()[0]) / 60.0
        frames = benchmark.sequence(clip)
        assert (frames.stop - frames.start) / 30.0 == pytest.approx(seconds, abs=1.5 / 30.0)


def test_players_stand_upright_on_the_floor(benchmark: Built) -> None:
    for clip in BASKETBALL:
        head, hips = benchmark.world(clip, "Head"), benchmark.world(clip, "Hips")
        toes = np.minimum(benchmark.world(clip, "LeftToesEnd")[:, 1], benchmark.world(clip, "RightToesEnd")[:, 1])
        assert (head[:, 1] - hips[:, 1] > 0.35).all()
        assert abs(np.percentile(toes, 10)) < 0.05
        assert (benchmark.world(clip, "LeftToesEnd")[:, 1] > -0.03).all()


def test_left_is_left_and_players_face_the_camera(benchmark: Built) -> None:
    """In the first frame the front camera sees a face: the left hip is on the right of the image, toes point to the camera."""
    for clip in BASKETBALL:
        left, right = (benchmark.joint(clip, f"{side}UpperLeg")[0] for side in ("Left", "Right"))
        assert left[0] - right[0] > 0.1
        for side in ("Left", "Right"):
            ahead = benchmark.world(clip, f"{side}ToesEnd") - benchmark.world(clip, f"{side}Foot")
            across = benchmark.world(clip, "LeftUpperLeg") - benchmark.world(clip, "RightUpperLeg")
            facing = np.cross(across, [0.0, 1.0, 0.0])
            assert ((ahead * facing).sum(axis=1) > 0).mean() > 0.9  # a foot may swing around in a turn
    assert benchmark.in_view.mean() > 0.99


def test_break_dancers_turn_upside_down_and_stay_above_the_floor(benchmark: Built) -> None:
    names = [name for name in benchmark.tables["clips"]["id"] if name.startswith("85")]
    head, hips = (np.concatenate([benchmark.world(name, joint)[:, 1] for name in names]) for joint in ("Head", "Hips"))
    assert (head < hips - 0.1).mean() > 0.02  # hand stands
    assert (head > hips + 0.3).mean() > 0.4
    lowest = np.concatenate([benchmark.positions[benchmark.sequence(name)] for name in names])
    assert np.isfinite(lowest).all()


# One trial in two formats -------------------------------------------------------------------------


def test_the_same_trial_as_amc_and_as_bvh_is_the_same_motion(data_dir: Path, tmp_path: Path) -> None:
    one = built(tmp_path / "amc", data_dir / "cmu/asfamc/01", source="cmu")
    other = built(tmp_path / "bvh", data_dir / "cmu/bvh-cgspeed", source="cmu")
    assert one.tables["sequences"]["length"].tolist() == other.tables["sequences"]["length"].tolist()
    for clip in one.tables["clips"]["id"]:
        for start, end, limit in (("UpperLeg", "LowerLeg", 1.0), ("LowerLeg", "Foot", 1.0), ("UpperArm", "LowerArm", 3.0), ("LowerArm", "Hand", 3.0)):
            for side in ("Left", "Right"):
                bones = [some.world(clip, side + end) - some.world(clip, side + start) for some in (one, other)]
                cosines = (bones[0] * bones[1]).sum(axis=1) / np.linalg.norm(bones[0], axis=1) / np.linalg.norm(bones[1], axis=1)
                assert np.degrees(np.arccos(np.clip(cosines, -1, 1))).mean() < limit
