"""CITATION.cff says what the project says of itself elsewhere, and has what the format asks for."""

import re
import tomllib

import pytest
import yaml

from mocapgen.shared.version import __version__
from tests.conftest import REPOSITORY


@pytest.fixture
def citation() -> dict:
    return yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))


def test_it_has_what_the_format_requires(citation):
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"]
    assert citation["title"]
    for work in [citation, *citation["references"]]:
        assert all("name" in author or {"family-names", "given-names"} <= set(author) for author in work["authors"]), work["title"]


def test_it_agrees_with_the_package(citation):
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation["version"] == __version__
    assert citation["license"] == project["license"]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in project["authors"]]


def test_the_manual_shows_the_same(citation):
    shown = (REPOSITORY / "docs" / "faq.md").read_text(encoding="utf-8")
    entry = re.search(r"^```bibtex\n(.*?)^```$", shown, flags=re.MULTILINE | re.DOTALL)[1].replace("{", "").replace("}", "")
    assert citation["title"] in entry
    assert f"version = {__version__}," in entry


def test_readme_credits_the_same_report(citation):
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    report = citation["references"][0]
    assert report["title"] in " ".join(readme.replace("*", "").split())
    assert report["number"] in readme
