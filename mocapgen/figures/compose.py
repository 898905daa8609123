"""Layout of pictures: their panels and labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mocapgen.cameras.camera import UP, Camera
from mocapgen.core.motion import Array
from mocapgen.figures.canvas import Canvas, Image, shortened
from mocapgen.figures.drawn_sequence import DrawnSequence
from mocapgen.figures.panels import Details, ImagePanel, WorldPanel
from mocapgen.figures.viewpoint import Box, direction, fit, level_direction, moved, robust_bounds

MARGIN, HEADER, GAP, CAPTION = 9.0, 22.0, 6.0, 7.0
"""Around everything, above the panels, between them; size of small letters: points."""
NOWHERE = np.zeros(3)

Panel = ImagePanel | WorldPanel


@dataclass(frozen=True)
class Picture:
    """A canvas with everything on it.

    Parameters
    ----------
    canvas : Canvas
    panels : tuple of ImagePanel and WorldPanel
    show : callable
        Called with a frame, draws it.
    """

    canvas: Canvas
    panels: tuple[Panel, ...]
    show: Callable[[int], None]

    def still(self, frame: int, format: str) -> bytes:
        """Return the content of a file of one frame."""
        self.show(frame)
        return self.canvas.file(format)

    def animate(self, frames: Iterable[int]) -> Iterator[Image]:
        """Yield the picture, (height, width, 3) uint8, of each frame."""

        def steps() -> Iterator[None]:
            for frame in frames:
                self.show(frame)
                yield None

        return self.canvas.animate(steps())


# The method's figure ------------------------------------------------------------------------------


def pair(canvas: Canvas, sequence: DrawnSequence, details: Details, moving: bool = False) -> Picture:
    """Draw the 2D pose on the image plane and the 3D pose in the world, side by side (or one above the other in a tall picture)."""
    camera, area = sequence.camera, _area(canvas)
    left, right = _two_boxes(area, camera.width / camera.height, GAP * canvas.point)
    image = ImagePanel(canvas, left, sequence, details, moving=moving)
    low, high = robust_bounds(_everybody(sequence))
    towards = level_direction(camera.centre - 0.5 * (low + high))
    sign = _sign(camera, low, high)
    points = np.concatenate([_corners(sequence), _ground(low - 0.1, high + 0.1, sequence.floor), sign])
    viewpoint = fit(points, right.inset(0.07 * min(right.width, right.height)), direction(towards, 48.0, 14.0))
    world = WorldPanel(canvas, right, [(sequence, NOWHERE)], viewpoint, details, sign=sign, moving=moving)
    side = world.draw_ground(low - 0.4, high + 0.4, sequence.floor)
    _caption(canvas, left, f"image, {camera.width} × {camera.height} pixels")
    _caption(canvas, right, f"world, squares of {side:g} m")
    used = _legend(canvas, sequence.truth is not None)
    clock_width = canvas.width_of(_moment(sequence, len(sequence) - 1) + " 00", 8.0)
    _title(canvas, sequence.clip, clock_width + used, sequence.avatar)
    clock = canvas.text(canvas.width - MARGIN * canvas.point - used, _header(canvas), "", 8.0, canvas.theme.faint, align="right", moving=moving)

    def show(frame: int) -> None:
        image.show(frame)
        world.show(frame)
        clock.set_text(_moment(sequence, frame))

    return Picture(canvas, (image, world), show)


def _two_boxes(area: Box, aspect: float, gap: float) -> tuple[Box, Box]:
    """Return where an image of some shape and the world go: side by side, or in a tall area one above the other."""
    if area.width >= 1.25 * area.height:
        width = min(0.62 * (area.width - gap), area.height * aspect)
        height = width / aspect
        top = area.top + 0.5 * (area.height - height)
        return Box(area.left, top, width, height), Box(area.left + width + gap, top, area.width - width - gap, height)
    height = min(0.5 * (area.height - gap), area.width / aspect)
    width = height * aspect
    first = Box(area.left + 0.5 * (area.width - width), area.top, width, height)
    return first, Box(area.left, area.top + height + gap, area.width, area.height - height - gap)


def _sign(camera: Camera, low: Array, high: Array) -> Array:
    """Return centre and image corners, (5, 3) metres, world, of a camera's sign.

    It stands on the line to the camera; nearer than the camera itself where people would otherwise become too small.
    """
    place, middle = camera.centre, 0.5 * (low + high)
    apart = place - middle
    distance = float(np.linalg.norm(apart))
    nearest = 0.5 * float(np.linalg.norm(high - low)) + 0.5
    shown = place if distance < 1e-6 else middle + apart * min(1.0, nearest / distance)
    pixels = np.array([[0.0, 0.0, 1.0], [camera.width, 0.0, 1.0], [camera.width, camera.height, 1.0], [0.0, camera.height, 1.0]])
    rays = pixels @ np.linalg.inv(camera.K).T @ camera.R
    return np.concatenate([np.zeros((1, 3)), 0.32 * rays / np.abs(rays).max()]) + shown


# Filmstrip ----------------------------------------------------------------------------------------


def filmstrip(canvas: Canvas, sequence: DrawnSequence, frames: Sequence[int], details: Details) -> Picture:
    """Draw moments beside each other, 2D above and 3D below; the viewpoints go along with the person, at one scale."""
    area, gap = _area(canvas), GAP * canvas.point
    width = (area.width - gap * (len(frames) - 1)) / len(frames)
    height = 0.5 * (area.height - gap - 2.0 * CAPTION * canvas.point)
    windows = _windows(sequence, frames, width / height)
    low, high = robust_bounds(_everybody(sequence))
    steps = _steps(sequence)
    centred = _everybody(sequence) - steps[:, None]
    shape = Box(0.0, 0.0, width, height)
    towards = direction(level_direction(sequence.camera.centre - 0.5 * (low + high)), 48.0, 12.0)
    shadows = centred * [1.0, 0.0, 1.0] + [0.0, sequence.floor, 0.0]
    viewpoint = fit(_usual(np.concatenate([centred, shadows], axis=1)), shape.inset(0.08 * min(width, height)), towards)
    panels: list[Panel] = []
    for column, frame in enumerate(frames):
        upper = Box(area.left + column * (width + gap), area.top, width, height)
        lower = Box(upper.left, upper.bottom + gap, width, height)
        image = ImagePanel(canvas, upper, sequence, details, window=windows[column])
        view = _placed(moved(viewpoint, steps[frame]), lower)
        world = WorldPanel(canvas, lower, [(sequence, NOWHERE)], view, details)
        world.draw_ground(low - 0.4, high + 0.4, sequence.floor)
        for panel in (image, world):
            panel.show(frame)
        middle, below = lower.left + 0.5 * width, lower.bottom + CAPTION * canvas.point
        canvas.text(middle, below, _moment(sequence, frame, short=True), CAPTION, canvas.theme.faint, align="center", room=width)
        panels += [image, world]
    used = _legend(canvas, sequence.truth is not None)
    _title(canvas, sequence.clip, used, sequence.avatar)
    return Picture(canvas, tuple(panels), lambda frame: None)


def _windows(sequence: DrawnSequence, frames: Sequence[int], aspect: float) -> list[Box]:
    """Return the part of the image around the person in each frame: of one size and height, in the shape of the panels."""
    shown = np.concatenate([poses.pixels[list(frames)] for poses in sequence.layers], axis=1)
    whole = np.array([0.5 * sequence.camera.width, 0.5 * sequence.camera.height])
    shown = np.where(np.isfinite(shown).any(axis=(1, 2), keepdims=True), shown, whole)
    low, high = np.nanmin(shown, axis=1), np.nanmax(shown, axis=1)
    top, bottom = float(low[:, 1].min()), float(high[:, 1].max())
    height = max(1.15 * (bottom - top), 1.15 * float((high - low)[:, 0].max()) / aspect, 8.0)
    width = height * aspect
    return [Box(float(x) - 0.5 * width, 0.5 * (top + bottom - height), width, height) for x in 0.5 * (low + high)[:, 0]]


# Avatars side by side -----------------------------------------------------------------------------


def row_of_avatars(canvas: Canvas, drawn: Sequence[DrawnSequence], details: Details, moving: bool = False) -> Picture:
    """Draw the same motion on several avatars, in a row on one ground."""
    first, area = drawn[0], _area(canvas)
    low, high = robust_bounds(first.poses.world)
    facing = level_direction(first.camera.centre - 0.5 * (low + high))
    towards = direction(facing, 18.0, 9.0)
    ahead = level_direction(towards)
    axes = np.stack([np.cross(UP, ahead), ahead, UP], axis=1)
    aside = axes[:, 0]
    people, names, places = [], [], []
    edge = 0.0
    for sequence in drawn:
        low, high = robust_bounds(sequence.poses.world @ axes)
        shift = aside * (edge - low[0]) - ahead * 0.5 * (low[1] + high[1])
        people.append((sequence, shift))
        places.append(edge + 0.5 * (high[0] - low[0]))
        names.append(sequence.avatar)
        edge += high[0] - low[0] + 0.3
    box = Box(area.left, area.top, area.width, area.height)
    everybody = np.concatenate([_usual(sequence.poses.world + shift) for sequence, shift in people])
    ground = everybody * [1.0, 0.0, 1.0]
    inner = box.inset(0.05 * box.height)
    inner = Box(inner.left, inner.top, inner.width, inner.height - 2.2 * CAPTION * canvas.point)
    viewpoint = fit(np.concatenate([everybody, ground]), inner, towards, distance=10.0)  # all are seen from the same side
    world = WorldPanel(canvas, box, people, viewpoint, details, moving=moving)
    side = world.draw_ground(everybody.min(axis=0) - 0.5, everybody.max(axis=0) + 0.5, first.floor)
    line = box.bottom - 1.4 * CAPTION * canvas.point
    for place, name in zip(places, names, strict=True):
        x = world.on_picture(aside * place)[0][0]
        canvas.text(x, line, name.replace("_", " "), CAPTION + 1.0, canvas.theme.ink, align="center", room=0.95 * box.width / len(names))
    _caption(canvas, box, f"world, squares of {side:g} m")
    used = _legend(canvas, False)
    clock = canvas.text(canvas.width - MARGIN * canvas.point - used, _header(canvas), "", 8.0, canvas.theme.faint, align="right", moving=moving)
    _title(canvas, first.clip, used + canvas.width_of(_moment(first, len(first) - 1), 8.0))

    def show(frame: int) -> None:
        world.show(frame)
        clock.set_text(_moment(first, frame))

    return Picture(canvas, (world,), show)


# Contact sheet ------------------------------------------------------------------------------------


def columns_of(count: int) -> int:
    """Return how many columns a contact sheet of so many clips has."""
    return max(1, min(count, math.ceil(math.sqrt(1.6 * count))))


def contact_sheet(canvas: Canvas, drawn: Sequence[DrawnSequence], title: str, details: Details, moving: bool = False) -> Picture:
    """Draw many clips, each in a cell with some of its poses pale beneath the most representative one."""
    area, gap = _area(canvas), 0.5 * GAP * canvas.point
    columns = columns_of(len(drawn))
    rows = math.ceil(len(drawn) / columns)
    width, height = (area.width - gap * (columns - 1)) / columns, (area.height - gap * (rows - 1)) / rows
    avatars, cells = {sequence.avatar for sequence in drawn}, []
    for number, sequence in enumerate(drawn):
        box = Box(area.left + number % columns * (width + gap), area.top + number // columns * (height + gap), width, height)
        name = f"{sequence.clip}  ·  {sequence.avatar}" if len(avatars) > 1 else sequence.clip
        cells.append(_cell(canvas, box, sequence, name, details, moving))
    _title(canvas, title, _legend(canvas, False), next(iter(avatars)) if len(avatars) == 1 else "")

    def show(frame: int) -> None:
        for cell, sequence in zip(cells, drawn, strict=True):
            cell.show(frame if moving else sequence.representative_frame)

    return Picture(canvas, tuple(cells), show)


def _cell(canvas: Canvas, box: Box, sequence: DrawnSequence, name: str, details: Details, moving: bool) -> WorldPanel:
    low, high = robust_bounds(sequence.poses.world)
    towards = direction(level_direction(sequence.camera.centre - 0.5 * (low + high)), 30.0, 12.0)
    room = 1.9 * CAPTION * canvas.point
    inner = Box(box.left, box.top + room, box.width, max(box.height - room, 1.0))
    viewpoint = fit(_corners(sequence), inner.inset(0.05 * min(inner.width, inner.height)), towards)
    ghosts = () if moving else tuple(np.linspace(0.05, 0.95, 4) * (len(sequence) - 1))
    panel = WorldPanel(canvas, box, [(sequence, NOWHERE)], viewpoint, details, ghosts=[round(frame) for frame in ghosts], moving=moving)
    panel.draw_ground(low - 0.3, high + 0.3, sequence.floor)
    pad = 0.5 * CAPTION * canvas.point
    canvas.text(box.left + pad, box.top + 2.0 * pad, name, CAPTION - 1.0, canvas.theme.ink, room=box.width - 2.0 * pad)
    return panel


# What they share ----------------------------------------------------------------------------------


def _area(canvas: Canvas) -> Box:
    """Return the picture without its margins and its header."""
    margin, header = MARGIN * canvas.point, (MARGIN + HEADER) * canvas.point
    return Box(margin, header, max(canvas.width - 2 * margin, 8.0), max(canvas.height - margin - header, 8.0))


def _header(canvas: Canvas) -> float:
    """Return the height of the header's line of text, pixels."""
    return (MARGIN + 0.4 * HEADER) * canvas.point


