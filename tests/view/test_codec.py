"""Numbers as text: exact for whatever is put in, small for motion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mocapgen import open_dataset
from mocapgen.view.codec import LIMIT, MISSING, dequantise, encode, quantise
from tests.view.conftest import decode

whole_numbers = arrays.arrays(np.int32, st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3)))


@settings(max_examples=40, deadline=None)
@given(whole_numbers, st.data())
def test_every_number_comes_back_whatever_the_tree(values, data):
    parents = data.draw(st.lists(st.integers(-1, values.shape[1] - 1), min_size=values.shape[1], max_size=values.shape[1]))
    text = encode(values, parents)
    assert text.isascii()
    np.testing.assert_array_equal(decode(text, len(values), parents, values.shape[2]), values)


def test_extremes_come_back():
    values = np.array([[[MISSING], [2**31 - 1]], [[2**31 - 1], [MISSING]], [[0], [-1]]], dtype=np.int32)
    np.testing.assert_array_equal(decode(encode(values, [-1, 0]), 3, [-1, 0], 1), values)


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(np.float32, (3, 2), elements=st.floats(-1e5, 1e5, width=32)))
def test_rounding_is_within_half_a_step(values):
    assert np.abs(dequantise(quantise(values, 0.001), 0.001) - values).max() <= 0.0005 + 1e-9


def test_what_is_no_number_stays_none_and_what_is_too_large_is_cut_off():
    values = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 1.2344])
    found = dequantise(quantise(values, 0.001), 0.001)
    np.testing.assert_allclose(found, [np.nan, np.nan, np.nan, LIMIT * 0.001, -LIMIT * 0.001, 1.234])


def test_motion_takes_little_space(files):
    with open_dataset(files["unity"]) as data:
        row, skeleton = data[0], data.skeletons[data[0].avatar]
        text = encode(quantise(row["positions_3d"], 0.001), skeleton.parents)
    assert len(text) / row.length < 0.35 * 81 * 2  # of what plain 16-bit numbers would take before base64


@pytest.mark.parametrize("frames", [1, 2])
def test_the_shortest_motions(frames):
    values = np.arange(frames * 6, dtype=np.int32).reshape(frames, 2, 3)
    np.testing.assert_array_equal(decode(encode(values, [-1, 0]), frames, [-1, 0], 3), values)
