"""Augmentation: the same motion by other people, of another stature, with other proportions, or with straighter knees."""

from __future__ import annotations

import torch
from torch import Tensor

from schemas.train import BodyAugmentation
from trainer.data.batches import Batch
from trainer.data.bones import bones_of, joined, moved
from trainer.data.joints import LiftedJoints
from trainer.data.randomness import Randomness

ADULT = (1.72, 0.08)
"""Metres: mean and standard deviation of the stature of adults, women and men together."""
_TRUNK_AND_LEG = ("pelvis", "spine", "thorax", "neck", "head_top"), ("left_hip", "left_knee", "left_ankle")
_ANKLE_HEIGHT = 0.05
"""Height of the ankle above the floor, as a share of the stature, with what the curve of the spine takes back."""
_LONGEST_BONES = 0.032
"""By which share the bones of a leg are too long at most."""
_STRAIGHT = 0.9994
"""Distance of hip and ankle, as a share of thigh and shank, of somebody who stands upright: a knee of 176 degrees."""


def change_bodies(batch: Batch, settings: BodyAugmentation, joints: LiftedJoints, random: Randomness) -> Batch:
    """Let another body play some of the sequences, before the same camera.

    Bone lengths are changed, both sides alike; the knees of some are straightened; then the whole scene is scaled about the camera, which
    leaves the image as it is.
    """
    count = len(batch.mask)
    chosen = random.chosen(settings.probability, count)
    positions = _change_bones(batch.positions, settings.bones, joints, random)
    positions = _straighten(positions, settings.straight_knees, batch.mask, joints, random)
    low, high = settings.stature
    adult = (ADULT[0] + ADULT[1] * random.normal(count)).clamp(low, high)
    stature = torch.where(random.chosen(settings.children, count), random.uniform(low, high, count), adult)
    positions = positions * (stature / stature_of(positions[:, 0], joints))[:, None, None, None]
    return moved(batch, positions, chosen)


def stature_of(pose: Tensor, joints: LiftedJoints) -> Tensor:
    """Return the stature of people, (B,) metres, along the bones of one pose, (B, J, 3)."""
    length = torch.zeros(len(pose), device=pose.device)
    for chain in _TRUNK_AND_LEG:
        points = pose[:, joints.place(*chain)]
        length = length + (points[:, 1:] - points[:, :-1]).norm(dim=-1).sum(dim=-1)
    return length / (1.0 - _ANKLE_HEIGHT)


def _change_bones(positions: Tensor, deviation: float, joints: LiftedJoints, random: Randomness) -> Tensor:
    """Return positions, (B, T, J, 3), with other bone lengths."""
    factor = torch.exp(deviation * random.normal(len(positions), len(joints.parents)))
    left = [pair[0] for pair in joints.pairs]
    right = [pair[1] for pair in joints.pairs]
    factor[:, right] = factor[:, left]
    return joined(positions, bones_of(positions, joints) * factor[:, None, :, None], joints)


def _straighten(positions: Tensor, share: float, mask: Tensor, joints: LiftedJoints, random: Randomness) -> Tensor:
    """Return positions, (B, T, J, 3), with straighter knees: hips and ankles stay, and the bones between them are shorter.

    Skeletons that were fitted to markers often have thighs and shanks that are 2 to 3 % too long, with hip and ankle in the right places: the knee
    then lies in front of the true one, 10 mm when it is bent and 40 mm when it is straight: HDM05's actors seem to stand with knees at 150 to
    155 degrees in AMC, and stand at 172 in C3D.
    The bones of each leg are shortened so far that the leg is straight in the 5 % of the frames in which hip and ankle are the farthest apart, by at
    most :data:`_LONGEST_BONES`.
    """
    count = len(positions)
    chosen, slack = random.chosen(share, count), random.uniform(0.0, 0.003, count, 2)
    out = positions.clone()
    for number, side in enumerate(("left", "right")):
        hip, knee, ankle = (positions[:, :, joint] for joint in joints.place(f"{side}_hip", f"{side}_knee", f"{side}_ankle"))
        thigh, shank = (knee - hip).norm(dim=-1, keepdim=True), (ankle - knee).norm(dim=-1, keepdim=True)
        reach = (ankle - hip).norm(dim=-1, keepdim=True)
        farthest = _high(reach[..., 0] / (thigh + shank)[..., 0].clamp(min=1e-6), mask)
        factor = (farthest / _STRAIGHT + slack[:, number : number + 1]).clamp(1.0 - _LONGEST_BONES, 1.0)[:, None]
        thigh, shank = factor * thigh, factor * shank
        along = (ankle - hip) / reach.clamp(min=1e-6)
        outward = (knee - hip) - ((knee - hip) * along).sum(-1, keepdim=True) * along
        foot = (thigh**2 - shank**2 + reach**2) / (2.0 * reach.clamp(min=1e-6))
        height = (thigh**2 - foot**2).clamp(min=0.0).sqrt()
        out[:, :, joints.joints.index(f"{side}_knee")] = hip + foot * along + height * torch.nn.functional.normalize(outward, dim=-1)
    return torch.where(chosen[:, None, None, None], out, positions)


def _high(values: Tensor, mask: Tensor) -> Tensor:
    """Return the 95th percentile of values, (B, T), over valid frames: (B, 1)."""
    ordered = torch.where(mask, values, -torch.inf).sort(dim=1, descending=True).values
    return ordered.gather(1, (0.05 * (mask.sum(dim=1, keepdim=True) - 1)).floor().long())
