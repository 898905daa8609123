"""The colours of all pages: text has a contrast of 4.5 on every ground that it stands on, marks have one of 3, in light and dark."""

from __future__ import annotations

import re

import pytest

from mocapgen.shared.body_colours import LEFT, RIGHT
from mocapgen.shared.page_style import page_colours, page_style

GROUNDS = ("back", "surface", "image")
TEXTS = ("ink", "muted", "accent", "good", "error", "warning", "info")
MARKS = ("left", "right", "centre", "predicted", "camera", "mark", "border", "x", "y", "z")


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2 of #rrggbb."""
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2 of two colours."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_wcag():
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the example that every guide knows


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_marks_stand_out(theme):
    found = page_colours(theme)
    assert {*GROUNDS, *TEXTS, *MARKS} <= found.keys()
    low = {(name, ground): contrast(found[name], found[ground]) for name in TEXTS for ground in (*GROUNDS, "tint")}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}
    low = {(name, ground): contrast(found[name], found[ground]) for name in MARKS for ground in GROUNDS}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 3.0} == {}
    assert contrast(found["on-accent"], found["accent"]) >= 4.5


def test_both_themes_have_all_colours():
    assert page_colours("light").keys() == page_colours("dark").keys()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sides_have_the_colours_of_pictures(theme):
    assert (page_colours(theme)["left"], page_colours(theme)["right"]) == (LEFT[theme], RIGHT[theme])


def test_rules_stay_within_pages_of_ours():
    rules = re.sub(r"/\*.*?\*/", "", page_style(), flags=re.DOTALL)
    selectors = [part.strip() for part in re.findall(r"(?:^|[{}])\s*([^{}@]+)\s*\{", rules)]
    assert len(selectors) > 30
    for selector in selectors:
        assert re.match(r"(\.mocap-(theme|player)\b|\.mp-|:where\(\.(mocap-|mp-))", selector), selector
