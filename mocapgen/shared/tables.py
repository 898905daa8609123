"""Printing of the commands: names with values, and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console


def make_console() -> Console:
    """Return a console that prints text unchanged: file names are not markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_pairs(title: str, pairs: Mapping[str, str]) -> None:
    """Print names and values in two aligned columns under a title, as plain text that can be copied."""
    width = max((len(name) for name in pairs), default=0)
    click.echo(title)
    for name, value in pairs.items():
        first, *rest = value.splitlines() or [""]
        click.echo(f"  {name:<{width}}  {first}".rstrip())
        for line in rest:
            click.echo(f"  {'':<{width}}  {line}")


def print_columns(rows: Sequence[Sequence[str]], notes: Sequence[Sequence[str]] = ()) -> None:
    """Print rows in aligned columns, as plain text; below each row its notes."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for place, row in enumerate(rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        for note in notes[place] if place < len(notes) else ():
            click.echo(f"    {note}")


def print_table(console: Console, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, numbers to the right."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for place, column in enumerate(header):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)
