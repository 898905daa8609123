"""Checks of the cameras: consistency of pixels, flags and matrices, and how much of the person is in view."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mocapgen.core.vectors import norms
from mocapgen.inspect import explain
from mocapgen.inspect.dataset_view import DatasetView
from mocapgen.inspect.registry import BOTH, check
from mocapgen.inspect.sequence_view import SequenceView
from schemas.inspection import Finding


@check("camera.projection", "error", "sequence", "px")
def projection(view: SequenceView, *, pixels: float = 0.1) -> Iterator[Finding]:
    """Pixels are not where the camera sees the joints."""
    seen = view.positions
    off = norms(view.row.camera.project(seen) - view.pixels)
    # what a float32 position and a float32 pixel can be off, which is much for a joint beside the camera's own plane
    rounding = np.abs(view.row.camera.K[0, 0]) * view.precision * norms(seen) / seen[..., 2] ** 2 + 2.4e-7 * np.abs(view.pixels).max(axis=-1)
    worst = view.worst(np.where(off > pixels + rounding, off, 0.0), pixels)
    if worst:
        message = f"{worst.joint}: expected it where camera {view.row.camera.rig!r} sees it, found it {worst.value:.1f} px away, {worst.in_frames}"
        yield view.finding(message + explain.projection(view, pixels), frame=worst.frame, joint=worst.joint, value=worst.value)


@check("camera.behind", "warning", "sequence", "m", kinds=BOTH)
def behind(view: SequenceView, *, metres: float = 0.05) -> Iterator[Finding]:
    """A joint is behind the camera, or so near that its pixels mean nothing."""
    worst = view.worst(-view.positions[..., 2], -metres)
    if worst:
        where = f"{worst.value:.2f} m behind" if worst.value > 0 else f"{100 * -worst.value:.1f} cm before"
        message = f"{worst.joint}: expected it at least {100 * metres:.0f} cm before the camera, found it {where}, {worst.in_frames}"
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
        f"{name}: expected the flag of {where}, found {stated}; wrong flags in all: {count}{hint}", frame=int(frame), joint=name, value=count
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


# All cameras together -------------------------------------------------------------------------------


@check("camera.same_world", "error", "dataset", "mm")
def same_world(view: DatasetView, *, millimetres: float = 5.0) -> Iterator[Finding]:
    """Two cameras disagree about where the same performance takes place: one of them is the wrong one."""
    first: dict[tuple[int, str], int] = {}
    for row in sorted(view.gathered):
        number = first.setdefault((int(view.sequences["clip"][row]), str(view.sequences["avatar"][row])), row)
        apart = 1000.0 * float(np.abs(view.gathered[row].anchors - view.gathered[number].anchors).max())
        if apart > millimetres:
            rigs = [view.data.cameras[int(view.sequences["camera"][other])].rig for other in (number, row)]
            message = f"expected cameras {rigs[0]!r} and {rigs[1]!r} to show one performance in one place, found the first frame {apart:.0f} mm apart"
            yield view.finding(message, sequence=row, value=apart)


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
