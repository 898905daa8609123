"""Every check has its paragraph in docs/checks.md, under the anchor that it links to, and no paragraph is of a check that is gone."""

import re

import pytest

from mocapgen.inspect.registry import checks
from schemas.inspection import CHECK_FAILED


@pytest.fixture(scope="module")
def paragraphs(repository) -> dict[str, str]:
    text = (repository / "docs" / "checks.md").read_text(encoding="utf-8")
    parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)[1:]
    return {title.strip(): re.split(r"^## ", body, flags=re.MULTILINE)[0].strip() for title, body in zip(parts[::2], parts[1::2], strict=True)}


def slug(heading: str) -> str:
    """Return the anchor of a heading, as MkDocs (toc.slugify) and GitHub make it."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


def test_every_check_has_a_paragraph_and_every_paragraph_a_check(paragraphs):
    assert sorted(paragraphs) == sorted([*checks(), CHECK_FAILED])


def test_checks_link_to_their_paragraphs(paragraphs, repository):
    from markdown.extensions.toc import slugify

    for id, check in checks().items():
        page, _, anchor = check.link.partition("#")
        assert (repository / page).name == "checks.md"
        assert anchor == slug(id) == slugify(id, "-")


def test_paragraphs_name_every_limit(paragraphs):
    missing = {id: name for id, check in checks().items() for name in check.limits if f"`{name}`" not in paragraphs.get(id, "") and id in paragraphs}
    alike = {"dataset.split_leak"}  # says that its limits are those of another one
    assert {id: name for id, name in missing.items() if id not in alike} == {}


def test_paragraphs_say_something(paragraphs):
    assert [id for id, text in paragraphs.items() if len(text) < 60] == []
