"""torch and the integer graph agree in every value: ties, signs of gamma, batch sizes, oneDNN."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeternary import nn as q  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.run import run  # noqa: E402
from tests.frontends.nets import adversarial, encoded_net, image_net, series_net, shifted_net  # noqa: E402

pytestmark = pytest.mark.torch

CASES = [
    ("ternary", "bipolar"), ("binary", "bipolar"), ("ternary", 2), ("ternary_absmean", "ternary"), (4, 4),
    ("ternary", "binary"), ("binary", "int3"), ("ternary", 5), ("ternary", 8), (8, "int8"),
]  # fmt: skip


def image_inputs(count: int, seed: int = 1) -> np.ndarray:
    """Codes (count, 11, 9, 2) of a uint4 sensor: narrow, so that accumulators meet their thresholds often."""
    inputs = np.random.default_rng(seed).integers(0, 16, (count, 11, 9, 2)).astype(np.int32)
    inputs[0], inputs[-1] = 0, 15
    return inputs


def to_torch(inputs: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(inputs.transpose(0, 3, 1, 2)).astype(np.float32))


def assert_same(graph, model, inputs, batch: int) -> None:
    numpy = run(graph, inputs, on="numpy", taps=True)
    answer = run(graph, inputs, on="torch", taps=True, options={"torch_model": model, "batch": batch})
    compared = [name for name in graph.values if name in answer.taps]
    assert len(compared) >= len(graph.ops) - 2, "almost every layer has a tap"
    for name in compared:
        np.testing.assert_array_equal(answer.taps[name], numpy.taps[name], err_msg=name)
    np.testing.assert_array_equal(answer.outputs, numpy.outputs)


@pytest.mark.parametrize(("weights", "kind"), CASES)
def test_image_nets(weights, kind):
    inputs = image_inputs(64)
    model = adversarial(image_net(weights, kind), to_torch(inputs))
    graph = lower(model, to_torch(inputs), name="net", input_type="uint4")
    for onednn in (True, False):
        with torch.backends.mkldnn.flags(enabled=onednn):
            assert_same(graph, model, inputs, 64)
            assert_same(graph, model, inputs[:9], 1)


@pytest.mark.parametrize("kind", ["bipolar", 2, "int4"])
def test_series_nets(kind):
    inputs = np.random.default_rng(2).integers(-8, 8, (64, 1, 20, 3)).astype(np.int32)
    x = torch.from_numpy(np.ascontiguousarray(inputs[:, 0].transpose(0, 2, 1)).astype(np.float32))
    model = adversarial(series_net(kind), x)
    graph = lower(model, x, input_type="int4")
    assert graph.input.shape == (1, 20, 3)
    assert_same(graph, model, inputs, 64)
    assert_same(graph, model, inputs[:5], 1)


@pytest.mark.parametrize("chosen", [0, 1])
@pytest.mark.parametrize("kind", ["bipolar", "binary", "ternary", 2, "int4"])
def test_learned_shifts_become_thresholds(kind, chosen):
    inputs = image_inputs(64)
    model = shifted_net(kind)
    with torch.no_grad():
        model[9].logits[chosen] = 1
    model = adversarial(model, to_torch(inputs))
    graph = lower(model, to_torch(inputs), input_type="uint4")
    thresholds = [op.name for op in graph.ops if op.kind == "threshold"]
    assert thresholds == ["3", "5", f"9.options.{chosen}", "12"]
    assert_same(graph, model, inputs, 64)
    assert_same(graph, model, inputs[:9], 1)


@pytest.mark.parametrize("kind", ["bipolar", "binary"])
@pytest.mark.parametrize(
    ("encode", "planes", "ops"),
    [
        (lambda kind: q.Binarize(9, kind), 1, ["threshold"]),
        (lambda kind: q.Thermometer([1, 8, 9, 15], kind), 4, ["threshold"] * 4 + ["concat"]),
        (lambda kind: q.Thermometer(3, kind, bits=4), 3, ["threshold"] * 3 + ["concat"]),
        (lambda kind: q.Thermometer([7], kind), 1, ["threshold"]),
        (lambda kind: q.Thermometer(1, kind, bits=4), 1, ["threshold"]),
        (lambda kind: q.BitPlanes(4, 1, kind), 1, ["lookup"]),
        (lambda kind: q.BitPlanes(4, kind=kind), 4, ["lookup"] * 4 + ["concat"]),
        (lambda kind: q.BitPlanes(8, 2, kind), 2, ["lookup"] * 2 + ["concat"]),
    ],
    ids=[
        "binarize",
        "thermometer",
        "even thermometer",
        "one threshold",
        "half",
        "one bit plane",
        "bit planes",
        "two bit planes",
    ],
)
def test_encodings(encode, planes, ops, kind):
    inputs = image_inputs(64)
    net = encoded_net(encode(kind), planes, -1 if kind == "bipolar" else 0)
    model = adversarial(net, to_torch(inputs))
    graph = lower(model, to_torch(inputs), input_type="uint4")
    assert [op.kind for op in graph.ops][: len(ops)] == ops
    assert graph.values[graph.ops[len(ops) - 1].name].type.name == kind
    assert_same(graph, model, inputs, 64)
    assert_same(graph, model, inputs[:9], 1)


def test_one_float_step_of_a_shift_is_seen():
    """A shift moves to the next smaller float: sums that lay exactly on it change sides."""
    inputs = image_inputs(64)
    model = adversarial(shifted_net("bipolar"), to_torch(inputs))
    graph = lower(model, to_torch(inputs), name="net", input_type="uint4")
    with torch.no_grad():
        ties = (model[:5](to_torch(inputs)) == model[5].shift[:, None, None]).sum((0, 2, 3))
        channel = int(ties.argmax())
        assert ties[channel] > 100
        model[5].shift[channel] = torch.nextafter(model[5].shift[channel], torch.tensor(9.0))
    taps = run(graph, inputs, on="torch", taps=True, options={"torch_model": model}).taps["5"]
    different = (taps != run(graph, inputs, on="numpy", taps=True).taps["5"]).sum((0, 1, 2))
    assert different[channel] == ties[channel] and different.sum() == ties[channel]


def test_ties_do_happen():
    """The nets are adversarial: accumulators equal a batch-norm's mean, where only exactness decides."""
    inputs = image_inputs(64)
    model = adversarial(image_net("ternary", "bipolar"), to_torch(inputs))
    ties = 0

    def count(module, args, output):
        nonlocal ties
        ties += int((args[0] == module.running_mean.reshape(-1, *[1] * (args[0].dim() - 2))).sum())

    from edgeternary.nn import BatchNorm

    for module in model.modules():
        if isinstance(module, BatchNorm):
            module.register_forward_hook(count)
    model(to_torch(inputs))
    assert ties > 1000


