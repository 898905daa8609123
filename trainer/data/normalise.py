"""Normalise pixels for a model's input: four named normalisations, each invertible and without trained parameters.

A model's card stores the name. All are computed frame by frame (the apparent size over :data:`SIZE_WINDOW` frames), from valid
frames only; no statistics of a training set are used.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from schemas.train import Normalisation

SIZE_WINDOW = 81
"""Frames over which a person's apparent size is averaged, half before and half after."""
Substitutes = tuple[tuple[int, tuple[tuple[tuple[int, float], ...], ...]], ...]
"""Joints, each with weighted sums of others, the first of which stands for it where it is missing (see :attr:`LiftedJoints.substitutes`)."""
_SMALLEST = 1e-4
"""Smallest apparent size and depth of a ray, against division by zero."""


@dataclass(frozen=True)
class Encoded:
    """A normalised sequence.

    Parameters
    ----------
    points : (B, T, J, 2)
        Normalised 2D positions of the joints.
    context : (B, T, C)
        What `points` leaves out and the inverse needs; C may be 0.
    rays : (B, T, J, 2)
        (x/z, y/z) of each joint, in the frame in which the model works.
    size : (B, T, 1)
        Apparent size, in units of `rays`: what positions per unit of depth are divided by; 1 if that is not used.
    rotation : (B, T, 3, 3) or None
        From the frame in which the model works to the camera frame; None if they are the same.
    """

    points: Tensor
    context: Tensor
    rays: Tensor
    size: Tensor
    rotation: Tensor | None


def context_size(name: Normalisation) -> int:
    """Return C of :class:`Encoded`."""
    return {"image": 0, "ray": 0, "root": 3, "centred": 3}[name]


def extra_frames(name: Normalisation) -> int:
    """Return the frames before and after that one encoded frame depends on."""
    return SIZE_WINDOW - 1 if name in ("root", "centred") else 0


def to_rays(pixels: Tensor, intrinsics: Tensor) -> Tensor:
    """Return (x/z, y/z) of pixels.

    Parameters
    ----------
    pixels : (B, T, J, 2)
    intrinsics : (B, 4)
        fx, fy, cx, cy.

    Returns
    -------
    (B, T, J, 2)
    """
    return (pixels - intrinsics[:, None, None, 2:]) / intrinsics[:, None, None, :2]


def to_pixels(rays: Tensor, intrinsics: Tensor) -> Tensor:
    """Return the pixels of rays: the inverse of :func:`to_rays`."""
    return rays * intrinsics[:, None, None, :2] + intrinsics[:, None, None, 2:]


def project(positions: Tensor, intrinsics: Tensor) -> Tensor:
    """Return the pixels of points, (B, T, J, 3) metres, camera frame: (B, T, J, 2)."""
    return to_pixels(positions[..., :2] / positions[..., 2:], intrinsics)


def axis_rotation(rays: Tensor) -> Tensor:
    """Return the rotations that take the optical axis to given directions.

    Parameters
    ----------
    rays : (..., 2)
        Directions (x/z, y/z).

    Returns
    -------
    (..., 3, 3)
        The columns are the rotated x, y and z axes; x stays horizontal. The identity for the optical axis itself.
    """
    forward = torch.nn.functional.normalize(torch.cat([rays, torch.ones_like(rays[..., :1])], dim=-1), dim=-1)
    zero = torch.zeros_like(forward[..., 0])
    right = torch.nn.functional.normalize(torch.stack([forward[..., 2], zero, -forward[..., 0]], dim=-1), dim=-1)
    return torch.stack([right, torch.linalg.cross(forward, right), forward], dim=-1)


