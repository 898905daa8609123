"""The parts of a picture: a person on the image plane, and people in the world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mocapgen.cameras.camera import Camera
from mocapgen.core.motion import Array
from mocapgen.figures.canvas import Canvas
from mocapgen.figures.colours import blend
from mocapgen.figures.drawn_sequence import DrawnSequence, Poses
from mocapgen.figures.viewpoint import Box, on_picture
from mocapgen.store.joint_tree import JointTree

LIMB = 0.03
"""Thickness of a drawn limb, metres."""
_CASING = 1.7
"""Width of the gap around a limb that passes before another one, in limbs."""
_DOT = 1.7
"""Diameter of a joint, in limbs."""
_STEPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Sides of the ground's squares to choose from, metres."""

GROUND, SHADOW, SIGN, TRAIL, TRUTH, PERSON, NAMES = 1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0
"""Drawing order of the layers."""


@dataclass(frozen=True)
class Details:
    """What is drawn besides the people.

    Parameters
    ----------
    joint_names : bool
    trail : frozenset of str
        Joints whose path over the last second is drawn.
    """

    joint_names: bool = False
    trail: frozenset[str] = frozenset()


class Stick:
    """A stick figure that can be shown at any place.

    Parameters
    ----------
    canvas : Canvas
    tree : JointTree
    width : float
        Of a limb, pixels.
    clip : Box
    plain : str, optional
        One colour for everything, and wide lines: the ground truth beneath a prediction.
    fade : float
        Share, 0 to 1, of the ground's colour: past moments are pale.
    moving : bool
    """

    def __init__(
        self,
        canvas: Canvas,
        tree: JointTree,
        width: float,
        clip: Box,
        *,
        plain: str | None = None,
        fade: float = 0.0,
        layer: float = PERSON,
        moving: bool,
    ) -> None:
        from matplotlib.colors import to_rgba_array

        theme = canvas.theme
        colours = [plain or blend(theme.side(side), theme.panel, fade) for side in tree.sides]
        self._tree = tree
        self._width = width * (2.2 if plain else 1.0) / canvas.point
        limbs = [colours[joint] for joint in tree.bones[:, 1]]
        self._colours = np.stack([to_rgba_array([theme.panel] * len(limbs)), to_rgba_array(limbs)], axis=1)
        self._cased = plain is None
        nowhere = np.full((1, 2, 2), np.nan)
        self._lines = canvas.lines(nowhere, theme.ink, width, layer, clip=clip, moving=moving)
        start = np.full((len(tree.names), 2), np.nan)
        self._dots = None if plain else canvas.dots(start, colours, _DOT * width, layer + 0.2, clip=clip, moving=moving)

    def show(self, points: Array, depth: Array | None = None) -> None:
        """Move the joints to points, (J, 2) pixels; of limbs that cross, the one nearer by `depth`, (J,), covers the other."""
        bones = self._tree.bones
        order = np.arange(len(bones)) if depth is None else np.argsort(-depth[bones].mean(axis=1), kind="stable")
        segments, colours = points[bones[order]], self._colours[order]
        if self._cased and depth is not None:  # each limb with its casing beneath it, from far to near
            self._lines.set_segments(list(np.repeat(segments, 2, axis=0)))
            self._lines.set_color(colours.reshape(-1, 4))  # type: ignore[arg-type] # an array will do
            self._lines.set_linewidth(list(np.tile([_CASING * self._width, self._width], len(order))))
        else:
            self._lines.set_segments(list(segments))
            self._lines.set_color(colours[:, 1])  # type: ignore[arg-type]
            self._lines.set_linewidth(self._width)
        if self._dots is not None:
            self._dots.set_offsets(points)


