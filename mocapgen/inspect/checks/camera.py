"""The cameras: whether pixels, flags and matrices say the same, and what the cameras show of the person."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mocapgen.inspect import explain
from mocapgen.inspect.arrays import norms
from mocapgen.inspect.registry import check
from mocapgen.inspect.views import SequenceView
from mocapgen.inspect.whole import DatasetView
from mocapgen.motion import Array
from schemas.inspection import Finding


@check("camera.projection", "error", "sequence", "px")
def projection(view: SequenceView, *, pixels: float = 0.1) -> Iterator[Finding]:
    """Pixels are not where the camera sees the joints."""
    seen = view.positions
    off = norms_2d(view.row.camera.project(seen) - view.pixels)
    # what a float32 position and a float32 pixel can be off, which is much for a joint beside the camera's own plane
    rounding = np.abs(view.row.camera.K[0, 0]) * view.precision * norms(seen) / seen[..., 2] ** 2 + 2.4e-7 * np.abs(view.pixels).max(axis=-1)
    worst = view.worst(np.where(off > pixels + rounding, off, 0.0), pixels)
    if worst:
        message = (
            f"{worst.joint}: expected it where camera {view.row.camera.rig!r} sees it, found it {worst.value:.1f} px away, in {worst.frames} frames"
        )
        yield view.finding(message + explain.projection(view, pixels), frame=worst.frame, joint=worst.joint, value=worst.value)


def norms_2d(vectors: Array) -> Array:
    """Return the lengths, (...), of vectors (..., 2)."""
    return np.hypot(vectors[..., 0], vectors[..., 1])


@check("camera.behind", "warning", "sequence", "m")
def behind(view: SequenceView, *, metres: float = 0.05) -> Iterator[Finding]:
    """A joint is behind the camera, or so near that its pixels mean nothing."""
    worst = view.worst(-view.positions[..., 2], -metres)
    if worst:
        where = f"{worst.value:.2f} m behind" if worst.value > 0 else f"{100 * -worst.value:.1f} cm before"
        message = f"{worst.joint}: expected it at least {100 * metres:.0f} cm before the camera, found it {where}, in {worst.frames} frames"
        yield view.finding(message, frame=worst.frame, joint=worst.joint, value=worst.value)


@check("camera.in_view", "error", "sequence", "flags")
def in_view(view: SequenceView, *, pixels: float = 0.05) -> Iterator[Finding]:
    """in_view is not what pixels and depth say."""
    flags, (u, v), depth = view.row["in_view"], np.moveaxis(view.pixels, -1, 0), view.positions[..., 2]
    camera = view.row.camera
    inside = np.minimum(np.minimum(u, camera.width - u), np.minimum(v, camera.height - v))  # pixels from the nearest edge
    wrong = np.where(flags, (inside < -pixels) | (depth < -1e-4), (inside > pixels) & (depth > 1e-4))
    if not wrong.any():
        return
    count = int(wrong.sum())
    frame, joint = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    stated = "in view" if flags[frame, joint] else "out of view"
    where = f"({u[frame, joint]:.0f}, {v[frame, joint]:.0f}) px of {camera.width}x{camera.height}, {depth[frame, joint]:.2f} m before the camera"
    name = view.skeleton.names[joint]
    hint = ": as if all flags were inverted" if count > 0.95 * wrong.size else ""
    yield view.finding(
        f"{name}: expected the flag of {where}, found {stated}; {count} flags are wrong{hint}", frame=int(frame), joint=name, value=count
    )


@check("camera.share_in_view", "warning", "sequence", "%")
def share_in_view(view: SequenceView, *, percent: float = 80.0) -> Iterator[Finding]:
    """Much of the person is outside the image."""
    camera = view.row.camera
    u, v = view.pixels[..., 0], view.pixels[..., 1]
    seen = (u >= 0) & (u <= camera.width) & (v >= 0) & (v <= camera.height) & (view.positions[..., 2] > 0)
    share = 100.0 * float(seen.mean())
    if share < percent:
        frame = int(np.argmin(seen.mean(axis=1)))
        found = f"{share:.0f} %, {100.0 * seen[frame].mean():.0f} % at worst"
        message = f"expected at least {percent:g} % of the joints inside the image of {camera.rig!r}, found {found}"
        yield view.finding(message, frame=frame, value=percent - share)


@check("camera.person_size", "warning", "sequence", "% of the image's height")
def person_size(view: SequenceView, *, least: float = 8.0, most: float = 150.0) -> Iterator[Finding]:
    """The person is very small or very large in the image."""
    before = (view.positions[..., 2] > 0.05).all(axis=1)
    if not before.any():
        return
    size = np.ptp(view.pixels[before], axis=1).max(axis=-1) / view.row.camera.height * 100.0
    usual = float(np.median(size))
    if not least <= usual <= most:
        frame = int(np.flatnonzero(before)[np.argmin(size) if usual < least else np.argmax(size)])
        message = f"expected a person {least:g} to {most:g} % as high as the image, found {usual:.1f} % with camera {view.row.camera.rig!r}"
        yield view.finding(message, frame=frame, value=usual)


# The cameras themselves -----------------------------------------------------------------------------


@check("camera.matrices", "error", "dataset")
def matrices(view: DatasetView, *, difference: float = 1e-6) -> Iterator[Finding]:
    """A camera's matrices are not those of a camera in the file's frame."""
    sign = -1.0 if view.data.camera_frame == "unity" else 1.0
    for number, camera in enumerate(view.data.cameras):
        off = float(np.abs(camera.R @ camera.R.T - np.eye(3)).max())
        problems = []
        if not off <= difference:
            problems.append(f"an orthogonal R, found one off by {off:.2g}")
        elif np.linalg.det(camera.R) * sign < 0:
            problems.append(f"det R = {sign:+.0f} for {view.data.camera_frame}, found {-sign:+.0f}: as if for the other camera frame")
        if not (camera.K[0, 0] > 0 and camera.K[1, 1] * sign > 0 and np.array_equal(camera.K[2], [0, 0, 1])):
            problems.append(f"K with K[0, 0] > 0, K[1, 1] {'<' if sign < 0 else '>'} 0 and last row 0 0 1, found {np.round(camera.K, 1).tolist()}")
        elif not (0 <= camera.K[0, 2] <= camera.width and 0 <= camera.K[1, 2] <= camera.height):
            problems.append(f"a principal point inside the image, found ({camera.K[0, 2]:.0f}, {camera.K[1, 2]:.0f})")
        for problem in problems:
            yield view.finding(f"camera {camera.rig!r}: expected {problem}", where=f"/cameras, row {number}")


@check("camera.coverage", "info", "dataset", "°")
def coverage(view: DatasetView, *, degrees: float = 60.0, sequences: float = 20.0) -> Iterator[Finding]:
    """The cameras all look from about the same side."""
    azimuth = np.radians(view.column("azimuth"))
    azimuth = azimuth[np.isfinite(azimuth)]
    if len(azimuth) < sequences:
        return
    edges = np.sort(azimuth)
    gap = float(np.degrees(np.diff(np.append(edges, edges[0] + 2.0 * np.pi)).max()))
    if 360.0 - gap < degrees:
        middle = float(np.degrees(np.angle(np.exp(1j * azimuth).mean())))
        ranges = ", ".join(f"{name} {np.nanmin(view.column(key)):.1f} to {np.nanmax(view.column(key)):.1f} {unit}" for name, key, unit in _RANGES)
        found = f"all within {360.0 - gap:.0f}° of azimuth about {middle:+.0f}° (0 is before the person)"
        message = f"expected cameras on several sides, found {found}; {ranges}"
        yield view.finding(message, value=degrees - (360.0 - gap))


_RANGES = (("elevation", "elevation", "°"), ("distance", "distance", "m"), ("field of view", "fov", "°"))
