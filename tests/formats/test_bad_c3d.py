"""The zoo of bad C3D files: each gives one of our errors, on one line, quickly and in little memory."""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from mocapgen.core.markers import Markers
from mocapgen.core.markers import Markers as PlainMarkers
from mocapgen.formats.c3d import parse_c3d, read_markers
from mocapgen.formats.c3d_file import parse_c3d_file
from schemas.errors import FormatError
from tests.formats.c3d_files import BLOCK, c3d_file

LABELS = ["LFWT", "RFWT", "C7"]
POINTS = np.random.default_rng(3).normal(size=(20, 3, 3)) * 300.0 + 1000.0
GOOD = c3d_file(POINTS, LABELS)


def put(position: int, pattern: str, *values: float, data: bytes = GOOD) -> bytes:
    """Return a file with other values at a position."""
    data = bytearray(data)
    struct.pack_into("<" + pattern, data, position, *values)
    return bytes(data)


def parameter(name: str, offset: int, pattern: str, *values: float, data: bytes = GOOD) -> bytes:
    """Return a file with other values at an offset from the end of a parameter's name (2: its type, 3: its dimensions)."""
    return put(GOOD.index(name.encode()) + len(name) + offset, pattern, *values, data=data)


ZOO: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "expected a C3D file, found an empty file"),
    "one byte": (b"\x02", "expected a C3D file (0x50 as its second byte), found 02"),
    "text": (b"HIERARCHY\nROOT Hips\n" * 50, "expected a C3D file (0x50 as its second byte), found 48 49 45 52"),
    "zeros": (bytes(2048), "expected a C3D file (0x50 as its second byte), found 00 00 00 00"),
    "header cut": (GOOD[:300], "expected a header of 512 bytes, found 300: the file is cut short"),
    "header only": (GOOD[:512], "the header puts the parameters at block 2, expected one between 2 and 1"),
    "parameters cut": (GOOD[:700], "cut short|beyond|claims"),
    "data cut": (GOOD[: 2 * BLOCK + 100], "cut short"),
    "last frame cut": (
        GOOD[: 2 * BLOCK + 20 * 48 - 1],
        "the file announces 20 frames of 3 points, expected 1984 bytes, found 1983: cut short (with lenient=True: the 19",
    ),
    "parameters nowhere": (put(0, "B", 200), "the header puts the parameters at block 200"),
    "parameters in the header": (put(0, "B", 1), "the header puts the parameters at block 1, expected one between 2 and"),
    "parameters at block zero": (put(0, "B", 0), "the header puts the parameters at block 0"),
    "unknown processor": (
        put(BLOCK + 3, "B", 99),
        "expected processor type 84 (Intel), 85 (DEC) or 86 (MIPS)",
    ),
    "Intel that says MIPS": (put(BLOCK + 3, "B", 86), "expected type|claims|beyond"),
    "huge point count in the header": (put(2, "H", 65535), None),  # type: ignore[dict-item]
    "huge point count": (parameter("USED", 4, "H", 65535), "the file announces 20 frames of 65535 points"),
    "no points": (parameter("USED", 4, "H", 0), "expected markers, found a file with none"),
    "huge frame count": (put(6, "HH", 1, 65000), None),  # type: ignore[dict-item]
    "huge frame count everywhere": (
        parameter("FRAMES", 4, "H", 65000, data=put(6, "HH", 1, 65000)),
        "the file announces 65000 frames of 3 points, expected 3121024 bytes, found",
    ),
    "huge analog count": (put(4, "H", 65535), "the file announces 20 frames of 3 points"),
    "data beyond the end": (parameter("DATA_START", 4, "H", 60000), "expected data within the file"),
    "a parameter larger than its section": (parameter("LABELS", 4, "BB", 255, 255), "'LABELS' claims 65025 bytes, expected at most the"),
    "a parameter of many dimensions": (
        parameter("LABELS", 3, "B", 200),
        "'LABELS': expected type -1, 1, 2 or 4, at most 7 dimensions, found -1, 200",
    ),
    "a parameter of unknown type": (parameter("RATE", 2, "b", 77), "'RATE': expected type -1, 1, 2 or 4, at most 7 dimensions, found 77, 0"),
    "a parameter that points back": (parameter("RATE", 0, "h", -40), "'RATE' points -40 bytes ahead for the next, expected at least 3"),
    "a parameter that points at itself": (parameter("RATE", 0, "h", 1), "'RATE' points 1 bytes ahead"),
    "a name without end": (put(GOOD.index(b"RATE") - 2, "b", 127), "beyond|claims|expected|points"),
    "no frame rate": (parameter("RATE", 4, "f", 0.0, data=put(20, "f", 0.0)), "POINT:RATE: expected frames per second, found 0|read"),
    "frame rate is no number": (parameter("RATE", 4, "f", float("nan")), "POINT:RATE: expected frames per second, found nan|read"),
    "negative frame rate": (parameter("RATE", 4, "f", -120.0), "POINT:RATE: expected frames per second, found -120"),
    "coordinates beyond belief": (c3d_file(POINTS * 1e6, LABELS), "expected coordinates within"),
    "nothing ever seen": (c3d_file(np.zeros((20, 3, 3)), LABELS), "expected markers, found 3 that are never seen"),
    "unit unknown and no body": (c3d_file(POINTS, LABELS, units="cubit"), "POINT:UNITS: expected a unit such as mm, found 'cubit'"),
}


