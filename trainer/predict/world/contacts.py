"""When which part of a foot is planted."""

from __future__ import annotations

import numpy as np

from trainer.predict.tracks import Array, Flags
from trainer.predict.world.runs import hysteresis

_PLANTED, _LIFTED = 0.45, 0.7
"""m/s: a sole is planted when it moves more slowly than the first, until it moves faster than the second."""
_SHORTEST = 0.13
"""Seconds."""
_DEPTH = 0.5
"""Weight of the speed along the line of sight, which a lifted pose shows less well than the speeds across it."""
_HEIGHT = 4.0
"""1/s: a sole that is 10 cm higher than others counts as if it moved by 0.4 m/s more."""
_STILL = 0.005
"""Metres from one frame to the next below which a planted point is still."""
_HIGHEST = 0.15
"""Metres above the floor up to which a planted sole may stand on it."""


def planted(soles: Array, seen: Array, heights: Array | None, fps: float) -> Flags:
    """Return where soles are planted.

    Parameters
    ----------
    soles : (T, P, 3) float, metres, camera frame
        Of the lifted pose, smoothed.
    seen : (T, P, 2) float, metres
        The same across the line of sight, from the pixels; NaN where these are not known.
    heights : (T, P) float, metres, optional
        Above the floor, less those of a sole that stands; None where the floor is not known.
    fps : float

    Returns
    -------
    (T, P) bool
    """
    if len(soles) < 3:
        return np.zeros(soles.shape[:2], dtype=bool)
    velocity = np.gradient(soles, axis=0) * fps
    across = np.square(velocity[..., :2]).sum(axis=2)
    observed = np.square(np.gradient(seen, axis=0) * fps).sum(axis=2)
    across = np.where(np.isfinite(observed), 0.5 * (across + observed), across)
    score = across + np.square(_DEPTH * velocity[..., 2])
    if heights is not None:
        score = score + np.square(_HEIGHT * np.maximum(heights, 0.0))
        score[heights > _HIGHEST] = np.inf
    shortest = max(round(_SHORTEST * fps), 2)
    return np.stack([hysteresis(np.sqrt(column), _PLANTED, _LIFTED, shortest) for column in score.T], axis=1)


def slowness(point: Array) -> Array:
    """Return weights (T,) of the frames of a planted point (T, 3): the more, the more slowly it moves, so that its ends count little."""
    step = np.gradient(point, axis=0) if len(point) > 1 else np.zeros_like(point)
    return np.asarray(1.0 / (np.einsum("tc,tc->t", step, step) + _STILL**2))
