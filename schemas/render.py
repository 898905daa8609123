"""Settings of ``mocapgen render``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from schemas.base import MOST, Settings

STILLS = (".png", ".svg", ".pdf")
ANIMATIONS = (".gif", ".mp4")
EXPORTED = (".bvh", ".glb", ".gltf", ".trc", ".csv", ".npz", ".parquet")
"""What `mocapgen export` writes, and people look for here."""

SMALLEST, LARGEST = 64, 16_384
"""Least and most pixels of a picture's width and height."""

MOST_MOMENTS = 40
"""Frames of a filmstrip."""


class RenderConfig(Settings):
    """A picture, an animation or a recording of what is in a dataset or predictions file."""

    out: Path | None = None
    """File to write: .png, .svg or .pdf (still), .gif or .mp4 (animation)."""
    rrd: Path | None = None
    """Recording for the Rerun viewer to write in addition, or instead: .rrd."""
    clip: str | None = None
    """The clip; by default the first."""
    avatar: str | None = None
    """The avatar; by default the clip's first."""
    camera: int = Field(default=0, ge=0, le=MOST)
    """Number of the clip's camera, from 0."""
    sheet: bool = False
    """Draw a contact sheet: one thumbnail for each clip."""
    clips: tuple[str, ...] = ()
    """Only these clips in a contact sheet: ids or wildcards."""
    actors: tuple[str, ...] = ()
    """Only these actors in a contact sheet: names or wildcards."""
    actions: tuple[str, ...] = ()
    """Only these actions in a contact sheet: names or wildcards."""
    avatars: tuple[str, ...] = ()
    """Avatars side by side, or in a contact sheet: names or wildcards, or `all`."""
    frame: int | None = Field(default=None, ge=0, le=MOST)
    """Frame of a still picture; by default the one whose pose differs most from the first."""
    frames: str | None = None
    """Frames of a filmstrip (`0,10,20` or `0:60:10`), or the range of an animation (`20:80`)."""
    count: int | None = Field(default=None, ge=1, le=MOST_MOMENTS)
    """Number of evenly spaced frames of a filmstrip."""
    size: tuple[int, int] | None = None
    """Size of the picture, pixels; by default by its content."""
    dpi: int | None = Field(default=None, ge=20, le=1200)
    """Dots per inch: the size of text and lines; by default 150, in animations 90."""
    fps: float | None = Field(default=None, ge=0.01, le=240)
    """Frames per second of an animation; by default the file's, at most 30 in a GIF and 60 in an MP4."""
    predictions: Path | None = None
    """Predictions file to draw over the ground truth."""
    video: Path | None = None
    """Video that the predictions were made from, to draw them on it: keypoints and re-projected 3D, 3D beside it."""
    joint_names: bool = False
    """Label the joints with their names."""
    trail: tuple[str, ...] = ()
    """Joints whose path over the last second is drawn: names or wildcards."""
    theme: Literal["light", "dark"] = "light"
    """Colours: on a light or on a dark background."""
    overwrite: bool = False
    """Replace files that exist."""

    @model_validator(mode="after")
    def _check(self) -> RenderConfig:
        suffix = "" if self.out is None else self.out.suffix.lower()
        if self.out is None and self.rrd is None:
            raise ValueError("out: expected the file to write, found none")
        if self.out is not None and suffix not in STILLS + ANIMATIONS:
            advice = "; `mocapgen export` writes motion and tables" if suffix in EXPORTED else ""
            raise ValueError(f"out: expected a name that ends in {', '.join(STILLS + ANIMATIONS)}, found {self.out.name!r}{advice}")
        if self.rrd is not None and self.rrd.suffix.lower() != ".rrd":
            raise ValueError(f"rrd: expected a name that ends in .rrd, found {self.rrd.name!r}")
        if self.size is not None and not all(SMALLEST <= side <= LARGEST for side in self.size):
            raise ValueError(f"size: expected a width and a height of {SMALLEST} to {LARGEST} pixels, found {self.size[0]}x{self.size[1]}")
        self._check_combination(suffix)
        return self

    def _check_combination(self, suffix: str) -> None:
        """Refuse settings that contradict each other."""
        many = self.clips or self.actors or self.actions
        moments = [name for name in ("frame", "frames", "count") if getattr(self, name) is not None]
        rules: tuple[tuple[object, str], ...] = (
            (self.avatar and self.avatars, "avatar: expected one of avatar and avatars, found both"),
            (self.sheet and self.clip is not None, "clip: a sheet is of many clips; choose them with clips, actors and actions"),
            (self.sheet and (self.predictions or self.rrd), "sheet: takes no predictions and no rrd; leave them out"),
            (self.sheet and moments and suffix in STILLS, "sheet: chooses its frames itself; leave frame, frames and count out"),
            (many and not self.sheet, "clips, actors and actions choose the clips of a sheet; add sheet, or name one clip with clip"),
            (len(moments) > 1, f"{' and '.join(moments)}: expected one of them, found {len(moments)}"),
            (self.avatars and (self.frames or self.count) and suffix in STILLS, "avatars: a filmstrip is of one avatar; name it with avatar"),
            (
                suffix in ANIMATIONS and (self.frame is not None or self.count is not None),
                "frames: an animation shows all frames, or those of a range START:STOP; leave frame and count out",
            ),
            (
                self.video is not None and suffix != ".mp4",
                "video: expected a name that ends in .mp4 in out, as a video is written; give another one, or leave video out",
            ),
            (
                self.video is not None and (self.sheet or self.avatars or self.predictions or self.frames or self.fps or self.rrd or self.clip),
                "video: is drawn whole, at its own rate; leave sheet, avatars, predictions, frames, fps, clip and rrd out",
            ),
            (suffix in STILLS and self.fps is not None, "fps: a still picture has no frame rate; leave it out, or write .gif or .mp4"),
        )
        for broken, message in rules:
            if broken:
                raise ValueError(message)
