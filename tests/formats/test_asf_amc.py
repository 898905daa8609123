"""ASF/AMC: every feature of the format against a plain implementation with matrices, one frame and one bone at a time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.rotation import angle_between, from_euler
from mocapgen.formats.asf import Asf, format_asf, parse_asf
from mocapgen.formats.asf_amc import DEFAULT_FPS, find_asf, format_amc, parse_amc, read_amc, write_amc
from mocapgen.reading import read
from schemas.errors import FormatError

ORDERS = ["".join(order) for order in itertools.permutations("XYZ")]


@dataclass(frozen=True)
class Bone:
    name: str
    parent: str
    direction: tuple[float, float, float]
    length: float
    axis: tuple[float, float, float] = (0.0, 0.0, 0.0)
    order: str = "XYZ"
    dof: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A skeleton in the terms of the file: lengths in file units, angles in degrees."""

    bones: tuple[Bone, ...] = (
        Bone("hip", "root", (0.6, -0.64, 0.48), 2.5, (10.0, -20.0, 35.0)),
        Bone("thigh", "hip", (0.0, -0.8, 0.6), 6.5, (0.0, 15.0, 20.0), dof=("rx", "ry", "rz")),
        Bone("shank", "thigh", (0.36, -0.48, 0.8), 7.0, (90.0, -30.0, 120.0), dof=("rx",)),
        Bone("foot", "shank", (1.0, 0.0, 0.0), 2.0, (-90.0, 1e-3, 20.0), dof=("rz", "rx")),
        Bone("back", "root", (0.0, 1.0, 0.0), 4.0, dof=("rz", "ry", "rx")),
        Bone("wrist", "back", (-0.48, 0.6, 0.64), 1.5, (-160.0, 70.0, -95.0), dof=("ry",)),
        Bone("hand", "back", (0.0, 0.0, -1.0), 0.75, (180.0, 30.0, 90.0), dof=("ry", "rz")),
    )
    units: float = 0.45
    degrees: bool = True
    root_order: tuple[str, ...] = ("tx", "ty", "tz", "rx", "ry", "rz")
    root_axis: str = "XYZ"
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    orientation: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def reordered(self, order: str) -> Figure:
        return replace(self, bones=tuple(replace(bone, order=order) for bone in self.bones))


Frames = list[dict[str, dict[str, float]]]
"""For every frame, for every bone, the value of each channel: degrees, file units."""


def make_frames(figure: Figure, count: int = 5, seed: int = 0) -> Frames:
    random = np.random.default_rng(seed)
    moving = [("root", figure.root_order), *((bone.name, bone.dof) for bone in figure.bones if bone.dof)]
    return [
        {name: {c: float(random.uniform(-20, 20) if c[0] == "t" else random.uniform(-180, 180)) for c in channels} for name, channels in moving}
        for _ in range(count)
    ]


def asf_text(figure: Figure) -> str:
    unit = 1.0 if figure.degrees else np.pi / 180

    def vector(values: tuple[float, float, float], scale: float = 1.0) -> str:
        return " ".join(repr(float(value * scale)) for value in values)

    lines = [
        ":version 1.10",
        ":name test figure",
        ":units",
        "  mass 1.0",
        f"  length {figure.units}",
        f"  angle {'deg' if figure.degrees else 'rad'}",
    ]
    lines += [
        ":documentation",
        "  begin of nothing in particular",
        ":root",
        f"  order {' '.join(figure.root_order).upper()}",
        f"  axis {figure.root_axis}",
    ]
    lines += [f"  position {vector(figure.position)}", f"  orientation {vector(figure.orientation, unit)}", ":bonedata"]
    for number, bone in enumerate(figure.bones):
        lines += ["  begin", f"    id {number}", f"    name {bone.name}", f"    direction {vector(bone.direction)}", f"    length {bone.length}"]
        lines += [f"    axis {vector(bone.axis, unit)} {bone.order}"]
        if bone.dof:
            lines += [f"    dof {' '.join(bone.dof)}", "    limits (-160.0 20.0)", *["           (-70.0 70.0)"] * (len(bone.dof) - 1)]
        lines += ["  end"]
    lines += [":hierarchy", "  begin"]
    for parent in dict.fromkeys(bone.parent for bone in figure.bones):
        lines += [f"    {parent} {' '.join(bone.name for bone in figure.bones if bone.parent == parent)}"]
    return "\n".join([*lines, "  end", ""])


