"""The path of a person's root before the camera: all frames at once, so that a wrong keypoint in one frame moves nothing."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solveh_banded

from trainer.predict.tracks import Array
from trainer.predict.world.banded import DIFFERENCES, add_differences, huber
from trainer.predict.world.body import Body
from trainer.predict.world.ground import Ground
from trainer.predict.world.smooth import penalty_of
from trainer.predict.world.track import Track

_ACROSS, _ALONG = 3.0, 1.0
"""Hz: waves of the path across the line of sight and along it of which half is kept, where the keypoints determine both equally well."""
_DEPTH = 0.05
"""They determine depth less well: by the person's size in the image."""
_OUTLIER = 0.08
"""Metres: a joint that is farther beside its pixel counts less, and soon not at all."""
_HOLD, _STAND = 1.0, 0.1
"""Weights of a planted foot that stays where it is, and that stands on the floor; all keypoints of a frame together have 1."""
_REPEATS = 2
_ORDER = 3
_BANDS = 3 * _ORDER + 1
_WEAK = 1e-9


def follow(track: Track, body: Body, fps: float, amount: float, ground: Ground | None = None) -> Array:
    """Return the path of the root on which the pose best covers its keypoints, over all frames.

    The third differences of the path are kept small, in depth more than across; joints that are far from their pixels lose their weight. Once
    contacts and the floor are known, planted feet stay where they are and stand on it, which fixes the depth far better than sizes do. Of models
    that say the path themselves it is that path, smoothed.

    Parameters
    ----------
    track : Track
    body : Body
    fps : float
    amount : float
        Of smoothing; above 0. 1 is what was measured to be best.
    ground : Ground, optional

    Returns
    -------
    (T, 3) float64, metres
    """
    penalty = [penalty_of(frequency / amount, fps) for frequency in (_ACROSS, _ACROSS, _ALONG)] * np.array([1.0, 1.0, _DEPTH])
    weight = track.confidence / np.maximum(track.confidence.sum(axis=1, keepdims=True), _WEAK)
    root = track.root
    for _ in range(_REPEATS if ground is None else 1):
        positions = track.relative + root[:, None]
        beside = np.sqrt(np.square(positions[..., :2] - track.rays * positions[..., 2:]).sum(axis=2))
        equations = PathEquations(len(track))
        if track.given is None:
            equations.see(track.relative, track.rays, weight * huber(beside, _OUTLIER) ** 2)
        else:
            equations.expect(track.given)
        equations.keep_smooth(np.broadcast_to(penalty, (max(len(track) - _ORDER, 0), 3)))
        if ground is not None:
            _stand(equations, track, body, ground)
        root = equations.solve()
    return root


def _stand(equations: PathEquations, track: Track, body: Body, ground: Ground) -> None:
    """Add that planted feet stay where they are, on the floor if they are near it."""
    for sole, height, on in zip(body.soles, body.sole_heights, track.contacts.T, strict=True):
        point = track.relative[:, sole]
        equations.hold(point, _HOLD * (on[1:] & on[:-1]))
        if ground.level is not None:
            equations.keep_height(point, ground.up, ground.level + height, _STAND * on)


class PathEquations:
    """Normal equations of a path (T, 3), to which observations are added one kind after the other.

    Parameters
    ----------
    frames : int
    """

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self._bands = np.zeros((_BANDS, 3, frames))  # by difference of the unknowns, component and frame: unknown 3 k + c
        self._right = np.zeros((frames, 3))
        self._bands[0] += _WEAK

    def see(self, relative: Array, rays: Array, weight: Array) -> None:
        """Put joints onto the rays of their pixels: (x + t_x - a (z + t_z))² + (y + t_y - b (z + t_z))², where (a, b, 1) is the ray.

        Parameters
        ----------
        relative : (T, J, 3) float, metres
        rays : (T, J, 2) float
        weight : (T, J) float
        """
        across, upward = rays[..., 0], rays[..., 1]
        rest = relative[..., 0] - across * relative[..., 2], relative[..., 1] - upward * relative[..., 2]
        total = weight.sum(axis=1)
        self._bands[0, 0] += total
        self._bands[0, 1] += total
        for axis, (ray, off) in enumerate(zip((across, upward), rest, strict=True)):
            weighted = weight * ray
            self._bands[2 - axis, axis] -= weighted.sum(axis=1)
            self._bands[0, 2] += np.einsum("tj,tj->t", weighted, ray)
            self._right[:, axis] -= np.einsum("tj,tj->t", weight, off)
            self._right[:, 2] += np.einsum("tj,tj->t", weighted, off)

    def expect(self, path: Array) -> None:
        """Stay near a path that is known, (T, 3) float, metres."""
        self._bands[0] += 1.0
        self._right += path

    def keep_smooth(self, penalty: Array) -> None:
        """Keep third differences small; penalty (T - 3, 3) float."""
        self._difference(penalty, 3)

    def hold(self, point: Array, weight: Array) -> None:
        """Keep a point of the body where it is from each frame to the next: (t + point)[k + 1] = (t + point)[k].

        Parameters
        ----------
        point : (T, 3) float, metres
            Relative to the root.
        weight : (T - 1,) float
        """
        self._difference(np.repeat(weight[:, None], 3, axis=1), 1)
        pull = weight[:, None] * np.diff(point, axis=0)
        self._right[:-1] += pull
        self._right[1:] -= pull

    def keep_height(self, point: Array, up: Array, height: Array | float, weight: Array) -> None:
        """Keep a point of the body at a height: up · (t + point) = height.

        Parameters
        ----------
        point : (T, 3) float, metres
            Relative to the root.
        up : (3,) float
            Unit vector.
        height : (T,) float or float, metres
            Along `up`, from the camera.
        weight : (T,) float
        """
        for first in range(3):
            for second in range(first + 1):
                self._bands[first - second, second] += weight * up[first] * up[second]
        self._right += (weight * (height - point @ up))[:, None] * up

    def solve(self) -> Array:
        """Return the path, (T, 3) float64, metres."""
        bands = self._bands.transpose(0, 2, 1).reshape(_BANDS, 3 * self.frames)
        solved = solveh_banded(bands, self._right.ravel(), lower=True, check_finite=False)
        return np.asarray(solved.reshape(self.frames, 3))

    def _difference(self, penalty: Array, order: int) -> None:
        if self.frames > order:
            add_differences(self._bands, np.ascontiguousarray(penalty.T), DIFFERENCES[order], 3)
