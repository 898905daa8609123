"""Selecting from datasets and joining them: what is kept is the same to the bit, and what does not fit is named."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocapgen import open_dataset
from mocapgen.pipeline import build
from mocapgen.shared.frame_reader import FrameReader
from mocapgen.store import copying
from mocapgen.store.copying import FRAMES
from mocapgen.store.merge import merge_datasets
from mocapgen.store.select import select_sequences
from schemas.config import BuildConfig
from schemas.dataset import LAYOUT
from schemas.errors import ConfigError, DatasetError
from schemas.subset import Derivation, SelectConfig

OLD = b"an older file, which must survive"


def built(path: Path, **changes: Any) -> Path:
    values = {"source": "sample", "actions": ("walk", "hop*"), "avatars": ("average_man", "child_10"), "camera": "orbit:2", "workers": 1}
    values |= {"fps": 10, "min_frames": 10, "max_frames": 60}
    build(BuildConfig.model_validate({**values, "out": path, **changes}))
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("subset") / "whole.h5", select="all", actors=("s[ab]",))


@pytest.fixture(scope="module")
def small(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("subset") / "small.h5"
    select_sequences(whole, SelectConfig(limit=3), path)
    return path


def changed(path: Path, copy: Path, change: Callable[[h5py.File], None]) -> Path:
    shutil.copy(path, copy)
    with h5py.File(copy, "r+") as file:
        change(file)
    return copy


def arrays(path: Path) -> dict[str, np.ndarray]:
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.__setitem__(name, item[()]) if isinstance(item, h5py.Dataset) else None)
    return found


def content(path: Path) -> dict[tuple[Any, ...], bytes]:
    """Return all that a file says of each sequence: clip, avatar and camera in full, to the bytes of its frames."""
    with open_dataset(path) as data:
        clips, cameras = data.clips, data.table("cameras")
        out = {}
        for row in data:
            clip = tuple(clips[name][data.sequences["clip"][row.number]] for name in clips)
            camera = tuple(np.asarray(cameras[name][data.sequences["camera"][row.number]]).tobytes() for name in ("K", "R", "t", "width", "height"))
            out[clip, row.avatar, row.camera.rig, camera] = b"".join(row[name].tobytes() for name in FRAMES)
        assert len(out) == len(data)
        assert len(set(clips["id"])) == len(clips["id"])
    return out


def groups(path: Path) -> dict[str, Any]:
    return {name: values.tolist() for name, values in arrays(path).items() if name.startswith(("skeletons", "joint_sets"))}


def skipped(path: Path) -> set[tuple[str, ...]]:
    with open_dataset(path) as data:
        return set(zip(*data.skipped.values(), strict=True))


# Selecting ----------------------------------------------------------------------------------------


def test_selecting_everything_gives_the_same_arrays(whole: Path, tmp_path: Path) -> None:
    report = select_sequences(whole, SelectConfig(), tmp_path / "all.h5")
    before, after = arrays(whole), arrays(tmp_path / "all.h5")
    assert before.keys() == after.keys()
    for name, values in before.items():
        assert values.dtype == after[name].dtype
        assert np.array_equal(values, after[name]), name
    with h5py.File(whole) as a, h5py.File(tmp_path / "all.h5") as b:
        assert {k: v for k, v in a.attrs.items() if k != "config"} == {k: v for k, v in b.attrs.items() if k != "config"}
        for group in ("skeletons/child_10", "frames/euler"):
            assert dict(a[group].attrs) == dict(b[group].attrs)
        for name in FRAMES:
            old, new = a[f"frames/{name}"], b[f"frames/{name}"]
            assert (old.chunks, old.compression, old.compression_opts, old.shuffle, old.fletcher32) == (
                new.chunks,
                new.compression,
                new.compression_opts,
                new.shuffle,
                new.fletcher32,
            )
    assert (report.sequences, report.sequences_found, report.notes) == (len(before["sequences/start"]), len(before["sequences/start"]), ())


CONDITIONS: dict[str, tuple[SelectConfig, Callable[[Any], bool]]] = {
    "clips": (SelectConfig(clips=("*_002_*",)), lambda row: "_002_" in row.clip["id"]),
    "actors": (SelectConfig(actors=("SA",)), lambda row: row.clip["actor"] == "sa"),
    "actions": (SelectConfig(actions=("w?lk",)), lambda row: row.clip["action"] == "walk"),
    "avatars": (SelectConfig(avatars=("child*",)), lambda row: row.avatar == "child_10"),
    "sources": (SelectConfig(sources=("sam*",)), lambda row: True),
    "one camera": (SelectConfig(cameras=("orbit:2/1",)), lambda row: row.camera.rig == "orbit:2/1"),
    "a rig": (SelectConfig(cameras=("orbit:2",)), lambda row: True),
    "length": (SelectConfig(min_frames=20, max_frames=45), lambda row: 20 <= row.length <= 45),
    "two": (SelectConfig(actions=("walk",), avatars=("child_10",)), lambda row: row.clip["action"] == "walk" and row.avatar == "child_10"),
}


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("invert", [False, True])
def test_conditions(whole: Path, tmp_path: Path, name: str, invert: bool) -> None:
    config, meets = CONDITIONS[name]
    everything = content(whole)
    with open_dataset(whole) as data:
        wanted = [key for row, key in zip(data, everything, strict=True) if meets(row) != invert]
    config = config.model_copy(update={"invert": invert})
    if not wanted:
        with pytest.raises(ConfigError, match=r"^invert: expected something to be left over"):
            select_sequences(whole, config, tmp_path / "out.h5")
        return
    report = select_sequences(whole, config, tmp_path / "out.h5")
    found = content(tmp_path / "out.h5")
    assert list(found) == wanted
    assert all(found[key] == everything[key] for key in wanted)
    with open_dataset(tmp_path / "out.h5") as data:
        assert set(data.skeletons) == {key[1] for key in wanted}  # avatars that nobody needs are gone
        assert len(data.cameras) == len({(key[0], key[2]) for key in wanted}) == report.cameras
        assert set(data.sequences["clip"]) == set(range(report.clips)) == set(range(len(data.clips["id"])))
        assert data.frames == report.frames == data.sequences["length"].sum()
    assert skipped(tmp_path / "out.h5") == skipped(whole)


def test_a_limit_counts_clips_that_pass(whole: Path, tmp_path: Path) -> None:
    select_sequences(whole, SelectConfig(actions=("hop*",), limit=2), tmp_path / "two.h5")
    with open_dataset(whole) as data, open_dataset(tmp_path / "two.h5") as two:
        hops = [name for name, action in zip(data.clips["id"], data.clips["action"], strict=True) if action.startswith("hop")]
        assert list(two.clips["id"]) == hops[:2]
        assert len(two) == 2 * 2 * 2


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (SelectConfig(actions=("hpo*",)), r"actions: expected a pattern that matches an action, found 'hpo\*'; .*there are hop.*, walk"),
        (SelectConfig(avatars=("child",)), r"found 'child'; did you mean child_10\? there are average_man, child_10"),
        (SelectConfig(cameras=("front",)), r"cameras: .* a camera or rig, found 'front'; there are orbit:2, orbit:2/0, orbit:2/1"),
        (SelectConfig(min_frames=5000), r"min_frames=5000: expected sequences that match, found none in .*: they have \d+ to \d+ frames"),
        (
            SelectConfig(actions=("walk",), min_frames=5000),
            r"meet all conditions, found none of \d+ \(actions='walk': \d+, min_frames=5000: 0\); loosen one",
        ),
    ],
)
def test_nothing_selected_says_what_there_is(whole: Path, tmp_path: Path, config: SelectConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        select_sequences(whole, config, tmp_path / "out.h5")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_selection_says_where_it_comes_from(whole: Path, tmp_path: Path) -> None:
    import hashlib

    select_sequences(whole, SelectConfig(actions=("walk",), min_frames=2), tmp_path / "walk.h5")
    select_sequences(tmp_path / "walk.h5", SelectConfig(limit=1), tmp_path / "one.h5")
    with open_dataset(whole) as a, open_dataset(tmp_path / "walk.h5") as b, open_dataset(tmp_path / "one.h5") as c:
        first = Derivation.model_validate(b.config)
        assert (first.command, first.settings) == ("select", {"actions": ["walk"], "min_frames": 2})
        (source,) = first.inputs
        assert (source.file, source.config, source.generator) == ("whole.h5", a.config, a.generator)
        assert source.sha256 == hashlib.sha256(whole.read_bytes()).hexdigest()
        assert c.config["inputs"][0]["config"] == b.config
        assert b.config["inputs"][0]["config"]["camera"] == "orbit:2"


def test_rows_of_other_peoples_files_may_lie_in_any_order(small: Path, tmp_path: Path) -> None:
    """Frames of no sequence go, sequences that share frames get their own, and what the schema does not know is named."""

    def change(file: h5py.File) -> None:
        file["sequences/start"][0] = 7
        file["sequences/start"][1] = 11
        file["sequences/length"][:2] = 20
        file["frames/weights"] = np.zeros(3)
        file.attrs["author"] = "somebody"

    foreign = changed(small, tmp_path / "foreign.h5", change)
    report = select_sequences(foreign, SelectConfig(), tmp_path / "out.h5")
    assert content(tmp_path / "out.h5") == content(foreign)
    assert report.notes == ("not copied, since the schema does not know it: /frames/weights, attribute author",)
    with open_dataset(tmp_path / "out.h5") as data:
        assert data.sequences["start"].tolist() == (np.cumsum(data.sequences["length"]) - data.sequences["length"]).tolist()


# Joining ------------------------------------------------------------------------------------------

NAMES = ("clips", "actors", "actions", "avatars", "cameras")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pick=st.data())
def test_what_was_parted_is_joined_again(whole: Path, tmp_path: Path, pick: st.DataObject) -> None:
    with open_dataset(whole) as data:
        columns = {
            "clips": data.clips["id"],
            "actors": data.clips["actor"],
            "actions": data.clips["action"],
            "avatars": data.sequences["avatar"],
            "cameras": data.table("cameras")["rig"],
        }
        conditions = {}
        for name in pick.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)):
            known = sorted(set(columns[name]))
            conditions[name] = tuple(pick.draw(st.lists(st.sampled_from(known), min_size=1, max_size=len(known), unique=True)))
    parts = [tmp_path / "in.h5", tmp_path / "out.h5"]
    try:
        for path, invert in zip(parts, (False, True), strict=True):
            select_sequences(whole, SelectConfig.model_validate(conditions | {"invert": invert}), path, overwrite=True)
    except ConfigError:  # everything or nothing passes
        return
    report = merge_datasets(parts, tmp_path / "again.h5", overwrite=True)
    assert content(tmp_path / "again.h5") == content(whole)
    assert groups(tmp_path / "again.h5") == groups(whole)
    assert skipped(tmp_path / "again.h5") == skipped(whole)
    with open_dataset(whole) as a, open_dataset(tmp_path / "again.h5") as b:
        assert len(a.cameras) == len(b.cameras)
        assert (a.frames, a.conventions, a.fps) == (b.frames, b.conventions, b.fps)
    assert report.notes == ()


def test_what_is_in_both_is_taken_once(whole: Path, small: Path, tmp_path: Path) -> None:
    report = merge_datasets([small, whole], tmp_path / "both.h5")
    assert content(tmp_path / "both.h5") == content(whole)
    with open_dataset(small) as data:
        assert report.notes == (f"{len(data)} sequences that are in several files were taken once",)
        assert report.sequences_found == len(data) + report.sequences
    assert groups(tmp_path / "both.h5") == groups(whole)
    assert len(arrays(tmp_path / "both.h5")["cameras/K"]) == len(arrays(whole)["cameras/K"])


def test_more_cameras_of_the_same_clips(tmp_path: Path) -> None:
    """Another lens (or another seed of a random rig) is another view: cameras of the same name on the same clip get different names."""
    paths = [built(tmp_path / f"{fov}.h5", fov=fov, actors=("sa",)) for fov in (60.0, 45.0)]
    report = merge_datasets(paths, tmp_path / "both.h5")
    assert report.clips * 2 * 4 == report.sequences
    with open_dataset(tmp_path / "both.h5") as data:
        assert {camera.rig for camera in data.cameras} == {"orbit:2/0", "orbit:2/1", "orbit:2/0~2", "orbit:2/1~2"}
        assert len({(row.clip["id"], row.avatar, row.camera.rig) for row in data}) == len(data)
    assert len(report.notes) == 1
    assert "cameras renamed" in report.notes[0]
    assert "orbit:2/0 to orbit:2/0~2" in report.notes[0]
    again = merge_datasets([tmp_path / "both.h5", paths[1]], tmp_path / "again.h5")  # nothing new: a camera is known by what it is
    assert again.sequences == report.sequences
    assert content(tmp_path / "again.h5") == content(tmp_path / "both.h5")


def test_skipped_means_used_by_no_file(tmp_path: Path) -> None:
    paths = [built(tmp_path / f"{actor}.h5", actors=(actor,), camera="front") for actor in ("sa", "sb")]
    assert all(skipped(path) for path in paths)
    merge_datasets(paths, tmp_path / "both.h5")
    with open_dataset(tmp_path / "both.h5") as data:
        assert not set(data.skipped["file"]) & set(data.clips["file"])
    assert skipped(tmp_path / "both.h5") < skipped(paths[0]) | skipped(paths[1])
    assert len(skipped(tmp_path / "both.h5")) == len(arrays(tmp_path / "both.h5")["skipped/file"])


def rename(path: str, name: int, value: Any) -> Callable[[h5py.File], None]:
    return lambda file: file[path].__setitem__(name, value)


def convention(name: str, value: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file.attrs["conventions"] = json.dumps(json.loads(file.attrs["conventions"]) | {name: value})

    return change


def move_offset(file: h5py.File) -> None:
    file["skeletons/child_10/offsets"][4, 1] += 0.0123


def all_joints(file: h5py.File) -> None:
    for avatar in ("average_man", "child_10"):
        file[f"skeletons/{avatar}/names"][6] = "Hat"


DIFFERENCES: dict[str, tuple[Callable[[h5py.File], None], list[str]]] = {
    "rate": (lambda file: file.attrs.__setitem__("fps", 25.0), ["fps: expected 10 as in", "build it with fps=10"]),
    "frame": (convention("camera_frame", "opencv"), ["camera_frame: expected unity as in", "camera_frame=unity"]),
    "another convention": (convention("pixels", "centred"), ["pixels: expected origin at the outer corner", "found centred"]),
    "a new convention": (convention("floor", "y = 0"), ["floor: expected nothing as in"]),
    "joints": (all_joints, ["joints: expected the 27 of", "found 27: without HeadTop, also Hat"]),
    "tree": (rename("skeletons/average_man/parents", 3, 1), ["joints: expected the parents", "others for UpperChest"]),
    "build": (move_offset, ["/skeletons/child_10/offsets: expected the same as in", "up to 12.3 mm apart (Neck)"]),
    "joint set": (rename("joint_sets/h36m17/joints", 0, 5), ["/joint_sets/h36m17/joints: expected the same as in"]),
    "content": (rename("clips/sha256", 0, "abc"), ["expected sha256", "found abc; leave one out with `mocapgen select`"]),
    "action": (rename("clips/action", 0, "trot"), ["expected action", "found trot"]),
    "frames": (rename("frames/euler", 0, 1.0), ["expected the same euler as in", "from the same camera"]),
    "length": (rename("sequences/length", 0, 3), ["frames as in", "found 3"]),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_does_not_fit_is_named(small: Path, tmp_path: Path, name: str) -> None:
    change, expected = DIFFERENCES[name]
    other = changed(small, tmp_path / "other.h5", change)
    before = set(tmp_path.iterdir())
    with pytest.raises(DatasetError) as caught:
        merge_datasets([small, other], tmp_path / "out.h5")
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{other}: ") for line in lines)
    assert len(lines) == 1
    assert all(part in str(caught.value) for part in expected)
    assert set(tmp_path.iterdir()) == before


def test_every_difference_is_a_line_of_its_own(small: Path, tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        for one in ("rate", "another convention", "build", "joint set"):
            DIFFERENCES[one][0](file)

    other = changed(small, tmp_path / "other.h5", change)
    with pytest.raises(DatasetError) as caught:
        merge_datasets([small, other])
    assert len(str(caught.value).splitlines()) == 4
    everything = changed(small, tmp_path / "third.h5", lambda file: file["clips/sha256"].__setitem__(slice(None), "x"))
    with pytest.raises(DatasetError) as caught:
        merge_datasets([small, everything])
    assert len(str(caught.value).splitlines()) == 3


def test_the_same_recording_under_two_names_is_noted(small: Path, tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        for row, name in enumerate(file["clips/id"].asstr()[()]):
            file["clips/id"][row], file["clips/file"][row] = f"{name}-copy", f"copies/{name}"

    other = changed(small, tmp_path / "other.h5", change)
    (note,) = merge_datasets([small, other]).notes
    assert note.startswith("3 recordings are there under several names: ")


def test_a_merged_file_says_where_it_comes_from_and_is_the_same_every_time(whole: Path, tmp_path: Path) -> None:
    parts = [tmp_path / "a.h5", tmp_path / "b.h5"]
    for path, invert in zip(parts, (False, True), strict=True):
        select_sequences(whole, SelectConfig(actions=("walk",), invert=invert), path)
    outs = [tmp_path / f"{name}.h5" for name in ("one", "two")]
    for out in outs:
        merge_datasets(parts, out)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert str(tmp_path).encode() not in outs[0].read_bytes()
    with open_dataset(outs[0]) as data:
        derivation = Derivation.model_validate(data.config)
        assert (derivation.command, [source.file for source in derivation.inputs]) == ("merge", ["a.h5", "b.h5"])
        assert derivation.inputs[1].config["inputs"][0]["file"] == "whole.h5"


# Files --------------------------------------------------------------------------------------------


def test_every_array_is_as_the_layout_says(whole: Path, small: Path, tmp_path: Path) -> None:
    merge_datasets([small, whole], tmp_path / "both.h5")
    with h5py.File(whole) as a, h5py.File(tmp_path / "both.h5") as b:
        for array in LAYOUT.arrays:
            path = array.path.replace("/skeletons/<name>", "/skeletons/child_10").replace("<name>", "h36m17")
            assert (a[path].dtype, dict(a[path].attrs)) == (b[path].dtype, dict(b[path].attrs))


def test_outputs_that_cannot_be(small: Path, tmp_path: Path) -> None:
    copy = shutil.copy(small, tmp_path / "copy.h5")
    (tmp_path / "link.h5").symlink_to(copy)
    before = {item: item.read_bytes() for item in tmp_path.iterdir()}
    for out in (copy, tmp_path / "link.h5"):
        with pytest.raises(ConfigError, match="expected another file to write than one that is read"):
            select_sequences(copy, SelectConfig(), out, overwrite=True)
        with pytest.raises(ConfigError, match="expected another file to write than one that is read"):
            merge_datasets([small, copy], out, overwrite=True)
    with pytest.raises(DatasetError, match="exists already; choose another name or say overwrite=True"):
        select_sequences(small, SelectConfig(), copy)
    with pytest.raises(DatasetError, match="create it first"):
        merge_datasets([small, copy], tmp_path / "no" / "out.h5")
    with pytest.raises(ConfigError, match="expected different files, found this one twice"):
        merge_datasets([copy, tmp_path / "link.h5"], tmp_path / "out.h5")
    with pytest.raises(ConfigError, match="at least two dataset files, found 1"):
        merge_datasets([copy])
    assert {item: item.read_bytes() for item in tmp_path.iterdir()} == before


def damage_frames(path: Path) -> None:
    with h5py.File(path) as file:
        place = file["frames/quaternions"].id.get_chunk_info(1)
    content = bytearray(path.read_bytes())
    content[place.byte_offset + place.size // 2] ^= 1
    path.write_bytes(content)


def damage_text(text: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        content = path.read_bytes()
        assert text in content
        path.write_bytes(content.replace(text, text[:-2] + b"\xff\xfe"))

    return damage


DAMAGES = {
    "flipped bit": (damage_frames, "/frames/quaternions: expected sound frames in sequence"),
    "names that are no text": (damage_text(b"average_man"), "found a damaged one .*/skeletons"),
    "text that is none": (damage_text(b"sample_sa_hop"), "/clips/id: expected sound data, found 'utf-8' codec can't decode"),
    "half": (lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), "expected an HDF5 file"),
    "empty": (lambda path: path.write_bytes(b""), "expected an HDF5 file"),
    "gone": (lambda path: path.unlink(), "expected a dataset file, found nothing"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_inputs_are_one_line_and_leave_the_old_file(small: Path, whole: Path, tmp_path: Path, name: str) -> None:
    damage, expected = DAMAGES[name]
    broken, out = Path(shutil.copy(small, tmp_path / "broken.h5")), tmp_path / "out.h5"
    damage(broken)
    out.write_bytes(OLD)
    other = tmp_path / "other.h5"
    select_sequences(whole, SelectConfig(limit=3, invert=True), other)
    for call in (lambda: select_sequences(broken, SelectConfig(), out, True), lambda: merge_datasets([other, broken], out, True)):
        with pytest.raises(DatasetError, match=expected) as caught:
            call()
        assert "\n" not in str(caught.value)
        assert str(broken) in str(caught.value)
    assert out.read_bytes() == OLD
    assert {item.name for item in tmp_path.iterdir()} <= {"broken.h5", "other.h5", "out.h5"}


def test_predictions_are_refused(small: Path, tmp_path: Path) -> None:
    pred = changed(small, tmp_path / "pred.h5", lambda file: file.attrs.__setitem__("format", "mocapgen-predictions"))
    for call in (lambda: select_sequences(pred, SelectConfig()), lambda: merge_datasets([small, pred])):
        with pytest.raises(DatasetError, match=r"pred\.h5: expected a dataset file, found predictions of a model"):
            call()


def test_memory_is_bounded_by_blocks(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No read is longer than a block, and blocks make the same bytes."""
    select_sequences(small, SelectConfig(), tmp_path / "one.h5")
    sizes: list[int] = []
    real = FrameReader.read

    def read(reader: FrameReader, name: str, start: int, length: int, sequence: int) -> Any:
        sizes.append(length)
        return real(reader, name, start, length, sequence)

    monkeypatch.setattr(copying, "BLOCK", 17)
    monkeypatch.setattr(FrameReader, "read", read)
    select_sequences(small, SelectConfig(), tmp_path / "two.h5")
    assert max(sizes) == 17
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


