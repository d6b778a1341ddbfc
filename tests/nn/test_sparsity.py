"""The share of zero weights: per layer and over a model, by a schedule, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.nn.linear import Quantized  # noqa: E402

pytestmark = pytest.mark.torch


def net(weights="ternary", first="ternary") -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        q.Linear(40, 60, first), q.BatchNorm(60), q.Activation(2), q.Linear(60, 50, weights), q.BatchNorm(50),
        q.Activation(2), q.Output(50, 10, weights),
    )  # fmt: skip


def total(model: nn.Module) -> float:
    codes = torch.cat([m.integer_codes().flatten() for m in model.modules() if isinstance(m, Quantized)])
    return float((codes == 0).double().mean())


@pytest.mark.parametrize("weights", ["ternary", "ternary_learned", 4, "lsq3", "pow2_3"])
def test_each_layer_gets_the_share(weights):
    model = net(weights, weights)
    natural = q.zero_shares(model)
    assert q.set_sparsity(model, 0.75) == dict.fromkeys(natural, 0.75)
    for path, share in q.zero_shares(model).items():
        assert 0.75 <= share < 0.755 and natural[path] < 0.5


def test_a_share_below_the_natural_one_changes_nothing():
    model = net()
    natural = q.zero_shares(model)
    q.set_sparsity(model, 0.1)
    assert q.zero_shares(model) == natural


def test_a_model_shares_its_zeros_out():
    """A layer whose weights lie close together loses few of them, one with outliers many."""
    model = net()
    with torch.no_grad():
        model[0].weight.copy_(torch.where(torch.rand(60, 40) < 0.1, 1.0, 0.01) * model[0].weight.sign())
    shares = q.set_sparsity(model, 0.7, scope="model")
    assert total(model) == pytest.approx(0.7, abs=0.001)
    assert shares["0"] > 0.85 > 0.7 > shares["3"]


def test_named_layers_alone():
    model = net()
    before = q.zero_shares(model)
    q.set_sparsity(model, 0.9, ["[36]"])
    after = q.zero_shares(model)
    assert after["0"] == before["0"] and min(after["3"], after["6"]) >= 0.9


def test_binary_layers_are_passed_over_or_refused():
    model = net(first="binary")
    q.set_sparsity(model, 0.6)
    assert q.zero_shares(model)["0"] == 0
    with pytest.raises(EdgeTernaryError, match=r"'0'.*binary"):
        q.set_sparsity(model, 0.6, ["0"])
    with pytest.raises(EdgeTernaryError, match="binary"):
        q.set_sparsity(net("binary", "binary"), 0.6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"share": 1.0}, "share of 1.0"), ({"share": float("nan")}, "share of nan"),
        ({"share": 0.5, "layers": ["conv*"]}, r"no layer matches 'conv\*'.*0, 3, 6"),
        ({"share": 0.5, "scope": "global"}, "layer, model"),
    ],
)  # fmt: skip
def test_refusals(arguments, message):
    with pytest.raises(EdgeTernaryError, match=message):
        q.set_sparsity(net(), **arguments)
    with pytest.raises(EdgeTernaryError):
        q.SparsitySchedule(net(), **{"target" if k == "share" else k: v for k, v in arguments.items()})


def test_schedule_refuses_its_times():
    with pytest.raises(EdgeTernaryError, match=r"0\.7 to 0.3"):
        q.SparsitySchedule(net(), 0.7, start=0.7, end=0.3)


@pytest.mark.parametrize("scope", ["layer", "model"])
def test_a_schedule_goes_from_the_natural_share_to_the_target(scope):
    model = net()
    schedule, natural = q.SparsitySchedule(model, 0.8, 0.2, 0.6, scope=scope), total(model)
    shares = []
    for step in range(101):
        schedule(step / 100)
        shares.append(total(model))
    assert shares[19] == natural and natural < shares[25] < shares[40] < 0.8
    assert shares == sorted(shares)
    assert shares[60] == shares[-1] == pytest.approx(0.8, abs=0.005) and shares[-1] >= 0.8
    # half-way an eighth of the distance is left
    assert shares[40] == pytest.approx(0.8 - (0.8 - natural) / 8, abs=0.01)


@pytest.mark.parametrize("scope", ["layer", "model"])
def test_a_resumed_schedule_goes_on_as_if_nothing_had_happened(scope):
    def run(stop: int | None) -> dict[str, float]:
        model = net()
        schedule = q.SparsitySchedule(model, 0.8, 0.1, 0.9, scope=scope)
        generator = torch.Generator().manual_seed(0)
        for step in range(50):
            if step == stop:
                kept = {k: v.clone() for k, v in model.state_dict().items()}, schedule.state_dict()
                model = net()
                schedule = q.SparsitySchedule(model, 0.8, 0.1, 0.9, scope=scope)
                model.load_state_dict(kept[0])
                schedule.load_state_dict(kept[1])
            schedule(step / 50)
            with torch.no_grad():
                for layer in (model[0], model[3]):
                    layer.weight.add_(torch.randn(layer.weight.shape, generator=generator) * 0.02)
        return {path: layer.zero_share for path, layer in schedule.layers.items()}

    whole = run(None)
    assert all(run(stop) == whole for stop in (3, 17, 44))


def test_shares_are_part_of_a_models_state_only_where_there_are_any():
    model, other = net(), net()
    assert not [name for name in model.state_dict() if name.endswith("zero_share")]
    q.set_sparsity(model, 0.7, ["3"])
    other.load_state_dict(model.state_dict())
    assert [other[i].zero_share for i in (0, 3, 6)] == [0, 0.7, 0]
    np.testing.assert_array_equal(other[3].integer_codes(), model[3].integer_codes())
    other.load_state_dict(net().state_dict())
    assert other[3].zero_share == 0
