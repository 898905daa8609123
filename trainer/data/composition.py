"""Augmentation: poses composed of several recordings: limbs of one sequence move as those of others."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from schemas.train import PoseComposition
from trainer.data.batches import Batch
from trainer.data.bones import bones_of, joined, moved
from trainer.data.joints import LiftedJoints
from trainer.data.randomness import Randomness


@dataclass(frozen=True)
class Part:
    """A part of the trunk, and the limbs that move with it; all are indices of joints.

    Parameters
    ----------
    axes : (int, int, int, int)
        Joints that give its axes: to its left and right; above and below.
    limbs : tuple of tuple of int
        Joints of each limb: what hangs on the joint to the left and on that to the right; of the pelvis, what is above it, too.
    """

    axes: tuple[int, int, int, int]
    limbs: tuple[tuple[int, ...], ...]


def parts(joints: LiftedJoints) -> tuple[Part, ...]:
    """Return the parts of the trunk from below: pelvis and chest of the joint sets that come with the program.

    They are where two joints of a symmetric pair, each with joints beyond it, hang on the same joint of the middle.
    """
    found, root = [], joints.root
    for left, right in joints.pairs:
        parent, limbs = joints.parents[left], (joints.below(left), joints.below(right))
        if parent != joints.parents[right] or joints.mirror[parent] != parent or not all(limbs):
            continue
        above = [joint for joint, own in enumerate(joints.parents) if own == root and joints.mirror[joint] == joint]
        if parent != root:
            found.append(Part((left, right, parent, root), limbs))
        elif above:
            found.insert(0, Part((left, right, above[0], root), ((above[0], *joints.below(above[0])), *limbs)))
    return tuple(found)


def compose_poses(batch: Batch, settings: PoseComposition, joints: LiftedJoints, random: Randomness) -> Batch:
    """Let limbs of some sequences move as those of other sequences of the batch, as seen from the trunk.

    What is above the pelvis, each leg, and each arm is exchanged or not, and taken from another sequence each time; half of the time mirrored, so
    that a left arm may move as a right one did. Bone lengths are the person's own. A sequence in which a joint would come too near to the camera
    is left unchanged.
    """
    positions = batch.positions
    composed = random.chosen(settings.probability, len(batch.mask))
    bones = bones_of(positions, joints)
    length = bones.norm(dim=-1, keepdim=True)
    for part in parts(joints):  # the lower ones carry the upper ones
        axes = _axes(positions, part)
        directions = (bones / length.clamp(min=1e-6)) @ axes
        for limb in map(list, part.limbs):
            exchanged = composed & random.chosen(settings.limbs, len(composed))
            directions[:, :, limb] = torch.where(exchanged[:, None, None, None], _another(directions, limb, joints, random), directions[:, :, limb])
        bones = (directions @ axes.mT) * length
        positions = joined(positions, bones, joints)
    return moved(batch, positions, composed)


def _another(directions: Tensor, limb: list[int], joints: LiftedJoints, random: Randomness) -> Tensor:
    """Return a limb of other sequences, or of the other side of their bodies, for each sequence: (B, T, L, 3) of (B, T, J, 3)."""
    other = torch.argsort(random.uniform(0.0, 1.0, len(directions)))
    mirrored = random.chosen(0.5, len(directions))[:, None, None, None]
    opposite = directions[:, :, joints.mirror[limb]] * directions.new_tensor([-1.0, 1.0, 1.0])
    return torch.where(mirrored, opposite[other], directions[:, :, limb][other])


def _axes(positions: Tensor, part: Part) -> Tensor:
    """Return the axes of a part of the trunk in each frame as columns, (B, T, 3, 3): to the person's left, up, and across both."""
    left, right, above, below = positions[:, :, list(part.axes)].unbind(dim=2)
    x = torch.nn.functional.normalize(left - right, dim=-1)
    z = torch.nn.functional.normalize(torch.linalg.cross(x, above - below), dim=-1)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=-1)
