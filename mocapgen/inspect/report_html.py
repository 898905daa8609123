"""Text, tables and the manual's paragraphs as HTML: all names from the file are escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from mocapgen.shared.markup import html_text


def text(value: object) -> str:
    """Return text such that it is shown as it is, inside an element or an attribute; what cannot be printed is spelled out."""
    return html_text(value)


def slug(name: str) -> str:
    """Return an element's id for a name of this project, such as a check's."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def number(value: float) -> str:
    """Return a number for people: three digits that say something, thousands separated, no exponent unless it is needed."""
    if value == 0.0:
        return "0"
    if abs(value) >= 1e15 or abs(value) < 1e-4:
        return f"{value:.2e}"
    if abs(value) >= 100.0 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}"


def counted(count: int, what: str) -> str:
    """Return how many there are: ``1 clip``, ``1,300 clips``."""
    return f"{count:,} {what}{'s' * (count != 1)}"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    title : str
    numeric : bool
        Whether it holds numbers, to be aligned and sorted as such.
    bars : bool
        Whether a bar behind each number shows its share of the largest.
    """

    title: str
    numeric: bool = True
    bars: bool = False


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[object]], first: int = 12) -> str:
    """Return a table whose first column names the rows.

    Parameters
    ----------
    caption : str
    columns : sequence of Column
    rows : iterable of sequences
        Cells: text, numbers, or None for what is not known.
    first : int
        How many rows are shown at first, where scripts run; a button shows the others.
    """
    rows = list(rows)
    largest = [max((_size(row[place]) for row in rows), default=0.0) if column.bars else 0.0 for place, column in enumerate(columns)]
    head = "".join(heading(column.title, column.numeric) for column in columns)
    body = "".join(f"<tr>{''.join(_cell(*each, place) for place, each in enumerate(zip(columns, row, largest, strict=True)))}</tr>" for row in rows)
    start = f'<table class="sortable" data-first="{first}"><caption>{text(caption)}</caption>'
    return region(caption, f"{start}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def region(label: str, content: str) -> str:
    """Return what scrolls sideways where it is too wide, by keys as well; no two of a page have one label."""
    return f'<div class="mp-scroll" role="region" tabindex="0" aria-label="{text(label)}">{content}</div>'


def heading(title: str, numeric: bool = False) -> str:
    """Return the cell above a column."""
    return f'<th scope="col" class="mp-num">{text(title)}</th>' if numeric else f'<th scope="col">{text(title)}</th>'


def _size(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _cell(column: Column, value: object, largest: float, place: int) -> str:
    if place == 0:
        return f'<th scope="row">{text(value)}</th>'
    if value is None:
        return '<td class="mp-num">–</td>'
    if not isinstance(value, int | float):
        return f"<td>{text(value)}</td>"
    shown = f"{value:,}" if isinstance(value, int) else f"{value:,.1f}" if column.bars else number(value)
    share = f' style="--share:{100.0 * value / largest:.1f}%"' if column.bars and largest > 0.0 else ""
    return f'<td class="mp-num{" bar" * bool(share)}"{share} data-value="{value:.6g}">{shown}</td>'


_PAGE = "checks.md"
_HEADING = re.compile(r"^#+ +(\S+)$", flags=re.MULTILINE)
_ANY_HEADING = re.compile(r"^#+ ", flags=re.MULTILINE)


@cache
def paragraphs() -> dict[str, str]:
    """Return the text below each check's heading in ``docs/checks.md``, Markdown, by id; empty if the page is not installed."""
    packed = resources.files("mocapgen.inspect") / _PAGE  # in a wheel; in a checkout there is the manual itself
    page = packed if packed.is_file() else Path(__file__).parents[2] / "docs" / _PAGE
    manual = page.read_text(encoding="utf-8") if page.is_file() else ""
    found = {}
    for heading in _HEADING.finditer(manual):
        following = _ANY_HEADING.search(manual, heading.end())
        found[heading[1]] = " ".join(manual[heading.end() : following.start() if following else None].split())
    return found


def first_sentence(id: str) -> str:
    """Return the first sentence about a check, Markdown; empty if there is none."""
    return re.split(r"(?<=[.!?]) ", paragraphs().get(id, ""), maxsplit=1)[0]


def inline(markdown: str) -> str:
    """Return a paragraph of Markdown as HTML, links as their text."""
    shown = text(markdown)
    shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", shown)
    shown = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", shown)
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", shown)
