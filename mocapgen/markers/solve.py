"""From markers to a skeleton of constant bone lengths that moves as they do: an ordinary Motion."""

from __future__ import annotations

import numpy as np

from mocapgen.kinematics import local_rotations
from mocapgen.markers.centres import Paths, calibrate, locate
from mocapgen.markers.data import Markers
from mocapgen.markers.pose import Body
from mocapgen.markers.sets import load_marker_set, standard_labels
from mocapgen.motion import Motion
from mocapgen.rotation import make_continuous, normalise
from schemas.errors import FormatError
from schemas.marker_set import MarkerSet

CALIBRATION_FRAMES = 300
"""Frames, evenly spaced over the clip, from which constants are found: more change them by less than a millimetre."""


def solve(markers: Markers, marker_set: MarkerSet | None = None) -> Motion:
    """Fit a skeleton to markers.

    Parameters
    ----------
    markers : Markers
        Of a whole body.
    marker_set : MarkerSet, optional
        What the labels mean; by default the standard set of 41 markers.

    Returns
    -------
    Motion
        Metres, world frame, at the markers' frame rate. The skeleton has the joints of the file schema
        (``schemas.conventions.JOINT_PARENTS``), stands in T-pose at rest facing +z, and its bones keep their lengths.

    Raises
    ------
    FormatError
        If markers of the set are missing, or are not seen for so long that nobody can tell where they were.
    """
    chosen = marker_set or load_marker_set()
    paths = _paths(markers, chosen)
    sample = np.unique(np.linspace(0, len(markers) - 1, CALIBRATION_FRAMES).astype(np.intp))
    sampled = {name: path[sample] for name, path in paths.items()}
    calibration = calibrate(sampled, chosen, len(markers) / markers.fps)
    body = Body.of(locate(sampled, calibration, chosen.anatomy), calibration, chosen.anatomy)
    rotations, roots = body.pose(locate(paths, calibration, chosen.anatomy))
    local = make_continuous(normalise(local_rotations(body.skeleton, rotations)))
    return Motion(body.skeleton, local, roots, markers.fps, markers.name)


def _paths(markers: Markers, marker_set: MarkerSet) -> Paths:
    """Return where the marker of each landmark goes."""
    found = standard_labels(markers.labels, marker_set)
    wanted = marker_set.landmarks
    missing = [label for label in wanted.values() if label not in found]
    if missing:
        raise FormatError(
            f"{markers.name}: expected the {len(wanted)} markers of the set {marker_set.name}, found none for {', '.join(missing[:8])} "
            f"among {', '.join(markers.labels[:8])}, ..."
        )
    return {landmark: markers.position(found[label]) for landmark, label in wanted.items()}
