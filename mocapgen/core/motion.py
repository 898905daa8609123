"""The in-memory types of the whole pipeline: a :class:`Skeleton` and a :class:`Motion` of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def _frozen(array: object, shape: tuple[int | None, ...], what: str) -> Array:
    """Return a read-only float64 array after checking its shape and that it is finite."""
    out = np.array(array, dtype=np.float64)
    if out.ndim != len(shape) or any(want is not None and want != got for want, got in zip(shape, out.shape, strict=True)):
        wanted = ", ".join("T" if want is None else str(want) for want in shape)
        raise ValueError(f"{what}: expected shape ({wanted}), found {out.shape}")
    if not np.isfinite(out).all():
        raise ValueError(f"{what}: expected finite numbers, found {np.count_nonzero(~np.isfinite(out))} that are not")
    out.flags.writeable = False
    return out


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
            raise ValueError(f"skeleton: joint names repeat: {', '.join(repeated)}")
        for index, parent in enumerate(self.parents):
            if (parent == -1) != (index == 0) or not -1 <= parent < max(index, 1):
                raise ValueError(f"skeleton: joint {self.names[index]} must come after its parent, found parent index {parent}")
        object.__setattr__(self, "offsets", _frozen(self.offsets, (len(self.names), 3), "skeleton offsets"))
        leaves = set(self.names) - {self.names[parent] for parent in self.parents if parent >= 0}
        if not self.end_sites <= leaves:
            raise ValueError(f"skeleton: end sites must be leaves, found {sorted(self.end_sites - leaves)}")

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}

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


@dataclass(frozen=True, eq=False)
class Motion:
    """A skeleton moving: the one type that flows through the pipeline.

    Parameters
    ----------
    skeleton : Skeleton
    rotations : (T, J, 4) float64
        Local rotations (x, y, z, w), unit, relative to the parent; of the root, relative to the world. The identity
        everywhere is the rest pose.
    root_positions : (T, 3) float64, metres, world frame
    fps : float
        Frames per second.
    name : str
        What the motion is called in messages and files.

    Raises
    ------
    ValueError
        If shapes disagree, numbers are not finite, there is no frame, quaternions are not unit or fps is not positive.
    """

    skeleton: Skeleton
    rotations: Array
    root_positions: Array
    fps: float
    name: str = field(default="motion", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotations", _frozen(self.rotations, (None, len(self.skeleton.names), 4), "rotations"))
        object.__setattr__(self, "root_positions", _frozen(self.root_positions, (None, 3), "root_positions"))
        if len(self.rotations) == 0 or len(self.rotations) != len(self.root_positions):
            raise ValueError(
                f"motion: expected at least one frame and as many rotations as root positions, "
                f"found {len(self.rotations)} and {len(self.root_positions)}"
            )
        norms = np.einsum("tji,tji->tj", self.rotations, self.rotations)
        if np.abs(norms - 1.0).max() > 1e-6:
            raise ValueError(f"rotations: expected unit quaternions, found a norm of {np.sqrt(norms.flat[np.abs(norms - 1.0).argmax()]):.6g}")
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f"fps: expected a positive number, found {self.fps}")

    def __len__(self) -> int:
        return len(self.rotations)

    @property
    def duration(self) -> float:
        """Time from the first to the last frame, seconds."""
        return (len(self) - 1) / self.fps

    def slice(self, start: int, stop: int) -> Motion:
        """Return the frames from `start` up to, not including, `stop`."""
        return replace(self, rotations=self.rotations[start:stop], root_positions=self.root_positions[start:stop])
