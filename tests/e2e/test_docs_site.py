"""The manual builds as a site without a warning, links and anchors checked, and asks no other server for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_LOADED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=\"?((?:https?:)?//[^\"\s>]+)", flags=re.IGNORECASE)
_CANONICAL = re.compile(r"<link[^>]*rel=\"?(?:canonical|next|prev|alternate)\"?[^>]*>", flags=re.IGNORECASE)


@pytest.fixture(scope="module")
def site(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_there(site: Path, repository: Path) -> None:
    pages = {path.relative_to(repository / "docs").with_suffix(".html") for path in (repository / "docs").rglob("*.md")}
    assert pages
    assert {path for path in pages if not (site / path).is_file()} == set()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert _LOADED.findall(_CANONICAL.sub("", page.read_text(encoding="utf-8"))) == [], page.name
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style.read_text(encoding="utf-8")), style.name


def test_the_check_notices() -> None:
    assert _LOADED.findall('<script defer src="https://a.example/x.js"></script><img src="images/a.png"><a href="https://b.example/">b</a>') == [
        "https://a.example/x.js"
    ]
