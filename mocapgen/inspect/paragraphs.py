"""What the manual says about each check, for reports that are read where the manual is not."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from pathlib import Path

from mocapgen.inspect.markup import text

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
