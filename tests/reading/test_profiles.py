"""Source profiles: which there are, what a user's own may say, and what `interpret` decides and reports."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mocapgen.anatomy.infer import find_roles
from mocapgen.anatomy.profiles import load_profile, profile_names, recognise
from mocapgen.anatomy.profiles.library import match
from mocapgen.core.kinematics import forward_kinematics, global_rotations
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import IDENTITY, angle_between, conjugate, from_euler, multiply
from mocapgen.formats.bvh import Bvh
from mocapgen.reading.interpretation import LEGS, Interpretation, interpret
from schemas.conventions import JOINT_PARENTS, mirrored
from schemas.errors import ConfigError, FormatError, RetargetError
from schemas.profile import REQUIRED_ROLES, UNITS, Profile, RestPose
from tests.bvh_figures import as_bvh, sample_motion
from tools import derive_rest_pose as derive

MOTION = sample_motion()


def notes(found: Interpretation) -> str:
    return "\n".join(found.notes)


def mixamo(prefix: str = "") -> Callable[[str], str]:
    joints = load_profile("mixamo").joints
    return lambda role: prefix + (names if isinstance(names := joints[role], str) else names[-1])


def vrm(role: str) -> str:
    return role[0].lower() + role[1:]


# The profiles -------------------------------------------------------------------------------------


def test_there_are_profiles_for_the_usual_flavours() -> None:
    assert {"cgspeed", "iclone", "neo", "mixamo", "vicon", "humanoid"} <= set(profile_names())


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_bears_its_file_name_and_recognises_itself(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    spelled = {names if isinstance(names, str) else names[0] for names in (*profile.joints.values(), *profile.drivers.values())}
    found = recognise(profile.prefixes[0] + joint for joint in spelled | set(profile.recognise))
    assert found is not None
    assert found.profile.name == name
    assert found.confidence == 1.0 or name == "iclone"
    assert len(set(found.joints.values())) == len(found.joints)  # nobody plays two roles


@pytest.mark.parametrize("name", profile_names())
def test_the_sides_of_a_profile_mirror_each_other(name: str) -> None:
    joints = load_profile(name).joints
    for role, spelled in joints.items():
        assert mirrored(role) in joints
        if role.startswith("Left"):
            other = joints[mirrored(role)]
            for left, right in zip([spelled] if isinstance(spelled, str) else spelled, [other] if isinstance(other, str) else other, strict=True):
                assert len(left) + left.lower().count("left") == len(right)
                assert left != right


@pytest.mark.parametrize("prefix", ["", "mixamorig:", "mixamorig_", "mixamorig"])
def test_mixamo_with_any_prefix(prefix: str) -> None:
    found = recognise(mixamo(prefix)(role) for role in JOINT_PARENTS)
    assert found is not None
    assert (found.profile.name, found.prefix) == ("mixamo", prefix)


def test_a_profile_is_not_chosen_for_lack_of_one_indispensable_joint() -> None:
    names = {mixamo("mixamorig:")(role) for role in JOINT_PARENTS}
    assert recognise(names - {"mixamorig:LeftForeArm"}) is None
    assert match(load_profile("mixamo"), names - {"mixamorig:LeftForeArm"}).missing == ("LeftLowerArm",)


def test_optional_joints_that_are_missing_lower_the_confidence_a_little() -> None:
    names = [mixamo()(role) for role in JOINT_PARENTS if not role.endswith("Toes") and not role.endswith("End")]
    found = recognise(names)
    assert found is not None
    assert 0.9 < found.confidence < 1.0


# A user's own -------------------------------------------------------------------------------------

OWN = {"name": "own", "description": "figures of our own", "prefixes": ["fig/"], "joints": {role: role.upper() for role in REQUIRED_ROLES}}


def write(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(content) if not isinstance(content, str) else content, encoding="utf-8")
    return path


def test_a_profile_of_ones_own_is_used_by_its_path(tmp_path: Path) -> None:
    bvh = as_bvh(MOTION, lambda role: "fig/" + role.upper(), unit=0.1)
    path = write(tmp_path, OWN | {"unit": 0.1, "frame_rate": 100, "up": "y", "root_position": "absolute"})
    found = interpret(bvh, profile=path)
    assert (found.profile, found.confidence, found.motion.fps) == ("own", 1.0, 100.0)
    assert "100 frames per second by profile own, not the file's 120" in notes(found)
    np.testing.assert_allclose(forward_kinematics(found.motion), forward_kinematics(MOTION), atol=1e-9)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"colour": "red"}, "unknown setting 'colour'; there are name, description, prefixes,"),
        ({"name": "Our Own"}, "name: string should match"),
        ({"joints": {"Hips": "HIPS"}}, "joints: lacks Neck, Head"),
        ({"joints": OWN["joints"] | {"Tail": "TAIL"}}, "joints: expected roles out of .*found Tail"),
        ({"unit": "furlong"}, "unit: expected infer, one of m, dm, cm, mm, inch, cmu, or a number of metres from 1e-6 to 1000, found 'furlong'"),
        ({"unit": -1}, "unit: expected infer"),
        ({"up": "x"}, "up: input should be 'y', 'z' or 'infer'"),
        ({"frame_rate": 0}, "frame_rate: input should be greater than or equal to 0.01"),
        ({"prefixes": []}, "prefixes: expected at least one"),
        ({"rest": {"method": "stored"}}, "rest: rotations are wanted for method stored"),
        ({"rest": {"method": "zero", "rotations": {"HIPS": [0, 0, 0, 1]}}}, "rest: rotations are wanted for method stored, and only for it"),
        (
            {"rest": {"method": "stored", "rotations": {"HIPS": [0, 0, 0, 2]}}},
            "rest.rotations: hIPS: expected a unit quaternion|HIPS: expected a unit",
        ),
        ({"rest": {"method": "stored", "rotations": {"HIPS": [0, 0, float("nan"), 1]}}}, "finite number"),
    ],
)
def test_a_profile_that_is_wrong_is_an_error_of_one_line(tmp_path: Path, change: dict[str, object], expected: str) -> None:
    path = write(tmp_path, OWN | change)
    with pytest.raises(ConfigError, match=expected) as caught:
        load_profile(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[1, 2]", "expected a profile as 'key: value' lines, found a list"),
        ("a: [", r"own\.yaml:1: expected YAML, found: "),
        ("", "expected a profile as 'key: value' lines, found none"),
        ("[" * 5000, "expected YAML"),
        ("name: own\ndescription: a\nname: other\n", r"own\.yaml:3: expected YAML, found: the key 'name' twice, first in line 1"),
        ("name: own\njoints:\n  Hips: a\n  Hips: b\n", r"own\.yaml:4: expected YAML, found: the key 'Hips' twice, first in line 3"),
    ],
)
def test_a_file_that_is_no_profile(tmp_path: Path, content: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        load_profile(write(tmp_path, content))


def test_a_profile_that_is_nowhere() -> None:
    for name in ("nowhere.yaml", "x" * 5000, "nul\0l"):
        with pytest.raises(ConfigError, match=r"expected one of bandai_namco, .*or the path of a YAML file"):
            load_profile(name)
    with pytest.raises(ConfigError, match="found a folder"):
        load_profile(Path(__file__).parent)


def test_a_profile_that_does_not_fit_is_refused_with_the_roles_it_lacks() -> None:
    with pytest.raises(FormatError, match=r"figure.bvh: profile iclone: found no joint for Hips, .* among Hips, Spine"):
        interpret(as_bvh(MOTION), profile="iclone")


def test_joints_that_nothing_is_known_of_are_refused_with_the_nearest_profile() -> None:
    bvh = as_bvh(MOTION)
    keep = [index for index, name in enumerate(bvh.names) if "Leg" not in name and "Foot" not in name and "Toes" not in name]
    legless = replace(
        bvh,
        names=tuple(bvh.names[index] for index in keep),
        parents=tuple(-1 if bvh.parents[index] < 0 else keep.index(bvh.parents[index]) for index in keep),
        offsets=bvh.offsets[keep],
        end_sites=frozenset(name for name in bvh.end_sites if "Toes" not in name),
        channels=(("Xposition", "Yposition", "Zposition"), *[()] * (len(keep) - 1)),
        values=bvh.values[:, :3],
    )
    with pytest.raises(
        FormatError, match=r"figure.bvh: expected joints .*found no joint for .*LeftUpperLeg.*the nearest profile, .*, lacks LeftUpperLeg"
    ):
        interpret(legless)


# What is decided ----------------------------------------------------------------------------------

NAMES = {"humanoid": lambda role: role, "vrm": vrm, "mixamo": mixamo("mixamorig:"), "mixamo_": mixamo("mixamorig_"), "bare": mixamo()}


@given(
    unit=st.sampled_from(sorted(UNITS)),
    up=st.sampled_from("yz"),
    names=st.sampled_from(sorted(NAMES)),
    offset=st.sampled_from([0.0, 0.5, 0.95]),
    relative=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_unit_axis_names_and_root_offset_make_no_difference(unit: str, up: str, names: str, offset: float, relative: bool) -> None:
    bvh = as_bvh(MOTION, NAMES[names], unit=UNITS[unit], up=up, root_offset=(0.0, offset, 0.0), relative=relative)
    found = interpret(bvh)
    assert found.profile == ("mixamo" if names in ("mixamo", "mixamo_", "bare") else "humanoid")
    np.testing.assert_allclose(forward_kinematics(found.motion), forward_kinematics(MOTION), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.motion.rotations, MOTION.rotations, rtol=0, atol=1e-9)
    assert {role: found.motion.skeleton.index(joint) for role, joint in found.roles.joints.items()} == {
        role: MOTION.skeleton.index(role) for role in JOINT_PARENTS
    }
    assert f"unit {unit}, " in notes(found)
    assert "inferred from the body's size" in notes(found)
    assert f"up axis {up}, inferred: the head is above the feet" in notes(found)
    assert "120 frames per second" in notes(found)
    assert ("position channels add to its OFFSET" in notes(found)) is (relative and offset > 0)


@given(turns=st.lists(st.floats(-60, 60), min_size=3, max_size=3), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_with_a_stored_rest_pose_the_zero_pose_makes_no_difference(turns: list[float], seed: int) -> None:
    random = np.random.default_rng(seed)
    zero = from_euler("XYZ", np.radians(turns) + random.uniform(-3, 3, (len(MOTION.skeleton.names), 3)))
    bvh = as_bvh(MOTION, zero_pose=zero)
    # In the terms of the file, the T-pose has the inverse of what its zero pose has in the terms of the T-pose.
    turning = [name for name in MOTION.skeleton.names if name not in MOTION.skeleton.end_sites]
    stored = {name: conjugate(zero[MOTION.skeleton.index(name)]).tolist() for name in turning}
    found = _by(bvh, {"rest": {"method": "stored", "rotations": stored}})
    np.testing.assert_allclose(forward_kinematics(found.motion), forward_kinematics(MOTION), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.motion.skeleton.offsets[1:], MOTION.skeleton.offsets[1:], rtol=0, atol=1e-6)
    joints = MOTION.skeleton.indices(turning)
    assert angle_between(found.motion.rotations[:, joints], MOTION.rotations[:, joints]).max() < 1e-6


def _by(bvh: Bvh, settings: dict[str, object], **options: object) -> Interpretation:
    """Interpret by a profile of one's own, made on the spot."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        content = {"name": "own", "description": "figures of our own", "joints": {role: role for role in JOINT_PARENTS}} | settings
        return interpret(bvh, profile=write(Path(folder), content), **options)  # type: ignore[arg-type]


