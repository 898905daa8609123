"""Files that look real but for random damage: the outcome is a sound Motion or one of our errors, nothing else."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Motion
from mocapgen.core.rotation import angle_between
from mocapgen.formats.asf import Asf, format_asf, parse_asf
from mocapgen.formats.asf_amc import format_amc, parse_amc
from schemas.errors import MocapError
from tests.fuzz.mutate import damage_text

ASF = b"""\
# AST/ASF file generated using VICON BodyLanguage
:version 1.10
:name VICON
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
   .ast/.asf automatically generated from VICON data
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0  \r
   orientation 0 0 0 \r
:bonedata
  begin
     id 1 \r
     name lhipjoint
     direction 0.631061 -0.684803 0.364427 \r
     length 2.59943 \r
     axis 0 0 0  XYZ
  end
  begin
     id 2 \r
     name lfemur
     direction 0.34202 -0.939693 0  \r
     length 6.69088  \r
     axis 0 0 20  XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
  begin
     id 3 \r
     name lfoot
     direction 0.176279 -0.484322 0.856947   \r
     length 2.95235   \r
     axis -90 7.62852e-016 20   XYZ
    dof rx rz
    limits (-45.0 90.0)
           (-70.0 20.0)
  end
:hierarchy
  begin
    root lhipjoint
    lhipjoint lfemur
    lfemur lfoot
  end
