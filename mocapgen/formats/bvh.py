"""BVH, Biovision's hierarchy and motion in one file: bytes <-> :class:`Bvh`, the file as it stands.

Nothing in a BVH file says what its unit is, which axis is up, whether the root's position channels replace its OFFSET or
are relative to it, or which pose the zero pose is: that is for :mod:`mocapgen.reading` to find out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mocapgen.core.kinematics import global_rotations, joint_positions
from mocapgen.core.motion import Array, Skeleton
from mocapgen.core.resample import snap_frame_rate
from mocapgen.core.rotation import from_euler
from mocapgen.formats import Format
from mocapgen.formats._bvh_frames import parse_frames
from mocapgen.formats._bvh_header import Repairs, parse_header
from mocapgen.formats._bvh_write import format_bvh, write_bvh
from mocapgen.formats.limits import read_file
from schemas.errors import FormatError

__all__ = ["MAX_POSES", "Bvh", "format_bvh", "load_bvh", "parse_bvh", "write_bvh"]

MAX_POSES = 20_000_000
"""Most joints times frames: three times what an hour of a whole body at 120 frames per second takes."""

_BLOCK = 512  # frames at a time: fits the processor's cache
_ALL = slice(None)


@dataclass(frozen=True, eq=False)
class Bvh:
    """A BVH file as it stands: its own units, degrees and axes.

    Parameters
    ----------
    names : tuple of J str
        Unique; of joints that share a name the second is ``NAME_2``, and an end site is ``PARENT_end``.
    parents : tuple of J int
        Index of each joint's parent, which comes before it; -1 for the root, which is the first.
    offsets : (J, 3) float64, file units
        OFFSET of each joint.
    end_sites : frozenset of str
    channels : tuple of J tuples of str
        Such as ``("Xposition", "Yposition", "Zposition", "Zrotation", "Xrotation", "Yrotation")``; any order and number.
    values : (T, C) float64, file units and degrees
        The channels of all joints, in order.
    frame_time : float
        Seconds, as written.
    where : str
        Name of the file, for messages.
    repairs : tuple of str
        What a lenient reading has mended: one line each.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    end_sites: frozenset[str]
    channels: tuple[tuple[str, ...], ...]
    values: Array
    frame_time: float
    where: str
    repairs: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    @property
    def fps(self) -> float:
        """Frames per second: the rate that the frame time, rounded as it is, means."""
        return snap_frame_rate(self.frame_time)

    @cached_property
    def skeleton(self) -> Skeleton:
        """The tree with the OFFSETs as they stand: file units and axes, not metres and world frame."""
        return Skeleton(self.names, self.parents, self.offsets, self.end_sites)

    @cached_property
    def _columns(self) -> tuple[dict[str, int], ...]:
        """For each joint the column of each channel."""
        starts = np.cumsum([0, *map(len, self.channels)]).tolist()
        return tuple({channel: start + place for place, channel in enumerate(own)} for start, own in zip(starts, self.channels, strict=False))

    @cached_property
    def moving_offsets(self) -> tuple[str, ...]:
        """Joints other than the root that have position channels."""
        moving = (any(channel.endswith("position") for channel in own) for own in self.channels)
        return tuple(name for name, moves, parent in zip(self.names, moving, self.parents, strict=True) if moves and parent >= 0)

    def rotations(self, frames: slice = _ALL) -> Array:
        """Return the local rotation of every joint.

        Parameters
        ----------
        frames : slice
            Of which frames; by default of all.

        Returns
        -------
        (T, J, 4) float64
            Quaternions (x, y, z, w) relative to the parent, in the file's axes, each from its joint's channels in their
            order; the identity where there are none. Not sign-continuous.
        """
        values = self.values[frames]
        out = np.zeros((4, len(self.names), len(values)))  # time innermost, as rotation.py likes it
        out[3] = 1.0
        for start in range(0, len(values), _BLOCK):
            block = np.ascontiguousarray(values[start : start + _BLOCK].T)
            for order, joints, columns in self._joints_by_order:
                angles = np.zeros((3, len(joints), block.shape[1]))
                angles[: len(columns)] = block[columns]
                axes = order + "".join(axis for axis in "XYZ" if axis not in order)  # those without a channel turn by nothing
                out[:, joints, start : start + _BLOCK] = from_euler(axes, np.radians(angles).T).T
        return out.T

    @cached_property
    def _joints_by_order(self) -> list[tuple[str, list[int], list[list[int]]]]:
        """The joints that rotate, by the order of their axes, one to three letters; and for each axis the column of each joint."""
        groups: dict[str, list[int]] = {}
        for joint, own in enumerate(self.channels):
            order = "".join(channel[0] for channel in own if channel.endswith("rotation"))
            if order:
                groups.setdefault(order, []).append(joint)
        return [
            (order, joints, [[self._columns[joint][f"{axis}rotation"] for joint in joints] for axis in order]) for order, joints in groups.items()
        ]

    def translations(self) -> Array:
        """Return where every joint is in its parent's frame.

        Returns
        -------
        (T, J, 3) float64, file units
            The OFFSET; where there are position channels, these in its place (of the root: the position in the world).
        """
        return self._translations(range(len(self.names)))

    def root_positions(self) -> Array:
        """Return where the root is, (T, 3) float64, file units: its position channels, in place of the OFFSET."""
        return self._translations(range(1))[:, 0]

    def _translations(self, joints: range) -> Array:
        out = np.empty((3, len(joints), len(self)))
        out[:] = self.offsets[joints.start : joints.stop].T[:, :, None]
        for joint in joints:
            for axis, letter in enumerate("XYZ"):
                if (column := self._columns[joint].get(f"{letter}position")) is not None:
                    out[axis, joint] = self.values[:, column]
        return out.T

    def positions(self) -> Array:
        """Return where every joint is.

        Returns
        -------
        (T, J, 3) float64, file units and axes
            With position channels, of the root too, in place of the OFFSET, as most programs read them.
        """
        translations, rotations = self.translations(), self.rotations()
        blocks = []
        for start in range(0, len(self), _BLOCK):
            block = translations[start : start + _BLOCK]
            turned = global_rotations(self.skeleton, rotations[start : start + _BLOCK])
            offsets = block if self.moving_offsets else None
            blocks.append(joint_positions(self.skeleton, turned, block[:, 0], offsets))
        return np.concatenate(blocks)


