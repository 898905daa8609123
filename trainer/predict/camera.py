"""The camera that is assumed for a video without calibration, and the placement of a relative pose in front of a camera."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from schemas.conventions import CameraFrame
from schemas.predictions import PredictConfig
from trainer.predict.tracks import Array

TYPICAL_DEPTH = 4.0
"""Metres: depth of a person whose keypoints do not determine it."""
_NEAREST = 0.1
"""Metres: smallest depth at which a joint is placed."""


def assumed_intrinsics(image: Array, config: PredictConfig, frame: CameraFrame) -> Array:
    """Return fx, fy, cx, cy of a camera without calibration, (4,) float64, pixels.

    Parameters
    ----------
    image : (2,), pixels
        Width and height.
    config : PredictConfig
        With the focal length or the vertical field of view, if one is known. Without, the focal length is the diagonal of the image:
        a field of view of 53 degrees across it, as in Kissos et al., Beyond Weak Perspective for Monocular 3D Human Pose
        Estimation, ECCV workshops 2020, and CLIFF, ECCV 2022.
    frame : {"unity", "opencv"}
        fy is negative in the former, where y points up.
    """
    focal = float(np.hypot(*image)) if config.focal is None else config.focal
    if config.fov is not None:
        focal = 0.5 * image[1] / math.tan(math.radians(0.5 * config.fov))
    return np.array([focal, -focal if frame == "unity" else focal, 0.5 * image[0], 0.5 * image[1]])


def level_camera(intrinsics: Array, image: Array, frame: CameraFrame) -> dict[str, Any]:
    """Return the table of one level camera at the world's origin that looks along -z, so that a person who faces it faces +z."""
    focal_x, focal_y, centre_x, centre_y = intrinsics
    rotation = np.diag([1.0, 1.0 if frame == "unity" else -1.0, -1.0])
    return {
        "K": [[[focal_x, 0.0, centre_x], [0.0, focal_y, centre_y], [0.0, 0.0, 1.0]]],
        "R": rotation[None],
        "t": np.zeros((1, 3)),
        "width": [int(image[0])],
        "height": [int(image[1])],
        "rig": ["assumed"],
    }


def place(relative: Array, pixels: Array, weight: Array, intrinsics: Array) -> Array:
    """Return the translation that brings a pose over its keypoints.

    Frame by frame the translation t that minimises the weighted sum of (x + t_x - a (z + t_z))² + (y + t_y - b (z + t_z))², where
    (a, b) is the ray through a joint's pixel: linear least squares, t_x and t_y eliminated by hand.

    Parameters
    ----------
    relative : (T, J, 3), metres, axes of the camera frame
    pixels : (T, J, 2)
    weight : (T, J)
        Above 0.
    intrinsics : (T, 4), pixels

    Returns
    -------
    (T, 3) float64, metres, camera frame
        At a typical depth where all keypoints coincide; no joint comes to lie behind the camera.
    """
    weight = weight / weight.sum(axis=1, keepdims=True)
    rays = (pixels - intrinsics[:, None, 2:]) / intrinsics[:, None, :2]
    rest = rays * relative[..., 2:] - relative[..., :2]

    def mean(values: Array) -> Array:
        return np.einsum("tj,tjc->tc", weight, values)

    centre, mean_rest = mean(rays), mean(rest)
    spread = mean((rays - centre[:, None]) ** 2).sum(axis=1)
    common = -mean((rays - centre[:, None]) * (rest - mean_rest[:, None])).sum(axis=1)
    depth = np.where(spread > 1e-8, common / np.maximum(spread, 1e-8), TYPICAL_DEPTH)
    depth = np.maximum(depth, _NEAREST - relative[..., 2].min(axis=1))
    return np.concatenate([mean_rest + centre * depth[:, None], depth[:, None]], axis=1)
