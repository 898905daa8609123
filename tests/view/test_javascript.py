"""The scripts of the page give the numbers of the file; run by Node.js, without a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import mocapgen.view
from mocapgen import open_dataset
from mocapgen.view.packing import CLOSE, STEP_3D
from mocapgen.view.write_page import view
from tests.view.conftest import unpack, write_predictions

SCRIPTS = ("codec.js", "space.js", "scene.js", "draw.js", "orbit.js", "body.js", "player.js")
STATURES = {"average_man": 1.756, "child_10": 1.383}  # metres
HASHES = ["#sequence=12&frame=245&joint=Left%20Foot", "#sequence=3", "#frame=3", "", "#sequence=-1", "#sequence=1e3", "#sequence=1&frame=x", "#a%zz"]


def evaluated(page: str) -> dict[str, Any]:
    """Return what the page's scripts make of its data."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("running the page's scripts needs Node.js: no program node found")
    if int(subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.lstrip("v").split(".")[0]) < 18:
        pytest.skip("running the page's scripts needs Node.js 18 or later")
    folder = Path(mocapgen.view.__file__).parent / "assets"
    found = unpack(page)
    data = json.dumps({"header": found.header, "blocks": "".join(found.blocks), "hashes": HASHES})
    command = [node, str(Path(__file__).with_name("evaluate.js")), *(str(folder / name) for name in SCRIPTS)]
    done = subprocess.run(command, input=data, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def numbers(values: list[Any]) -> np.ndarray:
    return np.array(values, dtype=float)


@pytest.mark.parametrize("frame", ["unity", "opencv"])
def test_the_scripts_give_the_numbers_of_the_file(files, tmp_path, frame):
    predictions = write_predictions(files[frame], tmp_path / "pred.h5", [1, 3], offset=(0.2, 0.0, -0.4))
    path = view(files[frame], out=tmp_path / "a.html", predictions=predictions).path
    scenes = {scene["number"]: scene for scene in evaluated(path.read_text(encoding="utf-8"))["scenes"]}
    with open_dataset(files[frame]) as data:
        assert sorted(scenes) == list(range(len(data)))
        for row in data:
            scene, camera = scenes[row.number], row.camera
            world = (row["positions_3d"].astype(float) - camera.t) @ camera.R
            assert np.abs(numbers(scene["world"]).reshape(world.shape) - world).max() <= 1.5 * STEP_3D + 1e-6
            assert np.abs(numbers(scene["pixels"]).reshape(*world.shape[:2], 2) - row["positions_2d"]).max() <= CLOSE
            np.testing.assert_allclose(scene["eye"], camera.centre, atol=1e-6)
            np.testing.assert_allclose(scene["through"], row["positions_2d"][0], atol=CLOSE)
            assert (scene.get("predicted") is not None) == (row.number in (1, 3))
    for number in (1, 3):  # one joint of 17 is 85 mm off, whatever the place of the whole
        np.testing.assert_allclose(scenes[number]["predicted"]["errors"], 0.005, atol=0.0001)


def test_bodies_are_as_tall_as_people_and_stand_on_the_ground(files, tmp_path):
    """Around the joints of an avatar, and around the fewer ones of a prediction: of its feet nothing is known."""
    predictions = write_predictions(files["unity"], tmp_path / "pred.h5", [0, 1])
    path = view(files["unity"], out=tmp_path / "a.html", predictions=predictions).path
    scenes = evaluated(path.read_text(encoding="utf-8"))["scenes"]
    with open_dataset(files["unity"]) as data:
        for scene in scenes[:2]:
            wanted = STATURES[data[scene["number"]].avatar]
            truth, guess = scene["bodies"]
            assert truth["stature"] == pytest.approx(wanted, rel=0.05)
            assert guess["stature"] == pytest.approx(wanted, rel=0.05)
            assert -0.02 < truth["low"] < 0.02  # soles on the floor
            assert truth["high"] - truth["low"] == pytest.approx(wanted, rel=0.06)  # that stands upright
            for sides in (truth["sides"], guess["sides"]):
                assert sides.count("l") == sides.count("r") >= 6


def test_what_is_missing_is_missing_there_too(copy, tmp_path):
    with h5py.File(copy, "a") as file:
        file["frames/positions_2d"][:, 4] = np.nan
        file["frames/positions_3d"][3] = np.nan
        file["cameras/t"][...] = np.nan
    scene = evaluated(view(copy, out=tmp_path / "a.html").path.read_text(encoding="utf-8"))["scenes"][0]
    joints = 27
    pixels = numbers(scene["pixels"]).reshape(-1, joints, 2)
    assert np.isnan(pixels[:, 4]).all()
    assert np.isfinite(np.delete(pixels, 4, axis=1)).all()
    world = numbers(scene["world"]).reshape(-1, joints, 3)
    assert np.isnan(world[3]).all()
    assert np.isfinite(np.delete(world, 3, axis=0)).all()
    assert np.isfinite(scene["box"]["low"] + scene["box"]["high"]).all()


def test_moments_by_address(files, tmp_path):
    page = view(files["opencv"], out=tmp_path / "a.html").path.read_text(encoding="utf-8")
    only = {"sequence": 1}
    first, second = {"sequence": 12, "frame": 245, "joint": "Left Foot"}, {"sequence": 3}
    assert evaluated(page)["moments"] == [first, second, None, None, None, None, only, None]