def amc_text(figure: Figure, frames: Frames, degrees: bool | None = None, keyword: bool = True) -> str:
    degrees = figure.degrees if degrees is None else degrees
    order = {"root": figure.root_order} | {bone.name: bone.dof for bone in figure.bones}
    lines = ["#!OML:ASF somewhere", ":FULLY-SPECIFIED"] + [":DEGREES" if degrees else ":RADIANS"] * keyword
    for number, frame in enumerate(frames, start=1):
        lines.append(str(number))
        for name, values in frame.items():
            words = [repr(values[c] if degrees or c[0] == "t" else values[c] * np.pi / 180) for c in order[name]]
            lines.append(" ".join([name, *words]))
    return "\n".join([*lines, ""])


def turn(letter: str, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array(
        {"X": [[1, 0, 0], [0, c, -s], [0, s, c]], "Y": [[c, 0, s], [0, 1, 0], [-s, 0, c]], "Z": [[c, -s, 0], [s, c, 0], [0, 0, 1]]}[letter]
    )


def turns(order: str, angles: tuple[float, float, float]) -> np.ndarray:
    """Turn about the fixed axes in the order of the letters; angles are about x, y, z."""
    matrix = np.eye(3)
    for letter in order:
        matrix = turn(letter, angles["XYZ".index(letter)]) @ matrix
    return matrix


def reference(figure: Figure, frames: Frames) -> dict[str, np.ndarray]:
    """Return where the far end of each bone is, (T, 3), metres."""
    metres = 0.0254 / figure.units
    ends: dict[str, list[np.ndarray]] = {name: [] for name in ("root", *(bone.name for bone in figure.bones))}
    for frame in frames:
        values = frame["root"]
        local = turns(figure.root_axis, tuple(values.get(c, 0.0) for c in ("rx", "ry", "rz")))
        rotation = {"root": turns(figure.root_axis, figure.orientation) @ local}
        ends["root"].append((np.array(figure.position) + [values.get(c, 0.0) for c in ("tx", "ty", "tz")]) * metres)
        for bone in figure.bones:
            base = turns(bone.order, bone.axis)
            local = turns(bone.order, tuple(frame.get(bone.name, {}).get(c, 0.0) for c in ("rx", "ry", "rz")))
            rotation[bone.name] = rotation[bone.parent] @ base @ local @ np.linalg.inv(base)
            ends[bone.name].append(ends[bone.parent][-1] + rotation[bone.name] @ np.array(bone.direction) * bone.length * metres)
    return {name: np.array(values) for name, values in ends.items()}


def far_ends(motion: Motion) -> dict[str, np.ndarray]:
    """Return the same from a motion: the far end of a bone is the head of its children or its end site."""
    positions, skeleton = forward_kinematics(motion), motion.skeleton
    inner = [name for name in skeleton.names if name not in skeleton.end_sites and name != "root"]
    found = {name: positions[:, skeleton.index((skeleton.children(name))[0])] for name in inner}
    return found | {"root": positions[:, 0]}


def check(motion: Motion, figure: Figure, frames: Frames) -> None:
    expected, found = reference(figure, frames), far_ends(motion)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-12 * max(1.0, float(np.abs(values).max())), err_msg=name)


def parse(asf: str | bytes, amc: str | bytes) -> Motion:
    asf, amc = (text if isinstance(text, bytes) else text.encode("latin-1") for text in (asf, amc))
    return parse_amc(amc, parse_asf(asf, "a.asf"), "a.amc")


FIGURE = Figure()
FRAMES = make_frames(FIGURE)


# Reading ------------------------------------------------------------------------------------------


def test_the_figure_as_it_is() -> None:
    motion = parse(asf_text(FIGURE), amc_text(FIGURE, FRAMES))
    check(motion, FIGURE, FRAMES)
    assert motion.skeleton.names == ("root", "hip", "thigh", "shank", "foot", "back", "wrist", "hand", "foot_end", "wrist_end", "hand_end")
    assert motion.skeleton.end_sites == {"foot_end", "wrist_end", "hand_end"}
    assert (motion.fps, motion.name) == (DEFAULT_FPS, "motion")


