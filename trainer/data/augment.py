"""Data augmentation of training batches, from the stored 3D: mirroring, pose perturbation, other speeds, other bodies, new cameras, detector errors.

All functions work on whole batches. The random numbers come from a generator seeded by (seed, epoch, batch), always on the processor, so
that a resumed run, or the same run on another device, gets the same augmentation.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from schemas.train import Augmentation
from trainer.data.batches import PAD_TO, Batch
from trainer.data.bodies import change_bodies
from trainer.data.bones import bones_of, joined, moved
from trainer.data.composition import compose_poses
from trainer.data.detector_errors import see
from trainer.data.joints import LiftedJoints
from trainer.data.normalise import project
from trainer.data.randomness import Randomness
from trainer.data.virtual_cameras import axis_angle, new_cameras

OUTLIER_SIZE = 0.1
"""Displacement of an outlier: standard deviation, as a share of the person's size in the image."""
LONGEST_GAP = 10
"""Largest number of consecutive frames for which a joint is missing."""


def augment(batch: Batch, settings: Augmentation, joints: LiftedJoints, random: Randomness, longest: int | None = None) -> Batch:
    """Return a changed batch.

    Parameters
    ----------
    batch : Batch
    settings : Augmentation
    joints : LiftedJoints
    random : Randomness
    longest : int, optional
        Frames that slowed sequences are cut to; by default they are not cut.
    """
    if settings.speed != (1.0, 1.0) or settings.reverse:
        batch = change_speed(batch, settings, random, longest)
    if settings.composition.probability:
        batch = compose_poses(batch, settings.composition, joints, random)
    if settings.pose_perturbation:
        batch = perturb_poses(batch, settings, joints, random)
    if settings.body.probability:
        batch = change_bodies(batch, settings.body, joints, random)
    if settings.flip:
        batch = flip(batch, settings.flip, joints, random)
    if settings.camera.probability:
        batch = new_cameras(batch, settings.camera, joints.root, random)
    if settings.noise or settings.bias or settings.outliers or settings.missing:
        batch = add_detector_errors(batch, settings, joints.root, random)
    if settings.detector.probability:
        batch = see(batch, settings.detector, joints, random)
    return batch