"""
FRAME = b"root 10.4194 16.7048 -30.1003 -2.48972 -9.82194 -3.00914\nlfemur 7.86573 1.57272 6.3571\nlfoot -1.6201e-014 12.5\n"
AMC = b"#!OML:ASF H:\\Takeo M\xfcller.ASF\r\n:FULLY-SPECIFIED\n:DEGREES\n" + b"".join(b"%d\n%b" % (number, FRAME) for number in range(1, 6))
SKELETON = parse_asf(ASF, "a.asf")

WORDS = (b":root", b"begin", b"end", b"root", b"lfoot", b"lfoot_end", b"rx", b"tx", b"XYZ", b"length", b"dof")
RANDOM = st.randoms(use_true_random=False)


def damaged(data: bytes, random: Random) -> bytes:
    for _ in range(random.randint(1, 4)):
        data = damage_text(data, random, WORDS)
    return data


def outcome(asf: bytes, amc: bytes) -> Motion | MocapError:
    try:
        motion = parse_amc(amc, parse_asf(asf, "a.asf"), "a.amc")
    except MocapError as error:
        message = str(error)
        assert message.startswith(("a.asf:", "a.amc:"))
        assert len(message.splitlines()) == 1
        assert len(message) < 400
        return error
    positions = forward_kinematics(motion)
    assert np.isfinite(positions).all()
    assert len(motion) >= 1
    return motion


def test_without_damage_it_is_a_motion() -> None:
    motion = outcome(ASF, AMC)
    assert isinstance(motion, Motion)
    assert len(motion) == 5


mutations = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@mutations
@given(RANDOM)
def test_damaged_amc(random: Random) -> None:
    amc = damaged(AMC, random)
    found = outcome(ASF, amc)
    if isinstance(found, Motion):  # what was read is what is there: every frame number, in order
        assert len(found) == sum(word == b"root" for line in amc.split(b"\n") for word in line.split(b"#")[0].translate(TO_BLANKS).split()[:1])


TO_BLANKS = bytes.maketrans(bytes(range(33)), b" " * 33)


@mutations
@given(RANDOM)
def test_damaged_asf(random: Random) -> None:
    found = outcome(damaged(ASF, random), AMC)
    if isinstance(found, Motion):  # then it can be written, and says the same again
        written = Asf.from_skeleton(found.skeleton)
        again = outcome(format_asf(written), format_amc(found, written))
        assert isinstance(again, Motion)
        joint = found.skeleton.names[-1].removesuffix("_end")
        expected = forward_kinematics(found)[:, found.skeleton.index(joint)]
        np.testing.assert_allclose(forward_kinematics(again)[:, again.skeleton.index(joint)], expected, atol=1e-9 * max(1.0, np.abs(expected).max()))


@settings(max_examples=100, deadline=None)
@given(RANDOM)
def test_both_damaged(random: Random) -> None:
    outcome(damaged(ASF, random), damaged(AMC, random))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_noise(data: bytes) -> None:
    outcome(ASF, data)
    outcome(data, AMC)
    outcome(ASF, AMC + data)
    outcome(ASF, b"1\n" + data)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(AMC)))
def test_cut_short_anywhere(length: int) -> None:
    """A cut is not to be seen at the end of a frame, and accepted in the last number if that is hardly changed by it."""
    cut = AMC[:length]
    found = outcome(ASF, cut)
    frames = cut.count(FRAME)
    in_last_number = frames > 0 and cut.rpartition(b"\n")[2].startswith(b"lfoot -1.6201e-014 12")
    assert isinstance(found, Motion) == (cut.endswith(FRAME) or in_last_number)
    if isinstance(found, Motion):
        sound = outcome(ASF, AMC)
        assert isinstance(sound, Motion)
        assert len(found) == frames + in_last_number
        assert np.degrees(angle_between(found.rotations, sound.rotations[: len(found)])).max() <= 1.0


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_digit_changes_nothing_else(data: st.DataObject) -> None:
    """One value replaced: only that frame differs."""
    lines = AMC.decode("latin-1").split("\n")
    frame = data.draw(st.integers(0, 4))
    value = data.draw(st.floats(-180, 180))
    place = 3 + 4 * frame + 2  # the thigh
    lines[place] = f"lfemur {value!r} 1.57272 6.3571"
    before, after = outcome(ASF, AMC), outcome(ASF, "\n".join(lines).encode("latin-1"))
    assert isinstance(before, Motion)
    assert isinstance(after, Motion)
    others = [index for index in range(5) if index != frame]
    np.testing.assert_array_equal(before.rotations[others], after.rotations[others])


# Long and deep ------------------------------------------------------------------------------------

HUGE = {
    "a million words on one line": AMC + b"6\nroot" + b" 1" * 1_000_000 + b"\n",
    "a million words in the first frame": b"1\nroot" + b" 1" * 1_000_000 + b"\n",
    "a million words in the header": b"x " * 1_000_000 + b"\n" + AMC,
    "a word of a million letters": AMC + b"6\n" + b"r" * 1_000_000 + b"\n",
    "a number of a million digits": AMC + b"6\nroot " + b"1" * 1_000_000 + b" 1 1 1 1 1\nlfemur 1 1 1\nlfoot 1 1\n",
    "a frame number of a million digits": AMC + b"6" * 1_000_000 + b"\n" + FRAME,
    "a million blanks": AMC + b" " * 1_000_000 + b"x",
    "a million blanks before a frame number": b" " * 1_000_000 + b"x\n" + AMC,
    "a million blanks after a frame number": b"1" + b" " * 1_000_000 + b"x\n" + FRAME,
    "a million empty lines and a word": AMC + b"\n" * 1_000_000 + b"x\n",
    "a million carriage returns": AMC + b"\r" * 1_000_000 + b"x\r",
    "three hundred thousand frame numbers": b"".join(b"%d\n" % number for number in range(300_000)),
    "a million hashes": AMC + b"#" * 1_000_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_amc(name: str) -> None:
    assert isinstance(outcome(ASF, HUGE[name]), Motion) == (name == "a million hashes")


BONE = b"begin\nname b%d\ndirection 0 1 0\nlength 1\naxis 10 20 30 XYZ\ndof rx\nend\n"
HEAD = b":units\nlength 0.45\nangle deg\n:root\norder TX TY TZ RX RY RZ\n:bonedata\n"


def figure(hierarchy: bytes, bones: int = 1000) -> bytes:
    return HEAD + b"".join(BONE % number for number in range(bones)) + b":hierarchy\nbegin\n" + hierarchy + b"end\n"


CHAIN = b"root b0\n" + b"".join(b"b%d b%d\n" % (number, number + 1) for number in range(999))
FAN = b"root" + b"".join(b" b%d" % number for number in range(1000)) + b"\n"
RING = b"".join(b"b%d b%d\n" % (number, (number + 1) % 1000) for number in range(1000))
TALL_FRAME = b"1\nroot 0 0 0 0 0 0\n" + b"".join(b"b%d 1\n" % number for number in range(1000))


@pytest.mark.parametrize(("hierarchy", "sound"), [(CHAIN, True), (FAN, True), (RING, False)], ids=["chain", "fan", "ring"])
def test_a_thousand_bones(hierarchy: bytes, sound: bool) -> None:
    found = outcome(figure(hierarchy), TALL_FRAME)
    assert isinstance(found, Motion) == sound
    if isinstance(found, Motion):
        written = Asf.from_skeleton(found.skeleton)
        assert len(written.bones) == 1000
        assert isinstance(outcome(figure(hierarchy), format_amc(found, parse_asf(figure(hierarchy), "a.asf"))), Motion)


@pytest.mark.parametrize(
    "asf",
    [
        figure(CHAIN, bones=3000),
        b":a" * 500_000,
        b"".join(b":s%d\n" % number for number in range(30_000)),
        ASF.replace(b"root lhipjoint", b"root" + b" lhipjoint" * 100_000),
        ASF.replace(b"root lhipjoint", b"root" + b" x" * 500_000),
        ASF.replace(b"dof rx rz", b"dof" + b" rx" * 300_000),
        ASF.replace(b"length 0.45", b"length " + b"4" * 1_000_000),
        HEAD + b"begin\n" * 100_000,
        b"\n" * 2_500_000 + ASF,
    ],
    ids=["3000 bones", "long keyword", "sections", "children", "unknown children", "channels", "digits", "begins", "lines"],
)
def test_huge_asf(asf: bytes) -> None:
    assert isinstance(outcome(asf, AMC), MocapError)
