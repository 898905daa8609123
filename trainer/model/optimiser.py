"""Optimiser, learning-rate schedule and weight averaging."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from schemas.train import TrainConfig
from trainer.model.lifter import Lifter
from trainer.model.soap import Soap

Tensors = tuple[Tensor, ...] | list[Tensor]


def make_optimiser(lifter: Lifter, config: TrainConfig) -> torch.optim.Optimizer:
    """Return the optimiser; scales and biases have no weight decay."""
    matrices = [parameter for parameter in lifter.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in lifter.parameters() if parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    if config.optimiser == "soap":
        return Soap(groups, lr=config.learning_rate)
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def state_shapes(optimiser: torch.optim.Optimizer, parameter: Tensor) -> dict[str, torch.Size]:
    """Return what an optimiser keeps of a parameter after its first step: names and shapes."""
    if isinstance(optimiser, Soap):
        return optimiser.state_shapes(parameter)
    return {"step": torch.Size(()), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}


def lr_factor(step: int, steps: int, config: TrainConfig) -> float:
    """Return the learning rate of a step as a share of the highest: a linear warm-up, then a cosine decay to `final_lr_factor`.

    Parameters
    ----------
    step : int
        Completed steps.
    steps : int
        Steps of the whole run.
    config : TrainConfig
    """
    warmup = config.warmup * steps
    if step < warmup:
        return (step + 1) / (math.floor(warmup) + 1)
    progress = (step - warmup) / max(steps - warmup, 1)
    return config.final_lr_factor + (1.0 - config.final_lr_factor) * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))


def make_schedule(optimiser: torch.optim.Optimizer, config: TrainConfig, steps: int, done: int = 0) -> LambdaLR:
    """Return the schedule of the learning rate (see :func:`lr_factor`), after `done` of `steps` steps."""
    for group in optimiser.param_groups:
        group.setdefault("initial_lr", config.learning_rate)
    return LambdaLR(optimiser, lambda step: lr_factor(step, steps, config), last_epoch=done - 1)


def ema_decay(step: int, decay: float) -> float:
    """Return the decay of the averaged weights after a step (1 for the first): lower at the start, when the weights are still far off."""
    return min(decay, (1 + step) / (10 + step))


def make_average(lifter: Lifter, decay: float) -> AveragedModel:
    """Return the exponential moving average of a model's weights; call ``update_parameters`` after each step.

    The initial weights count as the first of the average, so that ``n_averaged`` is one more than the steps done; buffers are copied from the model.
    """

    def update(averaged: Tensors, current: Tensors, count: Tensor | int) -> None:
        torch._foreach_lerp_(averaged, current, 1.0 - ema_decay(int(count), decay))

    average = AveragedModel(lifter, multi_avg_fn=update).eval()
    average.n_averaged.fill_(1)
    return average