def change_speed(batch: Batch, settings: Augmentation, random: Randomness, longest: int | None = None) -> Batch:
    """Play each sequence at another speed, some of them backwards; frames between stored ones are interpolated and projected anew."""
    count = len(batch.mask)
    low, high = settings.speed
    speed = torch.exp(random.uniform(math.log(low), math.log(high), count))
    backwards = random.chosen(settings.reverse, count)
    last = (batch.mask.sum(dim=1) - 1).to(speed.dtype)
    frames = (last / speed + 1e-4).floor().long() + 1
    if longest is not None:
        frames = frames.clamp(max=longest)
    padded = -(-int(frames.max()) // PAD_TO) * PAD_TO
    step = torch.minimum(torch.arange(padded, device=speed.device), frames[:, None] - 1)
    place = torch.minimum(step * speed[:, None], last[:, None])
    place = torch.where(backwards[:, None], last[:, None] - place, place)
    before = place.floor().long()
    after = torch.minimum(before + 1, last[:, None].long())
    share = (place - before)[..., None, None]
    rows = torch.arange(count, device=speed.device)[:, None]
    positions = torch.lerp(batch.positions[rows, before], batch.positions[rows, after], share)
    mask = torch.arange(padded, device=speed.device) < frames[:, None]
    confidence = torch.minimum(batch.confidence[rows, before], batch.confidence[rows, after])
    return replace(batch, positions=positions, pixels=project(positions, batch.intrinsics), mask=mask, confidence=confidence)


def perturb_poses(batch: Batch, settings: Augmentation, joints: LiftedJoints, random: Randomness) -> Batch:
    """Rotate the joints of some sequences: each joint by a random rotation of its own, constant over the sequence, with all joints below it.

    Bone lengths and timing are kept, but poses occur that were never recorded. Angles are normally distributed with mean 0; each sequence
    draws their standard deviation between 0 and `pose_perturbation_angle` degrees. The root is not rotated: new cameras do that. A
    sequence in which a joint would come too near to the camera is left unchanged.
    """
    count, parents = len(batch.mask), [max(parent, 0) for parent in joints.parents]
    axis = torch.nn.functional.normalize(random.normal(count, len(parents), 3), dim=-1)
    deviation = random.uniform(0.0, 1.0, count, 1) * random.chosen(settings.pose_perturbation, count, 1)
    radians = random.normal(count, len(parents)) * deviation * settings.pose_perturbation_angle * math.pi / 180.0
    radians = radians * radians.new_tensor([settings.pose_perturbation_knees if "knee" in joint else 1.0 for joint in joints.joints])
    rotation = axis_angle(axis.reshape(-1, 3), radians.reshape(-1)).reshape(count, len(parents), 3, 3)
    total = [torch.eye(3, device=rotation.device).expand(count, 3, 3)] * len(parents)
    for joint in joints.parents_first[1:]:
        total[joint] = total[parents[joint]] @ rotation[:, joint]
    bones = torch.einsum("bjxy,btjy->btjx", torch.stack([total[parent] for parent in parents], dim=1), bones_of(batch.positions, joints))
    return moved(batch, joined(batch.positions, bones, joints), torch.ones_like(batch.mask[:, 0]))


def flip(batch: Batch, share: float, joints: LiftedJoints, random: Randomness) -> Batch:
    """Mirror some sequences left to right, across the plane x = 0 of their camera; left joints become right ones."""
    mirror = torch.from_numpy(joints.mirror).to(batch.positions.device)
    chosen = random.chosen(share, len(batch.mask))[:, None, None, None]
    sign = batch.positions.new_tensor([-1.0, 1.0, 1.0])
    positions = torch.where(chosen, batch.positions[:, :, mirror] * sign, batch.positions)
    # Pixels are mirrored about the principal point, like the points themselves: no rounding by a new projection.
    centre = batch.intrinsics[:, None, None, 2:3]
    u = 2.0 * centre - batch.pixels[:, :, mirror, :1]
    pixels = torch.where(chosen, torch.cat([u, batch.pixels[:, :, mirror, 1:]], dim=-1), batch.pixels)
    confidence = torch.where(chosen[..., 0], batch.confidence[:, :, mirror], batch.confidence)
    up = torch.where(chosen[:, 0, 0], batch.up * sign, batch.up)
    return replace(batch, positions=positions, pixels=pixels, confidence=confidence, up=up)


def add_detector_errors(batch: Batch, settings: Augmentation, root: int, random: Randomness) -> Batch:
    """Add the errors of a 2D detector: noise, a constant offset, outliers, and joints that are missing for several frames.

    Sizes are shares of the person's size in the image: the root mean square distance of the joints from the root, in pixels.
    """
    shape = batch.pixels.shape[:3]
    offsets = batch.pixels - batch.pixels[:, :, root : root + 1]
    size = offsets.square().sum(dim=-1).mean(dim=-1).sqrt()[..., None, None]
    error = torch.zeros_like(batch.pixels)
    if settings.noise:
        error = error + settings.noise * random.normal(*shape, 2)
    if settings.bias:
        error = error + settings.bias * random.normal(shape[0], 1, shape[2], 2)
    if settings.outliers:
        error = error + OUTLIER_SIZE * random.normal(*shape, 2) * random.chosen(settings.outliers, *shape)[..., None]
    batch = replace(batch, pixels=batch.pixels + error * size)
    if settings.missing:
        mean_gap = 0.5 * (LONGEST_GAP + 1)
        begins = random.chosen(settings.missing / mean_gap, *shape)
        gap = random.uniform(1.0, LONGEST_GAP + 1.0, *shape).floor() * begins
        missing = gap > 0
        for later in range(1, LONGEST_GAP):
            missing[:, later:] |= gap[:, :-later] > later
        batch = replace(batch, confidence=torch.where(missing, torch.zeros_like(batch.confidence), batch.confidence))
    return batch
