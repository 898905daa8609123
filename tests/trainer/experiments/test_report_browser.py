"""The reports in a browser: axe-core finds nothing serious, pictures follow the theme, links lead to sections, and a phone is wide enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.experiments import EpochFigures, RunResult, Side
from tests.axe.check_page import serious
from trainer.experiments import pictures
from trainer.experiments.report import Bullets, Cell, Heading, Image, MadeBy, Paragraph, Table
from trainer.experiments.report_html import as_html

PHONE = {"width": 390, "height": 844}
GROUND = {"light": (255, 255, 255), "dark": (27, 32, 38)}
"""Of pictures: ``--mp-surface``."""


def history() -> bytes:
    """Return the picture of a run's history."""
    side = Side(sequences=4, frames=100, overall={"mpjpe_mm": 1.0}, by_group_mm={})
    rows = [EpochFigures(epoch=e, loss=1.0, train_mpjpe_mm=90 / e, validation_mpjpe_mm=None, test_mpjpe_mm=100 / e) for e in (1, 2, 3)]
    run = RunResult(
        name="a", experiment="A", variant="", recipe="paper", seed=0, config={}, data_sha256="a", benchmark_sha256="b", split="s", note="",
        model="cvmnet", parameters=1, seconds=1.0, device="processor", best_epoch=1, sides={"test": side}, history=rows,
    )  # fmt: skip
    return pictures.draw_histories([run], ["paper"])


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a block of every kind, a table wider than any screen, and two sections of one name."""
    wide = Table("", ["run", *(f"column {number}" for number in range(30))], [["one", *["123.4 ± 5.6"] * 30]] * 3)
    cells = [["A", "200", Cell("100 ▼", "better")], ["B", "1", Cell("2 ▲", "worse")]]
    marked = Table("Figures", ["", "published", "ours"], cells, published=frozenset({1}))
    blocks = [
        Heading("A report", 1),
        Paragraph("careful", warning=True),
        Heading("Figures"),
        marked,
        wide,
        Heading("Figures"),
        Bullets(("one",)),
        wide,
    ]
    blocks += [Heading("Pictures"), Image("a.svg", history(), "A history"), *[Paragraph("words")] * 60, MadeBy("trainer x", {"python": "3"})]
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(as_html(blocks), encoding="utf-8")
    return path


@pytest.fixture
def open_page(browser: Any, report: Path) -> Iterator[Callable[..., Any]]:
    """Open the report; at the end nobody may have complained."""
    contexts, said = [], []

    def start(theme: str, viewport: dict[str, int]) -> Any:
        context = browser.new_context(viewport=viewport, color_scheme=theme, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.goto(report.resolve().as_uri())
        return page

    yield start
    for context in contexts:
        context.close()
    assert said == []


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desk"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_keeps_people_from_reading_it(open_page, theme, viewport):
    page = open_page(theme, viewport)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    for region in page.get_by_role("region").all():  # tables wider than the screen scroll by keys
        region.focus()
        page.keyboard.press("ArrowRight")
        if region.evaluate("e => e.scrollWidth > e.clientWidth"):
            page.wait_for_function("e => e.scrollLeft > 0", arg=region.element_handle())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_follow_the_theme(open_page, theme):
    page = open_page(theme, {"width": 1280, "height": 900})
    colour = page.evaluate("""async () => {
        const image = document.querySelector("img");
        image.scrollIntoView();
        await image.decode();
        const canvas = new OffscreenCanvas(100, 100).getContext("2d");
        canvas.drawImage(image, 0, 0, 100, 100);
        return [...canvas.getImageData(96, 4, 1, 1).data];
    }""")
    assert tuple(colour[:3]) == GROUND[theme]


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desk"])
def test_sections_are_within_reach_wherever_one_reads(open_page, viewport):
    page = open_page("light", viewport)
    links = page.get_by_role("navigation", name="Sections").get_by_role("link")
    assert links.all_inner_texts() == ["Figures", "Figures", "Pictures"]
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    for place, link in enumerate(links.all()):
        link.click()  # it is in sight
        heading = page.locator("h2").nth(place).bounding_box()
        assert 0 <= heading["y"] < viewport["height"] / 2 or place == 2
