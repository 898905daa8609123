"""One drawing surface whose unit is the pixel of the picture, y down; on matplotlib, without any window.

A three-dimensional scene is projected by ourselves and drawn as two-dimensional lines: that is what makes an animation take
milliseconds a frame, and the same code write PNG, SVG and PDF.
"""

from __future__ import annotations

import bisect
import contextlib
import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.figures.colours import Theme
from mocapgen.figures.viewpoint import Box
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.collections import LineCollection, PathCollection
    from matplotlib.image import AxesImage
    from matplotlib.text import Text

Image = NDArray[np.uint8]

_SETTINGS: Any = {"svg.hashsalt": "mocapgen", "svg.fonttype": "path", "pdf.fonttype": 42, "path.simplify": False}
_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""No clock and no version: the same picture is the same bytes."""


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Draw as this project wants to, whatever a user's matplotlibrc says; letters that the font lacks are boxes, without a warning.

    Raises
    ------
    ConfigError
        If matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        import matplotlib.style as style
    except ImportError:
        raise ConfigError("pictures: expected the package matplotlib, which is not installed: pip install 'mocapgen[report]'") from None
    with style.context("default"), mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


class Canvas:
    """A picture in the making; to be used within :func:`drawing`.

    Parameters
    ----------
    width, height : int, pixels
    dpi : int
        Dots per inch: how many pixels a point (1/72 inch) of text and lines is.
    theme : Theme
    """

    def __init__(self, width: int, height: int, dpi: int, theme: Theme) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.width, self.height, self.dpi, self.theme = width, height, dpi, theme
        self.point = dpi / 72.0
        """Pixels of a point."""
        # A hundredth of a pixel more, since the size in pixels is rounded down.
        self._figure = Figure(figsize=((width + 0.01) / dpi, (height + 0.01) / dpi), dpi=dpi, facecolor=theme.paper)
        self._surface = FigureCanvasAgg(self._figure)
        self._axes = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.set_axis_off()
        self._axes.set_xlim(0.0, width)
        self._axes.set_ylim(height, 0.0)
        self._moving: list[Artist] = []

    # Drawing --------------------------------------------------------------------------------------

    def _own(self, artist: Artist, layer: float, clip: Box | None, moving: bool) -> None:
        from matplotlib.transforms import Bbox, TransformedBbox

        artist.set_zorder(layer)
        if clip is not None:
            corners = Bbox([[clip.left, clip.top], [clip.right, clip.bottom]])
            artist.set_clip_box(TransformedBbox(corners, self._axes.transData))
        if moving:
            artist.set_animated(True)
            self._moving.append(artist)

    def lines(
        self, segments: Array, colours: str | Sequence[str], widths: float | Array, layer: float, *, clip: Box | None = None, moving: bool = False
    ) -> LineCollection:
        """Add lines, (N, K, 2) pixels of K points each; `widths` in pixels."""
        from matplotlib.collections import LineCollection

        found = LineCollection(segments, colors=colours, linewidths=np.asarray(widths) / self.point, capstyle="round", joinstyle="round")  # type: ignore[arg-type] # an array will do
        self._axes.add_collection(found, autolim=False)
        self._own(found, layer, clip, moving)
        return found

    def dots(
        self, points: Array, colours: Sequence[str], diameter: float, layer: float, *, clip: Box | None = None, moving: bool = False
    ) -> PathCollection:
        """Add dots at points, (N, 2) pixels; `diameter` in pixels."""
        found = self._axes.scatter(points[:, 0], points[:, 1], s=(diameter / self.point) ** 2, c=list(colours), linewidths=0)
        self._own(found, layer, clip, moving)
        return found

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str,
        *,
        align: str = "left",
        room: float | None = None,
        bold: bool = False,
        clip: Box | None = None,
        moving: bool = False,
    ) -> Text:
        """Add a line of text, vertically centred on y; `size` in points; letters for which there is no `room`, pixels, are left out."""
        found = self._axes.text(
            x,
            y,
            plain(text) if room is None else shortened(text, lambda part: self.width_of(part, size, bold) <= room),
            fontsize=size,
            color=colour,
            ha=align,
            va="center_baseline",
            fontweight="bold" if bold else "normal",
            parse_math=False,  # a name may hold dollar signs
        )
        self._own(found, 9.0, clip, moving)
        if clip is not None:
            found.set_clip_on(True)
        return found

    def width_of(self, text: str, size: float, bold: bool = False) -> float:
        """Return how many pixels wide a line of text is; `size` in points."""
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import text_to_path

        font = FontProperties(size=size, weight="bold" if bold else "normal")
        return self.point * float(text_to_path.get_text_width_height_descent(plain(text), font, ismath=False)[0])

    def image(self, box: Box, layer: float) -> AxesImage:
        """Add a picture that changes; give its pixels, (height, width, 3) uint8, to ``set_data``."""
        from matplotlib.image import AxesImage

        found = AxesImage(self._axes, extent=(box.left, box.right, box.bottom, box.top), origin="upper", interpolation="nearest")
        found.set_data(np.zeros((2, 2, 3), dtype=np.uint8))
        self._axes.add_image(found)
        self._own(found, layer, box, True)
        return found

    def rectangle(self, box: Box, fill: str, edge: str | None = None, layer: float = 0.0, clip: Box | None = None) -> None:
        """Add a rectangle, with an edge of one point or none."""
        from matplotlib.patches import Rectangle

        line = 0.0 if edge is None else 1.0
        found = Rectangle((box.left, box.top), box.width, box.height, facecolor=fill, edgecolor=edge or fill, linewidth=line)
        self._axes.add_patch(found)
        self._own(found, layer, clip, False)

    # Results --------------------------------------------------------------------------------------

    def pixels(self) -> Image:
        """Return the picture as it is now, (height, width, 3) uint8."""
        return next(self.animate([None]))

    def animate(self, steps: Iterable[Any]) -> Iterator[Image]:
        """Yield the picture, (height, width, 3) uint8, at each step; between steps, whoever yields them changes what moves."""
        self._surface.draw()  # type: ignore[no-untyped-call] # everything that does not move, once
        still = self._surface.copy_from_bbox(self._figure.bbox)  # type: ignore[no-untyped-call] # of matplotlib
        moving = sorted(self._moving, key=lambda artist: artist.get_zorder())
        for _ in steps:
            self._surface.restore_region(still)  # type: ignore[no-untyped-call]
            for artist in moving:
                self._axes.draw_artist(artist)
            buffer: Any = self._surface.buffer_rgba()  # type: ignore[no-untyped-call]
            yield np.ascontiguousarray(np.asarray(buffer)[..., :3])

    def file(self, format: str) -> bytes:
        """Return the picture as it is now as the content of a ``png``, ``svg`` or ``pdf`` file."""
        stream = io.BytesIO()
        self._figure.savefig(stream, format=format, dpi=self.dpi, metadata=_METADATA[format])
        return stream.getvalue()


def plain(text: str) -> str:
    """Return a name as one line of printable letters."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def shortened(text: str, fits: Callable[[str], bool]) -> str:
    """Return a name with as much of its middle left out as is needed until it fits."""
    text = plain(text)
    if fits(text):
        return text
    kept = bisect.bisect_left(range(len(text)), True, key=lambda letters: not fits(_without_middle(text, letters + 1)))
    return _without_middle(text, kept) if kept else ""


def _without_middle(text: str, letters: int) -> str:
    """Return a text with so many of its letters left, in two halves."""
    end = letters // 2
    return f"{text[: letters - end]}…{text[len(text) - end :]}"
