"""Measuring: one core, several rounds, best and median."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Timing:
    """How long something took."""

    seconds: tuple[float, ...]
    """Of each round."""
    result: Any
    """What it returned, last."""

    @property
    def best(self) -> float:
        """The shortest, seconds: the one least disturbed by other programs."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The median, seconds."""
        return statistics.median(self.seconds)


@contextmanager
def pinned() -> Iterator[str]:
    """Keep this process on one core, where the system allows it; yields what was done, in words."""
    if not hasattr(os, "sched_setaffinity"):
        yield "not pinned to a core (the system does not offer it)"
        return
    before = os.sched_getaffinity(0)
    core = max(before)
    os.sched_setaffinity(0, {core})
    try:
        yield "one process, pinned to one core"
    finally:
        os.sched_setaffinity(0, before)


def each(job: Callable[[Item], object], items: Iterable[Item]) -> None:
    """Do a job for each item and let go of the result, as a build does."""
    for item in items:
        job(item)


def measure(jobs: Mapping[str, Callable[[], object]], repeat: int) -> dict[str, Timing]:
    """Time jobs, in rounds: all of them once, then all again, so that a busy moment does not hit a single one only."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    results: dict[str, object] = {}
    for _ in range(repeat):
        for name, job in jobs.items():
            began = time.perf_counter()
            results[name] = job()
            seconds[name].append(time.perf_counter() - began)
    return {name: Timing(tuple(values), results[name]) for name, values in seconds.items()}
