"""How much a file may hold: the more the larger it is, so that a few megabytes never fill the memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from mocapgen.shared.text import format_size
from schemas.errors import DatasetError

MOST_BYTES = 2_000_000_000
"""Of a file, unpacked."""
_DEEPEST = 3
"""Archives in each other."""


@dataclass(frozen=True)
class Room:
    """What a file, or the files of a folder, can hold.

    Sound files stay far below: a number takes at least two characters of text or a byte of an array, a list or an object eight of text, and
    what is packed shrinks to a quarter or an eighth.

    Parameters
    ----------
    path : Path
        Named in errors.
    size : int
        Bytes as they lie on the disk.
    depth : int
        Archives around.
    """

    path: Path
    size: int
    depth: int = 0

    @property
    def unpacked(self) -> int:
        """Most bytes that an archive may unpack to."""
        return min(MOST_BYTES, 32_000_000 + 10 * self.size)

    @property
    def numbers(self) -> int:
        """Most numbers in arrays or lists."""
        return 4_000_000 + self.size

    @property
    def lists(self) -> int:
        """Most lists and objects."""
        return 1_000_000 + self.size // 8

    @property
    def items(self) -> int:
        """Most objects in a list of frames or people."""
        return 100_000 + self.size // 30

    def inside(self) -> Self:
        """Return the room of what lies in an archive.

        Raises
        ------
        DatasetError
            If there are archives in archives without an end.
        """
        if self.depth == _DEEPEST:
            raise DatasetError(f"{self.path}: expected a file, found archives in archives; unpack them")
        return replace(self, depth=self.depth + 1)

    def require(self, what: str, count: int, most: int) -> None:
        """Refuse more than a file of this size can hold.

        Raises
        ------
        DatasetError
            With the limit, and how a sound file gets below it.
        """
        if count > most:
            size = format_size(self.size)
            raise DatasetError(f"{self.path}: expected at most {most:,} {what} in a file of {size}, found {count:,}; unpack it if it is packed")

    def require_unpacked(self, size: int) -> None:
        """Refuse what unpacks to more bytes than a file of this size can hold.

        Raises
        ------
        DatasetError
            As of :meth:`require`.
        """
        if size > self.unpacked:
            raise DatasetError(
                f"{self.path}: expected at most {format_size(self.unpacked)} in an archive of {format_size(self.size)}, found more; unpack it"
            )
