"""Planted feet stay planted, and no foot sinks into the floor: a last touch on the legs.

With scaled hips and the source's leg directions, a foot that rests in the source creeps a little on an avatar of other
proportions. For each foot we look for the smallest smooth displacement c(t) that gives the foot, while it is
planted, the source's (scaled) velocity:

    minimise  sum_t  stay |c_t|^2  +  smooth |c_t+1 - c_t|^2  +  sum_points planted_p,t |c_t+1 - c_t - slip_p,t|^2

where slip is by how much the point moved less (in the source, scaled) than on the avatar. That is one tridiagonal system per
foot, the same for x, y and z. The legs then reach for the displaced ankles by two-bone inverse kinematics, feet keeping their orientation.
Onto the source's own skeleton the slip is zero, and so is the displacement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.roles import Roles
from mocapgen.core.motion import Array, Skeleton
from mocapgen.core.rotation import multiply, rotate, shortest_arc

if TYPE_CHECKING:
    from mocapgen.retarget.transfer import Posed

SIDES = ("Left", "Right")
CONTACT_POINTS = ("Foot", "Toes", "ToesEnd")
"""Roles (without the side) at which a foot touches the floor: ankle (as a stand-in for the heel), ball, tip."""

PLANTED_SPEED = (0.05, 0.25)
"""Metres per second: planted up to the first, free from the second on."""
PLANTED_HEIGHT = (0.05, 0.12)
"""Metres above the floor, likewise (for the source's own size)."""
_STAY, _SMOOTH, _PLANTED = 1.0, 10.0, 300.0
"""Weights of the sum above, per frame at 30 fps. They trade slip for the direction of the legs: ten times more on the
last takes 2 % off the slip and adds a seventh to the change of direction (measured on HDM05)."""
_FLOOR_MARGIN = 0.01
"""A foot may dip this deep below the floor, metres, or as deep as the source's (scaled) does."""
_MOVED = 1e-7  # metres: smaller displacements are rounding


def ramp(values: Array, limits: tuple[float, float]) -> Array:
    """Return 1 below the first limit, 0 above the second, smooth between."""
    x = np.clip((limits[1] - values) / (limits[1] - limits[0]), 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def speeds(positions: Array, fps: float) -> Array:
    """Return the speed at each frame, (T, ...) float64, of positions (T, ..., 3): central differences, one-sided at the ends."""
    if len(positions) < 2:
        return np.zeros(positions.shape[:-1])
    return _length(np.gradient(positions, axis=0)) * fps


def _length(vectors: Array) -> Array:
    return np.sqrt(np.einsum("...i,...i->...", vectors, vectors))


@dataclass(frozen=True, eq=False)
class Contacts:
    """When the feet of a source are planted; computed once for all avatars.

    Parameters
    ----------
    points : tuple of str
        The contact points (roles without the side) that the source has.
    paths : (T, 2, P, 3) float64, metres, world frame
        Where they go; left foot first.
    weights : (T - 1, 2, P) float64
        How much each is planted in each interval between frames, 0 to 1.
    stiffness : (T - 1, 2) float64
        How strongly the displacements at either end of an interval are tied to each other.
    """

    points: tuple[str, ...]
    paths: Array
    weights: Array
    stiffness: Array

    @classmethod
    def of(cls, posed: Posed) -> Contacts:
        """Find the contacts of a motion."""
        points = tuple(point for point in CONTACT_POINTS if all(side + point in posed.roles.joints for side in SIDES))
        skeleton = posed.motion.skeleton
        paths = posed.positions[:, skeleton.indices([posed.roles.joints[side + point] for side in SIDES for point in points])]
        paths = paths.reshape(len(paths), 2, len(points), 3)
        speed = _length(np.diff(paths, axis=0)) * posed.motion.fps
        height = np.minimum(paths[1:, ..., 1], paths[:-1, ..., 1])
        weights = ramp(speed, PLANTED_SPEED) * ramp(height, PLANTED_HEIGHT)
        stiffness = _PLANTED * weights.sum(axis=2) + _SMOOTH
        return cls(points, paths, weights, stiffness)

    def scaled(self, scales: Array) -> Array:
        """Return the paths, (T, A, 2, P, 3) metres, of a source as large as each of A avatars."""
        return scales[:, None, None, None] * self.paths[:, None]

    def displacement(self, slip: Array) -> Array:
        """Return c(t), (T, A, 2, 3) metres, for slips (T - 1, A, 2, P, 3) metres: see the module's text."""
        pull = _PLANTED * np.einsum("tsp,taspi->tasi", self.weights, slip)
        right = np.zeros((len(slip) + 1, *pull.shape[1:]))
        right[:-1] -= pull
        right[1:] += pull
        between = self.stiffness[:, None, :, None]
        diagonal = np.full((len(right), 1, 2, 1), _STAY)
        diagonal[:-1] += between
        diagonal[1:] += between
        return solve_tridiagonal(diagonal, -between, right)

    def lift(self, wanted: Array, found: Array) -> Array:
        """Return by how much, (A,) metres, planted points are on average lower than wanted, given heights (T, A, 2, P)."""
        weight = float(self.weights.sum())
        if weight < 1e-3:  # nobody stands: compare the lowest points instead
            return np.mean(wanted.min(axis=(0, 3)) - found.min(axis=(0, 3)), axis=1)
        return np.einsum("tsp,tasp->a", self.weights, wanted[:-1] - found[:-1]) / weight


def solve_tridiagonal(diagonal: Array, between: Array, right: Array) -> Array:
    """Solve symmetric tridiagonal systems along the first axis, all at once.

    Parameters
    ----------
    diagonal : (T, ...) float
        Dominant: at least the sum of the magnitudes beside it.
    between : (T - 1, ...) float
        Couples each unknown to the next.
    right : (T, ...) float
        Right-hand sides; the other shapes broadcast against it.

    Returns
    -------
    (T, ...) float64

    Notes
    -----
    Parallel cyclic reduction (Hockney and Jesshope, Parallel Computers, 1981): log2(T) vectorised steps,
    each of which leaves unknowns coupled that are twice as far apart. Loading ``scipy.linalg`` for its banded solver
    would take every worker process longer than all its solving.
    """
    step = 1
    while step < len(right):
        before, after = between / diagonal[:-step], between / diagonal[step:]
        reduced, solved = diagonal.copy(), right.copy()
        reduced[step:] -= before * between
        reduced[:-step] -= after * between
        solved[step:] -= before * right[:-step]
        solved[:-step] -= after * right[step:]
        diagonal, right, between = reduced, solved, -after[:-step] * between[step:]
        step *= 2
    return right / diagonal


def keep_feet(posed: Posed, target: Skeleton, roles: Roles, rotations: Array, positions: Array, scales: Array) -> Array:
    """Turn the legs of a transferred motion so that planted feet rest and none sinks.

    Parameters
    ----------
    posed : Posed
        The source.
    target, roles : Skeleton, Roles
        The tree of joints of all A avatars.
    rotations : (T, A, J, 4) float
        The avatars' global rotations; those of thighs and shanks are changed in place.
    positions : (T, A, J, 3) float, metres, world frame
        The avatars' joints.
    scales : (A,) float
        Leg length of each avatar over that of the source.

    Returns
    -------
    (A,) float64
        Metres by which the whole body has to be raised besides.
    """
    contacts = posed.contacts
    if not all(side + point in roles.joints for side in SIDES for point in contacts.points):
        return np.zeros(len(scales))
    chosen = target.indices([roles.joints[side + point] for side in SIDES for point in contacts.points])
    found = positions[..., chosen, :].reshape(*positions.shape[:2], 2, len(contacts.points), 3)
    wanted = contacts.scaled(scales)
    lift = contacts.lift(wanted[..., 1], found[..., 1])
    displacement = contacts.displacement(np.diff(wanted - found, axis=0))
    # Where a point would still sink deeper than the source's (scaled), its foot is raised.
    allowed = np.minimum(wanted[..., 1].min(axis=-1), 0.0) - _FLOOR_MARGIN
    displacement[..., 1] += np.maximum(allowed - found[..., 1].min(axis=-1) - lift[:, None] - displacement[..., 1], 0.0)
    still = np.abs(displacement).max(axis=(0, 2, 3)) <= _MOVED  # such as the source's own skeleton
    if not still.all():
        legs = np.array([target.indices([roles.joints[side + part] for side in SIDES]) for part in ("UpperLeg", "LowerLeg", "Foot")])
        untouched = rotations[:, still]
        _reach(rotations, positions, displacement, legs)
        rotations[:, still] = untouched
    return lift


def _reach(rotations: Array, positions: Array, displacement: Array, legs: NDArray[np.intp]) -> None:
    """Turn thighs and shanks, in place, so that the ankles move by the displacement, (T, A, 2, 3).

    `legs` : (3, 2) holds the joints at hips, knees and ankles. Two-bone inverse kinematics by the law of cosines.
    """
    thighs, shanks, _ = legs
    hip, knee, ankle = (positions[..., joints, :] for joints in legs)
    line = ankle + displacement - hip
    upper, lower, distance = _length(knee - hip), _length(ankle - knee), _length(line)
    # A stretched leg reaches no further; short of that, leave the knee the last bit of bend.
    longest = np.maximum((upper + lower) * 0.9999, _length(ankle - hip))
    reach = np.clip(distance, np.abs(upper - lower) + 1e-3, longest)
    direction = line / distance[..., None]
    along = (upper**2 - lower**2 + reach**2) / (2.0 * reach)
    aside = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    # The knee stays in its plane; where the leg is straight, the thigh's forward axis says where it would bend.
    bend = (knee - hip) + 1e-3 * rotate(rotations[..., thighs, :], np.array([0.0, 0.0, 1.0]))
    bend -= np.einsum("...i,...i->...", bend, direction)[..., None] * direction
    bend /= np.maximum(_length(bend), 1e-9)[..., None]
    new_knee = hip + along[..., None] * direction + aside[..., None] * bend
    new_ankle = hip + reach[..., None] * direction
    rotations[..., thighs, :] = multiply(shortest_arc(knee - hip, new_knee - hip), rotations[..., thighs, :])
    rotations[..., shanks, :] = multiply(shortest_arc(ankle - knee, new_ankle - new_knee), rotations[..., shanks, :])
