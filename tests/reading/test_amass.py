"""AMASS: rotations exact on any body, the path of a person of its size, body models, and wrong files."""

from __future__ import annotations

import pickle
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.transform import Rotation

from mocapgen import convert, read
from mocapgen.core.motion import Motion
from mocapgen.core.rotation import from_vectors, to_matrix
from mocapgen.formats.amass import JOINTS, parse_amass
from mocapgen.reading.smpl import motion_of
from mocapgen.sources.sample import SOURCE as SAMPLE
from schemas.config import BuildConfig
from schemas.errors import ConfigError, FormatError
from tests.amass_files import NAMES, OURS, amass_arrays, amass_bytes, body_model, own_places, places, write_amass, y_up


@pytest.fixture(scope="module")
def walk() -> Motion:
    from mocapgen import retarget

    source = SAMPLE(BuildConfig(source="sample", dry_run=True))
    clip = next(clip for clip in source.list().clips if (clip.actor, clip.action) == ("sa", "walk"))
    return retarget(source.read(clip).motion, "average_man")[:240]


def test_joints_are_smpls_in_its_order() -> None:
    assert (tuple(JOINTS), tuple(JOINTS.values())) == (NAMES, OURS)


@pytest.mark.parametrize("model", ["smpl", "smplh", "smplx"])
def test_joints_are_where_independent_kinematics_put_them(walk: Motion, tmp_path: Path, model: str) -> None:
    arrays, notes = amass_arrays(walk, model), list[str]()
    motion = read(write_amass(tmp_path / "walk_poses.npz", arrays), notes=notes)
    rest = motion.skeleton.rest_positions[motion.skeleton.indices(list(OURS))]
    expected = y_up(places(arrays, rest))
    expected += own_places(motion)[:, :1] - expected[:, :1]  # the path is scaled, which is tested below
    np.testing.assert_allclose(own_places(motion), expected, atol=1e-6)
    assert motion.fps == walk.fps
    assert any("fingers left out" in note for note in notes) == (model != "smpl")


def test_body_only_and_split_arrays_are_the_same_motion(walk: Motion) -> None:
    arrays = amass_arrays(walk, "smplx")
    whole = motion_of(parse_amass(amass_bytes(arrays), "x.npz"))[0]
    poses = arrays["poses"]
    split = {**arrays, "poses": None, "root_orient": poses[:, :3], "pose_body": poses[:, 3:66]}
    for other in ({**arrays, "poses": poses[:, :66]}, {**arrays, "poses": poses.reshape(len(poses), -1, 3)}, split):
        found = motion_of(parse_amass(amass_bytes({name: value for name, value in other.items() if value is not None}), "x.npz"))[0]
        np.testing.assert_array_equal(found.positions(), whole.positions())


@pytest.mark.parametrize("size", [0.8, 1.0, 1.2])
def test_the_path_becomes_that_of_a_person_of_the_skeletons_size(walk: Motion, size: float) -> None:
    motion, notes, warnings = motion_of(parse_amass(amass_bytes(amass_arrays(walk, size=size)), "x.npz"))
    lowest = motion.positions()[..., 1].min(axis=1)
    assert np.abs(lowest - 0.03).max() < 0.03  # feet on the floor in every frame, whoever it was
    np.testing.assert_allclose(np.ptp(motion.root_positions, axis=0), np.ptp(walk.root_positions, axis=0), rtol=0.05, atol=0.01)
    assert f"{100 / size:.0f}"[:-1] in " ".join(notes)
    assert not warnings


def test_left_is_left_and_knees_bend_forward(walk: Motion) -> None:
    motion = motion_of(parse_amass(amass_bytes(amass_arrays(walk)), "x.npz"))[0]
    at = dict(zip(motion.skeleton.names, motion.positions().transpose(1, 0, 2), strict=True))
    up, left = np.array([0.0, 1.0, 0.0]), at["LeftUpperLeg"] - at["RightUpperLeg"]
    forward = np.cross(left, up)
    assert (at["Head"][:, 1] > at["Hips"][:, 1] + 0.4).all()
    steps = np.diff(motion.root_positions, axis=0)
    assert (np.einsum("ti,ti->t", steps, forward[1:]) > 0).mean() > 0.95
    for side in ("Left", "Right"):
        middle = 0.5 * (at[f"{side}UpperLeg"] + at[f"{side}Foot"])
        assert (np.einsum("ti,ti->t", at[f"{side}LowerLeg"] - middle, forward) > -1e-3).all()
        assert (np.einsum("ti,ti->t", at[f"{side}Toes"] - at[f"{side}Foot"], forward) > 0).mean() > 0.9


vectors = st.tuples(*[st.floats(-7.0, 7.0)] * 3)


