"""The report in a real browser: a click on a finding shows its moment; choosing, unfolding and sorting work; nothing is asked for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest

from mocapgen.inspect.report import report_page
from mocapgen.inspect.run import Survey, survey
from tests.axe.check_page import serious
from tests.inspect.defects import all_defects
from tests.view.conftest import SCREENSHOT

PLAYER = "document.querySelector('.mocap-player').player"


@pytest.fixture(scope="module")
def found(clean_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Survey, Path]:
    """What was found in a file with several defects, and the report of it."""
    folder = tmp_path_factory.mktemp("report")
    path = Path(shutil.copy(clean_files["unity"], folder / "data.h5"))
    with h5py.File(path, "r+") as file:
        for check in ("motion.speed_spike", "camera.projection", "kinematics.quaternion_norm", "structure.unknown"):
            next(defect for defect in all_defects() if defect.check == check).plant(file)
        for name in ("positions_3d", "positions_2d"):  # the same on both avatars
            for sequence in (4, 5):
                file[f"/frames/{name}"][int(file["/sequences/start"][sequence]) + 3] *= 1.5
        file["/clips/action"][1] = "<b>kick</b>"
    result = survey(path, workers=1, measuring=True, threshold="info")
    (folder / "report.html").write_text(report_page(result, path), encoding="utf-8")
    return result, folder / "report.html"


@pytest.fixture
def open_report(browser: Any, found: tuple[Survey, Path]) -> Iterator[Callable[..., Any]]:
    """Open the report; at the end nobody may have complained or asked for anything."""
    opened: list[tuple[Any, list[str]]] = []
    address = found[1].resolve().as_uri()

    def start(**preferences: Any) -> Any:
        settings = {"viewport": {"width": 1400, "height": 900}, "reduced_motion": "reduce", "color_scheme": "light"} | preferences
        context, said = browser.new_context(**settings), []
        page = context.new_page()
        page.on("console", lambda message: None if SCREENSHOT in message.text else said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if request.url.partition("#")[0] != address else None)
        page.goto(address)
        page.evaluate(f"async () => await {PLAYER}.ready")
        opened.append((context, said))
        return page

    yield start
    for context, said in opened:
        assert said == []
        context.close()


def shown(page: Any) -> list[Any]:
    return page.evaluate(
        f"(() => {{ const p = {PLAYER}; return [p.scene.row.number, p.frame, p.joint < 0 ? '' : p.scene.figure.names[p.joint]]; }})()"
    )


def test_a_click_on_a_finding_shows_its_moment(open_report, found):
    page, (result, _) = open_report(), found
    for check in ("motion.speed_spike", "camera.projection", "kinematics.quaternion_norm"):
        finding = next(each for each in result.inspection.findings if each.check == check)
        part = page.locator(f'[data-check="{check}"]')
        if not part.evaluate("e => e.open"):
            part.locator("summary").first.click()
        part.locator("tbody a").first.click()
        wanted = [finding.sequence, finding.frame or 0, finding.joint]
        page.wait_for_function(
            f"() => {{ const p = {PLAYER}; return p.scene.row.number === {wanted[0]} && p.frame === {wanted[1]}; }}", timeout=10_000
        )
        assert shown(page) == wanted
        assert page.locator(".findings tr.current").count() == 1
        canvas = page.locator('canvas[data-mp="world"]').bounding_box()
        assert 0 <= canvas["y"] <= 900 - canvas["height"]  # beside the findings, in sight


def test_it_starts_at_the_worst_finding(open_report, found):
    worst = next(finding for finding in found[0].inspection.findings if finding.sequence is not None)
    assert shown(open_report())[:2] == [worst.sequence, worst.frame or 0]


def test_findings_can_be_chosen(open_report, found):
    page, (result, _) = open_report(), found
    everything = page.locator(".check:visible").count()
    assert everything == len({finding.check for finding in result.inspection.findings})
    page.get_by_role("checkbox", name="error").uncheck()
    severities = page.locator(".check:visible").evaluate_all("all => all.map((e) => e.dataset.severity)")
    assert severities
    assert "error" not in severities
    page.get_by_role("checkbox", name="error").check()
    page.locator('[name="check"]').select_option("motion.speed_spike")
    assert page.locator(".check:visible").count() == 1
    page.locator('[name="check"]').select_option("")
    spike = next(finding for finding in result.inspection.findings if finding.check == "motion.speed_spike")
    page.get_by_role("searchbox", name="Text").fill(f"{spike.clip} {spike.joint}".upper())
    assert "motion.speed_spike" in page.locator(".check:visible").evaluate_all("all => all.map((e) => e.dataset.check)")
    assert {spike.clip} == set(page.locator(".findings tbody:visible a:visible").all_inner_texts())
    assert page.locator("#matching").inner_text().endswith(f" of {len(result.inspection.findings)}")
    page.get_by_role("searchbox", name="Text").fill("nobody of this name")
    assert page.locator(".check:visible").count() == 0
    assert page.locator("#matching").inner_text().startswith("0 of")


def test_other_avatars_are_unfolded(open_report):
    page = open_report()
    button = page.locator(".findings button:visible").first
    body = button.locator("xpath=ancestor::tbody")
    before = body.locator("tr:visible").count()
    assert before == 1
    button.press("Enter")
    assert body.locator("tr:visible").count() > 1
    assert button.get_attribute("aria-expanded") == "true"


def test_tables_are_sorted_by_any_column(open_report):
    page = open_report()
    table = page.locator("table.sortable", has_text="By action")
    table.get_by_role("button", name="Frames").click()
    frames = [int(cell.replace(",", "")) for cell in table.locator("tbody td:nth-child(4)").all_inner_texts()]
    assert frames == sorted(frames, reverse=True)
    assert len(set(frames)) > 1
    table.get_by_role("button", name="Action").click()
    names = table.locator("tbody th").all_inner_texts()
    assert sorted(names, key=str.lower) == names
    assert "<b>kick</b>" in names
    assert table.locator("th[aria-sort]").count() == 1


def test_narrow_and_dark_with_a_way_back(open_report):
    page = open_report(viewport={"width": 400, "height": 800}, color_scheme="dark", has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"
    link = page.locator(".findings a:visible").nth(2)
    link.click()
    page.wait_for_function(
        "() => { const b = document.querySelector('.mocap-player').getBoundingClientRect(); return b.top < innerHeight && b.bottom > 0; }"
    )
    page.get_by_role("button", name="Back to the finding").click()
    box = link.bounding_box()
    assert 0 < box["y"] < 800
    assert link.evaluate("e => e === document.activeElement")


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}, {"width": 1400, "height": 900}], ids=["phone", "desk"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_keeps_people_from_using_it(open_report, theme, viewport):
    page = open_report(viewport=viewport, color_scheme=theme)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_the_sections_stay_at_the_top(open_report):
    page = open_report()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Coverage").click()
    title, links = (page.locator(name).bounding_box() for name in ("#coverage-title", ".mp-nav"))
    assert links["y"] == 0
    assert links["height"] <= title["y"] < 450


def test_every_control_has_a_name(open_report):
    page = open_report()
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, select, input, canvas, a, summary, svg[role=img]')].filter((e) => e.checkVisibility()"
        " && !e.ariaHidden && !e.ariaLabel && !e.labels?.length && !e.textContent.trim()).map((e) => e.outerHTML)"
    )
    assert nameless == []


def test_it_can_be_read_without_scripts(browser, found):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(found[1].resolve().as_uri())
    assert page.locator(".findings tbody tr").count() == len(found[0].inspection.findings)
    assert page.locator(".findings button:visible").count() == 0
    assert page.locator("#filter").is_hidden()
    context.close()
