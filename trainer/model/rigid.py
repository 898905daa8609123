"""Bones that keep their length: joints are moved along their rays until each bone is as long as it is on average around that time.

A pixel tells the ray on which a joint lies, and bones do not stretch: what is left to be found is how far each of them leans, and which way. The
network decides that; this layer makes what it says agree with itself: a least-squares problem of the distances along the rays. Its equations have
the structure of the skeleton, a tree, so they are solved exactly, from the leaves to the root and back, for all frames at once.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.data.joints import outwards

WINDOW = 241
"""Frames over which the length of a bone is averaged, half before and half after."""
_STIFFNESS = 10.0
"""Weight of the square of a bone's error against that of a joint's displacement."""
_STEPS = 2
"""Gauss-Newton steps; a third changes the result by 0.3 %."""
_SMALLEST = 1e-6
"""Metres: smallest length, against division by zero."""


def keep_bone_lengths(positions: Tensor, mask: Tensor, parents: tuple[int, ...], causal: bool = False) -> Tensor:
    """Return positions whose bones keep their length.

    Parameters
    ----------
    positions : (B, T, J, 3) float, metres
        In a frame with the camera at its origin; it may differ from frame to frame.
    mask : (B, T) bool
    parents : tuple of int
    causal : bool
        Lengths are averaged over earlier frames only.

    Returns
    -------
    (B, T, J, 3)
        Each joint on the line from the camera through its old place.
    """
    bones = outwards(parents)[1:]
    child, parent = list(bones), [parents[joint] for joint in bones]
    distance = positions.norm(dim=-1)
    rays = positions / distance.clamp(min=_SMALLEST)[..., None]
    length = _average((positions[:, :, child] - positions[:, :, parent]).norm(dim=-1), mask, causal)
    moved = torch.zeros_like(distance)
    for _ in range(_STEPS):
        points = (distance + moved)[..., None] * rays
        across = points[:, :, child] - points[:, :, parent]
        now = across.norm(dim=-1).clamp(min=_SMALLEST)
        # By how much a bone grows when its child, or its parent, moves along its ray.
        along = across / now[..., None]
        of_child, of_parent = (along * rays[:, :, child]).sum(dim=-1), -(along * rays[:, :, parent]).sum(dim=-1)
        growth = length - now + of_child * moved[:, :, child] + of_parent * moved[:, :, parent]
        moved = _solve(of_child, of_parent, growth, parents)
    return (distance + moved)[..., None] * rays


def _solve(of_child: Tensor, of_parent: Tensor, growth: Tensor, parents: tuple[int, ...]) -> Tensor:
    """Return the x, (B, T, J), with the smallest |x|² + stiffness Σ (of_child x_child + of_parent x_parent - growth)².

    The sum is over bones, (B, T, J - 1) each.
    """
    bones = outwards(parents)[1:]
    order = [parents.index(-1), *bones]
    to = [order.index(parents[joint]) for joint in bones]  # of each bone the place of its parent among the ordered joints
    onto_parent = torch.eye(len(order), dtype=growth.dtype, device=growth.device)[to]
    between, of_other, right_other = (_STIFFNESS * of_parent * values for values in (of_child, of_parent, growth))
    one = torch.ones_like(growth[..., :1])
    diagonal = torch.cat([one, 1.0 + _STIFFNESS * of_child.square()], dim=-1)
    right = torch.cat([0.0 * one, _STIFFNESS * of_child * growth], dim=-1)
    levels = _levels(parents)
    for first, end in reversed(levels):
        own = slice(first + 1, end + 1)
        ratio = between[..., first:end] / diagonal[..., own]
        diagonal = diagonal + (of_other[..., first:end] - ratio * between[..., first:end]) @ onto_parent[first:end]
        right = right + (right_other[..., first:end] - ratio * right[..., own]) @ onto_parent[first:end]
    found = right[..., :1] / diagonal[..., :1]
    for first, end in levels:
        own = slice(first + 1, end + 1)
        found = torch.cat([found, (right[..., own] - between[..., first:end] * found[..., to[first:end]]) / diagonal[..., own]], dim=-1)
    return found[..., [order.index(joint) for joint in range(len(parents))]]


def _average(values: Tensor, mask: Tensor, causal: bool) -> Tensor:
    """Return the mean over the valid frames around each frame, (B, T, N)."""
    frames = values.shape[1]
    before, after = (WINDOW - 1, 0) if causal else (WINDOW // 2, WINDOW // 2)
    valid = mask[..., None].double()  # sums over minutes, of which differences are taken
    total = torch.nn.functional.pad(torch.cat([values * valid, valid], dim=-1).cumsum(dim=1), (0, 0, 1, 0))
    frame = torch.arange(frames, device=values.device)
    window = total[:, (frame + after + 1).clamp(max=frames)] - total[:, (frame - before).clamp(min=0)]
    return (window[..., :-1] / window[..., -1:].clamp(min=1.0)).to(values.dtype)


def _levels(parents: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the first bone of each level of the tree, and the one after its last, among the bones level by level."""
    bones = outwards(parents)[1:]
    depth = {parents.index(-1): 0}
    for joint in bones:
        depth[joint] = depth[parents[joint]] + 1
    depths = [depth[joint] for joint in bones]
    return [(depths.index(level), depths.index(level) + depths.count(level)) for level in dict.fromkeys(depths)]
