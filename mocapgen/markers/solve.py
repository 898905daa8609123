"""From markers to a skeleton of constant bone lengths that moves as they do: an ordinary Motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mocapgen.anatomy.marker_sets import recognise_marker_set
from mocapgen.core.kinematics import local_rotations
from mocapgen.core.markers import Markers
from mocapgen.core.motion import Motion
from mocapgen.core.rotation import make_continuous, normalise
from mocapgen.core.vectors import cross, dot
from mocapgen.markers.centres import Paths, calibrate, locate
from mocapgen.markers.complete import complete_markers
from mocapgen.markers.pose import Body
from schemas.errors import FormatError
from schemas.marker_set import MarkerSet

CALIBRATION_FRAMES = 300
"""Frames, evenly spaced over the clip, from which constants are found: more change them by less than a millimetre."""


@dataclass(frozen=True)
class Solved:
    """A skeleton fitted to a clip's markers."""

    motion: Motion
    """As from :func:`solve`."""
    marker_set: str
    """Name of the set by which the labels were understood."""
    start: int = 0
    """The frame of the clip that is the motion's first."""
    notes: tuple[str, ...] = ()
    """What was absent and what took its place, one sentence each."""
    lost: tuple[str, ...] = ()
    """Frames that were left out, one sentence each."""


def solve(markers: Markers, marker_set: MarkerSet | None = None) -> Motion:
    """Fit a skeleton to markers.

    Parameters
    ----------
    markers : Markers
        Of a whole body.
    marker_set : MarkerSet, optional
        What the labels mean; by default the built-in set that fits them best.

    Returns
    -------
    Motion
        Metres, world frame, at the markers' frame rate. The skeleton has the joints of the file schema
        (``schemas.conventions.JOINT_PARENTS``), stands in T-pose at rest facing +z, and its bones keep their lengths. Without the frames
        at the ends of the clip in which markers are not seen, and nothing tells where they were.

    Raises
    ------
    FormatError
        If markers are missing for which nothing can stand, are not seen for too long within the clip to be reconstructed (the message
        names the marker, its segment and the frames), or left and right are exchanged.
    """
    return solve_clip(markers, marker_set).motion


def solve_clip(markers: Markers, marker_set: MarkerSet | None = None) -> Solved:
    """Fit a skeleton to markers and say what had to be decided: see :func:`solve`."""
    chosen = marker_set or recognise_marker_set(markers.labels)
    seen = complete_markers(markers, chosen)
    paths = {landmark: seen.markers.position(label) for landmark, label in chosen.landmarks.items() if label in seen.markers}
    _check_sides(paths, markers)
    frames = len(seen.markers)
    sample = np.unique(np.linspace(0, frames - 1, CALIBRATION_FRAMES).astype(np.intp))
    sampled = {name: path[sample] for name, path in paths.items()}
    calibration = calibrate(sampled, chosen, frames / markers.fps)
    body = Body.of(locate(sampled, calibration, chosen.anatomy), calibration, chosen.anatomy)
    rotations, roots = body.pose(locate(paths, calibration, chosen.anatomy))
    local = make_continuous(normalise(local_rotations(body.skeleton, rotations)))
    motion = Motion(body.skeleton, local, roots, markers.fps, markers.name)
    return Solved(motion, chosen.name, seen.start, seen.notes, seen.lost)


def _check_sides(paths: Paths, markers: Markers) -> None:
    """Raise if left and right are exchanged, or the file's axes are left-handed: feet then point backwards."""
    across = paths["LeftFrontWaist"] - paths["RightFrontWaist"] + paths["LeftBackWaist"] - paths["RightBackWaist"]
    ahead = paths["LeftFrontWaist"] + paths["RightFrontWaist"] - paths["LeftBackWaist"] - paths["RightBackWaist"]
    up = paths["LeftAcromion"] + paths["RightAcromion"] - paths["LeftFrontWaist"] - paths["RightFrontWaist"]
    mirrored = dot(cross(up, ahead), across) < 0
    if mirrored.mean() > 0.5:
        raise FormatError(
            f"{markers.name}: expected the left markers on the left, found them on the right in {mirrored.mean():.0%} of the "
            "frames: labels are exchanged, or the file's axes are left-handed"
        )
