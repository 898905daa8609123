"""Joints that turn faster than people can."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from trainer.predict.tracks import Array
from trainer.predict.world.body import Body

FASTEST = 2000.0
"""Degrees per second. Pitchers' forearms reach about three times that around their own axis, which a bone's direction does not show."""
_NAMED = 3
_SHORTEST = 0.03
"""Metres: a shorter bone has no direction."""


def too_fast(pieces: Sequence[Array], body: Body, fps: float) -> str | None:
    """Return a note on bones that turn faster than :data:`FASTEST`, or None.

    Parameters
    ----------
    pieces : sequence of (T, J, 3) float, metres
    body : Body
    fps : float
    """
    child, parent = np.array(body.bones).T
    frames: set[tuple[int, int]] = set()
    least: dict[str, float] = {}
    limit = math.cos(min(math.radians(FASTEST / fps), math.pi))
    for place, positions in enumerate(pieces):
        bones = positions[:, child] - positions[:, parent]
        lengths = np.sqrt(np.einsum("tbc,tbc->tb", bones, bones))
        cosine = np.einsum("tbc,tbc->tb", bones[1:], bones[:-1]) / np.maximum(lengths[1:] * lengths[:-1], _SHORTEST**2)
        for frame, bone in zip(*np.nonzero((cosine < limit) & (np.minimum(lengths[1:], lengths[:-1]) > _SHORTEST)), strict=True):
            frames.add((place, int(frame)))
            name = body.joints[child[bone]]
            least[name] = min(least.get(name, 1.0), float(cosine[frame, bone]))
    if not frames:
        return None
    worst = sorted(least, key=lambda name: least[name])
    more = f" and {len(worst) - _NAMED} more" if len(worst) > _NAMED else ""
    return (
        f"faster than people turn (above {FASTEST:,.0f} degrees/s) in {len(frames)} frames: {', '.join(worst[:_NAMED])}{more}; "
        "wrong keypoints, or another person?"
    )
