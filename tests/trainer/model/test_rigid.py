"""Bones that keep their length: exact where they do already, on the rays, and the solution of the equations that are stated."""

import pytest
import torch

from trainer.data.joints import outwards
from trainer.model import rigid
from trainer.model.losses import bone_lengths
from trainer.model.rigid import WINDOW, keep_bone_lengths


def noisy(batch, size=0.05, seed=0):
    """The positions of a batch with errors along the rays, float64."""
    random = torch.Generator().manual_seed(seed)
    true = batch.positions.double()
    rays = torch.nn.functional.normalize(true, dim=-1)
    return true + size * torch.randn(*true.shape[:3], 1, generator=random, dtype=torch.float64) * rays


def spread(positions, batch, parents):
    """Standard deviation of each bone's length over the frames of each sequence, mean over all, metres."""
    lengths = bone_lengths(positions, parents)
    return torch.stack([lengths[row][mask].std(dim=0) for row, mask in enumerate(batch.mask)]).mean()


def test_what_is_rigid_stays(batch, data):
    positions = batch.positions.double()
    assert spread(positions, batch, data.joints.parents) < 1e-4
    kept = keep_bone_lengths(positions, batch.mask, data.joints.parents)
    assert (kept - positions)[batch.mask].abs().max() < 3e-3


def test_bones_keep_their_length_on_the_rays_and_errors_fall(batch, data):
    positions = noisy(batch)
    kept = keep_bone_lengths(positions, batch.mask, data.joints.parents)
    assert spread(kept, batch, data.joints.parents) < 0.5 * spread(positions, batch, data.joints.parents)
    assert torch.linalg.cross(kept, positions)[batch.mask].norm(dim=-1).max() < 1e-6
    before, after = ((points - batch.positions).norm(dim=-1)[batch.mask].mean() for points in (positions, kept))
    assert after < 0.95 * before


def test_the_tree_gives_the_solution_of_the_dense_equations(data):
    torch.manual_seed(0)
    parents = data.joints.parents
    joints = len(parents)
    bones = outwards(parents)[1:]
    of_child, of_parent, growth = (torch.randn(2, 5, joints - 1, dtype=torch.float64) for _ in range(3))
    rows = torch.zeros(2, 5, joints - 1, joints, dtype=torch.float64)
    for bone, joint in enumerate(bones):
        rows[:, :, bone, joint], rows[:, :, bone, parents[joint]] = of_child[:, :, bone], of_parent[:, :, bone]
    matrix = torch.eye(joints, dtype=torch.float64) + rigid._STIFFNESS * rows.mT @ rows
    expected = torch.linalg.solve(matrix, rigid._STIFFNESS * (rows.mT @ growth[..., None]))[..., 0]
    assert torch.allclose(rigid._solve(of_child, of_parent, growth, parents), expected, atol=1e-10)


def test_gradient(batch, data):
    positions = noisy(batch)[:2, :3].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda points: keep_bone_lengths(points, batch.mask[:2, :3], data.joints.parents), (positions,), atol=1e-4)


@pytest.mark.parametrize("causal", [False, True])
def test_padding_has_no_influence_and_the_window_is_what_it_says(batch, data, causal):
    parents = data.joints.parents
    positions = noisy(batch)
    other = torch.where(batch.mask[..., None, None], positions, positions + 1.0)
    first, second = (keep_bone_lengths(points, batch.mask, parents, causal) for points in (positions, other))
    assert torch.equal(first[batch.mask], second[batch.mask])
    long = positions[:1, :20].repeat(1, 20, 1, 1).requires_grad_()
    keep_bone_lengths(long, torch.ones(1, 400, dtype=torch.bool), parents, causal)[0, 300].sum().backward()
    seen = long.grad[0].abs().sum(dim=(1, 2)).nonzero()[:, 0]
    before, after = (WINDOW - 1, 0) if causal else (WINDOW // 2, WINDOW // 2)
    assert (int(seen.min()), int(seen.max())) == (300 - before, min(300 + after, 399))
