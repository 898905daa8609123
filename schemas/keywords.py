"""The settings of :class:`~schemas.config.BuildConfig` and :class:`~schemas.subset.SelectConfig` as keyword arguments.

For type checkers and editors: each setting may also be given as text, as on the command line. What the settings mean, their defaults and
limits stand in the models; a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypedDict

from schemas.camera import ImageSize
from schemas.conventions import CameraFrame
from schemas.inspection import Severity

Names = str | Sequence[str]
"""Names or wildcards: a sequence, or text with commas such as ``"walk,run*"``."""


class BuildSettings(TypedDict, total=False):
    """Keywords of ``mocapgen.build``: the fields of :class:`~schemas.config.BuildConfig`."""

    source: str
    root: str | Path | None
    out: str | Path | None
    format: Literal["amc", "c3d", "bvh", "npz"] | None
    fps: float
    antialias: bool
    min_frames: int
    max_frames: int
    long: Literal["drop", "split"]
    select: Literal["one-per-actor", "all"] | None
    actors: Names
    actions: Names
    categories: Names
    pattern: str | None
    table: str | Path | None
    profile: str | None
    lenient: bool
    scale: float | None
    up: Literal["y", "z"] | None
    marker_set: str | None
    body_model: str | Path | None
    subject: str | None
    avatars: Names
    camera: str
    image: str | tuple[int, int] | ImageSize
    fov: float
    camera_frame: CameraFrame
    seed: int
    workers: int
    cluster: str | None
    strict: bool
    overwrite: bool
    dry_run: bool


class SelectSettings(TypedDict, total=False):
    """Conditions on sequences as keywords: the fields of :class:`~schemas.subset.SelectConfig`."""

    clips: Names
    actors: Names
    actions: Names
    sources: Names
    avatars: Names
    cameras: Names
    min_frames: int | None
    max_frames: int | None
    limit: int | None
    without_findings: str | Path | None
    severity: Severity
    checks: Names
    whole_clips: bool
    invert: bool
