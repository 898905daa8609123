"""The page in a real browser: it loads, plays, scrubs and turns, draws what the file holds, and asks for nothing."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from mocapgen import open_dataset
from mocapgen.view import Start, player_parts, player_sequences
from mocapgen.view.packing import CLOSE
from mocapgen.view.write_page import view
from schemas.inspection import Finding
from tests.view.conftest import unpack, write_predictions

LEFT, RIGHT = (0, 0x72, 0xB2), (0xD5, 0x5E, 0)


def near(picture: np.ndarray, x: float, y: float, colour: tuple[int, int, int], reach: int = 3) -> bool:
    """Return whether a colour is found near a place of a picture."""
    x, y = round(x), round(y)
    patch = picture[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1].astype(int)
    return bool((np.abs(patch - colour).sum(axis=-1) < 30).any())


def test_the_image_shows_the_pixels_of_the_file(open_page, unity_page, files):
    opened = open_page(unity_page, "#sequence=2&frame=17")
    opened.page.get_by_role("button", name="image", exact=True).click()
    picture = opened.picture("image")
    fit = opened.do("return p.fit")
    with open_dataset(files["unity"]) as data:
        row = data[2]
        pixels, names = row["positions_2d"][17], data.joint_names
    assert picture.std() > 5
    for name, colour in {"LeftHand": LEFT, "LeftLowerArm": LEFT, "RightHand": RIGHT, "RightLowerArm": RIGHT}.items():
        u, v = pixels[names.index(name)]
        assert near(picture, fit["x"] + fit["scale"] * u, fit["y"] + fit["scale"] * v, colour), name
    corner = (fit["x"] + fit["scale"] * 1920 - 4, fit["y"] + fit["scale"] * 1080 - 4)
    assert near(picture, *corner, (0xF7, 0xF9, 0xFB), 1)  # inside the border
    assert near(picture, corner[0] + 8, corner[1] + 8, (255, 255, 255), 1)  # outside


@pytest.mark.parametrize("frame", ["unity", "opencv"])
def test_the_world_stands_upright_and_is_not_mirrored(open_page, files, tmp_path, frame):
    """From where the camera stands, both panes show the same; feet are below the head and touch the ground."""
    opened = open_page(view(files[frame], out=tmp_path / "a.html").path, "#sequence=0&frame=5")
    opened.do("p.look('camera')")
    opened.settle()
    inside = "MocapPlayer.space.fitImage(p.scene.camera, ...p.size(p.panes[1]), 1, 0, 0)"
    pixels = [
        (np.array(points)[:, :2] - [fit["x"], fit["y"]]) / fit["scale"]
        for points, fit in opened.do(f"return [[p.points, p.fit], [p.world.points(0), {inside}]]")
    ]
    assert np.abs(pixels[1] - pixels[0]).max() <= 0.5 + 0.02
    opened.do("p.look('oblique')")
    opened.settle()
    points, names, floor = opened.do("return [p.world.points(0), p.scene.figure.names, p.scene.floor]")
    place = dict(zip(names, points, strict=True))
    assert place["Head"][1] < place["Hips"][1] < place["LeftFoot"][1]
    assert floor == 0
    lowest = opened.do("return Math.min(...p.scene.figure.names.map((_, j) => p.scene.world[3 * (p.frame * p.scene.figure.names.length + j) + 1]))")
    assert abs(lowest) < 0.06
    picture = opened.picture("world")
    for name, colour in {"LeftLowerArm": LEFT, "RightLowerArm": RIGHT}.items():
        x, y = (round(value) for value in place[name][:2])
        patch = picture[y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3) / 255
        lit = patch / patch.max(axis=1, keepdims=True)  # the hue is that of the side, however bright
        assert (np.abs(lit - np.array(colour) / max(colour)).max(axis=1) < 0.2).mean() > 0.5, name


PROJECTED = """
    const { picture, canvas } = p.world, { width, height } = p.scene.camera;
    const [wide, tall] = [canvas.clientWidth, canvas.clientHeight], fit = MocapPlayer.space.fitImage(p.scene.camera, wide, tall, 1, 0, 0);
    const joints = p.scene.figure.names.length;
    return p.scene.figure.names.map((_, j) => {
      const at = new (MocapPlayer.three().Vector3)(...MocapPlayer.scene.at(p.scene.world, joints, p.frame, j)).project(picture.camera);
      return [((0.5 + at.x / 2) * wide - fit.x) / fit.scale, ((0.5 - at.y / 2) * tall - fit.y) / fit.scale];
    });
