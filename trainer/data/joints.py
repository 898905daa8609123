"""The joints that a model lifts, by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.conventions import H36M17
from schemas.detectors import DETECTOR_SET, SUBSTITUTES
from schemas.train import ModelCard

Array = NDArray[Any]


def outwards(parents: tuple[int, ...], first: int | None = None) -> tuple[int, ...]:
    """Return a joint, by default the root, and all that hang on it, each after its parent, level by level."""
    order = [parents.index(-1) if first is None else first]
    for place in order:  # which grows meanwhile
        order += [joint for joint, parent in enumerate(parents) if parent == place]
    return tuple(order)


@dataclass(frozen=True, eq=False)
class LiftedJoints:
    """The joints that are lifted, by name, in the order of the arrays.

    Parameters
    ----------
    name : str
    joints : tuple of str
    parents : tuple of int
        Index of each joint's parent in `joints`; -1 for the root.
    pairs : tuple of (int, int)
        Left and right joint of each symmetric pair.
    groups : tuple of str
        Group of each joint for reports; empty if in none.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    groups: tuple[str, ...]

    @property
    def root(self) -> int:
        """Index of the root joint."""
        return self.parents.index(-1)

    @cached_property
    def parents_first(self) -> tuple[int, ...]:
        """Indices of the joints, each after its parent: the root first."""
        return outwards(self.parents)

    @cached_property
    def mirror(self) -> Array:
        """Place of the joint on the other side of the body, (J,) int."""
        swapped = np.arange(len(self.joints))
        for left, right in self.pairs:
            swapped[[left, right]] = right, left
        return swapped

    @cached_property
    def substitutes(self) -> tuple[tuple[int, tuple[tuple[tuple[int, float], ...], ...]], ...]:
        """What stands for a joint that a detector does not give: the joint, and the weighted sums of others; for joint set ``detector`` only."""
        if self.name != DETECTOR_SET:
            return ()
        place = self.joints.index
        return tuple(
            (place(joint), tuple(tuple((place(part), weight) for part, weight in parts.items()) for parts in sums))
            for joint, sums in SUBSTITUTES.items()
        )

    @cached_property
    def compared(self) -> LiftedJoints:
        """The joints over which errors are reported, the first of these: of ``detector`` those of ``h36m17``, as for other models."""
        if self.name != DETECTOR_SET:
            return self
        count = len(H36M17)
        pairs = tuple(pair for pair in self.pairs if max(pair) < count)
        return LiftedJoints("h36m17", self.joints[:count], self.parents[:count], pairs, self.groups[:count])

    @property
    def reported(self) -> slice:
        """Where the joints of :attr:`compared` are in arrays of these."""
        return slice(len(self.compared.joints))

    def place(self, *joints: str) -> list[int]:
        """Return the indices of joints, by name."""
        return [self.joints.index(joint) for joint in joints]

    def below(self, joint: int) -> tuple[int, ...]:
        """Return the joints that hang on a joint, and on those."""
        return outwards(self.parents, joint)[1:]

    @classmethod
    def of_card(cls, card: ModelCard) -> LiftedJoints:
        """Return the joints that a model lifts."""
        return cls(card.joint_set, card.joints, card.parents, card.symmetric_pairs, card.groups)
