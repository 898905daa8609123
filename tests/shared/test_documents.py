"""YAML and JSON: what is refused, where it stands, and that a message stays one short line whatever it quotes."""

import re
import time

import pytest
from pydantic import Field

from mocapgen.shared.config import checked, settings
from mocapgen.shared.documents import parse_json, parse_yaml, read_json, read_yaml
from mocapgen.shared.text import LONGEST_LINE
from schemas.base import Model
from schemas.config import BuildConfig
from schemas.errors import ConfigError, DatasetError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)
"""400 bytes of YAML that stand for three thousand million letters."""


def message(function, *arguments, raises=ConfigError, **keywords) -> str:
    with pytest.raises(raises) as caught:
        function(*arguments, **keywords)
    return str(caught.value)


def assert_short(text: str) -> None:
    for line in text.split("\n"):
        assert len(line) <= LONGEST_LINE
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", line)


# YAML ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "f:3: expected YAML, found: the key 'a' twice, first in line 1"),
        ("a: 1\nb: {c: 1, c: 2}\n", "f:2: expected YAML, found: the key 'c' twice, first in line 2"),
        ("a:\n- b: 1\n  'b': 2\n", "f:3: expected YAML, found: the key 'b' twice, first in line 2"),
        ("a: b: c", "f:1: expected YAML, found: mapping values are not allowed"),
        ("a: [", "f:1: expected YAML, found: "),
        ("? [a]\n: 1", "f:1: expected YAML, found: unhashable key"),
        ("a: !!python/object:os.system {}", "f:1: expected YAML, found: could not determine a constructor for the tag "),
        ("a: !!bool 3", "f: expected YAML, found: a value that its tag does not allow"),
        ("a: !!timestamp 3", "f: expected YAML, found: a value that its tag does not allow"),
        ("a: 2020-13-01", "f: expected YAML, found: month must be in 1..12"),
        ("\x00", "f: expected YAML, found: "),
        ("[" * 5000, "f"),
    ],
)
def test_yaml_that_is_refused(text, expected):
    said = message(parse_yaml, text, "f")
    assert said.startswith(expected)
    assert_short(said)


def test_keys_that_merge_are_not_given_twice():
    text = "base: &base {x: 1, y: 1}\ngroup:\n  own: &own {<<: *base, x: 2}\nother: {<<: *own, y: 3}\n"
    assert parse_yaml(text, "f")["group"]["own"] == {"x": 2, "y": 1}
    assert parse_yaml(text, "f")["other"] == {"x": 2, "y": 3}
    assert parse_yaml("- {a: 1}\n- {a: 2}\n", "f") == [{"a": 1}, {"a": 2}]


def test_a_list_that_holds_itself_is_read():
    content = parse_yaml("&a [*a]", "f")
    assert content[0] is content


@pytest.mark.parametrize(("text", "found"), [("- a", "a list"), ("3", "a int"), ("", "none")])
def test_a_file_without_settings(tmp_path, text, found):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    assert message(read_yaml, path, "a policy", f"policy {path}", required=True) == (
        f"policy {path}: expected a policy as 'key: value' lines, found {found}"
    )


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "a").write_bytes(b"\xff\xfe\x00")
    assert message(read_yaml, tmp_path / "a") == f"{tmp_path}/a: expected a YAML file of settings, found text that is not UTF-8"
    assert message(read_json, tmp_path / "b") == f"{tmp_path}/b: expected a readable JSON file of settings, found: No such file or directory"