class Names:
    """Joint names in a column on either side of the tree, each with a line to its joint, so that none covers another."""

    def __init__(self, canvas: Canvas, tree: JointTree, clip: Box, moving: bool) -> None:
        theme = canvas.theme
        self._clip = clip
        self._gap, self._row = 10.0 * canvas.point, 7.0 * canvas.point
        colours = [theme.side(side) for side in tree.sides]
        self._texts = [canvas.text(0, 0, name, 6.0, colour, clip=clip, moving=moving) for name, colour in zip(tree.names, colours, strict=True)]
        self._longest = max(canvas.width_of(name, 6.0) for name in tree.names)
        self._lines = canvas.lines(np.full((1, 2, 2), np.nan), theme.faint, 0.4 * canvas.point, NAMES, clip=clip, moving=moving)

    def show(self, points: Array) -> None:
        """Move the names to joints at points, (J, 2) pixels."""
        finite = np.atleast_1d(np.isfinite(points).all(axis=1))
        for text, there in zip(self._texts, finite.tolist(), strict=True):
            text.set_visible(there)
        joints = np.flatnonzero(finite)
        lines: list[Array] = []
        if len(joints):
            order = joints[np.argsort(points[joints, 0], kind="stable")]
            half = len(order) // 2
            least, most = float(points[joints, 0].min()) - self._gap, float(points[joints, 0].max()) + self._gap
            lines += self._column(points, order[:half], max(least, self._clip.left + self._longest), "right")
            lines += self._column(points, order[half:], min(most, self._clip.right - self._longest), "left")
        self._lines.set_segments(lines)

    def _column(self, points: Array, joints: NDArray[np.intp], x: float, align: Literal["left", "right"]) -> list[Array]:
        """Stack the names of some joints at x, each as near to its joint's height as there is room, and return their lines."""
        joints = joints[np.argsort(points[joints, 1], kind="stable")]
        rows = self._row * np.arange(len(joints))
        heights = np.maximum.accumulate(points[joints, 1] - rows) + rows  # at least a row apart
        heights -= max(float(heights.max(initial=0.0)) - (self._clip.bottom - self._row), 0.0)
        lines = []
        for joint, y in zip(joints.tolist(), heights.tolist(), strict=True):
            self._texts[joint].set_horizontalalignment(align)
            self._texts[joint].set_position((x, y))
            lines.append(np.array([(x, y), points[joint]]))
        return lines


class Trail:
    """The paths of some joints over the last second."""

    def __init__(self, canvas: Canvas, tree: JointTree, paths: Array, seconds: int, details: Details, width: float, clip: Box, moving: bool) -> None:
        self._joints = [index for index, name in enumerate(tree.names) if name in details.trail]
        self._paths, self._length = paths, seconds
        colours = [blend(canvas.theme.side(tree.sides[joint]), canvas.theme.panel, 0.45) for joint in self._joints]
        self._lines = canvas.lines(np.full((1, 2, 2), np.nan), colours or "none", 0.6 * width, TRAIL, clip=clip, moving=moving)

    def show(self, frame: int) -> None:
        """Draw the paths that end at a frame."""
        recent = self._paths[max(frame - self._length, 0) : frame + 1, self._joints]
        self._lines.set_segments(list(recent.swapaxes(0, 1)))


