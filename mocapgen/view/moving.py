"""Motions that the player's buttons save as BVH and glTF: rotations and a body, packed for the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mocapgen.anatomy.capsules import body_capsules
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.rotation import IDENTITY, make_continuous
from mocapgen.retarget.in_world import predicted_motion, recorded_motion
from mocapgen.store.predictions import Predictions
from mocapgen.store.reader import Dataset, SequenceRow
from mocapgen.view.codec import encode, quantise
from schemas.errors import MocapError

STEP_ROTATION = 5e-5
"""Components of quaternions are stored to this: joints are then within 0.6 mm of where they would be."""
STEP_ROOT = 1e-4
"""Metres."""
_DIGITS = 6  # of lengths in the skeleton: micrometres


@dataclass(frozen=True)
class PackedMotion:
    """What a page holds of a motion.

    Parameters
    ----------
    skeleton : dict
        For the page's table of skeletons.
    turning : list of int
        The joints whose rotations are stored; the others never turn.
    rotations, root : str
        Encoded: (T, N, 4) and (T, 1, 3).
    """

    skeleton: dict[str, Any]
    turning: list[int]
    rotations: str
    root: str


def sequence_motion(data: Dataset | Predictions, row: SequenceRow) -> Motion | None:
    """Return the motion of a sequence in the world, as an export writes it; None if the file's numbers do not make one."""
    try:
        positions = row.camera.to_world(row["positions_3d"].astype(np.float64))
        if isinstance(data, Predictions):
            at = {joint: positions[:, place] for place, joint in enumerate(data.joints)}
            return predicted_motion(at, row.avatar, None, data.fps, str(row.clip["id"]))[0]
        rotations = row["quaternions"].astype(np.float64)
        norms = np.linalg.norm(rotations, axis=-1, keepdims=True)
        if not (np.isfinite(positions).all() and np.abs(norms - 1.0).max() < 1e-3):
            return None
        return recorded_motion(rotations / norms, positions, row.camera, data.skeletons[row.avatar], data.fps, str(row.clip["id"]))[0]
    except (MocapError, ValueError):
        return None


def packed_motion(motion: Motion) -> PackedMotion:
    """Encode a motion."""
    rotations = make_continuous(motion.rotations)
    turns = np.abs(rotations - IDENTITY).max(axis=(0, 2)) > 1e-9
    turning = [joint for joint in range(len(turns)) if joint == 0 or turns[joint]]
    return PackedMotion(
        _described(motion.skeleton),
        turning,
        encode(quantise(rotations[:, turning], STEP_ROTATION), (-1,) * len(turning)),
        encode(quantise(motion.root_positions[:, None], STEP_ROOT), (-1,)),
    )


def _described(skeleton: Skeleton) -> dict[str, Any]:
    """Return a skeleton and its body as the scripts of the page take them."""

    def short(numbers: Any) -> list[Any]:
        found: list[Any] = (np.round(numbers, _DIGITS) + 0.0).tolist()
        return found

    body = [
        {
            "joint": capsule.joint,
            "start": short(capsule.start),
            "end": short(capsule.end),
            "radii": short(capsule.radii),
            "side": capsule.side,
            "across": short(capsule.across),
        }
        for capsule in body_capsules(skeleton)
    ]
    ends = [joint for joint, name in enumerate(skeleton.names) if name in skeleton.end_sites]
    return {"names": list(skeleton.names), "parents": list(skeleton.parents), "offsets": short(skeleton.offsets), "ends": ends, "body": body}
