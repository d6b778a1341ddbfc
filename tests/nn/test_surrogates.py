"""Every slope is the derivative of the primitive that it names; layers use it; annealing reaches it."""

from __future__ import annotations

import copy
import runpy
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.nn.fake_quantize import fake_sign  # noqa: E402
from edgeternary.nn.gumbel import gumbel_noise, gumbel_softmax  # noqa: E402
from edgeternary.nn.surrogates import SURROGATES, Surrogate, find_surrogate  # noqa: E402

pytestmark = pytest.mark.torch

H = 1e-6
PROGRESS = [0.0, 0.25, 0.5, 1.0]
ENTRIES = list(SURROGATES.values())


def worst_error(entry: Surrogate, progress: float) -> float:
    """Largest difference of slope and central difference on [-3, 3] in float64, 2H away from kinks."""
    x = torch.linspace(-3, 3, 4001, dtype=torch.float64)
    for kink in entry.kinks:
        x = x[(x - kink).abs() > 2 * H]
    difference = (entry.primitive(x + H, progress) - entry.primitive(x - H, progress)) / (2 * H)
    return float((entry(x, progress) - difference).abs().max())


@pytest.mark.parametrize("progress", PROGRESS)
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_slopes_are_finite_differences(entry, progress):
    assert worst_error(entry, progress) < 1e-6


def test_a_wrong_slope_is_caught():
    entry = SURROGATES["ede"]
    wrong = replace(entry, derivative=lambda x, p: entry.derivative(x, p) * 1.001)
    assert worst_error(wrong, 0.5) > 1e-4


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_entries(entry):
    """Odd primitives, even slopes, largest at 0, the same in float32; the right ends; a source and a use."""
    x = torch.linspace(-4, 4, 801, dtype=torch.float64)
    for progress in PROGRESS:
        slope, primitive = entry(x, progress), entry.primitive(x, progress)
        np.testing.assert_allclose(slope, slope.flip(0), atol=1e-12)
        middle = entry.primitive(torch.zeros((), dtype=torch.float64), progress)
        np.testing.assert_allclose(primitive - middle, -(primitive - middle).flip(0), atol=1e-12)
        assert slope.argmax() == 400 or slope.max() == slope[400]
        assert torch.isfinite(entry(torch.tensor([-1e30, -100.0, 0.0, 100.0, 1e30]), progress)).all()
        np.testing.assert_allclose(entry(x.float(), progress), slope, rtol=2e-4, atol=2e-5)
    low, high = entry.primitive(torch.tensor([-50.0, 50.0]), 1.0).tolist()
    assert entry.name == "identity" or -1.25 < low < high < 1.25
    assert entry.of in ("sign", "step") and entry.source and entry.use
    assert (entry(x, 0.0) != entry(x, 1.0)).any() == entry.annealed


@pytest.mark.parametrize("name", ["ede", "tanh", "reste"])
def test_annealed_surrogates_approach_sign(name):
    x = torch.linspace(0.05, 1, 100)
    distance = [float((SURROGATES[name].primitive(x, p) - 1).abs().mean()) for p in PROGRESS[2:]]
    assert distance == sorted(distance, reverse=True)


def test_known_slopes():
    x = torch.tensor([-1.5, -0.5, 0.0, 0.25, 1.0])
    np.testing.assert_array_equal(SURROGATES["approx_sign"](x), [0, 1, 2, 1.5, 0])
    np.testing.assert_array_equal(SURROGATES["clipped"](x), [0, 1, 1, 1, 1])
    np.testing.assert_array_equal(SURROGATES["identity"](x), np.ones(5))
    np.testing.assert_allclose(SURROGATES["piecewise_polynomial"](x), [0, 0.4, 2, 1, 0.4])
    np.testing.assert_allclose(SURROGATES["triangular"](x), [0, 0.5, 1, 0.75, 0])
    np.testing.assert_allclose(SURROGATES["swish_sign"](x)[2], 5)
    np.testing.assert_allclose(SURROGATES["ede"](x[:3], 0.0), 1 - np.tanh([0.15, 0.05, 0]) ** 2, rtol=1e-6)
    np.testing.assert_allclose(SURROGATES["reste"](x, 0.0), np.ones(5))
    np.testing.assert_allclose(SURROGATES["reste"](torch.tensor([0.125, 1.0, 1.6]), 1.0), [4 / 3, 1 / 3, 0])