@given(st.lists(vectors, min_size=1, max_size=20))
def test_any_rotation_vector(found: list[tuple[float, float, float]]) -> None:
    values = np.array(found)
    np.testing.assert_allclose(to_matrix(from_vectors(values)), Rotation.from_rotvec(values).as_matrix(), atol=1e-12)


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_any_pose_is_where_independent_kinematics_put_it(data: Any) -> None:
    count = data.draw(st.integers(1, 4))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    arrays = {"poses": random.normal(0.0, data.draw(st.floats(0.0, 2.0)), (count, 156)), "trans": random.normal(0.0, 3.0, (count, 3))}
    arrays["mocap_framerate"] = np.array(data.draw(st.sampled_from([60.0, 100.0, 120.0, 150.0, 59.94, 23.976])))
    motion = motion_of(parse_amass(amass_bytes(arrays), "x.npz"))[0]
    rest = motion.skeleton.rest_positions[motion.skeleton.indices(list(OURS))]
    relative = y_up(places(arrays, rest))
    np.testing.assert_allclose(own_places(motion) - own_places(motion)[:, :1], relative - relative[:, :1], atol=1e-6)
    assert motion.fps == float(arrays["mocap_framerate"])


# Body models --------------------------------------------------------------------------------------


def saved(folder: Path, name: str, arrays: dict[str, Any]) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        path.write_bytes(pickle.dumps({**arrays, "J_regressor": sparse.csc_matrix(arrays["J_regressor"]), "bs_type": "lrotmin"}, protocol=2))
    return path


@pytest.mark.parametrize("name", ["SMPLH_FEMALE.npz", "female/model.npz", "SMPLH_FEMALE.pkl"])
@pytest.mark.parametrize("folder", [False, True])
def test_bones_of_a_body_model(walk: Motion, tmp_path: Path, name: str, folder: bool) -> None:
    arrays = amass_arrays(walk)
    model, at, change = body_model()
    path = saved(tmp_path / "models", name, model)
    saved(tmp_path / "models", "SMPLH_MALE.npz", body_model(seed=1)[0])
    motion = read(write_amass(tmp_path / "walk_poses.npz", arrays), body_model=tmp_path / "models" if folder else path)
    expected = y_up(places(arrays, at + change @ arrays["betas"]))
    np.testing.assert_allclose(own_places(motion), expected, atol=1e-6)


def test_a_model_of_fewer_shape_parameters_says_so(walk: Motion, tmp_path: Path) -> None:
    arrays, notes = amass_arrays(walk), list[str]()
    model, at, change = body_model(betas=10)
    path = saved(tmp_path, "f.npz", model)
    motion = read(write_amass(tmp_path / "walk.npz", arrays), body_model=path, notes=notes)
    np.testing.assert_allclose(own_places(motion), y_up(places(arrays, at + change @ arrays["betas"][:10])), atol=1e-6)
    assert any("with 10 of 16 shape parameters" in note for note in notes)


def test_wrong_body_models(walk: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_amass(tmp_path / "walk_poses.npz", amass_arrays(walk))
    model, _, _ = body_model()
    male = saved(tmp_path / "male_only", "SMPLH_MALE.npz", model).parent
    other = saved(tmp_path, "smpl.npz", body_model(joints=24)[0])
    mirrored = {**model, "kintree_table": model["kintree_table"][:, ::-1]}
    centimetres = {**model, "v_template": 100.0 * model["v_template"]}
    fake = types.ModuleType("chumpy.ch")
    fake.Ch = type("Ch", (), {"__module__": "chumpy.ch"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", fake)
    (tmp_path / "ch.pkl").write_bytes(pickle.dumps({**model, "shapedirs": fake.Ch()}, protocol=2))
    (tmp_path / "evil.pkl").write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "smpl.npz").read_bytes()[:5000])
    for path, error, message in (
        (tmp_path / "none.npz", FormatError, "expected a motion-capture file"),
        (tmp_path / "model.txt", ConfigError, "body_model: expected a folder or a file that ends in .npz or .pkl, found"),
        (male, ConfigError, "expected the female model of SMPL+H for"),
        (other, FormatError, "expected a body model of SMPL+H, for which the motion was made, found SMPL in"),
        (saved(tmp_path, "tree.npz", mirrored), FormatError, "kintree_table is another tree than SMPL's"),
        (saved(tmp_path, "cm.npz", centimetres), FormatError, "legs of"),
        (saved(tmp_path, "part.npz", {"v_template": np.zeros((3, 3))}), FormatError, "with the arrays J_regressor, v_template"),
        (tmp_path / "ch.pkl", FormatError, "found objects of chumpy"),
        (tmp_path / "evil.pkl", FormatError, "a Python object (os.system), which could run a program"),
        (tmp_path / "cut.npz", FormatError, "expected a body model, an npz file, found a damaged one"),
    ):
        with pytest.raises(error) as caught:
            read(file, body_model=path)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


# Wrong files --------------------------------------------------------------------------------------


def spoilt(array: Any, place: tuple[int, ...], value: float) -> np.ndarray:
    array = np.array(array)
    array[place] = value
    return array


def test_wrong_files_are_one_line(walk: Motion, tmp_path: Path) -> None:
    good = amass_arrays(walk)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"poses": spoilt(good["poses"], (7, 13), np.nan)}, "poses: expected finite numbers, found nan in frame 7, joint left_knee"),
        ({"trans": spoilt(good["trans"], (3, 1), np.inf)}, "trans: expected finite numbers, found inf in frame 3"),
        ({"poses": np.degrees(good["poses"])}, "poses: expected rotation vectors in radians, found "),
        ({"trans": 100.0 * good["trans"]}, "trans: expected metres, found "),
        ({"trans": 1000.0 * good["trans"]}, "if these are centimetres or millimetres, save metres"),
        ({"poses": good["poses"][:, :100]}, "poses: expected 66, 72, 156, 165 numbers a frame, three for each joint, found 100"),
        ({"poses": good["poses"][:0]}, "poses: expected frames of rotation vectors, at least one, found"),
        ({"trans": good["trans"][1:]}, "trans: expected 240 frames of 3 numbers, as many as poses has, found an array of 239 x 3"),
        ({"trans": None}, "trans: expected an array of numbers, found none"),
        ({"mocap_framerate": None}, "expected the frame rate (mocap_framerate or mocap_frame_rate), found none; say it with fps=..."),
        ({"mocap_framerate": np.array(-3.0)}, "mocap_framerate: expected frames per second from 0.01 to 100000, found -3; say it with fps=..."),
        ({"betas": np.full(16, np.nan)}, "betas: expected up to 300 finite numbers"),
        ({"poses": np.array([{"a": 1}, None], dtype=object)}, "poses: expected"),
        ({"poses": None}, "found the shape of a person without a motion"),
        ({"poses": None, "betas": None, "gender": None}, "expected a motion of AMASS (arrays poses and trans), found an archive with dmpls"),
    ]
    for changes, message in cases:
        path = write_amass(tmp_path / "bad.npz", {name: value for name, value in {**good, **changes}.items() if value is not None})
        with pytest.raises(FormatError) as caught:
            read(path)
        assert message in str(caught.value), changes.keys()
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)


