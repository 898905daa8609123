"""Explain why arrays of a sequence disagree: common mistakes are tried one by one after a check has failed.

Each function returns the end of a finding's message, ``: as if ...``, or nothing if no usual mistake explains it.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from mocapgen.cameras.camera import Camera
from mocapgen.core import rotation
from mocapgen.core.kinematics import global_rotations, joint_positions
from mocapgen.core.motion import Array
from schemas.conventions import EULER_ORDER, mirrored

if TYPE_CHECKING:
    from mocapgen.inspect.sequence_view import SequenceView

_COLUMNS = ["XYZ".index(letter) for letter in EULER_ORDER]
_UNITS = {
    1000.0: "millimetres",
    100.0: "centimetres",
    10.0: "decimetres",
    1.0 / 0.0254: "inches",
    1.0 / 0.3048: "feet",
    0.45 / 0.0254: "the units of ASF files",
}
_FIRST = slice(0, 64)
"""Frames used for explanations: an error of this kind is the same in all of them."""


def unit(factor: float, share: float = 0.02) -> str:
    """Return which unit of length makes numbers this many times as large as metres do, or as small; empty for none."""
    for size, name in _UNITS.items():
        if abs(factor / size - 1.0) < share:
            return name
        if abs(factor * size - 1.0) < share:
            return f"metres taken for {name}"
    return ""


def lengths(found: Array, expected: Array) -> str:
    """Explain bone lengths (J,) that are not those expected, metres."""
    long = expected > 0.02
    ratio = found[long] / expected[long]
    factor = float(np.median(ratio)) if len(ratio) else 1.0
    if not len(ratio) or np.abs(ratio / factor - 1.0).max() > 0.01 or abs(factor - 1.0) < 0.005:
        return ""
    return f": all bones are {factor:.4g} times as long" + (f", as if positions were in {unit(factor)}" if unit(factor) else "")


def from_euler(euler: Array) -> Array:
    """Return the quaternions, (..., 4), of stored Euler angles (..., 3), degrees."""
    return rotation.from_euler(EULER_ORDER, np.radians(euler[..., _COLUMNS]))


def euler(view: SequenceView, degrees: float) -> str:
    """Explain Euler angles that are not the quaternions."""
    angles, wanted = view.euler[_FIRST], view.rotations[_FIRST]

    def fits(candidate: Array, found: Array = wanted) -> bool:
        between = np.abs(np.einsum("...i,...i->...", candidate, found))
        return bool(np.degrees(2.0 * np.arccos(np.clip(between.min(initial=1.0), -1.0, 1.0))) < max(degrees, 0.05))

    if fits(from_euler(np.degrees(angles))):
        return ": as if they were in radians"
    if fits(from_euler(angles), wanted[..., [1, 2, 3, 0]]):
        return ": as if the quaternions were stored as (w, x, y, z)"
    if fits(from_euler(angles * [1.0, -1.0, -1.0])):
        return ": as if they were of the other handedness"
    for order in map("".join, permutations("XYZ")):
        for columns, how in ((["XYZ".index(letter) for letter in order], "as components (x, y, z)"), ([0, 1, 2], "in the order of rotation")):
            if fits(rotation.from_euler(order, np.radians(angles[..., columns]))):
                return f": as if they were of the intrinsic order {order}, stored {how}"
    return ""


def kinematics(view: SequenceView, millimetres: float) -> str:
    """Explain rotations that do not lead to the positions."""
    q, positions, camera = view.rotations[_FIRST], view.positions[_FIRST], view.row.camera
    parents = list(view.skeleton.parents[1:])
    swapped = [view.skeleton.index(mirrored(name)) if mirrored(name) in view.skeleton else index for index, name in enumerate(view.skeleton.names)]

    def fits(candidate: Array, where: Array = positions) -> bool:
        found = joint_positions(view.skeleton, global_rotations(view.skeleton, candidate), where[:, 0])
        return bool(np.abs(found - where).max(initial=0.0) < max(0.01, millimetres / 1000.0))

    if fits(q[..., [1, 2, 3, 0]]):
        return ": as if quaternions were stored as (w, x, y, z)"
    if fits(q * [-1.0, -1.0, -1.0, 1.0]):
        return ": as if quaternions were the inverse rotations"
    if fits(q * [1.0, -1.0, -1.0, 1.0]):
        return ": as if quaternions were of the other handedness"
    local = q.copy()
    local[:, 0] = camera.root_rotations(q[:, 0] * [1.0, -1.0, -1.0, 1.0] if camera.frame == "unity" else q[:, 0])
    if fits(local):
        return ": as if the root's rotation were relative to the world, not to the camera"
    if fits(q[:, swapped], positions) or fits(q, positions[:, swapped]):
        return ": as if left and right were swapped in one of the two"
    bones = np.linalg.norm(positions[:, 1:] - positions[:, parents], axis=-1)
    return lengths(np.median(bones, axis=0), np.linalg.norm(view.skeleton.offsets[1:], axis=-1)) if len(bones) else ""


# Pictures -----------------------------------------------------------------------------------------


def projection(view: SequenceView, pixels: float) -> str:
    """Explain pixels that are not the projection of the positions."""
    camera, seen, found = view.row.camera, view.positions[_FIRST], view.pixels[_FIRST]
    expected = camera.project(seen)
    use = np.isfinite(expected).all(-1) & np.isfinite(found).all(-1) & (seen[..., 2] > 0.01)
    off = np.abs(expected - found).max(axis=-1)[use] > pixels
    if use.sum() < 12 or off.mean() < 0.5:  # a few joints only: no mistake of the whole picture
        return ""
    lines = [np.polynomial.Polynomial.fit(expected[..., i][use], found[..., i][use], 1).convert().coef for i in (0, 1)]
    fitted = np.stack([line[0] + (line[1] if len(line) > 1 else 0.0) * expected[..., i][use] for i, line in enumerate(lines)], axis=-1)
    if np.abs(fitted - found[use]).max() < max(2.0 * pixels, 1e-3):
        u, v = ([float(number) for number in np.resize(line, 2)] for line in lines)
        return _stretched(camera, u, v)
    names = view.skeleton.names
    swapped = [names.index(mirrored(name)) if mirrored(name) in names else index for index, name in enumerate(names)]
    if np.nanmax(np.abs(expected[:, swapped] - found)) < max(2.0 * pixels, 1e-3):
        return ": as if left and right were swapped in one of the two"
    return _elsewhere(seen[use], found[use], pixels)


def _stretched(camera: Camera, u: list[float], v: list[float]) -> str:
    """Name what turns expected pixels into those found: u' = u[0] + u[1] u, likewise v."""
    width, height = camera.width, camera.height
    flipped = [name for name, line, size in (("u", u, width), ("v", v, height)) if abs(line[1] + 1) < 1e-3 and abs(line[0] - size) < 0.5]
    if flipped:
        return f": as if {' and '.join(flipped)} were counted from the opposite edge of the image"
    if abs(u[1] * width - 1) < 1e-3 and abs(v[1] * height - 1) < 1e-3:
        return ": as if they were shares of the image's width and height"
    if abs(u[1] * width - 2) < 2e-3:
        return ": as if they were in the range -1 to 1 over the image"
    if max(abs(u[1] - 1), abs(v[1] - 1)) < 1e-3:
        return f": all are shifted by ({u[0]:.1f}, {v[0]:.1f}) px"
    if max(abs(u[0]), abs(v[0])) < 1.0:
        return f": as if for an image {u[1]:.4g} times as wide and {v[1]:.4g} times as high"
    return f": as if the focal length were {abs(camera.K[0, 0] * u[1]):.0f} x {abs(camera.K[1, 1] * v[1]):.0f} px"


def _elsewhere(seen: Array, found: Array, pixels: float) -> str:
    """Try any pinhole camera at all: the direct linear transform of points (N, 3) to pixels (N, 2)."""
    scale, centre = max(float(np.abs(found).max()), 1.0), seen.mean(axis=0)
    points = np.column_stack([seen - centre, np.ones(len(seen))])
    image = found / scale
    zero = np.zeros_like(points)
    rows = np.concatenate([np.hstack([points, zero, -image[:, :1] * points]), np.hstack([zero, points, -image[:, 1:] * points])])
    matrix = np.linalg.svd(rows.T @ rows)[2][-1].reshape(3, 4)
    projected = points @ matrix.T
    error = np.abs(scale * (projected[:, :2] / projected[:, 2:]) - found).max()
    return ": as if seen by another camera than the one stored" if error < max(4.0 * pixels, 2.0) else ""
