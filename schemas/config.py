"""Settings of a build. The command line and ``--config build.yaml`` both end here."""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from schemas.base import LARGEST_SEED, MOST, Settings, wrong_dataset_name
from schemas.camera import ImageSize, RigName
from schemas.conventions import CameraFrame

DEFAULT_AVATARS = ("small_woman", "average_woman", "average_man", "tall_man", "child_10")

NOT_IN_FILE = frozenset({"root", "out", "table", "avatars", "workers", "cluster", "overwrite", "strict", "dry_run"})
"""Settings that name places or do not change what is built; left out of the file, so that it is the same everywhere."""

MOST_WORKERS = 1024
_LOCAL_CLUSTER = re.compile(r"local:(\d{1,9})")
_ADDRESS = re.compile(r"(\w+://)?[^\s/]+:\d{1,5}/?")


class BuildConfig(Settings):
    """The settings of ``mocapgen build``."""

    source: str = "hdm05"
    """Where the motion comes from."""
    root: Path | None = None
    """Folder or zip of the source; by default an environment variable names it, else it is the fetch folder."""
    out: Path | None = None
    """File to write; required except for a dry run."""
    format: Literal["amc", "c3d", "bvh", "npz"] | None = None
    """Read only files of this format; by default the source decides."""
    fps: float = Field(default=30.0, ge=0.01, le=1000)
    """Frames per second of the dataset; 30 is the published method's."""
    antialias: bool = False
    """Low-pass filter (zero phase) before the frame rate is reduced; off, as in the method."""
    min_frames: int = Field(default=40, ge=1, le=MOST)
    """Shorter clips are skipped; frames are counted after resampling. 40 is the method's."""
    max_frames: int = Field(default=300, ge=1, le=MOST)
    """Longer clips are skipped or split; frames are counted after resampling. 300 is the method's."""
    long: Literal["drop", "split"] = "drop"
    """Clips that are too long: skip them, or split them into windows."""
    select: Literal["one-per-actor", "all"] | None = None
    """`one-per-actor`: for each action the first usable clip of each actor (default of `hdm05` and `sample`, the method's rule); `all`: every
    clip (default of `cmu` and `folder`)."""
    actors: tuple[str, ...] = ()
    """Only these actors: names or wildcards."""
    actions: tuple[str, ...] = ()
    """Only these actions: names or wildcards."""
    categories: tuple[str, ...] = ()
    """Only these kinds of motion, such as `basketball`: names or wildcards (source `cmu`)."""
    pattern: str | None = None
    """Pattern of file names, such as `{actor}_{action}_{take}` (source `folder`)."""
    table: Path | None = None
    """CSV file that lists the clips: columns file, actor, action, take, fps (source `folder`)."""
    profile: str | None = None
    """Source profile of BVH files: a name, or the path of a YAML file; by default detected for each file."""
    lenient: bool = False
    """Repair or accept minor faults of BVH files, and the frames that are there of C3D files that were cut short; report them."""
    scale: float | None = Field(default=None, ge=1e-6, le=1000)
    """Length of one unit of BVH files, metres; by default from the profile, or from the size of the body."""
    up: Literal["y", "z"] | None = None
    """Axis of BVH and AMASS files that points up; by default from the profile, or from the pose of the body; z in AMASS."""
    marker_set: str | None = None
    """Marker set of C3D files: a name, or the path of a YAML file; by default the built-in one that fits best."""
    body_model: Path | None = None
    """Body model for AMASS files, or a folder of models: SMPL, SMPL+H or SMPL-X, licensed to you; by default the bones of an avatar."""
    subject: str | None = None
    """Use only this subject of C3D files that name their subjects; by default everybody, each as a clip of their own."""
    avatars: tuple[str, ...] = DEFAULT_AVATARS
    """Avatars to retarget to: names from `mocapgen skeletons`, or paths of JSON files."""
    camera: RigName = "front"
    """Camera rig: `front`, `orbit:N` or `random:N`."""
    image: ImageSize = ImageSize()
    """Image size, pixels."""
    fov: float = Field(default=60.0, gt=1, lt=179)
    """Vertical field of view, degrees; 60 is Unity's default."""
    camera_frame: CameraFrame = "unity"
    """Axes of the camera frame, and with them the handedness of everything stored."""
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)
    """Seed of the random camera rig and of the sample source."""
    workers: int = Field(default=0, ge=0, le=MOST_WORKERS)
    """Worker processes; 0: one for each processor core, 1: none besides the main process."""
    cluster: str | None = None
    """Build on a Dask cluster instead of `workers`: the address of its scheduler, such as `tcp://scheduler:8786`, or `local:N` for a cluster of N
    workers on this machine."""
    strict: bool = False
    """Stop with an error at the first damaged clip instead of skipping it."""
    overwrite: bool = False
    """Replace the output file if it exists."""
    dry_run: bool = False
    """Report what would be built without writing it."""

    @field_validator("cluster")
    @classmethod
    def _check_cluster(cls, text: str | None) -> str | None:
        local = _LOCAL_CLUSTER.fullmatch(text or "")
        if local and not 1 <= int(local[1]) <= MOST_WORKERS:
            raise ValueError(f"expected local:1 to local:{MOST_WORKERS}, found {text!r}")
        if text is not None and not local and not _ADDRESS.fullmatch(text):
            raise ValueError(f"expected local:N or the address of a Dask scheduler such as tcp://scheduler:8786, found {text!r}")
        return text

    @model_validator(mode="after")
    def _check(self) -> BuildConfig:
        if self.min_frames > self.max_frames:
            raise ValueError(f"min_frames ({self.min_frames}) must not exceed max_frames ({self.max_frames})")
        if self.out is None and not self.dry_run:
            raise ValueError("out: expected the path of the file to write (or a dry run)")
        if self.out is not None and (wrong := wrong_dataset_name(self.out)):
            raise ValueError(f"out: {wrong}")
        if self.cluster is not None and self.workers:
            raise ValueError(f"workers: expected none beside a cluster, which has workers of its own, found {self.workers}")
        if not self.avatars or len(set(self.avatars)) != len(self.avatars):
            raise ValueError("avatars: expected at least one, none of them twice")
        return self

    def recorded(self) -> dict[str, Any]:
        """Return the settings that determine the file's content, for its ``config`` attribute; the writer adds the avatars' names."""
        settings = self.model_dump(mode="json", exclude=set(NOT_IN_FILE))
        settings |= {"profile": self.profile and PurePath(self.profile).name}
        for name in ("marker_set", "body_model"):
            if (path := settings.pop(name)) is not None:
                settings[name] = PurePath(path).name
        return settings if self.subject is not None else {name: value for name, value in settings.items() if name != "subject"}
