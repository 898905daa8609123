"""Binary glTF: read by another reader it moves as the motion does; the same bytes every time; what it cannot hold is refused."""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mocapgen import forward_kinematics, read
from mocapgen.anatomy.capsules import Capsule
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.rotation import normalise
from mocapgen.formats import _gltf_write as module
from mocapgen.formats._capsule_mesh import capsule_mesh
from mocapgen.formats.glb import write_glb
from mocapgen.formats.gltf import write_gltf
from mocapgen.reading.convert import convert
from mocapgen.shared.body_colours import LEFT
from mocapgen.sources.sample import clips, make
from schemas.errors import FormatError
from tests.glb import read_glb

KICK = make(next(clip for clip in clips() if clip.action == "kick"))[0].slice(0, 60)


def apart(path: Path, motion: Motion) -> float:
    """Return how far joints of a file are from a motion's, metres."""
    found = read_glb(path)
    assert tuple(found.joints) == motion.skeleton.names
    np.testing.assert_allclose(found.times, np.arange(len(motion)) / motion.fps, rtol=1e-6)
    return float(np.abs(found.positions - forward_kinematics(motion)).max())


def test_it_moves_as_the_motion_does(tmp_path: Path) -> None:
    write_glb(tmp_path / "kick.glb", KICK)
    assert apart(tmp_path / "kick.glb", KICK) < 1e-5
    found = read_glb(tmp_path / "kick.glb").json
    assert found["animations"][0]["extras"] == {"fps": KICK.fps}
    assert {node["name"] for node in found["nodes"]} == {*KICK.skeleton.names, "Body"}


def test_the_body_goes_with_the_bones_and_stands_on_the_floor(tmp_path: Path) -> None:
    write_glb(tmp_path / "kick.glb", KICK)
    found, at = read_glb(tmp_path / "kick.glb"), forward_kinematics(KICK)
    for frame in (0, 30):
        corners = found.corners(frame)
        for joint in range(len(found.joints)):
            assert np.linalg.norm(corners - at[frame, joint], axis=1).min() < 0.16  # no joint far from the skin
        assert np.linalg.norm(corners[:, None] - at[frame][None], axis=-1).min(axis=1).max() < 0.35
        assert -0.03 < corners[:, 1].min() < 0.1
    colours = {entry["name"]: entry["pbrMetallicRoughness"]["baseColorFactor"] for entry in found.json["materials"]}
    assert list(colours) == ["left", "right", "middle"]
    assert np.round(255 * (1.055 * colours["left"][2] ** (1 / 2.4) - 0.055)) == int(LEFT["light"][5:], 16)


def test_triangles_face_outwards(tmp_path: Path) -> None:
    write_glb(tmp_path / "kick.glb", KICK)
    found = read_glb(tmp_path / "kick.glb")
    for primitive in found.json["meshes"][0]["primitives"]:
        at, normals = (found.array(primitive["attributes"][name]) for name in ("POSITION", "NORMAL"))
        corners = found.array(primitive["indices"]).reshape(-1, 3)
        assert corners.max() < len(at)
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
        first, second, third = np.moveaxis(at[corners], 1, 0)
        faces = np.cross(second - first, third - first)
        assert (np.einsum("fi,fi->f", faces, normals[corners].mean(1)) > -1e-9).all()


@st.composite
def motions(draw: st.DrawFn) -> Motion:
    """Any tree of joints in any motion."""
    count, frames = draw(st.integers(1, 8)), draw(st.integers(1, 4))
    parents = (-1, *(draw(st.integers(0, joint)) for joint in range(count - 1)))
    names = tuple(draw(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), min_size=count, max_size=count, unique=True)))
    offsets = draw(arrays(np.float64, (count, 3), elements=st.floats(-1, 1)))
    rotations = draw(arrays(np.float64, (frames, count, 4), elements=st.floats(-1, 1)))
    rotations[np.linalg.norm(rotations, axis=-1) < 1e-4] = [0, 0, 0, 1]
    path = draw(arrays(np.float64, (frames, 3), elements=st.floats(-10, 10)))
    return Motion(Skeleton(names, parents, offsets), normalise(rotations), path, draw(st.sampled_from([24.0, 29.97, 30.0, 120.0])), "any")


