"""What a shell completes beside commands and options: names, lists of names, and files of the kind that a command reads.

Pass what these functions return to click as ``shell_complete``. It runs at every press of the tab key, so names are read without importing what
they belong to; a folder that cannot be read has nothing to offer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    import click

Complete = Callable[["click.Context", "click.Parameter", str], list[CompletionItem]]
Names = Iterable[str] | Callable[["click.Context"], Iterable[str]]
"""Names, or a function that finds them by what was typed before."""

MOST = 500
"""Names that are offered at most, and entries of a folder that are looked at times ten."""


def names(known: Names, listed: bool = False) -> Complete:
    """Complete one of some names.

    Parameters
    ----------
    known : iterable of str, or callable
    listed : bool
        Whether several may be given, separated by commas; the last is completed, and those before it are not offered again.
    """

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        begin, comma, last = incomplete.rpartition(",") if listed else ("", "", incomplete)
        given = begin.split(",")
        found = known(context) if callable(known) else known
        fitting = [name for name in found if name.casefold().startswith(last.casefold()) and name not in given]
        return [CompletionItem(f"{begin}{comma}{name}") for name in fitting[:MOST]]

    return complete


def files(*suffixes: str, also: Names = (), folder: Callable[[Path], bool] = lambda path: False) -> Complete:
    """Complete a file by its suffix, in any folder; where there is none, any file.

    Parameters
    ----------
    *suffixes : str
        Such as ``.h5``.
    also : iterable of str, or callable
        Names that may stand in its place.
    folder : callable
        Whether a folder is itself what is asked for, such as the folder of a run.
    """

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found = [name for name in (also(context) if callable(also) else also) if name.startswith(incomplete)]
        found += _below(incomplete, lambda path: folder(path) or path.suffix.lower() in suffixes)
        return [CompletionItem(name) for name in list(dict.fromkeys(found))[:MOST]] or [CompletionItem(incomplete, type="file")]

    return complete


def _below(incomplete: str, wanted: Callable[[Path], bool]) -> list[str]:
    """Return the wanted files and folders that begin so, and further folders with their names' end; of a single folder what is in it."""
    found = list(_entries(incomplete, wanted))
    while len(found) == 1 and found[0].endswith(os.sep) and found[0] != incomplete:
        incomplete = found[0]
        found = list(_entries(incomplete, wanted))
    return found


def _entries(incomplete: str, wanted: Callable[[Path], bool]) -> Iterator[str]:
    head, begin = os.path.split(incomplete)
    try:
        entries = sorted(os.scandir(Path(head or ".").expanduser()), key=lambda entry: entry.name)
    except (OSError, RuntimeError, ValueError):
        return
    for entry in entries[: 10 * MOST]:
        if not entry.name.startswith(begin) or (entry.name.startswith(".") and not begin):
            continue
        path, name = Path(entry.path), os.path.join(head, entry.name)  # noqa: PTH118 - as it was typed: ./NAME, ~/NAME
        if wanted(path):
            yield name
        elif path.is_dir():
            yield f"{name}{os.sep}"