class Runs:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('ran')",)


def test_python_objects_run_nothing(walk: Motion, tmp_path: Path) -> None:
    dangerous = np.array([Runs()], dtype=object)
    path = write_amass(tmp_path / "x.npz", amass_arrays(walk, markers_obs=dangerous, labels=dangerous))
    assert len(read(path)) == len(walk)  # AMASS keeps objects in arrays that do not matter
    with pytest.raises(FormatError, match="which could run a program"):
        read(write_amass(tmp_path / "x.npz", amass_arrays(walk, trans=dangerous)))


def test_damaged_archives(walk: Motion, tmp_path: Path) -> None:
    data = amass_bytes(amass_arrays(walk))
    path = tmp_path / "x.npz"
    for damaged, message in ((data[:-500], "a damaged one"), (data[:500] + b"x" + data[501:], "a damaged one"), (b"", "found no zip")):
        path.write_bytes(damaged)
        with pytest.raises(FormatError, match=message):
            read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("poses.npy", bytes(200_000_000))
        archive.writestr("trans.npy", b"")
    with pytest.raises(FormatError, match=r"expected at most .* in an archive of .*, found more"):
        read(path)


def test_our_own_export_is_told_for_what_it_is(tmp_path: Path) -> None:
    np.savez(tmp_path / "poses.npz", positions_3d=np.zeros((2, 27, 3)), start=np.array([0]), length=np.array([2]), fps=30.0)
    with pytest.raises(FormatError, match="found positions that mocapgen exported, which have no rotations; build from what they were made of"):
        read(tmp_path / "poses.npz")


def test_a_given_rate_and_axis(walk: Motion, tmp_path: Path) -> None:
    path = write_amass(tmp_path / "x.npz", amass_arrays(walk, mocap_framerate=None))
    assert read(path, fps=100.0).fps == 100.0
    convert(path, tmp_path / "x.bvh", source_fps=50.0)
    assert read(tmp_path / "x.bvh").fps == pytest.approx(50.0)
    turned = amass_arrays(walk)
    up = Rotation.from_euler("x", -90, degrees=True)
    turned["poses"][:, :3] = (up * Rotation.from_rotvec(turned["poses"][:, :3])).as_rotvec()
    turned["trans"] = up.apply(turned["trans"])
    path = write_amass(tmp_path / "y.npz", turned)
    expected = motion_of(parse_amass(amass_bytes(amass_arrays(walk)), "y.npz"))[0]
    np.testing.assert_allclose(read(path, up="y").positions(), expected.positions(), atol=1e-9)
    _, _, warnings = motion_of(parse_amass(path.read_bytes(), "y.npz"))
    assert "the figure lies along y in 100 % of the frames; if y is up here, say up=y" in warnings[0]
    with pytest.raises(ConfigError, match=r"profile: \.npz files have no such option"):
        read(path, profile="cgspeed")


def test_npz_is_not_written(walk: Motion, tmp_path: Path) -> None:
    path = write_amass(tmp_path / "x.npz", amass_arrays(walk))
    with pytest.raises(ConfigError, match=r"expected a file to write that ends in \.amc, .*, found \.npz"):
        convert(path, tmp_path / "y.npz")
