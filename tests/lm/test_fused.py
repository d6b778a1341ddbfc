"""The fused BitLinear: the gradients of the plain one, from a third of the memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from edgeternary.nn import bit_linear
from edgeternary.nn.bit_linear import BitLinear
from edgeternary.nn.gates import fake_sigmoid
from edgeternary.nn.lm import MatMulFreeLM
from edgeternary.nn.recurrence import linear_recurrence
from edgeternary.nn.saved import saved_bytes

pytestmark = pytest.mark.torch


def opened(g: Tensor, h: Tensor) -> Tensor:
    return fake_sigmoid(g) * h


def results(layer: BitLinear, inputs: list[Tensor], gate: Callable[..., Tensor]) -> list[Tensor]:
    """Outputs, and gradients of their squares to inputs and weights."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    outputs = layer.train_forward(*leaves, gate=gate)
    total = sum((y.square().sum() for y in outputs), torch.zeros(()))
    return [*outputs, *torch.autograd.grad(total, [*leaves, *layer.weights])]


def apart(layer: BitLinear, inputs: list[Tensor], gate: Callable[..., Tensor] = bit_linear.itself) -> float:
    """The largest difference between fused and plain, relative to the largest value."""
    found = []
    for layer.fused in (True, False):
        found.append(results(layer, inputs, gate))
    pairs = zip(*found, strict=True)
    return max(float((a.detach() - b.detach()).abs().max() / b.detach().abs().max()) for a, b in pairs)


def rows() -> Tensor:
    """Normal rows, and two with outliers beyond the largest code."""
    torch.manual_seed(1)
    x = torch.randn(50, 96)
    x[3] *= 30
    x[4, 5] = 40
    return x


@pytest.mark.parametrize("weights", ["ternary_absmean", "int8"])
def test_gradients_are_those_of_the_plain_layer(weights: str) -> None:
    layer = BitLinear(96, (64, 32), weights=weights)
    assert apart(layer, [rows()]) < 1e-5
    assert apart(layer, [torch.randn(50, 96), rows()], opened) < 1e-5


def test_a_norm_without_its_second_term_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain layer takes 1 / rms(x) for a constant; the fused one computes its gradient itself."""
    right = torch.rsqrt
    monkeypatch.setattr(torch, "rsqrt", lambda square: right(square).detach())
    assert apart(BitLinear(96, (64,)), [rows()]) > 1e-2


def test_recurrence() -> None:
    shapes = ((7, 2, 3), (7, 2, 3), (2, 3))
    f, c, h = (torch.randn(shape, dtype=torch.float64) for shape in shapes)
    inputs = f.sigmoid().requires_grad_(), c.requires_grad_(), h.requires_grad_()
    assert torch.autograd.gradcheck(linear_recurrence, inputs)
    state, (f, c, h) = inputs[2], inputs
    for t, found in enumerate(linear_recurrence(f, c, h)):
        state = f[t] * state + (1 - f[t]) * c[t]
        torch.testing.assert_close(found, state)


def test_memory_of_one_layer_and_of_a_model() -> None:
    """By 77 % and 66 %; at least 61 % is asked for."""
    x = torch.randn(512, 128, requires_grad=True)
    layer = BitLinear(128, (128,) * 3)
    kept = {}
    for layer.fused in (True, False):
        kept[layer.fused] = saved_bytes(lambda: layer.train_forward(x), layer)
    assert kept[True] == x.nbytes and kept[True] < 0.25 * kept[False]

    model = MatMulFreeLM(63)
    tokens = torch.randint(63, (64, 8))
    for fused in (True, False):
        for layer in model.layers():
            layer.fused = fused
        kept[fused] = saved_bytes(lambda: model(tokens, model.initial(8)), model)
    assert kept[True] < 0.39 * kept[False]


def test_gradients_of_a_whole_model() -> None:
    model = MatMulFreeLM(11, 32, 2, 48)
    tokens = torch.randint(11, (20, 3))
    found = []
    for fused in (True, False):
        for layer in model.layers():
            layer.fused = fused
        logits, _ = model(tokens, model.initial(3))
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens.flatten())
        found.append(torch.autograd.grad(loss, list(model.parameters())))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)
