"""What a source is: it lists clips and reads them; and how a source is found by its name."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from mocapgen.motion import Motion
from schemas.config import BuildConfig
from schemas.errors import ConfigError
from schemas.report import Skip

if TYPE_CHECKING:
    from mocapgen.retarget.roles import Roles


@dataclass(frozen=True, order=True)
class Clip:
    """One recording that a source offers, before it is read."""

    id: str
    """Unique within the source and the same on every machine, for example ``HDM_bd_squat1Reps_001_120``."""
    file: str
    """Where it is, relative to the source's root, with forward slashes."""
    actor: str
    action: str
    take: str
    fps: float | None = None
    """Frames per second if the name or an index says so."""
    sha256: str | None = field(default=None, compare=False)
    """Hex digest of its bytes, where the source found another file of the same size; equal means the same recording twice."""
    fault: Skip | None = field(default=None, compare=False)
    """What is known before reading to make the clip unusable, such as a missing skeleton."""


@dataclass(frozen=True)
class Listing:
    """What a source found."""

    clips: tuple[Clip, ...]
    """Every clip, also faulty and repeated ones: what becomes of them is decided once the user's filters are applied."""
    skipped: tuple[Skip, ...] = ()
    """Whatever else was found and is no clip, or could not be looked into."""


@dataclass(frozen=True)
class SourceMotion:
    """A clip after reading."""

    motion: Motion
    sha256: str
    """Hex digest of the bytes that the motion was read from (of the arrays, for a procedural source)."""
    roles: Roles | None = None
    """Who plays what in the skeleton, where the source knows better than its joints' names say."""


class Source(ABC):
    """A place where clips come from. Instances travel to worker processes, so they hold settings, not handles."""

    name: ClassVar[str]
    title: ClassVar[str]
    """One line for listings and error messages."""

    @abstractmethod
    def __init__(self, config: BuildConfig) -> None:
        """Check that the source can be used as asked.

        Raises
        ------
        SourceError
            If the data is not there; the message names the ways out.
        """

    @abstractmethod
    def list(self) -> Listing:
        """Return everything that is there, sorted by id, without reading motion data."""

    @abstractmethod
    def read(self, clip: Clip) -> SourceMotion:
        """Read one clip of :meth:`list`.

        Raises
        ------
        FormatError
            If its file is damaged.
        """


_MODULES = ("base",)


def source_names() -> tuple[str, ...]:
    """Return the names of all sources: one per module of this package that is a source."""
    import mocapgen.sources as package

    return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name not in _MODULES))


def source_class(name: str) -> type[Source]:
    """Return the class of a source.

    Raises
    ------
    ConfigError
        With the names that there are.
    """
    if name not in source_names():
        raise ConfigError(f"source: expected one of {', '.join(source_names())}, found {name!r}")
    found: type[Source] = importlib.import_module(f"mocapgen.sources.{name}").SOURCE
    return found
