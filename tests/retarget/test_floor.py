"""Where feet rest is found, and brought to the floor where that is certain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mocapgen
from mocapgen.core.motion import Motion
from mocapgen.formats.bvh import parse_bvh
from mocapgen.reading.interpretation import interpret
from mocapgen.retarget.floor import FOOT_HEIGHT, FURTHEST, TOLERANCE, level_floor, resting_height
from mocapgen.sources.cmu import Cmu
from mocapgen.sources.hdm05 import Hdm05
from mocapgen.sources.sample import clips, make
from schemas.config import BuildConfig


def sample(action: str) -> Motion:
    return make(next(clip for clip in clips() if clip.action == action), seed=0)[0]


def raised(motion: Motion, height: float) -> Motion:
    return replace(motion, root_positions=motion.root_positions + np.array([0.0, height, 0.0]))


WALK = sample("walk")


@pytest.mark.parametrize("action", ["walk", "jog", "squat", "kick", "sneak", "depositFloor"])
def test_motions_that_stand_on_the_floor_are_left_alone(action: str) -> None:
    motion = sample(action)
    assert level_floor(motion) == (motion, "")


@settings(max_examples=30, deadline=None)
@given(st.floats(-0.3, 0.3))
def test_the_resting_height_follows_the_motion(height: float) -> None:
    before, after = resting_height(WALK), resting_height(raised(WALK, height))
    assert before is not None
    assert after is not None
    assert after - before == pytest.approx(height, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.floats(-0.3, 0.3))
def test_floating_and_sunk_feet_are_brought_to_the_floor_within_limits(height: float) -> None:
    motion = raised(WALK, height)
    found, note = level_floor(motion)
    rest = resting_height(motion)
    assert rest is not None
    off = rest - FOOT_HEIGHT
    if abs(off) > TOLERANCE and off <= FURTHEST:  # feet may stand on something, but never rest below the floor
        assert resting_height(found) == pytest.approx(FOOT_HEIGHT)
        assert ("down" if off > 0 else "up") in note
        np.testing.assert_array_equal(found.root_positions[:, [0, 2]], motion.root_positions[:, [0, 2]])
    else:
        assert found is motion
        assert bool(note) == (off > FURTHEST)


def test_nobody_knows_the_floor_under_feet_that_never_rest() -> None:
    falling = replace(WALK, root_positions=WALK.root_positions - np.outer(np.arange(len(WALK)), [0.0, 0.02, 0.0]))
    assert resting_height(falling) is None
    rising = raised(falling, -float(falling.root_positions[-1, 1]) + 1.0)
    assert level_floor(rising) == (rising, "feet hardly ever rest: the floor is taken to be at y = 0")


def test_a_body_below_the_floor_comes_up_though_its_feet_never_rest() -> None:
    falling = replace(WALK, root_positions=WALK.root_positions - np.outer(np.arange(len(WALK)), [0.0, 0.02, 0.0]))
    found, note = level_floor(falling)
    assert "feet hardly ever rest and reach down to y = -" in note
    assert "moved up" in note
    assert found.root_positions[-1, 1] > 0.0


def test_most_real_cuts_need_no_correction(data_dir: Path) -> None:
    paths = sorted((data_dir / "hdm05/HDM05_cut_amc").rglob("*.amc"))[::5]
    moved = [path.name for path in paths if "moved" in level_floor(mocapgen.read(path))[1]]
    assert len(moved) <= 0.05 * len(paths), moved


@pytest.mark.parametrize("name", ["006_01", "006_05", "006_09"])
def test_basketball_players_that_walk_on_air_come_down(data_dir: Path, name: str) -> None:
    path = data_dir / f"cmu/bvh-iclone/006/{name}.bvh"
    read = interpret(parse_bvh(path.read_bytes(), path.name))
    before = resting_height(read.motion, read.roles)
    assert before is not None
    assert 0.07 < before < 0.12
    found, note = level_floor(read.motion, read.roles)
    assert "moved down" in note
    assert resting_height(found, read.roles) == pytest.approx(FOOT_HEIGHT)


def test_sources_bring_figures_to_the_floor_and_say_so(data_dir: Path) -> None:
    source = Cmu(BuildConfig(source="cmu", root=data_dir / "cmu", dry_run=True))
    read = source.read(next(clip for clip in source.list().clips if clip.id == "06_05"))
    assert read.detection is not None
    assert any("moved down by" in note for note in read.detection.notes)
    assert resting_height(read.motion, read.roles) == pytest.approx(FOOT_HEIGHT)


def test_where_the_floor_is_known_nothing_is_moved(data_dir: Path) -> None:
    source = Hdm05(BuildConfig(root=data_dir / "hdm05/HDM05_cut_amc", dry_run=True))
    lying = next(clip for clip in source.list().clips if clip.id == "HDM_mm_lieDownFloor_015_120")
    path = data_dir / "hdm05/HDM05_cut_amc" / lying.file
    assert "moved" in level_floor(mocapgen.read(path))[1]
    np.testing.assert_array_equal(source.read(lying).motion.root_positions, mocapgen.read(path).root_positions)
