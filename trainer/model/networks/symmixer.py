"""The spatio-temporal mixer, symmetric by construction: what it makes of a mirrored sequence is the mirror image of what it makes of the sequence.

Its channels are pairs, whose two members mirroring exchanges. In their sums (even) and differences (odd), a linear layer with that symmetry is two
layers, one of each half: half the operations and half the weights of a layer that would have to learn it. Only the activation needs the pairs
themselves. (The regular representation of a group of two: Cohen and Welling, Group Equivariant Convolutional Networks, ICML 2016.)
"""

from __future__ import annotations

from typing import Any

import torch
from pydantic import model_validator
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from trainer.model.networks.layers import depthwise_conv
from trainer.model.networks.stmixer import Mixer, MixerShape, to_patches

_EPSILON = 1e-5
"""Added to mean squares, against division by zero."""


class SymmetricMixerSettings(MixerShape):
    """Settings of :class:`SymmetricMixer`."""

    @model_validator(mode="after")
    def _even_width(self) -> SymmetricMixerSettings:
        if self.width % 2:
            raise ValueError(f"width: expected an even number, as channels are pairs, found {self.width}")
        return self


class SymmetricLinear(nn.Module):
    """A linear layer with the symmetry: one of each half of the channels. Shapes: (N, I) in, twice (N, O / 2) out.

    Only the even half has a bias.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.even = nn.Linear(inputs // 2, outputs // 2)
        self.odd = nn.Linear(inputs // 2, outputs // 2, bias=False)

    @staticmethod
    def parameter_count(inputs: int, outputs: int) -> int:
        """Return how many trained numbers such a layer has."""
        return outputs // 2 * (inputs + 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the even and the odd half."""
        even, odd = x.chunk(2, dim=-1)
        return self.even(even), self.odd(odd)


class _PairwiseGelu(torch.autograd.Function):
    """GELU of both members of each pair, from sums and differences to sums and differences; PyTorch's own gradient would store every step."""

    @staticmethod
    def forward(ctx: Any, even: Tensor, odd: Tensor) -> tuple[Tensor, Tensor]:
        one, other = even + odd, even - odd
        ctx.save_for_backward(one, other)
        first, second = functional.gelu(one), functional.gelu(other)
        return first + second, first - second

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, even: Tensor, odd: Tensor) -> tuple[Tensor, Tensor]:
        one, other = ctx.saved_tensors
        first = torch.ops.aten.gelu_backward(even + odd, one)
        second = torch.ops.aten.gelu_backward(even - odd, other)
        return first + second, first - second


def pairwise_gelu(even: Tensor, odd: Tensor) -> Tensor:
    """Return the halves of the activated pairs, (N, H) each, side by side: (N, 2 H)."""
    if torch.is_grad_enabled() and even.requires_grad:
        return torch.cat(_PairwiseGelu.apply(even, odd), dim=-1)  # type: ignore[no-untyped-call]
    first, second = functional.gelu(even + odd), functional.gelu(even - odd)
    return torch.cat([first + second, first - second], dim=-1)


class Rows:
    """The frames of a batch (or patches of them) as rows, (N, C), on which all but the convolutions works.

    Parameters
    ----------
    present : (B, T) bool
    packed : bool
        Whether padding has no rows: a quarter of the work of training, which needs sizes that no exported graph knows beforehand.
    """

    def __init__(self, present: Tensor, packed: bool) -> None:
        self.present = present
        self.index = present.flatten().nonzero()[:, 0] if packed else None

    def take(self, x: Tensor) -> Tensor:
        """Return the rows of (B, T, C)."""
        rows = x.flatten(0, 1)
        return rows if self.index is None else rows.index_select(0, self.index)

    def put(self, rows: Tensor) -> Tensor:
        """Return (B, T, C), zero where there is padding."""
        if self.index is None:
            return rows.reshape(*self.present.shape, -1) * self.present[..., None].to(rows.dtype)
        empty = rows.new_zeros(self.present.numel(), rows.shape[-1])
        return empty.index_copy(0, self.index, rows).reshape(*self.present.shape, -1)


class SymmetricBlock(nn.Module):
    """Time mixing, then joint mixing, added to the stream. Shapes: (N, C) in and out, (N, E C) inside."""

    def __init__(self, settings: SymmetricMixerSettings, dilation: int) -> None:
        super().__init__()
        width, inner = settings.width, settings.width * settings.expansion
        self.dilation = dilation
        self.causal = settings.causal
        self.temporal = nn.Parameter(torch.randn(settings.kernel, width) * settings.kernel**-0.5)
        self.expand = SymmetricLinear(width, inner)
        self.contract = SymmetricLinear(inner, width)
        for layer in (self.contract.even, self.contract.odd):  # blocks start as the identity
            nn.init.zeros_(layer.weight)

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        """Map (N, C) to (N, C)."""
        y = x * (x.square().mean(dim=-1, keepdim=True) + _EPSILON).rsqrt()
        y = rows.take(depthwise_conv(rows.put(y), self.temporal, self.dilation, self.causal))
        return x + torch.cat(self.contract(pairwise_gelu(*self.expand(y))), dim=-1)


class SymmetricMixer(Mixer):
    """A pointwise layer in, the blocks, a pointwise layer out. Shapes: (B, T, I) in, (N, C) inside, (B, T, O) out."""

    Settings = SymmetricMixerSettings
    symmetric = True

    def __init__(self, inputs: int, outputs: int, settings: SymmetricMixerSettings) -> None:
        super().__init__()
        self.settings = settings
        self.first = SymmetricLinear(settings.patch * inputs, settings.width)
        self.blocks = nn.ModuleList(SymmetricBlock(settings, dilation) for dilation in settings.dilations)
        self.last = SymmetricLinear(settings.width, settings.patch * outputs)
        for layer in (self.last.even, self.last.odd):
            nn.init.normal_(layer.weight, std=0.1 * settings.width**-0.5)

    @classmethod
    def parameter_count(cls, inputs: int, outputs: int, settings: SymmetricMixerSettings) -> int:
        """Return how many trained numbers a network of these settings has."""
        width, inner, count = settings.width, settings.width * settings.expansion, SymmetricLinear.parameter_count
        block = settings.kernel * width + count(width, inner) + count(inner, width)
        return count(settings.patch * inputs, width) + len(settings.dilations) * block + count(width, settings.patch * outputs)

    @property
    def separable(self) -> bool:
        """Whether in training no sequence of a batch affects another, and nothing is random."""
        return True

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B, T, I) to (B, T, O)."""
        halves = (x * mask[..., None].to(x.dtype)).chunk(2, dim=-1)
        rows = Rows(to_patches(mask[..., None], self.patch).any(dim=-1), packed=self.training and not torch.compiler.is_compiling())
        y = rows.take(torch.cat([to_patches(half, self.patch) for half in halves], dim=-1))
        y = torch.cat(self.first(y), dim=-1).to(x.dtype)  # the residual stream keeps its precision where layers compute in bf16
        for block in self.blocks:
            y = block(y, rows)
        y = y * (y.square().mean(dim=-1, keepdim=True) + _EPSILON).rsqrt()
        return torch.cat([self.frames_of(rows.put(half), mask) for half in self.last(y)], dim=-1)


NETWORK = SymmetricMixer