"""


@pytest.mark.parametrize("frame", ["unity", "opencv"])
def test_the_camera_of_the_picture_projects_joints_to_the_pixels_of_the_file(open_page, files, tmp_path, frame):
    """What three.js draws through: neither mirrored nor moved, whatever the shape of the pane."""
    path = view(files[frame], out=tmp_path / "a.html").path
    with open_dataset(files[frame]) as data:
        for number, width in enumerate((700, 1200, 1600)):
            opened = open_page(path, f"#sequence={number}&frame=30", viewport={"width": width, "height": 800})
            opened.do("p.look('camera')")
            opened.settle()
            assert np.abs(np.array(opened.do(PROJECTED)) - data[number]["positions_2d"][30]).max() <= 0.5


def test_playing(open_page, unity_page):
    opened = open_page(unity_page, "#sequence=0&frame=0")
    assert opened.frame == 0
    opened.page.keyboard.press("Space")
    opened.wait("p.playing && p.frame >= 3")
    opened.page.get_by_role("button", name="Pause").click()
    stopped = opened.frame
    opened.settle()
    assert opened.frame == stopped
    assert f"frame={stopped}" in opened.page.url
    opened.do("p.setSpeed(4); p.seek(p.scene.frames - 3); p.options.loop = true; p.play()")
    opened.wait("p.frame < 20")  # around the end
    opened.do("p.options.loop = false; p.seek(p.scene.frames - 3)")
    opened.wait("!p.playing && p.frame === p.scene.frames - 1")


def test_the_clock_keeps_to_the_frame_rate(open_page, unity_page):
    opened = open_page(unity_page, "#sequence=0&frame=0")
    steps = opened.do(
        "p.playing = true; const f = (now) => { p.advance(now); return p.frame; }; return [f(1000), f(1033), f(1034), f(1500), f(2000)]"
    )
    opened.do("p.pause()")
    assert steps == [0, 0, 1, 15, 30]


def test_scrubbing_and_keys(open_page, unity_page):
    opened = open_page(unity_page)
    last = opened.do("return p.scene.frames - 1")
    opened.do("p.seek(33)")
    opened.page.locator("body").click(position={"x": 5, "y": 5})
    keys = {"ArrowRight": 34, "ArrowLeft": 33, "Control+ArrowRight": 43, "End": last, "Home": 0}
    for key, frame in keys.items():
        opened.page.keyboard.press(key)
        assert opened.frame == frame, key
    for key, speed in {"]": 2, "[": 1}.items():
        opened.page.keyboard.press(key)
        assert opened.do("return p.speed") == speed
    for key, option in {"j": "names", "t": "trails", "c": "camera", "g": "grid", "w": "follow", "l": "loop"}.items():
        before = opened.do(f"return p.options.{option}")
        opened.page.keyboard.press(key)
        assert opened.do(f"return p.options.{option}") is not before
        assert opened.page.locator(f'[data-option="{option}"]').is_checked() is not before
    opened.page.keyboard.press("?")
    assert opened.page.get_by_role("dialog").is_visible()
    opened.page.keyboard.press("n")  # not while help is read
    assert opened.do("return p.index") == 0
    opened.page.keyboard.press("Escape")
    opened.page.get_by_label("Frame", exact=True).nth(1).fill("12")
    opened.page.keyboard.press("Enter")
    assert opened.frame == 12


def test_choosing_clip_avatar_and_camera(open_page, unity_page, files, tmp_path):
    opened = open_page(unity_page)
    first = opened.picture("image")
    opened.page.locator("body").click(position={"x": 5, "y": 5})
    opened.page.keyboard.press("a")
    opened.wait("p.scene.row.avatar === 'child_10'")
    for key, clip in {"n": "sample_sb_kick_001_120", "p": "sample_sa_kick_001_120"}.items():
        opened.page.keyboard.press(key)
        opened.wait(f"p.scene.clip.id === '{clip}'")
        assert opened.do("return p.scene.row.avatar") == "child_10"
    assert (opened.picture("image") != first).any()
    opened.page.get_by_role("searchbox", name="Find").fill("sb lie")
    assert opened.page.locator('[data-mp="clip"] [role="option"]').count() == 1
    opened.page.keyboard.press("Enter")
    opened.wait("p.scene.clip.id === 'sample_sb_lieDown_001_120'")
    other = open_page(view(files["opencv"], out=tmp_path / "a.html").path)
    other.page.locator('select[data-mp="camera"]').select_option(label="orbit:3/2")
    other.wait("p.scene.row.number === 2")
    assert "sequence=2" in other.page.url


def test_turning_zooming_and_moving(open_page, unity_page):
    opened = open_page(unity_page, viewport={"width": 1000, "height": 600})  # every step is drawn, here by the processor: the fewer pixels the better
    box = opened.page.locator('canvas[data-mp="world"]').bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = opened.page.mouse
    before = opened.picture("world")

    def drag(button: str) -> None:
        mouse.move(x, y)
        mouse.down(button=button)
        mouse.move(x + 80, y + 30, steps=4)
        mouse.up(button=button)

    looks = [before]
    for act in (lambda: drag("left"), lambda: drag("right"), lambda: mouse.wheel(0, -300)):
        act()
        looks.append(opened.picture("world"))
        assert (looks[-1] != looks[-2]).any(axis=-1).mean() > 0.01
    mouse.dblclick(x, y)
    mouse.move(5, 5)
    np.testing.assert_array_equal(opened.picture("world"), before)
    for name in ("camera", "side", "top", "overview"):
        opened.page.get_by_role("button", name=name, exact=True).click()
        looks.append(opened.picture("world"))
        assert (looks[-1] != looks[-2]).any(axis=-1).mean() > 0.01


def test_a_joint_can_be_pointed_at_and_marked(open_page, unity_page, files):
    opened = open_page(unity_page, "#sequence=0&frame=0")
    opened.page.get_by_role("button", name="person").click()
    opened.settle()
    joint = opened.do("return p.scene.figure.names.indexOf('RightHand')")
    place = opened.do(f"return p.points[{joint}]")
    opened.page.locator('canvas[data-mp="image"]').click(position={"x": place[0], "y": place[1]})
    opened.wait(f"p.joint === {joint}")
    opened.settle()
    with open_dataset(files["unity"]) as data:
        u, v = data[0]["positions_2d"][0, joint]
    found = opened.page.locator('[data-mp="readout"]').inner_text()
    shown = [float(number) for number in found.partition("pixel")[2].partition("camera")[0].split(", ")]
    np.testing.assert_allclose(shown, [u, v], atol=0.6)
    assert opened.page.url.endswith("#sequence=0&frame=0&joint=RightHand")


def test_addresses(open_page, unity_page):
    opened = open_page(unity_page, "#sequence=5&frame=40&joint=LeftFoot")
    assert opened.do("return [p.scene.row.number, p.frame, p.scene.figure.names[p.joint], p.playing]") == [5, 40, "LeftFoot", False]
    opened.page.evaluate("location.hash = '#sequence=1&frame=99999&joint=nobody'")
    opened.wait("p.scene.row.number === 1")
    assert opened.do("return [p.frame === p.scene.frames - 1, p.joint]") == [True, -1]
    opened.page.evaluate("location.hash = '#sequence=777'")
    opened.page.get_by_text("Sequence 777 is not on this page.").wait_for()
    opened.page.evaluate("location.hash = '#elsewhere'")
    assert opened.do("return p.scene.row.number") == 1


def test_the_player_starts_before_the_browser_has_read_all_data(open_page, files, tmp_path, monkeypatch):
    """Whatever of the data follows the script."""
    for first in (10, 100_000):
        monkeypatch.setattr("mocapgen.view.page._FIRST", first)
        path = view(files["unity"], out=tmp_path / f"{first}.html").path
        page = path.read_text(encoding="utf-8")
        assert page.index('data-mp="blocks"') < page.index("MocapPlayer.Player(element)") < page.index('data-mp="rest"')
        last = len(unpack(page).header["sequences"]) - 1
        opened = open_page(path, f"#sequence={last}&frame=9")
        assert opened.do("return [p.scene.row.number, p.frame]") == [last, 9]
        opened.do("await p.open({sequence: 0})")
        with open_dataset(files["unity"]) as data:
            np.testing.assert_allclose(
                np.reshape(opened.do("return Array.from(p.scene.pixels)"), data[0]["positions_2d"].shape), data[0]["positions_2d"], atol=CLOSE
            )


def test_a_page_plays_at_once_unless_motion_is_unwanted(open_page, unity_page):
    assert open_page(unity_page).do("return p.playing") is False
    opened = open_page(unity_page, reduced_motion="no-preference")
    opened.wait("p.playing && p.frame > 1")


def test_predictions_over_the_truth(open_page, files, tmp_path):
    predictions = write_predictions(files["unity"], tmp_path / "pred.h5", [1, 3], offset=(0.3, 0.0, 0.0))
    opened = open_page(view(files["unity"], out=tmp_path / "a.html", predictions=predictions).path, "#sequence=1&frame=3")
    said = opened.page.locator('[data-mp="readout"]').inner_text()
    assert "5 mm off in this frame, 5 mm in all" in said
    assert "MPJPE, 17 joints, relative to the root" in said
    both = opened.picture("world")
    opened.page.get_by_label("prediction", exact=True).click()
    without = opened.picture("world")
    assert (both != without).any(axis=-1).sum() > 300
    opened.page.get_by_label("prediction", exact=True).click()
    opened.page.get_by_label("at the true root").click()
    assert (opened.picture("world") != both).any()


def test_wrong_files_are_drawn(open_page, copy, tmp_path):
    with h5py.File(copy, "a") as file:
        file["clips/actor"][0] = file["clips/action"][0] = "</script><b>é&amp;漢"
        file["frames/positions_3d"][5:9] = np.nan
        file["frames/positions_2d"][5:9] = np.nan
        file["frames/positions_2d"][9, 3] = 1e30
        length = file["sequences/length"][0]
        file["frames/positions_3d"][length : length + 60] *= 1000
    opened = open_page(view(copy, out=tmp_path / "a.html").path, "#sequence=0&frame=7")
    assert opened.page.locator(".mocap-player b", has_text="é").count() == 0
    assert "</script><b>é&amp;漢" in opened.page.locator('[data-mp="facts"]').inner_text()
    for moment in ("frame: 9", "frame: 10", "sequence: 1, frame: 4"):
        opened.do(f"for (const o of ['names', 'trails', 'follow']) p.controls.option(o, true); await p.open({{{moment}}})")
        opened.settle()
    assert opened.picture("world").std() > 1


def test_narrow_and_dark(open_page, unity_page):
    opened = open_page(unity_page, viewport={"width": 400, "height": 800}, color_scheme="dark", has_touch=True)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 400
    assert opened.picture("image").mean() < 80
    for name in ("image", "world"):
        box = opened.page.locator(f'canvas[data-mp="{name}"]').bounding_box()
        assert box["width"] > 350
        assert box["height"] > 140
    opened.page.emulate_media(color_scheme="light")
    assert opened.picture("image").mean() > 200


def test_every_control_has_a_name_and_can_be_reached(open_page, unity_page):
    opened = open_page(unity_page)
    nameless = opened.page.evaluate(
        "[...document.querySelectorAll('button, select, input, canvas')].filter((e) => e.checkVisibility()"
        " && !e.ariaHidden && !e.ariaLabel && !e.labels?.length && !e.textContent.trim()).map((e) => e.outerHTML)"
    )
    assert nameless == []
    assert opened.page.evaluate("document.querySelectorAll('[tabindex=\"-1\"]').length") == 0


def test_inside_another_page(open_page, files, tmp_path):
    """As in a report: findings are marked, links show their moment, and keys elsewhere are left alone."""
    findings = [
        Finding(check="motion.spike", severity="error", message="<i>fast</i>", sequence=4, frame=20, joint="LeftHand"),
        Finding(check="motion.frozen", severity="warning", message="still", sequence=4, frame=40),
    ]
    with open_dataset(files["unity"]) as data:
        parts = player_parts(player_sequences(data, [4, 5]), "report", findings=findings, start=Start(5))
    path = tmp_path / "report.html"
    link = '<p><a href="#sequence=4&amp;frame=20&amp;joint=LeftHand">there</a></p>'
    head = f'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><style>{parts.css}</style>'
    path.write_text(f'{head}{link}<div style="height: 3000px"></div>{parts.html}<script>{parts.script}</script>', encoding="utf-8")
    opened = open_page(path)
    state = "return [p.scene.row.number, p.frame, p.joint < 0 ? '' : p.scene.figure.names[p.joint]]"
    assert opened.do(state) == [5, 0, ""]
    opened.page.keyboard.press("ArrowRight")
    assert opened.frame == 0
    for _ in range(2):
        opened.page.locator("a").click()
        opened.wait("p.scene.row.number === 4 && p.frame === 20")
        assert opened.do(state) == [4, 20, "LeftHand"]
        assert opened.page.evaluate("scrollY") > 1000
        opened.do("p.seek(3)")
    assert opened.page.url.endswith("#sequence=4&frame=20&joint=LeftHand")
    assert opened.page.locator(".mp-marks button").count() == 2
    opened.page.locator(".mp-marks button").nth(1).click()
    assert opened.do(state) == [4, 40, ""]
    opened.page.get_by_text("error, frame 20, LeftHand: <i>fast</i>").click()
    assert opened.do(state) == [4, 20, "LeftHand"]
    opened.page.keyboard.press("f")
    opened.wait("p.frame === 40")
