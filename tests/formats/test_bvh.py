"""BVH read and written: every way in which sound files differ, and the conventions of rotations and positions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.rotation import angle_between
from mocapgen.formats._bvh_header import MAX_JOINTS
from mocapgen.formats.bvh import Bvh, format_bvh, parse_bvh, write_bvh
from schemas.errors import FormatError

TEXT = """\
HIERARCHY
ROOT Hips
{
	OFFSET 1 2 3
	CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
	JOINT Chest
	{
		OFFSET 0 10 0
		CHANNELS 3 Yrotation Xrotation Zrotation
		End Site
		{
			OFFSET 0 5 0.5
		}
	}
	JOINT Leg
	{
		OFFSET -4 0 0
		CHANNELS 1 Xrotation
		End Site
		{
			OFFSET 0 -8 0
		}
	}
}
MOTION
Frames: 2
Frame Time: 0.0333333
0 90 0 10 20 30 40 50 60 70
1.5 91 -2e-1 -10 -20 -30 -40 -50 -60 -70
"""
NAMES = ("Hips", "Chest", "Chest_end", "Leg", "Leg_end")


def read(text: str, lenient: bool = False) -> Bvh:
    return parse_bvh(text.encode(), "a.bvh", lenient)


def assert_same(found: Bvh, expected: Bvh) -> None:
    assert (found.names, found.parents, found.end_sites, found.channels) == (expected.names, expected.parents, expected.end_sites, expected.channels)
    np.testing.assert_array_equal(found.offsets, expected.offsets)
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.frame_time == expected.frame_time
    assert found.repairs == expected.repairs == ()


def test_the_file_as_it_stands() -> None:
    bvh = read(TEXT)
    assert bvh.names == NAMES
    assert bvh.parents == (-1, 0, 1, 0, 3)
    assert bvh.end_sites == {"Chest_end", "Leg_end"}
    assert bvh.channels[1:] == (("Yrotation", "Xrotation", "Zrotation"), (), ("Xrotation",), ())
    np.testing.assert_array_equal(bvh.offsets, [[1, 2, 3], [0, 10, 0], [0, 5, 0.5], [-4, 0, 0], [0, -8, 0]])
    np.testing.assert_array_equal(bvh.values[1], [1.5, 91, -0.2, -10, -20, -30, -40, -50, -60, -70])
    assert (len(bvh), bvh.frame_time, bvh.fps, bvh.where, bvh.repairs) == (2, 0.0333333, 30.0, "a.bvh", ())
    assert not bvh.values.flags.writeable
    assert not bvh.offsets.flags.writeable


def test_rotations_and_positions_by_matrices() -> None:
    bvh = read(TEXT)
    first = bvh.values[0]
    hips = Rotation.from_euler("ZXY", first[3:6], degrees=True)
    chest = hips * Rotation.from_euler("YXZ", first[6:9], degrees=True)
    leg = hips * Rotation.from_euler("X", first[9], degrees=True)
    at = first[:3] + hips.apply([0, 10, 0]), first[:3] + hips.apply([-4, 0, 0])
    expected = [[0, 90, 0], at[0], at[0] + chest.apply([0, 5, 0.5]), at[1], at[1] + leg.apply([0, -8, 0])]
    np.testing.assert_allclose(bvh.positions()[0], expected, atol=1e-12)
    np.testing.assert_allclose(bvh.translations()[:, 0], bvh.values[:, :3])
    np.testing.assert_allclose(bvh.translations()[:, 3], [[-4, 0, 0]] * 2)
    np.testing.assert_array_equal(bvh.rotations()[:, [2, 4]], [[[0, 0, 0, 1.0]] * 2] * 2)


ORDERS = ["".join(axes) for count in (1, 2, 3) for axes in itertools.permutations("XYZ", count)]


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_and_number_of_rotation_channels(order: str) -> None:
    channels = " ".join(f"{axis}rotation" for axis in order)
    angles = np.array([17.0, -95.5, 200.25])[: len(order)]
    rows = " ".join(map(str, angles))
    bvh = read(f"HIERARCHY\nROOT a\n{{\nOFFSET 0 0 0\nCHANNELS {len(order)} {channels}\n}}\nMOTION\nFrames: 1\nFrame Time: 1\n{rows}\n")
    expected = Rotation.identity()
    for axis, angle in zip(order, angles, strict=True):
        expected *= Rotation.from_euler(axis, angle, degrees=True)
    np.testing.assert_allclose(angle_between(bvh.rotations()[0, 0], expected.as_quat()), 0.0, atol=1e-14)


@pytest.mark.parametrize("fraction", [".0083333", "0.00833333", ".008333"])
def test_rounded_frame_times(fraction: str) -> None:
    assert read(TEXT.replace("0.0333333", fraction)).fps == 120.0


VARIANTS = {
    "CRLF": TEXT.replace("\n", "\r\n"),
    "CR": TEXT.replace("\n", "\r"),
    "byte order mark": "\ufeff" + TEXT,
    "blanks for tabs": TEXT.replace("\t", "    "),
    "no indents": TEXT.replace("\t", ""),
    "tabs between words": TEXT.replace(" ", "\t").replace("End\tSite", "End Site"),
    "blanks at the ends of lines": TEXT.replace("\n", " \t \n"),
    "empty lines": TEXT.replace("\n", "\n\n \n"),
    "no final newline": TEXT.rstrip("\n"),
    "blank tail": TEXT + "\n \n\t\n   ",
    "control-Z at the end": TEXT + "\x1a",
    "brace on the name's line": TEXT.replace("Hips\n{", "Hips {").replace("Chest\n\t{", "Chest{").replace("Site\n\t\t{", "Site {"),
    "braces on one line": TEXT.replace("\t\t}\n\t}\n", "\t\t} }\n"),
    "brace behind the offset": TEXT.replace("0 5 0.5\n\t\t}", "0 5 0.5 }"),
    "lower case": TEXT.lower().replace("hips", "Hips").replace("chest", "Chest").replace("leg", "Leg"),
    "upper-case channels": TEXT.replace("position", "POSITION").replace("rotation", "Rotation"),
    "End site": TEXT.replace("End Site", "END SITE"),
    "EndSite": TEXT.replace("End Site", "EndSite"),
    "End": TEXT.replace("End Site", "End"),
    "named end site": TEXT.replace("End Site", "End Site Tip of it"),
    "no blank after the colon": TEXT.replace("Frames: 2", "Frames:2").replace("Time: 0", "Time:0"),
    "no colon": TEXT.replace("Frames: 2", "Frames 2").replace("Time: 0", "Time 0"),
    "frame time first": TEXT.replace("Frames: 2\nFrame Time: 0.0333333\n", "Frame Time: 0.0333333\nFrames: 2\n"),
    "channels before offset": TEXT.replace("\t\tOFFSET -4 0 0\n\t\tCHANNELS 1 Xrotation\n", "\t\tCHANNELS 1 Xrotation\n\t\tOFFSET -4 0 0\n"),
    "offset after the children": TEXT.replace("\t\tOFFSET -4 0 0\n", "").replace("0 -8 0\n\t\t}", "0 -8 0\n\t\t}\n\t\tOFFSET -4 0 0\n"),
    "no channels at an end site": TEXT.replace("OFFSET 0 -8 0", "OFFSET 0 -8 0\n\t\t\tCHANNELS 0"),
    "plus signs": TEXT.replace(" 10 20 30", " +10 +20 +30"),
    "other notations": TEXT.replace("1.5 91 -2e-1", "15e-1 91.000000000000 -.2"),
}


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("lenient", [False, True])
def test_variants_mean_the_same(name: str, lenient: bool) -> None:
    assert_same(read(VARIANTS[name], lenient), read(TEXT))


# Names --------------------------------------------------------------------------------------------


def test_repeated_names_and_blanks_in_names() -> None:
    bvh = read(TEXT.replace("JOINT Chest", "JOINT  Left   Leg").replace("JOINT Leg", "JOINT Left Leg"))
    assert bvh.names == ("Hips", "Left Leg", "Left Leg_end", "Left Leg_2", "Left Leg_2_end")
    assert read(TEXT.replace("JOINT Chest", "JOINT Leg_end")).names == ("Hips", "Leg_end", "Leg_end_end", "Leg", "Leg_end_2")
    assert read(TEXT.replace("JOINT Chest", "JOINT Hips").replace("JOINT Leg", "JOINT Hips_2")).names[:4:1] == (
        "Hips", "Hips_2", "Hips_2_end", "Hips_2_2",
    )  # fmt: skip


def test_letters_beyond_ascii() -> None:
    text = TEXT.replace("Chest", "Hüfte")
    assert parse_bvh(text.encode("utf-8"), "a").names[1] == parse_bvh(text.encode("latin-1"), "a").names[1] == "Hüfte"
    assert read(TEXT.replace("Chest", "a\xa0b\x85c")).names[1] == "a\xa0b\x85c"  # no blanks here, whatever Python says


def test_words_of_the_format_as_names() -> None:
    assert read(TEXT.replace("Chest", "MOTION").replace("Leg", "End Site")).names[1:4:2] == ("MOTION", "End Site")


# Size ---------------------------------------------------------------------------------------------


def chain(depth: int, channels: str = "CHANNELS 1 Xrotation") -> str:
    joints = "".join(f"{'JOINT' if level else 'ROOT'} j{level} {{\nOFFSET 0 1 0\n{channels}\n" for level in range(depth))
    return f"HIERARCHY\n{joints}{'}' * depth}\nMOTION\nFrames: 1\nFrame Time: 0.01\n" + "0 " * depth + "\n"


def test_a_thousand_joints_deep() -> None:
    bvh = read(chain(1000))
    assert bvh.parents == tuple(range(-1, 999))
    np.testing.assert_allclose(bvh.positions()[0, -1], [0, 1000, 0])
    written = format_bvh(Motion(bvh.skeleton, bvh.rotations(), np.zeros((1, 3)), 100.0), 1.0)
    np.testing.assert_allclose(parse_bvh(written, "b").positions()[0, 999], [0, 999, 0])


def test_limits_of_size(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FormatError, match=rf"expected at most {MAX_JOINTS} joints"):
        read(chain(MAX_JOINTS + 1))
    monkeypatch.setattr("mocapgen.formats.bvh.MAX_POSES", 9)
    with pytest.raises(FormatError, match="expected at most 9 joints times frames, found 2 frames of 5 joints; split the file"):
        read(TEXT)


def test_more_frames_than_one_block() -> None:
    random = np.random.default_rng(0)
    values = np.round(random.normal(scale=100, size=(5000, 10)), 4)
    rows = "\n".join(" ".join(f"{value:.{4 if index % 7 else 9}f}" for value in row) for index, row in enumerate(values))
    bvh = read(TEXT[: TEXT.index("Frames")] + f"Frames: 5000\nFrame Time: 0.01\n{rows}\n")
    np.testing.assert_array_equal(bvh.values, values)


# Position channels --------------------------------------------------------------------------------


def moving(*values: float) -> Bvh:
    """Return a file whose leg has position channels with these values, z y x twice."""
    text = TEXT.replace("CHANNELS 1 Xrotation", "CHANNELS 4 Zposition Xrotation Yposition Xposition")
    z, y, x, next_z, next_y, next_x = values
    text = text.replace(" 60 70\n", f" 60 {z} 70 {y} {x}\n")
    return read(text.replace(" -60 -70\n", f" -60 {next_z} -70 {next_y} {next_x}\n"))


def test_position_channels_take_the_place_of_the_offset() -> None:
    bvh = moving(7, 8, 9, 7.5, 8, 9)
    assert bvh.moving_offsets == ("Leg",)
    np.testing.assert_array_equal(bvh.translations()[:, 3], [[9, 8, 7], [9, 8, 7.5]])
    hips = Rotation.from_quat(bvh.rotations()[:, 0])
    np.testing.assert_allclose(bvh.positions()[:, 3], hips.apply(bvh.translations()[:, 3]) + bvh.values[:, :3], atol=1e-12)


# Writing ------------------------------------------------------------------------------------------

SKELETON = Skeleton(
    ("root", "left arm", "head", "tip of {it}", "left_arm", "hand"),
    (-1, 0, 0, 1, 0, 1),  # not depth first
    np.array([[5, 5, 5], [0.3, 0.1, 0], [0, 0.5, 0], [1 / 3, 0, 0], [-0.3, 0.1, 0], [0, 0, 0]]),
    frozenset({"tip of {it}"}),
)


def motion(frames: int = 5, fps: float = 120.0, seed: int = 0) -> Motion:
    random = np.random.default_rng(seed)
    rotations = Rotation.random(frames * 6, rng=random).as_quat().reshape(frames, 6, 4)
    rotations[:, SKELETON.index("tip of {it}")] = [0, 0, 0, 1]
    return Motion(SKELETON, rotations, random.normal(size=(frames, 3)), fps)


WRITTEN = dict(zip(SKELETON.names, ("root", "left_arm", "head", "left_arm_end", "left_arm_2", "hand"), strict=True))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.sampled_from([0.01, 1.0, 0.001, 0.0254 / 0.45]),
    st.sampled_from("yz"),
    st.sampled_from(["".join(axes) for axes in itertools.permutations("XYZ")]),
    st.sampled_from([24.0, 25.0, 30.0, 60.0, 120.0, 30000 / 1001, 17.0, 1000.0]),
)
def test_written_and_read_again(seed: int, frames: int, unit: float, up: str, order: str, fps: float) -> None:
    given_motion = motion(frames, fps, seed)
    bvh = parse_bvh(format_bvh(given_motion, unit, up, order), "b")  # type: ignore[arg-type]
    assert bvh.fps == fps
    places = [bvh.names.index(WRITTEN[name]) for name in SKELETON.names]
    positions, rotations = bvh.positions()[:, places] * unit, bvh.rotations()[:, places]
    if up == "z":
        positions = np.stack([positions[..., 0], positions[..., 2], -positions[..., 1]], axis=-1)
        rotations = np.stack([rotations[..., 0], rotations[..., 2], -rotations[..., 1], rotations[..., 3]], axis=-1)
    np.testing.assert_allclose(positions, forward_kinematics(given_motion), rtol=0, atol=1e-9)
    assert angle_between(rotations, given_motion.rotations).max() < 1e-9
    assert bvh.repairs == ()


def test_what_is_written() -> None:
    text = format_bvh(Motion(SKELETON, np.tile([0, 0, 0, 1.0], (1, 6, 1)), np.array([[0, 1, 0]]), 24.0)).decode()
    assert text.startswith(
        "HIERARCHY\nROOT root\n{\n\tOFFSET 0.0000000000 0.0000000000 0.0000000000\n\tCHANNELS 6 Xposition Yposition Zposition Zrot"
    )
    assert "\tJOINT left_arm\n\t{\n\t\tOFFSET 30.0000000000 10.0000000000 0.0000000000\n\t\tCHANNELS 3 Zrotation Xrotation Yrotation\n" in text
    assert "\t\tEnd Site\n\t\t{\n\t\t\tOFFSET 33.3333333333 0.0000000000 0.0000000000\n\t\t}\n" in text
    assert text.endswith(
        "MOTION\nFrames: 1\nFrame Time: 0.041666666666666664\n" + " ".join(["0.0000000000", "100.0000000000"] + ["0.0000000000"] * 16) + "\n"
    )
    assert "-0.0000000000" not in text
    assert read(text).names == ("root", "left_arm", "left_arm_end", "hand", "hand_end", "head", "head_end", "left_arm_2", "left_arm_2_end")


def test_z_up_stands_upright() -> None:
    bvh = parse_bvh(format_bvh(Motion(SKELETON, np.tile([0, 0, 0, 1.0], (1, 6, 1)), np.array([[1, 2, 3.0]]), 24.0), 1.0, "z"), "b")
    np.testing.assert_allclose(bvh.positions()[0, bvh.names.index("head")], [1, -3, 2.5])


def test_angles_do_not_jump() -> None:
    turn = Rotation.from_rotvec(np.linspace(0, 1000, 200)[:, None] * [0, 1, 0], degrees=True).as_quat()
    rotations = np.tile([0, 0, 0, 1.0], (200, 6, 1))
    rotations[:, 0] = turn
    bvh = parse_bvh(format_bvh(Motion(SKELETON, rotations, np.zeros((200, 3)), 30.0)), "b")
    np.testing.assert_allclose(bvh.values[:, 5], np.linspace(0, 1000, 200), atol=1e-9)


def test_a_single_joint_and_wrong_arguments(tmp_path) -> None:  # type: ignore[no-untyped-def]
    single = Motion(Skeleton(("a",), (-1,), np.zeros((1, 3)), frozenset({"a"})), np.array([[[0, 0, 0, 1.0]]]), np.array([[1, 2, 3.0]]), 30.0)
    write_bvh(tmp_path / "a.bvh", single, 1.0)
    np.testing.assert_allclose(parse_bvh((tmp_path / "a.bvh").read_bytes(), "a").positions()[0], [[1, 2, 3], [1, 2, 3]])
    with pytest.raises(ValueError, match="scale"):
        format_bvh(single, 0.0)
    with pytest.raises(ValueError, match="up: expected y or z"):
        format_bvh(single, up="x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="order"):
        format_bvh(single, order="XYX")