def test_the_t_pose_before_the_motion_is_the_rest_pose_and_no_part_of_it() -> None:
    folded = np.tile(IDENTITY, (len(MOTION.skeleton.names), 1))
    for side in ("Left", "Right"):
        folded[MOTION.skeleton.index(f"{side}UpperLeg")] = from_euler("XYZ", np.array([2.9, 0.0, 0.2]))
    zero = global_rotations(MOTION.skeleton, folded[None])[0]
    t_pose = np.tile(IDENTITY, (len(MOTION.skeleton.names), 1))
    t_pose[0] = from_euler("XYZ", np.array([0.0, 0.7, 0.0]))  # facing elsewhere
    found = interpret(as_bvh(MOTION, zero_pose=zero, inserted=t_pose))
    assert len(found.motion) == len(MOTION)
    assert "rest pose: the first frame" in notes(found)
    assert "first frame dropped: a T-pose put before the motion" in notes(found)
    np.testing.assert_allclose(forward_kinematics(found.motion), forward_kinematics(MOTION), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.motion.skeleton.offsets[1:], MOTION.skeleton.offsets[1:], rtol=0, atol=1e-9)
    without = interpret(as_bvh(MOTION, zero_pose=zero))
    assert re.search(r"the zero pose is none: bone \w+UpperLeg would have to turn by 1[67]\d degrees", notes(without))


