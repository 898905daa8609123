"""From pixels to positions: normalisation, network and head in one module."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from schemas.train import ModelCard, TrainConfig
from trainer.data.joints import LiftedJoints
from trainer.data.normalise import Encoded, context_size, encode, extra_frames, fill_missing
from trainer.model.networks import MOST_PARAMETERS, build_network, network_class
from trainer.model.networks.base import Network
from trainer.model.rigid import WINDOW, keep_bone_lengths

_TYPICAL_DEPTH = 4.0
"""Metres: where the `ray` head begins when the normalisation says nothing about size."""
_TYPICAL_SIZE = 0.45
"""Metres: root mean square distance of a grown person's joints from the pelvis."""
_LOG_RANGE = 3.0
"""The depth is at most e to this power nearer or farther than that."""


class Lifter(nn.Module):
    """Lifts 2D sequences to 3D.

    Parameters
    ----------
    config : TrainConfig or ModelCard
        `model`, `model_settings`, `normalisation`, `head`, `target` and `confidence` of it.
    joints : LiftedJoints
    most : int
        Most trained numbers; see :func:`~trainer.model.networks.build_network`.
    """

    network: Network

    def __init__(self, config: TrainConfig | ModelCard, joints: LiftedJoints, most: int = MOST_PARAMETERS) -> None:
        super().__init__()
        count = len(joints.joints)
        inputs = 2 * count + context_size(config.normalisation) + (count if config.confidence else 0)
        halves = 2 if network_class(config.model).symmetric else 1
        self.network = build_network(config.model, config.model_settings, halves * inputs, halves * 3 * count, most)
        self.normalisation = config.normalisation
        self.head = config.head
        self.target = config.target
        self.confidence = config.confidence
        self.parents = joints.parents
        self.substitutes = joints.substitutes
        self.mirror = joints.mirror
        self.root = joints.root
        self.bf16 = False
        self._compiled: Callable[[Tensor, Tensor], Tensor] | None = None

    @property
    def graded(self) -> bool:
        """Whether the model takes degrees of confidence, 0 to 1; others are trained on visible or not."""
        return self.confidence and bool(self.substitutes)

    @property
    def receptive_field(self) -> int:
        """Number of input frames that one frame of the output depends on."""
        averaged = WINDOW - 1 if self.head == "rigid" else 0
        return self.network.receptive_field + extra_frames(self.normalisation) + averaged

    def compile_for_training(self) -> None:
        """Compile the network for steps with a gradient; elsewhere it runs as it is, or each kind of use would be compiled anew."""
        self._compiled = torch.compile(self.network.forward, dynamic=True)

    def forward(self, pixels: Tensor, intrinsics: Tensor, image: Tensor, mask: Tensor, confidence: Tensor) -> Tensor:
        """Lift a batch.

        Parameters
        ----------
        pixels : (B, T, J, 2)
        intrinsics : (B, 4), pixels
            fx, fy, cx, cy.
        image : (B, 2), pixels
            Width and height.
        mask : (B, T) bool
            Which frames there are.
        confidence : (B, T, J)
            0 for joints that are missing; looked at only by models with `confidence`.

        Returns
        -------
        (B, T, J, 3), metres, axes of the camera frame
            Relative to the root, except for the root itself: its position in the camera frame with target ``absolute``, else 0.
        """
        if self.confidence:
            pixels = fill_missing(pixels, confidence, self.parents, self.substitutes)
        encoded = encode(self.normalisation, pixels, intrinsics, image, mask, self.root, self.network.causal)
        # Mirroring is about the principal point, which pixels across the image do not have at 0.
        middle = (2.0 * intrinsics[:, 2] - image[:, 0]) / image[:, 0] if self.normalisation == "image" else torch.zeros_like(image[:, 0])
        numbers = self._inputs(encoded, confidence, middle)
        # Only the network: rays and rotations need the full precision.
        with torch.autocast(pixels.device.type, torch.bfloat16, enabled=self.bf16):
            network = self._compiled if self._compiled is not None and self.training else self.network
            raw = network(numbers, mask).float()
        raw = self._outputs(raw, pixels.shape[2])
        relative, root = self._direct(raw) if self.head == "direct" else self._from_rays(raw, encoded)
        at_root = (torch.arange(relative.shape[2], device=relative.device) == self.root)[:, None]
        relative = torch.where(at_root, torch.zeros_like(root), relative)
        if self.head == "rigid" and not self.training:
            placed = keep_bone_lengths(relative + root, mask, self.parents, self.network.causal)
            root = placed[:, :, self.root : self.root + 1]
            relative = placed - root
        if encoded.rotation is not None:
            relative, root = relative @ encoded.rotation.transpose(-1, -2), root @ encoded.rotation.transpose(-1, -2)
        return torch.where(at_root, root, relative) if self.target == "absolute" else relative

    def _inputs(self, encoded: Encoded, confidence: Tensor, middle: Tensor) -> Tensor:
        """Return the network's input, (B, T, I); of a symmetric one, what mirroring at x = `middle`, (B,), leaves as it is and turns, (B, T, 2 I)."""
        seen = [confidence] if self.confidence else []
        numbers = torch.cat([encoded.points.flatten(2), encoded.context, *seen], dim=-1)
        if not self.network.symmetric:
            return numbers
        sign, context = self._sign(encoded.points), encoded.context
        points = encoded.points[:, :, self.mirror] * sign + (1.0 - sign) * middle[:, None, None, None]
        if context.shape[-1]:  # the direction of the root, and the size
            context = torch.cat([-context[..., :1], context[..., 1:]], dim=-1)
        mirrored = torch.cat([points.flatten(2), context, *(values[..., self.mirror] for values in seen)], dim=-1)
        return 0.5 * torch.cat([numbers + mirrored, numbers - mirrored], dim=-1)

    def _outputs(self, raw: Tensor, joints: int) -> Tensor:
        """Return the network's output as numbers of each joint, (B, T, J, 3)."""
        if not self.network.symmetric:
            return raw.reshape(*raw.shape[:2], joints, 3)
        even, odd = (half.reshape(*half.shape[:2], joints, 3) for half in raw.chunk(2, dim=-1))
        return 0.5 * (even + odd + (even - odd)[:, :, self.mirror] * self._sign(even))

    @staticmethod
    def _sign(numbers: Tensor) -> Tensor:
        """Return what mirroring left to right multiplies the coordinates of points by."""
        return torch.where(torch.arange(numbers.shape[-1], device=numbers.device) == 0, -1.0, 1.0)

    def _direct(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Take the network's numbers, (B, T, J, 3), as positions; the root's are counted from a typical depth."""
        root = raw[:, :, self.root : self.root + 1]
        start = root.new_tensor([0.0, 0.0, _TYPICAL_DEPTH])
        return raw, root + start

    def _from_rays(self, raw: Tensor, encoded: Encoded) -> tuple[Tensor, Tensor]:
        """Put each joint on its ray, at the root's depth plus its own; what is left is a correction across the ray for noisy input.

        With exact pixels only J numbers per frame are unknown: how large the person is, as the logarithm of the ratio to a typical
        one, and each joint's depth from the root in units of that size. Both together give the depth Z of the root, and
        X = (Z + d) (x, y, 1). So the shape of a pose and the size of a person are learned apart.
        """
        scale = raw[:, :, self.root, 2:].clamp(-_LOG_RANGE, _LOG_RANGE).exp()
        unit = _TYPICAL_SIZE / encoded.size if context_size(self.normalisation) else _TYPICAL_DEPTH * encoded.size
        depth = (unit * scale)[:, :, None]  # (B, T, 1, 1)
        offsets = _TYPICAL_SIZE * scale[:, :, None] * raw
        directions = torch.cat([encoded.rays, torch.ones_like(encoded.rays[..., :1])], dim=-1)
        root = depth * directions[:, :, self.root : self.root + 1]
        across = torch.cat([offsets[..., :2], torch.zeros_like(offsets[..., :1])], dim=-1)
        return (depth + offsets[..., 2:]) * directions - root + across, root


def absolute(positions: Tensor, root: int) -> Tensor:
    """Return positions in the camera frame, (..., J, 3), of a :class:`Lifter`'s output with target ``absolute``."""
    at_root = torch.arange(positions.shape[-2], device=positions.device) == root
    return torch.where(at_root[:, None], positions, positions + positions[..., root : root + 1, :])
