"""Gaps: which are filled, from what, and how well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mocapgen.anatomy.marker_sets import load_marker_set
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.markers import Markers
from mocapgen.markers import Gap, fill_gaps, solve
from mocapgen.markers.gaps import LOOSE, SHORT
from mocapgen.markers.virtual import place_markers
from mocapgen.sources.sample import clips, make
from schemas.errors import FormatError


@pytest.fixture(scope="module")
def walk() -> Markers:
    motion, _ = make(next(clip for clip in clips() if clip.action == "walk"))
    return place_markers(motion.slice(0, 400))


def without(markers: Markers, *gaps: tuple[str, int, int]) -> Markers:
    valid = markers.valid.copy()
    for label, start, stop in gaps:
        valid[start:stop, markers.index(label)] = False
    return replace(markers, valid=valid)


def off(filled: Markers, markers: Markers, label: str) -> float:
    """Return the largest error of a marker in millimetres."""
    return 1000.0 * float(np.linalg.norm(filled.position(label) - markers.position(label), axis=-1).max())


def test_no_gaps_no_work(walk: Markers) -> None:
    filled, gaps = fill_gaps(walk)
    assert filled is walk
    assert gaps == ()


def test_a_short_gap_is_interpolated(walk: Markers) -> None:
    stop = 100 + int(SHORT * walk.fps)
    filled, gaps = fill_gaps(without(walk, ("LANK", 100, stop)))
    assert gaps == (Gap("LANK", 100, stop, "interpolated"),)
    assert filled.valid.all()
    assert off(filled, walk, "LANK") < 6.0


def test_a_gap_next_to_one_seen_frame_is_interpolated(walk: Markers) -> None:
    filled, gaps = fill_gaps(without(walk, ("LANK", 100, 105), ("LANK", 106, 110), ("LANK", 111, 115)))
    assert {gap.filled for gap in gaps} == {"interpolated"}
    assert off(filled, walk, "LANK") < 10.0


def test_half_a_second_is_filled_from_what_else_moves(walk: Markers) -> None:
    stop = 100 + int(0.5 * walk.fps)
    filled, gaps = fill_gaps(without(walk, ("LKNE", 100, stop), ("RWRA", 120, stop + 20), ("C7", 90, stop)))
    assert [(gap.label, gap.filled) for gap in gaps] == [("C7", "likely"), ("LKNE", "likely"), ("RWRA", "likely")]
    for label in ("LKNE", "RWRA", "C7"):
        assert off(filled, walk, label) < 12.0


def test_at_the_ends_of_a_clip_a_gap_is_filled_from_one_side(walk: Markers) -> None:
    filled, gaps = fill_gaps(without(walk, ("LFHD", 0, 30), ("LFHD", 380, 400)))
    assert [gap.filled for gap in gaps] == ["likely", "likely"]
    assert off(filled, walk, "LFHD") < 12.0


def test_a_long_gap_is_filled_from_its_rigid_segment(walk: Markers) -> None:
    filled, gaps = fill_gaps(without(walk, ("LFHD", 20, 380)), load_marker_set().segments.values())
    assert gaps == (Gap("LFHD", 20, 380, "rigid"),)
    assert off(filled, walk, "LFHD") < 1.0


def test_a_long_gap_without_a_rigid_segment_stays(walk: Markers) -> None:
    start, stop = 100, 101 + int(LOOSE * walk.fps)
    holes = [(label, start, stop) for label in ("RKNE", "RTHI", "RSHN", "RANK", "RHEE", "RTOE", "RMT5")]
    filled, gaps = fill_gaps(without(walk, *holes, ("LELB", 10, 40)), load_marker_set().segments.values())
    left = {gap.label for gap in gaps if gap.filled == "not"}
    assert left == {label for label, *_ in holes}
    assert not filled.valid[start:stop, filled.index("RKNE")].any()
    assert np.isnan(filled.position("RKNE")[start:stop]).all()
    assert off(filled, walk, "LELB") < 12.0


def test_the_same_gaps_are_filled_the_same_way(walk: Markers) -> None:
    holes = without(walk.slice(0, 150), ("LKNE", 50, 100), ("LANK", 60, 120), ("RFIN", 0, 20))
    assert (fill_gaps(holes)[0].positions == fill_gaps(holes)[0].positions).all()


def test_a_clip_with_an_open_gap_is_refused_with_segment_and_frames(walk: Markers) -> None:
    holes = [(label, 100, 300) for label in ("RKNE", "RTHI", "RSHN", "RANK", "RHEE", "RTOE", "RMT5")]
    message = r"marker \w+ \(Right(Upper|Lower)Leg\): expected .* found frames 100 to 299 \(1\.67 s\) without \(and 4 more\); cut the clip there$"
    with pytest.raises(FormatError, match=message):
        solve(without(walk, *holes))
    assert len(solve(without(walk, *holes).slice(0, 100))) == 100


def test_a_marker_that_is_never_seen_is_missing(walk: Markers) -> None:
    with pytest.raises(FormatError, match="expected the 40 markers of the set vicon41, found nothing of LKNE among"):
        solve(without(walk, ("LKNE", 0, 400)))


def test_joints_stay_within_a_centimetre_with_a_fifth_of_the_markers_gone(walk: Markers) -> None:
    generator = np.random.default_rng(5)
    valid = walk.valid.copy()
    for column in valid.T:
        while (~column).mean() < 0.2:
            start, size = int(generator.integers(1, 330)), int(generator.integers(1, 60))
            column[start : start + size] = False
    off = np.linalg.norm(forward_kinematics(solve(replace(walk, valid=valid))) - forward_kinematics(solve(walk)), axis=-1)
    assert off.mean() < 0.01
    assert np.percentile(off, 95) < 0.03