def apparent_size(offsets: Tensor, mask: Tensor, causal: bool = False) -> Tensor:
    """Return the size of a person in the image, averaged over neighbouring frames.

    Parameters
    ----------
    offsets : (B, T, J, 2)
        Rays relative to the root's.
    mask : (B, T) bool
    causal : bool
        Average over the frames before only.

    Returns
    -------
    (B, T, 1)
        Root mean square distance of the joints from the root, over the valid ones of :data:`SIZE_WINDOW` frames.
    """
    square = offsets.square().sum(-1).mean(-1) * mask
    before, after = (SIZE_WINDOW - 1, 0) if causal else (SIZE_WINDOW // 2, SIZE_WINDOW // 2)
    frames = square.shape[1]
    total = torch.stack([square.double(), mask.double()]).cumsum(dim=-1)
    total = torch.nn.functional.pad(total, (1, 0))
    frame = torch.arange(frames, device=square.device)
    window = total[..., (frame + after + 1).clamp(max=frames)] - total[..., (frame - before).clamp(min=0)]
    mean = window[0] / window[1].clamp(min=1.0)
    return mean.clamp(min=_SMALLEST**2).sqrt().to(offsets.dtype)[..., None]


def encode(name: Normalisation, pixels: Tensor, intrinsics: Tensor, image: Tensor, mask: Tensor, root: int, causal: bool = False) -> Encoded:
    """Normalise a batch.

    Parameters
    ----------
    name : {"image", "ray", "root", "centred"}
        ``image``: pixels to [-1, 1] across the width of the image. ``ray``: (x/z, y/z). ``root``: rays relative to the root's,
        divided by the apparent size; the root's ray and the logarithm of the size are the context. ``centred``: the same after the
        camera has been rotated, frame by frame, so that the root is on its axis: the result depends on the direction from which the
        person is seen, not on the position in the image.
    pixels : (B, T, J, 2)
    intrinsics : (B, 4)
    image : (B, 2)
    mask : (B, T) bool
    root : int
        Index of the root joint.
    causal : bool
        No frame depends on a later one.

    Returns
    -------
    Encoded
    """
    rays = to_rays(pixels, intrinsics)
    empty = rays.new_zeros(*rays.shape[:2], 0)
    one = rays.new_ones(*rays.shape[:2], 1)
    if name == "image":
        return Encoded((2.0 * pixels - image[:, None, None, :]) / image[:, None, None, :1], empty, rays, one, None)
    if name == "ray":
        return Encoded(rays, empty, rays, one, None)
    origin = rays[:, :, root]
    rotation = None
    if name == "centred":
        rotation = axis_rotation(origin)
        directions = torch.cat([rays, torch.ones_like(rays[..., :1])], dim=-1) @ rotation
        rays = directions[..., :2] / directions[..., 2:].clamp(min=_SMALLEST)
    offsets = rays - rays[:, :, root : root + 1]
    size = apparent_size(offsets, mask, causal)
    return Encoded(offsets / size[..., None], torch.cat([origin, size.log()], dim=-1), rays, size, rotation)


def fill_missing(pixels: Tensor, confidence: Tensor, parents: tuple[int, ...], substitutes: Substitutes = ()) -> Tensor:
    """Replace missing joints by what stands for them, else by their nearest visible ancestor; without one, by the mean of the visible joints.

    Parameters
    ----------
    pixels : (B, T, J, 2)
    confidence : (B, T, J)
        0 where a joint is missing; its pixels are ignored.
    parents : tuple of int
        Parents before children.
    substitutes : Substitutes
        What stands for a joint.

    Returns
    -------
    (B, T, J, 2)
    """
    known = list((confidence > 0).unbind(-1))
    point = list(torch.where((confidence > 0)[..., None], pixels, torch.zeros_like(pixels)).unbind(-2))
    mean = torch.stack(point, dim=-2).sum(-2) / torch.stack(known, dim=-1).sum(-1, keepdim=True).clamp(min=1)
    for joint, sums in substitutes:
        for parts in sums:
            there = torch.stack([known[part] for part, _ in parts]).all(dim=0) & ~known[joint]
            value = torch.stack([weight * point[part] for part, weight in parts]).sum(dim=0)
            point[joint] = torch.where(there[..., None], value, point[joint])
            known[joint] = known[joint] | there
    for joint, parent in enumerate(parents):
        point[joint] = torch.where(known[joint][..., None], point[joint], mean if parent < 0 else point[parent])
    return torch.stack(point, dim=-2)
