"""Markers that a clip lacks, placed by those that it has: see ``substitutes`` of :class:`schemas.marker_set.MarkerSet`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.core.markers import Markers
from mocapgen.core.motion import Array
from mocapgen.markers.rigid import fit_rigid, mean_shape
from schemas.marker_set import MarkerSet

_STANDARD = "average_man"
_SAMPLES = 300  # frames, evenly spaced, from which shapes are found


def plan_substitutes(present: Sequence[str], marker_set: MarkerSet) -> dict[str, tuple[str, ...]]:
    """Return from which others each absent landmark's marker can be computed, in the order in which that is possible.

    Parameters
    ----------
    present : sequence of str
        The labels that the clip has.
    marker_set : MarkerSet
    """
    plan: dict[str, tuple[str, ...]] = {}
    absent = [label for label in marker_set.landmarks.values() if label not in present]
    grown = True
    while grown:
        grown = False
        for label in absent:
            groups = marker_set.substitutes.get(label, ())
            group = next((group for group in groups if all(other in present or other in plan for other in group)), None)
            if label not in plan and group is not None:
                plan[label] = group
                grown = True
    return plan


def substitute(markers: Markers, label: str, group: Sequence[str], marker_set: MarkerSet) -> Markers:
    """Put a marker where others say that it is, in the frames in which it was not seen.

    Parameters
    ----------
    markers : Markers
        By the set's labels; those of the group valid throughout.
    label : str
        Whose place is wanted. Where the clip shows it in some frames, those say how it stands to the group; otherwise the standard body does.
    group : sequence of str
        Three markers or more that move nearly as one piece.
    marker_set : MarkerSet

    Returns
    -------
    Markers
        With the label, valid throughout.
    """
    points = np.stack([markers.position(other) for other in group], axis=1)
    sample = np.unique(np.linspace(0, len(points) - 1, _SAMPLES).astype(np.intp))
    first = points[len(points) // 2]
    shape = mean_shape(points[sample], first - first.mean(axis=0))
    moving = fit_rigid(shape, points)
    seen = markers.valid[:, markers.index(label)] if label in markers else np.zeros(len(points), dtype=np.bool_)
    if seen.any():
        place = np.median(moving.to_local(markers.position(label))[seen], axis=0)
    else:
        standard = standard_positions(marker_set)
        model = np.array([standard[other] for other in group])
        scale = np.linalg.norm(shape - shape.mean(axis=0)) / np.linalg.norm(model - model.mean(axis=0))
        place = fit_rigid(scale * model, shape[None]).to_world(scale * standard[label])[0]
    path = moving.to_world(place)
    if label in markers:
        positions, valid = markers.positions.copy(), markers.valid.copy()
        positions[~seen, markers.index(label)] = path[~seen]
        valid[:, markers.index(label)] = True
        return replace(markers, positions=positions, valid=valid)
    positions = np.concatenate([markers.positions, path[:, None]], axis=1)
    valid = np.concatenate([markers.valid, np.ones((len(points), 1), dtype=np.bool_)], axis=1)
    return replace(markers, labels=(*markers.labels, label), positions=positions, valid=valid)


def standard_positions(marker_set: MarkerSet) -> dict[str, Array]:
    """Return where each marker of a set is on a standing body in T-pose, (3,) metres, by label."""
    skeleton = avatar_skeleton(load_avatar(_STANDARD))
    at = skeleton.rest_positions * (marker_set.stature / np.ptp(skeleton.rest_positions[:, 1]))
    return {label: at[skeleton.index(place.joint or place.bone)] + np.array(place.at) for label, place in marker_set.placements.items()}
