"""Augmentation: virtual cameras that see a sequence from elsewhere."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from schemas.train import CameraAugmentation
from trainer.data.batches import Batch
from trainer.data.bones import NEAREST
from trainer.data.normalise import project
from trainer.data.randomness import Randomness

_MARGIN = 0.95
"""Share of the image, from its middle, in which a sequence is placed."""


def axis_angle(axis: Tensor, angle: Tensor) -> Tensor:
    """Return the matrices of rotations about unit vectors, (B, 3), by angles, (B,) radians: (B, 3, 3) (Rodrigues' formula)."""
    x, y, z = axis.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(-1, 3, 3)
    sine, cosine = torch.sin(angle)[:, None, None], torch.cos(angle)[:, None, None]
    return torch.eye(3, device=axis.device) + sine * cross + (1.0 - cosine) * (cross @ cross)


def random_rotations(count: int, random: Randomness) -> Tensor:
    """Return uniformly distributed random rotations, (count, 3, 3), from normal quaternions."""
    x, y, z, w = torch.nn.functional.normalize(random.normal(count, 4), dim=-1).unbind(-1)
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        *(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        *(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack(rows, dim=-1).reshape(count, 3, 3)


def _orientations(batch: Batch, settings: CameraAugmentation, kept: Tensor, random: Randomness) -> Tensor:
    """Return the rotations, (B, 3, 3), that take the old camera frame to the new one."""
    count = len(batch.mask)
    device = batch.positions.device
    radians = math.pi / 180.0
    azimuth = axis_angle(batch.up, random.uniform(-settings.azimuth, settings.azimuth, count) * radians)
    # Level first, so that the elevation counts from the horizon: rotate the vertical onto the image's y axis.
    sign = torch.where(batch.up[:, 1:2] < 0, -1.0, 1.0)
    vertical = torch.cat([torch.zeros_like(sign), sign, torch.zeros_like(sign)], dim=-1)
    axis = torch.linalg.cross(batch.up, vertical)
    level = axis_angle(torch.nn.functional.normalize(axis, dim=-1), torch.atan2(axis.norm(dim=-1), (batch.up * vertical).sum(-1)))
    # A camera that stands higher sees the near side of the ground lower in the image: the scene tips towards it.
    x_axis = torch.tensor([1.0, 0.0, 0.0], device=device).expand(count, 3)
    z_axis = torch.tensor([0.0, 0.0, 1.0], device=device).expand(count, 3)
    tilt = axis_angle(x_axis, -sign[:, 0] * random.uniform(*settings.elevation, count) * radians)
    roll = axis_angle(z_axis, random.uniform(-settings.roll, settings.roll, count) * radians)
    seen = roll @ tilt @ level @ azimuth
    uniform = random.chosen(settings.random_rotation, count)[:, None, None]
    seen = torch.where(uniform, random_rotations(count, random), seen)
    return torch.where(kept[:, None, None], azimuth, seen)


def new_cameras(batch: Batch, settings: CameraAugmentation, root: int, random: Randomness) -> Batch:
    """Project some sequences through a new camera.

    The sequence is rotated about the vertical and tilted, about the middle of its root path; the camera is placed at the smallest
    distance at which every joint of every frame is in view, times a random factor, with a random focal length and off-centre.
    Some cameras are kept, and only the person is rotated, unless a joint would come too near to the camera.
    """
    count = len(batch.mask)
    chosen = random.chosen(settings.probability, count)
    kept = random.chosen(settings.keep_camera, count)
    rotation = _orientations(batch, settings, kept, random)
    valid = batch.mask[..., None, None]
    path = batch.positions[:, :, root : root + 1]
    pivot = torch.where(valid, path, torch.zeros_like(path)).sum(dim=1, keepdim=True) / batch.mask.sum(dim=1)[:, None, None, None]
    turned = (batch.positions - pivot) @ rotation[:, None].transpose(-1, -2)

    zoom = torch.where(kept, 1.0, random.uniform(*settings.focal, count))
    focal = batch.intrinsics[:, :2] * zoom[:, None]
    intrinsics = torch.cat([focal, batch.intrinsics[:, 2:]], dim=-1)
    # Half the image on the side of the principal point that has less room, as a slope.
    room = torch.minimum(intrinsics[:, 2:], batch.image - intrinsics[:, 2:]).clamp(min=1.0)
    slope = _MARGIN * room / focal.abs()
    points = torch.where(valid, turned, torch.zeros_like(turned)).flatten(1, 2)
    # Coordinate by coordinate, each in one piece: extremes over an axis with steps of 3 would take several times as long.
    image_plane, depth = points[..., :2].transpose(1, 2).contiguous(), points[..., 2].contiguous()
    middle = 0.5 * (image_plane.amax(dim=-1) + image_plane.amin(dim=-1))
    off = (image_plane - middle[..., None]).abs()
    least = (off / slope[..., None]).amax(dim=1).clamp(min=NEAREST) - depth
    distance = least.amax(dim=-1) * random.uniform(*settings.distance, count)
    slack = (slope[..., None] * (depth + distance[:, None])[:, None] - off).amin(dim=-1)
    shift = slack.clamp(min=0.0) * settings.offset * random.uniform(-1.0, 1.0, count, 2)
    safe = kept & ((depth + pivot[:, 0, :, 2]).amin(dim=1) > NEAREST)
    place = torch.where(safe[:, None], pivot[:, 0, 0], torch.cat([shift - middle, distance[:, None]], dim=-1))[:, None, None]

    positions = torch.where(chosen[:, None, None, None], turned + place, batch.positions)
    intrinsics = torch.where(chosen[:, None], intrinsics, batch.intrinsics)
    pixels = torch.where(chosen[:, None, None, None], project(positions, intrinsics), batch.pixels)
    up = torch.where(chosen[:, None], (rotation @ batch.up[..., None])[..., 0], batch.up)
    return replace(batch, positions=positions, pixels=pixels, intrinsics=intrinsics, up=up)
