"""Augmentation: a sequence as a real 2D detector would see it, with its errors, its missing joints, and confidences that tell of both."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from schemas.detectors import DETECTOR_JOINTS, SEEN_BY, joint_errors
from schemas.train import DetectorErrors
from trainer.data.batches import Batch
from trainer.data.joints import LiftedJoints
from trainer.data.randomness import Randomness

_LONGEST_GAP, _LONGEST_FAR, _LONGEST_SWAP = 12, 6, 40
"""Frames for which a joint is missing, found far away, or taken for the one on the other side, at most."""
_LIMBS = ("left_wrist", "left_elbow", "left_shoulder"), ("left_ankle", "left_knee", "left_hip")
_HALF_CONFIDENT = 0.12
"""Error, as a share of the person's size, at which a detector's confidence falls to about a half."""


def see(batch: Batch, settings: DetectorErrors, joints: LiftedJoints, random: Randomness) -> Batch:
    """Return a batch as a detector sees it: pixels and confidence.

    Every sequence is seen by some kind of detector, which lacks some of the joints; a share of them with errors as well.
    """
    count, frames, total = batch.pixels.shape[:3]
    layouts = list(settings.layouts)
    known = torch.tensor([[joint in SEEN_BY[layout] for joint in DETECTOR_JOINTS] for layout in layouts], device=batch.pixels.device)
    seen = known[random.pick(list(settings.layouts.values()), count)][:, None]  # (B, 1, J)
    noisy = random.chosen(settings.probability, count)[:, None, None]
    offsets = batch.pixels - batch.pixels[:, :, joints.root : joints.root + 1]
    size = offsets.square().sum(dim=-1).mean(dim=-1).sqrt()[..., None, None]

    error = _errors(count, frames, settings, random)
    pixels = batch.pixels + torch.where(noisy[..., None], error * size, torch.zeros_like(error))
    missing = _stretches(settings.missing * _per_joint("missing", pixels), _LONGEST_GAP, (count, frames, total), random)
    for limb in _LIMBS:
        for side in ("left", "right"):
            outer, middle, inner = joints.place(*(joint.replace("left", side) for joint in limb))
            gone = random.chosen(0.7, count, 1)
            missing[:, :, middle] |= missing[:, :, inner] & gone
            missing[:, :, outer] |= missing[:, :, middle] & gone
    missing |= _beyond_the_edge(batch.pixels, batch.mask, settings.cut, random)
    confidence = _confidence(error.norm(dim=-1), random)
    confidence = torch.where(noisy, torch.where(missing, 0.0, confidence), 1.0) * seen
    pixels, confidence = _swap_sides(pixels, confidence, noisy[:, :, 0], settings.swapped, joints, random)
    confidence = torch.where((confidence > 0).sum(dim=-1, keepdim=True) >= 4, confidence, 1.0 * seen)  # frames with less are no detection
    return replace(batch, pixels=pixels, confidence=confidence * batch.confidence)


def _per_joint(name: str, like: Tensor) -> Tensor:
    """Return a column of the table of errors, (J,)."""
    return like.new_tensor([getattr(joint_errors(joint), name) for joint in DETECTOR_JOINTS])


def _errors(count: int, frames: int, settings: DetectorErrors, random: Randomness) -> Tensor:
    """Return errors as shares of the person's size, (B, T, J, 2): noise that is correlated in time, a constant offset, and far errors."""
    total = len(DETECTOR_JOINTS)
    size = random.uniform(*settings.size, count)[:, None, None, None]
    correlation = random.uniform(*settings.correlation, count)[:, None, None]
    steps = random.normal(count, frames, total, 2)
    kept, new = correlation, (1.0 - correlation**2).sqrt()
    noise = [steps[:, 0]]
    for frame in range(1, frames):
        noise.append(kept * noise[-1] + new * steps[:, frame])
    error = torch.stack(noise, dim=1) * _per_joint("noise", steps)[:, None] * size
    error = error + settings.bias * size * random.normal(count, 1, total, 2)
    far = _stretches(torch.full((total,), settings.far, device=steps.device), _LONGEST_FAR, (count, frames, total), random)
    place = _per_joint("far", steps)[:, None] * (random.normal(count, 1, total, 2) + 0.3 * random.normal(count, frames, total, 2))
    return error + far[..., None] * place * size.clamp(max=1.0)