def test_the_base_pose_is_the_rest_pose() -> None:
    """All values zero: every joint unrotated, bones along their `direction`."""
    frames = [{name: dict.fromkeys(values, 0.0) for name, values in FRAMES[0].items()}]
    motion = parse(asf_text(FIGURE), amc_text(FIGURE, frames))
    np.testing.assert_allclose(np.abs(motion.rotations), np.broadcast_to([0, 0, 0, 1], motion.rotations.shape), atol=1e-15)
    thigh = forward_kinematics(motion)[0, motion.skeleton.index("shank")] - forward_kinematics(motion)[0, motion.skeleton.index("thigh")]
    np.testing.assert_allclose(thigh, np.array([0.0, -0.8, 0.6]) * 6.5 * 0.0254 / 0.45, atol=1e-15)


@pytest.mark.parametrize(
    "figure",
    [
        replace(FIGURE, units=1.0),
        replace(FIGURE, units=0.056444),
        replace(FIGURE, units=2.54),
        replace(FIGURE, position=(1.0, -2.0, 3.5)),
        replace(FIGURE, orientation=(30.0, -50.0, 110.0)),
        replace(FIGURE, orientation=(30.0, -50.0, 110.0), root_axis="ZXY", position=(0.1, 0.2, 0.3)),
        replace(FIGURE, root_order=("rz", "ry", "rx", "tz", "tx", "ty")),
        replace(FIGURE, root_order=("ry", "tx", "rx")),
        replace(FIGURE, degrees=False),
        replace(FIGURE, degrees=False, orientation=(30.0, -50.0, 110.0)),
        *(FIGURE.reordered(order) for order in ORDERS),
        *(replace(FIGURE, root_axis=order) for order in ORDERS),
        replace(FIGURE, bones=tuple(replace(bone, order=ORDERS[index % 6]) for index, bone in enumerate(FIGURE.bones)), root_axis="YZX"),
        *(replace(FIGURE, bones=tuple(replace(bone, dof=tuple(dof)) for bone in FIGURE.bones)) for dof in itertools.permutations(("rx", "ry", "rz"))),
        *(replace(FIGURE, bones=tuple(replace(bone, dof=dof) for bone in FIGURE.bones)).reordered("YXZ") for dof in (("rz",), ("ry", "rx"), ())),
        replace(FIGURE, bones=(*FIGURE.bones, Bone("point", "hand", (0.0, 0.0, 0.0), 0.0, dof=("rx",)), Bone("tip", "point", (0.0, 1.0, 0.0), 1.0))),
        replace(FIGURE, bones=tuple(reversed(FIGURE.bones[:1])) + FIGURE.bones[4:5]),
        replace(FIGURE, bones=(Bone("only", "root", (0.0, 0.6, 0.8), 1.0, dof=("ry",)),)),
    ],
)
def test_features_of_the_skeleton(figure: Figure) -> None:
    frames = make_frames(figure)
    check(parse(asf_text(figure), amc_text(figure, frames)), figure, frames)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_skeleton(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 6))
    names = ["root", *(f"bone{index}" for index in range(count))]
    angle = st.floats(-360.0, 360.0)
    channels = st.lists(st.sampled_from(["rx", "ry", "rz"]), unique=True).map(tuple)
    order = st.sampled_from(ORDERS)
    bones = []
    for index in range(count):
        x, y, z = data.draw(st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1))
        norm = float(np.linalg.norm([x, y, z]))
        axis = data.draw(st.tuples(angle, angle, angle))
        bones.append(
            Bone(
                names[index + 1],
                data.draw(st.sampled_from(names[: index + 1])),
                (x / norm, y / norm, z / norm),
                3.0,
                axis,
                data.draw(order),
                data.draw(channels),
            )
        )
    root = tuple(data.draw(st.permutations(["tx", "ty", "tz", "rx", "ry", "rz"])))
    figure = Figure(tuple(bones), 0.45, data.draw(st.booleans()), root, data.draw(order), (1.0, 2.0, 3.0), data.draw(st.tuples(angle, angle, angle)))
    frames = make_frames(figure, 3)
    motion = parse(asf_text(figure), amc_text(figure, frames))
    check(motion, figure, frames)
    # and back again, against its own skeleton
    asf = parse_asf(asf_text(figure).encode(), "a.asf")
    again = parse_amc(format_amc(motion, parse_asf(format_asf(asf), "b.asf")), parse_asf(format_asf(asf), "b.asf"), "b.amc")
    assert angle_between(again.rotations, motion.rotations).max() < 1e-8
    np.testing.assert_allclose(again.root_positions, motion.root_positions, atol=1e-9)