class ImagePanel:
    """The image plane with the person's 2D pose, to scale.

    Parameters
    ----------
    canvas : Canvas
    box : Box
        Where on the picture it is.
    sequence : DrawnSequence
    details : Details
    window : Box, optional
        The part of the image to show, pixels of the image, in the shape of `box`; all of it by default.
    moving : bool
    """

    def __init__(
        self, canvas: Canvas, box: Box, sequence: DrawnSequence, details: Details | None = None, window: Box | None = None, moving: bool = False
    ) -> None:
        details = details or Details()
        camera = sequence.camera
        self.box, self._window = box, window or Box(0.0, 0.0, float(camera.width), float(camera.height))
        self._scale = box.width / self._window.width
        corner = self.on_picture(np.array([[0.0, 0.0], [camera.width, camera.height]]))
        image = Box(corner[0, 0], corner[0, 1], corner[1, 0] - corner[0, 0], corner[1, 1] - corner[0, 1])
        canvas.rectangle(box, canvas.theme.paper)
        canvas.rectangle(image, canvas.theme.panel, canvas.theme.faint, clip=None if window is None else box)
        width = float(np.clip(0.017 * _extent(sequence.layers[0].pixels) * self._scale, 1.1 * canvas.point, 5.0 * canvas.point))
        self._paths = [self.on_picture(poses.pixels) for poses in sequence.layers]
        self._sticks = _sticks(canvas, sequence, width, box, moving)
        second = round(sequence.fps)
        tree = sequence.poses.tree
        self._trail = Trail(canvas, tree, self._paths[-1], second, details, width, box, moving) if details.trail else None
        self._names = Names(canvas, tree, box, moving) if details.joint_names else None

    def on_picture(self, pixels: Array) -> Array:
        """Return pixels of the image, (..., 2), as pixels of the picture."""
        return (pixels - [self._window.left, self._window.top]) * self._scale + [self.box.left, self.box.top]

    def show(self, frame: int) -> None:
        """Draw a frame."""
        for stick, path in zip(self._sticks, self._paths, strict=True):
            stick.show(path[frame])
        if self._trail is not None:
            self._trail.show(frame)
        if self._names is not None:
            self._names.show(self._paths[-1][frame])


