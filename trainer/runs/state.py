"""The progress of a run, saved after each epoch and when it is interrupted, and restored exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mocapgen.shared.text import one_line, quoted
from schemas.errors import DatasetError
from schemas.train import ModelCard
from trainer.data.dataset import PoseData
from trainer.model import checkpoint
from trainer.model.lifter import Lifter
from trainer.model.optimiser import state_shapes


@dataclass
class RunState:
    """The progress of a run; stored in its checkpoints as JSON."""

    epoch: int = 0
    """Completed epochs."""
    batch: int = 0
    """Completed batches of the epoch after those."""
    step: int = 0
    """Completed steps in all."""
    sums: dict[str, float] = field(default_factory=dict)
    """Sums over the batches of the unfinished epoch."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time of the unfinished epoch, by its parts and in all."""
    best: float | None = None
    """Lowest validation error so far, mm."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """One row per completed epoch."""


def save_best(folder: Path, card: ModelCard, lifter: Lifter) -> None:
    """Write the weights to use."""
    checkpoint.save(folder / "best.safetensors", card, _prefixed(checkpoint.MODEL, lifter.state_dict()))


def save_last(folder: Path, card: ModelCard, state: RunState, lifter: Lifter, averaged: Lifter | None, optimiser: torch.optim.Optimizer) -> None:
    """Write the checkpoint to resume from."""
    tensors = _prefixed(checkpoint.MODEL, lifter.state_dict())
    if averaged is not None:
        tensors |= _prefixed(checkpoint.AVERAGE, averaged.state_dict())
    names: dict[Tensor, str] = {parameter: name for name, parameter in lifter.named_parameters()}
    for parameter, moments in optimiser.state.items():
        tensors |= _prefixed(f"{checkpoint.OPTIMISER}{names[parameter]}/", moments)
    checkpoint.save(folder / "last.safetensors", card, tensors, vars(state))


def restore(folder: Path, data: PoseData, lifter: Lifter, averaged: Lifter | None, optimiser: torch.optim.Optimizer) -> RunState:
    """Load weights, averaged weights and optimiser of a run's last checkpoint, and return its progress.

    Raises
    ------
    DatasetError
        If there is no checkpoint, or `data` is another file than the run's.
    """
    found = checkpoint.read(folder / "last.safetensors")
    if found.card.data.get("sha256") != data.sha256:
        digest = quoted(found.card.data.get("sha256"))
        raise DatasetError(one_line(str(data.path), f"expected the file that the run was started with (sha256 {digest}), found another"))
    checkpoint.load_weights(lifter, found.part(checkpoint.MODEL), found.path)
    if averaged is not None:
        checkpoint.load_weights(averaged, found.part(checkpoint.AVERAGE), found.path)
    for name, parameter in lifter.named_parameters():
        moments = found.part(f"{checkpoint.OPTIMISER}{name}/")
        # Step counters stay on the processor, where the optimiser keeps them.
        optimiser.state[parameter] = {key: value if key == "step" else value.to(parameter.device) for key, value in moments.items()}
        _require_moments(optimiser.state[parameter], name, state_shapes(optimiser, parameter), found)
    return RunState(**found.progress.model_dump(exclude={"history"}), history=[row.model_dump() for row in found.progress.history])


def _require_moments(moments: Mapping[str, Tensor], name: str, kept: Mapping[str, torch.Size], found: checkpoint.Checkpoint) -> None:
    """Refuse what the optimiser cannot have stored; before the first step it has stored nothing."""
    sound = {key: value.shape for key, value in moments.items()} == (kept if found.progress.step else {})
    if not sound or not all(value.dtype == torch.float32 and torch.isfinite(value).all() for value in moments.values()):
        raise DatasetError(one_line(str(found.path), f"expected the moments of the optimiser, found others for {name}; start the run anew"))


def _prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}