def _title(canvas: Canvas, text: str, taken: float, avatar: str = "") -> None:
    """Write the title, and after it the avatar; what is too long is shortened: first the title."""
    room, end = canvas.width - 2.5 * MARGIN * canvas.point - taken, f"  ·  {avatar}" if avatar else ""
    whole = canvas.width_of(end, 10.0, bold=True)
    short = shortened(text, lambda part: canvas.width_of(part, 10.0, bold=True) + whole <= room)
    canvas.text(MARGIN * canvas.point, _header(canvas), short + end, 10.0, canvas.theme.ink, room=room, bold=True)


def _caption(canvas: Canvas, box: Box, text: str) -> None:
    canvas.text(box.left + CAPTION * canvas.point, box.top + 1.3 * CAPTION * canvas.point, text, CAPTION, canvas.theme.faint, room=box.width)


def _legend(canvas: Canvas, predicted: bool) -> float:
    """Write which colour is what at the right of the header, and return the width that this takes, pixels."""
    theme, words = canvas.theme, [("right", canvas.theme.right), ("left", canvas.theme.left)]
    if predicted:
        words = [("truth", theme.truth), *words]
    x = canvas.width - MARGIN * canvas.point
    for word, colour in words:
        canvas.text(x, _header(canvas), word, 8.0, colour, align="right", bold=True)
        x -= canvas.width_of(word, 8.0, bold=True) + 8.0 * canvas.point
    return canvas.width - MARGIN * canvas.point - x + 4.0 * canvas.point


