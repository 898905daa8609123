"""ASF/AMC as most parsers read it: line by line and bone by bone, with a matrix for each. What ours is compared with."""

from __future__ import annotations

import math

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.formats.asf import Asf


def rotation(angles: dict[str, float], order: str) -> Array:
    """Return the (3, 3) matrix of rotations, radians by axis, about fixed axes in an order such as ``XYZ``."""
    matrix = np.eye(3)
    for axis in order.lower():
        c, s = math.cos(angles.get(axis, 0.0)), math.sin(angles.get(axis, 0.0))
        turns = {"x": [[1, 0, 0], [0, c, -s], [0, s, c]], "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]], "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]]}
        matrix = np.array(turns[axis]) @ matrix
    return matrix


def parse_frames(text: str) -> list[dict[str, list[float]]]:
    """Return for each frame the values of each bone."""
    frames: list[dict[str, list[float]]] = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0][0] in "#:":
            continue
        if len(words) == 1 and words[0].isdigit():
            frames.append({})
        else:
            frames[-1][words[0]] = [float(word) for word in words[1:]]
    return frames


def bone_ends(text: str, asf: Asf) -> Array:
    """Return the far end of every bone of ``asf.ordered``, (T, B, 3) float64, metres (angles in degrees)."""
    axes = {bone.name: rotation(dict(zip("xyz", bone.axis, strict=True)), bone.axis_order) for bone in asf.ordered}
    out = []
    for frame in parse_frames(text):
        turns: dict[str, Array] = {}
        ends: dict[str, Array] = {}
        for bone in asf.ordered:
            values = dict(zip(bone.dof, frame.get(bone.name, []), strict=True))
            angles = {channel[1]: math.radians(value) for channel, value in values.items() if channel[0] == "r"}
            turn = axes[bone.name] @ rotation(angles, bone.axis_order)
            if bone is asf.root:
                turns[bone.name] = turn
                ends[bone.name] = np.array([start + values.get(f"t{axis}", 0.0) for axis, start in zip("xyz", asf.root_position, strict=True)])
            else:
                parent = asf.parents[bone.name]
                turns[bone.name] = turns[parent] @ turn @ axes[bone.name].T
                ends[bone.name] = ends[parent] + turns[bone.name] @ bone.vector
        out.append([ends[bone.name] for bone in asf.ordered])
    return np.array(out) * asf.metres_per_unit
