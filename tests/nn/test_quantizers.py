"""Activation levels, and the slopes of straight-through estimators."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeternary import nn as q  # noqa: E402
from edgeternary.nn.levels import levels  # noqa: E402
from edgeternary.nn.surrogates import SURROGATES, straight_through  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("kind", "name", "codes"),
    [
        ("bipolar", "bipolar", (-1, 1)), ("binary", "binary", (0, 1)), (1, "binary", (0, 1)),
        ("ternary", "ternary", (-1, 0, 1)), (2, "uint2", (0, 1, 2, 3)), ("int2", "int2", (-2, -1, 0, 1)),
    ],
)  # fmt: skip
def test_levels(kind, name, codes):
    assert levels(kind).name == name
    assert levels(kind).codes == codes


@pytest.mark.parametrize(
    ("kind", "x", "codes"),
    [
        ("bipolar", [-1.0, -0.0, 0.0, 1e-30], [-1, 1, 1, 1]),
        ("ternary", [-0.76, -0.75, -0.5, 0.0, 0.75, 9.0], [-1, 0, 0, 0, 1, 1]),
        (2, [-3.0, 0.74, 0.75, 2.25, 3.74, 99.0], [0, 0, 1, 2, 2, 3]),
        ("int2", [-9.0, -2.26, -2.25, -0.75, 0.75, 9.0], [-2, -2, -1, 0, 1, 1]),
    ],
)
def test_activations_round_half_up(kind, x, codes):
    """Step 1.5: a tie at (k + 1/2) * 1.5 goes to the upper code, in train and in eval mode."""
    act = q.Activation(kind, scale=1.5)
    for training in (True, False):
        np.testing.assert_array_equal(act.train(training)(torch.tensor(x)).detach(), codes)


def test_surrogate_slopes():
    x = torch.tensor([-1.5, -0.5, 0.0, 0.25, 1.0])
    np.testing.assert_array_equal(SURROGATES["approx_sign"](x), [0, 1, 2, 1.5, 0])
    np.testing.assert_array_equal(SURROGATES["clipped"](x), [0, 1, 1, 1, 1])
    np.testing.assert_array_equal(SURROGATES["identity"](x), np.ones(5))


def test_straight_through_keeps_codes_bit_for_bit():
    x = torch.linspace(-3, 3, 1001).requires_grad_()
    codes = torch.floor(x.detach() * 7 / 3)
    y = straight_through(codes, x, SURROGATES["clipped"])
    np.testing.assert_array_equal(y.detach(), codes)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, (x.detach().abs() <= 1).float())


def test_a_bipolar_activation_trains_with_its_surrogate():
    x = torch.tensor([[-0.5, 0.25]], requires_grad=True)
    q.Activation("bipolar")(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [[1.0, 1.5]])
    x.grad = None
    q.Activation("bipolar", scale=2.0)(x).sum().backward()  # (2 - 2|x / 2|) / 2
    np.testing.assert_array_equal(x.grad, [[0.75, 0.875]])
