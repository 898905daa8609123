"""The player in a notebook: one fragment that plays inside another page, holds everything it needs, and is bounded in size."""

from __future__ import annotations

import html
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mocapgen import open_dataset, read
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Motion
from mocapgen.export import export
from mocapgen.store.predictions import open_predictions
from mocapgen.view import notebook
from mocapgen.view.notebook import front_camera, heading, motion_sequence, notebook_html
from tests.view.conftest import Unpacked, unpack, write_predictions


def inner(fragment: str) -> Unpacked:
    """Read the data of the page inside a fragment."""
    return unpack(html.unescape(re.findall(r'srcdoc="([^"]*)"', fragment)[0]))


@pytest.fixture
def motion(files: dict[str, Path], tmp_path: Path) -> Motion:
    """A motion as read from a file."""
    with open_dataset(files["unity"]) as data:
        name = str(data[0].clip["id"])
    export(files["unity"], "bvh", tmp_path / "one.bvh", clips=name, avatars="average_man", scale=1.0)
    return read(tmp_path / "one.bvh")


def test_a_dataset_and_its_path_give_the_same(files):
    with open_dataset(files["unity"]) as data:
        fragment = notebook_html(data)
        assert [row["number"] for row in inner(fragment).header["sequences"]] == list(range(len(data)))
    assert notebook_html(files["unity"]) == notebook_html(str(files["unity"])) == fragment
    assert "sequences are shown" not in fragment


def test_a_closed_file_is_said(files):
    with open_dataset(files["unity"]) as data:
        pass
    assert notebook_html(data) == "<p>unity.h5: the file is closed; open it again to view it</p>"


def test_predictions(files, tmp_path):
    path = write_predictions(files["unity"], tmp_path / "pred.h5", [0, 2])
    with open_predictions(path) as predictions:
        page = inner(notebook_html(predictions))
    assert [row["number"] for row in page.header["sequences"]] == [0, 1]
    assert page.header["figures"][0]["names"][0] == "pelvis"


def test_the_size_is_bounded_and_what_is_left_out_is_said(files, monkeypatch):
    whole = notebook_html(files["opencv"])
    size = len(html.unescape(re.findall(r'srcdoc="([^"]*)"', whole)[0]).encode())
    some = notebook_html(files["opencv"], size - 2000)
    assert 0 < len(inner(some).header["sequences"]) < 6
    assert re.search(r"</iframe><p>\d of 6 sequences are shown</p>$", some)
    monkeypatch.setattr(notebook, "NOTEBOOK_FRAMES", 7)
    assert {row["frames"] for row in inner(notebook_html(files["opencv"])).header["sequences"]} == {7}


def test_a_motion_is_seen_whole_and_from_the_front(motion):
    sequence = motion_sequence(motion)
    np.testing.assert_allclose(sequence.camera.to_world(sequence.positions), forward_kinematics(motion), atol=1e-9)
    assert sequence.camera.in_view(sequence.positions, sequence.pixels).all()
    names = sequence.tree.names
    left, right = (sequence.pixels[0, names.index(name), 0] for name in ("LeftShoulder", "RightShoulder"))
    assert left > right  # facing the camera


def test_heading_follows_the_sides_in_the_names():
    names = ("hub", "left_hip", "right_hip")
    turned = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, -0.1], [0.0, 1.0, 0.1]])
    np.testing.assert_allclose(heading(turned, names), [1.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(heading(turned, ("hub", "a", "b")), [0.0, 0.0, 1.0])
    assert front_camera(turned[None], heading(turned, names)).R[2, 0] == pytest.approx(-1.0)


@pytest.mark.parametrize("kind", ["motion", "dataset"])
def test_it_plays_inside_another_page(browser: Any, files, motion, tmp_path, kind):
    fragment = notebook_html(motion if kind == "motion" else files["unity"])
    path = tmp_path / "notebook.html"
    path.write_text(f'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><h1>Output</h1>{fragment}', encoding="utf-8")
    context = browser.new_context(viewport={"width": 1200, "height": 900}, reduced_motion="no-preference")
    page = context.new_page()
    complaints: list[str] = []
    requests: set[str] = set()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.add(request.url))
    page.goto(path.as_uri())
    frame = page.frames[1]
    until = time.monotonic() + 10.0  # the page's own policy forbids the polling of wait_for_function, which evaluates text
    while not frame.evaluate("document.querySelector('.mocap-player')?.player?.frame > 2"):
        assert time.monotonic() < until, "the player stands still"
        page.wait_for_timeout(50)
    scene = frame.evaluate("(() => { const p = document.querySelector('.mocap-player').player; return [p.scene.frames, p.scene.figure.names]; })()")
    assert scene[0] > 30
    assert "LeftHand" in scene[1]
    assert complaints == []
    assert requests <= {path.as_uri(), "about:srcdoc"}
    context.close()
