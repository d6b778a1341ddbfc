"""Every weight quantiser, sparse layers, blocks and shifts by powers of two: torch and graph agree."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeternary import nn as q  # noqa: E402
from edgeternary import passes  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.nn.linear import Quantized  # noqa: E402
from edgeternary.nn.quantizers import weight_quantizer  # noqa: E402
from tests.frontends.nets import adversarial, block_net, mixed_net  # noqa: E402
from tests.frontends.test_exact import assert_same, image_inputs, to_torch  # noqa: E402

pytestmark = pytest.mark.torch

KINDS = [
    "binary", "ternary", "ternary_absmean", "ternary_learned", "ternary_learned_channel", 2, 4, 8, "lsq2",
    "lsq4", "lsq3_channel", "pow2_3", "pow2_4", "lsq8",
]  # fmt: skip
SPARSE = ["ternary", "ternary_absmean", "ternary_learned", 4, "lsq3_channel", "pow2_3", "lsq4"]


def prepared(net, inputs):
    """Learnt steps of either sign and different sizes, then ties everywhere."""
    for layer in net.modules():
        ratio = getattr(getattr(layer, "quantizer", None), "ratio", None)
        if ratio is not None:
            with torch.no_grad():
                ratio.mul_(torch.linspace(0.6, -1.4, ratio.numel()).reshape(ratio.shape))
    return adversarial(net, to_torch(inputs))


def saved_and_loaded(model, fresh, path):
    q.save_codes(model, path)
    assert all(m.weight.abs().max() <= 1 for m in model.modules() if isinstance(m, Quantized))
    return q.load_codes(fresh, path)


@pytest.mark.parametrize(("weights", "kind"), [("ternary", "bipolar"), ("binary", 2), ("lsq4", 8)])
def test_blocks(weights, kind):
    inputs = image_inputs(24)
    model = prepared(block_net(weights, kind), inputs)
    graph = lower(model, to_torch(inputs), name="net", input_type="uint4")
    assert_same(graph, model, inputs, 24)
    assert_same(graph, model, inputs[:3], 1)


def test_every_kind_of_weights(tmp_path):
    """Also frozen, and read from a file: the same bits."""
    inputs = image_inputs(24)
    model = prepared(mixed_net(KINDS), inputs)
    graph = lower(model, to_torch(inputs), name="net", input_type="uint4")
    types = [op.weight_type for op in graph.ops if hasattr(op, "weight_type")]
    assert types[1:-1] == [weight_quantizer(kind).name for kind in KINDS]
    assert_same(graph, model, inputs, 24)
    before = model(to_torch(inputs)).detach()
    again = saved_and_loaded(model, mixed_net(KINDS), tmp_path / "net.safetensors")
    for answer in (model, again):
        np.testing.assert_array_equal(answer(to_torch(inputs)).detach(), before)
    q.freeze(again)
    np.testing.assert_array_equal(again(to_torch(inputs)).detach(), before)


@pytest.fixture
def unfolded(monkeypatch):
    """Dead channels stay, so that every weight and multiplier of the model is in the graph."""
    kept = tuple(each for each in passes.PASSES if each is not passes.fold_dead_channels)
    monkeypatch.setattr(passes, "PASSES", kept)


@pytest.mark.parametrize("scope", ["layer", "model"])
def test_sparse_models_carry_their_zeros(scope, tmp_path, unfolded):
    inputs = image_inputs(24)
    model = prepared(mixed_net(SPARSE, 16), inputs)
    q.set_sparsity(model, 0.8, scope=scope)
    graph = lower(model, to_torch(inputs), name="net", input_type="uint4")
    assert_same(graph, model, inputs, 24)
    codes = np.concatenate([op.weights.ravel() for op in graph.ops if hasattr(op, "weights")])
    assert 0.8 <= np.mean(codes == 0) < 0.9
    before, shares = model(to_torch(inputs)).detach(), q.zero_shares(model)
    again = saved_and_loaded(model, mixed_net(SPARSE, 16), tmp_path / "net.safetensors")
    np.testing.assert_array_equal(again(to_torch(inputs)).detach(), before)
    assert q.zero_shares(again) == q.zero_shares(model) == shares


def shift_net(power_of_two: bool = True) -> torch.nn.Module:
    return torch.nn.Sequential(
        q.Conv2d(2, 8, 3, weights=4), q.Requantize(8, 8, power_of_two=power_of_two),
        q.Conv2d(8, 8, 3, stride=2), q.Requantize(8, "int6", power_of_two=power_of_two),
        q.Flatten(), q.Output(8 * 4 * 3, 5),
    )  # fmt: skip


def test_powers_of_two_need_no_multiplier(unfolded):
    inputs = image_inputs(64)
    forms = {}
    for power_of_two in (True, False):
        model = adversarial(shift_net(power_of_two), to_torch(inputs))
        graph = lower(model, to_torch(inputs), name="net", input_type="uint4")
        assert_same(graph, model, inputs, 64)
        found = [op for op in graph.ops if op.kind == "requantize"]
        forms[power_of_two] = {op.form(graph.values[op.inputs[0]]) for op in found}
        if power_of_two:
            assert {int(m) for op in found for m in op.m} == {-1, 0, 1}
    assert forms == {True: {"A"}, False: {"B"}}


def test_float_weights_are_refused_until_they_are_switched_off():
    inputs = image_inputs(4)
    model = adversarial(mixed_net(["ternary"]), to_torch(inputs))
    layer = model[3]
    layer.float_weights = True
    with pytest.raises(EdgeTernaryError, match=r"(?s)'3'.*float.*float_weights"):
        lower(model, to_torch(inputs), input_type="uint4")
    layer.float_weights = False
    lower(model, to_torch(inputs), input_type="uint4")


def test_one_weight_more_or_less_is_seen(unfolded):
    """A graph whose weights differ from torch's in one code fails the comparison."""
    inputs = image_inputs(24)
    model = prepared(mixed_net(["lsq4"]), inputs)
    graph = lower(model, to_torch(inputs), name="net", input_type="uint4")
    layer = model[3]
    with torch.no_grad():
        layer.weight.flatten()[layer.weight.abs().argmax()] *= -1
    with pytest.raises(AssertionError):
        assert_same(graph, model, inputs, 24)