# JSON ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1,\n "b": {"c": 1,\n "c": 2}}', "f:3: expected JSON, found: the key 'c' twice, first in line 2"),
        ('{"a":\t1,\n\t"a":\t1}', "f:2: expected JSON, found: the key 'a' twice, first in line 1"),
        ('[{"k": 1}, {"k": 1, "k": NaN}]', "f:1: expected JSON, found: the key 'k' twice, first in line 1"),
        ("", "f:1: expected JSON, found: nothing"),
        ('{"a": 1,', "f:1: expected JSON, found: expecting property name enclosed in double quotes in column 9"),
        ("[" * 100_000, "f: expected JSON, found: too many levels"),
        ("1" * 5000, "f: expected JSON, found: Exceeds the limit (4300 digits)"),
        ('{"%s": 1, "%s": 2}' % (("k" * 999,) * 2), "f:1: expected JSON, found: the key 'kkk"),
    ],
)
def test_json_that_is_refused(text, expected):
    said = message(parse_json, text, "f")
    assert said.startswith(expected)
    assert_short(said)


def test_json_that_is_no_object(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[1, 2]")
    assert message(read_json, path, "an avatar") == f"{path}: expected an avatar as a JSON object, found [1, 2]"


# Models -------------------------------------------------------------------------------------------


class Joint(Model):
    name: str
    at: tuple[float, float]


class Body(Model):
    joints: tuple[Joint, ...]
    height: float = Field(gt=0)
    not_: str = Field(default="", alias="not")


GOOD = {"joints": [{"name": "a", "at": [0, 0]}], "height": 1}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"height": 0}, "f: height: input should be greater than 0, found 0"),
        ({"heigth": 0}, "f: unknown setting 'heigth'; did you mean 'height'?"),
        ({"colour": 0}, "f: unknown setting 'colour'; there are joints, height, not"),
        (
            {"joints": [{"name": "a", "at": [0, []]}]},
            "f: joints[0].at[1]: input should be a valid number, found []",
        ),
        ({"joints": [{"name": "a"}], "height": 0}, "f: joints[0].at: field required (and 1 more)"),
        ({"joints": [{"name": "a", "at": [0, 0], "by": 3}]}, "f: unknown setting 'joints[0].by', found 3"),
    ],
)
def test_the_first_problem_is_one_line(change, expected):
    assert message(checked, Body, {**GOOD, **change}, "f", first=True) == expected


def test_each_problem_is_one_line_and_twenty_are_enough():
    lines = message(checked, Body, {"joints": [{"name": "a"}] * 50, "height": 1}).split("\n")
    assert len(lines) == 20
    assert lines[0] == "joints[0].at: field required"
    assert lines[-1] == "joints[19].at: field required (and 30 more)"


def test_group_earlier_names_and_the_error_are_the_caller_s():
    assert message(checked, Body, {**GOOD, "height": -1}, group="body") == "body.height: input should be greater than 0, found -1"
    said = message(checked, Body, {**GOOD, "tall": 1}, "f", renamed={"tall": "height"}, error=DatasetError, raises=DatasetError)
    assert said == "f: setting 'tall' is the name of an earlier version; it is 'height' now"


def test_a_short_file_that_stands_for_a_huge_value_is_one_short_line(tmp_path):
    path = tmp_path / "build.yaml"
    path.write_text(BOMB + "fps: *j\nactors: *j\nimage: *j\nseed: *j\n")
    began = time.monotonic()
    said = message(settings, BuildConfig, {}, path)
    assert said.startswith(f"{path}: unknown setting 'a'")
    content = read_yaml(path)
    said = message(settings, BuildConfig, {name: content[name] for name in ("fps", "actors", "image", "seed")})
    assert time.monotonic() - began < 5.0
    assert {line.split(":")[0] for line in said.split("\n")} == {"fps", *(f"actors[{index}]" for index in range(9)), "image", "seed"}
    assert_short(said)


ODD = ["x\x00\x1b[31m\n\u2028" * 50, "y" * 100_000, 16**5000, b"\xff" * 1000, {"k" * 500: 1}, "\ud800"]


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_whatever_is_found_the_line_is_short(value):
    said = message(settings, BuildConfig, {"fps": value, "camera": value, "x" * 1000: value, "image": value})
    assert said
    assert_short(said)
