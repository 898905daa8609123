"""Printing of the commands: lines, names with values, and tables.

Everything that a command prints for people goes through here (and errors through :mod:`mocapgen.shared.command`), since names come from the files
of strangers: what would do something to a terminal, and what would end a line, is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from mocapgen.shared.terminal import say_marked
from mocapgen.shared.text import printable

if TYPE_CHECKING:
    from rich.console import Console


def make_console() -> Console:
    """Return a console that prints text unchanged: file names are not markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True)


def say(*lines: str, error: bool = False) -> None:
    """Print lines as plain text, to standard error if they are no results."""
    for line in lines:
        click.echo(printable(line), err=error)


def print_pairs(title: str, pairs: Mapping[str, str | Sequence[str]]) -> None:
    """Print names and values in two aligned columns under a title, as plain text that can be copied; of a sequence each item begins a line."""
    indent = max((len(name) for name in pairs), default=0) + 4
    say(title)
    for name, value in pairs.items():
        label = f"  {name}"
        for line in ([value] if isinstance(value, str) else value) or [""]:
            say_marked(label, line, indent)
            label = ""


def print_columns(rows: Sequence[Sequence[str]], notes: Sequence[Sequence[str]] = ()) -> None:
    """Print rows in aligned columns, as plain text; below each row its notes."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for place, row in enumerate(rows):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        say(*(f"    {note}" for note in (notes[place] if place < len(notes) else ())))


def print_table(console: Console, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, numbers to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for place, column in enumerate(header):
        table.add_column(column, justify="right" if place else "left")
    for row in rows:
        table.add_row(*map(printable, row))
    console.print(table)
