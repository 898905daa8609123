"""The bytes of C3D files: number formats, long files, parameters, and two independent readers of the same files."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest

from mocapgen.formats.c3d_file import C3dFile, parse_c3d_file, parse_c3d_parameters
from schemas.errors import FormatError
from tests.formats.c3d_files import BLOCK, as_dec, c3d_file, real, text

POINTS = (np.random.default_rng(1).normal(size=(7, 3, 3)) * 300.0 + 1000.0).astype(np.float32)
LABELS = ["A", "B", "C"]
REAL = ("hdm05/takes/dg/HDM_dg_06-03_03_120.c3d", "hdm05/takes/mm/HDM_mm_01-02_03_120.c3d", "cmu/c3d/85_12.c3d")


def ezc3d_reads(data: bytes, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return points and residuals as ezc3d reads them."""
    import ezc3d

    (folder / "a.c3d").write_bytes(data)
    file = ezc3d.c3d(str(folder / "a.c3d"))
    return file["data"]["points"][:3].T, file["data"]["meta_points"]["residuals"][0].T


def c3d_reads(data: bytes) -> np.ndarray:
    """Return x, y, z, residual and cameras of each point as the package c3d reads them."""
    import c3d

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of parameters that it does not expect
        return np.array([points for _, points, _ in c3d.Reader(io.BytesIO(data)).read_frames(copy=True)])


def agree(data: bytes, folder: Path) -> C3dFile:
    """Check that both readers see the same, to the bit, wherever a point was seen."""
    ours = parse_c3d_file(data, "a.c3d")
    seen = ours.residuals >= 0
    theirs, residuals = ezc3d_reads(data, folder)
    assert (theirs[seen].astype(np.float32) == ours.points[seen]).all()
    assert ((residuals >= 0) == seen).all()
    others = c3d_reads(data)
    assert (others[seen][:, :3].astype(np.float32) == ours.points[seen]).all()
    assert ((others[..., 3] >= 0) == seen).all()
    return ours


@pytest.mark.parametrize("scale", [-0.1, 0.05])
def test_two_other_readers_see_the_same(tmp_path: Path, scale: float) -> None:
    fourth = np.zeros((7, 3))
    fourth[2, 1] = -1
    ours = agree(c3d_file(POINTS, LABELS, scale=scale, fourth=fourth), tmp_path)
    assert np.abs(ours.points - POINTS).max() <= (0.03 if scale > 0 else 0.0)
    assert np.argwhere(ours.residuals < 0).tolist() == [[2, 1]]


@pytest.mark.parametrize("file", REAL)
def test_two_other_readers_see_the_same_in_real_files(data_dir: Path, tmp_path: Path, file: str) -> None:
    agree((data_dir / file).read_bytes(), tmp_path)


def as_mips(data: bytes, real_points: bool) -> bytes:
    """Return an Intel file (of :func:`c3d_file`) as an SGI computer would have written it: every number the other way round."""
    out = bytearray(data)

    def swap(position: int, size: int) -> None:
        out[position : position + size] = out[position : position + size][::-1]

    for position in (2, 4, 6, 8, 10, 16, 18):
        swap(position, 2)
    for position in (12, 20):
        swap(position, 4)
    out[BLOCK + 3] = 86
    at = BLOCK + 4
    while data[at]:
        length, group = data[at], struct.unpack_from("b", data, at + 1)[0]
        link = at + 2 + length
        step = struct.unpack_from("<h", data, link)[0]
        swap(link, 2)
        if group > 0:
            kind, dimensions = struct.unpack_from("bB", data, link + 2)
            if kind in (2, 4):
                swap(link + 4 + dimensions, kind)
        at = link + step
    size = 4 if real_points else 2
    start = (struct.unpack_from("<H", data, 16)[0] - 1) * BLOCK
    for position in range(start, len(data), size):
        swap(position, size)
    return bytes(out)


@pytest.mark.parametrize("scale", [-0.1, 0.05])
def test_numbers_of_sgi_computers(scale: float) -> None:
    data = c3d_file(POINTS, LABELS, scale=scale)
    intel, mips = parse_c3d_file(data, "a.c3d"), parse_c3d_file(as_mips(data, scale < 0), "a.c3d")
    assert (mips.points == intel.points).all()
    assert (mips.fps, mips.labels, mips.scale) == (120.0, ("A", "B", "C"), intel.scale)
    assert (c3d_reads(as_mips(data, scale < 0))[..., :3].astype(np.float32) == intel.points).all()


