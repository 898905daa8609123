"""Results of any length that take a bounded part of the memory: what is too much waits in a file."""

from __future__ import annotations

import contextlib
import pickle
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

from mocapgen.shared.files import disk_errors

Item = TypeVar("Item")

MOST_BYTES = 16 * 2**20
"""Size of the items of one spool that are held in memory."""


class Place(Protocol):
    """Where spools put their files."""

    @property
    def target(self) -> Path:
        """A file in the folder for them; errors name it."""

    @property
    def prefix(self) -> str:
        """What the names of the files begin with."""


@dataclass(frozen=True)
class SpoolPlace:
    """Where spools put their files: beside a file that is being written, hidden, under a name that nobody else has."""

    target: Path
    key: str

    @property
    def prefix(self) -> str:
        """What the names of the files begin with."""
        return f".{self.target.name[:100]}.{self.key}."

    @classmethod
    @contextlib.contextmanager
    def beside(cls, target: Path) -> Iterator[SpoolPlace]:
        """Yield a place; afterwards no file is left in it."""
        place = cls(target, uuid.uuid4().hex)
        try:
            yield place
        finally:
            for left in target.parent.glob(f"{escape(place.prefix)}*"):
                left.unlink(missing_ok=True)


class Spool(Generic[Item]):
    """A queue that is filled, sent to another process if need be, and then read once.

    Parameters
    ----------
    place : Place or None
        Where to put what does not fit into :data:`MOST_BYTES`; None if everything shall stay in memory.
    """

    def __init__(self, place: Place | None) -> None:
        self._place = place
        self._file: Path | None = None
        self._items: list[Item] = []
        self._size = 0

    def add(self, item: Item, size: int) -> None:
        """Append an item of so many bytes.

        Raises
        ------
        DatasetError
            If the disk refuses.
        """
        self._items.append(item)
        self._size += size
        if self._size > MOST_BYTES and self._place is not None:
            self._move_to_file(self._place)

    def discard(self) -> None:
        """Forget everything."""
        self._items.clear()
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def whole_file(self) -> Path | None:
        """Return the file that holds all items, for :func:`read_items`; None if they fit into the memory. Whoever asks removes it."""
        if self._file is not None and self._place is not None and self._items:
            self._move_to_file(self._place)
        return self._file

    def __iter__(self) -> Iterator[Item]:
        """Yield the items in the order in which they came; what was in the file is gone then."""
        if self._file is not None:
            with self._file.open("rb") as file:
                yield from read_items(file)
            self._file.unlink(missing_ok=True)
        yield from self._items

    def _move_to_file(self, place: Place) -> None:
        with disk_errors(place.target):
            if self._file is None:
                with tempfile.NamedTemporaryFile(prefix=place.prefix, dir=place.target.parent, delete=False) as made:
                    self._file = Path(made.name)
            with self._file.open("ab") as file:
                for item in self._items:
                    pickle.dump(item, file, protocol=pickle.HIGHEST_PROTOCOL)
        self._items.clear()
        self._size = 0


def read_items(file: BinaryIO) -> Iterator[Any]:
    """Yield the items that a spool wrote to a file: by this program, and private to its user."""
    with contextlib.suppress(EOFError):
        while True:
            yield pickle.load(file)
