"""What surrounds a model: autocast, oneDNN, dtypes, first frames of a stream; and the check at the end."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError  # noqa: E402
from edgeternary.frontends import torch_layers  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.run import run  # noqa: E402
from tests.frontends.idioms import act, integers  # noqa: E402
from tests.frontends.nets import adversarial, image_net, series_net, shifted_net  # noqa: E402
from tests.frontends.test_exact import assert_same, image_inputs, to_torch  # noqa: E402

pytestmark = pytest.mark.torch


def plain_conv() -> torch.nn.Module:
    """An integer convolution of torch itself."""
    return torch.nn.Sequential(
        integers(torch.nn.Conv2d(2, 8, 3, padding=1, bias=False)), *act(8), q.Flatten(), q.Output(792, 3)
    )


@pytest.mark.parametrize("make", [lambda: image_net("ternary", 8), lambda: shifted_net(2)])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_changes_nothing(make, dtype):
    """Codes of more than 8 bits do not fit bfloat16: layers in eval mode compute without autocast."""
    inputs = np.random.default_rng(1).integers(0, 1024, (9, 11, 9, 2)).astype(np.int32)
    model = adversarial(make(), to_torch(inputs))
    with torch.autocast("cpu", dtype=dtype):
        graph = lower(model, to_torch(inputs), input_type="uint10")
        assert_same(graph, model, inputs, 9)
        logits = model(to_torch(inputs))
    outputs = run(graph, inputs).outputs
    np.testing.assert_array_equal(
        outputs.astype(np.float32) * np.float32(graph.meta.logit_scale), logits.detach().numpy()
    )
    assert torch.equal(logits, model(to_torch(inputs)))


@pytest.fixture
def rounded():
    """Float32 products are rounded to bfloat16 inside, where the processor has it."""
    conv = getattr(torch.backends.mkldnn, "conv", None)
    torch.set_float32_matmul_precision("medium")
    if conv is not None:
        conv.fp32_precision = "bf16"
    yield
    torch.set_float32_matmul_precision("highest")
    if conv is not None:
        conv.fp32_precision = "none"


def test_reduced_precision_changes_nothing(rounded):
    """Output and convolutions on codes of 10 bits, which bfloat16 does not hold."""
    inputs = np.random.default_rng(1).integers(0, 1024, (9, 11, 9, 2)).astype(np.int32)
    model = adversarial(image_net("ternary", 8), to_torch(inputs))
    assert_same(lower(model, to_torch(inputs), input_type="uint10"), model, inputs, 9)
    x = torch.randint(0, 1024, (99, 64)).float()
    layer = q.Linear(64, 32, weights=8).eval()
    right = (x.double() @ layer.codes().double().T).float()
    assert torch.equal(layer(x), right)


@pytest.mark.parametrize("layer", [torch.nn.Linear(8, 3), torch.nn.Conv2d(2, 4, 3)])
def test_layers_of_torch_need_the_whole_precision(rounded, layer):
    x = torch.zeros(1, 8) if isinstance(layer, torch.nn.Linear) else torch.zeros(1, 2, 5, 5)
    with pytest.raises(EdgeTernaryError, match=r"round float32.*edgeternary.nn"):
        lower(integers(layer), x)


def test_autocast_in_a_series():
    x = torch.randint(-512, 512, (9, 3, 20)).float()
    model = adversarial(series_net(), x)
    with torch.autocast("cpu"):
        logits = model(x)
    assert torch.equal(logits, model(x))


def test_convolutions_of_torch_need_onednn():
    """NNPACK rounds sums: refused where torch would take it, and off in the torch executor."""
    inputs = image_inputs(32)
    model = adversarial(plain_conv(), to_torch(inputs))
    graph = lower(model, to_torch(inputs), input_type="uint4")
    assert_same(graph, model, inputs, 32)
    with torch.backends.mkldnn.flags(enabled=False):
        with pytest.raises(EdgeTernaryError, match=r"layer '0' \(Conv2d\).*NNPACK.*edgeternary.nn.Conv2d"):
            lower(model, to_torch(inputs), input_type="uint4")
        assert_same(graph, model, inputs, 32)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("wrap", ["plain", "streaming", "spiking"])
def test_other_dtypes_are_refused_by_layer(dtype, wrap):
    body = torch.nn.Sequential(q.Linear(6, 4), q.LIF(4), q.Linear(4, 2), q.Readout(2))
    model = {
        "plain": lambda: image_net("ternary", 2),
        "streaming": lambda: q.Streaming(series_net(), 20),
        "spiking": lambda: q.Spiking(body, 3),
    }[wrap]().to(dtype)
    shape = {"plain": (1, 2, 11, 9), "streaming": (1, 3, 20), "spiking": (1, 6)}[wrap]
    name = str(dtype).removeprefix("torch.")
    with pytest.raises(EdgeTernaryError, match=rf"layer '(net\.)?0' .*{name}.*model.float\(\)"):
        lower(model, torch.zeros(shape))


def bipolar_stream(fill: int) -> q.Streaming:
    net = torch.nn.Sequential(
        q.Conv1d(3, 6, 4), q.BatchNorm(6), q.Activation(2), q.SumPool(), q.BatchNorm(6), q.Activation(2),
        q.Flatten(), q.Output(6, 3),
    )  # fmt: skip
    return q.Streaming(net, 7, fill)


@pytest.mark.parametrize(
    ("fill", "input_type"), [(-1, "bipolar"), (1, "bipolar"), (0, "uint2"), (3, "uint2")]
)
def test_a_stream_begins_as_the_graph_does(fill, input_type):
    rng = np.random.default_rng(0)
    frames = rng.choice([-1, 1] if input_type == "bipolar" else [0, 1, 2, 3], (5, 20, 3)).astype(np.int32)
    x = torch.from_numpy(frames.transpose(0, 2, 1).astype(np.float32))
    model = bipolar_stream(fill)
    adversarial(model.net, x[:, :, :7])
    step = lower(model, x[:, :, :7], input_type=input_type)
    found = run(step, frames).outputs.astype(np.float32) * np.float32(step.meta.logit_scale)
    np.testing.assert_array_equal(found, model.over(x).numpy())


def test_a_stream_begins_with_codes_that_it_has():
    with pytest.raises(EdgeTernaryError, match=r"cannot begin with frames of 0.*fill"):
        lower(bipolar_stream(0).eval(), -torch.ones(1, 3, 7), input_type="bipolar")


def test_the_check_names_the_layer_of_a_planted_fault(monkeypatch):
    """A lowering that pads on the other side is found."""
    x = to_torch(image_inputs(4))
    model = adversarial(image_net("ternary", 2), x)

    def shifted(c, x, weight, stride, pad, *rest):
        top, left, bottom, right = pad
        return torch_layers.conv2d(c, x, weight, stride, (bottom, right, top, left), *rest)

    monkeypatch.setitem(torch_layers.LAYERS, torch.ops.edgeternary.conv2d.default, shifted)
    with pytest.raises(EdgeTernaryError, match=r"layer '0' \(Conv2d\) is not lowered exactly") as caught:
        lower(model, x, input_type="uint4")
    assert caught.value.code == NOT_BIT_EXACT
    assert lower(model, x, input_type="uint4", check=False).ops


def test_convert_needs_running_statistics_too():
    norm = torch.nn.BatchNorm2d(4, track_running_stats=False)
    head = torch.nn.Flatten(), torch.nn.Linear(32, 3)
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3), norm, torch.nn.ReLU(), *head)
    with pytest.raises(EdgeTernaryError, match=r"layer '1' \(BatchNorm2d\).*running statistics"):
        q.convert(model, torch.randint(0, 256, (4, 2, 6, 4)).float())


def test_the_model_is_left_as_it_was():
    model = q.Spiking(torch.nn.Sequential(q.Linear(6, 4), q.LIF(4), q.Linear(4, 2), q.Readout(2)), 3)
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    lower(model, torch.zeros(1, 6))
    assert all(m.training for m in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
