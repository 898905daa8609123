"""Layers over time with a mask of the valid frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn
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
    frames, kernel = x.shape[1], weight.shape[0]
    reach = dilation * (kernel - 1)
    padded = functional.pad(x, (0, 0, reach, 0) if causal else (0, 0, reach // 2, reach // 2))
    total = padded[:, :frames] * weight[0]
    for place in range(1, kernel):
        total = torch.addcmul(total, padded[:, place * dilation : place * dilation + frames], weight[place])
    return total


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
