"""Around the two panes, in a real browser: the list of clips, the time line, what is shown together, small screens, and axe-core."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mocapgen import open_dataset
from mocapgen.store.matching import PredictionMatches
from mocapgen.store.predictions import open_predictions
from mocapgen.view import player_page, player_sequences
from mocapgen.view.write_page import view
from schemas.inspection import Finding
from schemas.subset import SelectConfig
from tests.axe.check_page import serious
from tests.view.conftest import Opened, write_predictions
from tests.view.test_browser import LEFT, RIGHT

Open = Callable[..., Opened]
FINDINGS = [
    Finding(check="motion.spike", severity="error", message="too fast", sequence=0, frame=20, joint="LeftHand"),
    Finding(check="motion.frozen", severity="warning", message="still", sequence=0, frame=21),
    Finding(check="motion.jitter", severity="info", message="shakes", sequence=0, frame=60),
]


@pytest.fixture
def open_page(open_page: Open) -> Open:
    """Open a page without WebGL: bodies are not what is looked at here, and drawing them without a graphics card takes long."""
    return partial(open_page, webgl=False)


@pytest.fixture(scope="module")
def full_page(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that a page can have: two avatars, predictions of rows 0 and 1, and findings."""
    folder = tmp_path_factory.mktemp("full")
    predictions = write_predictions(files["unity"], folder / "pred.h5", [0, 1])
    with open_dataset(files["unity"]) as data, open_predictions(predictions) as guessed:
        page = player_page(player_sequences(data, range(len(data)), PredictionMatches(guessed, data)), "full", findings=FINDINGS)
    (folder / "full.html").write_text(page, encoding="utf-8")
    return folder / "full.html"


def options(opened: Opened) -> list[str]:
    """The names in the list: text contents, since inner texts are empty where ``content-visibility`` has not laid them out yet."""
    return opened.page.locator('[data-mp="clip"] [role="option"] b').all_text_contents()


# Clips ----------------------------------------------------------------------------------------------


def test_a_search_that_finds_nothing_says_so_and_how_to_go_on(open_page: Open, unity_page: Path) -> None:
    opened = open_page(unity_page)
    every = options(opened)
    assert len(every) == 4
    find = opened.page.get_by_role("searchbox", name="Find")
    find.fill("jump rope")
    assert options(opened) == []
    assert "No clip matches “jump rope”" in opened.page.locator('[data-mp="nothing"]').inner_text()
    assert opened.page.locator('[data-mp="counts"]').inner_text() == "0 of 4 clips"
    opened.page.get_by_role("button", name="Show all clips").click()
    assert options(opened) == every
    assert find.input_value() == ""
    assert opened.page.locator('[data-mp="nothing"]').is_hidden()
    assert opened.page.locator('[data-mp="counts"]').inner_text() == "4 clips"
    find.fill("kick")
    assert [name for name in options(opened) if "kick" not in name] == []
    find.press("Escape")
    assert options(opened) == every


def test_clips_by_actor_and_action(open_page: Open, unity_page: Path) -> None:
    opened = open_page(unity_page)
    opened.page.get_by_label("Actor").select_option(label="sb (2)")
    assert opened.page.locator('[data-mp="counts"]').inner_text() == "2 of 4 clips"
    opened.page.get_by_label("Action").select_option(label="lieDown (2)")
    assert options(opened) == ["sample_sb_lieDown_001_120"]
    assert opened.page.locator('[data-mp="clip"] [role="group"]').get_attribute("aria-label") == "lieDown"
    opened.page.get_by_role("option", name="sample_sb_lieDown_001_120").click()
    opened.wait("p.scene.clip.id === 'sample_sb_lieDown_001_120'")


def test_the_list_by_keys(open_page: Open, unity_page: Path) -> None:
    opened = open_page(unity_page)
    names = options(opened)
    opened.page.get_by_role("listbox", name="Clips").focus()
    for key, place in {"ArrowDown": 1, "End": 3, "ArrowUp": 2, "Home": 0}.items():
        opened.page.keyboard.press(key)
        opened.wait(f"p.scene.clip.id === '{names[place]}'")
        chosen = opened.page.locator('[data-mp="clip"] [aria-selected="true"]')
        assert chosen.locator("b").inner_text() == names[place]
        assert opened.page.get_by_role("listbox", name="Clips").get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    opened.page.keyboard.press("/")
    assert opened.page.evaluate("document.activeElement.dataset.mp") == "filter"


