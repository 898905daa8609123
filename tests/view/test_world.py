"""The 3D pane in a real browser: views are eased, the shadow is darker than the floor, and WebGL may be missing, taken away or wanted by many."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from mocapgen import open_dataset
from mocapgen.view import player_parts, player_sequences
from mocapgen.view.write_page import view

GOAL = "MocapPlayer.space.observer(p.world.orbit, ...p.world.size)"


def eye_and_goal(opened):
    seen, goal = opened.do(f"return [p.world.seen, {GOAL}]")
    return np.array(seen["eye"]), np.array(goal["eye"])


def test_views_are_eased_and_turning_is_damped(open_page, unity_page):
    opened = open_page(unity_page, "#sequence=0&frame=0", reduced_motion="no-preference")
    opened.wait("p.world.picture && !p.world.seen.moving")
    for act in ("p.look('side')", "p.look('camera')", "p.world.turn(0.8, 0.1)"):
        before = eye_and_goal(opened)[0]
        opened.do(f"{act}; await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        opened.wait("!p.world.seen.moving")
        eye, goal = eye_and_goal(opened)
        assert np.linalg.norm(eye - before) > 0.5
        np.testing.assert_allclose(eye, goal, atol=1e-6)
    steps = opened.do(
        "p.look('oblique'); return [0, 100, 300, 600].map((t) => p.world.orbit.view(1e7 + t, ...p.world.size)).map((v) => [v.moving, ...v.eye])"
    )
    assert [moving for moving, *_ in steps] == [True, True, True, False]
    lengths = np.linalg.norm(np.diff(np.array([eye for _, *eye in steps]), axis=0), axis=1)
    assert (lengths > 0.01).all()


def test_where_motion_is_unwanted_views_change_at_once(open_page, unity_page):
    opened = open_page(unity_page, "#sequence=0&frame=0")
    opened.do("p.look('side')")
    opened.settle()
    np.testing.assert_allclose(*eye_and_goal(opened))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_shadow_is_darker_than_the_floor(open_page, unity_page, scheme):
    opened = open_page(unity_page, "#sequence=0&frame=0", color_scheme=scheme)
    opened.do("for (const name of ['camera', 'grid']) p.options[name] = name === 'grid'; p.look('top')")
    with_shadow = opened.picture("world").astype(int).sum(axis=-1)
    opened.do("p.world.picture.key.castShadow = false; p.redraw()")
    without = opened.picture("world").astype(int).sum(axis=-1)
    assert (with_shadow < without - 20).sum() > 200
    assert (with_shadow > without + 60).sum() < 200


def test_colours_follow_the_page(open_page, unity_page):
    opened = open_page(unity_page, "#sequence=0&frame=0")
    light = opened.picture("world").mean()
    opened.page.emulate_media(color_scheme="dark")
    assert opened.picture("world").mean() < light / 2


def test_joints_that_are_missing_are_not_drawn(open_page, copy, tmp_path):
    with open_dataset(copy) as data:
        names = data.joint_names
    with h5py.File(copy, "a") as file:
        file["frames/positions_3d"][5, names.index("LeftLowerArm")] = np.nan
    opened = open_page(view(copy, out=tmp_path / "a.html").path, "#sequence=0&frame=4")
    opened.settle()
    count = opened.do("return p.world.picture.bodies.count")
    opened.do("p.seek(5)")
    opened.settle()
    assert opened.do("return p.world.picture.bodies.count") == count - 2  # upper arm and forearm


def test_without_webgl_bodies_are_sticks(open_page, unity_page):
    opened = open_page(unity_page, "#sequence=0&frame=0", webgl=False)
    opened.page.get_by_text("This browser shows no WebGL").wait_for()
    assert opened.do("return p.world.picture ?? null") is None
    assert opened.picture("world").std() > 5


def test_until_there_is_a_picture_bodies_are_sticks(open_page, unity_page):
    opened = open_page(unity_page, "#sequence=0&frame=0")
    state = "[p.world.plain, Boolean(p.world.picture), Boolean(p.world.coming)]"
    assert opened.do(f"return {state}") == [0, True, False]
    assert opened.do(f"p.world.release(); p.world.render(performance.now()); return {state}") == [1, False, True]
    opened.settle()
    assert opened.do(f"return {state}") == [0, True, False]
    fading = (
        "p.world.calm = {matches: false}; p.world.arrived = 0; return [0, 125, 250].map((t) => { p.world.render(1e7 + t); return p.world.plain; })"
    )
    assert opened.do(fading) == [1, 0.5, 0]  # where motion is welcome


def test_a_picture_that_is_taken_away_comes_back(open_page, unity_page):
    opened = open_page(unity_page, "#sequence=0&frame=0")
    opened.settle()
    opened.do("p.before = p.world.picture; p.before.renderer.getContext().getExtension('WEBGL_lose_context').loseContext()")
    opened.wait("p.world.picture && p.world.picture !== p.before")
    assert opened.page.locator("canvas.mp-picture").count() == 1
    assert opened.picture("world").std() > 5
    assert all("THREE" in line and "Context Lost" in line for line in opened.complaints)
    opened.complaints.clear()


def test_many_players_share_a_page(open_page, files, tmp_path):
    """More than a browser has pictures for: those that are out of sight have none."""
    with open_dataset(files["unity"]) as data:
        parts = player_parts(player_sequences(data, [4]), "one of many")
    path = tmp_path / "many.html"
    head = f'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><style>{parts.css}</style>'
    path.write_text(f"{head}{parts.html * 20}<script>{parts.script}</script>", encoding="utf-8")
    opened = open_page(path)
    last = "[...document.querySelectorAll('.mocap-player')].at(-1)"
    pictures = "[...document.querySelectorAll('.mocap-player')].map((one) => Boolean(one.player.world.picture))"
    opened.wait("p.world.picture")
    opened.page.wait_for_function(f"() => {pictures}.filter(Boolean).length <= 3")
    opened.page.evaluate(f"{last}.scrollIntoView()")
    opened.page.wait_for_function(f"() => {last}.player.world.picture && !{pictures}[0]")
    opened.complaints[:] = [line for line in opened.complaints if "Context Lost" not in line]
