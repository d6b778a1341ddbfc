"""Activations by hand: codes, learnt and fixed steps, learned shifts, and what training does to them."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("kind", "lo", "hi"),
    [("binary", 0, 1), ("ternary", -1, 1), (2, 0, 3), (4, 0, 15), ("int2", -2, 1), ("int4", -8, 7)],
)  # fmt: skip
@pytest.mark.parametrize("learn_scale", [True, False])
def test_codes_and_steps(kind, lo, hi, learn_scale):
    act = q.Activation(kind, scale=0.5, learn_scale=learn_scale)
    x = torch.linspace(lo - 1.0, hi + 1.0, 64 * (hi - lo + 2) + 1, dtype=torch.float64).float()
    train = act(x)
    assert (train.min(), train.max()) == (lo, hi)
    np.testing.assert_array_equal(train.detach(), act.eval()(x).detach())
    assert list(act.state_dict()) == ["scale"]
    act.train()(x.requires_grad_()).sum().backward()
    assert (act.scale.grad is not None) == learn_scale


def test_a_residual_of_fixed_steps_has_a_fixed_step():
    for learn_scale in (True, False):
        body = nn.Sequential(q.Linear(4, 4), q.BatchNorm(4), q.Activation(2, 0.5, learn_scale=learn_scale))
        assert q.Residual(body).scale.requires_grad == learn_scale


def test_requantize_takes_a_surrogate():
    x = torch.randn(64, 3) * 30
    grads = []
    for name in (None, "identity", "tanh"):
        layer, leaf = q.Requantize(3, 5, 0.05, surrogate=name), x.clone().requires_grad_()
        layer(leaf).square().sum().backward()
        grads.append(leaf.grad)
    assert not torch.equal(grads[0], grads[1]) and not torch.equal(grads[1], grads[2])


@pytest.mark.parametrize("kind", ["bipolar", "binary", 2])
def test_rsign_compares_with_its_shift(kind):
    layer = q.RSign(3, kind, scale=1.0)
    with torch.no_grad():
        layer.shift.copy_(torch.tensor([0.0, 2.0, -1.5]))
    x = torch.arange(-4.0, 5.0)[:, None, None].expand(9, 3, 2)
    plain = q.Activation(kind, scale=1.0)(x - torch.tensor([0.0, 2.0, -1.5])[:, None]).detach()
    np.testing.assert_array_equal(layer(x).detach(), plain)
    np.testing.assert_array_equal(layer.eval()(x).detach(), plain)


def test_rsign_learns_its_shift():
    layer, x = q.RSign(2), torch.tensor([[0.25, -0.5], [0.5, 3.0]], requires_grad=True)
    layer(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [[1.5, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(layer.shift.grad, [-2.5, -1.0])


def test_rprelu_by_hand():
    layer = q.RPReLU(2)
    with torch.no_grad():
        layer.before.copy_(torch.tensor([1.0, 0.0]))
        layer.weight.copy_(torch.tensor([0.5, -2.0]))  # its slope is |weight|
        layer.after.copy_(torch.tensor([0.25, -1.0]))
    x = torch.tensor([[3.0, 3.0], [1.0, 0.0], [-1.0, -1.0]])
    wanted = [[2.25, 2.0], [0.25, -1.0], [-0.75, -3.0]]
    np.testing.assert_array_equal(layer(x).detach(), wanted)
    exact = layer.eval()(x)
    assert exact.dtype == torch.float64
    np.testing.assert_array_equal(exact.detach(), wanted)


@pytest.mark.parametrize("training", [True, False])
def test_rprelu_gradients(training):
    """Against autograd of the formula in float64."""
    layer, x = q.RPReLU(3).train(training), torch.randn(7, 3, 4)
    with torch.no_grad():
        for p in layer.parameters():
            p.normal_()
    leaf = x.clone().requires_grad_()
    parameters = [p.detach().double().requires_grad_() for p in (layer.before, layer.weight, layer.after)]
    before, weight, after = (p[:, None] for p in parameters)
    exact = x.double().requires_grad_()
    t = exact - before
    weights = torch.randn(7, 3, 4)
    ((torch.where(t >= 0, t, t * weight.abs()) + after) * weights).sum().backward()
    (layer(leaf) * weights).sum().backward()
    np.testing.assert_allclose(leaf.grad, exact.grad, rtol=1e-5)
    for mine, wanted in zip((layer.before, layer.weight, layer.after), parameters, strict=True):
        np.testing.assert_allclose(mine.grad, wanted.grad, rtol=1e-4, atol=1e-5)


def test_slopes_cannot_be_trained_below_zero():
    """A loss that wants outputs to fall where inputs rise: no slope falls below 0, the function rises."""
    layer, x = q.RPReLU(8), -torch.rand(64, 8)
    optimizer = torch.optim.SGD(layer.parameters(), 0.3)
    for _ in range(50):
        optimizer.zero_grad()
        (-(layer(x) * x).mean() * -8).backward()
        optimizer.step()
        assert (layer.slope() >= 0).all()
    y = layer.eval()(torch.linspace(-3, 3, 999)[:, None].expand(999, 8))
    assert (y.diff(dim=0) >= 0).all()
    lower(nn.Sequential(q.Linear(4, 8), layer, q.RSign(8), q.Output(8, 2)), torch.zeros(1, 4))


def test_a_negative_slope_is_refused():
    class Falling(q.RPReLU):
        def slope(self) -> torch.Tensor:
            return self.weight

    layer = Falling(8, slope=-0.5)
    with pytest.raises(EdgeTernaryError, match="not monotone"):
        lower(nn.Sequential(q.Linear(4, 8), layer, q.Activation(2), q.Output(8, 2)), torch.zeros(1, 4))
    with pytest.raises(EdgeTernaryError, match="RPReLU"):
        lower(nn.Sequential(q.Linear(4, 8), nn.PReLU(8), q.Activation(2), q.Output(8, 2)), torch.zeros(1, 4))


@pytest.mark.parametrize("surrogate", [None, "ede", "reste", "swish_sign", "fast_sigmoid"])
@pytest.mark.parametrize("kind", ["bipolar", 2])
def test_half_precision_and_memory_format(kind, surrogate):
    """bfloat16 autocast gives codes and finite gradients; channels-last maps stay channels-last."""
    conv = q.Conv2d(2, 4, 3).to(memory_format=torch.channels_last)
    model = nn.Sequential(conv, q.BatchNorm(4), q.RPReLU(4), q.RSign(4, kind, surrogate=surrogate))
    x = torch.randint(0, 256, (8, 2, 9, 9)).float().contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        y = model(x)
    assert y.is_contiguous(memory_format=torch.channels_last) and not y.is_contiguous()
    assert set(y.unique().tolist()) <= {-1.0, 0.0, 1.0, 2.0, 3.0}
    y.float().square().mul(torch.randn(y.shape)).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
