"""The joints of a file's frames by name, and the tree of bones between them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mocapgen.store.predictions import Predictions
from mocapgen.store.reader import Dataset

_LEFT = re.compile(r"(?:^|:)(?:[Ll]eft|LEFT|[Ll](?=[A-Z_ .-]))|[_ .-](?:[Ll]eft|[Ll])$")
_RIGHT = re.compile(r"(?:^|:)(?:[Rr]ight|RIGHT|[Rr](?=[A-Z_ .-]))|[_ .-](?:[Rr]ight|[Rr])$")


@dataclass(frozen=True)
class JointTree:
    """Joints and their parents.

    Parameters
    ----------
    names : tuple of J str
    parents : tuple of J int
        Index of each joint's parent; below 0 for roots.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]

    @cached_property
    def sides(self) -> str:
        """A letter for each joint: ``l`` left, ``r`` right, ``c`` neither, by its name; a bone belongs to the side of its far end."""
        return "".join("l" if _LEFT.search(name) else "r" if _RIGHT.search(name) else "c" for name in self.names)

    @cached_property
    def bones(self) -> NDArray[np.intp]:
        """(B, 2): the joints at the two ends of each bone, the parent first."""
        return np.array([(parent, joint) for joint, parent in enumerate(self.parents) if parent >= 0], dtype=np.intp).reshape(-1, 2)

    @property
    def root(self) -> int:
        """Index of the first root among J."""
        return next(joint for joint, parent in enumerate(self.parents) if parent < 0)


def joint_tree(data: Dataset | Predictions, avatar: str) -> JointTree:
    """Return the joints of a file's frames: those of the avatar's skeleton, or of the predictions' joint set."""
    if isinstance(data, Predictions):
        return JointTree(data.joint_names, data.joint_parents)
    skeleton = data.skeletons[avatar]
    return JointTree(tuple(map(str, skeleton.names)), skeleton.parents)
