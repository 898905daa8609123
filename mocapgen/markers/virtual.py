"""Virtual markers: what a capture system would have seen of a skeleton whose joints are known."""

from __future__ import annotations

import numpy as np

from mocapgen.anatomy.infer import find_roles
from mocapgen.anatomy.marker_sets import load_marker_set
from mocapgen.core.kinematics import global_rotations, joint_positions
from mocapgen.core.markers import Markers
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.rotation import rotate
from schemas.errors import RetargetError
from schemas.marker_set import MarkerSet


def place_markers(motion: Motion, marker_set: MarkerSet | None = None) -> Markers:
    """Put the markers of a set on a moving skeleton.

    Parameters
    ----------
    motion : Motion
        On a skeleton whose rest pose is a T-pose that faces +z (an avatar, the sample's actors, a solved skeleton).
    marker_set : MarkerSet, optional
        By default the standard set of 41 markers.

    Returns
    -------
    Markers
        All valid; each at a constant place on its bone, in proportion to the skeleton's height.

    Raises
    ------
    RetargetError
        If the skeleton lacks a joint that a marker sits on.
    """
    chosen = marker_set or load_marker_set()
    roles = find_roles(motion.skeleton)
    used = {joint for place in chosen.placements.values() for joint in (place.bone, place.joint or place.bone)}
    if missing := sorted(used - set(roles.joints)):
        raise RetargetError(f"{motion.name}: missing joints for markers of {chosen.name}: {', '.join(missing[:5])}")
    scale = _height(motion.skeleton) / chosen.stature
    turned = global_rotations(motion.skeleton, motion.rotations)
    at = joint_positions(motion.skeleton, turned, motion.root_positions)
    positions = np.empty((len(motion), len(chosen.placements), 3))
    for column, place in enumerate(chosen.placements.values()):
        bone, joint = (motion.skeleton.index(roles.joints[role]) for role in (place.bone, place.joint or place.bone))
        positions[:, column] = at[:, joint] + rotate(turned[:, bone], np.array(place.at) * scale)
    return Markers(tuple(chosen.placements), positions, np.ones(positions.shape[:2], dtype=np.bool_), motion.fps, motion.name)


def _height(skeleton: Skeleton) -> float:
    return float(np.ptp(skeleton.rest_positions[:, 1]))