def _stretches(share: Tensor, longest: int, shape: tuple[int, int, int], random: Randomness) -> Tensor:
    """Return flags, (B, T, J), True for `share` (J,) of the joints, for 1 to `longest` frames at a time."""
    begins = random.uniform(0.0, 1.0, *shape) < share / (0.5 * (longest + 1))
    length = random.uniform(1.0, longest + 1.0, *shape).floor() * begins
    out = length > 0
    for later in range(1, longest):
        out[:, later:] |= length[:, :-later] > later
    return out


def _beyond_the_edge(pixels: Tensor, mask: Tensor, share: float, random: Randomness) -> Tensor:
    """Return flags, (B, T, J), of joints beyond an edge of the image that cuts off up to a third of the person, of some sequences."""
    count = len(pixels)
    valid = mask[..., None, None].expand_as(pixels)
    low = torch.where(valid, pixels, torch.inf).amin(dim=(1, 2))
    high = torch.where(valid, pixels, -torch.inf).amax(dim=(1, 2))
    part = random.uniform(0.02, 0.35, count)[:, None]
    first, last = low + part * (high - low), high - part * (high - low)
    edge = random.pick([0.2, 0.2, 0.1, 0.5], count)[:, None, None]  # left, right, top, bottom
    beyond = torch.stack(
        [
            pixels[..., 0] < first[:, None, None, 0],
            pixels[..., 0] > last[:, None, None, 0],
            pixels[..., 1] < first[:, None, None, 1],
            pixels[..., 1] > last[:, None, None, 1],
        ]
    )
    chosen = sum((edge == number) & beyond[number] for number in range(4))
    return (chosen > 0) & random.chosen(share, count)[:, None, None]


def _confidence(error: Tensor, random: Randomness) -> Tensor:
    """Return confidences, (B, T, J), that fall with the error, each detector with a scale of its own; a third of them say 1 whatever the error."""
    count = len(error)
    best = random.uniform(0.6, 1.0, count)[:, None, None]
    value = best * torch.exp(-((error / (1.2 * _HALF_CONFIDENT)) ** 2)) + 0.08 * random.normal(*error.shape)
    value = value.clamp(0.05, 1.0)
    return torch.where(random.chosen(0.3, count)[:, None, None], 1.0, value)


def _swap_sides(pixels: Tensor, confidence: Tensor, noisy: Tensor, share: float, joints: LiftedJoints, random: Randomness) -> tuple[Tensor, Tensor]:
    """Swap left and right for a stretch of frames of some sequences: of the legs, the arms, or the whole person."""
    count, frames = confidence.shape[:2]
    mirror = torch.from_numpy(joints.mirror).to(pixels.device)
    legs = torch.tensor([any(word in joint for word in ("hip", "knee", "ankle", "toe", "heel")) for joint in joints.joints], device=pixels.device)
    kinds = torch.stack([legs, ~legs, torch.ones_like(legs)])
    which = kinds[random.pick([0.5, 0.2, 0.3], count)][:, None]  # (B, 1, J)
    first = (random.uniform(0.0, 1.0, count) * frames).floor()[:, None]
    length = random.uniform(2.0, _LONGEST_SWAP, count)[:, None]
    frame = torch.arange(frames, device=pixels.device)
    stretch = (frame >= first) & (frame < first + length) & random.chosen(share, count)[:, None] & noisy
    swap = stretch[..., None] & which
    return torch.where(swap[..., None], pixels[:, :, mirror], pixels), torch.where(swap, confidence[:, :, mirror], confidence)
