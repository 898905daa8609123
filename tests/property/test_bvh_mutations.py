"""BVH files that look real but for random damage: the outcome is a sound Bvh or one of our errors, nothing else."""

from __future__ import annotations

import re
import tracemalloc
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Motion
from mocapgen.formats.bvh import Bvh, format_bvh, parse_bvh
from mocapgen.reading.translation import Translations
from schemas.errors import MocapError
from tests.fuzz.mutate import damage_text

FRAME = b"1.25 90.5 -3.75 0.5 -12.25 178.5 5.5 6.5 -7.5 0 0 30.25 1.5 2.5\n"
HIERARCHY = b"""\
HIERARCHY
ROOT Hips
{
  OFFSET 0.0 92.5 0.0\r
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\r
  JOINT LeftUpLeg
  {
    OFFSET 9.25 -4.5 0.25
    CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT LeftLeg {
      OFFSET 0.0 -40.5 1e-05
      CHANNELS 3 Xrotation Yrotation Zrotation
      End Site
      {
        OFFSET 0 -44 0
      }
    }
  }
  JOINT Left Arm
  {
    OFFSET 20 30 0
    CHANNELS 2 Zrotation Yrotation
    JOINT Thumb
    {
      OFFSET 20 30 0
      CHANNELS 0
    }
  }
}
MOTION
"""
BVH = HIERARCHY + b"Frames: 5\nFrame Time: 0.00833333\n" + 5 * FRAME
WORDS = [b"HIERARCHY", b"ROOT", b"JOINT", b"End", b"End Site", b"OFFSET", b"CHANNELS", b"MOTION", b"Frames:", b"Frame Time:", b"{", b"}"]
WORDS += [b"Hips", b"Xrotation", b"Yposition", b"Xscale", b"3", b"-1", b"0.1", b"\xfc", b"\xef\xbb\xbf"]
RANDOM = st.randoms(use_true_random=False)


def damaged(random: Random, most: int = 4) -> bytes:
    data = BVH
    for _ in range(random.randint(1, most)):
        data = damage_text(data, random, WORDS)
    return data


def outcome(data: bytes, lenient: bool = False) -> Bvh | MocapError:
    try:
        bvh = parse_bvh(data, "a.bvh", lenient)
        translations = Translations.of(bvh)
    except MocapError as error:
        message = str(error)
        assert message.startswith("a.bvh:")
        assert len(message.splitlines()) == 1
        assert message.isprintable()
        assert len(message) < 400
        return error
    assert len(bvh) >= 1
    assert bvh.values.shape == (len(bvh), sum(map(len, bvh.channels)))
    assert len(set(bvh.names)) == len(bvh.names) == len(bvh.skeleton.names)  # the skeleton has checked the tree
    assert np.isfinite(translations.offsets).all()
    assert np.isfinite(bvh.positions()).all()
    assert bvh.fps > 0
    assert lenient or not bvh.repairs
    for note in bvh.repairs:
        assert note.startswith("a.bvh:")
        assert len(note.splitlines()) == 1
        assert len(note) < 400
    return bvh


def test_without_damage_it_is_sound() -> None:
    for lenient in (False, True):
        found = outcome(BVH, lenient)
        assert isinstance(found, Bvh)
        assert (len(found), found.repairs) == (5, ())


mutations = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@mutations
@given(RANDOM)
def test_damaged(random: Random) -> None:
    data = damaged(random)
    strict, lenient = outcome(data), outcome(data, lenient=True)
    if isinstance(strict, Bvh):  # what was read is what is there, and lenience changes nothing
        assert isinstance(lenient, Bvh)
        assert (lenient.names, lenient.repairs) == (strict.names, ())
        np.testing.assert_array_equal(lenient.values, strict.values)
        rows = re.split(rb"[\r\n]+", data[data.upper().rindex(b"TIME") :])[1:]
        assert len(strict) == sum(bool(row.strip(bytes(range(33)))) and not row.lower().lstrip().startswith(b"frames") for row in rows)
    elif isinstance(lenient, Bvh):
        assert lenient.repairs or "stray" in str(strict)