def test_every_clip_has_a_picture_of_its_own(open_page: Open, unity_page: Path) -> None:
    opened = open_page(unity_page)
    opened.wait("p.controls.list.thumbnails.shown.size === 4")
    pictures = opened.page.evaluate("[...document.querySelectorAll('[data-mp=clip] canvas')].map((canvas) => canvas.toDataURL())")
    assert len(set(pictures)) == 4


def test_a_long_list_is_filled_as_it_is_scrolled(open_page: Open, files: dict[str, Path], tmp_path: Path) -> None:
    with open_dataset(files["unity"]) as data:
        (one,) = player_sequences(data, [0])
        many = [replace(one, number=number, clip={"id": f"clip {number}", "actor": "x", "action": f"{number // 100}"}) for number in range(400)]
    (tmp_path / "many.html").write_text(player_page(many, "many"), encoding="utf-8")
    opened = open_page(tmp_path / "many.html")
    few = len(options(opened))
    assert few < 100
    opened.page.evaluate("document.querySelector('[data-mp=clip]').scrollTop = 1e6")
    opened.wait(f"p.controls.list.options.size > {few}")
    opened.do("await p.open({sequence: 399})")
    chosen = opened.page.locator('[data-mp="clip"] [aria-selected="true"]')
    assert chosen.locator("b").inner_text() == "clip 399"
    inside = "(() => { const [a, b] = ['[aria-selected=true]', '[data-mp=clip]'].map((s) => document.querySelector(s).getBoundingClientRect());"
    assert opened.page.evaluate(inside + " return a.top >= b.top && a.bottom <= b.bottom; })()")


# Time -----------------------------------------------------------------------------------------------


def test_contacts_are_bands_of_the_time_line(open_page: Open, full_page: Path) -> None:
    """Where the data says that a foot is down, the line has the colour of its side, and pointing there says so."""
    opened = open_page(full_page, "#sequence=0&frame=0")
    opened.settle()
    contacts, frames = opened.do("return [p.scene.row.contacts, p.scene.frames]")
    pixels = opened.do(
        "const c = p.part('ruler'); const d = c.getContext('2d').getImageData(0, 0, c.width, c.height);"
        "return [...Array(p.scene.frames).keys()].map((f) => [0, 1].map((row) => {"
        "const i = 4 * (Math.round((26 + 13 * row) * devicePixelRatio) * c.width + Math.round(p.controls.timeline.x(f) * devicePixelRatio));"
        "return [...d.data.slice(i, i + 3)]; }))"
    )
    seen = np.array(pixels, dtype=int)  # (frames, feet, RGB)
    for place, (foot, colour) in enumerate((("left", LEFT), ("right", RIGHT))):
        down = np.zeros(frames, dtype=bool)
        for first, last in zip(contacts[foot][::2], contacts[foot][1::2], strict=True):
            down[first : last + 1] = True
        painted = np.abs(seen[:, place] - colour).sum(axis=-1) < 30
        edges = np.flatnonzero(np.diff(down))
        sure = np.ones(frames, dtype=bool)
        sure[np.concatenate([edges, edges + 1])] = False
        assert down.any()
        assert (painted == down)[sure].mean() > 0.98  # ticks of whole seconds lie below the bands, not above
    assert not all(contacts[foot] == [0, frames - 1] for foot in contacts)
    x, y = opened.do("const b = p.part('scrub').getBoundingClientRect(); return [b.left + p.controls.timeline.x(0), b.top + 30]")
    opened.page.mouse.move(x, y)
    tip = opened.page.locator('[data-mp="tip"]')
    assert tip.inner_text().startswith("0.00 s · frame 0 · ")
    assert "down" in tip.inner_text()


def test_dragging_along_the_time_line(open_page: Open, full_page: Path) -> None:
    opened = open_page(full_page, "#sequence=0&frame=0")
    opened.page.keyboard.press("Space")
    place = "const b = p.part('scrub').getBoundingClientRect(); return [b.left, b.top + 30, p.controls.timeline.x(20), p.controls.timeline.x(50)]"
    left, y, start, end = opened.do(place)
    mouse = opened.page.mouse
    mouse.move(left + start, y)
    mouse.down()
    assert opened.frame == 20
    assert opened.do("return p.playing") is False
    mouse.move(left + end, y, steps=5)
    assert opened.frame == 50
    assert "1.67 s · frame 50" in opened.page.locator('[data-mp="tip"]').inner_text()
    mouse.up()
    assert opened.do("return p.playing") is True  # as before
    opened.page.keyboard.press("Space")
    slider = opened.page.get_by_role("slider", name="Frame")
    slider.focus()
    opened.page.keyboard.press("Home")
    opened.page.keyboard.press("ArrowRight")
    opened.settle()
    assert slider.get_attribute("aria-valuenow") == "1"
    assert slider.get_attribute("aria-valuetext").startswith("0.03 s, frame 1 of ")


