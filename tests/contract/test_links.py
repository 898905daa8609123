"""Links between the project's Markdown files, and the paths that they name, hold. The network is not asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PAGES = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md")]
PAGES += sorted((REPOSITORY / "docs").glob("*.md"))

_FENCE = re.compile(r"^```.*?^```$", flags=re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)[^)]*\)")
_HEADING = re.compile(r"^#{1,6} (?P<text>.+?)\s*$", flags=re.MULTILINE)
_PATH = re.compile(r"`((?:docs|schemas|mocapgen|trainer|tests|examples|benchmarks)/[\w./-]+)`")


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and the site's generator make them."""
    headings = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match["text"]) for match in _HEADING.finditer(_FENCE.sub("", text))]
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def broken_links(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    broken = []
    for match in _LINK.finditer(_FENCE.sub("", text)):
        file, _, anchor = match["target"].partition("#")
        if re.match(r"[a-z]+:", file):
            continue
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(match["target"])
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_hold(page):
    assert broken_links(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_files_that_are_named_exist(page):
    named = {path for path in _PATH.findall(page.read_text(encoding="utf-8")) if not re.search("NAME|<|long_legged", path)}
    assert [path for path in sorted(named) if not (REPOSITORY / path).exists()] == []


def test_the_check_notices(tmp_path):
    (tmp_path / "other.md").write_text("# A `title`: one\n", encoding="utf-8")
    page = tmp_path / "page.md"
    sound = "# Here\n[a](other.md#a-title-one) [b](#here) [c](https://x.example/y)\n"
    page.write_text(f"{sound}[d](none.md) [e](other.md#x) ![f](f.png)\n", encoding="utf-8")
    assert broken_links(page) == ["none.md", "other.md#x", "f.png"]
