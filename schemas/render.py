"""What ``mocapgen render`` can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from schemas.base import Model

STILLS = (".png", ".svg", ".pdf")
ANIMATIONS = (".gif", ".mp4")

SMALLEST, LARGEST = 64, 16_384
"""Least and most pixels of a picture's width and height."""

MOST_MOMENTS = 40
"""Frames of a filmstrip."""


class RenderConfig(Model):
    """A picture, an animation or a recording of what is in a dataset or predictions file."""

    out: Path | None = None
    """The file to write: .png, .svg, .pdf (still), .gif or .mp4 (moving). May be missing only with `rrd`."""
    rrd: Path | None = None
    """A recording for the Rerun viewer to write as well, or instead: .rrd."""
    clip: str | None = None
    """Id of the clip; by default the first one."""
    avatar: str | None = None
    """Who performs it; by default the first avatar of the clip."""
    camera: int = Field(default=0, ge=0)
    """Which of the clip's cameras looks on, from 0."""
    sheet: bool = False
    """A contact sheet: one thumbnail for each of many clips."""
    clips: tuple[str, ...] = ()
    """Clips of a contact sheet: ids or wildcards; empty means all."""
    actors: tuple[str, ...] = ()
    """Actors of a contact sheet; wildcards allowed; empty means all."""
    actions: tuple[str, ...] = ()
    """Actions of a contact sheet; wildcards allowed; empty means all."""
    avatars: tuple[str, ...] = ()
    """Avatars side by side, or of a contact sheet; wildcards allowed, `all` means all."""
    frame: int | None = Field(default=None, ge=0)
    """The frame of a still picture; by default the one whose pose is farthest from the first."""
    frames: str | None = None
    """Frames of a filmstrip, `0,10,20` or `0:60:10`; of an animation, a range: `20:80`."""
    count: int | None = Field(default=None, ge=1, le=MOST_MOMENTS)
    """A filmstrip of so many frames, evenly spaced from the first to the last."""
    size: tuple[int, int] | None = None
    """Width and height, pixels; by default what suits the picture."""
    dpi: int | None = Field(default=None, ge=20, le=1200)
    """Dots per inch, which set the size of text and lines: 150 by default, 90 in animations."""
    fps: float | None = Field(default=None, gt=0, le=240, allow_inf_nan=False)
    """Frames per second of an animation; by default the file's, but no more than 30 in a GIF and 60 in an MP4."""
    predictions: Path | None = None
    """A predictions file, to be drawn over the ground truth."""
    joint_names: bool = False
    """Write the joints' names beside them."""
    trail: tuple[str, ...] = ()
    """Joints whose path over the last second is drawn; names or wildcards."""
    theme: Literal["light", "dark"] = "light"
    """Colours for light or for dark surroundings."""
    overwrite: bool = False
    """Replace files that exist."""

    @model_validator(mode="after")
    def _check(self) -> RenderConfig:
        suffix = "" if self.out is None else self.out.suffix.lower()
        if self.out is None and self.rrd is None:
            raise ValueError("out: expected the file to write, found none")
        if self.out is not None and suffix not in STILLS + ANIMATIONS:
            raise ValueError(f"out: expected a name that ends in {', '.join(STILLS + ANIMATIONS)}, found {self.out.name!r}")
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
            (suffix in STILLS and self.fps is not None, "fps: a still picture has no frame rate; leave it out, or write .gif or .mp4"),
        )
        for broken, message in rules:
            if broken:
                raise ValueError(message)