@mutations
@given(RANDOM)
def test_damaged_and_written(random: Random) -> None:
    found = outcome(damaged(random, 2), lenient=True)
    if isinstance(found, Bvh):
        motion = Motion(found.skeleton, found.rotations(), found.translations()[:, 0], found.fps)
        again = outcome(format_bvh(motion, 1.0))
        assert isinstance(again, Bvh)
        expected = forward_kinematics(motion)
        size = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(again.positions()[:, : len(found.names)].max(), expected.max(), rtol=0, atol=1e-9 * size)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_noise(data: bytes) -> None:
    for lenient in (False, True):
        for text in (data, b"HIERARCHY\n" + data, HIERARCHY + data, BVH + data, data + BVH):
            outcome(text, lenient)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(BVH)))
def test_cut_short_anywhere(length: int) -> None:
    """Not to be seen is a cut at the end of a file that holds all its frames, or in the digits of the very last number where digits differ."""
    found = outcome(BVH[:length])
    whole = len(BVH) - len(b".5\n")
    assert isinstance(found, Bvh) == (length >= whole)
    mended = outcome(BVH[:length], lenient=True)
    if length >= len(BVH) - len(FRAME):
        assert isinstance(mended, Bvh)
        assert len(mended) == (5 if length >= whole else 4)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4), st.integers(0, 13), st.floats(-180, 180))
def test_a_changed_value_changes_nothing_else(frame: int, column: int, value: float) -> None:
    rows = BVH.split(b"\n")
    words = FRAME.split()
    words[column] = repr(value).encode()
    rows[len(rows) - 6 + frame] = b" ".join(words)
    before, after = outcome(BVH), outcome(b"\n".join(rows), lenient=True)
    assert isinstance(before, Bvh)
    assert isinstance(after, Bvh)
    expected = np.array(before.values)
    expected[frame, column] = value
    np.testing.assert_array_equal(after.values, expected)


# Long and deep ------------------------------------------------------------------------------------

MANY = 300_000
HEAD = HIERARCHY + b"Frames: 5\nFrame Time: 0.01\n"
HUGE = {
    "many words on one line": BVH + b" 1" * MANY + b"\n",
    "many words in the first frame": HEAD + b" 1" * MANY + b"\n" + 4 * FRAME,
    "a word of many letters": BVH + b"r" * MANY + b"\n",
    "a number of many digits": HEAD + b"1" * MANY + b"\n" + 4 * FRAME,
    "many blanks": BVH + b" " * MANY + b"x",
    "many empty lines and a word": BVH + b"\n" * MANY + b"x\n",
    "many rows of one number": HEAD + b"1\n" * MANY,
    "many carriage returns": BVH + b"\r" * MANY,
    "many braces": b"HIERARCHY\n" + b"{" * MANY + BVH,
    "many brace lines": b"HIERARCHY\n" + b"{\n" * MANY,
    "many closing braces": HIERARCHY.replace(b"MOTION", b"}\n" * MANY + b"MOTION"),
    "many joints": b"HIERARCHY\nROOT a\n{\n" + b"JOINT a\n{\n" * MANY,
    "many letters of a name": BVH.replace(b"Hips", b"H" * MANY),
    "many words of a name": BVH.replace(b"Hips", b"H " * MANY),
    "many channels": BVH.replace(b"CHANNELS 2", b"CHANNELS 2" + b" Xrotation" * MANY),
    "many empty lines": b"\n" * MANY + BVH,
    "many lines before the frames": BVH.replace(b"Frames", b"\n" * MANY + b"Frames"),
    "frames that are not there": BVH.replace(b"Frames: 5", b"Frames: 999999999"),
    "joints without channels in many frames": BVH.replace(b"CHANNELS 0\n", b"CHANNELS 0\n" + b"JOINT a { OFFSET 0 0 0\nCHANNELS 0\n}\n" * 4900)
    + 5000 * FRAME,
}
SOUND = {"many carriage returns", "many empty lines", "many lines before the frames"}


@pytest.mark.parametrize("name", HUGE)
def test_huge(name: str) -> None:
    for lenient in (False, True):
        tracemalloc.start()
        found = outcome(HUGE[name], lenient)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert isinstance(found, Bvh) == (name in SOUND or (lenient and name in MENDABLE))
        assert peak < 40 * len(HUGE[name]) + 64_000_000


MENDABLE = {
    "many words on one line",
    "many words in the first frame",
    "a word of many letters",
    "a number of many digits",
    "many blanks",
    "many empty lines and a word",
    "frames that are not there",
}
