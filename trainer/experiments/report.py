"""Reports, written once as a list of blocks and rendered twice: as one self-contained HTML file and as Markdown."""

from __future__ import annotations

import base64
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mocapgen.shared.files import write_file
from mocapgen.shared.markup import content_policy, html_text, markdown_table, markdown_text
from mocapgen.shared.text import printable

TEMPLATE = Path(__file__).parent / "templates" / "report.html"


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
class Code:
    """A command."""

    text: str


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
    """A PNG, and the name of the file that it is in beside a Markdown report."""

    file: str
    png: bytes
    caption: str


ReportBlock = Heading | Paragraph | Bullets | Code | Table | Image


def write_blocks(blocks: Sequence[ReportBlock], folder: Path) -> None:
    """Write a report in both forms, and the pictures that the Markdown form shows."""
    for block in blocks:
        if isinstance(block, Image):
            write_file(folder / "pictures" / block.file, block.png)
    write_file(folder / "report.html", as_html(blocks).encode())
    write_file(folder / "report.md", as_markdown(blocks).encode())


# HTML -------------------------------------------------------------------------------------------------------------------------


def as_html(blocks: Sequence[ReportBlock]) -> str:
    """Return one HTML page: no script, and nothing that a browser would have to fetch."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "Report")
    template = string.Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(policy=content_policy(), title=html_text(title), body="\n".join(_html(block) for block in blocks))


def _html(block: ReportBlock) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{html_text(block.text)}</h{block.level}>"
        case Paragraph():
            return f"<p{_classes('warning' if block.warning else '')}>{html_text(block.text)}</p>"
        case Bullets():
            return "<ul>" + "".join(f"<li>{html_text(item)}</li>" for item in block.items) + "</ul>"
        case Code():
            return f"<pre>{html_text(block.text)}</pre>"
        case Image():
            source = f"data:image/png;base64,{base64.b64encode(block.png).decode()}"
            caption = html_text(block.caption)
            return f'<figure><img alt="{caption}" src="{source}"><figcaption>{caption}</figcaption></figure>'
        case Table():
            return _html_table(block)


def _classes(*names: str) -> str:
    found = " ".join(name for name in names if name)
    return f' class="{found}"' if found else ""


def _html_table(table: Table) -> str:
    def cells(tag: str, row: Iterable[Cell | str]) -> str:
        parts = []
        for place, cell in enumerate(row):
            found = cell if isinstance(cell, Cell) else Cell(cell)
            classes = _classes("text" if place < table.labels else "", found.mark)
            parts.append(f"<{tag}{classes}>{html_text(found.text)}</{tag}>")
        return "".join(parts)

    rows = "".join(
        f"<tr{_classes('published' if index in table.published else '')}>{cells('td', row)}</tr>\n" for index, row in enumerate(table.rows)
    )
    caption = f"<caption>{html_text(table.title)}</caption>" if table.title else ""
    return f'<div class="table"><table>{caption}\n<thead><tr>{cells("th", table.header)}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>'


# Markdown ---------------------------------------------------------------------------------------------------------------------


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
        case Code():
            return f"    {printable(block.text)}"
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
