"""Table networks: gradients against slow formulas, and what training leaves of wiring and tables."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edgeternary import nn as q
from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.luts.gradients import TABLE_GRADIENTS, table_outputs

RANDOM = torch.Generator().manual_seed(3)


def pin_gradient(name: str, latent: np.ndarray, address: int, pin: int) -> float:
    """What the pin of a table gets at `address`, by the formula of TABLE_GRADIENTS, entry by entry."""
    total, gradient = 0.0, TABLE_GRADIENTS[name]
    for entry in range(len(latent)):
        others = bin((entry ^ address) & ~(1 << pin)).count("1")
        value = (1 + latent[entry]) / 2 if gradient.latent else float(latent[entry] > 0)
        total += (2 * (entry >> pin & 1) - 1) * value * gradient.decay**others
    return total


@pytest.mark.parametrize(("name", "pins"), list(itertools.product(TABLE_GRADIENTS, (2, 3, 6))))
def test_gradients_are_the_formulas(name: str, pins: int) -> None:
    tables, inputs, samples, count = 3, 7, 5, 4
    bits = (torch.rand(inputs, samples, generator=RANDOM) > 0.5).float().requires_grad_()
    latent = (torch.rand(tables, 1 << pins, generator=RANDOM) * 2 - 1).requires_grad_()
    scores = torch.randn(tables * pins, count, generator=RANDOM).requires_grad_()
    candidates = torch.randint(0, inputs, (tables * pins, count), generator=RANDOM)
    y = table_outputs(bits, latent, scores, candidates, TABLE_GRADIENTS[name], 1.5)
    grad = torch.randn(tables, samples, generator=RANDOM)
    y.backward(grad)

    x, g = bits.detach().numpy(), grad.numpy()
    wiring = candidates.gather(1, scores.argmax(1, keepdim=True)).view(tables, pins).numpy()
    values = latent.detach().numpy()
    of_latent, of_bits = np.zeros_like(values), np.zeros_like(x)
    gain = np.zeros((tables * pins, count))
    for table, sample in itertools.product(range(tables), range(samples)):
        address = sum(int(x[wiring[table, k], sample]) << k for k in range(pins))
        assert y[table, sample] == float(values[table, address] > 0)
        of_latent[table, address] += g[table, sample]
        for k in range(pins):
            pull = pin_gradient(name, values[table], address, k) * g[table, sample]
            of_bits[wiring[table, k], sample] += pull
            row = table * pins + k
            gain[row] += pull * x[candidates[row].numpy(), sample]
    np.testing.assert_allclose(latent.grad, of_latent, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(bits.grad, of_bits, rtol=1e-4, atol=1e-5)
    leaf = scores.detach().clone().requires_grad_()
    ((leaf * 1.5).softmax(1) * torch.from_numpy(gain).float()).sum().backward()
    np.testing.assert_allclose(scores.grad, leaf.grad, rtol=0.05, atol=0.02)  # products in bfloat16


def test_a_windowed_layer_is_the_flat_one_at_every_position() -> None:
    layer = q.LutConv2d(2, 5, (2, 3), (2, 1), (1, 0, 0, 1), fan_in=4)
    x = (torch.rand(3, 2, 5, 6) > 0.5).float()
    wide = torch.nn.functional.pad(x, (0, 1, 1, 0))
    flat = q.LutLayer(2 * 2 * 3, 5, 4).eval()
    flat.load_state_dict(layer.state_dict())
    expected = torch.stack(
        [
            torch.stack([flat(wide[:, :, y : y + 2, c : c + 3].flatten(1)) for c in range(5)], 2)
            for y in range(0, 5, 2)
        ],
        2,
    )
    for training in (True, False):
        assert torch.equal(layer.train(training)(x), expected)


def net() -> torch.nn.Sequential:
    layers = q.Comparisons(6, 2), q.LutLayer(12, 20, 4, 5), q.LutLayer(20, 9, 3), q.GroupSum(9, 3, [4, 3, 2])
    return torch.nn.Sequential(*layers)


def test_train_and_eval_mode_give_the_same_bits() -> None:
    x = torch.randint(0, 256, (50, 6)).float()
    model = net()
    q.fit_tables(model, x)
    with torch.no_grad():
        model[3].bias.copy_(torch.tensor([3.0, -7, 9]))
    assert torch.equal(model.train()(x), model.eval()(x))


def test_candidates_vary_in_the_data_and_thresholds_are_quantiles() -> None:
    x = torch.randint(0, 256, (1000, 6)).float()
    x[:, 2] = 5
    model = net()
    q.fit_tables(model, x)
    assert model.training
    assert set(model[1].candidates.flatten().tolist()) == set(range(12)) - {2, 8}
    assert (model[0].t[0, [0, 1, 3, 4, 5]] - 85).abs().max() < 10
    assert (model[0].t[1] > model[0].t[0]).all()


@pytest.mark.parametrize(("near", "tables"), [(24, 30), (7, 1), (2000, 3)])
def test_candidates_lie_near_the_place_of_their_table(near: int, tables: int) -> None:
    height, width, classes = 20, 17, 3 if tables > 1 else 1
    size = height * width
    layer = q.LutLayer(2 * size, tables, 2, 5, near=near, picture=(height, width), sweeps=classes)
    alive = torch.ones(2 * size, dtype=torch.bool)
    alive[:20] = alive[size : size + 20] = False  # nothing varies in the first rows
    layer.draw(alive)
    pixels = layer.candidates.view(tables, -1) % size
    assert pixels.min() >= 20 and layer.candidates.shape == (2 * tables, 5)
    if near >= 10:
        assert all(len(set(row.tolist())) == 10 for row in layer.candidates.view(tables, -1))
    if near == 24:  # two bits of 12 pixels: of 5 x 5 ones, in a corner of at most 5 x 5
        for place in (pixels // width, pixels % width):
            assert (place.max(1).values - place.min(1).values).max() <= 4
        group = pixels.float().mean(1).view(classes, -1)
        assert (group.max(1).values - group.min(1).values).min() > size / 2  # each class sees all of it
    layer.draw(torch.zeros(2 * size, dtype=torch.bool))  # nothing varies at all
    assert layer.candidates.min() >= 0 and layer.candidates.max() < 2 * size


def test_a_table_network_learns_the_majority_of_three_bits() -> None:
    x = torch.randint(0, 2, (512, 12)).float()
    y = (x[:, [2, 5, 9]].sum(1) > 1).long()
    model = torch.nn.Sequential(q.Comparisons(12, [1]), q.LutLayer(12, 8, 4), q.GroupSum(8, 2))
    q.fit_tables(model, x)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(100):
        loss = torch.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float((model.eval()(x).argmax(1) == y).float().mean()) == 1


def test_saved_codes_answer_with_the_same_bits(tmp_path: Path) -> None:
    model, x = net(), torch.randint(0, 256, (64, 6)).float()
    q.fit_tables(model, x)
    with torch.no_grad():
        model[3].bias.copy_(torch.tensor([3.3, -7, 9]))
    expected = model.eval()(x)
    q.save_codes(model, tmp_path / "net.safetensors")
    assert torch.equal(model.eval()(x), expected) and not model[1].scores.requires_grad
    torch.manual_seed(5)
    assert torch.equal(q.load_codes(net(), tmp_path / "net.safetensors")(x), expected)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: q.LutLayer(8, 4, 7), "fan-in of 7"),
        (lambda: q.LutLayer(8, 4, surrogate="guess"), "efd, multilinear"),
        (lambda: q.LutLayer(9, 4, near=3, picture=(2, 4)), "maps of 2 x 4 pixels"),
        (lambda: q.Comparisons(8, [3, 3]), "ascend"),
        (lambda: q.GroupSum(9, 2), "multiple of 2"),
        (lambda: q.GroupSum(9, 2, [3, 4]), "7 bits"),
    ],
)
def test_refusals(make: Any, said: str) -> None:
    with pytest.raises(EdgeTernaryError, match=said):
        make()


def test_a_penalty_takes_readers_from_bits_that_cost_and_have_few() -> None:
    model = torch.nn.Sequential(q.Comparisons(9, [64, 128]), q.LutLayer(18, 4, 2), q.GroupSum(4, 2))
    layer, penalty = model[1], q.TablePenalty(model, 2.0)
    share = torch.softmax(layer.scores.detach() * layer.rate, 1)
    expected = 0.0
    for bit in range(9):  # comparisons with 128 cost nothing
        readers = float(share[layer.candidates == bit].sum())
        expected += readers / (1 + readers) / 7 / 18 * 2
    assert float(penalty().detach()) == pytest.approx(expected, rel=1e-5)
    optimizer = torch.optim.Adam([layer.scores], lr=0.1)
    for _ in range(50):
        optimizer.zero_grad()
        penalty().backward()
        optimizer.step()
    assert (layer.wiring() >= 9).all()
    q.set_progress(model, 0.9)  # the wiring stays as it is now
    assert not penalty().requires_grad


def test_the_price_of_a_table_that_is_read() -> None:
    model = torch.nn.Sequential(q.Comparisons(3, [7]), q.LutLayer(3, 5, 2), q.LutLayer(5, 4, 3))
    first, second = (price for _, price in q.TablePenalty(model).layers)
    assert first.tolist() == [1.0] * 3 and second.tolist() == [1.0] * 5
