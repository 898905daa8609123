"""Camera rigs: everything in view, and random only by the seed and the clip; points outside are flagged, never altered."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mocapgen.cameras.camera import Camera, CameraPlacement
from mocapgen.cameras.rigs import parse_rig, place_cameras
from schemas.config import BuildConfig
from schemas.conventions import CameraFrame
from schemas.errors import ConfigError


def cameras(points: Any, rig: str, clip: str = "clip", azimuth: float = 0.0, **changes: Any) -> tuple[Camera, ...]:
    config = BuildConfig.model_validate({"source": "sample", "dry_run": True, "camera": rig, **changes})
    return place_cameras(points, np.array([math.sin(azimuth), 0.0, math.cos(azimuth)]), config, clip)


def cloud(seed: int, count: int, spread: float) -> Any:
    return np.random.default_rng(seed).normal(size=(count, 3)) * [spread, 0.6, spread] + [3.0, 1.0, -2.0]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 40),
    spread=st.sampled_from([0.0, 0.5, 8.0]),
    rig=st.sampled_from(["front", "orbit:1", "orbit:5", "random:3"]),
    azimuth=st.floats(-4, 4),
    fov=st.floats(5, 150),
    size=st.sampled_from([(1920, 1080), (200, 1000)]),
    frame=st.sampled_from(["unity", "opencv"]),
)
def test_everything_is_in_view(seed, count, spread, rig, azimuth, fov, size, frame) -> None:
    points = cloud(seed, count, spread)
    image = {"width": size[0], "height": size[1]}
    for camera in cameras(points, rig, azimuth=azimuth, fov=fov, image=image, camera_frame=frame):
        seen = camera.to_camera(points)
        assert camera.in_view(seen, camera.project(seen)).all()
        np.testing.assert_allclose(camera.R @ camera.R.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(camera.R) == pytest.approx(-1 if frame == "unity" else 1)


def position(camera: Camera) -> Any:
    return -camera.R.T @ camera.t


@pytest.mark.parametrize("frame", ["unity", "opencv"])
def test_the_centre_and_what_opencv_makes_of_a_camera(frame: CameraFrame) -> None:
    camera = Camera.of(CameraPlacement(np.array([1.0, 2.0, 3.0]), np.array([0.6, 0.0, -0.8]), 1.0, "test"), 640, 480, frame)
    np.testing.assert_allclose(camera.centre, [1.0, 2.0, 3.0], atol=1e-12)
    other = camera.to_opencv()
    assert (other.frame, other.width, other.height, other.rig) == ("opencv", 640, 480, "test")
    assert np.linalg.det(other.R) == pytest.approx(1.0)
    points = camera.centre + np.random.default_rng(1).normal(size=(20, 3)) + [3.0, 0.0, -4.0]
    pixels, _ = cv2.projectPoints(points, cv2.Rodrigues(other.R)[0], other.t, other.K, None)
    np.testing.assert_allclose(pixels[:, 0], camera.project(camera.to_camera(points)), atol=1e-6)


def test_front_and_orbit_go_round_from_the_actors_front_to_the_left() -> None:
    points = cloud(1, 50, 0.5)
    (front,), orbit = cameras(points, "front"), cameras(points, "orbit:4")
    np.testing.assert_allclose(position(front), position(orbit[0]))
    centre = 0.5 * (points.min(axis=0) + points.max(axis=0))
    away = np.stack([(position(camera) - centre) / np.linalg.norm(position(camera) - centre) for camera in orbit])
    np.testing.assert_allclose(away, [[0, 0, 1], [1, 0, 0], [0, 0, -1], [-1, 0, 0]], atol=1e-12)
    assert [camera.rig for camera in (front, *orbit)] == ["front", "orbit:4/0", "orbit:4/1", "orbit:4/2", "orbit:4/3"]


def test_random_is_the_same_for_the_same_seed_and_clip_and_differs_otherwise() -> None:
    points = cloud(2, 30, 0.5)

    def placed(clip: str, seed: int) -> Any:
        return np.stack([position(camera) for camera in cameras(points, "random:4", clip, seed=seed)])

    np.testing.assert_array_equal(placed("a", 0), placed("a", 0))
    for other in (placed("b", 0), placed("a", 1)):
        assert np.linalg.norm(placed("a", 0) - other, axis=1).min() > 0.01
    focal = {camera.K[0, 0] for camera in cameras(points, "random:4")}
    assert len(focal) == 4


@pytest.mark.parametrize("text", ["front:2", "nowhere", "base"])
def test_rigs_that_there_are_not(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^camera: "):
        cameras(cloud(0, 3, 1.0), text)


def test_counts() -> None:
    assert parse_rig("orbit:8") == ("orbit", 8)
    assert parse_rig("front") == ("front", 1)


@pytest.mark.parametrize("frame", ["unity", "opencv"])
def test_points_outside_are_flagged_and_projected_by_the_same_formula(frame: Any) -> None:
    camera = Camera.of(CameraPlacement(np.zeros(3), np.array([0.0, 0.0, -1.0]), math.radians(60), "test"), 640, 480, frame)
    world = np.array([[0.0, 0.0, -2.0], [0.0, 0.0, 2.0], [9.0, 0.0, -2.0], [0.0, 9.0, -2.0], [1.0, 0.0, 0.0], [0.3, 0.2, -2.0]])
    seen = camera.to_camera(world)
    pixels = camera.project(seen)
    assert camera.in_view(seen, pixels).tolist() == [True, False, False, False, False, True]
    np.testing.assert_allclose(camera.to_camera(world) @ camera.R + position(camera), world, atol=1e-12)
    focal = 240 / math.tan(math.radians(30))
    depth = -world[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.stack([focal * world[:, 0] / depth + 320, -focal * world[:, 1] / depth + 240], axis=-1)
    expected[4] = np.nan  # in the camera's own plane
    np.testing.assert_allclose(pixels, expected, atol=1e-9)
