"""A motion that is worked out when frames of it are asked for: what a file says, and what has been decided about it so far.

Rotations of an hour take half a gigabyte. Deciding what a file means takes a look at some of its frames; all of them are worked out once, at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from mocapgen.core.motion import Array, Motion, Skeleton

_BLOCK = 512  # frames at a time: fits the processor's cache


@dataclass(frozen=True, eq=False)
class Rotations:
    """Local rotations along time, (T, J, 4) float64, by what returns those of some frames."""

    frames: range
    """Which frames of the file these are."""
    of: Callable[[slice], Array]
    """Returns the rotations, (n, J, 4) float64, of frames of the file."""

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, frames: slice, /) -> Array:
        chosen = self.frames[frames]
        return self.of(slice(chosen.start, chosen.stop, chosen.step))

    def blocks(self) -> Iterator[slice]:
        """Return which frames to work out at a time to have all of them."""
        return (slice(start, min(start + _BLOCK, len(self))) for start in range(0, len(self), _BLOCK))

    def changed(self, change: Callable[[Array], Array]) -> Rotations:
        """Return rotations of the same frames that a function makes of these."""
        return Rotations(self.frames, lambda frames: change(self.of(frames)))


@dataclass(frozen=True, eq=False)
class Draft:
    """A motion as :class:`~mocapgen.core.motion.Motion` describes it, but for rotations that are worked out when they are asked for."""

    skeleton: Skeleton
    rotations: Rotations
    root_positions: Array
    fps: float
    name: str

    @classmethod
    def of(cls, motion: Motion) -> Draft:
        """Return a motion that is known already."""
        return cls(motion.skeleton, Rotations(range(len(motion)), motion.rotations.__getitem__), motion.root_positions, motion.fps, motion.name)

    def __len__(self) -> int:
        return len(self.root_positions)

    def __getitem__(self, frames: slice) -> Motion:
        """Return some frames, worked out; at the frame rate of all."""
        return Motion(self.skeleton, self.rotations[frames], self.root_positions[frames], self.fps, self.name)

    def without_first(self) -> Draft:
        """Return all frames but the first."""
        return replace(self, rotations=Rotations(self.rotations.frames[1:], self.rotations.of), root_positions=self.root_positions[1:])
