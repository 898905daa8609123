"""A zoo of damaged ASF and AMC files: each gives one line that names the file and, where there is one, the line and the bone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mocapgen.formats.asf import parse_asf
from mocapgen.formats.asf_amc import parse_amc
from mocapgen.reading import read
from schemas.errors import FormatError

ASF = """\
# comment
:version 1.10
:name figure
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
  none
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name spine
    direction 0 1 0
    length 10
    axis 0 0 0 XYZ
    dof rx ry rz
  end
  begin
    id 2
    name head
    direction 0 0.6 0.8
    length 2
    axis 0 0 30 XYZ
    dof rx
  end
  begin
    id 3
    name tail
    direction 0 0 -1
    length 1
    axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root spine tail
    spine head
  end
"""
AMC = """\
# comment
:FULLY-SPECIFIED
:DEGREES
1
root 1.25 2 3 4 5 6
spine 1.5 2 -3
head 12.25
2
root 1.25 2 3 4 5 6
spine 1.5 2 -3
head 12.25
3
root 1.25 2 3 4 5 6
spine 1.5 2 -3
head 12.25
"""
SKELETON = parse_asf(ASF.encode(), "good.asf")


def line(text: str, number: int, new: str | None) -> str:
    """Return the text with one line (from 1) replaced, or removed."""
    lines = text.split("\n")
    lines[number - 1 : number] = [] if new is None else [new]
    return "\n".join(lines)


def words_after(text: str, number: int, more: str) -> str:
    return line(text, number, text.split("\n")[number - 1] + more)


def cause(parse: Callable[[], object]) -> str:
    with pytest.raises(FormatError) as error:
        parse()
    message = str(error.value)
    assert len(message.splitlines()) == 1
    assert message.isprintable()
    assert len(message) < 300
    return message


def amc_cause(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    return cause(lambda: parse_amc(data, SKELETON, "bad.amc"))


def asf_cause(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    return cause(lambda: parse_asf(data, "bad.asf"))


def test_the_good_ones_are_good() -> None:
    assert len(parse_amc(AMC.encode(), SKELETON, "good.amc")) == 3


CUT_SHORT = "the file ends without a line break, so its last number may be cut short; add one if it is whole"

AMC_ZOO: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "bad.amc: expected an AMC file, found an empty file"),
    "blanks only": (" \n\t\r\n  ", "bad.amc: expected an AMC file, found an empty file"),
    "header only": ("".join(AMC.splitlines(keepends=True)[:3]), "bad.amc: expected frames, found none (no line that is just a frame number)"),
    "comments only": ("# a\n# b\n", "bad.amc: expected frames, found none (no line that is just a frame number)"),
    "a frame number only": ("1\n", "bad.amc:1: the first frame lacks 3 moving bones of the skeleton: root, spine, head"),
    "a frame number without a line break": ("1", "bad.amc:1: the first frame lacks 3 moving bones of the skeleton: root, spine, head"),
    "an ASF": (ASF, "bad.amc:5: expected a comment, a keyword such as :DEGREES or a frame number, found 'mass 1.0'"),
    "words": ("dear sir or madam\n", "bad.amc:1: expected a comment, a keyword such as :DEGREES or a frame number, found 'dear sir or madam'"),
    "utf-16": (AMC.encode("utf-16"), "bad.amc: expected an AMC file, found binary data (a zero byte at position 3)"),
    "utf-16 big-endian": (AMC.encode("utf-16-be"), "bad.amc: expected an AMC file, found binary data (a zero byte at position 0)"),
    "zeros": (bytes(500), "bad.amc: expected an AMC file, found binary data (a zero byte at position 0)"),
    "binary with a zero": (bytes(range(256)) * 9, "bad.amc: expected an AMC file, found binary data (a zero byte at position 0)"),
    "a zero byte in a number": (AMC.replace("12.25", "12\0.25"), "bad.amc: expected an AMC file, found binary data (a zero byte at position 80)"),
    # Cut short
    "in a number": (AMC[:-5], f"bad.amc:15: {CUT_SHORT}"),
    "in a number of the only frame": (AMC[: AMC.index("2\nroot") - 2], f"bad.amc:7: {CUT_SHORT}"),
    "in a bone's name": (AMC[:-9], "bad.amc:15: expected bone head as in the first frame, found 'he'"),
    "after a name": (AMC[:-7], "bad.amc:15: bone head: expected 1 values (rx), found 0"),
    "in a line": (AMC[: AMC.rindex(" -3")], "bad.amc:14: bone spine: expected 3 values (rx ry rz), found 2"),
    "after a line": (AMC[: AMC.rindex("head")], "bad.amc:14: the file ends within a frame: expected bone head next"),
    "after a frame number": (AMC[: AMC.rindex("root")], "bad.amc:12: the file ends within a frame: expected bone root next"),
    "in the first frame": (AMC[: AMC.index("head")], "bad.amc:4: the first frame lacks 1 moving bones of the skeleton: head"),
    "in the first line": (AMC[: AMC.index(" 4 5 6")], "bad.amc:5: bone root: expected 6 values (tx ty tz rx ry rz), found 3"),
    "in the first number": (AMC[: AMC.index("25 2")], "bad.amc:5: bone root: expected 6 values (tx ty tz rx ry rz), found 1"),
    # Bones
    "unknown bone": (line(AMC, 7, "haed 12.25"), "bad.amc:7: bone 'haed' is not in the skeleton (figure: 4 bones)"),
    "unknown bone later": (line(AMC, 11, "haed 12.25"), "bad.amc:11: expected bone head as in the first frame, found 'haed'"),
    "a bone of another figure": (line(AMC, 11, "head 12.25\nhorn 3"), "bad.amc:12: expected frame number 3, found 'horn 3'"),
    "names in another case": (AMC.replace("head", "Head"), "bad.amc:7: bone 'Head' is not in the skeleton (figure: 4 bones)"),
    "bone missing everywhere": (AMC.replace("spine 1.5 2 -3\n", ""), "bad.amc:4: the first frame lacks 1 moving bones of the skeleton: spine"),
    "bone missing in the first frame": (line(AMC, 6, None), "bad.amc:4: the first frame lacks 1 moving bones of the skeleton: spine"),
    "bone missing in one frame": (line(AMC, 10, None), "bad.amc:10: expected bone spine as in the first frame, found 'head'"),
    "last bone missing in one frame": (line(AMC, 11, None), "bad.amc:11: expected bone head as in the first frame, found '3'"),
    "bone twice in the first frame": (line(AMC, 7, "head 1\nhead 1"), "bad.amc:8: bone head stands twice in one frame"),
    "bone twice in one frame": (line(AMC, 10, "spine 1 2 3\nspine 1 2 3"), "bad.amc:11: expected bone head as in the first frame, found 'spine'"),
    "bones in another order in one frame": (
        line(line(AMC, 10, "head 1"), 11, "spine 1 2 3"),
        "bad.amc:10: expected bone spine as in the first frame, found 'head'",
    ),
    "a stiff bone with a value": (line(AMC, 7, "head 1\ntail 5"), "bad.amc:8: bone tail: expected no values, found 1"),
    # Values
    "one value less": (line(AMC, 10, "spine 1 2"), "bad.amc:10: bone spine: expected 3 values (rx ry rz), found 2"),
    "one value more": (line(AMC, 10, "spine 1 2 3 4"), "bad.amc:10: bone spine: expected 3 values (rx ry rz), found 4"),
    "one value less in every frame": (AMC.replace("spine 1.5 2 -3", "spine 1.5 2"), "bad.amc:6: bone spine: expected 3 values (rx ry rz), found 2"),
    "one value less here, one more there": (
        line(line(AMC, 10, "spine 1 2"), 14, "spine 1 2 3 4"),
        "bad.amc:10: bone spine: expected 3 values (rx ry rz), found 2",
    ),
    "nan": (line(AMC, 10, "spine 1 nan 3"), "bad.amc:10: bone spine: ry: expected a number within +-1e+06, found 'nan'"),
    "inf": (line(AMC, 13, "root 1 2 3 4 5 -inf"), "bad.amc:13: bone root: rz: expected a number within +-1e+06, found '-inf'"),
    "huge": (line(AMC, 15, "head 1e7"), "bad.amc:15: bone head: rx: expected a number within +-1e+06, found '1e7'"),
    "huge translation": (line(AMC, 5, "root 1000001 2 3 4 5 6"), "bad.amc:5: bone root: tx: expected a number within +-1e+06, found '1000001'"),
    "beyond a double": (line(AMC, 15, "head 1e999"), "bad.amc:15: bone head: rx: expected a number within +-1e+06, found '1e999'"),
    "visual c's nan": (line(AMC, 15, "head -1.#IND"), "bad.amc:15: bone head: rx: expected a number within +-1e+06, found '-1.#IND'"),
    "visual c's nan in the first frame": (
        line(AMC, 6, "spine 1 1.#QNAN 2"),
        "bad.amc:6: bone spine: ry: expected a number within +-1e+06, found '1.#QNAN'",
    ),
    "underscore": (line(AMC, 15, "head 1_0"), "bad.amc:15: bone head: rx: expected a number within +-1e+06, found '1_0'"),
    "decimal comma": (line(AMC, 15, "head 12,25"), "bad.amc:15: bone head: rx: expected a number within +-1e+06, found '12,25'"),
    "hexadecimal": (line(AMC, 7, "head 0x10"), "bad.amc:7: bone head: rx: expected a number within +-1e+06, found '0x10'"),
    "a letter": (line(AMC, 10, "spine 1 2 O"), "bad.amc:10: bone spine: rz: expected a number within +-1e+06, found 'O'"),
    "no-break blank": (line(AMC, 10, "spine 1 2\xa03"), "bad.amc:10: bone spine: expected 3 values (rx ry rz), found 2"),
    "no-break blank at the end": (line(AMC, 10, "spine 1 2 3\xa0"), "bad.amc:10: bone spine: rz: expected a number within +-1e+06, found '3\\xa0'"),
    "a line separator of unicode": (line(AMC, 10, "spine 1 2 3\x85"), "bad.amc:10: bone spine: rz: expected a number within +-1e+06, found '3\\x85'"),
    # Frame numbers
    "jump": (line(AMC, 12, "4"), "bad.amc:12: expected frame number 3, found '4'"),
    "backwards": (line(AMC, 12, "1"), "bad.amc:12: expected frame number 3, found '1'"),
    "twice": (line(AMC, 8, "1"), "bad.amc:8: expected frame number 2, found '1'"),
    "frame number lost": (line(AMC, 12, None), "bad.amc:12: expected frame number 3, found 'root 1.25 2 3 4 5 6'"),
    "frame number is a word": (line(AMC, 12, "three"), "bad.amc:12: expected frame number 3, found 'three'"),
    "frame number is a superscript": (line(AMC, 12, "\xb3"), "bad.amc:12: expected frame number 3, found '\xb3'"),
    "negative frame number": (line(AMC, 4, "-1"), "bad.amc:4: expected a comment, a keyword such as :DEGREES or a frame number, found '-1'"),
    "frame number of ten digits": (
        "\n".join([*AMC.split("\n")[:3], "5000000000", *AMC.split("\n")[4:7], ""]),
        "bad.amc:4: expected a frame number below 1e+09, found '5000000000'",
    ),
    "frame number of 5000 digits": (line(AMC, 4, "1" * 5000), "bad.amc:4: expected a frame number below 1e+09, found '" + "1" * 40 + "'"),
    "frame number of 5000 digits later": (line(AMC, 12, "3" * 5000), "bad.amc:12: expected frame number 3, found '" + "3" * 40 + "'"),
    "two on a line": (line(AMC, 12, "3 3"), "bad.amc:12: expected frame number 3, found '3 3'"),
    # Lines
    "a line joined": (
        AMC.replace("spine 1.5 2 -3\nhead 12.25\n2", "spine 1.5 2 -3head 12.25\n2"),
        "bad.amc:6: bone spine: expected 3 values (rx ry rz), found 4",
    ),
    "html": (
        "<html><body>404 Not Found</body></html>\n",
        "bad.amc:1: expected a comment, a keyword such as :DEGREES or a frame number, found '<html><body>404 Not Found</body></html>'",
    ),
    "noise": (line(AMC, 10, "\xff\xfe\x93\x1b[31m"), "bad.amc:10: expected bone spine as in the first frame, found '\xff\xfe\\x93'"),
}


@pytest.mark.parametrize("name", AMC_ZOO)
def test_bad_amc(name: str) -> None:
    data, message = AMC_ZOO[name]
    assert amc_cause(data) == message


@pytest.mark.parametrize("ends", ["\r\n", "\n\n", "\n# 3\n"])
def test_line_numbers_count_every_line(ends: str) -> None:
    step = ends.count("\n")
    text = line(AMC, 10, "spine 1 x 3").replace("\n", ends)
    assert amc_cause(text) == f"bad.amc:{9 * step + 1}: bone spine: ry: expected a number within +-1e+06, found 'x'"
    text = line(AMC, 6, "spin 1 x 3").replace("\n", ends)
    assert amc_cause(text) == f"bad.amc:{5 * step + 1}: bone 'spin' is not in the skeleton (figure: 4 bones)"


def test_one_bad_word_in_a_long_file_is_found() -> None:
    frames = "".join(f"{number}\nroot 1 2 3 4 5 6\nspine 1 2 3\nhead 1\n" for number in range(1, 9001))
    assert (
        amc_cause(frames.replace("\n8123\nroot 1 2", "\n8123\nroot 1 2.."))
        == "bad.amc:32490: bone root: ty: expected a number within +-1e+06, found '2..'"
    )


# ASF ----------------------------------------------------------------------------------------------


def bone_lines(name: str) -> str:
    return f"begin\nname {name}\ndirection 0 1 0\nlength 1\naxis 0 0 0 XYZ\nend\n"


def chain(count: int) -> str:
    bones = "".join(bone_lines(f"b{index}") for index in range(count))
    hierarchy = "root b0\n" + "".join(f"b{index} b{index + 1}\n" for index in range(count - 1))
    return f":units\nlength 1\nangle deg\n:root\norder TX TY TZ RX RY RZ\n:bonedata\n{bones}:hierarchy\nbegin\n{hierarchy}end\n"


def without_section(name: str) -> str:
    before, _, after = ASF.partition(f":{name}")
    return before + after[after.index("\n:") + 1 :] if "\n:" in after else before


ASF_ZOO: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "bad.asf: expected text, found an empty file"),
    "blanks only": ("\n \r\n\t", "bad.asf: expected text, found an empty file"),
    "comments only": ("# nothing\n", "bad.asf: expected a section :units as in every ASF file, found none at all"),
    "an AMC": (AMC, "bad.asf: expected a section :units as in every ASF file, found :fully-specified, :degrees"),
    "words": ("\ndear sir\n", "bad.asf:2: expected an ASF file that starts with a section such as :version, found 'dear sir'"),
    "utf-16": (ASF.encode("utf-16"), "bad.asf: expected text, found binary data (a zero byte at position 3)"),
    "noise": (
        bytes(range(1, 256)) * 4,
        "bad.asf:3: expected an ASF file that starts with a section such as :version, found '!\"#$%&\\'()*+,-./0123456789:;<=>?@ABCDE...'",
    ),
    # Sections
    "no units": (
        without_section("units"),
        "bad.asf: expected a section :units as in every ASF file, found :version, :name, :documentation, :root, :bonedata, :hierarchy",
    ),
    "no root": (
        without_section("root"),
        "bad.asf: expected a section :root as in every ASF file, found :version, :name, :units, :documentation, :bonedata, :hierarchy",
    ),
    "no bonedata": (
        without_section("bonedata"),
        "bad.asf: expected a section :bonedata as in every ASF file, found :version, :name, :units, :documentation, :root, :hierarchy",
    ),
    "no hierarchy": (
        without_section("hierarchy"),
        "bad.asf: expected a section :hierarchy as in every ASF file, found :version, :name, :units, :documentation, :root, :bonedata",
    ),
    "a section twice": (ASF + ":root\n", "bad.asf:44: section :root stands twice"),
    "cut short in a bone": (
        ASF[: ASF.index("    axis 0 0 30")],
        "bad.asf: expected a section :hierarchy as in every ASF file, found :version, :name, :units, :documentation, :root, :bonedata",
    ),
    "cut short in the hierarchy": (ASF[: ASF.index("    spine head")], "bad.asf: hierarchy: bone head hangs on nothing (expected it below root)"),
    # Units
    "no unit of length": (line(ASF, 6, None), "bad.asf: units: expected a line 'length', found none: numbers mean nothing without it"),
    "no unit of angle": (line(ASF, 7, None), "bad.asf: units: expected a line 'angle', found none: numbers mean nothing without it"),
    "unit 0": (line(ASF, 6, "length 0"), "bad.asf:6: unit length: expected a number from 1e-6 to 1e6, found 0"),
    "negative unit": (line(ASF, 6, "length -0.45"), "bad.asf:6: unit length: expected a number from 1e-6 to 1e6, found -0.45"),
    "unit nan": (line(ASF, 6, "length nan"), "bad.asf:6: length: expected 1 number, found 'nan'"),
    "unit is a word": (line(ASF, 6, "length inch"), "bad.asf:6: length: expected 1 number, found 'inch'"),
    "two units": (line(ASF, 6, "length 0.45 0.5"), "bad.asf:6: length: expected 1 number, found '0.45 0.5'"),
    "two lines of units": (line(ASF, 6, "length 0.45\nlength 0.5"), "bad.asf:7: units: 'length' stands twice, first in line 6"),
    "unknown angle": (line(ASF, 7, "angle gon"), "bad.asf:7: unit angle: expected deg or rad, found 'gon'"),
    "angle of nothing": (line(ASF, 7, "angle"), "bad.asf:7: expected deg or rad, found the end of the line"),
    # Root
    "no order": (line(ASF, 11, None), "bad.asf: root: expected a line 'order TX TY TZ RX RY RZ', found none"),
    "empty order": (line(ASF, 11, "order"), "bad.asf:11: root order: expected TX TY TZ RX RY RZ in some order, found ''"),
    "unknown channel": (
        line(ASF, 11, "order TX TY TZ RX RY RQ"),
        "bad.asf:11: root order: expected TX TY TZ RX RY RZ in some order, found 'TX TY TZ RX RY RQ'",
    ),
    "channel twice": (line(ASF, 11, "order TX TY TX"), "bad.asf:11: root order: expected TX TY TZ RX RY RZ in some order, found 'TX TY TX'"),
    "order twice": (line(ASF, 11, "order TX\norder TX"), "bad.asf:12: root: 'order' stands twice, first in line 11"),
    "axis of two letters": (line(ASF, 12, "axis XY"), "bad.asf:12: axis order: expected three different letters such as XYZ, found 'XY'"),
    "axis XYX": (line(ASF, 12, "axis XYX"), "bad.asf:12: axis order: expected three different letters such as XYZ, found 'XYX'"),
    "position of two": (line(ASF, 13, "position 0 0"), "bad.asf:13: position: expected 3 numbers, found '0 0'"),
    "position of four": (line(ASF, 13, "position 0 0 0 0"), "bad.asf:13: position: expected 3 numbers, found '0 0 0 0'"),
    "orientation inf": (line(ASF, 14, "orientation 0 inf 0"), "bad.asf:14: orientation: expected 3 numbers, found '0 inf 0'"),
    "unknown keyword": (line(ASF, 14, "orientatoin 0 0 0"), "bad.asf:14: root: expected order, axis, position or orientation, found 'orientatoin'"),
    # Bones
    "no bones": (ASF[: ASF.index("  begin")] + ":hierarchy\n begin\n end\n", "bad.asf: expected 1 to 1000 bones, found 0"),
    "2000 bones": (chain(2000), "bad.asf: expected 1 to 1000 bones, found 2000"),
    "begin without end": (line(ASF, 23, None), "bad.asf:23: bonedata: 'begin' inside a bone that begins in line 16 and has no 'end'"),
    "last begin without end": (line(ASF, 38, None), "bad.asf:32: bonedata: a bone begins here and has no 'end'"),
    "end without begin": (line(ASF, 16, "end"), "bad.asf:16: bonedata: 'end' without 'begin'"),
    "something between bones": (line(ASF, 23, "end\nlimits (0 1)"), "bad.asf:24: bonedata: expected 'begin', found 'limits (0 1)'"),
    "no name": (line(ASF, 18, None), "bad.asf:22: bonedata: a bone has no 'name' line"),
    "empty name": (line(ASF, 18, "name"), "bad.asf:18: expected the bone's name, found the end of the line"),
    "name of two words": (line(ASF, 18, "name my spine"), "bad.asf:18: expected the bone's name, one word, found 'my spine'"),
    "visual c's nan": (line(ASF, 28, "length 1.#IND"), "bad.asf:28: bone head: length: expected 1 number, found '1.#IND'"),
    "name twice": (line(ASF, 26, "name spine"), "bad.asf:31: bone spine: the name stands twice"),
    "bone named root": (line(ASF, 26, "name root"), "bad.asf:31: bone root: the name stands twice"),
    "endless name": (line(ASF, 26, "name " + "n" * 101), "bad.asf:26: bonedata: expected a name of at most 100 characters, found 101"),
    "no direction": (line(ASF, 27, None), "bad.asf:30: bone head: no 'direction' line"),
    "no length": (line(ASF, 28, None), "bad.asf:30: bone head: no 'length' line"),
    "length twice": (line(ASF, 28, "length 2\nlength 3"), "bad.asf:29: bonedata: 'length' stands twice, first in line 28"),
    "direction of two": (line(ASF, 27, "direction 0 1"), "bad.asf:27: bone head: direction: expected 3 numbers, found '0 1'"),
    "direction not unit": (line(ASF, 27, "direction 0 6 8"), "bad.asf:27: bone head: expected a direction of length 1, found length 10"),
    "direction zero": (line(ASF, 27, "direction 0 0 0"), "bad.asf:27: bone head: expected a direction of length 1, found length 0"),
    "negative length": (line(ASF, 28, "length -2"), "bad.asf:28: bone head: expected a length of at least 0, found -2"),
    "length nan": (line(ASF, 28, "length NaN"), "bad.asf:28: bone head: length: expected 1 number, found 'NaN'"),
    "length huge": (line(ASF, 28, "length 1e300"), "bad.asf:28: bone head: length: expected 1 number, found '1e300'"),
    "length of two numbers": (line(ASF, 28, "length 2 3"), "bad.asf:28: bone head: length: expected 1 number, found '2 3'"),
    "axis without order": (line(ASF, 29, "axis 0 0 30"), "bad.asf:29: expected bone head: an axis order after the angles, found the end of the line"),
    "axis order of one letter": (line(ASF, 29, "axis 0 0 30 X"), "bad.asf:29: axis order: expected three different letters such as XYZ, found 'X'"),
    "axis of two numbers": (line(ASF, 29, "axis 0 30 XYZ"), "bad.asf:29: bone head: axis: expected 3 numbers, found '0 30 XYZ'"),
    "axis of four numbers": (line(ASF, 29, "axis 0 0 30 40 XYZ"), "bad.asf:29: bone head: axis: expected 3 numbers, found '0 0 30 40 XYZ'"),
    "dof tx": (
        line(ASF, 30, "dof tx rx"),
        "bad.asf:30: bone head: expected dof out of rx ry rz, found 'tx rx' (moving or stretching bones are not supported)",
    ),
    "dof l": (
        line(ASF, 30, "dof rx l"),
        "bad.asf:30: bone head: expected dof out of rx ry rz, found 'rx l' (moving or stretching bones are not supported)",
    ),
    "dof twice": (
        line(ASF, 30, "dof rx rx"),
        "bad.asf:30: bone head: expected dof out of rx ry rz, found 'rx rx' (moving or stretching bones are not supported)",
    ),
    # Hierarchy
    "cycle": (line(ASF, 41, "root tail\nhead spine"), "bad.asf:42: hierarchy: bone spine is its own ancestor"),
    "a bone below itself": (line(line(ASF, 41, "root spine"), 42, "spine head\ntail tail"), "bad.asf:43: hierarchy: bone tail is its own ancestor"),
    "two parents": (words_after(ASF, 42, " tail"), "bad.asf:42: hierarchy: bone tail has two parents, root and spine"),
    "the same parent twice": (words_after(ASF, 41, " spine"), "bad.asf:41: hierarchy: bone spine has two parents, root and root"),
    "root below a bone": (words_after(ASF, 42, " root"), "bad.asf:42: hierarchy: root stands below spine, but hangs on nothing"),
    "loose bone": (line(ASF, 41, "root spine"), "bad.asf: hierarchy: bone tail hangs on nothing (expected it below root)"),
    "unknown child": (words_after(ASF, 42, " horn"), "bad.asf:42: hierarchy: bone horn is not in :bonedata"),
    "unknown parent": (line(ASF, 42, "spnie head"), "bad.asf:42: hierarchy: bone spnie is not in :bonedata"),
    "a name that an end site needs": (
        ASF.replace("tail", "head_end"),
        "bad.asf:41: hierarchy: the name head_end is needed for the far end of bone head",
    ),
}


@pytest.mark.parametrize("name", ASF_ZOO)
def test_bad_asf(name: str) -> None:
    data, message = ASF_ZOO[name]
    assert asf_cause(data) == message


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n\n"])
def test_lines_of_an_asf_count_every_line(ends: str) -> None:
    step = len(ends) if ends == "\n\n" else 1
    assert asf_cause(line(ASF, 28, "length x").replace("\n", ends)) == f"bad.asf:{27 * step + 1}: bone head: length: expected 1 number, found 'x'"


@pytest.mark.parametrize("place", [6, 7, 11, 12, 13, 18, 27, 28, 29, 30, 41, 42])
def test_endless_lines_give_short_messages(place: int) -> None:
    for words in (" x" * 100_000, " " + "x" * 100_000, " 1" * 100_000, "x" * 100_000):
        asf_cause(words_after(ASF, place, words) if place != 18 else line(ASF, 18, "name " + words.strip() * 2))
    asf_cause("".join(f":section{number}\n" for number in range(10_000)))


def test_a_chain_of_a_thousand_bones_is_read() -> None:
    asf = parse_asf(chain(1000).encode(), "deep.asf")
    motion = parse_amc(b"1\nroot 0 0 0 0 0 0\n", asf, "deep.amc")
    assert motion.skeleton.rest_positions[-1, 1] == pytest.approx(1000 * 0.0254)


# Files --------------------------------------------------------------------------------------------


def test_files(tmp_path: Path) -> None:
    (tmp_path / "a.asf").write_text(ASF)
    (tmp_path / "a.amc").write_text(line(AMC, 10, "spine 1 2"))
    assert cause(lambda: read(tmp_path / "a.amc")) == f"{tmp_path}/a.amc:10: bone spine: expected 3 values (rx ry rz), found 2"
    (tmp_path / "a.asf").write_text(line(ASF, 28, "length x"))
    assert cause(lambda: read(tmp_path / "a.amc")) == f"{tmp_path}/a.asf:28: bone head: length: expected 1 number, found 'x'"
    (tmp_path / "a.asf").unlink()
    wanted = f"{tmp_path}/a.amc: expected its skeleton beside it (such as a.asf), found no .asf file; say which with asf=..."
    assert cause(lambda: read(tmp_path / "a.amc")) == wanted
    (tmp_path / "folder.amc").mkdir()
    assert (
        cause(lambda: read(tmp_path / "folder.amc"))
        == f"{tmp_path}/folder.amc: expected a motion-capture file (.amc), found a folder; check the path"
    )
    assert (
        cause(lambda: read(str(tmp_path / "nothing.amc")))
        == f"{tmp_path}/nothing.amc: expected a motion-capture file (.amc), found nothing; check the path"
    )
    (tmp_path / "a.txt").write_text(AMC)
    assert cause(lambda: read(tmp_path / "a.txt")).startswith(f"{tmp_path}/a.txt: expected a file that ends in .amc")
    assert cause(lambda: read(tmp_path / "a")).endswith("found no suffix")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.asf").write_text(ASF)
    (tmp_path / "a.amc").write_text(AMC)

    def refuse(path: Path, flags: int) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    message = cause(lambda: read(tmp_path / "a.amc"))
    assert message in {
        f"{tmp_path}/a.{suffix}: expected a motion-capture file (.{suffix}), found Permission denied; check the path" for suffix in ("amc", "asf")
    }