class WorldPanel:
    """People on the ground of the world, as a viewpoint sees them.

    Parameters
    ----------
    canvas : Canvas
    box : Box
    people : sequence of (DrawnSequence, (3,) float)
        Who, and by how many metres they are moved aside.
    viewpoint : Camera
        As from :func:`mocapgen.figures.viewpoint.fit`.
    details : Details
    ghosts : sequence of int
        Frames that are drawn pale beneath, the earliest palest.
    sign : (5, 3) float, optional
        A camera's sign: its centre and the corners of its image, metres, world.
    moving : bool
    """

    def __init__(
        self,
        canvas: Canvas,
        box: Box,
        people: Sequence[tuple[DrawnSequence, Array]],
        viewpoint: Camera,
        details: Details | None = None,
        *,
        ghosts: Sequence[int] = (),
        sign: Array | None = None,
        moving: bool = False,
    ) -> None:
        details = details or Details()
        self.box, self.viewpoint, self._people = box, viewpoint, people
        canvas.rectangle(box, canvas.theme.panel)
        self._canvas = canvas
        if sign is not None:
            self._draw_sign(sign)
        self._figures: list[list[Stick]] = []
        self._shadows = []
        self._trails: list[Trail] = []
        self._names: list[Names] = []
        for sequence, shift in people:
            width = self.limb(sequence, shift)
            tree = sequence.poses.tree
            for number, frame in enumerate(ghosts):
                fade = 0.8 - 0.4 * number / max(len(ghosts) - 1, 1)
                ghost = Stick(canvas, tree, width, box, fade=fade, layer=TRAIL + 0.01 * number, moving=False)
                ghost.show(*self.on_picture(sequence.poses.world[frame] + shift))
            self._figures.append(_sticks(canvas, sequence, width, box, moving))
            nowhere = np.full((1, 2, 2), np.nan)
            self._shadows.append(canvas.lines(nowhere, canvas.theme.shadow, 1.5 * width, SHADOW, clip=box, moving=moving))
            if details.trail:
                path = self.on_picture(sequence.poses.world + shift)[0]
                self._trails.append(Trail(canvas, tree, path, round(sequence.fps), details, width, box, moving))
            if details.joint_names:
                self._names.append(Names(canvas, tree, box, moving))

    def limb(self, sequence: DrawnSequence, shift: Array) -> float:
        """Return the thickness of a person's limbs, pixels."""
        points = sequence.poses.world.reshape(-1, 3) + shift
        depth = float(np.nanmedian(self.on_picture(points[np.isfinite(points).all(axis=1)])[1]))
        point = self._canvas.point
        return float(np.clip(LIMB * self.viewpoint.K[0, 0] / depth, 0.8 * point, 5.0 * point))

    def on_picture(self, points: Array) -> tuple[Array, Array]:
        """Return pixels of the picture, (..., 2), and depths, (...), of points in the world."""
        return on_picture(self.viewpoint, points)

    def draw_ground(self, low: Array, high: Array, floor: float) -> float:
        """Draw the ground from `low` to `high`, (3,) metres, as squares, and return their side, metres."""
        step = next((step for step in _STEPS if max(high[0] - low[0], high[2] - low[2]) / step <= 14), _STEPS[-1])
        least, most = np.floor(low / step) * step, np.ceil(high / step) * step
        ends = []
        for axis, other in ((0, 2), (2, 0)):
            for value in np.arange(least[axis], most[axis] + 0.5 * step, step)[:200]:
                line = np.full((2, 3), floor)
                line[:, axis] = value
                line[:, other] = least[other], most[other]
                ends.append(line)
        self._canvas.lines(self.on_picture(np.array(ends))[0], self._canvas.theme.line, 0.7 * self._canvas.point, GROUND, clip=self.box)
        return step

    def _draw_sign(self, sign: Array) -> None:
        """Draw a camera as the pyramid of what it sees, and the direction in which it looks."""
        centre, corners = sign[0], sign[1:]
        edges = [(centre, corner) for corner in corners] + [(corners[k], corners[(k + 1) % 4]) for k in range(4)]
        ahead = corners.mean(axis=0) - centre
        edges.append((centre + ahead, centre + 1.9 * ahead))
        upper = 0.5 * (corners[0] + corners[1])
        peak = upper + 0.35 * (upper - corners.mean(axis=0))
        edges += [(corners[0] * 0.7 + corners[1] * 0.3, peak), (corners[0] * 0.3 + corners[1] * 0.7, peak)]
        self._canvas.lines(self.on_picture(np.array(edges))[0], self._canvas.theme.faint, 0.9 * self._canvas.point, SIGN, clip=self.box)

    def show(self, frame: int) -> None:
        """Draw a frame; shorter clips begin again."""
        for (sequence, shift), sticks, shadow in zip(self._people, self._figures, self._shadows, strict=True):
            moment = frame % len(sequence)
            for stick, poses in zip(sticks, sequence.layers, strict=True):
                stick.show(*self.on_picture(poses.world[moment] + shift))
            shadow.set_segments(list(self.on_picture(_on_floor(sequence, moment) + shift)[0]))
        for (sequence, _), trail in zip(self._people, self._trails, strict=False):
            trail.show(frame % len(sequence))
        for (sequence, shift), names in zip(self._people, self._names, strict=False):
            names.show(self.on_picture(sequence.poses.world[frame % len(sequence)] + shift)[0])


def _extent(pixels: Array) -> float:
    """Return how large a person usually is on the image, pixels: the diagonal of the box around (T, J, 2) points."""
    usable = pixels[np.isfinite(pixels).all(axis=(1, 2))]
    return float(np.median(np.linalg.norm(np.ptp(usable, axis=1), axis=1))) if len(usable) else 0.0


def _on_floor(sequence: DrawnSequence, frame: int) -> Array:
    """Return the shadows of the bones, (B, 2, 3), straight below them."""
    lowest: Poses = sequence.layers[0]
    flat = lowest.world[frame][lowest.tree.bones].copy()
    flat[..., 1] = sequence.floor
    return flat


def _sticks(canvas: Canvas, sequence: DrawnSequence, width: float, clip: Box, moving: bool) -> list[Stick]:
    """Return a figure for each layer of a sequence."""
    beneath = sequence.truth
    truth = [] if beneath is None else [Stick(canvas, beneath.tree, width, clip, plain=canvas.theme.truth, layer=TRUTH, moving=moving)]
    return [*truth, Stick(canvas, sequence.poses.tree, width, clip, moving=moving)]
