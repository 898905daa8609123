"""Training losses: the published mean per-joint position error, and optional further terms, over valid frames only."""

from __future__ import annotations

import torch
from torch import Tensor

from schemas.train import Losses


def skeleton_laplacian(parents: tuple[int, ...]) -> Tensor:
    """Return the matrix that takes each joint to its difference from the mean of its neighbours in the skeleton, (J, J)."""
    count = len(parents)
    adjacent = torch.zeros(count, count)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            adjacent[joint, parent] = adjacent[parent, joint] = 1.0
    return torch.eye(count) - adjacent / adjacent.sum(dim=1, keepdim=True).clamp(min=1.0)


def bone_lengths(positions: Tensor, parents: tuple[int, ...]) -> Tensor:
    """Return the distance of each joint but the root from its parent, (..., J) positions to (..., J - 1)."""
    children = [joint for joint, parent in enumerate(parents) if parent >= 0]
    return (positions[..., children, :] - positions[..., [parents[joint] for joint in children], :]).norm(dim=-1)


def sequence_losses(predicted: Tensor, true: Tensor, mask: Tensor, weights: Losses, parents: tuple[int, ...], has_root: bool) -> dict[str, Tensor]:
    """Return the sum of each loss term over the frames of each sequence.

    Parameters
    ----------
    predicted : (B, T, J, 3) float, metres
        Relative to the root, with the root's own position (or zeros) in its place, as a :class:`~trainer.model.lifter.Lifter` gives it.
    true : (B, T, J, 3) float, metres, camera frame
    mask : (B, T) bool
    weights : Losses
        Terms with a weight above 0 are computed.
    parents : tuple of int
    has_root : bool
        Whether the root's position is predicted.

    Returns
    -------
    dict of (B,) float
        Term to the sum over valid frames, without its weight; ``mpjpe`` always.
    """
    root = parents.index(-1)
    relative = true - true[:, :, root : root + 1]
    at_root = (torch.arange(len(parents), device=true.device) == root)[:, None]
    pose = torch.where(at_root, torch.zeros_like(predicted), predicted)
    error = pose - relative
    pairs = mask[:, 1:] & mask[:, :-1]

    def total(values: Tensor, valid: Tensor) -> Tensor:
        return torch.where(valid, values, torch.zeros_like(values)).sum(dim=1)

    def distance(difference: Tensor) -> Tensor:
        return difference.norm(dim=-1).mean(dim=-1)

    terms = {"mpjpe": total(distance(error), mask)}
    if weights.velocity:
        terms["velocity"] = total(distance(error[:, 1:] - error[:, :-1]), pairs)
    if weights.bone_length:
        terms["bone_length"] = total((bone_lengths(pose, parents) - bone_lengths(relative, parents)).abs().mean(dim=-1), mask)
    if weights.laplacian_time:
        middle = error[:, 1:-1] - 0.5 * (error[:, 2:] + error[:, :-2])
        terms["laplacian_time"] = total(distance(middle), pairs[:, 1:] & pairs[:, :-1])
    if weights.laplacian_skeleton:
        terms["laplacian_skeleton"] = total(distance(skeleton_laplacian(parents).to(error) @ error), mask)
    if weights.root and has_root:
        # Relative to the depth: the same error covers fewer pixels far away.
        difference = predicted[:, :, root] - true[:, :, root]
        terms["root"] = total(difference.norm(dim=-1) / true[:, :, root, 2].abs().clamp(min=0.1), mask)
    return terms


def weighted(terms: dict[str, Tensor], weights: Losses) -> Tensor:
    """Return the weighted sum of the terms, (B,)."""
    return torch.stack([getattr(weights, name) * value for name, value in terms.items()]).sum(dim=0)
