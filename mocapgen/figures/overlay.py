"""A video with what was predicted from it: keypoints and re-projected 3D on its pictures, the 3D from two sides beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.figures.canvas import Canvas, Image
from mocapgen.figures.colours import Theme
from mocapgen.figures.drawn_sequence import DrawnSequence, Poses, read_sequence
from mocapgen.figures.panels import Details, Stick, WorldPanel
from mocapgen.figures.viewpoint import Box, direction, fit, level_direction, robust_bounds
from mocapgen.shared.video import Video
from mocapgen.store.predictions import Predictions
from mocapgen.view.backdrop import start_times
from schemas.errors import ConfigError, DatasetError

MARGIN, HEADER, GAP = 9.0, 22.0, 6.0
"""Around everything, above the panels, between them: points."""
LEAST, MOST = 240, 720
"""Height of the video in the picture, pixels, unless a size is asked for."""
_SIDE = 0.62
"""Width of the panels beside it, in heights of the video."""
VIDEO, KEYPOINTS = 0.5, 3.5


@dataclass(frozen=True, eq=False)
class Shown:
    """One sequence of the predictions, by the frames of the video.

    Parameters
    ----------
    sequence : DrawnSequence
        As many frames as the video; NaN in those that it does not cover. Its pixels are those of the re-projected 3D.
    keypoints : (T, J, 2) float64, pixels of the camera
    """

    sequence: DrawnSequence
    keypoints: Array


def overlay_fps(video: Video) -> float:
    """Return the frames per second of the picture: those of the video."""
    return video.fps or 25.0


def read_shown(data: Predictions, video: Video) -> list[Shown]:
    """Return all sequences of a predictions file by the frames of the video.

    Parameters
    ----------
    data : Predictions
    video : Video

    Raises
    ------
    DatasetError
        If there is nothing to draw.
    """
    if not len(data):
        raise DatasetError(f"{data.path}: expected at least one sequence to draw, found none")
    fps = overlay_fps(video)
    starts = start_times(data)
    end = max(start + data[number].length / data.fps for number, start in enumerate(starts))
    count = max(math.ceil(end * fps), 1) + 2  # the last one shows nobody, for all that comes after
    return [_shown(read_sequence(data, data[number]), start, fps, count) for number, start in enumerate(starts)]


def _shown(found: DrawnSequence, start: float, fps: float, count: int) -> Shown:
    at = (np.arange(count) / fps - start) * found.fps
    world, keypoints = _resampled(found.poses.world, at), _resampled(found.poses.pixels, at)
    with np.errstate(invalid="ignore"):
        seen = found.camera.to_camera(world)
        pixels = found.camera.project(np.where(seen[..., 2:] > 0.01, seen, np.nan))
    return Shown(replace(found, fps=fps, poses=Poses(found.poses.tree, world, pixels)), keypoints)


def _resampled(values: Array, at: Array) -> Array:
    """Return values (T, ...) at places between frames: linear, or as in the nearest frame if the other one has none; NaN outside."""
    last = len(values) - 1
    inside = (at > -0.5) & (at < last + 0.5)
    at = np.clip(at, 0, last)
    before = np.floor(at).astype(int)
    share = (at - before).reshape(-1, *[1] * (values.ndim - 1))
    low, high = values[before], values[np.minimum(before + 1, last)]
    nearest = np.where(share < 0.5, low, high)
    between = np.where(np.isfinite(low) & np.isfinite(high), (1 - share) * low + share * high, nearest)
    return np.where(inside.reshape(-1, *[1] * (values.ndim - 1)), between, np.nan)


# The picture --------------------------------------------------------------------------------------


class Overlay:
    """The panels of one video.

    Parameters
    ----------
    canvas : Canvas
        As large as :func:`size_of` says, or as asked for.
    video : Video
    shown : list of Shown
    details : Details
    """

    def __init__(self, canvas: Canvas, video: Video, shown: list[Shown], details: Details) -> None:
        self._canvas, self._video, self._shown = canvas, video, shown
        self._box, sides = _boxes(canvas, video.width / video.height)
        self.size = int(self._box.width), int(self._box.height)
        self._image = canvas.image(self._box, VIDEO)
        camera = shown[0].sequence.camera
        self._scale = np.array([self._box.width / camera.width, self._box.height / camera.height])
        self._figures = [self._sticks(one) for one in shown]
        self._worlds = [self._world(box, turn, details) for box, turn in zip(sides, (0.0, 90.0), strict=True)]
        self._words(sides)
        self._clock = canvas.text(self._box.left, canvas.height - 0.7 * MARGIN * canvas.point, "", 7.0, canvas.theme.faint, moving=True)

    def _sticks(self, one: Shown) -> tuple[Stick, Stick]:
        """Return the keypoints, in one colour, and the re-projected 3D, in those of the sides."""
        tree, canvas = one.sequence.poses.tree, self._canvas
        usable = one.sequence.poses.pixels[np.isfinite(one.sequence.poses.pixels).all(axis=(1, 2))]
        extent = self._scale[0] * float(np.median(np.ptp(usable[..., 1], axis=1))) if len(usable) else 0.0
        width = float(np.clip(0.012 * extent, 1.0 * canvas.point, 3.0 * canvas.point))
        under = Stick(canvas, tree, width, self._box, plain=canvas.theme.truth, layer=KEYPOINTS, moving=True)
        return under, Stick(canvas, tree, width, self._box, moving=True)

    def _world(self, box: Box, turn: float, details: Details) -> WorldPanel:
        people = [(one.sequence, np.zeros(3)) for one in self._shown]
        world = np.concatenate([sequence.poses.world for sequence, _ in people])
        low, high = robust_bounds(world)
        floor = min(sequence.floor for sequence, _ in people)
        points = np.array([[x, y, z] for x in (low[0], high[0]) for y in (min(floor, low[1]), high[1]) for z in (low[2], high[2])])
        towards = level_direction(self._shown[0].sequence.camera.centre - 0.5 * (low + high))
        viewpoint = fit(points, box.inset(0.08 * min(box.width, box.height)), direction(towards, turn, 8.0), distance=6.0)
        panel = WorldPanel(self._canvas, box, people, viewpoint, details, moving=True)
        panel.draw_ground(low - 0.4, high + 0.4, floor)
        return panel

    def _words(self, sides: list[Box]) -> None:
        canvas, theme = self._canvas, self._canvas.theme
        x, y = self._box.left, (MARGIN + 0.4 * HEADER) * canvas.point
        for word, colour in (("keypoints (yellow)", theme.faint), ("3D, left", theme.left), ("right", theme.right)):
            canvas.text(x, y, word, 8.0, colour, bold=True)
            x += canvas.width_of(word, 8.0, bold=True) + 8.0 * canvas.point
        for box, word in zip(sides, ("from the camera's side", "from the right of the picture"), strict=True):
            canvas.text(box.left + 7.0 * canvas.point, box.top + 9.0 * canvas.point, word, 7.0, theme.faint, room=box.width)

    def images(self) -> Iterator[Image]:
        """Yield the picture, (height, width, 3) uint8, of each frame."""
        return self._canvas.animate(self._steps())

    def _steps(self) -> Iterator[None]:
        fps, last = overlay_fps(self._video), len(self._shown[0].keypoints) - 1
        for frame, image in enumerate(_at_rate(self._video, self.size, fps)):
            self._image.set_data(image)
            moment = min(frame, last)
            for one, (under, over) in zip(self._shown, self._figures, strict=True):
                under.show(self._placed(one.keypoints[moment]))
                over.show(self._placed(one.sequence.poses.pixels[moment]))
            for world in self._worlds:
                world.show(moment)
            self._clock.set_text(f"frame {frame}   {frame / fps:.2f} s")
            yield None

    def _placed(self, pixels: Array) -> Array:
        return pixels * self._scale + [self._box.left, self._box.top]


def _at_rate(video: Video, size: tuple[int, int], fps: float) -> Iterator[Image]:
    """Yield the picture that is shown at each time k / fps, from the first to the last of the video."""
    frame, held = 0, None
    for picture in video.pictures(size):
        while held is not None and picture.time > (frame + 0.5) / fps:
            yield held
            frame += 1
        held = picture.image
    if held is not None:
        yield held


def size_of(video: Video, dpi: int) -> tuple[int, int]:
    """Return width and height of the whole picture, pixels, for a video in its own size where that is neither small nor large."""
    point = dpi / 72.0
    height = min(max(video.height, LEAST), MOST)
    width = height * video.width / video.height + _SIDE * height
    return round(width + (2 * MARGIN + GAP) * point), round(height + (2.4 * MARGIN + HEADER) * point)


def _boxes(canvas: Canvas, shape: float) -> tuple[Box, list[Box]]:
    """Return where the video goes, in whole pixels, and the two views beside it."""
    margin, gap, top = MARGIN * canvas.point, GAP * canvas.point, (MARGIN + HEADER) * canvas.point
    room = canvas.width - 2 * margin - gap
    height = min(canvas.height - top - 1.4 * margin, room / (shape + _SIDE))
    if height * min(shape, _SIDE) < 16:
        raise ConfigError(f"size: expected a picture large enough for the video, found {canvas.width} x {canvas.height}; leave size=... out")
    video = Box(round(margin), round(top), round(height * shape), round(height))
    left = video.right + gap
    half = 0.5 * (video.height - gap)
    width = canvas.width - margin - left
    return video, [Box(left, video.top, width, half), Box(left, video.top + half + gap, width, half)]


def theme_of(theme: Theme) -> Theme:
    """Return a theme whose keypoints stand out from any picture."""
    return replace(theme, truth="#ffd23f")