def test_findings_are_marks_and_near_ones_share_one(open_page: Open, full_page: Path) -> None:
    opened = open_page(full_page, "#sequence=0&frame=0")
    opened.settle()
    marks = opened.page.locator(".mp-marks button")
    assert [mark.get_attribute("data-severity") for mark in marks.all()] == ["error", "info"]
    assert marks.nth(0).get_attribute("aria-label") == "2 findings: error, frame 20, LeftHand: too fast\nwarning, frame 21: still"
    for frame in (20, 21, 20):  # one after the other
        marks.nth(0).click()
        assert opened.frame == frame
    assert marks.nth(1).inner_text() == "jitter"
    assert "1 finding" not in options(opened)[0]
    assert "3 findings" in opened.page.locator('[data-mp="clip"] [role="option"]').first.inner_text()


# Together -------------------------------------------------------------------------------------------


def test_avatars_side_by_side(open_page: Open, full_page: Path) -> None:
    opened = open_page(full_page, "#sequence=2&frame=3")
    assert opened.do("return p.bodies.map((body) => body.scene.row.avatar)") == ["average_man"]
    opened.page.get_by_label("child_10", exact=True).check()
    opened.wait("p.bodies.length === 2")
    assert opened.page.url.endswith("#sequence=2&frame=3&beside=child_10")
    gap = opened.do(
        "const [one, other] = p.bodies; const r = p.scene.axes.right;"
        "const place = (b, f, j) => { const q = MocapPlayer.scene.at(b.scene.world, b.scene.figure.names.length, f, j);"
        " return r[0] * (q[0] + b.offset[0]) + r[2] * (q[2] + b.offset[2]); };"
        "const at = (b, f) => b.scene.figure.names.map((_, j) => place(b, f, j));"
        "return [...Array(p.scene.frames).keys()].map((f) => Math.min(...at(other, f)) - Math.max(...at(one, f)))"
    )
    assert 0.3 < min(gap) < 0.4  # never into each other, and no further away than need be
    again = open_page(full_page, "#sequence=2&frame=3&beside=child_10,nobody")
    assert again.do("return p.bodies.map((body) => [body.scene.row.avatar, body.label])") == [
        ["average_man", "average_man"],
        ["child_10", "child_10"],
    ]
    again.page.keyboard.press("n")
    again.wait("p.scene.row.number === 6 && p.bodies[1]?.scene.row.number === 7")  # as before, with the next clip
    again.page.keyboard.press("a")
    again.wait("p.scene.row.number === 7 && p.bodies[1]?.scene.row.number === 6")  # they change places
    again.page.keyboard.press("b")
    again.wait("p.bodies.length === 1")
    assert "beside" not in again.page.url


def test_a_prediction_beside_the_truth(open_page: Open, full_page: Path) -> None:
    opened = open_page(full_page, "#sequence=0&frame=3")
    kinds = "return p.bodies.map((body) => [body.kind, body.offset.every((value) => value === 0)])"
    assert opened.do(kinds) == [["truth", True], ["predicted", True]]
    opened.page.keyboard.press("s")
    assert opened.do(kinds) == [["truth", True], ["predicted", False]]
    assert opened.page.url.endswith("#sequence=0&frame=3&prediction=beside")
    opened.page.keyboard.press("o")
    assert opened.do(kinds) == [["truth", True]]
    assert opened.page.url.endswith("&prediction=off")
    again = open_page(full_page, "#sequence=1&prediction=beside&beside=average_man")
    shown = again.do("return p.bodies.map((body) => [body.scene.row.avatar, body.kind])")
    assert shown[:2] == [["child_10", "truth"], ["child_10", "predicted"]]
    assert sorted(shown[2:]) == [["average_man", "predicted"], ["average_man", "truth"]]


# Small screens, and people who use other means ---------------------------------------------------------

TARGETS = (
    "[...document.querySelectorAll('button, select, input, a, summary, [role=slider], [role=option]')].filter((e) => e.checkVisibility())"
    ".map((e) => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()]).filter(([_, b]) => b.width < 24 || b.height < 24)"
    ".map(([e, b]) => `${e} ${b.width} x ${b.height}`)"
)


