"""The built-in avatars are persons of different build, come from their tables, and a user's own file is as good as one of them."""

import itertools
import json
from importlib.resources import files

import numpy as np
import pytest

from mocapgen.anatomy.avatars import avatar_names, avatar_skeleton, describe, load_avatar
from mocapgen.formats.asf import parse_asf
from mocapgen.shared.text import quoted
from mocapgen.sources.sample import ACTORS
from schemas.config import DEFAULT_AVATARS
from schemas.conventions import END_POINTS, JOINT_PARENTS, mirrored
from schemas.errors import ConfigError
from tools import derive_avatars as derive


@pytest.fixture(params=DEFAULT_AVATARS)
def avatar(request):
    return load_avatar(request.param)


def standing(avatar):
    """Joint positions by name, feet on the floor."""
    skeleton = avatar_skeleton(avatar)
    return dict(zip(skeleton.names, skeleton.rest_positions + np.array(avatar.joints[0].offset), strict=True))


def length(at, joint):
    return float(np.linalg.norm(at[joint] - at[JOINT_PARENTS[joint]]))


# The files ----------------------------------------------------------------------------------------


def test_the_default_avatars_are_built_in():
    assert avatar_names()[: len(DEFAULT_AVATARS)] == DEFAULT_AVATARS
    assert {path.name for path in files("mocapgen.anatomy.avatars").iterdir() if path.name.endswith(".json")} == {
        f"{name}.json" for name in avatar_names()
    }
    assert all(load_avatar(name).name == name for name in avatar_names())


