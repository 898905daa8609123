"""The interface of sources, which list and read clips, and their lookup by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from mocapgen.core.motion import Motion
from mocapgen.shared.parts import load_part, part_names
from mocapgen.shared.text import option_words
from schemas.config import BuildConfig
from schemas.errors import ConfigError
from schemas.report import Detection, Skip

if TYPE_CHECKING:
    from mocapgen.anatomy.roles import Roles


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
    """Frames per second if the name or an index states it."""
    sha256: str | None = field(default=None, compare=False)
    """Hex digest of its bytes, where the source found another file of the same size; equal means the same recording twice."""
    fault: Skip | None = field(default=None, compare=False)
    """What is known before reading to make the clip unusable, such as a missing skeleton."""
    subject: str | None = field(default=None, compare=False)
    """Which of several people in the file."""
    categories: tuple[str, ...] = field(default=(), compare=False)
    """Kinds of motion that its action belongs to, where the source knows any."""
    fps_given: bool = field(default=False, compare=False)
    """Whether the user says ``fps``, by a table or a pattern: then it counts whatever the file states."""


@dataclass(frozen=True)
class Listing:
    """What a source found."""

    clips: tuple[Clip, ...]
    """Every clip, also faulty and repeated ones: what becomes of them is decided once the user's filters are applied."""
    skipped: tuple[Skip, ...] = ()
    """Whatever else was found and is no clip, or could not be looked into."""
    categories: tuple[str, ...] = ()
    """All kinds of motion that the source tells apart, also those of which there is no clip."""
    files: tuple[Path, ...] = field(default=(), compare=False)
    """Where all this stands: nothing is written onto it."""


@dataclass(frozen=True)
class SourceMotion:
    """A clip after reading."""

    motion: Motion
    sha256: str
    """Hex digest of the bytes that the motion was read from (of the arrays, for a procedural source)."""
    roles: Roles | None = None
    """Which joint has which role in the skeleton, where the source knows better than its joints' names say."""
    detection: Detection | None = None
    """How the file was understood, where that had to be found out."""
    start: int = 0
    """The frame of the file that is the motion's first."""
    lost: tuple[Skip, ...] = ()
    """Parts of the recording that are left out, and why."""


class Source(ABC):
    """A place where clips come from. Instances travel to worker processes, so they hold settings, not handles."""

    name: ClassVar[str]
    title: ClassVar[str]
    """One line for listings and error messages."""
    default_select: ClassVar[Literal["one-per-actor", "all"]] = "one-per-actor"
    """Which clips are used unless `select` is given."""
    supported: ClassVar[frozenset[str]] = frozenset()
    """Which of :data:`SOURCE_SETTINGS` it supports."""

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


_RECORDED = {name: f"--{name.replace('_', '-')}" for name in ("profile", "lenient", "scale", "up", "asf", "subject", "marker_set", "body_model")}


def skip_reason(error: Exception) -> str:
    """Return an error of a reader as a dataset file records it, with the options of the command line."""
    return option_words(str(error), _RECORDED)


SOURCE_SETTINGS = ("categories", "pattern", "table", "profile", "lenient", "scale", "up", "marker_set", "body_model", "subject")
"""Settings that not every source supports."""
READING_SETTINGS = frozenset({"profile", "lenient", "scale", "up", "marker_set", "subject"})
"""Those about how files are read."""


def check_settings(source: type[Source], config: BuildConfig) -> None:
    """Refuse settings that a source does not support.

    Raises
    ------
    ConfigError
        With the option and the sources that it is for.
    """
    for field_name in SOURCE_SETTINGS:
        if getattr(config, field_name) != BuildConfig.model_fields[field_name].default and field_name not in source.supported:
            users = [name for name in source_names() if field_name in source_class(name).supported]
            raise ConfigError(f"{field_name}: is not supported by source={source.name!r}, only by source={' and '.join(users)}")


def source_names() -> tuple[str, ...]:
    """Return the names of all sources: one for each module of this package that defines ``SOURCE``."""
    return part_names("mocapgen.sources", "SOURCE")


def source_class(name: str) -> type[Source]:
    """Return the class of a source.

    Raises
    ------
    ConfigError
        With the names that there are.
    """
    found: type[Source] = load_part("mocapgen.sources", "SOURCE", name, "source")
    return found
