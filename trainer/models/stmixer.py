"""A spatio-temporal mixer: depthwise dilated convolutions mix over time, pointwise layers mix over joints and channels.

Separating the two, as in ConvNeXt (Liu et al., CVPR 2022) and MLP-Mixer (Tolstikhin et al., NeurIPS 2021), spends nearly all the
arithmetic on how joints hang together, where little data teaches most, and reaches seconds back and ahead at next to no cost.
"""

from __future__ import annotations

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn
from torch.nn import functional

from schemas.base import Model
from trainer.models.base import Network
from trainer.models.layers import ChannelNorm, depthwise_conv


class MixerSettings(Model):
    """Settings of :class:`SpatioTemporalMixer`."""

    width: int = Field(default=256, ge=1)
    """Channels of the residual stream."""
    expansion: int = Field(default=2, ge=1)
    """Channels inside a block, in multiples of the width."""
    kernel: int = Field(default=5, ge=1)
    """Frames that each convolution over time looks at; odd."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4, 8)
    """Distance of those frames, block by block; the number of blocks is their number."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of a block's inner channels that are dropped in training, each for a whole sequence (one draw a channel, not a frame: quick)."""
    causal: bool = False
    """Only look back, for use while frames are still arriving."""

    @field_validator("kernel")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"expected an odd kernel, found {value}")
        return value

    @field_validator("dilations")
    @classmethod
    def _positive(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or min(value) < 1:
            raise ValueError(f"expected at least one distance of 1 or more, found {value}")
        return value


class Block(nn.Module):
    """Time mixing, then joint mixing, added to the stream. Shapes: (B, C, T) in and out, (B, E C, T) inside."""

    def __init__(self, settings: MixerSettings, dilation: int) -> None:
        super().__init__()
        width, inner = settings.width, settings.width * settings.expansion
        self.dilation = dilation
        self.causal = settings.causal
        self.norm = ChannelNorm(width)
        self.temporal = nn.Parameter(torch.randn(width, settings.kernel) * settings.kernel**-0.5)
        self.expand = nn.Conv1d(width, inner, 1)
        self.contract = nn.Conv1d(inner, width, 1)
        self.dropout = nn.Dropout1d(settings.dropout)
        # Blocks that begin as nothing let deep stacks train from the first step on.
        nn.init.zeros_(self.contract.weight)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B, C, T) to (B, C, T); `mask` is (B, 1, T) of zeros and ones."""
        y = depthwise_conv(self.norm(x) * mask, self.temporal, self.dilation, self.causal)
        return x + self.contract(self.dropout(functional.gelu(self.expand(y))))


class SpatioTemporalMixer(Network):
    """A pointwise layer in, the blocks, a pointwise layer out. Shapes: (B, T, I) in, (B, C, T) inside, (B, T, O) out."""

    Settings = MixerSettings

    def __init__(self, inputs: int, outputs: int, settings: MixerSettings) -> None:
        super().__init__()
        self.settings = settings
        self.first = nn.Conv1d(inputs, settings.width, 1)
        self.blocks = nn.ModuleList(Block(settings, dilation) for dilation in settings.dilations)
        self.norm = ChannelNorm(settings.width)
        self.last = nn.Conv1d(settings.width, outputs, 1)
        nn.init.normal_(self.last.weight, std=0.1 * settings.width**-0.5)

    @property
    def receptive_field(self) -> int:
        """Number of input frames that one frame of the output depends on."""
        return 1 + (self.settings.kernel - 1) * sum(self.settings.dilations)

    @property
    def causal(self) -> bool:
        """Whether no output depends on a later frame."""
        return bool(self.settings.causal)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B, T, I) to (B, T, O)."""
        present = mask[:, None].to(x.dtype)
        y = self.first(x.transpose(1, 2)).to(x.dtype)  # the stream keeps its digits where layers compute in bf16
        for block in self.blocks:
            y = block(y, present)
        return self.last(self.norm(y)).transpose(1, 2)


NETWORK = SpatioTemporalMixer