@pytest.mark.parametrize("name", SURROGATES)
def test_bipolar_activations_use_the_name(name):
    x = torch.linspace(-2, 2, 41).requires_grad_()
    act = q.Activation("bipolar", scale=2.0, surrogate=name)
    act.set_progress(0.75)
    act(x).backward(torch.linspace(0.5, 1, 41))
    wanted = torch.linspace(0.5, 1, 41) * SURROGATES[name](x.detach() / 2, 0.75) / 2
    np.testing.assert_allclose(x.grad, wanted, rtol=1e-6)


@pytest.mark.parametrize("kind", ["binary", "ternary", 2, "int4"])
@pytest.mark.parametrize("name", SURROGATES)
def test_staircases_have_the_slope_of_the_nearest_step(name, kind):
    """Between two codes: the slope at twice the distance to the threshold half-way, over the step."""
    act = q.Activation(kind, scale=0.5, surrogate=name)
    lo, hi = act.levels.lo, act.levels.hi
    x = torch.linspace(0.5 * lo - 1, 0.5 * hi + 1, 97).double().requires_grad_()
    act(x).sum().backward()
    thresholds = torch.arange(lo, hi) + 0.5
    distance = x.detach()[:, None] / 0.5 - thresholds
    nearest = distance.gather(1, distance.abs().argmin(1, keepdim=True))[:, 0]
    wanted = SURROGATES[name](2 * nearest) / 0.5
    edge = (distance.abs().sort(1).values[:, :2].diff(dim=1).abs() < 1e-9).any(1) if hi - lo > 1 else False
    np.testing.assert_allclose(
        x.grad[~torch.as_tensor(edge).expand(97)], wanted[~torch.as_tensor(edge).expand(97)]
    )


