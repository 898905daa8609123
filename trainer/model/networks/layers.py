"""Layers over time with a mask of the valid frames."""

from __future__ import annotations

from math import comb
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional


def depthwise_conv(x: Tensor, weight: Tensor, dilation: int, causal: bool = False) -> Tensor:
    """Convolve each channel over time with a kernel of its own; zeros beyond the ends.

    A sum of shifted copies: half the time of PyTorch's grouped convolution on a processor, without another memory layout.

    Parameters
    ----------
    x : (B, T, C)
    weight : (K, C)
        K is odd.
    dilation : int
    causal : bool
        Use earlier frames only.

    Returns
    -------
    (B, T, C)
    """
    reach = dilation * (weight.shape[0] - 1)
    before = reach if causal else reach // 2
    padded = functional.pad(x, (0, 0, before, reach - before))
    if torch.is_grad_enabled() and padded.requires_grad:
        total: Tensor = _ShiftedSum.apply(padded, weight, dilation)  # type: ignore[no-untyped-call]
        return total
    return _shifted_sum(padded, weight, dilation)


def _shifted_sum(padded: Tensor, weight: Tensor, dilation: int) -> Tensor:
    """Return the sum of the shifted copies, each times its weights, (B, T, C)."""
    frames = padded.shape[1] - dilation * (len(weight) - 1)
    first, *others = weight.unbind()
    total = padded[:, :frames] * first
    for place, values in enumerate(others, 1):
        total.addcmul_(padded[:, place * dilation : place * dilation + frames], values)
    return total


class _ShiftedSum(torch.autograd.Function):
    """The same with a gradient in half the time: PyTorch's own stores every sum between, and fills zeros around each copy."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, weight: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(padded, weight)
        ctx.dilation = dilation
        return _shifted_sum(padded, weight, dilation)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        padded, weight = ctx.saved_tensors
        frames = gradient.shape[1]
        of_padded, of_weight = torch.zeros_like(padded), torch.empty_like(weight)
        for place, values in enumerate(weight):
            copy = slice(place * ctx.dilation, place * ctx.dilation + frames)
            of_padded[:, copy].addcmul_(gradient, values)
            of_weight[place] = (gradient * padded[:, copy]).sum(dim=(0, 1))
        return of_padded, of_weight, None


def binomial_mean(x: Tensor, mask: Tensor, reach: int) -> Tensor:
    """Average each frame with those around it, by binomial weights: a bell with a deviation of sqrt(reach / 2) frames.

    Parameters
    ----------
    x : (B, T, C)
    mask : (B, T) bool
        Frames that count.
    reach : int
        How many frames before, and after.

    Returns
    -------
    (B, T, C)
        Undefined where `mask` is False.
    """
    x = x.float() if x.dtype == torch.bfloat16 else x
    valid = mask[..., None].to(x.dtype)
    numbers = torch.cat([x * valid, valid], dim=-1)
    weights = numbers.new_tensor([comb(2 * reach, place) / 4**reach for place in range(2 * reach + 1)])
    total = depthwise_conv(numbers, weights[:, None].expand(-1, numbers.shape[-1]), dilation=1)
    return total[..., :-1] / total[..., -1:].clamp(min=4.0**-reach)


class MaskedBatchNorm(nn.Module):
    """Batch normalisation over (B, C, T) whose statistics are those of the valid frames.

    Parameters
    ----------
    channels : int
    momentum : float
        Share of the new batch in the running statistics.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Normalise (B, C, T) by the frames that are True in `mask`, (B, T)."""
        x = x.float() if x.dtype == torch.bfloat16 else x  # sums over thousands of frames need the precision
        mean, variance = self.running_mean, self.running_var
        if self.training:
            weight = (mask / mask.sum())[:, None].to(x.dtype)
            mean = (x * weight).sum(dim=(0, 2))
            variance = ((x - mean[:, None]).square() * weight).sum(dim=(0, 2))
            with torch.no_grad():
                count = mask.sum().to(x.dtype)
                unbiased = variance * count / (count - 1.0).clamp(min=1.0)
                self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
                self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
        scale = self.weight * torch.rsqrt(variance + 1e-5)
        return x * scale[:, None] + (self.bias - mean * scale)[:, None]