@pytest.mark.parametrize(
    ("in_asf", "in_amc", "keyword"),
    [(True, True, True), (True, False, True), (False, True, True), (False, False, True), (True, True, False), (False, False, False)],
)
def test_degrees_and_radians(in_asf: bool, in_amc: bool, keyword: bool) -> None:
    """The AMC's own keyword counts; without one, the skeleton's unit."""
    figure = replace(FIGURE, degrees=in_asf)
    check(parse(asf_text(figure), amc_text(figure, FRAMES, degrees=in_amc, keyword=keyword)), figure, FRAMES)


def test_keywords_in_lower_case() -> None:
    check(parse(asf_text(FIGURE), amc_text(FIGURE, FRAMES, degrees=False).replace(":RADIANS", ":radians")), FIGURE, FRAMES)
    asf = asf_text(FIGURE)
    for word in (":root", ":hierarchy", ":bonedata", ":units", "order", "direction", "begin", " end", "length", "angle deg", "dof"):
        asf = asf.replace(word, word.upper())
    check(parse(asf, amc_text(FIGURE, FRAMES)), FIGURE, FRAMES)
    check(
        parse(asf_text(FIGURE).replace("XYZ", "xyz").replace("TX TY TZ", "tx ty tz").replace("dof rx", "dof RX"), amc_text(FIGURE, FRAMES)),
        FIGURE,
        FRAMES,
    )


LAYOUTS = {
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "mixed line ends": lambda text: "".join(line + ("\r\n" if index % 3 else "\n") for index, line in enumerate(text.split("\n")[:-1])),
    "blank lines": lambda text: text.replace("\n", "\n\n \t\n"),
    "blank lines and crlf": lambda text: text.replace("\n", "\r\n\r\n  \r\n"),
    "tabs": lambda text: text.replace(" ", "\t"),
    "wide": lambda text: text.replace(" ", "    ").replace("\n", "  \n\t "),
    "a tail of blanks": lambda text: text + "\n \t\n\n  ",
    "a tail without a line break": lambda text: text + "   ",
    "latin-1 comment": lambda text: "# M\xfcller, 90\xb0\n" + text,
    "comments everywhere": lambda text: text.replace("\n", " # 12 \xfc :root\n# 7\n"),
    "a comment at the very end": lambda text: text + "# the end",
    "a dos end-of-file mark": lambda text: text + "\x1a",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("file", ["asf", "amc", "both"])
def test_layout_of_the_text(layout: str, file: str) -> None:
    change = LAYOUTS[layout]
    asf, amc = asf_text(FIGURE), amc_text(FIGURE, FRAMES)
    if layout == "a dos end-of-file mark":
        check(parse(asf, change(amc)), FIGURE, FRAMES)
    elif layout == "comments everywhere":  # a frame number stands alone
        amc = "\n".join(line if line.isdigit() else f"{line} # 12 \xfc :root\n# 7" for line in amc.split("\n")) + "\n"
        check(parse(change(asf), amc), FIGURE, FRAMES)
    else:
        check(parse(asf if file == "amc" else change(asf), amc if file == "asf" else change(amc)), FIGURE, FRAMES)


def test_notations_of_numbers() -> None:
    amc = ":FULLY-SPECIFIED\n:DEGREES\n7\nroot +1 -.5 2. 2.5842e-015 1E1 -0\nthigh 0010.50 1e-300 123456789e-7\nshank 33.33333333333333333333\n"
    amc += "foot 1e+1 -2.0E-1\nback 0.1 0.2 0.3\nwrist 170\nhand 1 2\n"
    frames = [
        {
            "root": {"tx": 1.0, "ty": -0.5, "tz": 2.0, "rx": 2.5842e-15, "ry": 10.0, "rz": 0.0},
            "thigh": {"rx": 10.5, "ry": 0.0, "rz": 12.3456789},
            "shank": {"rx": 100 / 3},
            "foot": {"rz": 10.0, "rx": -0.2},
            "back": {"rz": 0.1, "ry": 0.2, "rx": 0.3},
            "wrist": {"ry": 170.0},
            "hand": {"ry": 1.0, "rz": 2.0},
        }
    ]
    check(parse(asf_text(FIGURE), amc), FIGURE, frames)


def test_bones_in_another_order_and_bones_without_values() -> None:
    shuffled = [{name: frame[name] for name in ("wrist", "foot", "thigh", "root", "hand", "shank", "back")} for frame in FRAMES]
    check(parse(asf_text(FIGURE), amc_text(FIGURE, shuffled)), FIGURE, FRAMES)
    named = [frame | {"hip": {}} for frame in FRAMES]  # a bone that cannot move may be named, with no values
    check(parse(asf_text(FIGURE), amc_text(FIGURE, named)), FIGURE, FRAMES)


def test_hierarchy_in_any_order_of_lines_and_bones() -> None:
    figure = replace(FIGURE, bones=tuple(FIGURE.bones[index] for index in (3, 6, 0, 2, 5, 1, 4)))
    motion = parse(asf_text(figure), amc_text(FIGURE, FRAMES))
    expected, found = reference(FIGURE, FRAMES), far_ends(motion)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-12)


