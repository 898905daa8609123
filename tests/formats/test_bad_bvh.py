"""A zoo of damaged BVH files: each gives one line that names file, line and joint, or in a lenient reading says what was mended."""

from __future__ import annotations

import pytest

from mocapgen.formats.bvh import Bvh, parse_bvh
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


def replaced(old: str, new: str, count: int = -1) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, count)


FATAL: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "bad.bvh: expected a BVH file, found an empty file"),
    "blanks": (" \n\t\r\n", "bad.bvh: expected a BVH file, found an empty file"),
    "utf-16": (TEXT.encode("utf-16"), "bad.bvh: expected a BVH file, found binary data (a zero byte at position 3)"),
    "zero byte": (replaced("Leg", "L\0eg"), "bad.bvh: expected a BVH file, found binary data (a zero byte at position 231)"),
    "an AMC": (":FULLY-SPECIFIED\n1\nroot 1\n", "bad.bvh:1: expected a BVH file, which begins with HIERARCHY, found ':FULLY-SPECIFIED'"),
    "words": ("dear sir\n", "bad.bvh:1: expected a BVH file, which begins with HIERARCHY, found 'dear sir'"),
    "second hierarchy": (
        replaced("ROOT", "HIERARCHY\nROOT"),
        "bad.bvh:2: expected ROOT, JOINT, End Site, OFFSET, CHANNELS, a brace or MOTION, found 'HIERARCHY'",
    ),
    "hierarchy only": (TEXT[: TEXT.index("MOTION")], "bad.bvh:25: expected a line MOTION after the hierarchy, found none: the file was cut short"),
    "cut in the hierarchy": (
        TEXT[: TEXT.index("JOINT Leg")],
        "bad.bvh:15: expected a line MOTION after the hierarchy, found none: the file was cut short",
    ),
    "cut after a name": (TEXT[: TEXT.index("Leg") + 3], "bad.bvh:15: expected an opening brace after 'JOINT Leg', found the end of the hierarchy"),
    "HIERARCHY alone": ("HIERARCHY\n", "bad.bvh:2: expected a line MOTION after the hierarchy, found none: the file was cut short"),
    "HIERARCHY and MOTION": ("HIERARCHY\nMOTION\n", "bad.bvh:1: expected a ROOT, found none"),
    "no brace": (replaced("Chest\n\t{", "Chest"), "bad.bvh:7: expected an opening brace after 'JOINT Chest', found 'OFFSET 0 10 0'"),
    "brace without joint": (replaced("\tOFFSET 1 2 3\n", "{\n"), "bad.bvh:4: expected ROOT, JOINT or End Site before an opening brace, found '{'"),
    "two braces": (replaced("Hips\n{", "Hips\n{\n{"), "bad.bvh:4: expected ROOT, JOINT or End Site before an opening brace, found '{'"),
    "two roots": (
        replaced("}\nMOTION", "}\nROOT b\n{\nOFFSET 0 0 0\nCHANNELS 0\n}\nMOTION"),
        "bad.bvh:25: expected one skeleton, found a second ROOT, 'ROOT b'; split the file",
    ),
    "root within": (replaced("JOINT Leg", "ROOT Leg"), "bad.bvh:15: expected one skeleton, found a second ROOT, 'ROOT Leg'; split the file"),
    "joint outside": (
        replaced("}\nMOTION", "}\nJOINT b\n{\nOFFSET 0 0 0\nCHANNELS 0\n}\nMOTION"),
        "bad.bvh:25: expected ROOT, found 'JOINT b' outside of any joint",
    ),
    "joint first": (replaced("ROOT", "JOINT"), "bad.bvh:2: expected ROOT, found 'JOINT Hips' outside of any joint"),
    "offset outside": (replaced("ROOT", "OFFSET 0 0 0\nROOT"), "bad.bvh:2: expected ROOT, found 'OFFSET 0 0 0' outside of any joint"),
    "unknown keyword": (
        replaced("OFFSET -4", "OFFSETS -4"),
        "bad.bvh:17: expected ROOT, JOINT, End Site, OFFSET, CHANNELS, a brace or MOTION, found 'OFFSETS -4 0 0'",
    ),
    "no channels": (
        replaced("\t\tCHANNELS 1 Xrotation\n", ""),
        "bad.bvh:15: joint Leg: expected CHANNELS, found none (with lenient=True: taken as none)",
    ),
    "two offsets": (replaced("OFFSET -4", "OFFSET 0 0 0\nOFFSET -4"), "bad.bvh:18: joint Leg: expected one OFFSET, found a second"),
    "two channels": (
        replaced("CHANNELS 1 Xrotation", "CHANNELS 1 Xrotation\nCHANNELS 1 Yrotation"),
        "bad.bvh:19: joint Leg: expected one CHANNELS, found a second",
    ),
    "short offset": (replaced("-4 0 0", "-4 0"), "bad.bvh:17: joint Leg: OFFSET: expected 3 numbers, found '-4 0'"),
    "long offset": (replaced("-4 0 0", "-4 0 0 0"), "bad.bvh:17: joint Leg: OFFSET: expected 3 numbers, found '-4 0 0 0'"),
    "word in offset": (replaced("-4 0 0", "-4 x 0"), "bad.bvh:17: joint Leg: OFFSET: expected 3 numbers, found '-4 x 0'"),
    "nan in offset": (replaced("-4 0 0", "-4 nan 0"), "bad.bvh:17: joint Leg: OFFSET: expected 3 numbers, found '-4 nan 0'"),
    "huge offset": (replaced("-4 0 0", "-4e30 0 0"), "bad.bvh:17: joint Leg: OFFSET: expected 3 numbers, found '-4e30 0 0'"),
    "thousands": (replaced("-4 0 0", "-4,500.0 0 0"), "bad.bvh:17: joint Leg: OFFSET: expected 3 numbers, found '-4,500.0 0 0'"),
    "no channel count": (replaced("CHANNELS 1 X", "CHANNELS X"), "bad.bvh:18: joint Leg: CHANNELS: expected their number, found 'Xrotation'"),
    "negative channel count": (
        replaced("CHANNELS 1 X", "CHANNELS -1 X"),
        "bad.bvh:18: joint Leg: CHANNELS: expected their number, found '-1 Xrotation'",
    ),
    "unknown channel": (
        replaced("1 Xrotation", "1 Xscale"),
        "bad.bvh:18: joint Leg: CHANNELS: expected X, Y, Z and position or rotation such as Zrotation, found 'Xscale'",
    ),
    "channel twice": (
        replaced("1 Xrotation", "2 Xrotation Xrotation"),
        "bad.bvh:18: joint Leg: CHANNELS: expected each once, found Xrotation 2 times",
    ),
    "channels at an end site": (
        replaced("OFFSET 0 -8 0", "OFFSET 0 -8 0\nCHANNELS 1 Xrotation"),
        "bad.bvh:22: end site of Leg: expected no channels, found 1; make it a JOINT",
    ),
    "joint in an end site": (
        replaced("OFFSET 0 -8 0", "OFFSET 0 -8 0\nJOINT b\n{\nOFFSET 0 0 0\nCHANNELS 0\n}"),
        "bad.bvh:22: end site of Leg: expected OFFSET alone, found JOINT",
    ),
    "no channels at all": (
        "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 0\n}\nMOTION\nFrames: 1\nFrame Time: 1\n\n",
        "bad.bvh: expected joints with channels, found none in 1 joints",
    ),
    "no MOTION": (replaced("MOTION\n", ""), "bad.bvh:25: expected ROOT, JOINT, End Site, OFFSET, CHANNELS, a brace or MOTION, found 'Frames: 2'"),
    "no Frame Time": (
        replaced("Frame Time: 0.0333333\n", ""),
        "bad.bvh:27: expected a line such as 'Frame Time: 0.00833333' before the first frame, found '0 90 0 10 20 30 40 50 60 70'",
    ),
    "Frame Time nothing": (replaced("0.0333333", ""), "bad.bvh:27: Frame Time: expected 1e-05 to 100 seconds, found ''"),
    "Frame Time 0": (replaced("0.0333333", "0"), "bad.bvh:27: Frame Time: expected 1e-05 to 100 seconds, found '0'"),
    "Frame Time negative": (replaced("0.0333333", "-1"), "bad.bvh:27: Frame Time: expected 1e-05 to 100 seconds, found '-1'"),
    "Frame Time nan": (replaced("0.0333333", "nan"), "bad.bvh:27: Frame Time: expected 1e-05 to 100 seconds, found 'nan'"),
    "Frame Time huge": (replaced("0.0333333", "1e5"), "bad.bvh:27: Frame Time: expected 1e-05 to 100 seconds, found '1e5'"),
    "no frames": (TEXT[: TEXT.index("0 90 0")], "bad.bvh:28: expected frames after 'Frame Time:', found none"),
    "cut before Frames": (
        TEXT[: TEXT.index("Frames")],
        "bad.bvh:26: expected a line such as 'Frame Time: 0.00833333' before the first frame, found the end of the file",
    ),
    "cut before the time": (
        TEXT[: TEXT.index("Frame Time")],
        "bad.bvh:27: expected a line such as 'Frame Time: 0.00833333' before the first frame, found the end of the file",
    ),
    "frames on two lines": (
        replaced("20 30", "20\n30"),
        "bad.bvh:28: joint Hips: expected 10 values in a frame, found 5 (with lenient=True: left out)",
    ),
    "two frames on a line": (
        replaced("70\n1.5", "70 1.5"),
        "bad.bvh:28: expected 10 values in a frame, found more, '1.5 91 -2e-1 -10 -20 -30 -40 -50 -60 -70' (with lenient=True: left out)",
    ),
}

