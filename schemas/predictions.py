"""The predictions file: 3D poses that a model predicted from 2D keypoints or from the projections in a dataset file.

A sibling of the dataset file (``schemas/dataset.py``): tables, axes and arrays of the same name mean the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from schemas.base import Model, Settings
from schemas.dataset import LAYOUT, Array, Layout

PREDICTIONS_FORMAT = "mocapgen-predictions"
PREDICTIONS_VERSION = "1.0"

ASSUMED, FOUND = "assumed", "found"
"""Rigs of the camera that ``trainer predict`` takes for keypoints: at the world's origin, the floor unknown; and above a floor at y = 0."""

CONVENTIONS = ("length", "time", "world_frame", "camera_frame", "camera_axes", "camera_transform", "projection", "pixels", "joint_position")
"""Those of :func:`schemas.conventions.file_conventions` that concern predictions."""

PREDICTIONS_LAYOUT = Layout(
    arrays=(
        Array(
            path="/frames/positions_3d",
            dtype="f4",
            shape=("F", "J", 3),
            unit="metres, camera frame",
            meaning="Where the model puts each joint; NaN in frames of no sequence.",
        ),
        Array(
            path="/frames/positions_2d",
            dtype="f4",
            shape=("F", "J", 2),
            unit="pixels",
            meaning="What it was made from, at the file's frame rate; NaN where a joint was not seen.",
        ),
        Array(
            path="/frames/confidence",
            dtype="f4",
            shape=("F", "J"),
            unit="0 to 1",
            meaning="The detector's confidence in the 2D joint; 0 where it was not seen and the 3D joint is the model's guess.",
        ),
        Array(path="/sequences/start", dtype="i8", shape=("S",), unit="row of /frames", meaning="First frame of the sequence."),
        Array(path="/sequences/length", dtype="i4", shape=("S",), unit="frames", meaning="Number of frames of the sequence."),
        Array(path="/sequences/name", dtype="str", shape=("S",), unit="-", meaning="Unique name of the sequence."),
        Array(path="/sequences/clip", dtype="str", shape=("S",), unit="-", meaning="Id of the clip in the dataset, or stem of the keypoints' file."),
        Array(path="/sequences/actor", dtype="str", shape=("S",), unit="-", meaning="Who was recorded; empty if unknown."),
        Array(path="/sequences/action", dtype="str", shape=("S",), unit="-", meaning="Motion class; empty if unknown."),
        Array(path="/sequences/avatar", dtype="str", shape=("S",), unit="-", meaning="Who performs it; empty if unknown."),
        Array(path="/sequences/camera", dtype="i4", shape=("S",), unit="row of /cameras", meaning="The camera that looks on."),
        *(array for array in LAYOUT.arrays if array.path.startswith(("/cameras/", "/joint_sets/"))),
    )
)
"""Every array of a predictions file; F frames, S sequences, M cameras, J joints, N joints of a joint set; one set has them all (N = J)."""


class PredictConfig(Settings):
    """Settings of ``trainer predict`` for keypoints and videos."""

    detector: str | None = None
    """What finds the keypoints in a video; by default `mediapipe`."""
    detector_model: Path | None = Field(default=None, exclude=True)
    """File with the detector's weights; by default what comes with it, or is fetched once."""
    keypoints_out: Path | None = Field(default=None, exclude=True)
    """File to keep the keypoints of a video in: .json, which can be given in place of the video."""
    layout: str | None = None
    """Joint layout of the detector, such as `coco17` (docs/predictions.md lists them); by default what the file or the body's proportions tell."""
    fps: float | None = Field(default=None, ge=0.01, le=1000)
    """Frames per second of the video; by default as the file says."""
    image: tuple[int, int] | None = None
    """Image size, pixels; by default as the file says."""
    focal: float | None = Field(default=None, ge=1, le=1e7)
    """Focal length of the camera, pixels; by default the diagonal of the image."""
    fov: float | None = Field(default=None, gt=1, lt=179)
    """Vertical field of view, degrees, instead of the focal length."""
    min_confidence: float = Field(default=0.1, ge=0, lt=1)
    """Joints with a lower confidence are treated as missing."""
    gap: float = Field(default=0.25, ge=0, le=60)
    """Longest gap, seconds, over which a missing joint is interpolated and a person who is not detected keeps the track."""
    person: str = Field(default="largest", pattern=r"^(largest|all|[1-9][0-9]{0,3})$")
    """Whom to lift where there are several people: `largest`, a number in the order of their size, or `all`, one sequence each."""
    pitch: float | None = Field(default=None, ge=-89, le=89)
    """Degrees by which the camera looks down (below 0: up); by default found from the person and the floor."""
    height: float | None = Field(default=None, ge=0.4, le=2.6)
    """Height of the person, metres; by default as the model sees it. Distances follow."""
    to_pixels: bool = True
    """Move joints that are seen clearly a third of the way to their pixels."""
    smooth: float = Field(default=1.0, ge=0, le=4)
    """Smooth poses and paths, without lag: 0 not at all, 1 as was measured to be best, 2 twice as slow a motion."""
    bone_lengths: bool = True
    """Give each person bones of constant length, the same on both sides."""
    floor: bool = True
    """Find the floor and the camera's pitch, and put the person on it; without, the camera is at the world's origin."""
    hold_feet: bool = True
    """Hold planted feet in place; the legs follow."""
    causal: bool = False
    """Let no frame depend on a later one, as in live use; requires a causal model."""

    @model_validator(mode="after")
    def _check(self) -> PredictConfig:
        if self.focal is not None and self.fov is not None:
            raise ValueError("expected a focal length or a field of view, found both")
        if self.image is not None and not all(1 <= size <= 65536 for size in self.image):
            raise ValueError(f"image: expected a width and a height of 1 to 65536 pixels, found {self.image[0]} x {self.image[1]}")
        return self


class PredictionAttributes(Model):
    """Attributes of the file itself."""

    format: Literal["mocapgen-predictions"]
    """Always the same: says that this is a file of this schema."""
    schema_version: str
    """Major.minor; readers refuse a newer major version."""
    generator: str
    """Program and version that wrote the file."""
    fps: float
    """Frames per second: the rate at which the model was trained."""
    conventions: str
    """JSON object: each convention as a sentence (see schemas.conventions.file_conventions)."""
    model: str
    """JSON object: the model's card."""
    root: Literal["predicted", "placed"]
    """Where the root's position comes from: the model (target `absolute`), or the place at which the pose best covers its keypoints."""
    source: str
    """JSON object: name and sha256 of the file the prediction was made from, what was assumed, and the settings."""
