"""What a build is asked to do. The command line and ``--config build.yaml`` both end here."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any, Literal

from pydantic import Field, model_validator

from schemas.base import Model
from schemas.camera import ImageSize, RigName
from schemas.conventions import CameraFrame

DEFAULT_AVATARS = ("small_woman", "average_woman", "average_man", "tall_man", "child_10")

NOT_IN_FILE = frozenset({"root", "out", "table", "avatars", "workers", "overwrite", "strict", "dry_run"})
"""Settings that name places or do not change what is built; left out of the file, so that it is the same everywhere."""


class BuildConfig(Model):
    """Everything that ``mocapgen build`` can be told."""

    source: str = "hdm05"
    """Where the motion comes from: a registered source (`mocapgen build --help` lists them)."""
    root: Path | None = None
    """Folder or zip with the source's files; by default an environment variable, then the fetch folder."""
    out: Path | None = None
    """The file to write; may be missing only for a dry run."""
    format: Literal["amc", "c3d", "bvh"] | None = None
    """Read only files of this format; by default whatever the source prefers."""
    fps: float = Field(default=30.0, gt=0, le=1000, allow_inf_nan=False)
    """Frame rate of the dataset; 30 is the published method's."""
    antialias: bool = False
    """Low-pass filter (zero phase) before reducing the frame rate; off because the method takes frames as they are."""
    min_frames: int = Field(default=40, ge=1)
    """Shorter clips are left out; counted after resampling. 40 is the method's."""
    max_frames: int = Field(default=300, ge=1)
    """Longer clips are left out or split; counted after resampling. 300 is the method's."""
    long: Literal["drop", "split"] = "drop"
    """What to do with clips longer than max_frames: leave them out, or split them into windows."""
    select: Literal["one-per-actor", "all"] | None = None
    """`one-per-actor`: for every action the first usable clip of each actor (the method's rule, the default of `hdm05` and `sample`);
    or `all` clips (the default of `cmu`, the method's benchmark, and of `folder`, where nobody knows what is a repetition)."""
    actors: tuple[str, ...] = ()
    """Only these actors; wildcards allowed; empty means all."""
    actions: tuple[str, ...] = ()
    """Only these actions; wildcards allowed; empty means all."""
    categories: tuple[str, ...] = ()
    """Only these kinds of motion, such as `basketball` (source `cmu`); wildcards allowed; empty means all."""
    pattern: str | None = None
    """How file names are built, such as `{actor}_{action}_{take}` (source `folder`)."""
    table: Path | None = None
    """CSV that names the clips: columns file, actor, action, take, fps (source `folder`)."""
    profile: str | None = None
    """Name or path of the source profile by which BVH files are understood; by default found for each file."""
    lenient: bool = False
    """Mend or accept what can be mended or accepted in BVH files, and say so."""
    scale: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Metres in one unit of BVH files; by default from the profile or the body's size."""
    up: Literal["y", "z"] | None = None
    """Axis of BVH files that points up; by default from the profile or the body."""
    avatars: tuple[str, ...] = DEFAULT_AVATARS
    """Avatars to retarget to: names from `mocapgen skeletons`, or paths of JSON files."""
    camera: RigName = "front"
    """Camera rig: `front`, `orbit:N` or `random:N`."""
    image: ImageSize = ImageSize()
    """Image size in pixels."""
    fov: float = Field(default=60.0, gt=1, lt=179, allow_inf_nan=False)
    """Vertical field of view in degrees; 60 is Unity's default."""
    camera_frame: CameraFrame = "unity"
    """Axes of the camera frame and handedness of everything stored."""
    seed: int = Field(default=0, ge=0)
    """Seed of everything random (the `random` rig, the sample source)."""
    workers: int = Field(default=0, ge=0, le=1024)
    """Worker processes; 0 means one per processor core, 1 means none beside the main process."""
    strict: bool = False
    """End with an error at the first clip that cannot be used because something is wrong with it."""
    overwrite: bool = False
    """Replace the output file if it exists."""
    dry_run: bool = False
    """Report what would be built without writing anything."""

    @model_validator(mode="after")
    def _check(self) -> BuildConfig:
        if self.min_frames > self.max_frames:
            raise ValueError(f"min_frames ({self.min_frames}) must not exceed max_frames ({self.max_frames})")
        if self.out is None and not self.dry_run:
            raise ValueError("out: expected the path of the file to write (or a dry run)")
        if not self.avatars or len(set(self.avatars)) != len(self.avatars):
            raise ValueError("avatars: expected at least one, none of them twice")
        return self

    def recorded(self) -> dict[str, Any]:
        """Return the settings that determine the file's content, for its ``config`` attribute; the writer adds the avatars' names."""
        settings = self.model_dump(mode="json", exclude=set(NOT_IN_FILE))
        return settings | {"profile": self.profile and PurePath(self.profile).name}
