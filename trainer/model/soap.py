"""SOAP, one-sided: AdamW in the basis in which the gradients of a matrix are uncorrelated.

After Vyas, Morwani, Zhao, Kwun, Shapira, Brandfonbrener, Janson, Kakade: SOAP: Improving and Stabilizing Shampoo using Adam (ICLR 2025), with the
basis of one side only, the shorter one, which their paper proposes for speed. Written for few cores, where the basis of both sides would take longer
than the network itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.adamw import adamw

_SHORTEST, _LONGEST = 32, 512
"""Shorter sides of matrices that are given a basis; for smaller ones it makes little difference, for larger ones it takes long."""
_GATHER = 4
"""Steps from one gradient that is added to the covariance to the next."""
_COVARIANCE_DECAY = 0.9
"""Of the average over those gradients: about 40 steps."""
_EVERY = 10
"""Steps from one improvement of the basis to the next."""


class Soap(torch.optim.Optimizer):
    """AdamW whose moments are those of rotated gradients.

    Parameters
    ----------
    groups : iterable of dict
        ``params`` and ``weight_decay`` of each group. Matrices whose shorter side is 32 to 512 long are rotated; kernels are matrices with a row for
        each output.
    lr : float
    betas : (float, float)
        Decay of both moments.
    eps : float
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, betas: tuple[float, float] = (0.9, 0.99), eps: float = 1e-8) -> None:
        super().__init__(groups, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": 0.0})
        self._stacks: dict[tuple[int, tuple[int, ...]], dict[str, Tensor]] = {}

    def state_shapes(self, parameter: Tensor) -> dict[str, torch.Size]:
        """Return what is kept of a parameter after the first step: names and shapes."""
        shapes = {"step": torch.Size(())}
        if not _rotated(parameter):
            return {**shapes, "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}
        short, long = sorted(_matrix(parameter).shape)
        wide, square = torch.Size((short, long)), torch.Size((short, short))
        return {**shapes, "exp_avg": wide, "exp_avg_sq": wide, "covariance": square, "basis": square}

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move the parameters."""
        for number, group in enumerate(self.param_groups):
            alike: dict[tuple[int, ...], list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None and _rotated(parameter):
                    alike.setdefault(tuple(parameter.shape), []).append(parameter)
            for shape, parameters in alike.items():
                self._step_rotated(parameters, group, (number, shape))
            self._step_plain([parameter for parameter in group["params"] if parameter.grad is not None and not _rotated(parameter)], group)

    def _step_plain(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Move parameters as AdamW does."""
        for parameter in parameters:
            if not self.state[parameter]:
                zeros = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
                self.state[parameter] = {"step": torch.zeros((), dtype=torch.float32), **zeros}
        first, second = group["betas"]
        adamw(
            parameters,
            [cast("Tensor", parameter.grad) for parameter in parameters],
            [self.state[parameter]["exp_avg"] for parameter in parameters],
            [self.state[parameter]["exp_avg_sq"] for parameter in parameters],
            [],
            [self.state[parameter]["step"] for parameter in parameters],
            foreach=True,
            amsgrad=False,
            maximize=False,
            beta1=first,
            beta2=second,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
        )

    def _step_rotated(self, parameters: list[Tensor], group: dict[str, Any], key: tuple[int, tuple[int, ...]]) -> None:
        """Move matrices of one shape; their state is stacked, and each sees its part of it."""
        rows, columns = _matrix(parameters[0]).shape
        tall = rows > columns
        gradients = [_matrix(cast("Tensor", parameter.grad)) for parameter in parameters]
        gradient = torch.stack([values.mT if tall else values for values in gradients])
        stack = self._stacked(parameters, gradient, key)
        first, second = group["betas"]
        step = int(stack["step"][0].item()) + 1
        stack["step"].fill_(step)
        basis, average, square = stack["basis"], stack["exp_avg"], stack["exp_avg_sq"]
        if step > 1:  # the first gradient only begins the covariance
            rotated = basis.mT @ gradient
            average.lerp_(rotated, 1.0 - first)
            square.mul_(second).addcmul_(rotated, rotated, value=1.0 - second)
            divisor = (square / (1.0 - second ** (step - 1))).sqrt_().add_(group["eps"])
            update = basis @ divisor.reciprocal_().mul_(average)
            rate = group["lr"] / (1.0 - first ** (step - 1))
            torch._foreach_mul_(parameters, 1.0 - group["lr"] * group["weight_decay"])
            moves = [move.reshape(parameters[0].shape) for move in (update.mT if tall else update).unbind()]
            torch._foreach_add_(parameters, moves, alpha=-rate)
        if step == 1 or step % _GATHER == 0:
            stack["covariance"].lerp_(gradient @ gradient.mT, 1.0 if step == 1 else 1.0 - _COVARIANCE_DECAY)
        if step == 1 or step % _EVERY == 0:
            new = torch.linalg.eigh(stack["covariance"])[1] if step == 1 else torch.linalg.qr(stack["covariance"] @ basis)[0]
            average.copy_(new.mT @ (basis @ average))
            basis.copy_(new)

    def _stacked(self, parameters: list[Tensor], gradient: Tensor, key: tuple[int, tuple[int, ...]]) -> dict[str, Tensor]:
        """Return the state of matrices of one shape; at the first step, and after one that was resumed, it is put together."""
        if key not in self._stacks:
            known = [self.state[parameter] for parameter in parameters]
            if all(known):
                stack = {name: torch.stack([state[name] for state in known]) for name in known[0]}
            else:
                count, short = gradient.shape[:2]
                square = gradient.new_zeros(count, short, short)
                begin = {"exp_avg": torch.zeros_like(gradient), "exp_avg_sq": torch.zeros_like(gradient), "covariance": square}
                basis = torch.eye(short, dtype=gradient.dtype, device=gradient.device).repeat(count, 1, 1)
                stack = {"step": torch.zeros(count), **begin, "basis": basis}
            self._stacks[key] = stack
            for row, parameter in enumerate(parameters):
                self.state[parameter] = {name: values[row] for name, values in stack.items()}
        return self._stacks[key]


def _matrix(values: Tensor) -> Tensor:
    return values.flatten(1)


def _rotated(parameter: Tensor) -> bool:
    return parameter.ndim >= 2 and _SHORTEST <= min(_matrix(parameter).shape) <= _LONGEST
