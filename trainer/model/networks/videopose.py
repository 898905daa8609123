"""Dilated temporal convolutions, after the published idea of VideoPose3D: a baseline for other models.

Written from the paper (Pavllo, Feichtenhofer, Grangier, Auli: 3D human pose estimation in video with temporal convolutions and
semi-supervised training, CVPR 2019, section 3 and figure 2): blocks of a dilated convolution and a pointwise one, each with batch
normalisation, ReLU and dropout, around a residual connection that keeps the middle frames; unpadded, the input's ends repeated.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from schemas.base import Settings
from trainer.model.networks.base import MOST_CHANNELS, Network
from trainer.model.networks.layers import MaskedBatchNorm


class VideoPoseSettings(Settings):
    """Settings of :class:`VideoPose`; the defaults are the published network of 27 frames."""

    width: int = Field(default=1024, ge=1, le=MOST_CHANNELS)
    """Channels."""
    depth: int = Field(default=2, ge=0, le=9)
    """Residual blocks; the dilation is 3, 9, 27, ..., and so the receptive field 3 to the power of depth + 1."""
    dropout: float = Field(default=0.25, ge=0, lt=1)
    """Share of activations that are dropped in training."""


class VideoPose(Network):
    """Shapes: (B, T, I) in; (B, I, T + R - 1) with repeated ends, R the receptive field; (B, C, ...) inside, shrinking; (B, T, O) out."""

    Settings = VideoPoseSettings

    def __init__(self, inputs: int, outputs: int, settings: VideoPoseSettings) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        self.first = nn.Conv1d(inputs, width, 3, bias=False)
        self.temporal = nn.ModuleList(nn.Conv1d(width, width, 3, dilation=3 ** (block + 1), bias=False) for block in range(settings.depth))
        self.pointwise = nn.ModuleList(nn.Conv1d(width, width, 1, bias=False) for _ in range(settings.depth))
        self.norms = nn.ModuleList(MaskedBatchNorm(width) for _ in range(2 * settings.depth + 1))
        self.last = nn.Conv1d(width, outputs, 1)
        self.dropout = nn.Dropout(settings.dropout)

    @classmethod
    def parameter_count(cls, inputs: int, outputs: int, settings: VideoPoseSettings) -> int:
        """Return how many trained numbers a network of these settings has."""
        width, depth = settings.width, settings.depth
        return 3 * inputs * width + depth * 4 * width**2 + (2 * depth + 1) * 2 * width + outputs * (width + 1)

    @property
    def receptive_field(self) -> int:
        """Number of input frames that one frame of the output depends on."""
        return int(3 ** (self.settings.depth + 1))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B, T, I) to (B, T, O)."""
        margin = self.receptive_field // 2
        length = mask.sum(dim=1)
        x = self._repeat_ends(x, length, margin).transpose(1, 2)
        margin -= 1
        x = self._activate(self.first(x), 0, length + 2 * margin)
        for block, (temporal, pointwise) in enumerate(zip(self.temporal, self.pointwise, strict=True)):
            step = 3 ** (block + 1)
            margin -= step
            kept = length + 2 * margin  # frames that some valid output depends on
            y = self._activate(temporal(x), 2 * block + 1, kept)
            x = x[..., step : x.shape[-1] - step] + self._activate(pointwise(y), 2 * block + 2, kept)
        return self.last(x).transpose(1, 2)

    @staticmethod
    def _repeat_ends(x: Tensor, length: Tensor, margin: int) -> Tensor:
        """Return (B, T + 2 margin, I) with the first and last valid frame repeated beyond the ends."""
        place = torch.arange(-margin, x.shape[1] + margin, device=x.device).clamp(min=0)
        place = torch.minimum(place, length[:, None] - 1)
        return x.gather(1, place[..., None].expand(-1, -1, x.shape[2]))

    def _activate(self, x: Tensor, norm: int, length: Tensor) -> Tensor:
        mask = torch.arange(x.shape[-1], device=x.device) < length[:, None]
        return self.dropout(functional.relu(self.norms[norm](x, mask)))


NETWORK = VideoPose