def test_the_first_frame_is_kept_or_dropped_as_the_profile_says() -> None:
    t_pose = np.tile(IDENTITY, (len(MOTION.skeleton.names), 1))
    bvh = as_bvh(MOTION, inserted=t_pose)
    assert len(_by(bvh, {"first_frame": "keep"}).motion) == len(MOTION) + 1
    assert len(_by(bvh, {"first_frame": "detect"}).motion) == len(MOTION)
    dropped = _by(as_bvh(MOTION), {"first_frame": "drop"})
    assert len(dropped.motion) == len(MOTION) - 1
    assert "first frame dropped: by profile own" in notes(dropped)
    single = _by(as_bvh(MOTION.slice(0, 1)), {"first_frame": "drop"})
    assert len(single.motion) == 1
    assert "the only frame is kept" in notes(single)


def test_a_profile_whose_unit_makes_no_person_is_corrected_and_that_is_said() -> None:
    found = _by(as_bvh(MOTION, unit=0.001), {"unit": "cm"})
    assert "unit mm, 0.001 m, inferred from the body's size (profile own says cm, which would make the legs 8.58 m long)" in notes(found)
    np.testing.assert_allclose(forward_kinematics(found.motion), forward_kinematics(MOTION), atol=1e-9)


def test_scale_and_up_as_asked_for() -> None:
    found = interpret(as_bvh(MOTION, unit=0.2, up="z"), scale=0.2, up="z")
    np.testing.assert_allclose(forward_kinematics(found.motion), forward_kinematics(MOTION), atol=1e-9)
    assert "up axis z, as asked for" in notes(found)
    assert "unit 0.2 m, as asked for (legs of 0.858 m)" in notes(found)
    assert "; expected 0.40 to 1.20 m" in notes(interpret(as_bvh(MOTION, unit=0.01), scale=0.03))
    with pytest.raises(FormatError, match=r"expected legs of 0\.40 to 1\.20 m, found legs of 257.* m by scale=3; with lenient=True"):
        interpret(as_bvh(MOTION, unit=0.01), scale=3.0)
    assert "expected legs" in notes(interpret(as_bvh(MOTION, unit=0.01), scale=3.0, lenient=True))


