"""The buttons BVH and GLB: what the browser saves moves as what an export writes, and pages do not grow without bounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mocapgen import forward_kinematics, open_dataset, read
from mocapgen.export import export
from mocapgen.store import open_any
from mocapgen.view import packing, player_parts, player_sequences
from mocapgen.view.write_page import view
from tests.export.conftest import write_detector_predictions
from tests.glb import Glb, read_glb


def saved(browser: Any, page: Path, number: int, folder: Path) -> dict[str, Path]:
    """Press both buttons at a sequence, and return the files."""
    context = browser.new_context(accept_downloads=True, reduced_motion="reduce")
    tab, complaints = context.new_page(), []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(f"{page.as_uri()}#sequence={number}")
    found = {}
    for kind in ("bvh", "glb"):
        with tab.expect_download() as waiting:
            tab.click(f'[data-save="{kind}"]')
        found[kind] = folder / waiting.value.suggested_filename
        waiting.value.save_as(found[kind])
    assert complaints == []
    context.close()
    return found


def apart(found: dict[str, Path], out: Path) -> float:
    """Return how far joints of both files are from those of the export, metres."""
    ours = read_glb(out)
    theirs, motion = read_glb(found["glb"]), read(found["bvh"], scale=0.01, up="y")
    assert theirs.joints == ours.joints
    np.testing.assert_allclose(theirs.times, ours.times, atol=1e-6)
    shared = [name for name in ours.joints if name in motion.skeleton]
    assert len(shared) == 22
    at = ours.positions
    off = [np.abs(theirs.positions - at).max()]
    off.append(np.abs(forward_kinematics(motion)[:, motion.skeleton.indices(shared)] - at[:, [ours.joints.index(name) for name in shared]]).max())
    assert same_body(theirs, ours)
    return float(max(off))


def same_body(one: Glb, other: Glb) -> bool:
    """Return whether two bodies cover the same space, to a centimetre, in the colours of the same sides."""
    boxes = []
    for found in (one, other):
        parts = [found.array(primitive["attributes"]["POSITION"]) for primitive in found.json["meshes"][0]["primitives"]]
        boxes.append([(len(part), part.min(0).round(2).tolist(), part.max(0).round(2).tolist()) for part in parts])
    close = all(first[0] == second[0] and np.allclose(first[1:], second[1:], atol=0.011) for first, second in zip(*boxes, strict=True))
    return close and colours(one) == colours(other)


def colours(found: Glb) -> dict[str, list[float]]:
    return {entry["name"]: np.round(entry["pbrMetallicRoughness"]["baseColorFactor"], 5).tolist() for entry in found.json["materials"]}


@pytest.mark.parametrize("frame", ["unity", "opencv"])
def test_a_sequence_is_saved_as_an_export_writes_it(browser: Any, files: dict[str, Path], tmp_path: Path, frame: str) -> None:
    page = view(files[frame], out=tmp_path / "page.html").path
    with open_dataset(files[frame]) as data:
        row = data[len(data) - 1]
    done = export(files[frame], "gltf", tmp_path / "out")
    entry = json.loads(done.files[-1].read_text())["sequences"][row.number]
    found = saved(browser, page.resolve(), row.number, tmp_path)
    assert found["glb"].name == f"{row.clip['id']}-{row.avatar}.glb"
    assert apart(found, tmp_path / "out" / entry["file"]) < 0.001


def test_predictions_are_saved_as_an_export_writes_them(browser: Any, files: dict[str, Path], tmp_path: Path) -> None:
    pred = write_detector_predictions(tmp_path / "pred.h5", files["unity"])
    page = view(pred, out=tmp_path / "page.html").path
    entry = json.loads(export(pred, "gltf", tmp_path / "out").files[-1].read_text())["sequences"][1]
    assert apart(saved(browser, page.resolve(), 1, tmp_path), tmp_path / "out" / entry["file"]) < 0.001


def test_motions_take_a_bounded_part_of_the_page(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with open_any(files["unity"]) as data:
        numbers = range(len(data))
        bare = player_parts(player_sequences(data, numbers), "t")
        whole = player_parts(player_sequences(data, numbers, motions=True), "t")
        monkeypatch.setattr(packing, "MOTION_BYTES", 1000)
        none = player_parts(player_sequences(data, numbers, motions=True), "t")
    assert '"motion"' not in bare.html
    assert '"motion"' not in none.html
    assert none.size == bare.size
    assert whole.shown == bare.shown
    assert bare.size < whole.size <= bare.size + 2_000_000


def test_what_makes_no_motion_is_shown_without_one(files: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "odd.h5"
    copy.write_bytes(files["unity"].read_bytes())
    with h5py.File(copy, "r+") as file:
        file["frames/quaternions"][0, 0] = np.nan
    with open_dataset(copy) as data:
        parts = player_parts(player_sequences(data, [0, len(data) - 1], motions=True), "t")
        assert parts.shown == (0, len(data) - 1)
