"""Text for a terminal: lines that end between words, and colour where a person sees it. Where nobody watches, a line stays one line and plain."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable

import click

from mocapgen.shared.text import printable

NARROWEST = 20
"""Characters beside an indent, however narrow the terminal is."""
COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}
"""Of severities."""


def width() -> int | None:
    """Return the width of the terminal that standard output is, characters; None if it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def has_colours() -> bool:
    """Whether standard output is a terminal that shows colours, and nobody has forbidden them (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def wrapped(text: str, indent: int = 0, first: str = "") -> list[str]:
    """Return a text as lines that fit into the terminal.

    Parameters
    ----------
    text : str
        What would do something to a terminal is escaped. Words are never broken: a path can be copied.
    indent : int
        Spaces before each line but the first.
    first : str
        What the first line begins with.
    """
    text, room = printable(text), width()
    if room is None:
        return [first + text]
    room = max(room - 1, indent + NARROWEST)  # some terminals wrap a line that is as wide as they are
    lines = textwrap.wrap(
        text, room, initial_indent=first, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return lines or [first.rstrip()]


def say_marked(label: str, text: str, indent: int, colour: str = "") -> None:
    """Print a text behind a label, which is coloured where that is shown, the lines below it indented."""
    lines = [line.rstrip() for line in wrapped(text, indent, f"{printable(label):<{indent}}")]
    if colour and has_colours():
        lines[0] = click.style(label, fg=colour, bold=True) + lines[0][len(label) :]
    _print(lines)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