def test_frames_need_not_start_at_one() -> None:
    for first in (0, 100, 99_998):
        amc = "\n".join(str(int(line) + first - 1) if line.isdigit() else line for line in amc_text(FIGURE, FRAMES).split("\n"))
        check(parse(asf_text(FIGURE), amc), FIGURE, FRAMES)


def test_one_frame_and_many() -> None:
    for count in (1, 3000):
        frames = make_frames(FIGURE, count)
        motion = parse(asf_text(FIGURE), amc_text(FIGURE, frames))
        assert len(motion) == count
        check(motion.slice(count - 1, count), FIGURE, frames[-1:])


# Writing ------------------------------------------------------------------------------------------


def assert_same(found: Motion, expected: Motion) -> None:
    """<= 1e-4 degrees, <= 1e-3 mm."""
    joints = [name for name in expected.skeleton.names if name not in expected.skeleton.end_sites]
    a = found.rotations[:, found.skeleton.indices(["root", *joints[1:]])]
    assert np.degrees(angle_between(a, expected.rotations[:, expected.skeleton.indices(joints)])).max() < 1e-4
    places = forward_kinematics(found)[:, found.skeleton.indices(["root", *joints[1:]])]
    assert np.abs(places - forward_kinematics(expected)[:, expected.skeleton.indices(joints)]).max() < 1e-6


@pytest.mark.parametrize(
    "figure",
    [
        FIGURE,
        replace(FIGURE, degrees=False, orientation=(10.0, 20.0, 30.0), position=(3.0, 2.0, 1.0), root_axis="YXZ"),
        *(FIGURE.reordered(order) for order in ORDERS),
    ],
)
def test_write_and_read_with_subsets_of_channels(figure: Figure) -> None:
    frames = make_frames(figure, 60)
    for index, frame in enumerate(frames):
        frame["wrist"]["ry"] = 170.0 - index  # beyond 90 degrees the usual set of Euler angles needs all three channels
        frame["foot"] |= {"rx": 100.0 + index, "rz": 175.0}
    motion = parse(asf_text(figure), amc_text(figure, frames))
    asf = parse_asf(asf_text(figure).encode(), "a.asf")
    data = format_amc(motion, asf)
    assert data.splitlines()[1:4:2] == [b"# 120 frames per second", (b":DEGREES" if figure.degrees else b":RADIANS")]
    again = parse_amc(data, asf, "b.amc")
    assert_same(again, motion)
    check(again, figure, frames)
    lines = data.decode().splitlines()
    wrist = float(lines[[line.split()[0] for line in lines].index("wrist")].split()[1])
    assert wrist == pytest.approx(170.0 if figure.degrees else np.radians(170.0), abs=1e-6)


