"""Composed poses: limbs of others on one's own bones, in the direction that they have from the trunk."""

from dataclasses import replace

import pytest
import torch

from schemas.train import PoseComposition
from trainer.data.composition import compose_poses, parts
from trainer.data.joints import LiftedJoints
from trainer.data.normalise import project
from trainer.data.randomness import Randomness
from trainer.model.losses import bone_lengths

CPU = torch.device("cpu")
ALWAYS = PoseComposition(probability=1.0, limbs=1.0)


def randomness(batch=0):
    return Randomness(0, 1, batch, CPU)


def test_parts_are_pelvis_and_chest(data):
    names = data.joints.joints
    found = [([names[joint] for joint in part.axes], [[names[joint] for joint in limb] for limb in part.limbs]) for part in parts(data.joints)]
    (pelvis, (trunk, *legs)), (chest, arms) = found
    assert pelvis == ["left_hip", "right_hip", "spine", "pelvis"]
    assert chest == ["left_shoulder", "right_shoulder", "thorax", "pelvis"]
    assert legs == [["left_knee", "left_ankle"], ["right_knee", "right_ankle"]]
    assert arms == [["left_elbow", "left_wrist"], ["right_elbow", "right_wrist"]]
    assert {"spine", "thorax", "neck", "head_top", "left_wrist", "right_wrist"} <= set(trunk)


def test_joints_without_pairs_have_no_limbs():
    assert parts(LiftedJoints("tail", ("a", "b", "c"), (-1, 0, 1), (), ("", "", ""))) == ()


def test_bone_lengths_root_and_projection_are_kept(batch, data):
    composed = compose_poses(batch, ALWAYS, data.joints, randomness())
    assert torch.allclose(bone_lengths(composed.positions, data.joints.parents), bone_lengths(batch.positions, data.joints.parents), atol=1e-5)
    assert torch.equal(composed.positions[:, :, data.joints.root], batch.positions[:, :, data.joints.root])
    assert (project(composed.positions, batch.intrinsics) - composed.pixels).abs().max() < 0.01
    assert (composed.positions - batch.positions).abs().amax(dim=(1, 2, 3)).min() > 0.05


def test_a_share_of_the_sequences_and_none_of_the_others(batch, data):
    composed = compose_poses(batch, PoseComposition(probability=0.5, limbs=1.0), data.joints, randomness(2))
    same = (composed.positions == batch.positions).all(dim=-1).all(dim=-1).all(dim=-1)
    assert 0 < same.sum() < len(same)
    assert compose_poses(batch, PoseComposition(), data.joints, randomness()).positions.equal(batch.positions)
    assert compose_poses(batch, PoseComposition(probability=1.0, limbs=0.0), data.joints, randomness()).positions.allclose(batch.positions, atol=1e-5)


def angles(positions, joints, side):
    """Angles of knee and elbow of a side, which no rotation of a limb changes, (B, T, 2)."""
    found = []
    for names in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
        first, middle, last = positions[:, :, joints.place(*(f"{side}_{name}" for name in names))].unbind(dim=2)
        a, b = first - middle, last - middle
        found.append(((a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))).clamp(-1, 1).acos())
    return torch.stack(found, dim=-1)


def test_every_elbow_and_knee_bends_as_one_of_the_batch_does(batch, data):
    """Limbs are taken whole, in time with the sequence: their inner angles are those of a recording, of either side."""
    composed = compose_poses(batch, ALWAYS, data.joints, randomness(3))
    known = torch.stack([angles(batch.positions, data.joints, side) for side in ("left", "right")])  # (2, B, T, 2)
    for side in ("left", "right"):
        found = angles(composed.positions, data.joints, side)
        apart = (found[None, :, None] - known[:, None]).abs().amax(dim=3)  # (2, B, B, 2): to every limb of the batch
        assert apart.amin(dim=(0, 2)).max() < 1e-2


@pytest.mark.parametrize("number", range(5))
def test_nobody_comes_too_near_to_the_camera(batch, data, number):
    near = batch.positions - batch.positions[..., 2:].amin() * torch.tensor([0.0, 0.0, 1.0]) + torch.tensor([0.0, 0.0, 0.35])
    composed = compose_poses(replace(batch, positions=near), ALWAYS, data.joints, randomness(number))
    assert composed.positions[..., 2].min() > 0.3