def cause(read: Callable[[], object]) -> str:
    with pytest.raises(FormatError) as caught:
        read()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.mark.parametrize("name", [name for name, (_, message) in ZOO.items() if message is not None])
def test_zoo(name: str) -> None:
    data, message = ZOO[name]
    found = cause(lambda: parse_c3d(data, "bad.c3d"))
    assert found.startswith("bad.c3d: ")
    assert any(part in found for part in message.split("|")), found


@pytest.mark.parametrize("name", [name for name, (_, message) in ZOO.items() if message is None])
def test_a_header_that_the_parameters_contradict(name: str) -> None:
    """The parameters say the truth, the header does not: either is an answer, but no crash and no made-up marker."""
    try:
        markers = parse_c3d(ZOO[name][0], "bad.c3d")
    except FormatError as error:
        assert str(error).startswith("bad.c3d: ")  # noqa: PT017
    else:
        assert markers.positions.shape == (20, 3, 3)


def test_a_truncated_file_is_an_error_wherever_it_ends() -> None:
    end = 2 * BLOCK + 20 * 48  # what follows is padding
    for length in [*range(0, end, 31), end - 1]:
        cause(lambda length=length: parse_c3d(GOOD[:length], "bad.c3d"))
    assert len(parse_c3d(GOOD[:end], "good.c3d")) == 20


def test_claims_cost_neither_time_nor_memory() -> None:
    """Even a claim of 65535 points by 65000 frames, 100 GB, is held against the file before anything is made of that size."""
    tracemalloc.start()
    began = time.monotonic()
    for data, _ in ZOO.values():
        try:
            parse_c3d(data, "bad.c3d")
        except FormatError:
            continue
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.monotonic() - began < 20.0  # far above what it takes, far below a hang for each
    assert peak < 20_000_000


def test_files_that_are_not_there(tmp_path: object) -> None:
    message = cause(lambda: read_markers(f"{tmp_path}/nothing.c3d"))
    assert message == f"{tmp_path}/nothing.c3d: expected a motion-capture file (.c3d), found nothing; check the path"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ("A", "B")}, "expected positions"),
        ({"labels": ("A", "A", "B")}, "labels repeat: A"),
        ({"valid": np.ones((4, 3), dtype=bool)}, "expected positions"),
        ({"positions": np.full((5, 3, 3), np.nan)}, "expected finite numbers"),
        ({"positions": np.zeros((0, 3, 3)), "valid": np.ones((0, 3), dtype=bool)}, "expected positions"),
        ({"fps": 0.0}, "expected a positive number"),
    ],
)
def test_markers_hold_together(change: dict[str, object], message: str) -> None:
    sound: dict[str, object] = {"labels": ("A", "B", "C"), "positions": np.zeros((5, 3, 3)), "valid": np.ones((5, 3), dtype=bool), "fps": 120.0}
    with pytest.raises(ValueError, match=message):
        PlainMarkers(**(sound | change))  # type: ignore[arg-type]
    assert isinstance(PlainMarkers(**sound), Markers)  # type: ignore[arg-type]


@pytest.mark.parametrize("block", [0, 1, 2])
def test_a_data_start_that_cannot_be_leaves_it_to_the_header(block: int) -> None:
    """Some programs leave the parameter at 1; ezc3d and c3d then believe the header, too."""
    damaged = parse_c3d_file(parameter("DATA_START", 4, "H", block), "a.c3d")
    np.testing.assert_array_equal(damaged.points, parse_c3d_file(GOOD, "a.c3d").points)