class Joined(torch.nn.Module):
    """One activation after two layers, a concatenation, and branches that meet after a flatten."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = q.Conv2d(2, 4, 3), q.Conv2d(2, 4, 3)
        self.norm_a, self.norm_b, self.act = q.BatchNorm(4), q.BatchNorm(4), q.Activation(2)
        half = torch.nn.Sequential(q.Flatten(), q.BatchNorm(504), q.Activation("ternary"))
        self.sum = q.Residual(
            half, torch.nn.Sequential(q.Flatten(), q.BatchNorm(504), q.Activation("ternary"))
        )
        self.norm, self.sign, self.out = q.BatchNorm(504), q.Activation("bipolar"), q.Output(504, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        both = torch.cat([self.act(self.norm_a(self.a(x))), self.act(self.norm_b(self.b(x)))], 1)
        return self.out(self.sign(self.norm(self.sum(both))))


def test_reused_modules_concatenation_and_flattened_sums():
    inputs = image_inputs(64)
    model = adversarial(Joined(), to_torch(inputs))
    graph = lower(model, to_torch(inputs), input_type="uint4")
    assert {"act", "act#2", "sum"} <= set(graph.values)
    for batch in (7, 64):
        numpy = run(graph, inputs, on="numpy", taps=True)
        answer = run(graph, inputs, on="torch", taps=True, options={"torch_model": model, "batch": batch})
        np.testing.assert_array_equal(answer.outputs, numpy.outputs)
        assert {"a", "act", "sum", "sign"} <= set(answer.taps)
        for name, value in answer.taps.items():
            np.testing.assert_array_equal(value, numpy.taps[name], err_msg=name)


def test_logits_are_accumulators_times_one_scale():
    inputs = image_inputs(16)
    model = adversarial(image_net("ternary", 2), to_torch(inputs))
    graph = lower(model, to_torch(inputs), input_type="uint4")
    outputs = run(graph, inputs, on="numpy").outputs
    with torch.no_grad():
        logits = model(to_torch(inputs)).numpy()
    np.testing.assert_array_equal(outputs.astype(np.float32) * np.float32(graph.meta.logit_scale), logits)


def test_one_float_step_of_one_bias_is_seen_at_its_layer():
    """A sign's zero bias becomes the next smaller float: accumulators equal to the mean change sides."""
    from edgeternary.run.compare import compare

    inputs = image_inputs(64)
    model = adversarial(image_net("ternary", "bipolar"), to_torch(inputs))
    graph = lower(model, to_torch(inputs), name="net", input_type="uint4")
    options = {"torch": {"torch_model": model}}
    assert compare(graph, inputs, ["torch"], options=options)[-1].mismatches == 0
    norm = model[2]  # between the first pool and the sign that is layer 3
    with torch.no_grad():
        at_mean = (model[:2](to_torch(inputs)) == norm.running_mean[:, None, None]).sum((0, 2, 3))
        channel = int(((norm.bias == 0) & (at_mean > 100)).nonzero()[0])
        norm.bias[channel] = torch.nextafter(torch.tensor(0.0), torch.tensor(-1.0))
    seen = compare(graph, inputs, ["torch"], options=options)[-1]
    assert seen.mismatches and seen.difference
    assert seen.difference.layer == "3"
    assert seen.difference.index[-1] == channel
