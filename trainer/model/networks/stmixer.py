"""A spatio-temporal mixer: depthwise dilated convolutions mix over time, matrix products mix over joints and channels.

Separating the two, as in ConvNeXt (Liu et al., CVPR 2022) and MLP-Mixer (Tolstikhin et al., NeurIPS 2021), spends nearly all
operations on the relations between joints, and covers seconds before and after a frame at little cost. Frames are lifted in pairs
(patches of time, as of the image in Dosovitskiy et al., ICLR 2021): at 30 frames/s half the operations for the same error.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import torch
from pydantic import Field, field_validator, model_validator
from torch import Tensor, nn
from torch.nn import functional

from schemas.base import Settings
from trainer.model.networks.base import MOST_CHANNELS, Network
from trainer.model.networks.layers import binomial_mean, depthwise_conv


class MixerShape(Settings):
    """Settings of all mixers."""

    width: int = Field(default=256, ge=1, le=MOST_CHANNELS)
    """Channels of the residual stream."""
    expansion: int = Field(default=2, ge=1, le=64)
    """Channels inside a block, in multiples of the width."""
    patch: Literal[1, 2, 4, 8] = 2
    """Frames that are lifted together; 1 for a causal model."""
    kernel: int = Field(default=5, ge=1, le=1001)
    """Frames (or patches of them) that each convolution over time covers; odd."""
    dilations: tuple[Annotated[int, Field(ge=1, le=10_000)], ...] = Field(default=(1, 2, 4, 8, 1, 2, 4, 8), min_length=1, max_length=256)
    """Distance of those frames (or patches of them), block by block; the number of blocks is their number."""
    causal: bool = False
    """Use earlier frames only, for live use."""
    smoothing: int = Field(default=0, ge=0, le=64)
    """Frames before and after each frame that its output is averaged with, by binomial weights, in training as well; 0 for a causal model."""

    @field_validator("patch", mode="before")
    @classmethod
    def _no_truth_value(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError(f"expected 1, 2, 4 or 8, found {value}")
        return value

    @field_validator("kernel")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"expected an odd kernel, found {value}")
        return value

    @model_validator(mode="after")
    def _nothing_ahead(self) -> Self:
        if self.causal and self.patch > 1:
            raise ValueError(f"causal: expected patch 1, since frames of a patch affect each other, found {self.patch}; set model_settings.patch=1")
        if self.causal and self.smoothing:
            raise ValueError(f"causal: expected smoothing 0, since it looks ahead, found {self.smoothing}; set model_settings.smoothing=0")
        return self


class MixerSettings(MixerShape):
    """Settings of :class:`SpatioTemporalMixer`."""

    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of a block's inner channels that are dropped in training, each for a whole sequence: one random number per channel, not per frame."""


def to_patches(x: Tensor, patch: int) -> Tensor:
    """Put neighbouring frames side by side: (B, T, I) to (B, T / patch rounded up, patch I)."""
    padded = functional.pad(x, (0, 0, 0, -x.shape[1] % patch))
    return padded.reshape(x.shape[0], padded.shape[1] // patch, patch * x.shape[2])


def from_patches(y: Tensor, patch: int, frames: int) -> Tensor:
    """Return the frames of patches, (B, T / patch rounded up, patch O) to (B, T, O)."""
    return y.reshape(y.shape[0], patch * y.shape[1], y.shape[2] // patch)[:, :frames]


class MixerBlock(nn.Module):
    """Time mixing, then joint mixing, added to the stream. Shapes: (B, T, C) in and out, (B, T, E C) inside."""

    def __init__(self, settings: MixerSettings, dilation: int) -> None:
        super().__init__()
        width, inner = settings.width, settings.width * settings.expansion
        self.dilation = dilation
        self.causal = settings.causal
        self.norm = nn.LayerNorm(width, bias=False)
        self.temporal = nn.Parameter(torch.randn(settings.kernel, width) * settings.kernel**-0.5)
        self.expand = nn.Linear(width, inner)
        self.contract = nn.Linear(inner, width)
        self.dropout = nn.Dropout(settings.dropout)
        # Blocks start as the identity, so that deep stacks train from the first step on.
        nn.init.zeros_(self.contract.weight)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B, T, C) to (B, T, C); `mask` is (B, T, 1) of zeros and ones."""
        y = depthwise_conv(self.norm(x) * mask, self.temporal, self.dilation, self.causal)
        y = functional.gelu(self.expand(y))
        if self.training and self.dropout.p:
            y = y * self.dropout(torch.ones_like(y[:, :1]))
        return x + self.contract(y)


class Mixer(Network):
    """What all mixers have in common: how far they look, and that they lift patches of frames."""

    settings: MixerShape

    @property
    def receptive_field(self) -> int:
        """Number of input frames that one frame of the output depends on at most: those of its patch and of all patches that this one depends on."""
        averaged = -(-self.settings.smoothing // self.patch)
        return self.patch * (1 + (self.settings.kernel - 1) * sum(self.settings.dilations) + 2 * averaged)

    @property
    def patch(self) -> int:
        """Frames that are lifted together."""
        return int(self.settings.patch)

    @property
    def causal(self) -> bool:
        """Whether no output depends on a later frame."""
        return bool(self.settings.causal)

    def frames_of(self, patches: Tensor, mask: Tensor) -> Tensor:
        """Return the frames of patches, (B, T / patch rounded up, patch O) to (B, T, O), averaged as the settings say; `mask` is (B, T)."""
        frames = from_patches(patches, self.patch, mask.shape[1])
        return binomial_mean(frames, mask, self.settings.smoothing) if self.settings.smoothing else frames


class SpatioTemporalMixer(Mixer):
    """A pointwise layer in, the blocks, a pointwise layer out. Shapes: (B, T, I) in, (B, T, C) inside, (B, T, O) out.

    Channels come last, so that pointwise layers are matrix products: the fastest operation of a processor, especially in bf16.
    """

    Settings = MixerSettings
    settings: MixerSettings

    def __init__(self, inputs: int, outputs: int, settings: MixerSettings) -> None:
        super().__init__()
        self.settings = settings
        self.first = nn.Linear(settings.patch * inputs, settings.width)
        self.blocks = nn.ModuleList(MixerBlock(settings, dilation) for dilation in settings.dilations)
        self.norm = nn.LayerNorm(settings.width, bias=False)
        self.last = nn.Linear(settings.width, settings.patch * outputs)
        nn.init.normal_(self.last.weight, std=0.1 * settings.width**-0.5)

    @classmethod
    def parameter_count(cls, inputs: int, outputs: int, settings: MixerSettings) -> int:
        """Return how many trained numbers a network of these settings has."""
        width, inner = settings.width, settings.width * settings.expansion
        block = width * (1 + settings.kernel) + inner * (width + 1) + width * (inner + 1)
        ends = width * (settings.patch * inputs + 1) + width + settings.patch * outputs * (width + 1)
        return ends + len(settings.dilations) * block

    @property
    def separable(self) -> bool:
        """Whether in training no sequence of a batch affects another, and nothing is random."""
        return not self.settings.dropout

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B, T, I) to (B, T, O)."""
        present = mask[..., None].to(x.dtype)
        x, present = to_patches(x * present, self.patch), to_patches(present, self.patch).amax(dim=-1, keepdim=True)
        y = self.first(x).to(x.dtype)  # the residual stream keeps its precision where layers compute in bf16
        for block in self.blocks:
            y = block(y, present)
        return self.frames_of(self.last(self.norm(y)), mask)


NETWORK = SpatioTemporalMixer
