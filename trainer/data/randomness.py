"""Random numbers for the augmentation of one batch."""

from __future__ import annotations

import torch
from torch import Tensor


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

    def pick(self, weights: list[float], count: int) -> Tensor:
        """Return indices of `weights`, each as often as its weight says."""
        return torch.multinomial(torch.tensor(weights, dtype=torch.float64), count, replacement=True, generator=self.generator).to(self.device)