MENDED: dict[str, tuple[str, str, int, tuple[str, ...]]] = {
    "one closing brace more": (
        replaced("}\nMOTION", "}\n}\nMOTION"),
        "bad.bvh:25: expected as many closing as opening braces, found one more (with lenient=True: left out)",
        2,
        ("bad.bvh:25: expected as many closing as opening braces, found one more: left out",),
    ),
    "one closing brace fewer": (
        replaced("}\nMOTION", "MOTION"),
        "bad.bvh:23: expected as many closing as opening braces, found 1 fewer (with lenient=True: added at the end)",
        2,
        ("bad.bvh:23: expected as many closing as opening braces, found 1 fewer: added at the end",),
    ),
    "two fewer": (
        replaced("\t}\n}\nMOTION", "MOTION"),
        "bad.bvh:22: expected as many closing as opening braces, found 2 fewer (with lenient=True: added at the end)",
        2,
        ("bad.bvh:22: expected as many closing as opening braces, found 2 fewer: added at the end",),
    ),
    "no name": (
        replaced("JOINT Leg", "JOINT"),
        "bad.bvh:15: expected a name after JOINT or ROOT, found none (with lenient=True: called joint)",
        2,
        ("bad.bvh:15: expected a name after JOINT or ROOT, found none: called joint",),
    ),
    "no offset": (
        replaced("\t\tOFFSET -4 0 0\n", ""),
        "bad.bvh:15: joint Leg: expected OFFSET, found none (with lenient=True: taken as 0 0 0)",
        2,
        ("bad.bvh:15: joint Leg: expected OFFSET, found none: taken as 0 0 0",),
    ),
    "no offset of an end site": (
        replaced("\t\t\tOFFSET 0 -8 0\n", ""),
        "bad.bvh:19: end site of Leg: expected OFFSET, found none (with lenient=True: taken as 0 0 0)",
        2,
        ("bad.bvh:19: end site of Leg: expected OFFSET, found none: taken as 0 0 0",),
    ),
    "commas in offset": (
        replaced("-4 0 0", "-4,5 0 0"),
        "bad.bvh:17: joint Leg: OFFSET: expected decimal points, found commas (with lenient=True: read as points)",
        2,
        ("bad.bvh:17: joint Leg: OFFSET: expected decimal points, found commas: read as points",),
    ),
    "channel count": (
        replaced("CHANNELS 1 X", "CHANNELS 2 X"),
        "bad.bvh:18: joint Leg: CHANNELS: expected 2 channels, found 1 (with lenient=True: those named are used)",
        2,
        ("bad.bvh:18: joint Leg: CHANNELS: expected 2 channels, found 1: those named are used",),
    ),
    "no Frames": (
        replaced("Frames: 2\n", ""),
        "bad.bvh:27: expected a line such as 'Frames: 100' before the first frame, found none (with lenient=True: the rows are counted)",
        2,
        ("bad.bvh:27: expected a line such as 'Frames: 100' before the first frame, found none: the rows are counted",),
    ),
    "Frames: x": (
        replaced("Frames: 2", "Frames: x"),
        "bad.bvh:26: expected a line such as 'Frames: 100' before the first frame, found 'x' (with lenient=True: the rows are counted)",
        2,
        ("bad.bvh:26: expected a line such as 'Frames: 100' before the first frame, found 'x': the rows are counted",),
    ),
    "Frames: -2": (
        replaced("Frames: 2", "Frames: -2"),
        "bad.bvh:26: expected a line such as 'Frames: 100' before the first frame, found '-2' (with lenient=True: the rows are counted)",
        2,
        ("bad.bvh:26: expected a line such as 'Frames: 100' before the first frame, found '-2': the rows are counted",),
    ),
    "Frame Time comma": (
        replaced("0.0333333", "0,0333333"),
        "bad.bvh:27: Frame Time: expected a decimal point, found '0,0333333' (with lenient=True: read as a point)",
        2,
        ("bad.bvh:27: Frame Time: expected a decimal point, found '0,0333333': read as a point",),
    ),
    "fewer frames": (
        replaced("Frames: 2", "Frames: 3"),
        "bad.bvh:29: expected 3 frames as in 'Frames:', found 2 (with lenient=True: the 2 are used)",
        2,
        ("bad.bvh:29: expected 3 frames as in 'Frames:', found 2: the 2 are used",),
    ),
    "more frames": (
        replaced("Frames: 2", "Frames: 1"),
        "bad.bvh:29: expected 1 frames as in 'Frames:', found 2 (with lenient=True: the 2 are used)",
        2,
        ("bad.bvh:29: expected 1 frames as in 'Frames:', found 2: the 2 are used",),
    ),
    "zero frames": (
        replaced("Frames: 2", "Frames: 0"),
        "bad.bvh:29: expected 0 frames as in 'Frames:', found 2 (with lenient=True: the 2 are used)",
        2,
        ("bad.bvh:29: expected 0 frames as in 'Frames:', found 2: the 2 are used",),
    ),
    "cut within a frame": (
        TEXT[: TEXT.index(" -40 -50")],
        "bad.bvh:29: joint Chest: expected 10 values in a frame, found 6: the file ends within a frame (with lenient=True: left out)",
        1,
        (
            "bad.bvh:29: joint Chest: expected 10 values in a frame, found 6: the file ends within a frame: 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
    "cut within a number": (
        TEXT[:-4] + "-",
        "bad.bvh:29: joint Leg: Xrotation: expected a number within +-1e+06, found '-' (with lenient=True: left out)",
        1,
        (
            "bad.bvh:29: joint Leg: Xrotation: expected a number within +-1e+06, found '-': 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
    "ragged": (
        replaced("0 90 0 10", "0 90 10"),
        "bad.bvh:28: joint Leg: expected 10 values in a frame, found 9 (with lenient=True: left out)",
        1,
        (
            "bad.bvh:28: joint Leg: expected 10 values in a frame, found 9: 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
    "one value more": (
        replaced("60 70", "60 70 80", 1),
        "bad.bvh:28: expected 10 values in a frame, found more, '80' (with lenient=True: left out)",
        1,
        (
            "bad.bvh:28: expected 10 values in a frame, found more, '80': 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
    "nan": (
        replaced("30 40", "nan 40"),
        "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found 'nan' (with lenient=True: left out)",
        1,
        (
            "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found 'nan': 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
    "inf": (
        replaced("30 40", "-inf 40"),
        "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found '-inf' (with lenient=True: left out)",
        1,
        (
            "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found '-inf': 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
    "word": (
        replaced("30 40", "thirty 40"),
        "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found 'thirty' (with lenient=True: left out)",
        1,
        (
            "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found 'thirty': 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
    "huge": (
        replaced("30 40", "3e8 40"),
        "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found '3e8' (with lenient=True: left out)",
        1,
        (
            "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found '3e8': 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
    "underscore": (
        replaced("30 40", "3_0 40"),
        "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found '3_0' (with lenient=True: left out)",
        1,
        (
            "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found '3_0': 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
    "IND": (
        replaced("30 40", "-1.#IND 40"),
        "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found '-1.#IND' (with lenient=True: left out)",
        1,
        (
            "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found '-1.#IND': 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
    "decimal commas": (
        replaced("1.5", "1,5").replace("0.0333333", "0,0333333"),
        "bad.bvh:27: Frame Time: expected a decimal point, found '0,0333333' (with lenient=True: read as a point)",
        2,
        (
            "bad.bvh:27: Frame Time: expected a decimal point, found '0,0333333': read as a point",
            "bad.bvh:28: expected decimal points, found commas: read as points",
        ),
    ),
    "one comma": (
        replaced("30 40", "3,0 4.0"),
        "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found '3,0', a decimal comma (with lenient=True: left out)",
        1,
        (
            "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found '3,0', a decimal comma: 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
    "text behind": (
        TEXT + "the end\n",
        "bad.bvh:30: joint Hips: Xposition: expected a number within +-1e+06, found 'the' (with lenient=True: left out)",
        2,
        ("bad.bvh:30: joint Hips: Xposition: expected a number within +-1e+06, found 'the': 1 left out",),
    ),
    "unprintable": (
        replaced("30 40", "\x85 40"),
        "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found '\\x85' (with lenient=True: left out)",
        1,
        (
            "bad.bvh:28: joint Hips: Yrotation: expected a number within +-1e+06, found '\\x85': 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
    "cut decimals": (
        TEXT[: TEXT.index("0 90 0")] + "0.25 " * 9 + "0.25\n" + "0.25 " * 9 + "0.2",
        "bad.bvh:29: joint Leg: Xrotation: the file ends within a number (with lenient=True: left out)",
        1,
        (
            "bad.bvh:29: joint Leg: Xrotation: the file ends within a number: 1 left out",
            "bad.bvh:29: expected 2 frames as in 'Frames:', found 1: the 1 are used",
        ),
    ),
}


def read(text: str | bytes, lenient: bool = False) -> Bvh:
    return parse_bvh(text if isinstance(text, bytes) else text.encode("latin-1"), "bad.bvh", lenient)


def cause(text: str | bytes, lenient: bool = False) -> str:
    with pytest.raises(FormatError) as error:
        read(text, lenient)
    message = str(error.value)
    assert len(message.splitlines()) == 1
    assert message.isprintable()
    assert len(message) < 300
    return message


def test_the_good_one_is_good() -> None:
    assert len(read(TEXT)) == 2


@pytest.mark.parametrize("name", FATAL)
def test_what_cannot_be_mended(name: str) -> None:
    text, message = FATAL[name]
    assert cause(text) == message
    cause(text, lenient=True)


@pytest.mark.parametrize("name", MENDED)
def test_what_can_be_mended(name: str) -> None:
    text, message, frames, repairs = MENDED[name]
    assert cause(text) == message
    assert "(with lenient=True: " in message
    bvh = read(text, lenient=True)
    assert bvh.repairs == repairs
    assert all(len(repair.splitlines()) == 1 and repair.isprintable() for repair in repairs)
    assert len(bvh) == len(bvh.positions()) == frames


HEAD = TEXT[: TEXT.index("Frames:")]
ROW = "0 90 0 10 20 30 40 50 60 "


def frames(*last_values: object) -> str:
    """Return a file whose frames differ in the last value."""
    return HEAD + f"Frames: {len(last_values)}\nFrame Time: 0.01\n" + "".join(f"{ROW}{value}\n" for value in last_values)


def test_bad_frames_between_good_ones_are_replaced_by_the_one_before() -> None:
    values = [*range(40)]
    text = frames(*values[:7], "nan", "x", *values[9:20], "20 21 22", *values[21:])
    bvh = read(text, lenient=True)
    expected = [0, 1, 2, 3, 4, 5, 6, 6, 6, *values[9:20], 19, *values[21:]]
    assert bvh.values[:, -1].tolist() == expected
    assert bvh.repairs == (
        "bad.bvh:35: joint Leg: Xrotation: expected a number within +-1e+06, found 'nan' (and 2 more frames up to line 48): "
        "the frame before stands in",
    )


def test_bad_frames_at_the_ends_are_left_out() -> None:
    bvh = read(frames("x", *range(1, 30), "nan", "-"), lenient=True)
    assert bvh.values[:, -1].tolist() == [*range(1, 30)]
    assert bvh.repairs[0].endswith("found 'x' (and 2 more frames up to line 59): 3 left out")
    assert bvh.repairs[1:] == ("bad.bvh:59: expected 32 frames as in 'Frames:', found 29: the 29 are used",)


def test_too_many_bad_frames() -> None:
    assert cause(frames(*["x", *range(5)] * 9), lenient=True).endswith("found 'x'; 9 frames up to line 76 are no better: too many to mend")
    assert "too many to mend" in cause(frames(*["x"] * 500), lenient=True)


def test_a_file_cut_anywhere_within_its_last_frame() -> None:
    """Behind a whole number only the missing ones tell; within the last number, its missing digits."""
    text = HEAD + "Frames: 2\nFrame Time: 0.01\n" + 2 * ("-0.250000 " * 9 + "11.250000\n")
    whole = len(text) - 1
    for length in range(text.index("-0.25") + 120, whole):
        assert cause(text[:length]).startswith("bad.bvh:29: joint ")
        assert len(read(text[:length], lenient=True)) == 1
    assert len(read(text[:whole])) == len(read(text)) == 2


def test_lines_are_counted_whatever_ends_them() -> None:
    text = replaced("30 40", "nan 40")
    for ends in ("\r\n", "\r", " \n"):
        assert cause(text.replace("\n", ends)).startswith("bad.bvh:28: joint Hips: Yrotation:")
    assert cause(text.replace("MOTION", "\n \nMOTION\n")).startswith("bad.bvh:31: joint Hips")


def test_long_names_are_shortened() -> None:
    message = cause(replaced("JOINT Leg", "JOINT " + "long " * 500).replace("60 70", "60 nan"))
    assert message.startswith("bad.bvh:28: joint long long long long long long long lo...: Xrotation: expected")
