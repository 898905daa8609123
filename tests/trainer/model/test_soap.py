"""SOAP: AdamW in a rotated basis; what it keeps, and that it needs fewer steps where gradients are correlated."""

import pytest
import torch
from torch import nn

from trainer.model.soap import Soap


def gradients(count, shape, generator):
    """Gradients of a matrix whose rows are correlated."""
    mixture = torch.randn(shape[0], shape[0], generator=generator)
    return [mixture @ torch.randn(*shape, generator=generator) for _ in range(count)]


def test_small_matrices_and_vectors_are_moved_as_by_adamw():
    generator = torch.Generator().manual_seed(0)
    values = [torch.randn(*shape, generator=generator) for shape in ((5, 40), (7,), (31, 31))]
    ours, theirs = ([nn.Parameter(value.clone()) for value in values] for _ in range(2))
    optimisers = Soap([{"params": ours, "weight_decay": 0.1}], lr=0.01), torch.optim.AdamW(theirs, lr=0.01, betas=(0.9, 0.99), weight_decay=0.1)
    for _ in range(25):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        for optimiser in optimisers:
            optimiser.step()
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("shape", [(32, 48), (48, 32), (40, 40)])
def test_a_rotation_of_the_shorter_side_rotates_the_steps(shape):
    """What AdamW lacks: the result does not depend on the basis in which the shorter side is written."""
    generator = torch.Generator().manual_seed(1)
    tall = shape[0] > shape[1]
    short = min(shape)
    rotation = torch.linalg.qr(torch.randn(short, short, generator=generator, dtype=torch.float64))[0]
    found = []
    for turned in (False, True):
        stream = torch.Generator().manual_seed(2)
        parameter = nn.Parameter(torch.zeros(shape, dtype=torch.float64))
        optimiser = Soap([{"params": [parameter], "weight_decay": 0.0}], lr=0.01)
        for gradient in gradients(30, (short, max(shape)), stream):
            gradient = rotation @ gradient.double() if turned else gradient.double()
            parameter.grad = gradient.mT.contiguous() if tall else gradient
            optimiser.step()
        result = parameter.detach().mT if tall else parameter.detach()
        found.append(rotation.mT @ result if turned else result)
    assert torch.allclose(*found, atol=1e-6)
    assert found[0].abs().max() > 0.05


def test_the_basis_is_orthogonal_and_that_of_the_covariance():
    generator = torch.Generator().manual_seed(3)
    parameter = nn.Parameter(torch.zeros(32, 64))
    optimiser = Soap([{"params": [parameter], "weight_decay": 0.0}], lr=0.01)
    for gradient in gradients(40, (32, 64), generator):
        parameter.grad = gradient
        optimiser.step()
    state = optimiser.state[parameter]
    basis, covariance = state["basis"], state["covariance"]
    assert torch.allclose(basis.mT @ basis, torch.eye(32), atol=1e-4)
    on_diagonal = [float(matrix.diagonal().norm() / matrix.norm()) for matrix in (covariance, basis.mT @ covariance @ basis)]
    assert on_diagonal[0] < 0.8  # the gradients' rows are correlated
    assert on_diagonal[1] > 0.95


def test_matrices_of_one_shape_are_moved_as_each_alone():
    found = []
    for together in (True, False):
        generator = torch.Generator().manual_seed(4)
        parameters = [nn.Parameter(torch.randn(32, 33, generator=generator)) for _ in range(3)]
        groups = [parameters] if together else [[parameter] for parameter in parameters]
        optimisers = [Soap([{"params": group, "weight_decay": 0.05}], lr=0.01) for group in groups]
        for _ in range(12):
            for parameter in parameters:
                parameter.grad = torch.randn(32, 33, generator=generator)
            for optimiser in optimisers:
                optimiser.step()
        found.append(torch.stack([parameter.detach() for parameter in parameters]))
    assert torch.allclose(*found, atol=1e-4)


def test_what_is_kept_is_what_is_said_to_be_kept():
    parameters = [nn.Parameter(torch.randn(shape)) for shape in ((32, 40), (40, 32), (33, 12, 3), (3, 9), (4,))]
    optimiser = Soap([{"params": parameters, "weight_decay": 0.0}], lr=0.01)
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    optimiser.step()
    for parameter in parameters:
        assert {name: value.shape for name, value in optimiser.state[parameter].items()} == optimiser.state_shapes(parameter)


def test_kernels_are_matrices_of_one_row_for_each_output():
    generator = torch.Generator().manual_seed(6)
    value = torch.randn(32, 12, 3, generator=generator)
    kernel, matrix = nn.Parameter(value.clone()), nn.Parameter(value.flatten(1).clone())
    optimisers = [Soap([{"params": [parameter], "weight_decay": 0.1}], lr=0.01) for parameter in (kernel, matrix)]
    for _ in range(12):
        kernel.grad = torch.randn(32, 12, 3, generator=generator)
        matrix.grad = kernel.grad.flatten(1).clone()
        for optimiser in optimisers:
            optimiser.step()
    assert torch.equal(kernel.flatten(1), matrix)
    assert not torch.allclose(kernel, value, atol=0.01)


def test_fewer_steps_than_adamw_for_correlated_inputs():
    """A linear regression whose inputs are strongly correlated."""
    losses = {}
    for name in ("soap", "adamw"):
        generator = torch.Generator().manual_seed(5)
        mixture = torch.randn(32, 32, generator=generator) * torch.logspace(0, -2, 32)[:, None] @ torch.randn(32, 32, generator=generator) / 6
        goal = torch.randn(48, 32, generator=generator)
        parameter = nn.Parameter(torch.zeros(48, 32))
        groups = [{"params": [parameter], "weight_decay": 0.0}]
        optimiser = Soap(groups, lr=0.03) if name == "soap" else torch.optim.AdamW(groups, lr=0.03, betas=(0.9, 0.99))
        for _ in range(200):
            x = torch.randn(64, 32, generator=generator) @ mixture.mT
            optimiser.zero_grad()
            loss = (x @ (parameter - goal).mT).square().mean()
            loss.backward()
            optimiser.step()
        losses[name] = loss.item()
    assert losses["soap"] < 0.7 * losses["adamw"]
