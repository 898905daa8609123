"""Data augmentation of training batches, from the stored 3D: mirroring, pose perturbation, other speeds, new cameras, detector errors.

All functions work on whole batches. The random numbers come from a generator seeded by (seed, epoch, batch), always on the processor, so
that a resumed run, or the same run on another device, gets the same augmentation.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from schemas.train import Augmentation, CameraAugmentation
from trainer.data.batches import PAD_TO, Batch
from trainer.data.dataset import LiftedJoints
from trainer.data.normalise import project

OUTLIER_SIZE = 0.1
"""Displacement of an outlier: standard deviation, as a share of the person's size in the image."""
LONGEST_GAP = 10
"""Largest number of consecutive frames for which a joint is missing."""
_NEAR = 0.3
"""Metres: smallest depth of a joint before a new camera."""
_MARGIN = 0.95
"""Share of the image, from its middle, in which a sequence is placed."""


class Randomness:
    """Random numbers for one batch.

    Parameters
    ----------
    seed, epoch, batch : int
    device : torch.device
        Device of the returned tensors.
    """

    def __init__(self, seed: int, epoch: int, batch: int, device: torch.device) -> None:
        self.generator = torch.Generator().manual_seed(((seed * 1_000_003 + epoch) * 1_000_003 + batch) % 2**63)
        self.device = device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Return numbers between `low` and `high`."""
        return (low + (high - low) * torch.rand(*shape, generator=self.generator)).to(self.device)

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers."""
        return torch.randn(*shape, generator=self.generator).to(self.device)

    def chosen(self, share: float, *shape: int) -> Tensor:
        """Return booleans, True with this probability."""
        return (torch.rand(*shape, generator=self.generator) < share).to(self.device)


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
    if settings.pose_perturbation:
        batch = perturb_poses(batch, settings.pose_perturbation, settings.pose_perturbation_angle, joints, random)
    if settings.flip:
        batch = flip(batch, settings.flip, joints, random)
    if settings.camera.probability:
        batch = new_cameras(batch, settings.camera, joints.root, random)
    if settings.noise or settings.bias or settings.outliers or settings.missing:
        batch = add_detector_errors(batch, settings, joints.root, random)
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


def perturb_poses(batch: Batch, share: float, angle: float, joints: LiftedJoints, random: Randomness) -> Batch:
    """Rotate the joints of some sequences: each joint by a random rotation of its own, constant over the sequence, with all joints below it.

    Bone lengths and timing are kept, but poses occur that were never recorded. Angles are normally distributed with mean 0; each sequence
    draws their standard deviation between 0 and `angle` degrees. The root is not rotated: new cameras do that. A sequence in which a
    joint would come too near to the camera is left unchanged.
    """
    count, parents = len(batch.mask), [max(parent, 0) for parent in joints.parents]
    axis = torch.nn.functional.normalize(random.normal(count, len(parents), 3), dim=-1)
    deviation = random.uniform(0.0, 1.0, count, 1) * random.chosen(share, count, 1)
    radians = random.normal(count, len(parents)) * deviation * angle * math.pi / 180.0
    rotation = axis_angle(axis.reshape(-1, 3), radians.reshape(-1)).reshape(count, len(parents), 3, 3)
    total = [torch.eye(3, device=rotation.device).expand(count, 3, 3)] * len(parents)
    for joint in joints.parents_first[1:]:
        total[joint] = total[parents[joint]] @ rotation[:, joint]
    bones = batch.positions - batch.positions[:, :, parents]
    bones = torch.einsum("bjxy,btjy->btjx", torch.stack([total[parent] for parent in parents], dim=1), bones)
    place = list(batch.positions.unbind(dim=2))
    for joint in joints.parents_first[1:]:
        place[joint] = place[parents[joint]] + bones[:, :, joint]
    positions = torch.stack(place, dim=2)
    safe = positions[..., 2].amin(dim=(1, 2)) > _NEAR
    positions = torch.where(safe[:, None, None, None], positions, batch.positions)
    return replace(batch, positions=positions, pixels=project(positions, batch.intrinsics))


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
    middle = 0.5 * (points[..., :2].amax(dim=1) + points[..., :2].amin(dim=1))
    across = (points[..., :2] - middle[:, None]).abs() / slope[:, None]
    least = torch.maximum(across.amax(dim=-1), torch.full_like(across[..., 0], _NEAR)) - points[..., 2]
    distance = least.amax(dim=1) * random.uniform(*settings.distance, count)
    slack = (slope[:, None] * (points[..., 2] + distance[:, None])[..., None] - (points[..., :2] - middle[:, None]).abs()).amin(dim=1)
    shift = slack.clamp(min=0.0) * settings.offset * random.uniform(-1.0, 1.0, count, 2)
    safe = kept & ((points[..., 2] + pivot[:, 0, :, 2]).amin(dim=1) > _NEAR)
    place = torch.where(safe[:, None], pivot[:, 0, 0], torch.cat([shift - middle, distance[:, None]], dim=-1))[:, None, None]

    positions = torch.where(chosen[:, None, None, None], turned + place, batch.positions)
    intrinsics = torch.where(chosen[:, None], intrinsics, batch.intrinsics)
    pixels = torch.where(chosen[:, None, None, None], project(positions, intrinsics), batch.pixels)
    up = torch.where(chosen[:, None], (rotation @ batch.up[..., None])[..., 0], batch.up)
    return replace(batch, positions=positions, pixels=pixels, intrinsics=intrinsics, up=up)


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
