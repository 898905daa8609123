"""The interface of exporters, their input, and their lookup by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mocapgen.export.export_input import ExportInput, Item
from mocapgen.shared.parts import load_part, part_names
from mocapgen.shared.progress import Progress
from schemas.base import Model


@dataclass
class ExportOutput:
    """Where an exporter writes to, and what it reports.

    Parameters
    ----------
    folder : Path
        Everything in it, at any depth, gets its place when all is done.
    main : str
        Name of the one file that was asked for; empty if a folder was.
    progress : callable or None
        See :meth:`step`.
    """

    folder: Path
    main: str = ""
    progress: Progress | None = None
    notes: list[str] = field(default_factory=list)
    """Notes for the user, one sentence each; printed, and written to ``export.json``."""
    about: dict[str, Any] = field(default_factory=dict)
    """Entries of ``export.json`` in addition to those of every export: units, axes, joint order."""
    files: dict[str, str] = field(default_factory=dict)
    """The file of each sequence, by the sequence's name, where each has one of its own."""
    written: set[str] = field(default_factory=set)
    """Names of the sequences that were written."""

    def step(self, done: int, total: int, label: str) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(done, total, label)

    def name_of(self, item: Item, suffix: str) -> str:
        """Return the file of a sequence, and remember it."""
        self.written.add(item.name)
        return self.files.setdefault(item.name, self.main or f"{item.name}{suffix}")


@dataclass(frozen=True)
class Exporter:
    """A format.

    Parameters
    ----------
    summary : str
        What it is, in half a sentence.
    options : type of Model
        Its settings, each with a default.
    write : callable
        Called with the source, the sequences (at least one), the settings and the output.
    suffix : str
        Of the file to write; empty if there are several with names of their own, in a folder.
    each : bool
        Whether every sequence has its own file: then a folder is asked for, or a file if there is one sequence only.
    """

    summary: str
    options: type[Model]
    write: Callable[[ExportInput, Sequence[Item], Any, ExportOutput], None]
    suffix: str = ""
    each: bool = False


def exporter_names() -> tuple[str, ...]:
    """Return the names of all formats."""
    return part_names("mocapgen.export", "EXPORTER")


def exporter(name: str) -> Exporter:
    """Return a format by its name.

    Raises
    ------
    ConfigError
        With the formats that there are.
    """
    found: Exporter = load_part("mocapgen.export", "EXPORTER", name, "format")
    return found
