"""Loss terms against loops over the valid frames, and no gradient from padding."""

import numpy as np
import pytest
import torch

from schemas.train import Losses
from trainer.model.losses import bone_lengths, sequence_losses, skeleton_laplacian, weighted

PARENTS = (-1, 0, 1, 0, 3)
LENGTH = (9, 4, 1)
ALL = Losses(mpjpe=1.0, velocity=0.5, bone_length=0.25, laplacian_time=2.0, laplacian_skeleton=0.75, root=0.1)


@pytest.fixture
def case():
    torch.manual_seed(0)
    predicted, true = torch.randn(3, 9, 5, 3, dtype=torch.float64), torch.randn(3, 9, 5, 3, dtype=torch.float64)
    true[..., 2] += 5.0
    return predicted, true, torch.arange(9) < torch.tensor(LENGTH)[:, None]


def norm(vector):
    return float(np.linalg.norm(vector))


def by_loops(predicted, true):
    """Sums of each term over one unpadded sequence, (T, J, 3) each."""
    pose, relative = predicted.copy(), true - true[:, :1]
    pose[:, 0] = 0.0
    neighbours = {j: [k for k in range(5) if PARENTS[k] == j or PARENTS[j] == k] for j in range(5)}

    def laplacian(frame, joint):
        return frame[joint] - np.mean([frame[k] for k in neighbours[joint]], axis=0)

    frames = range(len(pose))
    error = pose - relative
    return {
        "mpjpe": sum(np.mean([norm(error[t, j]) for j in range(5)]) for t in frames),
        "velocity": sum(np.mean([norm(error[t + 1, j] - error[t, j]) for j in range(5)]) for t in frames[:-1]),
        "bone_length": sum(
            np.mean([abs(norm(pose[t, j] - pose[t, p]) - norm(relative[t, j] - relative[t, p])) for j, p in enumerate(PARENTS) if p >= 0])
            for t in frames
        ),
        "laplacian_time": sum(np.mean([norm(error[t, j] - (error[t - 1, j] + error[t + 1, j]) / 2) for j in range(5)]) for t in frames[1:-1]),
        "laplacian_skeleton": sum(np.mean([norm(laplacian(pose[t], j) - laplacian(relative[t], j)) for j in range(5)]) for t in frames),
        "root": sum(norm(predicted[t, 0] - true[t, 0]) / true[t, 0, 2] for t in frames),
    }


def test_terms_agree_with_loops(case):
    predicted, true, mask = case
    found = sequence_losses(predicted, true, mask, ALL, PARENTS, has_root=True)
    for row, frames in enumerate(LENGTH):
        expected = by_loops(predicted[row, :frames].numpy(), true[row, :frames].numpy())
        assert {name: float(term[row]) for name, term in found.items()} == pytest.approx(expected, abs=1e-9)
        assert float(weighted(found, ALL)[row]) == pytest.approx(sum(getattr(ALL, name) * value for name, value in expected.items()))


def test_terms_of_weight_zero_are_not_computed(case):
    assert set(sequence_losses(*case, Losses(), PARENTS, has_root=False)) == {"mpjpe"}
    assert set(sequence_losses(*case, Losses(), PARENTS, has_root=True)) == {"mpjpe", "root"}


def test_padding_gets_no_gradient_and_nan_there_does_no_harm(case):
    predicted, true, mask = case
    predicted.requires_grad_()
    true = torch.where(mask[..., None, None], true, torch.nan)
    loss = weighted(sequence_losses(predicted, true, mask, ALL, PARENTS, has_root=True), ALL).sum()
    assert torch.isfinite(loss)
    whole = sequence_losses(predicted, torch.nan_to_num(true), mask, ALL, PARENTS, has_root=True)
    (gradient,) = torch.autograd.grad(weighted(whole, ALL).sum(), predicted)
    assert gradient[~mask].abs().max() == 0.0
    assert gradient[mask].abs().max() > 0.0


def test_laplacian_of_a_constant_is_zero():
    assert (skeleton_laplacian(PARENTS) @ torch.ones(5)).abs().max() < 1e-6
    assert bone_lengths(torch.zeros(2, 5, 3), PARENTS).shape == (2, 4)