@pytest.mark.parametrize("dof", [tuple(dof) for count in (1, 2) for dof in itertools.permutations(("rx", "ry", "rz"), count)])
@pytest.mark.parametrize("order", ORDERS)
def test_write_and_read_at_gimbal_lock(dof: tuple[str, ...], order: str) -> None:
    """With a middle angle of 90 degrees the outer two cannot be told apart, but only one of them may be used."""
    figure = Figure((Bone("bone", "root", (0.0, 1.0, 0.0), 1.0, (20.0, 30.0, 40.0), order, dof),))
    values = [dict(zip(dof, pair, strict=False)) for pair in itertools.product((90.0, -90.0, 90.0 - 1e-7, 89.99, 0.0, 180.0, 135.0, 33.0), repeat=2)]
    frames: Frames = [{"root": dict.fromkeys(figure.root_order, 0.0), "bone": {channel: value[channel] for channel in dof}} for value in values]
    motion = parse(asf_text(figure), amc_text(figure, frames))
    asf = parse_asf(asf_text(figure).encode(), "a.asf")
    again = parse_amc(format_amc(motion, asf), asf, "b.amc")
    assert np.degrees(angle_between(again.rotations, motion.rotations)).max() < 1e-4


@pytest.mark.parametrize(
    ("bone", "axis", "message"),
    [
        ("wrist", "X", "clip: bone wrist: frame 2 turns by 10 degrees about an axis that its dof (ry) lacks"),
        ("shank", "Z", "clip: bone shank: frame 2 turns by 10 degrees about an axis that its dof (rx) lacks"),
        ("foot", "Y", "clip: bone foot: frame 2 turns by 10 degrees about an axis that its dof (rz rx) lacks"),
        ("hip", "Y", "clip: bone hip: frame 2 turns by 10 degrees about an axis that its dof (none) lacks"),
    ],
)
def test_a_rotation_that_the_channels_cannot_hold(bone: str, axis: str, message: str) -> None:
    figure = replace(FIGURE, bones=tuple(replace(bone, axis=(0.0, 0.0, 0.0)) for bone in FIGURE.bones))
    asf = parse_asf(asf_text(figure).encode(), "a.asf")
    rotations = np.tile([0.0, 0, 0, 1], (4, len(asf.skeleton.names), 1))
    rotations[1:, asf.skeleton.index(bone)] = from_euler(
        f"{axis}YZ" if axis == "X" else f"{axis}XY" if axis == "Z" else "YXZ", np.radians([[1.0, 0, 0], [10.0, 0, 0], [2.0, 0, 0]])
    )
    with pytest.raises(FormatError) as error:
        format_amc(Motion(asf.skeleton, rotations, np.zeros((4, 3)), 120.0, "clip"), asf)
    assert str(error.value) == message


def test_a_root_that_cannot_travel_or_turn() -> None:
    figure = replace(FIGURE, root_order=("tx", "tz", "ry"))
    asf = parse_asf(asf_text(figure).encode(), "a.asf")
    still = Motion(asf.skeleton, np.tile([0.0, 0, 0, 1], (2, len(asf.skeleton.names), 1)), np.array([[1.0, 0, 1], [2.0, 0, 1]]), 120.0, "clip")
    assert_same(parse_amc(format_amc(still, asf), asf, "b.amc"), still)
    with pytest.raises(FormatError) as error:
        format_amc(replace(still, root_positions=np.array([[1.0, 0, 1], [2.0, 0.5, 1]])), asf)
    assert str(error.value) == "clip: bone root: frame 1 is 500 mm off along an axis that its dof (tx tz ry) lacks"


def test_a_motion_on_another_skeleton() -> None:
    asf = parse_asf(asf_text(FIGURE).encode(), "a.asf")
    skeleton = Skeleton(("Hips", "thigh", "tail"), (-1, 0, 1), np.zeros((3, 3)))
    motion = Motion(skeleton, np.tile([0.0, 0, 0, 1], (1, 3, 1)), np.zeros((1, 3)), 30.0, "clip")
    with pytest.raises(FormatError) as error:
        format_amc(motion, asf)
    assert str(error.value) == "clip: joints without a bone in the ASF: tail; write it against its own skeleton"


