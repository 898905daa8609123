"""Pictures as files: stills, GIF, MP4."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mocapgen.figures.canvas import Image
from mocapgen.figures.colours import Theme, palette
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from PIL.Image import Image as PaletteImage

GIF_DEFAULT, MP4_DEFAULT = 30.0, 60.0
"""Most frames per second unless more are asked for."""
GIF_FASTEST = 50.0
"""A GIF counts hundredths of a second, and programs play what lasts less than two of them slowly."""


def play(frames: Sequence[int], source_fps: float, fps: float) -> list[int]:
    """Return the frames to show so that `fps` of them a second play at the speed of the recording.

    Parameters
    ----------
    frames : sequence of int
        Consecutive frames of the clip.
    source_fps, fps : float
        Frames per second of the clip and of the animation; the latter not larger.

    Examples
    --------
    >>> play(range(7), 30.0, 12.0)
    [0, 2, 5]
    """
    count = max(1, math.floor(len(frames) * fps / source_fps + 0.5))
    return [frames[min(math.floor(k * source_fps / fps + 1e-9), len(frames) - 1)] for k in range(count)]


def gif_delays(count: int, fps: float) -> list[int]:
    """Return how long each of `count` frames lasts, hundredths of a second: rounded so that errors never add up.

    Examples
    --------
    >>> gif_delays(6, 30.0)
    [3, 4, 3, 3, 4, 3]
    """
    ends = [math.floor(100.0 * (k + 1) / fps + 0.5) for k in range(count)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def gif(path: Path, images: Iterable[Image], count: int, fps: float, theme: Theme) -> None:
    """Write a GIF that loops for ever.

    Parameters
    ----------
    path : Path
    images : iterable of (height, width, 3) uint8
    count : int
        How many there are.
    fps : float
        At most :data:`GIF_FASTEST`.
    theme : Theme
        Gives the palette: all frames have the same, without dither, so that nothing flickers.
    """
    from PIL import Image as pil

    colours = pil.new("P", (1, 1))
    colours.putpalette([value for colour in palette(theme) for value in colour])

    def reduced() -> Iterator[PaletteImage]:
        for image in images:
            yield pil.fromarray(image).quantize(palette=colours, dither=pil.Dither.NONE)

    delays = [10 * delay for delay in gif_delays(count, fps)]
    rest = reduced()
    first = next(rest)
    more = {"save_all": True, "append_images": rest} if count > 1 else {}
    first.save(path, format="GIF", duration=delays if count > 1 else delays[0], loop=0, optimize=True, disposal=1, **more)


def require_video() -> None:
    """Make sure that MP4 can be written.

    Raises
    ------
    ConfigError
        If PyAV is not installed.
    """
    try:
        import av  # noqa: F401
    except ImportError:
        raise ConfigError("out: .mp4 expects the package av (PyAV), which is not installed: pip install 'mocapgen[video]', or write .gif") from None


def mp4(path: Path, images: Iterable[Image], fps: float) -> None:
    """Write an H.264 video that browsers and slides play.

    Unlike all other files of this project its bytes are not always the same: the encoder (x264) differs from run to run at widths and heights
    that are no multiple of 16.

    Parameters
    ----------
    path : Path
        Ends in .mp4.
    images : iterable of (height, width, 3) uint8
        Width and height even, as this format wants them.
    fps : float
    """
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        video = None
        for image in images:
            if video is None:
                rate = Fraction(fps).limit_denominator(1001)
                video = container.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "medium", "threads": "1"})
                video.height, video.width = image.shape[:2]
                video.pix_fmt = "yuv420p"
            for packet in video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")):
                container.mux(packet)
        if video is not None:
            for packet in video.encode(None):
                container.mux(packet)