@pytest.mark.parametrize("options", [{"up": "x"}, {"scale": 0.0}, {"scale": float("nan")}, {"scale": -1.0}])
def test_scale_and_up_that_are_wrong(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"^(up|scale): "):
        interpret(as_bvh(MOTION), **options)  # type: ignore[arg-type]


def test_no_unit_makes_a_person_of_it() -> None:
    with pytest.raises(FormatError, match=r"expected legs of 0.40 to 1.20 m in some unit out of m, dm, cm, .*scale=METRES, such as scale=95.6"):
        interpret(as_bvh(MOTION, unit=100.0))


def test_a_figure_on_its_head_is_refused() -> None:
    turned = np.array(MOTION.rotations)
    turned[:, 0] = multiply(from_euler("XYZ", np.array([np.pi, 0.0, 0.0])), turned[:, 0])
    with pytest.raises(FormatError, match="expected the head above the feet, found it below in every frame"):
        interpret(as_bvh(replace(MOTION, rotations=turned)), up="y")


def test_a_mirrored_figure_is_refused() -> None:
    for found, lenient in ((None, False), ("left leg is where the right one should be", True)):
        bvh = as_bvh(MOTION, mirrored)
        if found is None:
            with pytest.raises(FormatError, match="the figure is mirrored; with lenient=True"):
                interpret(bvh, lenient=lenient)
        else:
            assert found in notes(interpret(bvh, lenient=lenient))


