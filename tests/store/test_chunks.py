"""Chunks that are packed here are read by HDF5, which finds every damaged byte."""

from __future__ import annotations

import io
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mocapgen.shared.hdf5 import FRAME_FILTERS
from mocapgen.store.chunks import fletcher32, pack_chunk

TYPES = st.sampled_from(["<f2", "<f4", "<f8", "<i4", "|b1", "|u1"])
SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, max_side=9)


def stored(chunk: bytes, shape: tuple[int, ...], rows: int, dtype: Any) -> h5py.File:
    """Return a file with one chunk written as it is."""
    file = h5py.File(io.BytesIO(), "w")
    dataset = file.create_dataset("x", shape, dtype, chunks=(rows, *shape[1:]), maxshape=(None, *shape[1:]), **FRAME_FILTERS)
    dataset.id.write_direct_chunk((0,) * len(shape), chunk)
    return file


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(0, 5))
def test_hdf5_reads_what_was_packed(data: st.DataObject, missing: int) -> None:
    values = data.draw(arrays.arrays(data.draw(TYPES), data.draw(SHAPES)))
    rows = len(values) + missing
    with stored(pack_chunk(values, rows), values.shape, rows, values.dtype) as file:
        found = file["x"][()]
        assert found.tobytes() == values.tobytes()  # bit by bit: NaN, too
        file["x"].resize(rows, axis=0)
        assert not file["x"][len(values) :].any()


@pytest.mark.parametrize("noisy", range(5))
@pytest.mark.parametrize("values", [4095, 4096, 70_000, 131_070])
def test_bytes_that_are_noise_are_stored_as_they_are(values: int, noisy: int) -> None:
    random = np.random.default_rng(noisy)
    found = np.zeros((values, 4), np.uint8)
    found[:, :noisy] = random.integers(0, 256, (values, noisy))
    numbers = found.view("<u4").ravel()
    chunk = pack_chunk(numbers, values)
    with stored(chunk, numbers.shape, values, numbers.dtype) as file:
        assert (file["x"][()] == numbers).all()
    assert len(chunk) < (noisy + 0.01) * values + 200
    if noisy and values >= 4096:
        assert found[:, 0].tobytes()[:1000] in chunk


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_hdf5_finds_a_byte_that_is_not_as_it_was_packed(data: st.DataObject) -> None:
    values = np.random.default_rng(0).normal(size=(8, 5)).astype("<f4")
    chunk = bytearray(pack_chunk(values, 8))
    place, change = data.draw(st.integers(0, len(chunk) - 1)), data.draw(st.integers(1, 254))  # 0 and 255 are one number for the checksum
    chunk[place] = (chunk[place] + change) % 256
    with stored(bytes(chunk), values.shape, 8, values.dtype) as file, pytest.raises(OSError, match="filter returned failure"):
        file["x"][()]


@pytest.mark.parametrize("data", [b"\0", b"\0" * 9, b"\xff", b"\xff" * 6, b"\1\0\2", b"\0\xff\xff\0", bytes(range(256)) * 300])
def test_the_checksum_is_that_of_hdf5(data: bytes) -> None:
    with h5py.File(io.BytesIO(), "w") as file:
        dataset = file.create_dataset("x", data=np.frombuffer(data, np.uint8), chunks=(len(data),), fletcher32=True)
        _, chunk = dataset.id.read_direct_chunk((0,))
    assert chunk == data + fletcher32(data).to_bytes(4, "little")
