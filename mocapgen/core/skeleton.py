"""A :class:`Skeleton`: a named tree of joints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def frozen_array(array: object, shape: tuple[int | None, ...], what: str) -> Array:
    """Return a read-only float64 array after checking its shape and that it is finite; the same one if nobody can write to it."""
    out = array if _is_frozen(array) else np.array(array, dtype=np.float64)
    if out.ndim != len(shape) or any(want is not None and want != got for want, got in zip(shape, out.shape, strict=True)):
        wanted = ", ".join("T" if want is None else str(want) for want in shape)
        raise ValueError(f"{what}: expected shape ({wanted}), found {out.shape}")
    if not np.isfinite(out).all():
        raise ValueError(f"{what}: expected finite numbers, found {np.count_nonzero(~np.isfinite(out))} that are not")
    out.flags.writeable = False
    return out


def _is_frozen(array: object) -> TypeGuard[Array]:
    """Tell whether an array would come out of copying as it is, and neither it nor what it is a view of can be written to."""
    if not isinstance(array, np.ndarray) or array.dtype != np.float64 or array.strides != np.empty_like(array).strides:
        return False
    owner: object = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        owner = owner.base
    return owner is None


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A named tree of joints and its rest pose, in which every joint's global rotation is the identity.

    Parameters
    ----------
    names : tuple of J str
        Unique joint names, parents before children; the first is the root.
    parents : tuple of J int
        Index of each joint's parent; -1 for the root and only for it.
    offsets : (J, 3) float64, metres, world frame
        Position of each joint relative to its parent in the rest pose.
    end_sites : frozenset of str
        Leaf joints that only mark the end of a bone and never rotate.

    Raises
    ------
    ValueError
        If the tree or the shapes do not hold together.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    end_sites: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.names or len(self.names) != len(self.parents):
            raise ValueError(f"skeleton: expected one parent per joint, found {len(self.names)} names, {len(self.parents)} parents")
        if len(set(self.names)) != len(self.names):
            repeated = sorted({name for name in self.names if self.names.count(name) > 1})
            raise ValueError(f"skeleton: joint names repeat: {', '.join(name[:40] for name in repeated[:5])}")
        for index, parent in enumerate(self.parents):
            if (parent == -1) != (index == 0) or not -1 <= parent < max(index, 1):
                raise ValueError(f"skeleton: joint {self.names[index]} must come after its parent, found parent index {parent}")
        object.__setattr__(self, "offsets", frozen_array(self.offsets, (len(self.names), 3), "skeleton offsets"))
        leaves = set(self.names) - {self.names[parent] for parent in self.parents if parent >= 0}
        if not self.end_sites <= leaves:
            raise ValueError(f"skeleton: end sites must be leaves, found {sorted(self.end_sites - leaves)}")

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:3]) + (", ..." if len(self.names) > 3 else "")
        return f"<Skeleton: {len(self.names)} joints ({shown})>"

    def __contains__(self, joint: object) -> bool:
        return joint in self._indices

    def index(self, joint: str) -> int:
        """Return the index of a joint.

        Raises
        ------
        KeyError
            With the names that there are.
        """
        try:
            return self._indices[joint]
        except KeyError:
            raise KeyError(f"no joint {joint!r}; there are {', '.join(self.names)}") from None

    def indices(self, joints: tuple[str, ...] | list[str]) -> NDArray[np.intp]:
        """Return the indices of several joints, in their order."""
        return np.array([self.index(joint) for joint in joints], dtype=np.intp)

    def parent(self, joint: str) -> str | None:
        """Return the name of a joint's parent, None for the root."""
        parent = self.parents[self.index(joint)]
        return None if parent < 0 else self.names[parent]

    def children(self, joint: str) -> tuple[str, ...]:
        """Return the names of a joint's children."""
        index = self.index(joint)
        return tuple(name for name, parent in zip(self.names, self.parents, strict=True) if parent == index)

    def bone_length(self, joint: str) -> float:
        """Return the distance of a joint from its parent, metres."""
        return float(np.linalg.norm(self.offsets[self.index(joint)]))

    def carrying(self, joints: tuple[str, ...] | list[str]) -> NDArray[np.intp]:
        """Return the indices, ascending, of joints and of all above them: what has to be known to say where these joints are."""
        found: set[int] = set()
        for joint in self.indices(joints).tolist():
            while joint >= 0 and joint not in found:
                found.add(joint)
                joint = self.parents[joint]
        return np.array(sorted(found), dtype=np.intp)

    def part(self, kept: NDArray[np.intp]) -> Skeleton:
        """Return the skeleton of some joints, by their indices, ascending; with each joint there is its parent (:meth:`carrying`)."""
        place = {joint: index for index, joint in enumerate(kept.tolist())} | {-1: -1}
        names = tuple(self.names[joint] for joint in kept)
        return Skeleton(names, tuple(place[self.parents[joint]] for joint in kept), self.offsets[kept])

    @cached_property
    def rest_positions(self) -> Array:
        """(J, 3) float64, metres: joint positions in the rest pose, the root at the origin."""
        positions = np.zeros((len(self.names), 3))
        for index, parent in enumerate(self.parents):
            if parent >= 0:
                positions[index] = positions[parent] + self.offsets[index]
        positions.flags.writeable = False
        return positions

    @cached_property
    def levels(self) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], ...]:
        """Joints by depth below the root: for each depth from 1 on, (indices, indices of their parents)."""
        depth = np.zeros(len(self.names), dtype=np.intp)
        for index, parent in enumerate(self.parents):
            if parent >= 0:
                depth[index] = depth[parent] + 1
        parents = np.array(self.parents, dtype=np.intp)
        groups = (np.flatnonzero(depth == level) for level in range(1, int(depth.max()) + 1))
        return tuple((group, parents[group]) for group in groups)
