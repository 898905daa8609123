"""Pages of the manual in a browser: axe-core finds nothing serious, in light and dark, on a phone and on a desk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.axe.check_page import serious
from tests.e2e.test_docs_site import site  # noqa: F401

PAGES = ("index", "checks", "view", "results")
"""Text, code, pictures, and wide tables; on the pages that are made from the commands and the code axe-core takes minutes."""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_keeps_people_from_reading_it(site: Path, browser: Any, theme: str, width: int) -> None:  # noqa: F811
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    found = {}
    for name in PAGES:
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_load_state("load")
        found[name] = serious(page)
    context.close()
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_a_table_wider_than_a_phone_scrolls_by_keys(site: Path, browser: Any) -> None:  # noqa: F811
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((site / "results.html").as_uri())
    region = page.get_by_role("region", name=re.compile(r"^Table \d+$")).first
    region.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("e => e.scrollLeft > 0", arg=region.element_handle())
    page.close()