def test_clipped_staircases_are_lsq():
    x = torch.randn(500)
    grads = []
    for name in ("clipped", "identity"):
        act = q.Activation(3, scale=0.25, surrogate=name)
        leaf = x.clone().requires_grad_()
        act(leaf).square().sum().backward()
        grads.append((leaf.grad, act.scale.grad))
    inside = (x >= 0) & (x <= 7 * 0.25)
    codes = (x / 0.25 + 0.5).floor().clamp(0, 7)
    np.testing.assert_allclose(grads[0][0], torch.where(inside, 2 * codes / 0.25, 0.0), rtol=1e-6)
    np.testing.assert_allclose(grads[1][0], 2 * codes / 0.25, rtol=1e-6)
    wanted = -(grads[0][0] * x / 0.25).sum() / (500 * 7) ** 0.5
    np.testing.assert_allclose(grads[0][1], wanted, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", ["binary", "ternary", 2, 4, "int4"])
def test_the_window_of_clipped_holds_its_ends(kind, dtype):
    act = q.Activation(kind, scale=1.0)
    lo, hi = (torch.tensor(float(v), dtype=dtype) for v in (act.levels.lo, act.levels.hi))
    far = torch.tensor(99.0, dtype=dtype)
    outside = torch.stack([lo - 2**-4, torch.nextafter(hi, far)])
    x = torch.cat([torch.stack([lo, hi]), outside]).requires_grad_()
    act(x).float().sum().backward()
    np.testing.assert_array_equal(x.grad.float(), [1, 1, 0, 0])


def test_signs_and_their_slopes():
    x = torch.tensor([-0.5, -0.0, 0.0, 0.5], requires_grad=True)
    signs = fake_sign(x, 1.0, SURROGATES["arctan"])
    np.testing.assert_array_equal(signs.detach(), [-1, 1, 1, 1])
    signs.sum().backward()
    np.testing.assert_allclose(x.grad, SURROGATES["arctan"](x.detach()))


def test_progress_reaches_every_layer():
    model = nn.Sequential(
        q.BatchNorm(3), q.Activation("bipolar", surrogate="ede"), q.Requantize(3, 8), q.Choice([q.RSign(3)])
    )
    q.set_progress(model, 0.5)
    assert [m.progress for m in (model[1], model[2], model[3], model[3].options[0])] == [0.5] * 4
    assert model[3].temperature() == pytest.approx(10**-0.5)
    q.set_progress(copy.deepcopy(model), 0.9)
    assert model[1].progress == 0.5
    q.set_progress(model, 7)
    assert model[1].progress == 1


def test_unknown_names_list_the_known():
    with pytest.raises(EdgeTernaryError, match=r"no surrogate is called 'cubic'.*approx_sign"):
        find_surrogate("cubic")
    with pytest.raises(EdgeTernaryError, match="ede, reste"):
        q.Activation(2, surrogate="cubic")


@pytest.mark.parametrize("temperature", [0.3, 1.0])
def test_gumbel_softmax_gradients(temperature):
    """One-hot codes forward; backward that of the softmax with the same noise, by finite differences."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 4, dtype=torch.float64, generator=generator)
    noise, weights = (
        gumbel_noise(logits, generator),
        torch.randn(5, 4, dtype=torch.float64, generator=generator),
    )
    leaf = logits.clone().requires_grad_()
    hard = gumbel_softmax(leaf, temperature, noise)
    np.testing.assert_array_equal(hard.detach(), torch.eye(4)[(logits + noise).argmax(1)])
    (hard * weights).sum().backward()
    for index in np.ndindex(5, 4):
        ends = [logits.clone(), logits.clone()]
        ends[0][index] += H
        ends[1][index] -= H
        above, below = ((torch.softmax((e + noise) / temperature, 1) * weights).sum() for e in ends)
        assert leaf.grad[index] == pytest.approx(float(above - below) / (2 * H), abs=1e-7)


def test_gumbel_samples_follow_softmax():
    logits = torch.tensor([0.0, 1.0, 2.0]).expand(30_000, 3)
    share = gumbel_softmax(logits).mean(0)
    np.testing.assert_allclose(share, torch.softmax(logits[0], 0), atol=0.015)
    ties = gumbel_softmax(torch.zeros(2, 3), 1.0, torch.zeros(2, 3))
    np.testing.assert_array_equal(ties, [[1, 0, 0], [1, 0, 0]])


def test_a_choice_learns_the_better_option():
    class Constant(nn.Module):
        def __init__(self, code: float) -> None:
            super().__init__()
            self.code = code

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.full_like(x, self.code)

    choice = q.Choice([Constant(0.0), Constant(3.0), Constant(1.0)])
    optimizer = torch.optim.Adam(choice.parameters(), 0.1)
    for step in range(60):
        q.set_progress(choice, step / 60)
        optimizer.zero_grad()
        (choice(torch.zeros(4, 2)) - 3).square().mean().backward()
        optimizer.step()
    np.testing.assert_array_equal(choice.eval()(torch.zeros(4, 2)), np.full((4, 2), 3))
    with pytest.raises(EdgeTernaryError, match="has no options"):
        q.Choice([])


def test_the_page_shows_the_table(tmp_path):
    """docs/surrogates.md and its plots are what docs/surrogates.py writes today."""
    docs = Path(__file__).parents[2] / "docs"
    shutil.copy(docs / "surrogates.md", tmp_path)
    runpy.run_path(str(docs / "surrogates.py"))["main"](tmp_path)
    assert (tmp_path / "surrogates.md").read_text() == (docs / "surrogates.md").read_text()
    plots = {path.name: path.read_text() for path in (tmp_path / "surrogates").glob("*.svg")}
    assert plots == {path.name: path.read_text() for path in (docs / "surrogates").glob("*.svg")}
    assert {f"{name}.svg" for name in SURROGATES} == set(plots) and max(map(len, plots.values())) < 12_000
