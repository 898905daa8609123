"""Checks of cameras: what they explain, and what they must not cry wolf at."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from mocapgen import BuildConfig, build
from mocapgen.inspect.checks import camera as checked
from mocapgen.inspect.run import inspect
from schemas.conventions import CAMERA_FRAMES, mirrored
from tests.inspect.planting import SEQUENCES, camera_of, viewed

SQUAT, WALK = SEQUENCES["squat"], SEQUENCES["walk"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda uv, size: uv * np.float32([1, -1]) + np.float32([0, size[1]]), "as if v were counted from the opposite edge"),
        (lambda uv, size: np.float32(size) - uv, "as if u and v were counted from the opposite edge"),
        (lambda uv, size: uv / np.float32(size), "shares of the image's width and height"),
        (lambda uv, size: (2 * uv - np.float32(size)) / np.float32(size[0]), "in the range -1 to 1"),
        (lambda uv, size: uv + np.float32([3, -2]), "shifted by (3.0, -2.0) px"),
        (lambda uv, size: uv * np.float32([0.5, 0.25]), "for an image 0.5 times as wide and 0.25 times as high"),
        (lambda uv, size: (uv - np.float32(size) / 2) * np.float32(1.5) + np.float32(size) / 2, "as if the focal length were 1403 x 1403 px"),
        (lambda uv, size: uv + np.float32(np.random.default_rng(1).normal(0, 20, uv.shape)), "frames"),
    ],
    ids=["y up", "upside down", "shares", "-1 to 1", "shifted", "scaled", "lens", "noise"],
)
def test_usual_mistakes_with_pixels_are_told(stage: h5py.File, change, reason: str) -> None:
    view = viewed(stage, WALK)
    camera = view.row.camera
    (finding,) = checked.projection(viewed(stage, WALK, positions_2d=change(view.row["positions_2d"], (camera.width, camera.height))))
    assert finding.message.endswith(reason) or reason in finding.message.rpartition(": ")[2]


def test_swapped_pixels_are_told(stage: h5py.File) -> None:
    view = viewed(stage, SQUAT)
    names = list(view.skeleton.names)
    pixels = view.row["positions_2d"][:, [names.index(mirrored(name)) for name in names]]
    (finding,) = checked.projection(viewed(stage, SQUAT, positions_2d=pixels))
    assert "left and right were swapped" in finding.message


def test_a_joint_in_the_plane_of_the_camera_has_no_pixels_and_that_is_fine(stage: h5py.File) -> None:
    view = viewed(stage, SQUAT)
    positions, pixels, flags = (np.array(view.row[name]) for name in ("positions_3d", "positions_2d", "in_view"))
    positions[5, 3, 2], pixels[5, 3], flags[5, 3] = 0.0, np.nan, False
    with np.errstate(all="ignore"):
        view = viewed(stage, SQUAT, positions_3d=positions, positions_2d=pixels, in_view=flags)
        assert list(checked.projection(view)) == list(checked.in_view(view)) == []
        assert [finding.frame for finding in checked.behind(view)] == [5]


def test_a_joint_on_the_edge_of_the_image_may_be_either(stage: h5py.File) -> None:
    camera = camera_of(stage, SQUAT)
    seen = viewed(stage, SQUAT)
    pixels, flags = np.array(seen.row["positions_2d"]), np.array(seen.row["in_view"])
    pixels[0, 0], pixels[0, 1] = (camera.width + 0.01, 5.0), (camera.width - 0.01, 5.0)
    for either in (True, False):
        flags[0, :2] = either
        assert list(checked.in_view(viewed(stage, SQUAT, positions_2d=pixels, in_view=flags))) == []


@pytest.fixture(scope="module", params=CAMERA_FRAMES)
def orbit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One squat of two avatars before eight cameras all round."""
    path = tmp_path_factory.mktemp("orbit") / "orbit.h5"
    who = {"actors": ("sa",), "actions": ("squat", "kick"), "avatars": ("average_man", "child_10")}
    build(BuildConfig(source="sample", camera="orbit:8", camera_frame=request.param, out=path, workers=1, **who))
    return path


def test_cameras_all_round_have_no_finding(orbit: Path) -> None:
    assert inspect(orbit, select="camera,kinematics,motion", threshold="info", workers=1).findings == ()


def test_two_cameras_of_one_performance_swapped(orbit: Path) -> None:
    with h5py.File(orbit, "r+") as file:
        cameras = file["/sequences/camera"][:]
        file["/sequences/camera"][2:4] = cameras[[3, 2]]
    found = inspect(orbit, select="camera.same_world", workers=1).findings
    assert {finding.sequence for finding in found} == {2, 3}
    with h5py.File(orbit, "r+") as file:
        file["/sequences/camera"][:] = cameras
