"""Angle between the limbs of an avatar and of the source: detects sources that were misinterpreted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mocapgen.anatomy.tables import LIMBS
from mocapgen.core.motion import Array
from mocapgen.retarget.posed import Posed
from schemas.errors import RetargetError

NOTED = 5.0
"""Degrees from which a deviation is reported. On HDM05 and CMU the worst clip deviates by 3.3, all of it the planted feet's share."""
REFUSED = 20.0
"""Degrees from which a clip is refused: no foot is planted by turning a leg that far."""


@dataclass(frozen=True)
class LimbDeviation:
    """The bone that points furthest away from the source's."""

    bone: str
    """Role of the joint at its head."""
    degrees: float
    """Median over the frames, of the avatar on which it is largest."""

    def __str__(self) -> str:
        return f"{self.bone} points {self.degrees:.0f} degrees away from the source's, in half of the frames or more"


def limb_deviation(source: Posed, performances: Sequence[Posed]) -> LimbDeviation:
    """Measure the angle between each bone of arms and legs and the same bone of the source.

    Parameters
    ----------
    source : Posed
    performances : sequence of Posed
        The source's motion on each avatar: the same frames.

    Returns
    -------
    LimbDeviation

    Raises
    ------
    RetargetError
        If it is above :data:`REFUSED`: whichever joints were taken for the source's limbs, others turn them.
    """
    wanted = _directions(source)
    angles = [np.degrees(np.arccos(np.clip(np.einsum("bti,bti->bt", wanted, _directions(other)), -1.0, 1.0))) for other in performances]
    medians = np.median(angles, axis=2).max(axis=0)
    worst = int(medians.argmax())
    found = LimbDeviation(list(LIMBS)[worst], float(medians[worst]))
    if found.degrees > REFUSED:
        raise RetargetError(f"{found}; expected at most {REFUSED:g}: its joints were misunderstood; describe them in a profile (--profile)")
    return found


def _directions(posed: Posed) -> Array:
    """Return the unit vectors along the bones of arms and legs, (8, T, 3)."""
    bones = np.stack([posed.position(end) - posed.position(start) for start, end in LIMBS.items()])
    return bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)
