"""Conversions: positions survive, options apply where they make sense, either everything is written or nothing."""

import errno
from pathlib import Path

import numpy as np
import pytest

from mocapgen import forward_kinematics, read
from mocapgen.core.kinematics import global_rotations
from mocapgen.core.resample import resample
from mocapgen.core.rotation import angle_between
from mocapgen.formats import formats
from mocapgen.formats.asf_amc import write_amc
from mocapgen.formats.bvh import load_bvh
from mocapgen.formats.c3d import read_markers
from mocapgen.reading import convert as module
from mocapgen.reading.convert import convert
from mocapgen.sources.sample import clips, make
from schemas.errors import ConfigError, DatasetError, FormatError

CLIP = next(clip for clip in clips() if clip.action == "walk")


@pytest.fixture(scope="module")
def motion():
    return make(CLIP)[0].slice(0, 60)


@pytest.fixture
def amc(tmp_path, motion):
    """A file to convert, in a folder of its own."""
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "walk.amc"
    write_amc(path, motion)
    return path


def apart(first, second) -> float:
    """Return the largest distance in millimetres of the joints that two motions have by the same name."""
    common = [name for name in first.skeleton.names if name in second.skeleton and name not in first.skeleton.end_sites]
    assert len(common) >= 15
    ours = forward_kinematics(first)[:, first.skeleton.indices(common)]
    theirs = forward_kinematics(second)[:, second.skeleton.indices(common)]
    return 1000.0 * float(np.linalg.norm(ours - theirs, axis=-1).max())


def turned(first, second) -> float:
    """Return by how many degrees, at most, the bones of two motions are turned otherwise, each from its own rest pose."""
    common = [name for name in first.skeleton.names if name in second.skeleton and name not in first.skeleton.end_sites]
    ours = global_rotations(first.skeleton, first.rotations)[:, first.skeleton.indices(common)]
    theirs = global_rotations(second.skeleton, second.rotations)[:, second.skeleton.indices(common)]
    return float(np.degrees(angle_between(ours, theirs).max()))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# Positions survive --------------------------------------------------------------------------------


def test_what_is_read_and_what_is_written():
    assert set(formats()) == {".amc", ".bvh", ".c3d", ".glb", ".gltf", ".npz", ".trc"}
    assert {suffix for suffix, form in formats().items() if form.read is not None} == {".amc", ".bvh", ".c3d", ".npz"}
    assert {suffix for suffix, form in formats().items() if form.write is None} == {".npz"}


@pytest.mark.parametrize("options", [{}, {"scale": 1.0}, {"scale": 0.0254}, {"up": "z"}, {"scale": 0.001, "up": "z"}], ids=str)
def test_amc_to_bvh_and_back(amc, tmp_path, options):
    bvh, back = tmp_path / "walk.bvh", tmp_path / "back.amc"
    convert(amc, bvh, **options)
    convert(bvh, back)
    assert apart(read(amc), read(bvh)) < 1e-3
    assert apart(read(amc), read(back)) < 1e-3


def test_the_unit_and_the_axis_are_those_of_the_file_written(amc, tmp_path):
    written = {}
    for name, options in {"cm": {}, "m": {"scale": 1.0}, "z": {"scale": 1.0, "up": "z"}}.items():
        convert(amc, tmp_path / f"{name}.bvh", **options)
        written[name] = load_bvh(tmp_path / f"{name}.bvh").positions()
    np.testing.assert_allclose(written["m"], written["cm"] / 100, atol=1e-8)
    x, y, z = np.moveaxis(written["m"], -1, 0)
    np.testing.assert_allclose(written["z"], np.stack([x, -z, y], axis=-1), atol=1e-8)
    np.testing.assert_allclose(written["m"][:, 0], read(amc).root_positions, atol=1e-8)


def test_amc_to_c3d_puts_a_marker_at_every_joint(amc, tmp_path):
    (note,) = convert(amc, tmp_path / "walk.c3d").notes
    assert note.endswith("every joint is a marker; no skeleton can be fitted to these, so keep walk.amc to build from")
    markers, motion = read_markers(tmp_path / "walk.c3d"), read(amc)
    assert markers.labels == motion.skeleton.names
    assert (len(markers), markers.fps) == (60, 120.0)
    assert markers.valid.all()
    np.testing.assert_allclose(markers.positions, forward_kinematics(motion), atol=1e-6)


@pytest.mark.parametrize("fps", [30.0, 50.0, 240.0])
def test_resampling(amc, tmp_path, fps):
    found = convert(amc, tmp_path / "walk.bvh", fps=fps)
    expected = resample(read(amc), fps)
    written = read(tmp_path / "walk.bvh")
    assert (found.frames, found.fps) == (len(expected), fps) == (len(written), written.fps)
    assert apart(expected, written) < 1e-3


def test_the_rate_that_an_amc_file_does_not_say(amc, tmp_path):
    assert convert(amc, tmp_path / "walk.bvh", source_fps=60.0).fps == 60.0
    assert load_bvh(tmp_path / "walk.bvh").fps == 60.0


