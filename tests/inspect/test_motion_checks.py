"""Checks of movement: what they must not cry wolf at, and how well they measure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mocapgen.core.motion import Motion
from mocapgen.inspect.checks import motion
from mocapgen.inspect.measure import GAIT, gait, gravity
from mocapgen.inspect.registry import checks
from mocapgen.inspect.run import inspect
from tests.inspect.planting import SEQUENCES, move, perform, shifted, tipped, turned, viewed

KICK, LIE, SQUAT, WALK = SEQUENCES.values()


def family(view, family: str = "motion") -> list[str]:
    with np.errstate(all="ignore"):
        return [check.id for check in checks().values() if check.family == family and check.scope == "sequence" and list(check.run(view))]


def hopping(motion: Motion, seconds: float = 0.6, fall: float = 9.81) -> Motion:
    """A jump in the middle of a motion: a parabola that lasts so long."""
    time = (np.arange(len(motion)) - len(motion) // 2) / motion.fps
    height = np.maximum(0.125 * fall * seconds**2 - 0.5 * fall * time**2, 0.0)
    return shifted(motion, height[:, None] * [0.0, 1.0, 0.0])


# Glitches -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2])
def test_a_kick_however_fast_is_no_spike(stage: h5py.File, times: int) -> None:
    """Every second frame: 14 m/s at the foot."""
    view = viewed(stage, KICK)
    fast = viewed(stage, KICK, **{name: view.row[name][::times] for name in ("positions_3d", "positions_2d", "quaternions", "euler", "in_view")})
    assert fast.speeds.max() > 7.0 * times - 1.0
    assert list(motion.speed_spike(fast)) == list(motion.acceleration_spike(fast)) == []


def test_a_spike_is_found_among_fast_movement(stage: h5py.File) -> None:
    frame = int(np.argmax(viewed(stage, KICK).speeds.max(axis=1)))

    def edit(positions):
        positions[frame, 20] += [0.0, 0.15, 0.0]

    move(stage, KICK, edit)
    (finding,) = motion.acceleration_spike(viewed(stage, KICK))
    assert finding.frame in (frame - 1, frame, frame + 1)


@pytest.mark.parametrize("size", [0.001, 0.003])
def test_the_noise_of_a_good_recording_is_no_jitter(stage: h5py.File, size: float) -> None:
    move(stage, SQUAT, lambda positions: positions + np.random.default_rng(2).normal(0, size, positions.shape))
    assert list(motion.jitter(viewed(stage, SQUAT))) == []


@pytest.mark.parametrize("size", [0.008, 0.02])
def test_jitter_is_measured(stage: h5py.File, size: float) -> None:
    move(stage, SQUAT, lambda positions: positions + np.random.default_rng(2).normal(0, size, positions.shape))
    (finding,) = motion.jitter(viewed(stage, SQUAT))
    assert finding.value == pytest.approx(1000 * size, rel=0.6)


def test_one_glitch_is_no_jitter(stage: h5py.File) -> None:
    def edit(positions):
        positions[30, 5] += 0.5

    move(stage, SQUAT, edit)
    assert list(motion.jitter(viewed(stage, SQUAT))) == []


def test_planted_feet_and_straight_knees_are_not_frozen(stage: h5py.File) -> None:
    view = viewed(stage, SQUAT)
    assert (view.speeds[:, view.joint("LeftToes")] < 1e-3).all()
    assert list(motion.frozen_joint(view)) == []


# The world ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.4, 0.6, 0.85])
def test_a_jump_is_not_floating(stage: h5py.File, seconds: float) -> None:
    perform(stage, SQUAT, lambda motion: hopping(motion, seconds))
    assert {"motion.floating", "motion.up_axis", "motion.frozen_joint", "motion.below_floor"}.isdisjoint(family(viewed(stage, SQUAT)))


def handstand(motion: Motion) -> Motion:
    """Arms up, head down, hands on the floor."""
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        rotations = np.array(motion.rotations)
        for joint in ("Shoulder", "LowerArm", "Hand"):
            rotations[:, motion.skeleton.index(side + joint)] = [0.0, 0.0, 0.0, 1.0]
        rotations[:, motion.skeleton.index(f"{side}UpperArm")] = [0.0, 0.0, 0.0, 1.0]
        motion = turned(replace(motion, rotations=rotations), f"{side}UpperArm", "Z", sign * 85.0)
    return tipped(motion, "X", 180.0)


def test_a_handstand_is_upright(stage: h5py.File) -> None:
    perform(stage, WALK, handstand)
    lowest = float(viewed(stage, WALK).world[..., 1].min())
    perform(stage, WALK, lambda motion: shifted(motion, [0.0, -lowest, 0.0]))
    view = viewed(stage, WALK)
    assert view.path("Head")[:, 1].max() < view.world[:, 0, 1].min()
    assert list(motion.up_axis(view)) == list(motion.floating(view)) == []


@pytest.mark.parametrize("way", [("X", 90.0), ("X", -90.0)], ids=["on the belly", "on the back"])
def test_somebody_who_lies_on_the_floor_is_upright_enough(stage: h5py.File, way: tuple[str, float]) -> None:
    def lying(motion: Motion) -> Motion:
        still = np.zeros(len(motion), dtype=int)
        return tipped(replace(motion, rotations=motion.rotations[still], root_positions=motion.root_positions[still]), *way)

    perform(stage, WALK, lying)
    lowest = float(viewed(stage, WALK).world[..., 1].min())
    perform(stage, WALK, lambda motion: shifted(motion, [0.0, -lowest, 0.0]))
    assert list(motion.up_axis(viewed(stage, WALK))) == []


def test_somebody_on_hands_and_knees_is_upright_enough(stage: h5py.File) -> None:
    def crawling(motion: Motion) -> Motion:
        still = replace(
            motion, rotations=np.tile(motion.rotations[:1], (len(motion), 1, 1)), root_positions=np.tile([0.0, 0.5, 0.0], (len(motion), 1))
        )
        bent = tipped(still, "X", 80.0)
        for side in ("Left", "Right"):
            bent = turned(turned(bent, f"{side}UpperLeg", "X", -80.0), f"{side}LowerLeg", "X", 90.0)
        return replace(bent, root_positions=still.root_positions)

    perform(stage, WALK, crawling)
    assert list(motion.up_axis(viewed(stage, WALK))) == []
    assert list(motion.up_axis(viewed(stage, WALK), straight=0.3))  # it would be found otherwise


def test_tips_of_toes_may_bend_into_the_floor(stage: h5py.File) -> None:
    """They do in recordings of people who kneel: 10 cm."""

    def edit(positions):
        positions[20:60, [21, 26], 1] = -0.1

    view = viewed(stage, WALK)
    assert [view.skeleton.names[joint] for joint in (21, 26)] == ["LeftToesEnd", "RightToesEnd"]
    move(stage, WALK, edit)
    assert list(motion.below_floor(viewed(stage, WALK))) == []


def test_a_walk_in_place_of_the_body_does_not_slide(stage: h5py.File) -> None:
    assert list(motion.foot_slide(viewed(stage, WALK))) == []
    assert list(motion.foot_slide(viewed(stage, LIE))) == []


GIANTS = [(1000, "millimetres"), (100, "centimetres"), (39.37, "inches"), (17.72, "the units of ASF files"), (0.001, "metres taken for millimetres")]


@pytest.mark.parametrize(("leg", "unit"), GIANTS)
def test_the_unit_of_a_giant_is_told(stage: h5py.File, leg: float, unit: str) -> None:
    positions = viewed(stage, WALK).row["positions_3d"] * np.float32(leg)
    (finding,) = motion.scale(viewed(stage, WALK, positions_3d=positions))
    assert finding.message.endswith(f"in {unit}")


@pytest.mark.parametrize("size", [0.6, 1.25])
def test_small_and_tall_people_are_people(stage: h5py.File, size: float) -> None:
    assert list(motion.scale(viewed(stage, WALK, positions_3d=viewed(stage, WALK).row["positions_3d"] * np.float32(size)))) == []


# How fast time passes -----------------------------------------------------------------------------


@pytest.mark.parametrize("fall", [2.45, 9.81, 39.2])
def test_gravity_is_measured_in_a_jump(stage: h5py.File, fall: float) -> None:
    perform(stage, SQUAT, lambda motion: _standing(hopping(motion, 0.6 * np.sqrt(9.81 / fall), fall)))
    assert gravity(viewed(stage, SQUAT)) == pytest.approx(fall, rel=0.1)


def _standing(motion: Motion) -> Motion:
    """The pose of the first frame throughout, so that only the flight moves the centre of mass."""
    level = motion.root_positions[0] * np.array([1.0, 1.0, 1.0])
    flight = motion.root_positions - motion.root_positions.min(axis=0) * [0.0, 1.0, 0.0]
    height = np.zeros_like(flight)
    time = (np.arange(len(motion)) - len(motion) // 2) / motion.fps
    fall = -np.diff(motion.root_positions[:, 1], 2).min() * motion.fps**2
    reach = 0.6 * np.sqrt(9.81 / fall)
    height[:, 1] = np.maximum(0.125 * fall * reach**2 - 0.5 * fall * time**2, 0.0)
    return replace(motion, rotations=np.repeat(motion.rotations[:1], len(motion), axis=0), root_positions=level + height)


def test_nobody_falls_or_walks_in_a_squat(stage: h5py.File) -> None:
    assert np.isnan([gravity(viewed(stage, SQUAT)), gait(viewed(stage, SQUAT)), gait(viewed(stage, LIE))]).all()


def test_a_walk_has_the_usual_ratio(stage: h5py.File) -> None:
    assert GAIT / 1.45 < gait(viewed(stage, WALK)) < GAIT * 1.45


@pytest.mark.parametrize(("fps", "found"), [(12, 1), (15, 1), (24, 0), (27, 0), (33, 0), (36, 0), (60, 1), (120, 1)])
def test_slow_and_fast_people_are_no_wrong_frame_rate(clean: Path, tmp_path: Path, fps: float, found: int) -> None:
    path = tmp_path / "rate.h5"
    path.write_bytes(clean.read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["fps"] = float(fps)
    assert len(inspect(path, select="motion.frame_rate", workers=1).findings) == found


# Whatever the file --------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5, 8, 20])
def test_short_sequences_are_looked_at_without_an_error(stage: h5py.File, frames: int) -> None:
    view = viewed(stage, KICK)
    short = viewed(stage, KICK, **{name: view.row[name][:frames] for name in ("positions_3d", "positions_2d", "quaternions", "euler", "in_view")})
    assert [family(short, name) for name in ("motion", "kinematics", "camera")] == [[], [], []]
    assert np.isnan([gait(short), gravity(short)]).all()


def test_numbers_that_are_missing_say_nothing(stage: h5py.File) -> None:
    view = viewed(stage, WALK)
    positions = np.array(view.row["positions_3d"])
    positions[40:45, 7] = np.nan
    broken = viewed(stage, WALK, positions_3d=positions)
    assert family(broken) == []


def test_what_a_skeleton_lacks_is_not_checked(stage: h5py.File) -> None:
    view = viewed(stage, WALK)
    names = tuple(f"joint {number}" for number in range(len(view.skeleton.names)))
    view.skeleton = type(view.skeleton)(names, view.skeleton.parents, view.skeleton.offsets)
    assert family(view) == []
    assert np.isnan([gait(view), gravity(view)]).all()
