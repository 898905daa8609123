"""The guard against misunderstood sources: how far limbs point away from the source's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.anatomy.tables import LIMBS
from mocapgen.core.kinematics import joint_positions
from mocapgen.core.rotation import from_euler, multiply
from mocapgen.retarget import Posed, retarget_to_all
from mocapgen.retarget.deviation import NOTED, limb_deviation
from schemas.errors import RetargetError
from tests.bvh_figures import sample_motion

AVATARS = [avatar_skeleton(load_avatar(name)) for name in ("average_man", "child_10")]


@pytest.fixture(scope="module")
def source() -> Posed:
    return Posed.of(sample_motion())


def bent(posed: Posed, bone: str, degrees: float, frames: slice = slice(None)) -> Posed:
    """Return a motion in which a joint turns further, about the z axis of the world."""
    rotations = np.array(posed.rotations)
    index = posed.motion.skeleton.index(posed.roles.joints[bone])
    turn = from_euler("XYZ", np.radians([0.0, 0.0, degrees]))
    rotations[frames, index] = multiply(turn, rotations[frames, index])
    return replace(posed, rotations=rotations, positions=joint_positions(posed.motion.skeleton, rotations, posed.motion.root_positions))


def test_what_is_understood_deviates_by_what_planting_feet_takes(source: Posed) -> None:
    assert limb_deviation(source, retarget_to_all(source, AVATARS)).degrees < NOTED
    assert limb_deviation(source, retarget_to_all(source, AVATARS, plant_feet=False)).degrees < 0.01


@pytest.mark.parametrize("bone", LIMBS)
def test_the_bone_that_points_elsewhere_is_named(source: Posed, bone: str) -> None:
    first, second = retarget_to_all(source, AVATARS, plant_feet=False)
    found = limb_deviation(source, [first, bent(second, bone, 14.0)])
    assert found.bone == bone
    assert 1.0 < found.degrees <= 14.0 + 1e-6


def test_few_frames_are_no_misunderstanding(source: Posed) -> None:
    (performance,) = retarget_to_all(source, AVATARS[:1], plant_feet=False)
    few = slice(0, len(source.motion) // 3)
    assert limb_deviation(source, [bent(performance, "LeftUpperLeg", 60.0, few)]).degrees < 0.01


def test_a_limb_far_off_is_refused(source: Posed) -> None:
    (performance,) = retarget_to_all(source, AVATARS[:1], plant_feet=False)
    with pytest.raises(RetargetError, match=r"RightLowerLeg points \d+ degrees away from the source's, .* expected at most 20"):
        limb_deviation(source, [bent(performance, "RightLowerLeg", 60.0)])
