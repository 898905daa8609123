"""Bones of constant length: a person does not grow and shrink from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainer.predict.tracks import Array
from trainer.predict.world.body import Body

_SHORTEST = 1e-9
_ROUNDS = 2


def bone_lengths(pieces: Sequence[Array], body: Body) -> Array:
    """Return the length of each bone of a person, the same on both sides of the body.

    Parameters
    ----------
    pieces : sequence of (T, J, 3) float, metres
        The parts of the video in which the person is seen.
    body : Body

    Returns
    -------
    (J,) float64, metres
        From the parent to the joint, median over the frames, mean of left and right; 0 for the root.
    """
    child, parent = np.array(body.bones).T
    lengths = np.zeros(len(body.joints))
    lengths[child] = np.median(np.concatenate([np.linalg.norm(piece[:, child] - piece[:, parent], axis=2) for piece in pieces]), axis=0)
    for left, right in body.pairs:
        lengths[left] = lengths[right] = 0.5 * (lengths[left] + lengths[right])
    return lengths


def with_lengths(positions: Array, body: Body, lengths: Array) -> Array:
    """Return the pose nearest to one, with bones of these lengths.

    Each bone in turn moves both its ends by half of what it is too long, twice over; then the directions that this gave are kept, from the root
    outwards. Turning noise into length errors, and moving joints by these from the root outwards alone, would add up to the hands.

    Parameters
    ----------
    positions : (T, J, 3) float, metres
    body : Body
    lengths : (J,) float, metres

    Returns
    -------
    (T, J, 3) float64, metres
    """
    joints = np.array(positions.transpose(1, 0, 2), dtype=np.float64, order="C")
    for _ in range(_ROUNDS):
        for joint, parent in body.bones:
            bone = joints[joint] - joints[parent]
            bone *= (0.5 * lengths[joint] / _norm(bone) - 0.5)[:, None]
            joints[joint] += bone
            joints[parent] -= bone
    out = joints.copy()
    for joint, parent in body.bones:
        bone = joints[joint] - joints[parent]
        out[joint] = out[parent] + bone * (lengths[joint] / _norm(bone))[:, None]
    return np.ascontiguousarray(out.transpose(1, 0, 2))


def _norm(bone: Array) -> Array:
    return np.asarray(np.maximum(np.sqrt(np.einsum("tc,tc->t", bone, bone)), _SHORTEST))