def test_a_pelvis_that_lost_its_vertical_motion_is_refused() -> None:
    path = np.array(MOTION.root_positions)
    path[:, 1] = 0.95
    bvh = as_bvh(replace(MOTION, root_positions=path))
    with pytest.raises(
        FormatError, match=r"figure.bvh: the pelvis does not move vertically, while the lower foot goes up and down by \d+ mm.*lenient=True"
    ):
        interpret(bvh)
    assert "its vertical motion is lost" in notes(interpret(bvh, lenient=True))
    still = replace(MOTION, rotations=MOTION.rotations[:1].repeat(20, axis=0), root_positions=MOTION.root_positions[:1].repeat(20, axis=0))
    assert "vertical motion" not in notes(interpret(as_bvh(still)))  # somebody who stands still has lost nothing


def test_where_the_feet_rest_is_reported_and_not_changed() -> None:
    raised = replace(MOTION, root_positions=MOTION.root_positions + np.array([0.0, 0.25, 0.0]))
    found = interpret(as_bvh(raised))
    np.testing.assert_allclose(found.motion.root_positions, raised.root_positions, atol=1e-12)
    assert "lowest foot joint at y = 25.9 cm (5th percentile over time)" in notes(found)


def test_roles_by_a_profile_are_those_that_a_skeleton_without_its_file_gets() -> None:
    found = interpret(as_bvh(MOTION, mixamo("mixamorig:")))
    assert dict(find_roles(found.motion.skeleton).joints) == dict(found.roles.joints)


# The rest block of a profile ----------------------------------------------------------------------


def _text(bvh: Bvh) -> str:
    """Return a BVH file (the end sites without names, as the format has it)."""
    lines = ["HIERARCHY"]

    def joint(index: int, depth: int) -> None:
        pad, end = "  " * depth, bvh.names[index] in bvh.end_sites
        lines.append(pad + ("End Site" if end else f"{'ROOT' if index == 0 else 'JOINT'} {bvh.names[index]}"))
        lines.extend((pad + "{", pad + "  OFFSET " + " ".join(repr(float(value)) for value in bvh.offsets[index])))
        if not end:
            lines.append(pad + f"  CHANNELS {len(bvh.channels[index])} " + " ".join(bvh.channels[index]))
            for child in (child for child, parent in enumerate(bvh.parents) if parent == index):
                joint(child, depth + 1)
        lines.append(pad + "}")

    joint(0, 0)
    lines += ["MOTION", f"Frames: {len(bvh)}", f"Frame Time: {bvh.frame_time!r}"]
    return "\n".join([*lines, *(" ".join(repr(float(value)) for value in row) for row in bvh.values)]) + "\n"


