"""Spiking layers: potentials by their formula, train mode = eval mode, gradients, codings."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.nn import membrane  # noqa: E402
from edgeternary.nn.coding import direct_code, find_coding  # noqa: E402
from edgeternary.nn.surrogates import SURROGATES  # noqa: E402

pytestmark = pytest.mark.torch


def by_hand(x: np.ndarray, b: int, theta: int, begin: int, shift: int, fraction: int) -> list[int]:
    """One neuron in Python's integers, as the module says."""
    v, spikes = begin, []
    for acc in x.tolist():
        drive = min(max((int(acc) << fraction) + b, membrane.LO), membrane.HI)
        u = min(max(v - (v >> shift if shift else 0) + drive, membrane.LO), membrane.HI)
        spikes.append(int(u >= theta))
        v = u - theta * spikes[-1]
    return spikes


@pytest.mark.parametrize(("shift", "fraction", "reach"), [(0, 0, 9), (1, 3, 40), (2, 0, 9), (4, 2, 9000)])
def test_potentials_follow_the_formula(shift, fraction, reach):
    """Wide drives meet both ends of the clamp, small ones the floor of negative potentials."""
    x = torch.randint(-reach, reach + 1, (3 * 20, 4)).float()
    rows = torch.tensor([[-3, 0, 2, 5], [1, 7, 12, 16383], [0, 3, 6, 20]])
    spikes = membrane.lif(x, rows, 20, shift, fraction).reshape(3, 20, 4)
    for n in range(3):
        for c in range(4):
            wanted = by_hand(x.reshape(3, 20, 4)[n, :, c].numpy(), *rows[:, c].tolist(), shift, fraction)
            assert spikes[n, :, c].tolist() == wanted


@pytest.mark.parametrize("make", [lambda: q.LIF(6, shift=1, start=0.5), lambda: q.LIF(6), lambda: q.IF(6, 2)])
def test_training_sees_the_potentials_of_eval_mode(make):
    """With the batch's own statistics as running ones both modes give the same spikes."""
    layer = make()
    layer.steps = 5
    x = torch.randint(-20, 60, (40 * 5, 6)).float()
    trained = layer(x)
    layer.running_mean.copy_(x.mean(0))
    layer.running_var.copy_(x.var(0, correction=0))
    assert 0.02 < trained.mean() < 0.9
    assert torch.equal(layer.eval()(x), trained)


def test_a_constant_input_is_computed_once_with_the_same_bits_and_gradients():
    net = torch.nn.Sequential(q.Linear(12, 9), q.LIF(9, fraction=0), q.Linear(9, 4), q.Readout(4))
    model, x = q.Spiking(net, 5, "direct"), torch.randint(0, 256, (30, 12)).float()
    found = []
    for run in (model, lambda x: model.over(model.encode(x))):
        for layer in (net[0], net[1], net[3]):
            layer.zero_grad()
        y = run(x)
        y.square().sum().backward()
        found.append((y.detach(), net[0].weight.grad.clone(), net[1].threshold.grad.clone()))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-2)
    model.eval()
    with torch.no_grad():
        assert torch.equal(model(x), model.over(model.encode(x)))


def test_gradients_are_those_of_the_unrolled_formula():
    """The time loop's backward against autograd, the spike by its surrogate's slope and resets detached."""
    steps, shift = 4, 2
    drive = torch.randint(-30, 60, (3 * steps, 5)).float()
    theta, unit = torch.tensor([20.0, 25, 30, 35, 40]), torch.full((5,), 16.0)
    slope = SURROGATES["arctan"]
    weight = torch.randn(3 * steps, 5)

    def ours(d, t):
        return membrane.train_lif(d, (t, torch.zeros(5), unit), steps, shift, slope)

    def unrolled(d, t):
        v, out = torch.zeros(3, 5), []
        for i in d.reshape(3, steps, 5).unbind(1):
            leak = v * 0.75 + (membrane.decayed(v.detach(), shift) - v.detach() * 0.75)
            u = leak + i
            near = (u - t) / unit
            spike = (near >= 0).float() + (near - near.detach()) * slope(near.detach())
            out.append(spike)
            v = u - t * spike.detach()
        return torch.stack(out, 1).flatten(0, 1)

    found = []
    for f in (ours, unrolled):
        d, t = drive.clone().requires_grad_(), theta.clone().requires_grad_()
        y = f(d, t)
        (y * weight).sum().backward()
        found.append((y.detach(), d.grad, t.grad))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("name", sorted(SURROGATES))
def test_every_surrogate_trains_a_neuron(name):
    layer = q.LIF(4, surrogate=name)
    layer.steps = 3
    x = (torch.randn(30, 4) * 5).round().requires_grad_()
    layer(x).sum().backward()
    assert torch.isfinite(x.grad).all() and x.grad.abs().sum() > 0
    assert layer.threshold.grad.abs().sum() > 0


def test_readouts_sum_over_the_steps_of_a_sample():
    layer = q.Readout(3).eval()
    layer.steps = 4
    layer.bias.data += torch.tensor([0.1, 0.0, -0.1])
    x = torch.randint(-9, 9, (2 * 4, 3)).float()
    wanted = (x + layer.quantized_bias()).reshape(2, 4, 3).cumsum(1).flatten(0, 1) * layer.logit_scale()
    assert torch.equal(layer(x), wanted)
    torch.testing.assert_close(layer.train()(x), wanted)


def test_rate_codes_have_as_many_spikes_as_the_pixel_says():
    x = torch.arange(256.0)[None]
    for steps in (1, 6, 8):
        events = q.rate_code(x, steps)
        assert events.shape == (1, steps, 256) and set(events.unique().tolist()) <= {0.0, 1.0}
        counts = torch.floor((2 * steps * x.double() + 255) / 510)
        assert torch.equal(events.sum(1).double(), counts)


def test_a_rate_code_is_an_integrate_and_fire_neuron():
    """Potential 127 before the first step, threshold 255, the pixel as input at every step."""
    x = torch.arange(256.0)[None]
    rows = torch.tensor([[0] * 256, [255] * 256, [127] * 256])
    fed = direct_code(2 * x, 8).flatten(0, 1) / 2
    spikes = membrane.lif(fed, rows, 8, 0, 0).reshape(1, 8, 256)
    assert torch.equal(spikes, q.rate_code(x, 8))


def test_latency_codes_spike_once_and_earlier_for_brighter_pixels():
    events = q.latency_code(torch.arange(256.0)[None], 6)
    assert events.sum(1)[0].tolist() == [0.0] + [1.0] * 255
    when = events[0, :, 1:].argmax(0)
    assert bool((when[1:] <= when[:-1]).all()) and when[-1] == 0 and when[0] == 5


def test_random_rate_codes_repeat_with_their_seed():
    x = torch.full((1, 4000), 64.0)
    first, second = (q.random_rate_code(x, 4, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second) and abs(first.mean() - 64 / 255) < 0.02


def test_mistakes_are_named():
    with pytest.raises(EdgeTernaryError, match="no coding is called 'phase'"):
        find_coding("phase")
    with pytest.raises(EdgeTernaryError, match="shift=9"):
        q.LIF(3, shift=9)
    with pytest.raises(EdgeTernaryError, match="no surrogate"):
        q.LIF(3, surrogate="none")
    with pytest.raises(EdgeTernaryError, match="0 steps"):
        q.Spiking(torch.nn.Identity(), 0)
