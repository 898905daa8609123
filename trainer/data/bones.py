"""Bones of a batch: from positions to vectors and back, for augmentation that changes bodies and poses."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from trainer.data.batches import Batch
from trainer.data.joints import LiftedJoints
from trainer.data.normalise import project

NEAREST = 0.3
"""Metres: smallest depth of a joint."""


def bones_of(positions: Tensor, joints: LiftedJoints) -> Tensor:
    """Return the vector to each joint from its parent, (B, T, J, 3); 0 for the root."""
    return positions - positions[:, :, [parent if parent >= 0 else joint for joint, parent in enumerate(joints.parents)]]


def joined(positions: Tensor, bones: Tensor, joints: LiftedJoints) -> Tensor:
    """Return the positions of bones, (B, T, J, 3) each, whose root is where that of `positions` is."""
    place = list(positions.unbind(dim=2))
    for joint in joints.parents_first[1:]:
        place[joint] = place[joints.parents[joint]] + bones[:, :, joint]
    return torch.stack(place, dim=2)


def moved(batch: Batch, positions: Tensor, chosen: Tensor) -> Batch:
    """Return a batch whose chosen sequences, (B,) bool, have other positions, except those in which a joint would come too near to the camera."""
    safe = chosen & (positions[..., 2].amin(dim=(1, 2)) > NEAREST)
    positions = torch.where(safe[:, None, None, None], positions, batch.positions)
    return replace(batch, positions=positions, pixels=project(positions, batch.intrinsics))
