"""Reports as lists of blocks, and these as Markdown; :mod:`trainer.experiments.report_html` turns them into pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mocapgen.shared.markup import markdown_table, markdown_text
from mocapgen.shared.text import printable


@dataclass(frozen=True)
class Cell:
    """What stands in a table; `mark` says how it compares with a published figure."""

    text: str
    mark: Literal["", "better", "worse"] = ""


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title of the report."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list of plain texts."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table.

    Parameters
    ----------
    title : str
    header : sequence of str
    rows : sequence of sequences of Cell or str
    labels : int
        Columns from the left that hold words.
    published : frozenset of int
        Rows that hold published figures.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    labels: int = 1
    published: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Image:
    """A picture as SVG, and the name of the file that it is in beside a Markdown report."""

    file: str
    svg: bytes
    caption: str


@dataclass(frozen=True)
class MadeBy:
    """The command that made a report (or several, one a line), and the versions of what took part; a page shows them at its foot."""

    command: str
    versions: Mapping[str, str] = field(default_factory=dict)


ReportBlock = Heading | Paragraph | Bullets | Table | Image | MadeBy


def as_markdown(blocks: Sequence[ReportBlock]) -> str:
    """Return the report as Markdown; figures better than the published ones are bold."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def _markdown(block: ReportBlock) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {markdown_text(block.text)}"
        case Paragraph():
            return f"> {markdown_text(block.text)}" if block.warning else markdown_text(block.text)
        case Bullets():
            return "\n".join(f"- {markdown_text(item)}" for item in block.items)
        case MadeBy():
            return "Made by:\n\n" + "\n".join(f"    {printable(line)}" for line in block.command.splitlines())
        case Image():
            caption = markdown_text(block.caption)
            return f"![{caption}](pictures/{block.file})\n\n*{caption}*"
        case Table():
            return _markdown_table(block)


def _markdown_table(table: Table) -> str:
    def cell(content: Cell | str) -> str:
        found = content if isinstance(content, Cell) else Cell(content)
        text = markdown_text(found.text)
        return f"**{text}**" if found.mark == "better" else text

    rows = [[cell(content) for content in row] for row in [table.header, *table.rows]]
    title = f"**{markdown_text(table.title)}**\n\n" if table.title else ""
    return title + markdown_table(rows, table.labels)