@pytest.mark.parametrize("width", [390, 768, 1280, 1920])
def test_every_width(open_page: Open, full_page: Path, width: int) -> None:
    """Nothing is wider than the window, what is pressed is large enough, and playing needs no scrolling."""
    height = 664 if width == 390 else 800
    opened = open_page(full_page, "#sequence=0&frame=20", viewport={"width": width, "height": height}, has_touch=width < 800)
    opened.settle()
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    assert opened.page.evaluate(TARGETS) == []
    box = opened.page.get_by_role("button", name="Play", exact=True).bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= height
    world, image = (opened.page.locator(f'canvas[data-mp="{name}"]').bounding_box() for name in ("world", "image"))
    assert world["width"] * world["height"] > 1.1 * image["width"] * image["height"]


def test_a_finger_scrolls_the_page_and_turns_the_world(open_page: Open, full_page: Path) -> None:
    opened = open_page(full_page, viewport={"width": 390, "height": 664}, has_touch=True)
    moves = (
        "[...document.querySelectorAll('.mocap-player *')].map((e) => [e.dataset.mp, getComputedStyle(e).touchAction])"
        ".filter(([_, action]) => action !== 'auto')"
    )
    assert dict(opened.page.evaluate(moves)) == {"world": "none", "image": "pan-y", "scrub": "pan-y"}
    touch = opened.page.context.new_cdp_session(opened.page)

    def drag(x: float, y: float) -> None:
        """A finger goes up by 120 pixels."""
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for step in range(1, 9):
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - 15 * step}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    world, bar = (opened.page.locator(name).bounding_box() for name in ('canvas[data-mp="world"]', ".mp-bar"))
    before = opened.picture("world")
    drag(world["x"] + 100, world["y"] + 150)
    assert (opened.picture("world") != before).any()
    assert opened.page.evaluate("scrollY") == 0
    drag(200, bar["y"] + 60)
    opened.page.wait_for_function("() => scrollY > 60")


def test_the_list_comes_and_goes_where_there_is_no_room(open_page: Open, full_page: Path) -> None:
    opened = open_page(full_page, viewport={"width": 390, "height": 664}, has_touch=True)
    listbox = opened.page.get_by_role("listbox", name="Clips")
    assert listbox.is_hidden()
    button = opened.page.get_by_role("button", name="Clips")
    button.click()
    assert listbox.is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    opened.page.keyboard.press("Escape")
    assert listbox.is_hidden()
    button.click()
    listbox.get_by_role("option").nth(1).click()
    opened.wait("p.scene.row.number === 4")
    assert listbox.is_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious(open_page: Open, full_page: Path, scheme: str, width: int) -> None:
    opened = open_page(
        full_page, "#sequence=0&frame=20&joint=LeftHand&beside=child_10", color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    opened.settle()
    assert serious(opened.page) == []
    if width == 390:
        opened.page.get_by_role("button", name="Clips").click()
    opened.page.get_by_role("searchbox", name="Find").fill("nothing like it")
    assert serious(opened.page) == []
    opened.do("p.controls.list.clear(); p.part('keys').showModal()")
    assert serious(opened.page) == []


def test_an_empty_page_says_so(open_page: Open, tmp_path: Path) -> None:
    (tmp_path / "none.html").write_text(player_page([], "none"), encoding="utf-8")
    opened = open_page(tmp_path / "none.html")
    assert opened.page.get_by_text("There is no sequence to show").is_visible()


def test_what_did_not_fit_is_said(open_page: Open, files: dict[str, Path], tmp_path: Path) -> None:
    whole = view(files["unity"], out=tmp_path / "whole.html")
    some = view(files["unity"], out=tmp_path / "some.html", max_bytes=whole.size - 20_000)
    left = some.chosen - some.sequences
    assert left > 0
    opened = open_page(some.path)
    assert opened.page.locator('[data-mp="summary"]').inner_text().startswith(f"{some.sequences} of {some.chosen} sequences")
    assert opened.page.get_by_text("did not fit on this page").count() == 1
    assert "of" not in open_page(whole.path).page.locator('[data-mp="summary"]').inner_text()


def test_one_clip_needs_no_list(open_page: Open, files: dict[str, Path], tmp_path: Path) -> None:
    path: Any = view(files["unity"], SelectConfig(limit=1), tmp_path / "one.html").path
    opened = open_page(path)
    assert opened.page.get_by_role("listbox", name="Clips").is_hidden()
    assert opened.page.get_by_role("button", name="Next clip").is_hidden()
    opened.page.keyboard.press("/")
    assert opened.page.evaluate("document.activeElement === document.body")
