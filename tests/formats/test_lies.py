"""Files below 10 MB that claim to be large, or are made to take long: an answer at once, in little memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mocapgen.core.rotation import keep_continuous, make_continuous
from mocapgen.core.skeleton import frozen_array
from mocapgen.formats._bvh_write import Unwrap
from mocapgen.formats.asf import parse_asf
from mocapgen.formats.asf_amc import parse_amc
from mocapgen.formats.bvh import parse_bvh
from schemas.errors import FormatError
from tests.formats.test_bad_sources import AMC, ASF

ROOT = b"HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\nCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n"
HEAD = ROOT + b"End Site\n{\nOFFSET 0 1 0\n}\n}\n"
MOTION = b"MOTION\nFrames: %d\nFrame Time: 0.01\n"
ROW = b"0 0 0 1 2 3\n"
JOINT = b"JOINT j\n{\nOFFSET 0 1 0\nCHANNELS 1 Zrotation\n"
FRAMES = b"".join(b"%d\nroot 0 1 0 0 0 0\nspine 1 2 3\n" % number for number in range(1, 60_000))

BVH = {
    "announced": (HEAD + MOTION % 999_999_999 + ROW, "expected 999999999 frames as in 'Frames:', found 1"),
    "joints": (ROOT + (JOINT + b"}\n") * 150_000 + b"}\n" + MOTION % 1, "expected at most 5000 joints"),
    "depth": (ROOT + JOINT * 100_000 + b"}\n" * 100_001 + MOTION % 1, "expected at most 5000 joints"),
    "line": (b"HIERARCHY\nROOT " + b"x" * 9_000_000, "expected at most 100000 characters in a line"),
    "channels": (ROOT.replace(b"S 6", b"S 900000" + b" Xposition" * 900_000) + MOTION % 1, "expected at most 100000 characters in a line"),
    "blank lines": (b"HIERARCHY\n" + b"\n" * 9_000_000 + HEAD[10:] + MOTION % 1, "expected at most 1000000 lines before the frames"),
    "words": (HEAD + MOTION % 1 + b"1 " * 4_500_000, "expected 6 values in a frame, found more"),
    "fault at the end": (HEAD + MOTION % 800_001 + ROW * 800_000 + b"0 0 0 1\n", ":800014: joint Hips: expected 6 values in a frame, found 4"),
}
AMCS = {
    "line": (b":DEGREES\n1\nroot " + b"1 " * 4_500_000, "expected at most 100000 characters in a line"),
    "digits": (b":DEGREES\n" + b"1" * 9_000_000, "the first frame lacks 2 moving bones"),
    "comments": (b"#\n" * 4_500_000 + AMC, "expected frames, found none within the first 1,048,576 bytes"),
    "fault at the end": (b":DEGREES\n" + FRAMES + b"60000\nroot 0 0\n", r":180000: bone root: expected 6 values \(tx ty tz rx ry rz\), found 2"),
    "number at the end": (b":DEGREES\n" + FRAMES + b"60001\n", ":179999: expected frame number 60000, found '60001'"),
}
ASFS = {
    "bones": ASF.replace(b":hierarchy", b"begin\nname b\nend\n" * 400_000 + b":hierarchy"),
    "words": ASF + b"a " * 4_500_000,
    "lines": b"a\n" * 4_500_000,
}


def refused(parse: Callable[[], Any], text: str) -> None:
    began = time.process_time()
    with pytest.raises(FormatError, match=text) as caught:
        parse()
    assert time.process_time() - began < 2.0
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("lie", BVH)
def test_bvh(lie: str) -> None:
    data, text = BVH[lie]
    refused(lambda: parse_bvh(data, "a.bvh"), text)


def test_blanks_before_the_frames_take_no_time() -> None:
    began = time.process_time()
    data = HEAD + b"MOTION\n" + b"\n" * 4_000_000 + (MOTION % 2)[7:] + b" " * 4_000_000 + 2 * ROW
    assert len(parse_bvh(data, "a.bvh")) == 2
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize("lie", AMCS)
def test_amc(lie: str) -> None:
    data, text = AMCS[lie]
    refused(lambda: parse_amc(data, parse_asf(ASF, "a.asf"), "a.amc"), text)


@pytest.mark.parametrize("lie", ASFS)
def test_asf(lie: str) -> None:
    refused(lambda: parse_asf(ASFS[lie], "a.asf"), "expected at most 100,000 lines and 4,194,304 bytes, found more")


def test_a_long_amc_file_is_read_in_blocks() -> None:
    asf, data = parse_asf(ASF, "a.asf"), b":DEGREES\n" + FRAMES
    few = parse_amc(b":DEGREES\n" + FRAMES[: FRAMES.index(b"\n2001\n") + 1], asf, "a.amc")
    tracemalloc.start()
    motion = parse_amc(data, asf, "a.amc")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(motion) == 59_999
    assert peak < 12 * motion.rotations.nbytes  # three joints: what is read along with them is not small beside them
    np.testing.assert_array_equal(motion.rotations[:2000], few.rotations)


@pytest.mark.parametrize("sizes", [(1,), (1, 1), (5, 1, 94), (100,)])
def test_angles_are_unwrapped_in_blocks_as_at_once(sizes: tuple[int, ...]) -> None:
    angles = np.cumsum(np.random.default_rng(1).normal(scale=2.0, size=(sum(sizes), 4)), axis=0)
    angles = (angles + np.pi) % (2 * np.pi) - np.pi
    angles[-1, 0] = angles[max(len(angles) - 2, 0), 0] + np.pi  # just half a turn
    unwrap, starts = Unwrap(), np.cumsum((0, *sizes))
    found = np.concatenate([unwrap(angles[start : start + size]) for start, size in zip(starts, sizes, strict=False)])
    np.testing.assert_array_equal(found, np.unwrap(angles, axis=0))


@pytest.mark.parametrize("frames", [1, 2, 4096, 4097, 9000])
def test_quaternions_are_made_continuous_in_place_as_in_a_copy(frames: int) -> None:
    random = np.random.default_rng(frames)
    found = random.normal(size=(4, 3, frames)).T
    wanted = make_continuous(found.copy())
    keep_continuous(found)
    np.testing.assert_array_equal(found, wanted)


def test_an_array_that_nobody_can_write_to_is_not_copied() -> None:
    array = np.ones((4, 5, 6)).T
    assert frozen_array(array, (6, 5, 4), "a") is not array
    array.flags.writeable = False
    assert frozen_array(array, (6, 5, 4), "a") is not array  # the array that it is a view of can be written to
    owner = np.ones((4, 5, 6))
    owner.flags.writeable = False
    view = owner.T
    assert frozen_array(view, (6, 5, 4), "a") is view
    assert frozen_array(view[1:], (5, 5, 4), "a").base is None  # it would hold the memory of all