def test_a_capsule_without_a_length_is_a_ball() -> None:
    mesh = capsule_mesh([Capsule(0, np.ones(3), np.ones(3), (0.5, 0.5), "middle", np.zeros(3))])
    np.testing.assert_allclose(np.linalg.norm(mesh.positions - 1.0, axis=1), 0.5)
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1.0)


@settings(max_examples=12, deadline=None)
@given(motion=motions())
def test_any_skeleton(tmp_path_factory: pytest.TempPathFactory, motion: Motion) -> None:
    path = tmp_path_factory.mktemp("any") / "any.glb"
    write_glb(path, motion)
    found = read_glb(path)
    if "skins" not in found.json:  # nothing to be seen: no bone has a length
        assert np.abs(motion.skeleton.offsets[1:]).max(initial=0) < 0.01
        return
    assert apart(path, motion) < 1e-4
    for node in range(len(motion.skeleton.names)):
        turns = found.channel(node, "rotation")
        if turns is not None:
            assert (np.einsum("ti,ti->t", turns[1:], turns[:-1]) >= 0).all()  # the shorter way between keys
            np.testing.assert_allclose(np.linalg.norm(turns, axis=1), 1, atol=1e-6)


def test_the_same_bytes_and_the_same_in_json(tmp_path: Path) -> None:
    for name in ("a.glb", "b.glb"):
        write_glb(tmp_path / name, KICK)
    assert (tmp_path / "a.glb").read_bytes() == (tmp_path / "b.glb").read_bytes()
    write_gltf(tmp_path / "a.gltf", KICK)
    found, binary = json.loads((tmp_path / "a.gltf").read_text()), read_glb(tmp_path / "a.glb")
    head, _, text = found["buffers"][0].pop("uri").partition(",")
    assert (head, base64.b64decode(text)) == ("data:application/octet-stream;base64", binary.blob)
    assert found == binary.json


REAL = ["hdm05/HDM05_cut_amc/squat1Reps/HDM_bd_squat1Reps_001_120.amc", "cmu/bvh-cgspeed/01/01_01.bvh", "cmu/bvh-iclone/006/006_01.bvh"]


@pytest.mark.parametrize("name", REAL)
def test_real_files(data_dir: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out.glb"
    done = convert(data_dir / name, out)
    assert done.files == (out,)
    assert apart(out, read(data_dir / name)) < 1e-4


def test_what_it_cannot_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = replace(KICK, fps=1e46)  # all frames within what 32 bits call zero
    with pytest.raises(FormatError, match=r"expected times that 32 bits tell apart, found 60 frames at 1e\+46 fps; lower fps=\.\.\.$"):
        write_glb(tmp_path / "a.glb", tiny)
    monkeypatch.setattr(module, "LARGEST", 1000)
    with pytest.raises(FormatError, match=r"expected at most 1,000 bytes for a glTF file, found 25,920 in 60 frames; lower fps="):
        write_glb(tmp_path / "a.glb", KICK)


def test_without_the_package_it_says_which(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mocapgen.formats.bvh import write_bvh

    write_bvh(tmp_path / "walk.bvh", KICK)
    monkeypatch.setitem(sys.modules, "pygltflib", None)
    status, out, err = call("convert", tmp_path / "walk.bvh", tmp_path / "walk.glb")
    assert (status, out) == (2, "")
    assert err == "mocapgen: error: glTF: expected the package pygltflib, which is not installed: pip install 'mocapgen[gltf]'\n"
    assert not (tmp_path / "walk.glb").exists()
