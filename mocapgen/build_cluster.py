"""A build on a Dask cluster: where a worker sees other files than this machine, it ends with a line, not with fewer clips."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeVar

from mocapgen.shared.cluster_map import ClusterMap
from mocapgen.shared.cluster_worker import ScratchPlace
from mocapgen.shared.progress import Progress
from mocapgen.shared.text import one_line
from mocapgen.sources import Clip
from schemas.config import BuildConfig
from schemas.errors import SourceError
from schemas.report import FAULTS, Skip

Group = tuple[Clip, ...]


class WithSkips(Protocol):
    """What came of a group of candidates."""

    @property
    def skipped(self) -> tuple[Skip, ...]:
        """Why candidates were not used."""


Converted = TypeVar("Converted", bound=WithSkips)


def same_everywhere(config: BuildConfig) -> BuildConfig:
    """Return settings whose paths mean the same in every working folder; names of parts that come with the program stay."""
    paths = {"root": config.root, "profile": config.profile, "marker_set": config.marker_set, "body_model": config.body_model}
    given = {name: Path(path) for name, path in paths.items() if path is not None}
    folders = ("root", "body_model")
    places = {name: path.absolute() for name, path in given.items() if (name in folders or path.suffix) and path.exists()}
    return config.model_copy(update={name: place if name in folders else str(place) for name, place in places.items()})


def worker_place() -> ScratchPlace:
    """Return where a worker's results wait that do not fit into its memory, for one build."""
    return ScratchPlace(uuid.uuid4().hex)


def map_on_cluster(
    convert: Callable[[Group], Converted],
    groups: tuple[Group, ...],
    faults_here: Callable[[Group], tuple[Skip, ...]],
    config: BuildConfig,
    progress: Progress | None,
) -> AbstractContextManager[Iterator[Converted]]:
    """Convert groups of candidates on the cluster of the settings, in order.

    Parameters
    ----------
    convert : callable
        Runs on the workers.
    groups : tuple of tuple of Clip
    faults_here : callable
        Tries a group on this machine: what a worker cannot use may be a file that it does not see.
    config : BuildConfig
    progress : callable, optional
        Called with what is waited for.

    Raises
    ------
    SourceError
        With the worker and the file, if a worker cannot use what this machine can.
    ConfigError, MocapError
        If there is no such cluster, or it is lost.
    """

    def check(group: Group, result: Converted, worker: str) -> None:
        if not any(skip.reason in FAULTS for skip in result.skipped):
            return
        here = faults_here(group)
        other = next((skip for skip in result.skipped if skip not in here), None)
        if other is not None:
            said = f"cannot use what this machine can: {other.detail}; the data must be at the same path on all machines: {config.root}"
            raise SourceError(one_line(f"worker {worker}", said))

    def waiting(label: str) -> None:
        if progress is not None:
            progress(0, len(groups), label)

    assert config.cluster is not None
    return ClusterMap(convert, groups, lambda group: group[0].id, check, waiting).on(config.cluster)
