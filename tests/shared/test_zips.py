"""Members of zips are unpacked no farther than they say, and held against what the archive says of them."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocapgen.shared.zips import FAULTS, unpack, unpack_head

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
LARGE = bytes(range(256)) * 10_000


def packed(data: bytes, method: int) -> bytearray:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("x", data)
    return bytearray(file.getvalue())


def forged(data: bytes, method: int, size: int) -> zipfile.ZipFile:
    """Return an archive of `data` whose headers state another size."""
    archive = packed(data, method)
    for place in (archive.rindex(b"PK\x01\x02") + 24, 22):
        archive[place : place + 4] = struct.pack("<I", size)
    return zipfile.ZipFile(io.BytesIO(archive))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("data", [b"", b"one", LARGE])
def test_what_was_packed_is_unpacked(method: int, data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(packed(data, method))) as archive:
        member = archive.getinfo("x")
        assert unpack(archive, member) == data
        assert unpack(archive, member) == archive.read("x")
        assert [unpack_head(archive, member, size) for size in (0, 2, 6_000_000)] == [data[:0], data[:2], data]


@pytest.mark.parametrize("method", METHODS)
def test_more_than_stated_is_not_unpacked(method: int) -> None:
    with forged(bytes(30_000_000), method, 1000) as archive:
        tracemalloc.start()
        with pytest.raises(zipfile.BadZipFile, match="more than the 1000 bytes"):
            unpack(archive, archive.getinfo("x"))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < (30_000_000 if method == zipfile.ZIP_LZMA else 8_000_000)


@pytest.mark.parametrize("method", METHODS)
def test_less_than_stated(method: int) -> None:
    with forged(b"one" * 50, method, 151) as archive, pytest.raises(FAULTS, match="150 bytes in place of 151"):
        unpack(archive, archive.getinfo("x"))


def test_a_dictionary_of_gigabytes_is_not_made() -> None:
    archive = packed(b"one" * 1000, zipfile.ZIP_LZMA)
    place = archive.index(b"\x05\x00") + 3
    archive[place : place + 4] = struct.pack("<I", 2**32 - 1)
    with zipfile.ZipFile(io.BytesIO(archive)) as file, pytest.raises(zipfile.BadZipFile, match="a dictionary of 4294967295 bytes"):
        unpack(file, file.getinfo("x"))


@given(st.sampled_from(METHODS), st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_any_changed_byte_gives_the_data_or_a_fault(method: int, data: bytes, place: int, value: int) -> None:
    archive = packed(data, method)
    archive[place % len(archive)] = value
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            assert all(unpack(file, member) == data for member in file.infolist())
    except FAULTS:
        pass