def _moment(sequence: DrawnSequence, frame: int, short: bool = False) -> str:
    seconds = f"{frame / sequence.fps:.2f} s"
    if sequence.errors is None:
        return f"frame {frame}   {seconds}"
    error = f"{sequence.errors[frame % len(sequence)]:.0f} mm"
    return f"{frame}   {seconds}   {error}" if short else f"frame {frame}   {seconds}   root-relative error {error}"


def _everybody(sequence: DrawnSequence) -> Array:
    """Return all joints of all layers, (T, J, 3)."""
    return np.concatenate([poses.world for poses in sequence.layers], axis=1)


def _usual(world: Array) -> Array:
    """Return the points of (T, J, 3) within the robust bounds, (N, 3)."""
    low, high = robust_bounds(world)
    points = world.reshape(-1, 3)
    return np.clip(points[np.isfinite(points).all(axis=1)], low, high)


def _corners(sequence: DrawnSequence) -> Array:
    """Return what a viewpoint should show of a sequence: joints and shadows, (N, 3) metres."""
    world = _everybody(sequence)
    shadows = world * [1.0, 0.0, 1.0] + [0.0, sequence.floor, 0.0]
    return _usual(np.concatenate([world, shadows], axis=1))


def _ground(low: Array, high: Array, floor: float) -> Array:
    """Return the corners of a rectangle on the ground, (4, 3) metres."""
    return np.array([[x, floor, z] for x in (low[0], high[0]) for z in (low[2], high[2])])


def _steps(sequence: DrawnSequence) -> Array:
    """Return where the person stands in each frame, (T, 3) metres, on the ground."""
    root = sequence.poses.world[:, sequence.poses.tree.root]
    return np.where(np.isfinite(root), root, 0.0) * [1.0, 0.0, 1.0]


def _placed(camera: Camera, box: Box) -> Camera:
    """Return a camera fitted to a box at the picture's corner as one fitted to a box elsewhere."""
    from dataclasses import replace

    intrinsics = camera.K.copy()
    intrinsics[:2, 2] += [box.left, box.top]
    return replace(camera, K=intrinsics)