def any_motion(frames: int = 20) -> Motion:
    """Return a motion on a skeleton that is not ASF's: children start at different points, a root of another name."""
    names = ("Hips", "Spine", "LeftArm", "RightArm", "Tip", "LeftLeg", "Twin", "Loose")
    offsets = np.array([[0, 0, 0], [0, 0.2, 0], [0.1, 0.3, 0], [-0.1, 0.3, 0], [0.2, 0, 0], [0.1, -0.1, 0.05], [0, 0, 0], [0, -0.4, 0]])
    skeleton = Skeleton(names, (-1, 0, 1, 1, 2, 0, 0, 5), offsets, frozenset({"Tip"}))
    random = np.random.default_rng(0)
    rotations = random.normal(size=(frames, len(names), 4))
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    rotations[:, names.index("Tip")] = [0, 0, 0, 1]
    return Motion(skeleton, rotations, random.normal(size=(frames, 3)), 120.0, "any motion")


def test_any_skeleton_as_asf() -> None:
    motion = any_motion()
    asf = Asf.from_skeleton(motion.skeleton, motion.name)
    again = parse_amc(format_amc(motion, asf), parse_asf(format_asf(asf), "b.asf"), "b.amc")
    assert_same(again, motion)
    tip = forward_kinematics(again)[:, again.skeleton.index("LeftArm_end")]
    np.testing.assert_allclose(tip, forward_kinematics(motion)[:, motion.skeleton.index("Tip")], atol=1e-9)
    assert parse_asf(format_asf(asf), "b.asf").name == "any motion"


WORD = "one word of latin-1 that does not begin with # or : and is no other bone's name"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Left Arm", f"skeleton: joint 'Left Arm' cannot be written to ASF: expected {WORD}"),
        ("#Arm", f"skeleton: joint '#Arm' cannot be written to ASF: expected {WORD}"),
        ("\u5173\u8282", f"skeleton: joint '\u5173\u8282' cannot be written to ASF: expected {WORD}"),
        ("", f"skeleton: joint '' cannot be written to ASF: expected {WORD}"),
        ("root", f"skeleton: joint 'root' cannot be written to ASF: expected {WORD}"),
        (":Arm", f"skeleton: joint ':Arm' cannot be written to ASF: expected {WORD}"),
        ("Leg_end", f"skeleton: joint 'Leg_end' cannot be written to ASF: expected {WORD}"),
        ("root_to_Leg", f"skeleton: joint 'root_to_Leg' cannot be written to ASF: expected {WORD}"),
    ],
)
def test_names_that_asf_cannot_hold(name: str, message: str) -> None:
    skeleton = Skeleton(("Hips", name, "Leg"), (-1, 0, 0), np.array([[0.0, 0, 0], [0, 1, 0], [0, -1, 0]]))
    with pytest.raises(FormatError) as error:
        Asf.from_skeleton(skeleton)
    assert str(error.value) == message


def test_names_with_letters_of_latin_1_survive() -> None:
    skeleton = Skeleton(("Hips", "H\xfcfte", "Figure:12#3"), (-1, 0, 1), np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 1]]))
    motion = Motion(skeleton, np.tile([0.0, 0.6, 0, 0.8], (2, 3, 1)), np.zeros((2, 3)), 120.0)
    asf = Asf.from_skeleton(skeleton)
    assert_same(parse_amc(format_amc(motion, asf), parse_asf(format_asf(asf), "b.asf"), "b.amc"), motion)


def test_asf_round_trip_keeps_every_field() -> None:
    for figure in (
        FIGURE,
        replace(FIGURE, degrees=False, root_axis="ZXY", orientation=(1.0, 2.0, 3.0), position=(4.0, 5.0, 6.0), units=1.7).reordered("YZX"),
    ):
        asf = parse_asf(asf_text(figure).encode(), "a.asf")
        again = parse_asf(format_asf(asf), "b.asf")
        assert (again.name, again.degrees, again.root_position, again.parents) == (asf.name, asf.degrees, asf.root_position, asf.parents)
        assert again.metres_per_unit == pytest.approx(asf.metres_per_unit, rel=1e-11)
        for a, b in zip((again.root, *again.bones), (asf.root, *asf.bones), strict=True):
            assert (a.name, a.axis_order, a.dof) == (b.name, b.axis_order, b.dof)
            np.testing.assert_allclose([*a.direction, a.length, *a.axis], [*b.direction, b.length, *b.axis], atol=1e-10)


# Files --------------------------------------------------------------------------------------------


