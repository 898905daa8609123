"""What of a joint set the steps need: bones, feet, and masses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from schemas.conventions import H36M17
from schemas.detectors import DETECTOR_JOINTS
from trainer.predict.tracks import Array

_ABOVE_FLOOR = {"toe": 0.01, "heel": 0.02, "ankle": 0.08}
"""Metres: how high these joints of an adult are while the foot stands flat; medians over HDM05 and CMU on the built-in avatar of an average man."""
_BALL = 0.6
"""Share of the way from the ankle to the toe's tip above which people balance; without toes :data:`_AHEAD` of the ankle."""
_AHEAD = 0.05
"""Metres."""
_STANDS, _RAISED = 0.2, 0.3
"""Metres: a foot that is higher than the other one by less than the first carries its share, by more than the second nothing."""
_SEGMENTS = {
    ("pelvis", "thorax"): (0.497, 0.5),
    ("neck", "head_top"): (0.081, 0.5),
    ("shoulder", "elbow"): (0.028, 0.436),
    ("elbow", "wrist"): (0.022, 0.682),
    ("hip", "knee"): (0.100, 0.433),
    ("knee", "ankle"): (0.061, 0.606),
}
"""Share of each segment in the body's mass, and where its centre lies between its joints (Winter, Biomechanics and Motor Control, 2009; hands and
feet belong to the forearm and the shank)."""


@dataclass(frozen=True)
class Foot:
    """The joints of a leg, as places in the joint set.

    Parameters
    ----------
    hip, knee, ankle : int
    soles : tuple of int
        Joints that touch the floor: toe and heel, or the ankle where a joint set has neither.
    heights : tuple of float, metres
        Of these above the floor, of an adult who stands.
    """

    hip: int
    knee: int
    ankle: int
    soles: tuple[int, ...]
    heights: tuple[float, ...]

    @property
    def moved(self) -> tuple[int, ...]:
        """Joints that move with the ankle."""
        return tuple(dict.fromkeys((self.ankle, *self.soles)))


@dataclass(frozen=True, eq=False)
class Body:
    """A joint set.

    Parameters
    ----------
    joints : tuple of str
        Those of ``h36m17`` or ``detector``, in any order.
    parents : tuple of int
        -1 for the root; parents before children.
    """

    joints: tuple[str, ...]
    parents: tuple[int, ...]

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Joints of the left side, each with that of the right."""
        lefts = [joint for joint in self.joints if joint.startswith("left_")]
        return tuple((self.at(left), self.at(left.replace("left_", "right_"))) for left in lefts)

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """Joints, each with its parent, from the root outwards, in an order that does not depend on that of the joint set."""
        return tuple((self.at(joint), self.parents[self.at(joint)]) for joint in DETECTOR_JOINTS if joint in self.joints and joint != "pelvis")

    @property
    def missing(self) -> tuple[str, ...]:
        """Joints of ``h36m17`` that the set lacks; the steps need all of them."""
        return tuple(joint for joint in H36M17 if joint not in self.joints)

    def at(self, joint: str) -> int:
        """Return the place of a joint."""
        return self.joints.index(joint)

    @cached_property
    def feet(self) -> tuple[Foot, Foot]:
        """The left foot and the right one."""

        def foot(side: str) -> Foot:
            parts = [part for part in ("toe", "heel") if f"{side}_{part}" in self.joints] or ["ankle"]
            soles = tuple(self.at(f"{side}_{part}") for part in parts)
            hip, knee, ankle = (self.at(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
            return Foot(hip, knee, ankle, soles, tuple(_ABOVE_FLOOR[part] for part in parts))

        return foot("left"), foot("right")

    @cached_property
    def soles(self) -> tuple[int, ...]:
        """All joints that touch the floor."""
        return tuple(joint for foot in self.feet for joint in foot.soles)

    @cached_property
    def sole_heights(self) -> Array:
        """Heights of :attr:`soles` above the floor, metres."""
        return np.array([height for foot in self.feet for height in foot.heights])

    @cached_property
    def _masses(self) -> Array:
        masses = np.zeros(len(self.joints))
        for (first, second), (mass, along) in _SEGMENTS.items():
            for side in ("",) if first in self.joints else ("left_", "right_"):
                masses[self.at(side + first)] += mass * (1.0 - along)
                masses[self.at(side + second)] += mass * along
        return masses / masses.sum()

    def centre_of_mass(self, positions: Array) -> Array:
        """Return the centre of mass, (T, 3) metres."""
        return np.asarray(np.einsum("tjc,j->tc", positions, self._masses))

    def support(self, positions: Array, up: Array | None = None) -> Array:
        """Return the middle of the places above which people balance, (T, 3) metres: both feet, or where `up` is known those that stand.

        Parameters
        ----------
        positions : (T, J, 3) float, metres
        up : (3,) float, optional
            Unit vector.
        """
        places = np.stack([positions[:, foot.ankle] for foot in self.feet])
        height = np.zeros(places.shape[:2]) if up is None else places @ up
        share = np.clip((_RAISED - (height - height.min(axis=0))) / (_RAISED - _STANDS), 0.0, 1.0)
        if len(self.feet[0].soles) > 1:
            places += _BALL * (np.stack([positions[:, foot.soles[0]] for foot in self.feet]) - places)
        else:
            places += _AHEAD * self.forward(positions)
        return np.asarray(np.einsum("ft,ftc->tc", share / share.sum(axis=0), places))

    def forward(self, positions: Array) -> Array:
        """Return the direction in which the pelvis faces, (T, 3), unit vectors; in y-up axes, x right of a camera that looks along z."""
        left, right = self.feet
        across = positions[:, right.hip] - positions[:, left.hip]
        trunk = positions[:, self.at("thorax")] - positions[:, self.at("pelvis")]
        ahead = np.cross(across, trunk)
        return np.asarray(ahead / np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9))

    def stretched(self, positions: Array) -> Array:
        """Return how far the straighter leg is stretched, (T,): distance of hip and ankle as a share of the leg's length."""
        shares = []
        for foot in self.feet:
            length = _length(positions, foot.hip, foot.knee) + _length(positions, foot.knee, foot.ankle)
            shares.append(_length(positions, foot.hip, foot.ankle) / np.maximum(length, 1e-9))
        return np.asarray(np.max(shares, axis=0))

    def stature(self, lengths: Sequence[float] | Array) -> float:
        """Return the height of a person with these bones who stands straight, metres.

        Parameters
        ----------
        lengths : (J,) float, metres
            From each joint's parent to it.
        """
        spine = sum(float(lengths[self.at(joint)]) for joint in ("spine", "thorax", "neck", "head_top"))
        leg = sum(float(lengths[joint]) for joint in (self.feet[0].knee, self.feet[0].ankle))
        return (spine + leg) * (1.0 + _ABOVE_FLOOR["ankle"] / 1.65)


def _length(positions: Array, first: int, second: int) -> Array:
    return np.asarray(np.linalg.norm(positions[:, first] - positions[:, second], axis=1))