@pytest.mark.parametrize("old", [False, True])
def test_killed(whole: Path, tmp_path: Path, old: bool) -> None:
    """Stopped in the middle of writing and killed there: the name holds what it held, and the next run cleans up."""
    out = tmp_path / "out.h5"
    if old:
        out.write_bytes(OLD)
    script = (
        "import os, sys, time; from mocapgen.store.select import select_sequences; from schemas.subset import SelectConfig\n"
        "def stop(done, total, label):\n"
        "    if done > total // 2: print('half', flush=True); time.sleep(60)\n"
        "select_sequences(sys.argv[1], SelectConfig(), sys.argv[2], True, stop)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(whole), str(out)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=30)
    process.stdout.close()
    assert (out.read_bytes() if out.exists() else None) == (OLD if old else None)
    assert len(list(tmp_path.glob(".out.h5.*.partial"))) == 1
    select_sequences(whole, SelectConfig(), out, overwrite=True)
    assert [item.name for item in tmp_path.iterdir()] == ["out.h5"]


# The command line ---------------------------------------------------------------------------------


def test_commands(call: Callable[..., tuple[object, str, str]], whole: Path, tmp_path: Path) -> None:
    status, out, err = call("select", whole, "--actions", "hop*", "--dry-run")
    assert (status, err) == (0, "")
    assert out.startswith("would be selected\n")
    assert list(tmp_path.iterdir()) == []
    for name, options in (("hop", []), ("rest", ["--invert"])):
        status, out, err = call("select", whole, "--actions", "hop*", *options, "--out", tmp_path / f"{name}.h5")
        assert (status, err) == (0, "")
        assert out.startswith("selected\n")
    status, out, err = call("merge", tmp_path / "hop.h5", tmp_path / "rest.h5", "--out", tmp_path / "both.h5")
    assert (status, err, out.splitlines()[0]) == (0, "", "merged")
    assert content(tmp_path / "both.h5") == content(whole)
    assert call("-q", "merge", tmp_path / "hop.h5", tmp_path / "rest.h5", "--dry-run") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["select", "WHOLE"], "--out: expected the path of the file to write (or --dry-run)"),
        (["select", "WHOLE", "--actions", "", "--dry-run"], "--actions: expected names or wildcards, found nothing"),
        (["select", "WHOLE", "--cameras", ",", "--dry-run"], "--cameras: expected names or wildcards, found nothing"),
        (["select", "WHOLE", "--limit", "0", "--dry-run"], "--limit: input should be greater than or equal to 1, found 0"),
        (["select", "WHOLE", "--min-frames", "9", "--max-frames", "8", "--dry-run"], "--min-frames (9) must not exceed --max-frames (8)"),
        (["merge", "WHOLE", "--dry-run"], "merge: expected at least two dataset files, found 1"),
        (["merge", "--dry-run"], "Missing argument 'A.H5 B.H5 ...'"),
    ],
)
def test_wrong_use_is_one_line(call: Callable[..., tuple[object, str, str]], whole: Path, arguments: list[str], message: str) -> None:
    status, out, err = call(*(str(whole) if word == "WHOLE" else word for word in arguments))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"mocapgen: error: {message}")
