"""Times of the parts of an epoch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_TOTAL = "total"


class Timer:
    """Adds up the wall-clock time of named parts, and of all.

    Parameters
    ----------
    before : mapping, optional
        What another timer had added up, :attr:`so_far`, of the same epoch before it was interrupted.
    """

    def __init__(self, before: Mapping[str, float] | None = None) -> None:
        self.seconds = dict(before or {})
        self.begin = time.perf_counter() - self.seconds.pop(_TOTAL, 0.0)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure a with-block."""
        begin = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin

    @property
    def total(self) -> float:
        """Seconds of the epoch."""
        return time.perf_counter() - self.begin

    @property
    def so_far(self) -> dict[str, float]:
        """Seconds of each part, and in all."""
        return {**self.seconds, _TOTAL: self.total}
