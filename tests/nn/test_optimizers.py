"""Bop by hand, learning, resuming; the table of optimizers."""

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.train.optimizers import OPTIMIZERS, Bop, make_optimizer  # noqa: E402

pytestmark = pytest.mark.torch


def test_a_weight_flips_when_its_average_gradient_agrees_with_it():
    w = nn.Parameter(torch.tensor([0.3, -0.2, 0.5, -0.1]))
    optimizer = Bop([w], [], lr=1.0, gamma=0.5, threshold=0.1)
    np.testing.assert_array_equal(w.detach(), [1, -1, 1, -1])
    w.grad = torch.tensor([0.4, 0.4, 0.1, -0.4])  # averages 0.2, 0.2, 0.05, -0.2
    optimizer.step()
    np.testing.assert_array_equal(w.detach(), [-1, -1, 1, 1])
    w.grad = torch.zeros(4)  # averages 0.1, 0.1, 0.025, -0.1: none beyond the threshold and of the sign
    optimizer.step()
    np.testing.assert_array_equal(w.detach(), [-1, -1, 1, 1])
    w.grad = torch.tensor([0.0, 0.0, 0.4, 0.6])  # 0.05, 0.05, 0.2125, 0.25
    optimizer.param_groups[0]["lr"] = 0.5  # gamma falls with it: 0.075, 0.075, 0.11875, 0.075
    optimizer.step()
    np.testing.assert_array_equal(w.detach(), [-1, -1, -1, 1])


def problem(weights="binary"):
    """Random +-1 inputs labelled by a random binary network's first layer."""
    torch.manual_seed(0)
    x = torch.randint(0, 2, (512, 24)).float() * 2 - 1
    y = (x @ torch.randn(24, 4)).argmax(1)
    layers = [q.Linear(24, 64, weights), q.BatchNorm(64), q.Activation("bipolar"), q.Output(64, 4, weights)]
    return nn.Sequential(*layers), x, y


def train(model, optimizer, x, y, steps, begin=0):
    for step in range(begin, begin + steps):
        rows = torch.arange(64) + 64 * (step % 8)
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def accuracy(model, x, y) -> float:
    return float((model.eval()(x).argmax(1) == y).float().mean())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns(name):
    model, x, y = problem()
    optimizer = make_optimizer(name, model, 0.2 if name == "sgd" else 1e-2)
    train(model, optimizer, x, y, 160)
    assert accuracy(model, x, y) > 0.75
    if name == "bop":
        assert set(model[0].weight.detach().flatten().tolist()) == {-1.0, 1.0}
        assert {group["bop"] for group in optimizer.param_groups} == {True, False}


@pytest.mark.parametrize("name", ["bop", "adamw"])
def test_a_resumed_optimizer_ends_in_the_same_bits(name, tmp_path):
    model, x, y = problem()
    optimizer = make_optimizer(name, model, 1e-2)
    train(model, optimizer, x, y, 20)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "state")
    again = copy.deepcopy(model)
    resumed = make_optimizer(name, again, 1e-2)
    state = torch.load(tmp_path / "state", weights_only=True)
    again.load_state_dict(state["model"])
    resumed.load_state_dict(state["optimizer"])
    for m, o in ((model, optimizer), (again, resumed)):
        for group in o.param_groups:
            group["lr"] = 5e-3
        train(m, o, x, y, 20, begin=20)
    for (path, a), b in zip(model.state_dict().items(), again.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=path)


def test_refusals():
    with pytest.raises(EdgeTernaryError, match=r"no optimizer is called 'lion'.*adamw.*bop"):
        make_optimizer("lion", problem()[0], 1e-3)
    with pytest.raises(EdgeTernaryError, match="no layer of the model has binary weights"):
        make_optimizer("bop", problem("ternary")[0], 1e-3)
    model = problem()[0]
    model[0].float_weights = True
    with pytest.raises(EdgeTernaryError, match="float weights"):
        make_optimizer("bop", model, 1e-3)
