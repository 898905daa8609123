"""From markers to a skeleton of constant bone lengths that moves as they do: an ordinary Motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mocapgen.anatomy.marker_sets import load_marker_set, standard_labels
from mocapgen.core.kinematics import local_rotations
from mocapgen.core.markers import Markers
from mocapgen.core.motion import Motion
from mocapgen.core.rotation import make_continuous, normalise
from mocapgen.core.vectors import cross, dot
from mocapgen.markers.centres import Paths, calibrate, locate
from mocapgen.markers.gaps import LOOSE, Gap, fill_gaps
from mocapgen.markers.pose import Body
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
        If markers of the set are missing, are not seen for too long to be reconstructed (the message names the
        marker, its segment and the frames), or left and right are exchanged.
    """
    chosen = marker_set or load_marker_set()
    filled, gaps = fill_gaps(_of_set(markers, chosen), chosen.segments.values())
    if left := [gap for gap in gaps if gap.filled == "not"]:
        raise _unfilled(markers, chosen, left)
    paths = {landmark: filled.position(label) for landmark, label in chosen.landmarks.items()}
    _check_sides(paths, markers)
    sample = np.unique(np.linspace(0, len(markers) - 1, CALIBRATION_FRAMES).astype(np.intp))
    sampled = {name: path[sample] for name, path in paths.items()}
    calibration = calibrate(sampled, chosen, len(markers) / markers.fps)
    body = Body.of(locate(sampled, calibration, chosen.anatomy), calibration, chosen.anatomy)
    rotations, roots = body.pose(locate(paths, calibration, chosen.anatomy))
    local = make_continuous(normalise(local_rotations(body.skeleton, rotations)))
    return Motion(body.skeleton, local, roots, markers.fps, markers.name)


def _of_set(markers: Markers, marker_set: MarkerSet) -> Markers:
    """Return the markers of the set, by its own labels.

    Raises
    ------
    FormatError
        With the labels of those that are missing.
    """
    found = standard_labels(markers.labels, marker_set)
    missing = [label for label in marker_set.landmarks.values() if label not in found]
    missing += [
        label for label, written in found.items() if label in marker_set.landmarks.values() and not markers.valid[:, markers.index(written)].any()
    ]
    if missing:
        raise FormatError(
            f"{markers.name}: expected the {len(marker_set.landmarks)} markers of the set {marker_set.name}, found nothing of "
            f"{', '.join(missing[:8])} among {', '.join(markers.labels[:8])}, ..."
        )
    columns = [markers.index(written) for written in found.values()]
    return replace(markers, labels=tuple(found), positions=markers.positions[:, columns], valid=markers.valid[:, columns])


def _unfilled(markers: Markers, marker_set: MarkerSet, left: Sequence[Gap]) -> FormatError:
    """Return the error that names the longest gap."""
    worst = max(left, key=lambda gap: gap.stop - gap.start)
    segment = next((role for role, labels in marker_set.segments.items() if worst.label in labels), "no segment")
    more = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
    return FormatError(
        f"{markers.name}: marker {worst.label} ({segment}): expected it to be seen again within {LOOSE:g} s, or three more of its segment, "
        f"found frames {worst.start} to {worst.stop - 1} ({(worst.stop - worst.start) / markers.fps:.2f} s) without{more}; cut the clip there"
    )


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
