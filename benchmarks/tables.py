"""What is printed: sections of figures, as tables for a terminal, as Markdown, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

Value = float | str | None


@dataclass(frozen=True)
class Section:
    """A table with what one has to know to read it."""

    title: str
    note: str
    figures: tuple[dict[str, Value], ...]
    """One dictionary per row, column name to value, the same columns in each."""

    def cells(self) -> list[list[str]]:
        """Return the table's texts, header first."""
        return [list(self.figures[0]), *([_text(value) for value in row.values()] for row in self.figures)]


def _text(value: Value) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def as_markdown(sections: Sequence[Section]) -> str:
    """Return all sections as Markdown, ready for a README."""
    parts = []
    for section in sections:
        header, *rows = section.cells()
        rule = ["---", *("---:" for _ in header[1:])]
        lines = ["| " + " | ".join(cells) + " |" for cells in (header, rule, *rows)]
        parts.append(f"**{section.title}**\n\n" + "\n".join(lines) + f"\n\n{section.note}")
    return "\n\n".join(parts)


def as_data(sections: Sequence[Section]) -> list[dict[str, object]]:
    """Return all sections as plain data for JSON."""
    return [asdict(section) for section in sections]


def show(sections: Sequence[Section], markdown: bool) -> None:
    """Print sections: as tables for a terminal, or as Markdown."""
    if markdown:
        print(as_markdown(sections))
    else:
        for section in sections:
            print_section(section)


def print_section(section: Section) -> None:
    """Print one section to the terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = 160  # a pipe has no width: keep the columns whole
    header, *rows = section.cells()
    table = Table(title=section.title, title_justify="left", title_style="bold")
    for place, column in enumerate(header):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(section.note + "\n", style="dim")
