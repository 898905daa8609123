"""Retargeting on every real HDM05 cut and every built-in avatar, judged by figures computed here a second time.

Rotation matrices by SciPy, kinematics joint by joint, and a table of joint names of its own: nothing of the program's own
measures (:mod:`tests.retarget.quality`) enters, and these have to come to the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mocapgen import read
from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.core.motion import Motion
from mocapgen.core.resample import resample
from mocapgen.retarget import Posed, retarget, retarget_to_all
from tests.retarget.quality import quality

Array = NDArray[np.float64]

AVATARS = ("small_woman", "average_woman", "average_man", "tall_man", "child_10")
FPS = 30.0

# Bones whose direction counts: (avatar's head, avatar's end) -> (source's head, source's end). The wrist is where ``lhand`` starts.
LIMBS = {
    ("LeftUpperArm", "LeftLowerArm"): ("lhumerus", "lradius"),
    ("LeftLowerArm", "LeftHand"): ("lradius", "lhand"),
    ("LeftUpperLeg", "LeftLowerLeg"): ("lfemur", "ltibia"),
    ("LeftLowerLeg", "LeftFoot"): ("ltibia", "lfoot"),
    ("RightUpperArm", "RightLowerArm"): ("rhumerus", "rradius"),
    ("RightLowerArm", "RightHand"): ("rradius", "rhand"),
    ("RightUpperLeg", "RightLowerLeg"): ("rfemur", "rtibia"),
    ("RightLowerLeg", "RightFoot"): ("rtibia", "rfoot"),
}
TRUNK = {"Hips": "root", "Spine": "lowerback", "Chest": "upperback", "UpperChest": "thorax", "Neck": "lowerneck", "Head": "head"}
FEET = {
    ("LeftFoot", "LeftToes", "LeftToesEnd"): ("lfoot", "ltoes", "ltoes_end"),
    ("RightFoot", "RightToes", "RightToesEnd"): ("rfoot", "rtoes", "rtoes_end"),
}


@dataclass(frozen=True)
class World:
    """Where the joints of a motion are and how they are turned, by name."""

    at: Mapping[str, Array]
    turned: Mapping[str, Array]

    @classmethod
    def of(cls, motion: Motion) -> World:
        skeleton = motion.skeleton
        local = Rotation.from_quat(motion.rotations.reshape(-1, 4)).as_matrix().reshape(*motion.rotations.shape[:2], 3, 3)
        at, turned = {skeleton.names[0]: motion.root_positions}, {skeleton.names[0]: local[:, 0]}
        for index, parent in enumerate(skeleton.parents[1:], start=1):
            name, above = skeleton.names[index], skeleton.names[parent]
            at[name] = at[above] + turned[above] @ skeleton.offsets[index]
            turned[name] = turned[above] @ local[:, index]
        return cls(at, turned)

    def direction(self, head: str, end: str) -> Array:
        bone = self.at[end] - self.at[head]
        return bone / np.linalg.norm(bone, axis=1, keepdims=True)


def _between_directions(a: Array, b: Array) -> Array:
    """Degrees; by the half-angle formula, exact near zero."""
    return np.degrees(2.0 * np.arctan2(np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1)))


def _between_rotations(a: Array, b: Array) -> Array:
    return np.degrees(Rotation.from_matrix(np.swapaxes(a, 1, 2) @ b).magnitude())


def _speed(path: Array) -> Array:
    """Metres per second at each frame: central differences."""
    speed = np.empty(len(path))
    speed[1:-1] = np.linalg.norm(path[2:] - path[:-2], axis=1) / 2.0
    speed[0], speed[-1] = np.linalg.norm(path[1] - path[0]), np.linalg.norm(path[-1] - path[-2])
    return speed * FPS


@dataclass(frozen=True)
class Figures:
    """Of one clip on one avatar."""

    limbs: dict[str, Array]
    trunk: dict[str, Array]
    planted: Array
    """Speeds of points that are planted in the source."""
    lowest: Array
    """Of each frame, metres."""

    @classmethod
    def of(cls, source: World, result: World) -> Figures:
        limbs = {mine[0]: _between_directions(result.direction(*mine), source.direction(*theirs)) for mine, theirs in LIMBS.items()}
        trunk = {mine: _between_rotations(result.turned[mine], source.turned[theirs]) for mine, theirs in TRUNK.items()}
        planted, lowest = [], []
        for foot, sources in FEET.items():
            for mine, theirs in zip(foot, sources, strict=True):
                rests = (source.at[theirs][:, 1] < 0.05) & (_speed(source.at[theirs]) < 0.05)
                planted.append(_speed(result.at[mine])[rests])
                lowest.append(result.at[mine][:, 1])
        return cls(limbs, trunk, np.concatenate(planted), np.min(lowest, axis=0))


@pytest.fixture(scope="module")
def clips(data_dir: Path) -> list[Motion]:
    files = sorted((data_dir / "hdm05" / "HDM05_cut_amc").glob("*/*.amc"))
    assert len(files) == 260
    return [resample(read(file), FPS) for file in files]


@pytest.fixture(scope="module")
def figures(clips: list[Motion]) -> dict[tuple[str, bool], list[Figures]]:
    """By avatar and by whether the feet were planted, one for each clip."""
    skeletons = [avatar_skeleton(load_avatar(name)) for name in AVATARS]
    found: dict[tuple[str, bool], list[Figures]] = {(name, planted): [] for name in AVATARS for planted in (True, False)}
    for clip in clips:
        posed, world = Posed.of(clip), World.of(clip)
        for planted in (True, False):
            for name, performed in zip(AVATARS, retarget_to_all(posed, skeletons, planted), strict=True):
                found[name, planted].append(Figures.of(world, World.of(performed.motion)))
    return found


def _mean(figures: list[Figures], what: str) -> dict[str, float]:
    roles = getattr(figures[0], what)
    return {role: float(np.concatenate([getattr(each, what)[role] for each in figures]).mean()) for role in roles}


def test_onto_its_own_skeleton_nothing_changes(clips: list[Motion]) -> None:
    for clip in clips:
        result = retarget(clip, clip.skeleton)
        np.testing.assert_allclose(result.root_positions, clip.root_positions, rtol=0, atol=1e-6, err_msg=clip.name)
        same = np.abs(np.einsum("tji,tji->tj", result.rotations, clip.rotations))
        np.testing.assert_allclose(same, 1.0, rtol=0, atol=1e-12, err_msg=clip.name)  # 1 - cos: a millionth of a radian
        wanted, found = World.of(clip), World.of(result)
        for joint in clip.skeleton.names:
            np.testing.assert_allclose(found.at[joint], wanted.at[joint], rtol=0, atol=1e-6, err_msg=f"{clip.name} {joint}")


@pytest.mark.parametrize("avatar", AVATARS)
def test_limbs_point_where_the_sources_do(figures: dict[tuple[str, bool], list[Figures]], avatar: str) -> None:
    before, after = _mean(figures[avatar, False], "limbs"), _mean(figures[avatar, True], "limbs")
    # Without the last touch on the legs bones of one piece keep their direction exactly. HDM05's forearms are of two (radius and
    # wrist, which twists about an axis of its own): from elbow to wrist no rigid bone can follow them.
    assert max(error for role, error in before.items() if not role.endswith("LowerArm")) < 1e-6
    assert max(error for role, error in before.items() if role.endswith("LowerArm")) < 0.2
    arms = [role for role in before if role.endswith("Arm")]
    assert [after[role] for role in arms] == pytest.approx([before[role] for role in arms], abs=1e-6)  # the last touch leaves them alone
    assert max(after.values()) < 1.0
    assert all(after[role] > 0.05 for role in after if role.endswith("Leg"))  # and does something


@pytest.mark.parametrize("avatar", AVATARS)
def test_trunk_and_head_are_turned_as_the_sources(figures: dict[tuple[str, bool], list[Figures]], avatar: str) -> None:
    assert max(_mean(figures[avatar, True], "trunk").values()) < 2.0


@pytest.mark.parametrize("avatar", AVATARS)
def test_planted_feet_rest(figures: dict[tuple[str, bool], list[Figures]], avatar: str) -> None:
    before, after = (np.concatenate([each.planted for each in figures[avatar, planted]]) for planted in (False, True))
    assert len(after) > 10_000
    assert after.mean() < 0.05
    assert after.mean() < before.mean()


@pytest.mark.parametrize("avatar", AVATARS)
def test_feet_stay_above_the_floor(figures: dict[tuple[str, bool], list[Figures]], avatar: str) -> None:
    lowest = np.concatenate([each.lowest for each in figures[avatar, True]])
    assert (lowest < -0.03).mean() < 0.05


def test_the_programs_own_measures_agree(clips: list[Motion], figures: dict[tuple[str, bool], list[Figures]]) -> None:
    for avatar in AVATARS:
        skeleton = avatar_skeleton(load_avatar(avatar))
        for number in range(0, len(clips), 13):
            own, here = quality(clips[number], retarget(clips[number], skeleton)), figures[avatar, True][number]
            assert own.limb_degrees == pytest.approx({role: error.mean() for role, error in here.limbs.items()}, abs=1e-5)
            assert own.trunk_degrees == pytest.approx({role: error.mean() for role, error in here.trunk.items()}, abs=1e-5)
            assert own.planted_samples == len(here.planted)
            assert own.planted_speed == pytest.approx(here.planted.mean() if len(here.planted) else np.nan, abs=1e-9, nan_ok=True)
            assert own.sunk_frames == pytest.approx((here.lowest < -0.03).mean(), abs=1e-12)
