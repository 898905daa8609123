"""What all exports share: which sequences, file names, what is written beside, wrong use; and the plain formats."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocapgen import open_dataset
from mocapgen.export import export, exporter, exporter_names
from mocapgen.export.export_input import LONGEST_NAME, safe_name
from schemas.conventions import H36M17, JOINT_PARENTS
from schemas.errors import ConfigError, DatasetError, MocapError
from tests.export.conftest import write_predictions


def test_there_are_formats_and_each_says_what_it_is() -> None:
    assert exporter_names() == ("bvh", "csv", "gltf", "mmpose", "npz", "parquet", "trc", "videopose3d")
    assert all(exporter(name).summary for name in exporter_names())


@pytest.mark.parametrize("space", ["world", "camera"])
@pytest.mark.parametrize("joints", ["h36m17", "all"])
def test_npz_holds_what_the_file_holds(orbit: Path, tmp_path: Path, space: str, joints: str) -> None:
    done = export(orbit, "npz", tmp_path / "poses.npz", space=space, joints=joints, camera=1)
    with np.load(tmp_path / "poses.npz", allow_pickle=False) as arrays, open_dataset(orbit) as data:
        rows = [row for row in data if row.camera.rig == "orbit:3/1"]
        names, index = data.joint_set(joints)
        assert tuple(arrays["joints"]) == names
        assert [names[parent] for parent in arrays["parents"][1:]] == [
            {"h36m17": dict(zip(H36M17.values(), H36M17, strict=True))}.get(joints, {}).get(parent, parent) for parent in expected_parents(joints)
        ]
        assert (len(rows), float(arrays["fps"])) == (len(arrays["start"]), data.fps)
        for number, row in enumerate(rows):
            part = slice(arrays["start"][number], arrays["start"][number] + arrays["length"][number])
            camera = row["positions_3d"][:, index]
            np.testing.assert_allclose(arrays["positions_3d"][part], row.camera.to_world(camera) if space == "world" else camera, atol=1e-6)
            np.testing.assert_array_equal(arrays["positions_2d"][part], row["positions_2d"][:, index])
            np.testing.assert_array_equal(arrays["seen"][part], row["in_view"][:, index])
            assert (arrays["clip"][number], arrays["avatar"][number], arrays["actor"][number]) == (row.clip["id"], row.avatar, row.clip["actor"])
            np.testing.assert_array_equal(arrays["R"][number], row.camera.R)
    about = json.loads((tmp_path / "poses.json").read_text())
    assert done.files == (tmp_path / "poses.npz", tmp_path / "poses.json")
    assert (done.sequences, done.frames) == (len(rows), sum(row.length for row in rows))
    assert ("y up" in about["axes"]) == (space == "world" or "y up" in about["conventions"]["camera_axes"])
    assert about["selection"] == {"camera": 1}
    assert about["source"]["config"]["camera"] == "orbit:3"


def expected_parents(joints: str) -> list[str]:
    from schemas.conventions import H36M17_PARENTS

    tree: dict[str, str | None] = dict(JOINT_PARENTS) if joints == "all" else dict(H36M17_PARENTS)
    return [parent for parent in tree.values() if parent is not None]


def test_csv_is_a_table_for_each_sequence(orbit: Path, tmp_path: Path) -> None:
    done = export(orbit, "csv", tmp_path / "tables", clips="sample_sa_*", avatars="child_10", camera=0)
    about = json.loads(done.files[-1].read_text())
    with open_dataset(orbit) as data:
        rows = {(row.clip["id"], row.avatar): row for row in data if row.camera.rig == "orbit:3/0"}
        for entry in about["sequences"]:
            row = rows[entry["clip"], entry["avatar"]]
            with (tmp_path / "tables" / entry["file"]).open(newline="") as file:
                header, *lines = csv.reader(file)
            assert header[:5] == ["frame", "time", "Hips_x", "Hips_y", "Hips_z"]
            values = np.array(lines, dtype=float)
            np.testing.assert_array_equal(values[:, 0], np.arange(row.length))
            np.testing.assert_allclose(values[:, 1], np.arange(row.length) / data.fps, atol=1e-6)
            np.testing.assert_allclose(values[:, 2:].reshape(row.length, -1, 3), row.camera.to_world(row["positions_3d"]), atol=1e-6)


def test_a_file_of_its_own_for_one_sequence(predicted: Path, tmp_path: Path) -> None:
    done = export(predicted, "csv", tmp_path / "one.CSV", clips="sample_sd_squat_001*")
    assert [path.name for path in done.files] == ["one.CSV", "one.json"]
    with pytest.raises(ConfigError, match="expected a folder for the files of"):
        export(predicted, "csv", tmp_path / "two.csv")


def test_predictions_have_the_joints_that_they_have(predicted: Path, tmp_path: Path) -> None:
    export(predicted, "npz", tmp_path / "poses.npz")
    with np.load(tmp_path / "poses.npz", allow_pickle=False) as arrays:
        assert tuple(arrays["joints"]) == tuple(H36M17)
        assert arrays["seen"].all()
    with pytest.raises(ConfigError, match=r"^joints: expected one of h36m17, which .*pred\.h5 has, found 'all'"):
        export(predicted, "npz", tmp_path / "poses.npz", joints="all", overwrite=True)


# Names --------------------------------------------------------------------------------------------


@given(st.text(max_size=200))
def test_any_name_becomes_a_file_name(text: str) -> None:
    name = safe_name(text)
    assert name
    assert len(name) <= LONGEST_NAME + 1
    assert len(name.encode()) <= 250
    assert not set(name) & set('/\\:*?"<>|\n\0 ')
    assert name[0] != "."
    assert name.split(".")[0].casefold() not in ("con", "nul", "com1")
    assert safe_name(name) == name


def test_names_that_would_collide_or_escape(front: Path, tmp_path: Path) -> None:
    with open_dataset(front) as data:
        count = len(data)
    odd = ["../../etc/passwd", "A/b", "a_B", "<b>x</b>", "[red]x", "nul", "", "ä" * 300, *(f"n{number}" for number in range(count))][:count]
    path = write_predictions(tmp_path / "odd.h5", front, names=odd)
    done = export(path, "csv", tmp_path / "out")
    files = [file.name for file in done.files]
    assert len({name.casefold() for name in files}) == count + 1
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(files)
    assert {file.name for file in tmp_path.iterdir()} == {"odd.h5", "out"}
    assert {"etc_passwd.csv", "A_b.csv", "a_B-2.csv", "_nul.csv"} <= set(files)


# Wrong use ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clips": "nothing*"}, "clips: expected a pattern that matches the id of a clip, found 'nothing*'"),
        ({"actions": "wlak"}, "did you mean walk?"),
        ({"actors": ","}, "actors: expected names or wildcards, found nothing"),
        ({"camera": 7}, "camera: expected one of 0, 1, 2, found 7"),
        ({"clips": "sample_sa_*", "actors": "sd"}, "the selection: expected sequences that match all of it, found none"),
        ({"scale": -1.0}, "scale: "),
        ({"up": "x"}, "up: "),
        ({"joints": "all"}, "joints: an option of csv, npz, parquet and trc only, found with format=bvh; leave it out"),
        ({"colour": "red"}, "colour: no option of any format"),
    ],
)
def test_wrong_options_are_one_line(orbit: Path, tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        export(orbit, "bvh", tmp_path / "out", **arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_wrong_places_are_one_line(front: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for format, out, message in (
        ("bvh", tmp_path / "file", "expected a folder to write to, found a file"),
        ("bvh", tmp_path / "no" / "folder", "expected an existing folder to write to, found no"),
        ("npz", tmp_path / "poses", "expected a file to write that ends in .npz, found no suffix"),
        ("npz", tmp_path / "no" / "poses.npz", "expected an existing folder to write to, found no"),
        ("obj", tmp_path / "x", "format: expected one of bvh, csv, gltf, mmpose, npz, parquet, trc, videopose3d, found 'obj'"),
    ):
        with pytest.raises(MocapError) as caught:
            export(front, format, out)
        assert message in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_nothing_is_overwritten_unless_asked_and_strangers_stay(front: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = export(front, "csv", out, actions="walk")
    (out / "notes.txt").write_text("mine")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(DatasetError, match=r"export.json: the file exists already; choose another name or say overwrite=True"):
        export(front, "csv", out, actions="squat")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    export(front, "csv", out, actions="walk", overwrite=True)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert all(path.is_file() for path in first.files)


def test_a_failure_at_the_end_leaves_nothing(front: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a later file cannot get its name or a later sequence is damaged: what was there is there, and no more."""
    export(front, "csv", tmp_path / "out", actions="walk")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DatasetError, match="cannot be written: No space left on device; nothing was changed"):
        export(front, "csv", tmp_path / "out", overwrite=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    with pytest.raises(DatasetError, match="No space left"):
        export(front, "csv", tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_damaged_frames_are_noticed(front: Path, tmp_path: Path) -> None:
    with h5py.File(front) as file:
        place = file["frames/positions_3d"].id.get_chunk_info(0)
    content = bytearray(front.read_bytes())
    content[place.byte_offset + place.size // 2] ^= 1
    (tmp_path / "copy.h5").write_bytes(content)
    with pytest.raises(DatasetError, match="/frames/positions_3d: expected sound frames in sequence 0"):
        export(tmp_path / "copy.h5", "npz", tmp_path / "poses.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["copy.h5"]


@pytest.mark.parametrize("format", ["bvh", "csv", "mmpose", "npz", "videopose3d"])
def test_the_same_bytes_each_time(front: Path, tmp_path: Path, format: str) -> None:
    out = [tmp_path / name / ("poses.npz" if format == "npz" else "out") for name in ("a", "b")]
    contents = []
    for path in out:
        path.parent.mkdir()
        done = export(front, format, path, actions="walk")
        contents.append([(file.relative_to(path.parent), file.read_bytes()) for file in done.files])
    assert contents[0] == contents[1]


# The command --------------------------------------------------------------------------------------


def test_the_command(call: Any, front: Path, tmp_path: Path) -> None:
    status, out, err = call("export", front, "--format", "bvh", "--actions", "walk,squat", "--t-pose", "--out", tmp_path / "motions")
    assert (status, err) == (0, "")
    assert "exported" in out
    assert "in 2 sequences" in out
    assert call("export", front, "--format", "bvh", "--out", tmp_path / "motions", "-q")[:2] == (2, "")
    status, out, err = call("export", front, "--format", "npz", "--up", "z", "--out", tmp_path / "x.npz")
    assert (status, out) == (2, "")
    assert err == "mocapgen: error: --up: an option of bvh only, found with --format npz; leave it out\n"


def test_attributes_as_texts_of_fixed_length(front: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    other.write_bytes(front.read_bytes())
    with h5py.File(other, "a") as file:
        for name, value in list(file.attrs.items()):
            if isinstance(value, str):
                del file.attrs[name]
                file.attrs[name] = np.bytes_(value.encode())
    found = []
    for source in (front, other):
        folder = tmp_path / source.stem
        folder.mkdir()
        export(source, "npz", folder / "poses.npz")
        found.append(json.loads((folder / "poses.json").read_text()))
    assert found[1] == found[0] | {"source": found[0]["source"] | {"file": "other.h5"}}