def test_a_skeleton_from_elsewhere(amc, tmp_path):
    asf = amc.with_suffix(".asf").rename(tmp_path / "skeleton.asf")
    with pytest.raises(FormatError, match=r"expected its skeleton beside it .*; say which with asf=[.]{3}$"):
        convert(amc, tmp_path / "walk.bvh")
    convert(amc, tmp_path / "walk.bvh", asf=asf)
    assert apart(read(amc, asf=asf), read(tmp_path / "walk.bvh")) < 1e-3


def test_what_a_bvh_file_means_can_be_said(amc, tmp_path):
    convert(amc, tmp_path / "walk.bvh", scale=0.02)  # a unit of nobody's
    convert(tmp_path / "walk.bvh", tmp_path / "same.amc", source_scale=0.02, source_up="y", profile="humanoid")
    assert apart(read(amc), read(tmp_path / "same.amc")) < 1e-3
    found = convert(tmp_path / "walk.bvh", tmp_path / "half.amc", source_scale=0.01)
    assert any("0.01 m" in note for note in found.notes)
    lengths = [read(tmp_path / name).skeleton.bone_length("LeftLowerLeg") for name in ("same.amc", "half.amc")]
    assert lengths[0] == pytest.approx(2 * lengths[1])


def test_lenient_mends_and_says_so(amc, tmp_path):
    bvh = tmp_path / "walk.bvh"
    convert(amc, bvh)
    bvh.write_bytes(bvh.read_bytes().replace(b"Frames: 60", b"Frames: 61"))
    with pytest.raises(FormatError, match="lenient=True"):
        convert(bvh, tmp_path / "mended.amc")
    found = convert(bvh, tmp_path / "mended.amc", lenient=True)
    assert found.frames == 60
    assert any("61" in note for note in found.notes)


# Real files ---------------------------------------------------------------------------------------


