"""Reports as pages: one self-contained HTML file, without scripts, in the style of all pages."""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Iterable, Sequence
from pathlib import Path

from mocapgen.shared.files import write_file
from mocapgen.shared.markup import content_policy, html_text
from mocapgen.shared.page_style import page_style
from trainer.experiments.report import Bullets, Cell, Heading, Image, MadeBy, Paragraph, ReportBlock, Table, as_markdown

TEMPLATES = Path(__file__).parent / "templates"


def write_blocks(blocks: Sequence[ReportBlock], folder: Path) -> None:
    """Write a report in both forms, and the pictures that the Markdown form shows."""
    for block in blocks:
        if isinstance(block, Image):
            write_file(folder / "pictures" / block.file, block.svg)
    write_file(folder / "report.html", as_html(blocks).encode())
    write_file(folder / "report.md", as_markdown(blocks).encode())


def as_html(blocks: Sequence[ReportBlock]) -> str:
    """Return one HTML page: no script, and nothing that a browser would have to fetch."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "Report")
    body = _Body()
    shown = [body.add(block) for block in blocks if not isinstance(block, MadeBy)]
    links = [f'<a href="#{name}">{html_text(text)}</a>' for name, text in body.sections]
    return string.Template((TEMPLATES / "report.html").read_text(encoding="utf-8")).substitute(
        policy=content_policy(),
        title=html_text(title),
        style=page_style() + (TEMPLATES / "report.css").read_text(encoding="utf-8"),
        nav=f'<nav class="mp-nav" aria-label="Sections">{" ".join(links)}</nav>' if links else "",
        body="\n".join(shown),
        foot="".join(_foot(block) for block in blocks if isinstance(block, MadeBy)),
    )


class _Body:
    """Turns blocks into HTML one after the other; what can be linked to gets a name that nothing else on the page has."""

    def __init__(self) -> None:
        self.sections: list[tuple[str, str]] = []
        """Addresses and titles of the sections so far."""
        self._heading = "Report"
        self._named: set[str] = set()

    def add(self, block: ReportBlock) -> str:
        """Return the HTML of the next block."""
        match block:
            case Heading():
                return self._titled(block)
            case Paragraph():
                return f"<p{_classes('warning' if block.warning else '')}>{html_text(block.text)}</p>"
            case Bullets():
                return "<ul>" + "".join(f"<li>{html_text(item)}</li>" for item in block.items) + "</ul>"
            case Image():
                caption = html_text(block.caption)
                picture = f'<img alt="{caption}" src="data:image/svg+xml;base64,{base64.b64encode(block.svg).decode()}">'
                return f"<figure>{self._region('picture', block.caption, picture)}<figcaption>{caption}</figcaption></figure>"
            case Table():
                return self._region("mp-scroll", block.title or f"Table: {self._heading}", _table(block))
            case MadeBy():
                return _foot(block)

    def _titled(self, heading: Heading) -> str:
        if heading.level == 1:
            return f"<h1>{html_text(heading.text)}</h1>"
        name = self._unique(re.sub(r"[^a-z0-9]+", "-", heading.text.lower()).strip("-") or "section", "-")
        self._heading = heading.text
        if heading.level == 2:
            self.sections.append((name, heading.text))
        return f'<h{heading.level} id="{name}">{html_text(heading.text)}</h{heading.level}>'

    def _region(self, kind: str, label: str, content: str) -> str:
        """Return what scrolls sideways where it is too wide, by keys as well."""
        return f'<div class="{kind}" role="region" tabindex="0" aria-label="{html_text(self._unique(label, " "))}">{content}</div>'

    def _unique(self, name: str, between: str) -> str:
        found, count = name, 1
        while found in self._named:
            count += 1
            found = f"{name}{between}{count}"
        self._named.add(found)
        return found


def _foot(made: MadeBy) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in made.versions.items())
    return (f"<p>Made with {html_text(versions)}, by:</p>" if versions else "<p>Made by:</p>") + f"<pre>{html_text(made.command)}</pre>"


def _classes(*names: str) -> str:
    found = " ".join(name for name in names if name)
    return f' class="{found}"' if found else ""


def _table(table: Table) -> str:
    def cells(row: Iterable[Cell | str], scope: str = "") -> str:
        parts = []
        for place, cell in enumerate(row):
            found = cell if isinstance(cell, Cell) else Cell(cell)
            classes = _classes("" if place < table.labels else "mp-num", found.mark)
            tag = "th" if found.text and (scope or place == 0) else "td"  # an empty cell names nothing
            scoped = f' scope="{scope or "row"}"' if tag == "th" else ""
            parts.append(f"<{tag}{scoped}{classes}>{html_text(found.text)}</{tag}>")
        return "".join(parts)

    rows = "".join(f"<tr{_classes('published' if index in table.published else '')}>{cells(row)}</tr>\n" for index, row in enumerate(table.rows))
    caption = f"<caption>{html_text(table.title)}</caption>" if table.title else ""
    return f"<table>{caption}\n<thead><tr>{cells(table.header, 'col')}</tr></thead>\n<tbody>\n{rows}</tbody></table>"