def put(folder: Path, *names: str) -> None:
    for name in names:
        text = asf_text(FIGURE) if name.lower().endswith(".asf") else amc_text(FIGURE, FRAMES)
        (folder / name).write_text(text, encoding="latin-1")


@pytest.mark.parametrize(
    ("amc", "others", "expected"),
    [
        ("HDM_bd_walk_001_120.amc", ("HDM_bd.asf", "HDM_dg.asf"), "HDM_bd.asf"),
        ("01_01.amc", ("01.asf", "02.asf"), "01.asf"),
        ("01_01.amc", ("01.asf", "01_01.asf", "01_0.asf"), "01_01.asf"),
        ("walk.AMC", ("walk.ASF", "other.asf"), "walk.ASF"),
        ("Walk_1.amc", ("WALK.asf", "other.asf"), "WALK.asf"),
        ("whatever.amc", ("body.asf",), "body.asf"),
        ("HDM_bdx_walk.amc", ("HDM_bd.asf",), "HDM_bd.asf"),
        ("HDM_bd_walk_001_120.amc", ("HDM.asf", "HDM_bd.asf", "HDM_bd_w.asf"), "HDM_bd.asf"),
    ],
)
def test_find_asf(tmp_path: Path, amc: str, others: tuple[str, ...], expected: str) -> None:
    put(tmp_path, amc, *others)
    assert find_asf(tmp_path / amc) == tmp_path / expected
    check(read(tmp_path / amc), FIGURE, FRAMES)


@pytest.mark.parametrize(("others", "found"), [((), "no .asf file"), (("HDM_bk.asf", "HDM_dg.asf"), "HDM_bk.asf, HDM_dg.asf")])
def test_no_asf(tmp_path: Path, others: tuple[str, ...], found: str) -> None:
    put(tmp_path, "HDM_bd_walk_001_120.amc", *others)
    (tmp_path / "HDM_bd.asf").mkdir()
    with pytest.raises(FormatError) as error:
        read(tmp_path / "HDM_bd_walk_001_120.amc")
    path = tmp_path / "HDM_bd_walk_001_120.amc"
    assert str(error.value) == f"{path}: expected its skeleton beside it (such as HDM_bd_walk_001.asf), found {found}; say which with asf=..."


@pytest.mark.parametrize(
    ("name", "fps"),
    [
        ("HDM_bd_walk_001_120.amc", 120.0),
        ("HDM_bd_walk_001_60.AMC", 60.0),
        ("hdm_bd_walk_001_240.amc", 240.0),
        ("01_01.amc", 120.0),
        ("walk_30.amc", 120.0),
        ("HDM_bd_walk_000.amc", 120.0),
        ("HDM_bd_walk_001.amc", 120.0),
    ],
)
def test_frame_rate_from_the_name(tmp_path: Path, name: str, fps: float) -> None:
    put(tmp_path, name, "any.asf")
    motion = read(tmp_path / name)
    assert (motion.fps, motion.name) == (fps, Path(name).stem)
    assert read_amc(tmp_path / name, fps=50.0).fps == 50.0


def test_an_asf_named_explicitly(tmp_path: Path) -> None:
    (tmp_path / "skeletons").mkdir()
    put(tmp_path, "a.amc", "a.asf")
    (tmp_path / "skeletons" / "wide.asf").write_text(asf_text(replace(FIGURE, units=0.225)))
    check(read_amc(tmp_path / "a.amc", tmp_path / "skeletons" / "wide.asf"), replace(FIGURE, units=0.225), FRAMES)


def test_write_amc(tmp_path: Path) -> None:
    motion = any_motion()
    write_amc(tmp_path / "one.amc", motion)
    assert_same(read(tmp_path / "one.amc"), motion)
    write_amc(tmp_path / "two.amc", motion, tmp_path / "body.asf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["body.asf", "one.amc", "one.asf", "two.amc"]
    assert_same(read_amc(tmp_path / "two.amc", tmp_path / "body.asf"), motion)


def test_reading_changes_nothing_and_repeats_itself() -> None:
    asf = parse_asf(asf_text(FIGURE).encode(), "a.asf")
    data = amc_text(FIGURE, FRAMES).encode()
    first, second = (parse_amc(data, asf, "a.amc") for _ in range(2))
    np.testing.assert_array_equal(first.rotations, second.rotations)
    assert first.skeleton is second.skeleton
