"""Figures of layers, and a penalty that is exact forwards and pulls weights to zero backwards."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary import passes  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.ir import parse  # noqa: E402
from edgeternary.nn.cost import nonzeros  # noqa: E402
from edgeternary.nn.linear import Quantized  # noqa: E402
from tests.frontends.nets import block_net, series_net  # noqa: E402

pytestmark = pytest.mark.torch


class Functional(nn.Module):
    """Flattens and concatenates by functions, which no hook sees."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.act = q.Conv2d(2, 4, 3, weights="binary"), q.BatchNorm(4), q.Activation(3)
        self.out = q.Output(8 * 9 * 7, 5, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.act(self.norm(self.conv(x)))
        return self.out(torch.cat([y, y], 1).flatten(1))


CASES = {
    "blocks": (lambda: block_net("ternary", 2), (2, 11, 9), "uint4"),
    "series": (lambda: series_net("int4"), (3, 20), "int4"),
    "functional": (Functional, (2, 11, 9), "uint4"),
}


@pytest.mark.parametrize("case", CASES)
def test_figures_are_those_of_the_graph(case, monkeypatch):
    """Of the graph as the model has it: dead channels, which lowering takes out, stay."""
    kept = tuple(each for each in passes.PASSES if each is not passes.fold_dead_channels)
    monkeypatch.setattr(passes, "PASSES", kept)
    make, shape, kind = CASES[case]
    model, example = make().train(), torch.zeros(1, *shape)
    costs = q.layer_costs(model, example, input_bits=4)
    assert model.training and all(module.training for module in model.modules())
    graph = lower(model, example, input_type=kind)
    ops = [op for op in graph.ops if op.kind in ("dense", "conv2d")]
    assert [cost.name for cost in costs] == [op.name for op in ops]
    for cost, op in zip(costs, ops, strict=True):
        bits = parse(op.weight_type).planes
        assert cost.weights == op.weights.size and cost.nonzeros == (op.weights != 0).sum()
        assert cost.weight_bits == bits and cost.packed_bytes == -(-op.weights.size * bits // 8)
        assert cost.activation_bits == graph.values[op.inputs[0]].type.planes
    assert sum(cost.macs for cost in costs) == graph.macs()


def test_counts_are_exact_and_their_slope_is_that_of_a_ramp():
    layer = q.Linear(50, 8, "ternary_learned")
    count = nonzeros(layer)
    assert count.item() == torch.count_nonzero(layer.integer_codes())
    count.backward()
    w, limit = layer.weight.detach().double(), layer.quantizer.limit(layer.weight).double()
    ramp = lambda v: torch.clamp(v.abs() / (2 * limit), max=1)  # noqa: E731
    wanted = (ramp(w + 1e-6) - ramp(w - 1e-6)) / 2e-6
    smooth = (w.abs() - 2 * limit).abs() > 1e-5
    torch.testing.assert_close(layer.weight.grad[smooth], wanted[smooth].float(), rtol=1e-3, atol=1e-4)
    assert nonzeros(q.Linear(5, 4, "binary")).item() == 20


@pytest.mark.parametrize(
    "price", ["nonzeros", "bytes", "macs", lambda layer: layer.macs if layer.name == "0" else 0.0]
)
def test_a_penalty_prunes_what_it_charges_for(price):
    torch.manual_seed(0)
    model = nn.Sequential(
        q.Conv2d(1, 6, 3), q.BatchNorm(6), q.Activation(2), q.Flatten(), q.Output(6 * 16, 4, "lsq3")
    )
    penalty = q.CostPenalty(model, torch.zeros(1, 1, 6, 6), price, weight=2.0)
    optimizer = torch.optim.SGD([m.weight for m in model.modules() if isinstance(m, Quantized)], 0.05)
    before, first = penalty.share(), q.zero_shares(model)
    assert penalty().item() == pytest.approx(2 * before)
    for _ in range(200):
        optimizer.zero_grad()
        penalty().backward()
        optimizer.step()
    after = q.zero_shares(model)
    assert penalty.share() < before and after["0"] > first["0"]
    assert (after["4"] > first["4"]) == (not callable(price))


def test_prices_by_hand():
    """6 * 9 weights used at 16 positions against 4 * 96 used once."""
    model = nn.Sequential(
        q.Conv2d(1, 6, 3), q.BatchNorm(6), q.Activation(2), q.Flatten(), q.Output(6 * 16, 4, "binary")
    )
    example = torch.zeros(1, 1, 6, 6)
    conv, out = (cost.nonzeros for cost in q.layer_costs(model, example))
    assert q.CostPenalty(model, example, "nonzeros").share() == pytest.approx((conv + out) / (54 + 384))
    assert q.CostPenalty(model, example, "macs").share() == pytest.approx((16 * conv + out) / (864 + 384))
    assert q.CostPenalty(model, example, "bytes").share() == pytest.approx((2 * conv + out) / (108 + 384))
    assert q.CostPenalty(model, example, "macs", layers=["0"]).share() == pytest.approx(conv / 54)


def test_refusals():
    model, example = nn.Sequential(q.Output(4, 2)), torch.zeros(1, 4)
    with pytest.raises(EdgeTernaryError, match=r"no price is called 'joules'.*macs"):
        q.CostPenalty(model, example, "joules")
    with pytest.raises(EdgeTernaryError, match="price"):
        q.CostPenalty(model, example, lambda layer: -1.0)
    with pytest.raises(EdgeTernaryError, match="no layer matches"):
        q.CostPenalty(model, example, layers=["conv"])
