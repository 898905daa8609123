"""Toes, nose and ears: feet and head point where they say, straight legs turn with the feet, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.core.kinematics import forward_kinematics, global_rotations
from mocapgen.core.motion import Motion
from mocapgen.core.resample import resample
from mocapgen.core.rotation import Array, angle_between, from_euler, multiply, rotate
from mocapgen.retarget import retarget
from mocapgen.retarget.points import POINTS, fit_skeleton, follow
from mocapgen.sources.sample import clips, make
from schemas.detectors import FACE_AND_FEET

MAN = avatar_skeleton(load_avatar("average_man"))
NAMES = {"left_toe": "LeftToesEnd", "right_toe": "RightToesEnd"}


def detected(motion: Motion) -> dict[str, Array]:
    """Return the joints of the set detector of a motion, by the names that predictions give them."""
    at, turned, skeleton = forward_kinematics(motion), global_rotations(motion.skeleton, motion.rotations), motion.skeleton
    points = {joint: at[:, skeleton.index(joint)] for joint in POINTS}
    for name, (joint, unit, offset) in FACE_AND_FEET.items():
        place, size = (
            skeleton.index(joint),
            np.linalg.norm(skeleton.rest_positions[skeleton.index(joint)] - skeleton.rest_positions[skeleton.index(unit)]),
        )
        points[NAMES.get(name, name)] = at[:, place] + rotate(turned[:, place], size * np.array(offset))
    return points


def performed(action: str) -> Motion:
    return retarget(resample(make(next(clip for clip in clips() if clip.action == action))[0], 30.0), MAN)


def turned_by(found: Motion, truth: Motion, joint: str) -> Array:
    """Return by how many degrees a bone is turned otherwise."""
    ours, theirs = (global_rotations(motion.skeleton, motion.rotations)[:, MAN.index(joint)] for motion in (found, truth))
    return np.degrees(angle_between(ours, theirs))


@pytest.mark.parametrize("action", ["walk", "kick", "squat"])
def test_feet_and_head_point_where_they_did(action: str) -> None:
    truth = performed(action)
    points = detected(truth)
    found = follow(points, MAN, 30.0)
    without = follow({joint: points[joint] for joint in POINTS}, MAN, 30.0)
    at, right = forward_kinematics(found.motion), forward_kinematics(truth)
    for side in ("Left", "Right"):
        line, wanted = (where[:, MAN.index(f"{side}ToesEnd")] - where[:, MAN.index(f"{side}Foot")] for where in (at, right))
        cosine = np.einsum("ti,ti->t", line, wanted) / np.linalg.norm(line, axis=1) / np.linalg.norm(wanted, axis=1)
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 0.01
        assert f"{side}ToesEnd" in found.errors
    assert turned_by(found.motion, truth, "Head").max() < 8.0
    for joint in POINTS:  # where joints are does not change
        place = MAN.index(joint)
        np.testing.assert_allclose(at[:, place], forward_kinematics(without.motion)[:, place], atol=1e-9)


def test_a_head_that_turns_to_the_side() -> None:
    truth = performed("walk")
    turns = from_euler("YXZ", np.stack([np.linspace(-1.2, 1.2, len(truth)), np.zeros(len(truth)), np.zeros(len(truth))], axis=-1))
    rotations = np.array(truth.rotations)
    rotations[:, MAN.index("Head")] = multiply(rotations[:, MAN.index("Head")], turns)
    truth = Motion(MAN, rotations, truth.root_positions, 30.0)
    points = detected(truth)
    assert turned_by(follow(points, MAN, 30.0).motion, truth, "Head")[3:-3].max() < 6.0
    for missing in (("nose",), ("left_ear", "right_ear")):
        rest = {name: where for name, where in points.items() if name not in missing}
        assert turned_by(follow(rest, MAN, 30.0).motion, truth, "Head")[3:-3].max() < 10.0
    noisy = {name: where + np.random.default_rng(0).normal(0, 0.01, where.shape) for name, where in points.items()}
    motion = follow(noisy, MAN, 30.0).motion
    speed = np.degrees(angle_between(motion.rotations[1:, MAN.index("Head")], motion.rotations[:-1, MAN.index("Head")])) * 30.0
    assert speed.max() < 600


def test_straight_legs_turn_with_the_feet() -> None:
    frames = 60
    rotations = np.zeros((frames, len(MAN.names), 4))
    rotations[..., 3] = 1.0
    out = np.linspace(0, 0.9, frames)  # turns the left leg outwards, knee straight
    rotations[:, MAN.index("LeftUpperLeg")] = from_euler("YXZ", np.stack([out, 0 * out, 0 * out], axis=-1))
    truth = Motion(MAN, rotations, np.tile([0.0, 1.0, 0.0], (frames, 1)), 30.0)
    points = detected(truth)
    found = follow(points, MAN, 30.0).motion
    assert turned_by(found, truth, "LeftUpperLeg")[2:-2].max() < 3.0
    assert turned_by(found, truth, "RightUpperLeg").max() < 0.1
    noisy = {name: where + np.random.default_rng(1).normal(0, 0.005, where.shape) for name, where in points.items()}
    steady = follow(noisy, MAN, 30.0).motion
    assert turned_by(steady, truth, "LeftUpperLeg")[2:-2].max() < 15.0
    assert (np.einsum("tji,tji->tj", steady.rotations[1:], steady.rotations[:-1]) > 0.9).all()  # no flips


def test_the_feet_have_the_length_that_the_toes_say() -> None:
    points = detected(performed("walk"))
    sizes = []
    for share in (1.0, 1.2, 9.0):
        toes = {
            joint: points[joint.replace("ToesEnd", "Foot")] + share * (points[joint] - points[joint.replace("ToesEnd", "Foot")])
            for joint in NAMES.values()
        }
        skeleton = fit_skeleton(points | toes, MAN)
        sizes.append(np.linalg.norm(skeleton.rest_positions[skeleton.index("LeftToesEnd")] - skeleton.rest_positions[skeleton.index("LeftFoot")]))
    assert sizes[1] == pytest.approx(1.2 * sizes[0], rel=1e-6)
    assert sizes[2] == pytest.approx(1.4 * sizes[0], rel=0.01)  # no foot is as long as that
