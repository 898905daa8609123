"""YAML and JSON: what is refused, where it stands, and that a message stays one short line whatever it quotes."""

import math
import re
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from mocapgen.shared.config import checked, settings
from mocapgen.shared.documents import parse_json, parse_yaml, read_json, read_yaml
from mocapgen.shared.text import LONGEST_LINE, quoted
from schemas.base import Model, Settings
from schemas.config import BuildConfig
from schemas.errors import ConfigError, DatasetError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)
"""400 bytes of YAML that stand for three thousand million letters."""

DEEP = "b0: &b0 [1]\n" + "".join(f"b{n}: &b{n} [*b{n - 1}]\n" for n in range(1, 110))
"""Lines that hold the one before: each adds a level."""


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
        ("? [a]\n: 1", "f:1: expected YAML, found: a key that is no text (a list or mapping); put it in quotes"),
        (
            "a: !!python/object:os.system {}",
            "f:1: expected YAML, found: a value with the tag 'tag:yaml.org,2002:python/object",
        ),
        ("a: !!bool 3", "f:1: expected YAML, found: '3' with the tag 'tag:yaml.org,2002:bool', which no setting has"),
        ("a: !!timestamp 3", "f:1: expected YAML, found: the date '3'; put it in quotes"),
        ("a: 2020-13-01", "f:1: expected YAML, found: the date '2020-13-01'; put it in quotes"),
        ("\x00", "f: expected YAML, found: "),
        ("[" * 5000, "f"),
        ("[" * 101 + "]" * 101, "f:1: expected YAML, found: more than 100 levels"),
        (DEEP, "f:100: expected YAML, found: more than 100 levels"),
        ("a: -1e400", "f:1: expected YAML, found: the number '-1e400', which is too large"),
        ("a: &a [*a]", "f:1: expected YAML, found: a value that holds itself"),
        (BOMB, "f:6: expected YAML, found: more than 100,000 values, with those that aliases repeat"),
        ("[" + "1," * 100_001 + "]", "f: expected YAML, found: more than 100,000 values"),
        ("a: 1\n---\nb: 2\n", "f:2: expected YAML, found: another document"),
        ("1: a", "f:1: expected YAML, found: a key that is no text ('1'); put it in quotes"),
        ("no: a", "f:1: expected YAML, found: a key that is no text ('no'); put it in quotes"),
        ("? !!binary aGk=\n: 1", "f:1: expected YAML, found: a key that is no text ('aGk='); put it in quotes"),
        ('"a": 1\n!!str a: 2', "f:2: expected YAML, found: the key 'a' twice, first in line 1"),
        ("a: &a {x: 1, x: 2}\nb: {<<: *a}", "f:1: expected YAML, found: the key 'x' twice, first in line 1"),
        ("a: {<<: {x: 1}, <<: {x: 2}}", "f:1: expected YAML, found: the key '<<' twice, first in line 1"),
        ("a: {<<: [1]}", "f:1: expected YAML, found: something else than mappings to merge"),
        ("a: !!set {b, c}", "f:1: expected YAML, found: a value with the tag 'tag:yaml.org,2002:set', which no setting has"),
        ("a: !!omap [b: 1]", "f:1: expected YAML, found: a value with the tag 'tag:yaml.org,2002:omap', which no setting has"),
        ("a: !!binary aGk=", "f:1: expected YAML, found: 'aGk=' with the tag 'tag:yaml.org,2002:binary', which no setting has"),
        ("a: !!map [1]", "f:1: expected YAML, found: a value with the tag 'tag:yaml.org,2002:map', which no setting has"),
        ("a: =", "f:1: expected YAML, found: '=' with the tag 'tag:yaml.org,2002:value', which no setting has"),
        ("a: 12:30:45", "f:1: expected YAML, found: the number '12:30:45', whose notation is ambiguous; "),
        ("a: 010", "f:1: expected YAML, found: the number '010', whose notation is ambiguous; write it in decimal, or in quotes if it is a text"),
        ("a: 0x1F", "f:1: expected YAML, found: the number '0x1F', whose notation is ambiguous; "),
        ("a: 1_000", "f:1: expected YAML, found: the number '1_000', whose notation is ambiguous; "),
        ("a: 1:30.5", "f:1: expected YAML, found: the number '1:30.5', whose notation is ambiguous; "),
        ("a: " + "9" * 5000, "f:1: expected YAML, found: an integer of 5,000 digits"),
        ('a: "\\0"', "f:1: expected YAML, found: a text with a null character or half a character"),
        ("a: \udce9", "f: expected YAML, found: text that is not UTF-8"),
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


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, -2, +3, 0, 40]", [1, -2, 3, 0, 40]),
        ("[1.5, 1e-3, -2E4, .5, 1.e3, 05.0]", [1.5, 0.001, -20000.0, 0.5, 1000.0, 5.0]),
        ("[.inf, -.Inf]", [math.inf, -math.inf]),
        ("[yes, Off, TRUE, ~, null, ]", [True, False, True, None, None]),
        ("[a, '1', !!str 2, \"\\u00e9\", 1e, 0o7]", ["a", "1", "2", "é", "1e", "0o7"]),
        ("[!!float 1, !!int 3]", [1.0, 3]),
        ("a: &a [1]\nb: [*a, *a]", {"a": [1], "b": [[1], [1]]}),
        ("# nothing", None),
    ],
)
def test_yaml_that_is_read(text, value):
    assert repr(parse_yaml(text, "f")) == repr(value)


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
    assert message(read_json, tmp_path / "b") == f"{tmp_path}/b: expected a JSON file of settings, found nothing; check the path"


