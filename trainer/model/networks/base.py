"""Base class of the networks."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from schemas.base import Model

MOST_CHANNELS = 65_536
"""Largest width of a network."""


class Network(nn.Module):
    """A network over time: numbers per frame in, numbers per frame out, for sequences of any length.

    Parameters
    ----------
    inputs, outputs : int
        Numbers per frame, I and O.
    settings : Settings
        An instance of the class's own `Settings`.
    """

    Settings: ClassVar[type[Model]]
    """Pydantic model of the settings, each with a default."""

    symmetric: ClassVar[bool] = False
    """Whether inputs and outputs have two halves, of which mirroring left to right leaves the first as it is and turns the sign of the second."""

    settings: Any

    @classmethod
    def parameter_count(cls, inputs: int, outputs: int, settings: Any) -> int:
        """Return how many trained numbers a network of these settings has, before any memory is taken for them."""
        raise NotImplementedError

    @property
    def receptive_field(self) -> int:
        """Number of input frames that one frame of the output depends on."""
        raise NotImplementedError

    @property
    def patch(self) -> int:
        """Frames that are lifted together: a part of a sequence gives the same output only if it begins at a multiple of them."""
        return 1

    @property
    def causal(self) -> bool:
        """Whether no output depends on a later frame."""
        return False

    @property
    def separable(self) -> bool:
        """Whether in training no sequence of a batch affects another, and nothing is random: then threads may each take some of them."""
        return False

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map a batch.

        Parameters
        ----------
        x : (B, T, I) float
        mask : (B, T) bool
            False for padding, which has no influence on the other frames.

        Returns
        -------
        (B, T, O) float
            Undefined where `mask` is False.
        """
        raise NotImplementedError