def test_the_rest_block_is_derived_from_a_t_pose_frame(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zero = from_euler("XYZ", np.random.default_rng(3).uniform(-1, 1, (len(MOTION.skeleton.names), 3)))
    t_pose = np.tile(IDENTITY, (len(MOTION.skeleton.names), 1))
    file = tmp_path / "t.bvh"
    file.write_text(_text(as_bvh(MOTION, zero_pose=zero, inserted=t_pose)), encoding="utf-8")
    assert derive.main([str(file), "--profile", "humanoid"]) == 0
    block = yaml.safe_load(capsys.readouterr().out)["rest"]
    assert block["method"] == "stored"
    for joint, rotation in block["rotations"].items():
        wanted: Array = conjugate(zero)[MOTION.skeleton.index(joint)] if joint in MOTION.skeleton else conjugate(zero)[-1]
        if joint not in MOTION.skeleton.end_sites and joint in MOTION.skeleton:
            assert angle_between(np.array(rotation), wanted) < 1e-5
    (tmp_path / "none.bvh").write_text(_text(as_bvh(MOTION)), encoding="utf-8")
    assert derive.main([str(tmp_path / "none.bvh")]) == 2
    assert "expected a file that starts with a T-pose, found none among 1" in capsys.readouterr().err
    assert derive.main([str(tmp_path / "nowhere.bvh")]) == 2


def test_motion_with_frames_of_one_pose_is_understood() -> None:
    single = Motion(MOTION.skeleton, MOTION.rotations[:1], MOTION.root_positions[:1], 30.0)
    assert len(interpret(as_bvh(single)).motion) == 1


def test_the_documented_profile_is_valid_and_every_key_is_documented(tmp_path: Path, repository: Path) -> None:
    page = (repository / "docs" / "profiles.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    assert load_profile(write(tmp_path, example)).name == "our_lab"
    keys = [*Profile.model_fields.keys() - {"rest"}, *(f"rest.{key}" for key in RestPose.model_fields)]
    assert [key for key in keys if f"| `{key}` |" not in page] == []
    assert [name for name in profile_names() if f"| `{name}` |" not in page] == []
    assert [f"{limit:.2f} m" for limit in LEGS if f"{limit:.2f} m" not in page] == []


def _damaged(random: np.random.Generator) -> Bvh:
    """Return a figure that one to three things have happened to."""
    bvh = BVH
    offsets, values, names = np.array(bvh.offsets), np.array(bvh.values), list(bvh.names)
    for kind in random.integers(0, 8, size=random.integers(1, 4)):
        if kind == 0:
            offsets[random.integers(0, len(offsets))] = 0.0
        elif kind == 1:
            offsets[:] = 0.0
        elif kind == 2:
            offsets *= 10.0 ** random.integers(-12, 12)
        elif kind == 3:
            values[:] = 0.0
        elif kind == 4:
            values[:, 3:] = random.uniform(-180, 180, values[:, 3:].shape)
        elif kind == 5:
            random.shuffle(names)
        elif kind == 6:
            names = [f"n{index}" for index in range(len(names))]
        else:
            offsets = random.normal(size=offsets.shape)
    ends = frozenset(name for name, channels in zip(names, bvh.channels, strict=True) if not channels)
    return replace(bvh, names=tuple(names), offsets=offsets, values=values, end_sites=ends)


BVH = as_bvh(MOTION.slice(0, 8))


@given(seed=st.integers(0, 2**32 - 1), lenient=st.booleans(), scale=st.sampled_from([None, 1.0]))
@settings(max_examples=120, deadline=None)
def test_damaged_figures_are_understood_or_refused_in_one_line(seed: int, lenient: bool, scale: float | None) -> None:
    refused = ""
    try:
        found = interpret(_damaged(np.random.default_rng(seed)), lenient=lenient, scale=scale)
    except FormatError as error:
        refused = str(error)
    else:
        assert np.isfinite(forward_kinematics(found.motion)).all()
    for line in (refused,) if refused else found.notes:
        assert line.startswith("figure.bvh: ")
        assert "\n" not in line


def test_trees_of_many_joints_end_in_an_answer() -> None:
    """Wide, deep and bushy, with names that all say something: a search that tried all pairs or paths would not come back."""
    count = 3000
    for parents in ([0] * (count - 1), range(count - 1), [index // 2 for index in range(count - 1)]):
        names = tuple(f"Left{('Hand', 'Arm', 'ForeArm')[index % 3]}{index}" for index in range(count))
        with pytest.raises(RetargetError, match="found no joint for"):
            find_roles(Skeleton(names, (-1, *parents), np.ones((count, 3))))
