"""What the page holds is what the file holds, for right and for wrong files; names are text; sizes are bounded."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mocapgen import open_dataset
from mocapgen.anatomy.contact import foot_contacts
from mocapgen.cameras.camera import Camera
from mocapgen.store.joint_tree import JointTree
from mocapgen.store.matching import MatchedPrediction
from mocapgen.view import PlayerSequence, Start, page_of, player_page, player_parts, player_sequences
from mocapgen.view.packing import CLOSE, STEP_2D, STEP_3D
from schemas.inspection import Finding
from tests.view.conftest import Unpacked, unpack

NASTY = "</script><script>alert(1)</script><!--<b>&amp;{{blocks}}\u2028é漢"


def page_of_file(path: Path, **options: object) -> str:
    with open_dataset(path) as data:
        return player_page(player_sequences(data, range(len(data))), path.name, **options)


def shown_pixels(page: Unpacked, number: int) -> np.ndarray:
    """The pixels that the player shows: stored ones, or projected as the browser does."""
    row = page.row(number)
    if "pixels" in row:
        return page.array(number, "pixels")
    stored = page.header["cameras"][row["camera"]]
    K, R, t = (np.array(stored[name], dtype=float).reshape(shape) for name, shape in (("K", (3, 3)), ("R", (3, 3)), ("t", 3)))
    camera = Camera(K, R, t, stored["width"], stored["height"], "unity", "")
    return camera.project(camera.to_camera(page.array(number, "world")))


def world_of(camera: Camera, positions: np.ndarray) -> np.ndarray:
    return (positions.astype(float) - camera.t) @ camera.R


@pytest.mark.parametrize("frame", ["unity", "opencv"])
def test_every_sequence_comes_back_within_rounding(files, frame):
    page = unpack(page_of_file(files[frame]))
    with open_dataset(files[frame]) as data:
        assert [row["number"] for row in page.header["sequences"]] == list(range(len(data)))
        for row in data:
            world = page.array(row.number, "world")
            limit = STEP_3D / 2 if frame == "unity" else 1.5 * STEP_3D  # cameras that see the same motion share it
            assert np.abs(world - world_of(row.camera, row["positions_3d"])).max() <= limit + 1e-6
            assert world[..., 1].min() > -0.2
            assert np.abs(shown_pixels(page, row.number) - row["positions_2d"]).max() <= CLOSE
            clip = page.header["clips"][page.row(row.number)["clip"]]
            assert (clip["id"], clip["actor"], clip["action"]) == tuple(row.clip[name] for name in ("id", "actor", "action"))
            figure = page.header["figures"][page.row(row.number)["figure"]]
            assert tuple(figure["names"]) == data.joint_names


def test_cameras_that_see_the_same_motion_share_it(files):
    page = unpack(page_of_file(files["opencv"]))
    assert len(page.header["sequences"]) == 6
    assert len(page.header["blocks"]) == 2  # one for each avatar
    assert not any("pixels" in row for row in page.header["sequences"])


def test_contacts_of_the_feet_are_those_of_the_file(files):
    page = unpack(page_of_file(files["unity"]))
    with open_dataset(files["unity"]) as data:
        for row in data:
            spans = foot_contacts(row.camera.to_world(row["positions_3d"].astype(float)), data.joint_names, data.fps)
            found = page.row(row.number)["contacts"]
            assert set(found) == {"left", "right"}
            for foot, frames in found.items():
                assert len(frames) % 2 == 0
                stored, own = (np.zeros(row.length) for _ in range(2))
                for first, last in zip(frames[::2], frames[1::2], strict=True):
                    stored[first : last + 1] = 1
                for first, last in spans[foot]:
                    own[first : last + 1] = 1
                assert own.any()
                assert np.abs(stored - own).sum() <= 2  # stored positions are rounded to a millimetre


def change(path: Path, array: str, function) -> None:
    with h5py.File(path, "a") as file:
        file[array][...] = function(file[array][()])


NAN = np.float32(np.nan)
WRONG = {
    "pixels moved": ("frames/positions_2d", lambda pixels: pixels + np.float32(3)),
    "left and right swapped in 2D": ("frames/positions_2d", lambda pixels: pixels[:, np.r_[0:7, 12:17, 7:12, 22:27, 17:22]]),
    "another focal length": ("cameras/K", lambda K: K * np.array([1.1, 1.1, 1.0])[:, None]),
    "millimetres for metres": ("frames/positions_3d", lambda positions: positions * np.float32(1000)),
    "y upside down": ("frames/positions_3d", lambda positions: positions * np.float32([1, -1, 1])),
    "the camera elsewhere": ("cameras/t", lambda t: t + 1.0),
    "the camera nowhere": ("cameras/t", lambda t: t * np.nan),
    "a camera that scales": ("cameras/R", lambda R: 2.0 * R),
    "pixels missing": ("frames/positions_2d", lambda pixels: np.where(np.arange(pixels.shape[1])[:, None] == 5, np.float32(np.nan), pixels)),
    "joints missing": (
        "frames/positions_3d",
        lambda positions: np.where(np.arange(len(positions))[:, None, None] % 7 == 3, np.float32(np.nan), positions),
    ),
    "everything missing": ("frames/positions_3d", lambda positions: positions * NAN),
    "infinite": ("frames/positions_2d", lambda pixels: pixels * np.float32(np.inf)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_shown_as_it_is(copy, name):
    change(copy, *WRONG[name])
    page = unpack(page_of_file(copy))
    with open_dataset(copy) as data:
        for row in data:
            pixels = np.where(np.isfinite(row["positions_2d"]), row["positions_2d"], np.nan)
            np.testing.assert_allclose(shown_pixels(page, row.number), pixels, rtol=0, atol=CLOSE)
            stored = page.header["cameras"][page.row(row.number)["camera"]]
            R, t = np.array(stored["R"]).reshape(3, 3), np.array(stored["t"])
            found = page.array(row.number, "world") @ R.T + t  # in the camera frame, as in the file
            np.testing.assert_allclose(found, row["positions_3d"], rtol=1e-6, atol=2 * STEP_3D)


def test_a_camera_that_is_none_is_said(copy):
    change(copy, "cameras/R", lambda R: 0.0 * R)
    row = unpack(page_of_file(copy)).row(0)
    assert "no rotation" in row["note"]
    assert row["floor"] < -0.5  # a level camera at the origin looks at the middle of the person


def sequence_of(**changes: object) -> PlayerSequence:
    K = np.array([[900.0, 0, 320], [0, 900, 240], [0, 0, 1]])
    camera = Camera(K, np.diag([1.0, -1.0, -1.0]), np.array([0, 0, 4.0]), 640, 480, "opencv", "own")
    positions = np.array([[[0, 0, 4], [0, 0.5, 4], [0, 1, 4]]])
    settings = {"number": 7, "clip": {"id": "one"}, "avatar": "x", "camera": camera, "fps": 25.0, "positions": positions}
    settings |= {"tree": JointTree(("hub", "left_arm", "r tip"), (-1, 0, 1)), "pixels": camera.project(positions)}
    return PlayerSequence(**(settings | changes))


def test_other_joints_and_a_single_frame():
    page = unpack(player_page([sequence_of()], "one"))
    assert page.header["figures"] == [
        {"names": ["hub", "left_arm", "r tip"], "parents": [-1, 0, 1], "sides": "clr", "roles": ["", "LeftUpperArm", ""]}
    ]
    assert page.row(7)["frames"] == 1
    np.testing.assert_allclose(page.array(7, "world")[0], [[0, 0, 0], [0, -0.5, 0], [0, -1, 0]], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "side"),
    [
        *((name, "l") for name in ("LeftHand", "left_hip", "LHipJoint", "Hand_L", "mixamorig:LeftArm")),
        *((name, "r") for name in ("RightToes", "r_knee", "hip right")),
        *((name, "c") for name in ("LowerBack", "Root", "lower", "Neck", "rib")),
    ],
)
def test_sides_by_name(name, side):
    assert JointTree((name,), (-1,)).sides == side


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_names_are_text_wherever_they_stand(copy):
    with h5py.File(copy, "a") as file:
        for column in ("actor", "action", "file"):
            file[f"clips/{column}"][0] = NASTY
    with open_dataset(copy) as data:
        finding = Finding(check="a.b", severity="error", message=NASTY, sequence=0, frame=1, joint=NASTY)
        page = player_page(player_sequences(data, [0]), NASTY, findings=[finding], notes=[NASTY], start=Start(0, 0, NASTY))
    plain = _Elements()
    plain.feed(page_of_file(copy))
    hostile = _Elements()
    hostile.feed(page)
    assert [tag for tag, _ in hostile.found] == [tag for tag, _ in plain.found]
    header = unpack(page).header
    assert header["clips"][0]["actor"] == header["title"] == header["findings"][0]["message"] == header["notes"][0] == NASTY


def test_the_page_asks_for_nothing(files):
    page = _Elements()
    page.feed(page_of_file(files["unity"]))
    for tag, attributes in page.found:
        assert "src" not in attributes, tag
        assert (attributes.get("href") or "data:").startswith("data:"), tag
    policies = [attributes["content"] for tag, attributes in page.found if attributes.get("http-equiv")]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'; script-src 'sha256-")
    assert "'unsafe-inline'" not in policies[0].replace("style-src 'unsafe-inline'", "")


def test_the_same_input_gives_the_same_bytes(files):
    assert page_of_file(files["unity"]) == page_of_file(files["unity"])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_the_size_is_bounded(files, share):
    """Sequences are taken in the order given as long as they fit, and the bound is used up to the next one."""
    with open_dataset(files["opencv"]) as data:
        order = [5, 0, 3, 1, 4, 2]
        findings = [Finding(check="a.b", severity="info", message="x" * 500, sequence=3, frame=frame) for frame in range(60)]
        whole = player_parts(player_sequences(data, order), "title", findings=findings)
        bare = player_parts([], "title")
        assert bare.shown == ()
        bound = int(bare.size + share * (whole.size - bare.size)) + 1500
        some = player_parts(player_sequences(data, order), "title", findings=findings, max_bytes=bound)
        assert some.size <= bound
        assert set(some.shown) == set(order[: len(some.shown)])
        assert len(some.shown) == (6 if share == 1.0 else len(some.shown)) < (7 if share == 1.0 else 6)
        assert some.frames == sum(data[number].length for number in some.shown)
        assert len(page_of(some, "title").encode()) <= bound + 4096


def test_findings_are_the_worst_of_the_sequences_shown(files):
    many = [Finding(check="a.b", severity="info", message=f"i{n}", sequence=1, frame=n) for n in range(150)]
    others = [
        Finding(check="a.b", severity="error", message="e", sequence=1, frame=3),
        Finding(check="a.b", severity="error", message="e", sequence=2),
    ]
    with open_dataset(files["unity"]) as data:
        found = unpack(player_page(player_sequences(data, [0, 1]), "t", findings=[*many, *others])).header["findings"]
    assert {finding["sequence"] for finding in found} == {1}
    assert len(found) == 100
    assert [finding["severity"] for finding in found[:2]] == ["error", "info"]


def test_rounding_of_stored_pixels_is_fine_enough():
    assert STEP_2D / 2 < CLOSE


def test_errors_of_predictions_are_those_of_the_metric():
    """As computed joint by joint; joints that only one of them has do not count, and a missing joint leaves the frame open."""
    truth = np.random.default_rng(3).normal(size=(4, 5, 3))
    guess = np.random.default_rng(4).normal(size=(4, 3, 3))
    prediction = MatchedPrediction(JointTree(("hub", "arm", "own"), (-1, 0, 0)), (2, 4, -1), guess)
    expected = [(0 + np.linalg.norm((guess[t, 1] - guess[t, 0]) - (truth[t, 4] - truth[t, 2]))) / 2 for t in range(4)]
    np.testing.assert_allclose(prediction.errors(truth), expected)
    truth[1, 4] = np.nan
    assert np.isnan(prediction.errors(truth)).tolist() == [False, True, False, False]
    assert np.isnan(MatchedPrediction(prediction.tree, (-1, 4, 3), guess).errors(truth)).all()


def test_the_example_of_the_manual_runs(copy, repository, monkeypatch):
    text = (repository / "docs" / "view.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(copy.parent)
    found: dict[str, Any] = {}
    exec(example, found)
    assert found["parts"].shown == (0, 1)
    assert unpack(found["page"]).header["findings"][0]["message"] == "a spike"
    keys = {key for row in re.findall(r"^\| (.+?) \|", text, flags=re.MULTILINE) for key in re.findall(r"`(.)`", row)}
    help_text = found["parts"].html.partition("<dialog")[2]
    assert keys <= set(re.findall(r"<kbd>(.)</kbd>", help_text)) | {"-", "?"}
    assert len(keys) > 15