def test_the_files_are_what_the_tables_give(tmp_path, capsys):
    assert derive.main(["--check"]) == 0
    assert derive.main(["--folder", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.json" for name in DEFAULT_AVATARS}
    (tmp_path / "tall_man.json").write_text("{}", encoding="utf-8")
    capsys.readouterr()
    assert derive.main(["--check", "--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().out == "tall_man.json is out of date: run python -m tools.derive_avatars\n"


def test_the_samples_actors_are_what_the_tables_give(tmp_path):
    assert derive.main(["--actors", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.json" for name in ACTORS}
    for name, actor in ACTORS.items():
        assert (tmp_path / f"{name}.json").read_text() == (derive.ACTORS / f"{name}.json").read_text()
        assert actor.skeleton.names == tuple(JOINT_PARENTS)


def test_every_file_names_its_sources(avatar):
    for publication in ("Dumas et al. 2007", "Gordon et al. 2014", "Chancey et al. 2007", "Bell et al. 1990"):
        assert publication in avatar.source
    assert ("Snyder et al. 1977" in avatar.source) == (avatar.name == "child_10")
    for segment in (
        "Thigh, shank, upper arm, forearm",
        "Ankle height",
        "hand",
        "Shoulder breadth",
        "Head joint",
        "Hip breadth",
        "Trunk",
        "Estimates",
    ):
        assert segment in avatar.source


# The figures --------------------------------------------------------------------------------------


def test_left_and_right_are_exact_mirror_images(avatar):
    offset = {joint.name: joint.offset for joint in avatar.joints}
    for joint, (x, y, z) in offset.items():
        assert offset[mirrored(joint)] == (-x, y, z)


def test_the_figure_stands_on_the_floor_and_is_as_tall_as_it_says(avatar):
    at = standing(avatar)
    assert at["HeadTop"][1] == pytest.approx(avatar.stature, abs=1e-6)
    assert max(position[1] for position in at.values()) == at["HeadTop"][1]
    assert 0.010 <= at["LeftToesEnd"][1] <= 0.020
    assert at["LeftToesEnd"][1] == min(position[1] for position in at.values())
    assert at["LeftToesEnd"][1] < at["LeftToes"][1] <= 0.030
    assert 0.055 <= at["LeftFoot"][1] <= 0.080


def test_the_rest_pose_is_a_t_pose_facing_z_with_x_to_the_left(avatar):
    at = standing(avatar)
    for joint in ("LeftLowerArm", "LeftHand", "LeftHandEnd"):
        direction = at[joint] - at[JOINT_PARENTS[joint]]
        np.testing.assert_allclose(direction / np.linalg.norm(direction), [1, 0, 0], atol=1e-12)
    for joint in ("LeftLowerLeg", "LeftFoot"):
        direction = at[joint] - at[JOINT_PARENTS[joint]]
        np.testing.assert_allclose(direction / np.linalg.norm(direction), [0, -1, 0], atol=1e-12)
    for joint in ("LeftToes", "LeftToesEnd"):
        assert at[joint][0] == pytest.approx(at["LeftFoot"][0])
        assert at[joint][2] > at[JOINT_PARENTS[joint]][2]
    midpoint = (at["LeftUpperLeg"] + at["RightUpperLeg"]) / 2
    assert 0.03 <= at["Hips"][1] - midpoint[1] <= 0.05
    leans = (
        (derive.SPINE_LEAN, at["Neck"] - midpoint),
        (derive.NECK_LEAN, at["Head"] - at["Neck"]),
        (derive.HEAD_LEAN, at["HeadTop"] - at["Head"]),
    )
    for lean, bone in leans:
        assert np.degrees(np.arctan2(-bone[2], bone[1])) == pytest.approx(np.degrees(lean), abs=0.1)
    heights = [at[joint][1] for joint in ("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head", "HeadTop")]
    assert min(np.diff(heights)) > 0.02
    assert 0 < at["LeftShoulder"][0] < 0.03
    assert 0.02 < at["Neck"][1] - at["LeftUpperArm"][1] < 0.07


@pytest.mark.parametrize("name", ["small_woman", "average_woman", "average_man", "tall_man"])
def test_adults_keep_the_survey_and_the_joint_centre_study(name):
    """The average adults have the study's segments to rounding; span and what else is measured directly holds at every stature."""
    avatar = load_avatar(name)
    at, table, dumas = standing(avatar), derive.ANSUR[avatar.sex], derive.DUMAS[avatar.sex]
    mean = table["stature"][0]

    def expected(dimension):
        at_mean, slope = table[dimension]
        return (at_mean + slope * (avatar.stature * 1000 - mean)) / 1000

    assert 2 * at["LeftHandEnd"][0] == pytest.approx(expected("span"), abs=5e-4)
    assert length(at, "LeftHandEnd") == pytest.approx(expected("hand length"), abs=2e-4)
    assert at["LeftFoot"][1] == pytest.approx(expected("lateral malleolus height"), abs=2e-4)
    assert at["LeftShoulder"][1] == pytest.approx(expected("suprasternale height"), abs=2e-4)
    tolerance = 0.002 if avatar.name.startswith("average") else 0.010
    for joint, segment in {"LeftLowerLeg": "thigh", "LeftFoot": "shank", "LeftLowerArm": "upper arm", "LeftHand": "forearm"}.items():
        assert length(at, joint) / avatar.stature == pytest.approx(dumas[segment] / dumas["stature"], abs=tolerance)
    assert (avatar.stature - at["Neck"][1]) / avatar.stature == pytest.approx(dumas["head and neck"] / dumas["stature"], abs=tolerance)
    # The trunk is what is left of stature, so the study's own trunk is a check of all the rest.
    trunk = (at["Neck"][1] - at["Spine"][1]) / avatar.stature
    assert trunk == pytest.approx(dumas["torso"] / dumas["stature"], abs=0.02)
    # Femoral heads, computed tomography of 200 adults: 160 mm, standard deviation 8 (doi 10.1007/s00256-009-0791-x).
    assert describe(avatar)["hip_width"] == pytest.approx(0.160, abs=2 * 0.008)


def test_the_child_keeps_the_ratios_measured_in_children():
    at = standing(load_avatar("child_10"))
    stature, ten = at["HeadTop"][1], derive.SNYDER_10
    assert length(at, "LeftHandEnd") / stature == pytest.approx(ten["hand length"], abs=2e-4)
    assert at["LeftShoulder"][1] / stature == pytest.approx(1 - ten["head height"] - ten["menton-suprasternale"], abs=2e-4)
    hip = at["LeftUpperLeg"][1] / stature
    assert hip == pytest.approx(1 - ten["sitting height"] + 0.04, abs=0.02)  # the hip joint lies some centimetres above the seat
    assert 2 * at["LeftHandEnd"][0] / stature == pytest.approx(0.985, abs=0.02)  # children's span is a little below their stature


def test_builds_differ_in_proportion_not_only_in_size():
    names = avatar_names()
    bodies = {name: describe(load_avatar(name)) for name in names}
    head = {name: 1 - standing(load_avatar(name))["Neck"][1] / bodies[name]["stature"] for name in names}
    shape = {
        name: np.array([body["leg_length"] / body["trunk_length"], body["shoulder_width"] / body["hip_width"], 10 * head[name]])
        for name, body in bodies.items()
    }
    for first, second in itertools.combinations(names, 2):
        assert np.abs(shape[first] - shape[second]).max() > 0.02, (first, second)
        assert abs(bodies[first]["stature"] - bodies[second]["stature"]) > 0.09
    legs = {name: body["leg_length"] / body["stature"] for name, body in bodies.items()}
    assert legs["tall_man"] > legs["average_man"] > legs["average_woman"] > legs["small_woman"]
    assert legs["child_10"] < legs["average_man"]
    assert head["child_10"] > max(head[name] for name in names if name != "child_10")
    hips = {name: body["hip_width"] / body["shoulder_width"] for name, body in bodies.items()}
    assert min(hips["small_woman"], hips["average_woman"]) > 1.05 * max(hips["average_man"], hips["tall_man"])


def test_the_zero_pose_leans_as_the_captured_skeletons_do(data_dir):
    """Backward lean of trunk, neck and head in the skeletons of the databases, degrees."""
    paths = {path.name: path for folder in ("hdm05", "cmu") for path in sorted((data_dir / folder).rglob("*.asf"))}
    leans = []
    for path in paths.values():
        skeleton = parse_asf(path.read_bytes(), path.name).skeleton
        at = dict(zip(skeleton.names, skeleton.rest_positions, strict=True))
        hips = (at["lfemur"] + at["rfemur"]) / 2
        bones = np.array([at["lowerneck"] - hips, at["head"] - at["lowerneck"], at["head_end"] - at["head"]])
        leans.append(np.degrees(np.arctan2(-bones[:, 2], bones[:, 1])))
    assert len(leans) >= 7
    np.testing.assert_allclose(np.mean(leans, axis=0), np.degrees([derive.SPINE_LEAN, derive.NECK_LEAN, derive.HEAD_LEAN]), atol=0.3)


def test_describe_measures_along_the_bones(avatar):
    at, body = standing(avatar), describe(avatar)
    assert list(body) == ["stature", "leg_length", "arm_length", "trunk_length", "shoulder_width", "hip_width"]
    assert body["stature"] == avatar.stature
    assert body["leg_length"] == pytest.approx(at["RightUpperLeg"][1] - at["RightFoot"][1])
    assert body["arm_length"] == pytest.approx(at["LeftHandEnd"][0] - at["LeftUpperArm"][0])
    assert body["shoulder_width"] == pytest.approx(2 * at["LeftUpperArm"][0])
    assert body["hip_width"] == pytest.approx(2 * at["LeftUpperLeg"][0])


def test_the_skeleton_has_the_joints_of_the_schema_and_its_root_at_the_origin(avatar):
    skeleton = avatar_skeleton(avatar)
    assert {name: skeleton.parent(name) for name in skeleton.names} == JOINT_PARENTS
    assert skeleton.names == tuple(JOINT_PARENTS)
    assert skeleton.end_sites == END_POINTS
    assert not skeleton.offsets[0].any()
    assert skeleton.bone_length("LeftHand") == pytest.approx(np.linalg.norm(avatar.joints[skeleton.index("LeftHand")].offset))


# A user's own -------------------------------------------------------------------------------------


@pytest.fixture
def own():
    """The content of a valid file, to be spoiled."""
    fields = load_avatar("average_man").model_dump(mode="json")
    return fields | {"name": "my_actor"}


def saved(folder, content):
    path = folder / "my_actor.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def joint(fields, name):
    return next(joint for joint in fields["joints"] if joint["name"] == name)


def message(name_or_path):
    with pytest.raises(ConfigError) as caught:
        load_avatar(name_or_path)
    text = str(caught.value)
    assert "\n" not in text
    assert "pydantic" not in text
    return text


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_an_own_file_works_by_path(tmp_path, own, prefix):
    path = saved(tmp_path, prefix + json.dumps(own).encode())
    assert load_avatar(path).name == "my_actor"
    assert load_avatar(str(path)) == load_avatar(path)


def test_the_root_may_stand_anywhere_in_an_own_file(tmp_path, own):
    joint(own, "Hips")["offset"] = [0, 0, 0]
    avatar = load_avatar(saved(tmp_path, own))
    assert describe(avatar) == describe(load_avatar("average_man"))


@pytest.mark.parametrize("name", ["giant", "giant.json", "folder/giant.json", "", "tall_man.json", "x" * 300, "a\0b", "two\nlines"])
def test_an_unknown_name_lists_the_built_in_ones(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = message(name)
    assert text.startswith(f"avatar {quoted(name)}: expected one of {', '.join(avatar_names())}, or the path of a JSON file, found ")


def test_a_folder_is_no_avatar(tmp_path):
    assert message(tmp_path).endswith("or the path of a JSON file, found a folder")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ":1: expected JSON, found: nothing"),
        (b'{"name": "a",', ":1: expected JSON, found: expecting property name enclosed in double quotes in column 14"),
        (b"[]", ": expected an avatar as a JSON object, found []"),
        (b"\xff\xfe\x00binary", ": expected a JSON file of an avatar, found text that is not UTF-8"),
        (b'{"name": "a",\n "age": "adult",\n "name": "b"}', ": expected JSON, found: the key 'name' twice"),
        (
            b'{"joints": [{"name": "a"},\n{"name": "b", "parent": "a", "parent": null}]}',
            ": expected JSON, found: the key 'parent' twice in 'joints[1]'",
        ),
    ],
    ids=["empty", "truncated", "list", "binary", "key twice", "key of a joint twice"],
)
def test_what_is_no_json_object_is_said_in_one_line(tmp_path, content, expected):
    path = saved(tmp_path, content)
    assert message(path).startswith(f"avatar file {path}{expected}")


def spoil(fields, what):
    foot = joint(fields, "LeftFoot")
    match what:
        case "missing field":
            del fields["stature"]
        case "unknown field":
            fields["colour"] = "red"
        case "text for a number":
            foot["offset"][1] = "low"
        case "not finite":
            foot["offset"][1] = float("nan")
        case "two numbers":
            foot["offset"] = [0, 1]
        case "name":
            fields["name"] = "My Actor"
        case "parent":
            foot["parent"] = "Hips"
        case "joint missing":
            fields["joints"].remove(foot)
        case "joint twice":
            fields["joints"].append(dict(foot))
        case "centimetres":
            for each in fields["joints"]:
                each["offset"] = [100 * value for value in each["offset"]]
        case "z up":
            for each in fields["joints"]:
                x, y, z = each["offset"]
                each["offset"] = [x, -z, y]
        case "sides swapped":
            for each in fields["joints"]:
                each["offset"][0] *= -1
        case "huge":
            foot["offset"][1] = -1e300
        case "long toes":
            joint(fields, "LeftToesEnd")["offset"] = [0, 0, 2.5]
        case "arms down":
            joint(fields, "LeftLowerArm")["offset"] = [0, -0.3, 0]
        case "leg up":
            foot["offset"] = [0.4, 0.1, 0]
        case "no shank":
            foot["offset"] = [0, 0, 0]
            joint(fields, "LeftLowerLeg")["offset"][1] *= 2


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("missing field", "stature: field required"),
        ("unknown field", "unknown setting 'colour'; there are name, description"),
        ("text for a number", "joints[19].offset[1]: input should be a valid number"),
        ("not finite", "expected JSON, found: NaN, which is no number, in 'joints[19].offset[1]'"),
        ("two numbers", "joints[19].offset[2]: field required"),
        ("name", "name: string should match pattern"),
        ("parent", "joints must be the 27 of the schema in its order; differing: [('LeftFoot', 'Hips'), ('LeftFoot', 'LeftLowerLeg')]"),
        ("joint missing", "joints must be the 27 of the schema in its order; differing: [('LeftFoot', 'LeftLowerLeg')]"),
        ("joint twice", "joint names repeat"),
        ("centimetres", "joints[0].offset[1]: input should be less than or equal to 3, found 97.1"),
        ("z up", "stature: expected the height of the figure in metres, y up, found 1.756 for a figure of "),
        ("sides swapped", "LeftUpperArm: expected x above RightUpperArm's (the person faces +z, so +x is left), found -0.1641"),
        ("huge", "joints[19].offset[1]: input should be greater than or equal to -3, found -1e+300"),
        ("long toes", "LeftToesEnd: expected at most the stature from its parent, found 2.5"),
        (
            "arms down",
            "LeftLowerArm: expected it to point out to the side from its parent (the person stands in T-pose), found an angle of 90 degrees",
        ),
        ("leg up", "LeftFoot: expected it to point down from its parent (the person stands in T-pose), found an angle of 1"),
        ("no shank", "LeftFoot: expected at least 0.01 m from its parent, found 0"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path, own, what, expected):
    spoil(own, what)
    path = saved(tmp_path, own)
    assert message(path).startswith(f"avatar file {path}: {expected}")


def test_several_faults_are_counted(tmp_path, own):
    del own["stature"], own["age"]
    assert message(saved(tmp_path, own)).endswith("age: field required (and 1 more)")
