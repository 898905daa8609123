"""Which side of a figure is left, by two witnesses: where the feet point and which way the knees bend."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mocapgen.anatomy.tables import LEG, SIDES
from mocapgen.core.skeleton import Array, Skeleton

_CLEAR = 0.05
"""A frame says something if what points forward does so by this share of the legs' length."""


def placed(skeleton: Skeleton, joints: Mapping[str, str], positions: Array) -> dict[str, Array]:
    """Return where the joint of each role is, (T, 3), given the positions (T, J, 3) of all joints."""
    return {role: positions[:, skeleton.index(joint)] for role, joint in joints.items()}


def side_votes(at: Mapping[str, Array]) -> tuple[float, float]:
    """Return in how many frames the left side lies on the left, less in how many on the right, by feet and by knees.

    Parameters
    ----------
    at : mapping of role to (T, 3) float
        Where its joint is. Right-handed axes, whichever points up.

    Returns
    -------
    tuple of two floats
        Each 1 to -1, 0 if it cannot be told. Feet point forward from ankle to toes; knees that are bent lie before the line from hip to ankle.
    """
    if any(role not in at for role in ("Neck", *(f"{side}{part}" for side in SIDES for part in LEG))):
        return 0.0, 0.0
    across = at["LeftUpperLeg"] - at["RightUpperLeg"]
    trunk = at["Neck"] - 0.5 * (at["LeftUpperLeg"] + at["RightUpperLeg"])
    legs = sum(np.linalg.norm(at["LeftFoot"] - at["LeftLowerLeg"], axis=-1)) / len(across)
    size = np.linalg.norm(across, axis=-1) * np.linalg.norm(trunk, axis=-1) * legs
    feet, knees = np.zeros(len(across)), np.zeros(len(across))
    for side in SIDES:
        hip, knee, ankle = (at[side + part] for part in LEG)
        knees += np.einsum("ti,ti->t", across, np.cross(trunk, knee - 0.5 * (hip + ankle)))
        if f"{side}Toes" in at:
            feet += np.einsum("ti,ti->t", across, np.cross(trunk, at[f"{side}Toes"] - ankle))
    return _mean_sign(feet, size), _mean_sign(knees, size)


def _mean_sign(votes: Array, size: Array) -> float:
    clear = np.abs(votes) > _CLEAR * size
    return float(np.sign(votes[clear]).mean()) if clear.any() else 0.0


def side_agreement(at: Mapping[str, Array]) -> float:
    """Return how well the roles' sides fit the geometry: 1 to -1, 0 if it cannot be told; negative only if neither feet nor knees object.

    Parameters
    ----------
    at
        As for :func:`side_votes`.
    """
    feet, knees = side_votes(at)
    return max(feet, knees) if max(feet, knees) > 0.0 else min(feet, knees)
