"""What runs in the workers of a Dask cluster: a batch of items at a time, each result pickled once, long ones waiting in files to be fetched."""

from __future__ import annotations

import io
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from mocapgen.shared.freed_memory import keep_freed_memory
from mocapgen.shared.spool import Spool
from mocapgen.shared.text import one_line
from mocapgen.shared.version import __version__
from schemas.errors import ConfigError, MocapError

Versions = dict[str, str]
_ALIKE = ("numpy", "scipy", "distributed")
"""Packages whose versions matter: the first two to the numbers that come out, the last to whether anything does."""


@dataclass(frozen=True)
class Answer:
    """What a worker sends for a batch."""

    worker: str
    """Its address."""
    seconds: tuple[float, ...]
    """How long each item took that was done."""
    results: tuple[bytes, ...]
    """Of the same items, for :class:`Unpickler`."""
    error: Exception | None = None
    """What the item after those raised."""


@cache
def versions() -> Versions:
    """Return the versions that must be the same on all machines, by name."""
    python = ".".join(map(str, sys.version_info[:2]))
    return {"Python": python, "mocapgen": __version__, **{name: metadata.version(name) for name in _ALIKE}}


def check_versions(worker: str, found: Versions, expected: Versions) -> None:
    """Check the versions of a worker.

    Raises
    ------
    ConfigError
        With the first that differs from the main process's.
    """
    for name, version in expected.items():
        if found.get(name) != version:
            said = f"expected {name} {version} as on the machine that builds, found {found.get(name)}; install the same versions on all machines"
            raise ConfigError(one_line(f"worker {worker}", said))


@dataclass(frozen=True)
class ScratchPlace:
    """Where spools put their files on a worker: into its scratch folder, which Dask removes with the worker."""

    key: str

    @property
    def prefix(self) -> str:
        """What the names of the files begin with."""
        return f".spool.{self.key}."

    @property
    def target(self) -> Path:
        """A file in the folder."""
        from distributed import get_worker

        return Path(get_worker().local_directory) / "spool"


def run_batch(task: bytes, items: Sequence[Any], expected: Versions) -> Answer:
    """Apply a task, which is pickled, to items, until one fails."""
    from distributed import get_worker

    worker, seconds, results = get_worker().address, [], []
    try:
        check_versions(worker, versions(), expected)
        apply = _unpickled(task)
        for item in items:
            began = time.perf_counter()
            results.append(_pickled(apply(item)))
            seconds.append(time.perf_counter() - began)
    except MocapError as error:
        lines = (line if str(line).startswith("worker ") else one_line(f"worker {worker}", str(line)) for line in error.args)
        return Answer(worker, tuple(seconds), tuple(results), type(error)(*lines))
    except Exception as error:
        return Answer(worker, tuple(seconds), tuple(results), error)
    return Answer(worker, tuple(seconds), tuple(results))


@lru_cache(maxsize=1)
def _unpickled(task: bytes) -> Callable[[Any], Any]:
    keep_freed_memory(2**25)  # Dask starts workers so that they keep 64 kB; clearing new memory takes 40 % of the time then
    return pickle.loads(task)


# Long results -------------------------------------------------------------------------------------


class _Pickler(pickle.Pickler):
    """Pickles all but spools that are in a file: of those, the path."""

    def persistent_id(self, value: Any) -> str | None:
        path = value.whole_file() if isinstance(value, Spool) else None
        return None if path is None else str(path)


def _pickled(result: Any) -> bytes:
    text = io.BytesIO()
    _Pickler(text, pickle.HIGHEST_PROTOCOL).dump(result)
    return text.getvalue()


class Unpickler(pickle.Unpickler):
    """Unpickles a result; what a worker has in a file becomes what `fetched` makes of its path."""

    def __init__(self, result: bytes, fetched: Callable[[str], Any]) -> None:
        super().__init__(io.BytesIO(result))
        self._fetched = fetched

    def persistent_load(self, path: str) -> Any:
        """Return what stands for a file."""
        return self._fetched(path)


def read_part(path: str, start: int, size: int) -> bytes:
    """Return a part of a worker's file."""
    with Path(path).open("rb") as file:
        file.seek(start)
        return file.read(size)


def remove(path: str) -> None:
    """Remove a worker's file."""
    Path(path).unlink(missing_ok=True)
