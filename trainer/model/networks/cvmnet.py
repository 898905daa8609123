"""CVM-Net: two almost identical blocks of 1D convolutions over time, the second refining the output of the first.

The published description gives the two blocks, their inputs and outputs, and the loss, not the layers. Widths, depths, kernels and
dilations are chosen by this project, and settings.
"""

from __future__ import annotations

from pydantic import Field, field_validator
from torch import Tensor, nn

from schemas.base import Settings
from trainer.model.networks.base import MOST_CHANNELS, Network


class CvmNetSettings(Settings):
    """Settings of :class:`CvmNet`."""

    width: int = Field(default=256, ge=1, le=MOST_CHANNELS)
    """Channels inside a block."""
    depth: int = Field(default=2, ge=0, le=32)
    """Residual layers of a block."""
    kernel: int = Field(default=3, ge=1, le=1001)
    """Frames that a convolution covers; odd."""
    dilation: int = Field(default=2, ge=1, le=1000)
    """Factor by which the distance of those frames grows from layer to layer; 1 covers neighbours only."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of channels that are dropped in training, each for a whole sequence."""

    @field_validator("kernel")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"expected an odd kernel, found {value}")
        return value


def dilations(settings: CvmNetSettings) -> tuple[int, ...]:
    """Return the dilation of each residual layer of a block."""
    return tuple(settings.dilation ** (layer + 1) for layer in range(settings.depth))


class ConvBlock(nn.Module):
    """One block: a convolution in, residual layers (a dilated convolution and a pointwise one each), a pointwise convolution out.

    Shapes: (B, I, T) in; (B, C, T) inside; (B, O, T) out.
    """

    def __init__(self, inputs: int, outputs: int, settings: CvmNetSettings) -> None:
        super().__init__()
        width, kernel = settings.width, settings.kernel
        self.first = nn.Conv1d(inputs, width, kernel, padding=kernel // 2)
        self.temporal = nn.ModuleList(nn.Conv1d(width, width, kernel, dilation=step, padding=step * (kernel // 2)) for step in dilations(settings))
        self.pointwise = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in range(settings.depth))
        self.last = nn.Conv1d(width, outputs, 1)
        self.dropout = nn.Dropout1d(settings.dropout)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B, I, T) to (B, O, T); `mask` is (B, 1, T) of zeros and ones."""
        # Every convolution over time sees zeros beyond a sequence's end, as it would if the batch ended there.
        x = self.activation(self.first(x * mask))
        for temporal, pointwise in zip(self.temporal, self.pointwise, strict=True):
            y = self.activation(temporal(x * mask))
            x = x + self.dropout(self.activation(pointwise(y)))
        return self.last(x)


class CvmNet(Network):
    """2D sequence to 3D sequence to refined 3D sequence.

    Shapes: (B, T, I) in; the first block gives (B, T, O); the second takes only that, and gives the correction, (B, T, O).
    """

    Settings = CvmNetSettings

    def __init__(self, inputs: int, outputs: int, settings: CvmNetSettings) -> None:
        super().__init__()
        self.settings = settings
        self.lift = ConvBlock(inputs, outputs, settings)
        self.refine = ConvBlock(outputs, outputs, settings)

    @classmethod
    def parameter_count(cls, inputs: int, outputs: int, settings: CvmNetSettings) -> int:
        """Return how many trained numbers a network of these settings has: those of both blocks."""
        width, kernel = settings.width, settings.kernel
        inner = settings.depth * (width * (width * kernel + 1) + width * (width + 1))
        return sum(width * (size * kernel + 1) + inner + outputs * (width + 1) for size in (inputs, outputs))

    @property
    def receptive_field(self) -> int:
        """Number of input frames that one frame of the output depends on: both blocks one after the other."""
        reach = (self.settings.kernel - 1) * (1 + sum(dilations(self.settings)))
        return 2 * reach + 1

    @property
    def separable(self) -> bool:
        """Whether in training no sequence of a batch affects another, and nothing is random."""
        return not self.settings.dropout

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B, T, I) to (B, T, O)."""
        present = mask[:, None].to(x.dtype)
        lifted = self.lift(x.transpose(1, 2), present)
        return (lifted + self.refine(lifted, present)).transpose(1, 2)


NETWORK = CvmNet