def test_numbers_of_dec_computers(tmp_path: Path) -> None:
    data = c3d_file(POINTS, LABELS)
    dec = as_dec(data, POINTS[..., 0].size)
    assert (agree(dec, tmp_path).points == parse_c3d_file(data, "a.c3d").points).all()


@pytest.mark.parametrize("word", [0, 1, 255, 256, 32767])
def test_the_residual_is_the_low_byte_in_units_of_the_scale(word: int) -> None:
    for scale in (-0.1, 0.1):
        found = parse_c3d_file(c3d_file(POINTS, LABELS, scale=scale, fourth=np.full((7, 3), word)), "a.c3d").residuals
        assert np.allclose(found, (word & 0xFF) * 0.1)


@pytest.mark.parametrize("word", [-1.0, -300.0, 65535.0, np.nan])
def test_a_negative_word_is_a_point_that_was_not_seen(word: float) -> None:
    assert (parse_c3d_file(c3d_file(POINTS, LABELS, fourth=np.full((7, 3), word)), "a.c3d").residuals == -1).all()


def test_more_frames_than_sixteen_bits_count() -> None:
    frames = 70_000
    points = np.arange(frames, dtype=np.float64)[:, None, None] * np.ones((1, 1, 3)) * 0.01
    data = bytearray(c3d_file(points[:10], ["A"]))
    start = (struct.unpack_from("<H", data, 16)[0] - 1) * BLOCK
    body = np.concatenate([points, np.zeros((frames, 1, 1))], axis=-1).astype("<f4").tobytes()
    for stated in (65535, frames % 65536):
        struct.pack_into("<H", data, 8, stated)
        data[data.index(b"FRAMES") + 10 : data.index(b"FRAMES") + 12] = struct.pack("<H", stated)
        file = parse_c3d_file(bytes(data[:start]) + body, "a.c3d")
        assert len(file) == frames
        assert file.points[-1, 0, 0] == np.float32(points[-1, 0, 0])


def test_labels_go_on_in_labels2() -> None:
    count = 300
    names = [f"P{place:03d}" for place in range(count)]
    data = c3d_file(np.ones((2, count, 3)), names[:255], extra=[text("LABELS2", names[255:])])
    assert parse_c3d_file(data, "a.c3d").labels == tuple(names)


def test_a_point_without_a_label_has_an_empty_one() -> None:
    assert parse_c3d_file(c3d_file(POINTS, ["A"]), "a.c3d").labels == ("A", "", "")


def test_parameters_by_name() -> None:
    file = parse_c3d_file(c3d_file(POINTS, LABELS, extra=[real("GAIN", 2.5), text("NOTES", ["one", "two"])]), "a.c3d")
    assert file.number("POINT:GAIN") == 2.5
    assert file.number("POINT:NOTHING", 7.0) == 7.0
    assert file.texts("POINT:NOTES") == ("one", "two")
    assert file.texts("POINT:GAIN") == ()


def test_the_parameters_alone_are_read_from_the_first_bytes() -> None:
    data = c3d_file(POINTS, LABELS)
    start = (struct.unpack_from("<H", data, 16)[0] - 1) * BLOCK
    file = parse_c3d_parameters(data[:start], "a.c3d")
    assert (file.labels, len(file)) == (("A", "B", "C"), 0)


def test_a_file_that_was_cut_short_is_taken_as_far_as_it_goes_if_asked() -> None:
    data = c3d_file(POINTS, LABELS)
    start = (struct.unpack_from("<H", data, 16)[0] - 1) * BLOCK
    cut = data[: start + 4 * 48 + 10]
    with pytest.raises(FormatError, match=r"announces 7 frames of 3 points, .* cut short \(with lenient=True: the 4 frames that are there\)$"):
        parse_c3d_file(cut, "a.c3d")
    file = parse_c3d_file(cut, "a.c3d", lenient=True)
    assert (len(file), file.missing_frames) == (4, 3)
    assert (file.points == POINTS[:4]).all()
    with pytest.raises(FormatError, match="cut short"):
        parse_c3d_file(data[: start + 10], "a.c3d", lenient=True)
