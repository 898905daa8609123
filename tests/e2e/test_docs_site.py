"""The manual builds as a site without a warning, links and anchors checked, and asks no other server for anything."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

import mocapgen.cli.main
import trainer.cli.main
from tests.conftest import commands_of

_LOADED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=\"?((?:https?:)?//[^\"\s>]+)", flags=re.IGNORECASE)
_CANONICAL = re.compile(r"<link[^>]*rel=\"?(?:canonical|next|prev|alternate)\"?[^>]*>", flags=re.IGNORECASE)


@pytest.fixture(scope="module")
def site(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_there(site: Path, repository: Path) -> None:
    pages = {path.relative_to(repository / "docs").with_suffix(".html") for path in (repository / "docs").rglob("*.md")}
    assert pages
    assert {path for path in pages if not (site / path).is_file()} == set()


def names(parameter: click.Parameter) -> list[str]:
    if isinstance(parameter, click.Option):
        return [*parameter.opts, *parameter.secondary_opts]
    return [parameter.make_metavar(click.Context(click.Command(None)))]


@pytest.mark.parametrize("program", ["mocapgen", "trainer"])
def test_every_command_stands_in_the_reference_with_all_its_options(site: Path, program: str) -> None:
    page = (site / f"commands-{program}.html").read_text(encoding="utf-8")
    sections = {part.split('"', 1)[0]: html.unescape(re.sub("<[^>]+>", "", part)) for part in page.split('<h2 id="')[1:]}
    commands = commands_of({"mocapgen": mocapgen.cli.main.cli, "trainer": trainer.cli.main.cli}[program])
    assert list(sections) == list(commands)
    for name, command in commands.items():
        examples = (command.epilog or "").splitlines()[2:]
        said = [*(name for parameter in command.params for name in names(parameter)), *(line.strip() for line in examples)]
        said += [parameter.help for parameter in command.params if isinstance(parameter, click.Option) and parameter.help]
        assert [text for text in said if text.replace("`", "") not in sections[name]] == [], name


@pytest.mark.parametrize(
    ("word", "page"),
    [("gpu", "faq.html"), ("pretrained", "faq.html"), ("citation", "faq.html"), ("mediapipe", "video.html"), ("fps", "commands-mocapgen.html")],
)
def test_the_search_knows_what_people_ask(site: Path, word: str, page: str) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    assert page in {
        entry["location"].split("#")[0] for entry in index if re.search(rf"\b{word}", f"{entry['title']} {entry['text']}", flags=re.IGNORECASE)
    }


def test_the_search_works_in_pages_that_are_opened_from_disk(site: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto((site / "index.html").as_uri())
    page.fill("input.md-search__input", "citation")
    page.get_by_text("matching document").wait_for(timeout=60_000)
    assert page.locator(".md-search-result__item", has_text="how do I cite it").count()
    page.close()


def test_pages_say_their_version_and_the_changelog_is_that_of_the_project(site: Path, repository: Path) -> None:
    assert f"mocapgen {mocapgen.__version__}" in (site / "faq.html").read_text(encoding="utf-8")
    first = re.search(r"^- (.{40})", (repository / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert first is not None
    assert first[1].split("`")[0] in (site / "changelog.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert _LOADED.findall(_CANONICAL.sub("", page.read_text(encoding="utf-8"))) == [], page.name
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style.read_text(encoding="utf-8")), style.name


def test_the_check_notices() -> None:
    assert _LOADED.findall('<script defer src="https://a.example/x.js"></script><img src="images/a.png"><a href="https://b.example/">b</a>') == [
        "https://a.example/x.js"
    ]