# Reading ------------------------------------------------------------------------------------------


def parse_bvh(data: bytes, where: str, lenient: bool = False) -> Bvh:
    """Read a BVH file.

    Parameters
    ----------
    data : bytes
        The file's content; UTF-8 or latin-1, any line breaks.
    where : str
        Name of the file, for messages.
    lenient : bool
        Mend what can be mended, and say so in ``Bvh.repairs``.

    Returns
    -------
    Bvh

    Raises
    ------
    FormatError
        With file, line and joint: what is no BVH file, a hierarchy or a row of numbers that does not hold together, a
        file cut short. If ``lenient`` would help, the message says ``--lenient``.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data or data.isspace():
        raise FormatError(f"{where}: expected a BVH file, found an empty file")
    if b"\0" in data:
        raise FormatError(f"{where}: expected a BVH file, found binary data (a zero byte at position {data.index(0)})")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    repairs = Repairs(where, lenient)
    header = parse_header(data, repairs)
    tree = header.hierarchy
    if not tree.columns:
        raise FormatError(f"{where}: expected joints with channels, found none in {len(tree.names)} joints")
    values = parse_frames(data, header, repairs)
    if len(values) * len(tree.names) > MAX_POSES:
        found = f"{len(values)} frames of {len(tree.names)} joints"
        raise FormatError(f"{where}: expected at most {MAX_POSES} joints times frames, found {found}; split the file")
    values.flags.writeable = False
    return Bvh(
        names=tree.names,
        parents=tree.parents,
        offsets=tree.offsets,
        end_sites=tree.end_sites,
        channels=tree.channels,
        values=values,
        frame_time=header.frame_time,
        where=where,
        repairs=tuple(repairs.notes),
    )


# Files --------------------------------------------------------------------------------------------


def load_bvh(path: Path, lenient: bool = False) -> Bvh:
    """Read a BVH file as it stands; see :func:`parse_bvh`."""
    return parse_bvh(read_file(path), str(path), lenient)


FORMAT = Format(".bvh", load_bvh, write_bvh, options=("profile", "lenient", "scale", "up"))
