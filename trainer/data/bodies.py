"""Augmentation: the same motion by other people, of another stature, with other proportions, or with straighter knees."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from schemas.train import BodyAugmentation
from trainer.data.batches import Batch
from trainer.data.joints import LiftedJoints
from trainer.data.normalise import project
from trainer.data.randomness import Randomness

ADULT = (1.72, 0.08)
"""Metres: mean and standard deviation of the stature of adults, women and men together."""
_TRUNK_AND_LEG = ("pelvis", "spine", "thorax", "neck", "head_top"), ("left_hip", "left_knee", "left_ankle")
_ANKLE_HEIGHT = 0.05
"""Height of the ankle above the floor, as a share of the stature, with what the curve of the spine takes back."""
_SOFTNESS = math.radians(4.0)
"""How softly knees stop at straight."""


def change_bodies(batch: Batch, settings: BodyAugmentation, joints: LiftedJoints, random: Randomness) -> Batch:
    """Let another body play some of the sequences, before the same camera.

    Bone lengths are changed, both sides alike; the knees of some are straightened; then the whole scene is scaled about the camera, which
    leaves the image as it is.
    """
    count = len(batch.mask)
    chosen = random.chosen(settings.probability, count)
    positions = _change_bones(batch.positions, settings.bones, joints, random)
    positions = _straighten(positions, settings, joints, random)
    low, high = settings.stature
    adult = (ADULT[0] + ADULT[1] * random.normal(count)).clamp(low, high)
    stature = torch.where(random.chosen(settings.children, count), random.uniform(low, high, count), adult)
    positions = positions * (stature / stature_of(positions[:, 0], joints))[:, None, None, None]
    safe = positions[..., 2].amin(dim=(1, 2)) > 0.3
    positions = torch.where((chosen & safe)[:, None, None, None], positions, batch.positions)
    return replace(batch, positions=positions, pixels=project(positions, batch.intrinsics))


def stature_of(pose: Tensor, joints: LiftedJoints) -> Tensor:
    """Return the stature of people, (B,) metres, along the bones of one pose, (B, J, 3)."""
    length = torch.zeros(len(pose), device=pose.device)
    for chain in _TRUNK_AND_LEG:
        points = pose[:, joints.place(*chain)]
        length = length + (points[:, 1:] - points[:, :-1]).norm(dim=-1).sum(dim=-1)
    return length / (1.0 - _ANKLE_HEIGHT)


def _change_bones(positions: Tensor, deviation: float, joints: LiftedJoints, random: Randomness) -> Tensor:
    """Return positions, (B, T, J, 3), with other bone lengths."""
    parents = [max(parent, 0) for parent in joints.parents]
    factor = torch.exp(deviation * random.normal(len(positions), len(parents)))
    left = [pair[0] for pair in joints.pairs]
    right = [pair[1] for pair in joints.pairs]
    factor[:, right] = factor[:, left]
    bones = (positions - positions[:, :, parents]) * factor[:, None, :, None]
    place = list(positions.unbind(dim=2))
    for joint in joints.parents_first[1:]:
        place[joint] = place[parents[joint]] + bones[:, :, joint]
    return torch.stack(place, dim=2)


def _straighten(positions: Tensor, settings: BodyAugmentation, joints: LiftedJoints, random: Randomness) -> Tensor:
    """Return positions, (B, T, J, 3), with knees that are straighter by one angle per sequence, but not more than straight.

    The ankle stays on the line from the hip, the knee in its plane.
    """
    count = len(positions)
    angle = random.uniform(0.0, settings.straight_knees_angle, count) * random.chosen(settings.straight_knees, count) * math.pi / 180.0
    out = positions.clone()
    for side in ("left", "right"):
        hip, knee, ankle = joints.place(f"{side}_hip", f"{side}_knee", f"{side}_ankle")
        moved = _straight_leg(positions[:, :, hip], positions[:, :, knee], positions[:, :, ankle], angle)
        shift = moved[1] - positions[:, :, ankle]
        out[:, :, knee], out[:, :, ankle] = moved
        for end in (joint for joint, parent in enumerate(joints.parents) if parent == ankle):
            out[:, :, end] = positions[:, :, end] + shift
    return torch.where((angle > 0)[:, None, None, None], out, positions)


def _straight_leg(hip: Tensor, knee: Tensor, ankle: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Return knee and ankle, (B, T, 3), of legs that are straighter by an angle, (B,) radians."""
    thigh, shank = (knee - hip).norm(dim=-1, keepdim=True), (ankle - knee).norm(dim=-1, keepdim=True)
    along = torch.nn.functional.normalize(ankle - hip, dim=-1)
    outward = (knee - hip) - ((knee - hip) * along).sum(-1, keepdim=True) * along
    bent = math.pi - torch.acos((((hip - knee) * (ankle - knee)).sum(-1, keepdim=True) / (thigh * shank).clamp(min=1e-6)).clamp(-1.0, 1.0))
    bent = _SOFTNESS * torch.nn.functional.softplus((bent - angle[:, None, None]) / _SOFTNESS)
    reach = (thigh**2 + shank**2 + 2.0 * thigh * shank * torch.cos(bent)).clamp(min=1e-8).sqrt()
    foot = (thigh**2 - shank**2 + reach**2) / (2.0 * reach)
    height = (thigh**2 - foot**2).clamp(min=0.0).sqrt()
    return hip + foot * along + height * torch.nn.functional.normalize(outward, dim=-1), hip + reach * along