# JSON ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1,\n "b": {"c": 1,\n "c": 2}}', "f: expected JSON, found: the key 'c' twice in 'b'"),
        ('{"a":\t1,\n\t"a":\t1}', "f: expected JSON, found: the key 'a' twice"),
        ('[{"k": 1}, {"k": 1, "k": NaN}]', "f: expected JSON, found: the key 'k' twice in '[1]'"),
        ("", "f:1: expected JSON, found: nothing"),
        ('{"a": 1,', "f:1: expected JSON, found: expecting property name enclosed in double quotes in column 9"),
        ("[" * 100_000, "f: expected JSON, found: too many levels"),
        ("[" * 101 + "]" * 101, "f: expected JSON, found: more than 100 levels in '[0][0][0][0][0][0][0][0]'"),
        ('{"a": [1, {"b": NaN}]}', "f: expected JSON, found: NaN, which is no number, in 'a[1].b'"),
        ("-Infinity", "f: expected JSON, found: -Infinity, which is no number"),
        ("[1e400]", "f: expected JSON, found: the number '1e400', which is too large, in '[0]'"),
        ('{"a": "\\u0000"}', "f: expected JSON, found: a text with a null character or half a character in 'a'"),
        ('{"a": "\\ud800"}', "f: expected JSON, found: a text with a null character or half a character in 'a'"),
        ('{"\\ud800": 1}', "f: expected JSON, found: a text with a null character or half a character in '\\ud800'"),
        ("1" * 5000, "f: expected JSON, found: an integer of 5,000 digits"),
        ('{"%s": 1, "%s": 2}' % (("k" * 999,) * 2), "f: expected JSON, found: the key 'kkk"),
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


PIECES = st.sampled_from(
    [
        *"[]{}:,-?&*!|>%@`'\"\\#\n \t",
        *("<<: *a", "&a ", "*a", "!!set", "!!int", "1e9", "0o7", ".nan", "NaN", "\\ud800", "\x00", "\ud800", "a: ", "---\n", "9" * 50),
    ]
)


@pytest.mark.parametrize("parse", [parse_yaml, parse_json])
@given(text=st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
def test_whatever_a_text_is_it_is_read_or_refused_in_a_short_line(parse, text):
    try:
        content = parse(text, "f")
    except ConfigError as error:
        assert_short(str(error))
    else:
        quoted(content).encode()


# Models -------------------------------------------------------------------------------------------


class Joint(Model):
    name: str
    at: tuple[float, float]


class Body(Model):
    joints: tuple[Joint, ...]
    height: float = Field(gt=0)
    not_: str = Field(default="", alias="not")


class Wish(Settings):
    rate: float = 1.0
    count: int = 1
    on: bool = False
    pair: tuple[float, float] = (0.0, 0.0)
    by_name: dict[str, float] = Field(default={})
    path: Path | None = None


@pytest.mark.parametrize("value", [True, "3", "yes", math.inf, math.nan, None, [1], {}])
@pytest.mark.parametrize("name", ["rate", "count"])
def test_settings_take_numbers_for_numbers_only(name, value):
    assert message(checked, Wish, {name: value}).startswith(f"{name}: input should be a ")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"count": 40.0}, "count: input should be a valid integer, found 40.0"),
        ({"on": 1}, "on: input should be a valid boolean, found 1"),
        ({"on": "yes"}, "on: input should be a valid boolean, found 'yes'"),
        ({"pair": [0, True]}, "pair[1]: input should be a valid number, found True"),
        ({"by_name": {"a": "1"}}, "by_name.a: input should be a valid number, found '1'"),
        ({"by_name": {"a": math.inf}}, "by_name.a: input should be a finite number, found inf"),
    ],
)
def test_settings_take_nothing_for_something_else(given, expected):
    assert message(checked, Wish, given) == expected


def test_settings_take_lists_whole_numbers_and_numpy_s():
    given = {"rate": 2, "count": np.int64(3), "on": np.True_, "pair": [np.float32(0.5), 1], "by_name": {"a": np.float64(2.0)}, "path": "a/b"}
    assert checked(Wish, given) == Wish(rate=2.0, count=3, on=True, pair=(0.5, 1.0), by_name={"a": 2.0}, path=Path("a/b"))


@pytest.mark.parametrize("name", [True, 1.5, None])
def test_names_are_not_made_of_what_yaml_takes_for_something_else(name):
    assert message(settings, BuildConfig, {"actors": ["a", name], "out": Path("a.h5")}) == f"actors[1]: input should be a valid string, found {name}"


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


def test_a_short_file_that_stands_for_a_huge_value_is_one_short_line_at_once(tmp_path):
    path = tmp_path / "build.yaml"
    path.write_text(BOMB + "fps: *j\n")
    began = time.monotonic()
    said = message(settings, BuildConfig, {}, path)
    assert time.monotonic() - began < 0.2
    assert said == f"{path}:6: expected YAML, found: more than 100,000 values, with those that aliases repeat"


def test_a_file_is_no_larger_than_settings_are(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"#" * 1_000_001)
    assert message(read_yaml, path) == f"{path}: expected a YAML file of settings of at most 1.0 MB, found 1.0 MB"
    assert message(read_json, path) == f"{path}: expected a JSON file of settings of at most 1.0 MB, found 1.0 MB"


ODD = ["x\x00\x1b[31m\n\u2028" * 50, "y" * 100_000, 16**5000, b"\xff" * 1000, {"k" * 500: 1}, "\ud800"]


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_whatever_is_found_the_line_is_short(value):
    said = message(settings, BuildConfig, {"fps": value, "camera": value, "x" * 1000: value, "image": value})
    assert said
    assert_short(said)