REAL = {
    "hdm05": "hdm05/HDM05_cut_amc/squat1Reps/HDM_bd_squat1Reps_001_120.amc",
    "cmu": "cmu/asfamc/02/02_01.amc",
    "cgspeed": "cmu/bvh-cgspeed/01/01_01.bvh",
    "iclone": "cmu/bvh-iclone/006/006_01.bvh",
    "neo": "cmu/bvh-neo/135/135_01.bvh",
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_keep_their_joints(data_dir, tmp_path, name):
    source = data_dir / REAL[name]
    original = read(source)
    for step in ["a.bvh", "b.amc", "c.bvh"]:
        convert(source, tmp_path / step)
        source = tmp_path / step
        converted = read(source)
        assert len(converted) == len(original)
        assert apart(original, converted) < 1e-3
        assert turned(original, converted) < 0.01  # the rest pose is the same, too


def test_markers_become_a_skeleton(data_dir, tmp_path):
    source = next((data_dir / "hdm05" / "takes" / "dg").glob("*.[cC]3[dD]"))
    found = convert(source, tmp_path / "solved.bvh", fps=30)
    assert found.fps == 30.0
    assert apart(resample(read(source), 30.0), read(tmp_path / "solved.bvh")) < 1e-3


# Files --------------------------------------------------------------------------------------------


def test_nothing_is_replaced_unasked(amc, tmp_path):
    for name in ("a.bvh", "b.amc", "c.asf"):
        (tmp_path / name).write_text("mine")
    for name in ("a.bvh", "b.amc", "c.amc"):
        with pytest.raises(DatasetError, match="the file exists already; choose another name or say overwrite=True"):
            convert(amc, tmp_path / name)
    assert not (tmp_path / "b.asf").exists()
    assert not (tmp_path / "c.amc").exists()
    assert {(tmp_path / name).read_text() for name in ("a.bvh", "b.amc", "c.asf")} == {"mine"}
    found = convert(amc, tmp_path / "c.amc", overwrite=True)
    assert found.files == (tmp_path / "c.amc", tmp_path / "c.asf")
    assert apart(read(amc), read(tmp_path / "c.amc")) < 1e-3


@pytest.mark.parametrize("overwrite", [False, True])
def test_asf_and_amc_both_or_neither(amc, tmp_path, monkeypatch, overwrite):
    out = tmp_path / "out"
    out.mkdir()
    if overwrite:
        (out / "w.asf").write_text("old asf")
        (out / "w.amc").write_text("old amc")
    real = Path.replace

    def replace(path, target):
        if path.suffix == ".amc":
            raise OSError(errno.EACCES, "Permission denied")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(DatasetError, match="cannot be written: Permission denied; nothing was changed"):
        convert(amc, out / "w.amc", overwrite=overwrite)
    assert {path.name: path.read_text() for path in out.iterdir()} == ({"w.asf": "old asf", "w.amc": "old amc"} if overwrite else {})


def test_a_full_disk_leaves_nothing(amc, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(DatasetError, match=r"w\.bvh: cannot be written: No space left on device; nothing was changed"):
        convert(amc, out / "w.bvh")
    assert names(out) == set()


def test_a_motion_that_the_format_cannot_hold(amc, tmp_path, motion):
    bvh = tmp_path / "walk.bvh"
    convert(amc, bvh)
    bvh.write_bytes(bvh.read_bytes().replace(b"JOINT LeftToes", b"JOINT Left Toes"))
    with pytest.raises(FormatError, match="cannot be written to ASF"):
        convert(bvh, tmp_path / "walk.amc")
    assert names(tmp_path) == {"in", "walk.bvh"}


# Wrong use ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("in/walk.amc out.fbx", "expected a file to write that ends in .amc, .bvh, .c3d, .glb, .gltf, .trc, found .fbx"),
        ("in/walk.glb out.bvh", "found .glb: .glb is written, not read; keep the file that it was made from"),
        ("in/walk.amc out.glb --scale 1", "--scale: .glb files have a unit and axes of their own"),
        ("in/walk.amc out", "found no suffix"),
        ("in/walk.fbx out.bvh", "expected a file that ends in .amc, .bvh, .c3d, .npz, found .fbx"),
        ("in/none.amc out.bvh", "expected a motion-capture file (.amc), found nothing"),
        ("in out.bvh", "found no suffix"),
        ("in/walk.amc none/out.bvh", "expected an existing folder to write to"),
        ("in/walk.amc in/walk.amc --overwrite", "expected another file to write than one that is read"),
        ("in/walk.amc out.amc --scale 1", "--scale: .amc files have a unit and axes of their own"),
        ("in/takes.c3d out.C3D", "out.C3D: expected .amc or .bvh, found .c3d like takes.c3d"),
        ("in/walk.amc out.c3d --up y", "--up: .c3d files have a unit and axes of their own"),
        ("in/walk.amc out.bvh --scale 0", "--scale: expected a positive number of metres"),
        ("in/walk.amc out.bvh --scale nan", "--scale: expected a positive number of metres"),
        ("in/walk.amc out.bvh --fps -1", "--fps: expected a positive number"),
        ("in/walk.amc out.bvh --fps nan", "--fps: expected a positive number"),
        ("in/walk.amc out.bvh --source-fps inf", "--source-fps: expected a positive number"),
        ("in/walk.amc out.bvh --up x", "'x' is not one of"),
        ("in/walk.amc out.bvh --profile neo", "--profile: expected only with .bvh files to read"),
        ("in/walk.amc out.bvh --source-up z", "--source-up: expected only with .bvh, .npz files to read"),
        ("in/walk.bvh out.amc --subject Anna", "--subject: expected only with .c3d files to read"),
        ("in/walk.bvh out.amc --marker-set vicon41", "--marker-set: expected only with .c3d files to read"),
        ("in/walk.bvh out.amc --asf a.asf", "--asf: expected only with .amc files to read"),
        ("in/walk.bvh out.amc --source-fps 30", "--source-fps: expected only with .amc, .npz files to read"),
        ("in/walk.bvh out.amc --source-scale -1", "--source-scale: expected a positive number"),
        ("in/walk.bvh out.amc --profile nobody", "profile 'nobody': expected one of"),
        ("in/walk.amc out.bvh --asf none.asf", "none.asf"),
        ("in/walk.amc", "Missing argument 'OUT'"),
    ],
)
def test_wrong_use_is_one_line_and_writes_nothing(amc, tmp_path, call, monkeypatch, arguments, text):
    convert(amc, tmp_path / "in" / "walk.bvh")
    monkeypatch.chdir(tmp_path)
    status, out, err = call("convert", *arguments.split())
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert text in err
    assert names(tmp_path) == {"in"}
    assert names(tmp_path / "in") == {"walk.amc", "walk.asf", "walk.bvh"}


def test_more_frames_than_anybody_can_mean(amc, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FRAMES", 1000)
    with pytest.raises(FormatError, match=r"expected at most 1000 frames to write, found 49167 .*lower fps=[.]{3}"):
        convert(amc, tmp_path / "a.bvh", fps=100_000.0)


def test_advice_names_the_options_of_this_command(amc, tmp_path):
    convert(amc, tmp_path / "giant.bvh", scale=1000.0)
    with pytest.raises(FormatError, match="give the unit with source_scale=METRES"):
        convert(tmp_path / "giant.bvh", tmp_path / "walk.amc")
    assert apart(read(amc), read(tmp_path / "giant.bvh", scale=1000.0)) < 0.1  # so few digits are left of it


def test_an_option_that_a_format_does_not_have(amc):
    with pytest.raises(ConfigError, match=r"profile: \.amc files have no such option"):
        read(amc, profile="neo")
    assert len(read(amc, profile=None, fps=30.0)) == 60


def test_the_command_says_what_it_wrote_and_decided(amc, tmp_path, call):
    status, out, err = call("convert", amc, tmp_path / "walk.bvh", "--fps", "30")
    assert (status, err) == (0, "")
    assert f"{tmp_path / 'walk.bvh'}\n" in out
    assert "15 at 30 frames/s" in out
    out = call("convert", tmp_path / "walk.bvh", tmp_path / "back.amc")[1]
    assert str(tmp_path / "back.asf") in out
    assert "profile humanoid" in out
    assert "unit cm" in out
    assert "the frame rate, 30 frames per second, stands in a comment that other programs do not read" in out
    assert call("convert", amc, tmp_path / "quiet.bvh", "-q") == (0, "", "")
