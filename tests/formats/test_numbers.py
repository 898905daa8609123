"""Text to numbers: the very doubles that ``float`` gives, and NaN for everything that is no number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mocapgen.formats._numbers import Words
from mocapgen.formats._text import LARGEST

digits = st.text("0123456789", min_size=1, max_size=20)
signs = st.sampled_from(["", "-", "+"])
plain = st.builds(lambda sign, whole, fraction: f"{sign}{whole}.{fraction}", signs, digits, digits)
short = st.builds(
    lambda sign, whole, fraction: f"{sign}{whole}.{fraction}",
    signs,
    st.text("0123456789", min_size=1, max_size=7),
    st.text("0123456789", min_size=1, max_size=8),
)
exponents = st.builds(
    lambda mantissa, e, sign, digits: mantissa + e + sign + digits, short, st.sampled_from("eE"), signs, st.text("0123456789", min_size=1, max_size=3)
)
decimals = st.one_of(
    short,
    plain,
    exponents,
    st.builds(str.__add__, signs, digits),
    st.builds(lambda sign, whole: f"{sign}{whole}.", signs, digits),
    st.builds(lambda sign, fraction: f"{sign}.{fraction}", signs, digits),
    st.floats(-1e9, 1e9).map(repr),
    st.floats(-1000.0, 1000.0).map(lambda value: f"{value:.6g}"),
)
JUNK = [
    "nan", "-nan", "NaN", "inf", "-inf", "Infinity", "1_0", "1_000.5", "0x10", "0b1", "1.2.3", "1-2", "1+2", "--5", "+-5", "-", "+", ".", "-.",
    "e5", "1e", "1e+", "1e1.5", "1,5", "1f", "1.0f", "12a4", "root", "1.#IND", "-1.#QNAN", "1.#INF", "12345678a", "1234567.x", "/5", ":5", "5:", "5/",
    "1e9", "1000000000", "-1000000000.0", "1e400", "-1e400", "99999999999999999999", "1.5\xb2", "\xb2",
    "\xbd", "1\xa0", "\xa01", "1\x85", "\xfc", "1\xff2", "\x801", "1.\xb0",
]  # fmt: skip


def parse(*words: str, separator: str = " ") -> np.ndarray:
    text = Words(separator.join(words).encode("latin-1"))
    assert len(text) == len(words)
    return text.numbers(np.arange(len(text)))


def bits(values: object) -> list[int]:
    return np.atleast_1d(np.asarray(values, dtype=np.float64)).view(np.uint64).tolist()


@settings(max_examples=200, deadline=None)
@given(st.lists(decimals, min_size=1, max_size=40))
@example(["-0", "-0.0", "0", "+0", "-.0", "0.", "-0."])
@example(["1", "12", "123", "1234", "12345", "123456", "1234567", "12345678", "123456789"])
@example(["0.1", "0.12345678", "0.123456789", "1234567.12345678", "9999999.99999999", "0000000.00000001", "00000000.1"])
@example(["2.5842e-015", "-7.62852E-016", "1e5", "1.E5", ".1e1"])
@example(["0.000000000000000000000000000000001", "123.45600000000000000000000000000001"])
def test_bit_exact_with_float(words: list[str]) -> None:
    expected = [value if abs(value := float(word)) < LARGEST else math.nan for word in words]
    for found in (parse(*words), np.concatenate([parse(word) for word in words])):
        assert bits(found) == bits(expected)


@pytest.mark.parametrize("word", JUNK)
def test_what_is_no_number_is_nan(word: str) -> None:
    assert np.isnan(parse(word)).all()
    found = parse("1.5", word, "-2", "3e1")  # nor does it spoil its neighbours
    np.testing.assert_array_equal(found, [1.5, np.nan, -2.0, 30.0])
    # whatever else must be left to float
    np.testing.assert_array_equal(parse("1e1", word, "root", "+2", "1_0"), [10.0, np.nan, np.nan, 2.0, np.nan])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.text(st.characters(min_codepoint=33, max_codepoint=255) | st.sampled_from("0123456789.-"), min_size=1, max_size=20),
        min_size=1,
        max_size=10,
    )
)
def test_any_word_is_what_float_says_or_nan(words: list[str]) -> None:
    for word, value in zip(words, parse(*words), strict=True):
        try:
            expected = float(word) if word.isascii() and "_" not in word else math.nan
        except ValueError:
            expected = math.nan
        assert bits(value) == bits(expected if abs(expected) < LARGEST else math.nan)


def test_several_dots_among_words_of_any_length() -> None:
    """Read together with words whose last eight characters hold no dot, both halves of a word are looked at for one."""
    words = ["1.123456712345.12", "1.12345678", "123456789.", ".1234567.1234567", "1.2345678.1234567", "1234567812345678", "12345678.12345678"]
    expected = [math.nan, 1.12345678, 123456789.0, math.nan, math.nan, math.nan, 12345678.12345678]
    np.testing.assert_array_equal(parse(*words), expected)


@pytest.mark.parametrize("code", sorted({*range(33)}))
def test_everything_up_to_the_blank_separates(code: int) -> None:
    np.testing.assert_array_equal(parse("1", "-2.5", "3", separator=chr(code)), [1.0, -2.5, 3.0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", []),
        (b"  \n", []),
        (b"7", [7.0]),
        (b" 7", [7.0]),
        (b"7 ", [7.0]),
        (b"-1.25\n\n\t8", [-1.25, 8.0]),
        (b"1.", [1.0]),
        (b".5", [0.5]),
        (b"-", [np.nan]),
    ],
)
def test_words_at_the_ends_of_the_text(text: bytes, expected: list[float]) -> None:
    words = Words(text)
    np.testing.assert_array_equal(words.numbers(np.arange(len(words))), expected)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60))
def test_words_are_those_between_blanks(data: bytes) -> None:
    words = Words(data)
    blanks = bytes.maketrans(bytes(range(33)), b" " * 33)
    assert [data[a:b] for a, b in zip(words.starts, words.stops, strict=True)] == data.translate(blanks).split()


@pytest.mark.parametrize("count", [16383, 16384, 16385, 40000])
def test_more_words_than_one_block(count: int) -> None:
    random = np.random.default_rng(0)
    words = [f"{value:.{places}f}" for value, places in zip(random.normal(scale=200, size=count), random.integers(0, 12, size=count), strict=True)]
    words[count - 1] = "2.5e-015"
    words[16382] = "nan"
    found = parse(*words, separator="\n")
    assert bits(np.delete(found, 16382)) == bits([float(word) for index, word in enumerate(words) if index != 16382])
    assert np.isnan(found[16382])


def test_only_the_words_asked_for_in_the_order_asked_for() -> None:
    words = Words(b"root 1 2 lhand 3")
    np.testing.assert_array_equal(words.numbers(np.array([4, 2, 1, 1])), [3.0, 2.0, 1.0, 1.0])
    assert words.numbers(np.array([], dtype=np.intp)).shape == (0,)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_rows_repeat(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=255), min_size=1, max_size=30), min_size=1, max_size=5))
    rows = [list(names) for _ in range(data.draw(st.integers(1, 6)))]
    row, column = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, len(names) - 1))
    rows[row][column] = data.draw(
        st.one_of(st.just(names[column]), st.text(st.characters(min_codepoint=33, max_codepoint=255), min_size=1, max_size=30))
    )
    words = Words("\n".join(" 3.5 ".join(line) for line in rows).encode("latin-1"))
    table = np.arange(len(words)).reshape(len(rows), -1)[:, ::2]
    assert words.rows_repeat(table) == all(line == rows[0] for line in rows)


@pytest.mark.parametrize("length", range(1, 31))
def test_one_different_letter_anywhere_in_a_name_is_seen(length: int) -> None:
    name = "abcdefghijklmnopqrstuvwxyzABCD"[:length]
    for place in range(length):
        other = name[:place] + "_" + name[place + 1 :]
        assert not Words(f"{name} x {other} x".encode()).rows_repeat(np.array([[0, 1], [2, 3]]))
    assert not Words(f"{name} {name}s".encode()).rows_repeat(np.array([[0], [1]]))
    assert not Words(f"{name}s {name}".encode()).rows_repeat(np.array([[0], [1]]))
    assert Words(f"{name} {name}".encode()).rows_repeat(np.array([[0], [1]]))
