"""What nn.convert says and keeps: reports, places in the user's code, input specs, layers of our own."""

from __future__ import annotations

import copy
import inspect as source
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary import quantize  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.run import run  # noqa: E402

pytestmark = pytest.mark.torch


class Block(nn.Module):
    """A residual block with a curve that is no ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.gate = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = F.silu(self.norm(self.conv1(x)))
        return F.relu(x + y * torch.sigmoid(self.gate(y.mean((2, 3))))[:, :, None, None])


class Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.block, self.fc = nn.Conv2d(2, 4, 3), Block(), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(self.fc(self.block(F.relu(self.stem(x))).mean((2, 3))), 1)


class Hopeless(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.conv(x)))
        x = F.layer_norm(x, x.shape[1:])
        return self.fc(x.mean((2, 3)))


@pytest.fixture(scope="module")
def images() -> Tensor:
    x = torch.randint(0, 256, (48, 2, 8, 8), generator=torch.Generator().manual_seed(0)).float()
    x[0], x[1] = 0, 255
    return x


def exact(model: nn.Module, x: Tensor) -> None:
    """The graph gives what model.eval() gives, on every sample."""
    model.eval()
    graph, codes = lower(model, x), x.numpy().transpose(0, 2, 3, 1).astype(np.int32)
    said = run(graph, codes, on="torch", options={"torch_model": model}).outputs
    np.testing.assert_array_equal(said, run(graph, codes).outputs)
    assert len(np.unique(said)) > 2


def line(kind: type[nn.Module], text: str) -> str:
    lines, first = source.getsourcelines(kind)
    return f"{Path(__file__).name}:{first + next(i for i, t in enumerate(lines) if text in t)}"


def test_the_report_names_each_layer_and_what_is_left_off(images: Tensor, capsys) -> None:
    model = q.convert(Own(), images, activations=4)
    assert str(model.report) in capsys.readouterr().err
    data = json.loads(json.dumps(model.report.data()))
    rows = {row["name"]: row for row in data["layers"]}
    assert rows["stem"]["became"] == "Conv2d(ternary)" and rows["fc"]["became"] == "Output(ternary)"
    assert "Curve" in rows["silu"]["became"] and rows["silu"]["shape"] == [4, 6, 6]
    assert rows["silu"]["where"].endswith(line(Block, "F.silu"))
    assert data["left_off"] == ["log_softmax"] and "cross_entropy" in data["notes"][0]
    exact(model, images)


def test_all_refusals_come_at_once_with_their_places(images: Tensor) -> None:
    with pytest.raises(q.Refused) as caught:
        q.convert(Hopeless(), images)
    places = [refusal.where for refusal in caught.value.report.refusals]
    assert [Path(place).name for place in places] == [
        line(Hopeless, "self.norm(self"),
        line(Hopeless, "F.layer"),
    ]
    assert all(place.split(":")[0].endswith(Path(__file__).name) for place in places)
    assert all(text in str(caught.value) for text in ("GroupNorm", "layer_norm", "BatchNorm"))
    found = q.inspect(Hopeless(), images)
    assert isinstance(found, q.Report) and len(found.refusals) == 2


@pytest.mark.parametrize(("weights", "activations"), [("ternary", 4), (8, 8), ("binary", 2)])
def test_a_converted_model_is_converted_to_itself(weights, activations, images: Tensor) -> None:
    once = q.convert(Own(), images, weights=weights, activations=activations, quiet=True)
    again = q.convert(once, images, weights=weights, activations=activations, quiet=True)
    with torch.no_grad():
        assert torch.equal(once.eval()(images), again.eval()(images))
    assert copy.deepcopy(once).report is once.report


def test_layers_of_our_own_stay(images: Tensor) -> None:
    """A model that is ported layer by layer: what is trained already is not fitted again."""
    ours = q.Conv2d(2, 4, 3, weights="int4")
    mixed = nn.Sequential(ours, q.BatchNorm(4), q.Activation(2), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(),
                          nn.Linear(64, 3))  # fmt: skip
    mixed.train()(images)
    before = copy.deepcopy(mixed[1].state_dict())
    model = q.convert(mixed, images, quiet=True)
    assert model.get_submodule("0").weight_kind == "int4"
    torch.testing.assert_close(model.get_submodule("1").state_dict(), before, rtol=0, atol=0)
    exact(model, images)


@pytest.mark.parametrize("learn_scale", [True, False])
def test_a_step_that_is_there_stays_and_is_shared(learn_scale: bool, images: Tensor) -> None:
    """A new branch counts in the step of a quantiser that the model had; that step is not fitted."""

    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.norm = q.Conv2d(2, 4, 3), q.BatchNorm(4)
            self.act = q.Activation(4, 0.37, learn_scale=learn_scale)
            self.conv, self.fc = nn.Conv2d(4, 4, 3, padding=1), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.act(self.norm(self.stem(x)))
            return self.fc(F.relu(x + self.conv(x)).mean((2, 3)))

    mixed = Mixed().train()
    mixed(images)
    step = mixed.act.step_size().item()
    model = q.convert(mixed, images, activations=4, quiet=True)
    assert model.get_submodule("act").step_size().item() == step
    branches = [m for m in model.modules() if getattr(m, "scale", None) is model.get_submodule("act").scale]
    assert len(branches) == 2
    exact(model, images)


@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parametrize("kind", ["int8", "uint8", "int16"])
def test_codes_of_a_spec_are_those_of_the_graph(axis: int, kind: str) -> None:
    """Channels of very different ranges, (N, C, L) or (N, T, C); the zero points are integers."""

    class Series(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv1d(3, 4, 5), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = x if axis == 1 else x.permute(0, 2, 1)
            return self.fc(F.relu(self.conv(x)).mean(2))

    values = torch.randn(32, 3, 12) * torch.tensor([0.01, 1.0, 300.0])[:, None] + 0.3
    values = values if axis == 1 else values.transpose(1, 2).contiguous()
    spec = q.InputSpec.from_data(values, kind, "NCL" if axis == 1 else "NTC")
    codes = spec.codes(values)
    model = q.convert(Series(), codes, inputs=spec, quiet=True, activations=4).eval()
    graph = lower(model, codes)
    floats = values.numpy() if axis == -1 else values.numpy().transpose(0, 2, 1)
    whole = codes.numpy() if axis == -1 else codes.numpy().transpose(0, 2, 1)
    np.testing.assert_array_equal(quantize(graph, floats[:, None]), whole[:, None].astype(np.int32))
    said = run(graph, whole[:, None].astype(np.int32), on="torch", options={"torch_model": model}).outputs
    np.testing.assert_array_equal(said, run(graph, whole[:, None].astype(np.int32)).outputs)


def test_eight_bits_without_training_follow_the_float_model(images: Tensor) -> None:
    torch.manual_seed(0)
    model = Own().train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    pixels = q.InputSpec.normalized((0.4, 0.6), (0.2, 0.3))
    labels = torch.arange(48) % 3
    for _ in range(30):
        optimizer.zero_grad()
        F.nll_loss(model(pixels.values(images)), labels).backward()
        optimizer.step()
    converted = q.convert(model, images, weights=8, activations=8, inputs=pixels, quiet=True).eval()
    with torch.no_grad():
        wanted, given = model.eval()(pixels.values(images)), F.log_softmax(converted(images), 1)
    assert float(torch.corrcoef(torch.stack([wanted.flatten(), given.flatten()]))[0, 1]) > 0.99
    exact(converted, images)


def test_negative_gains_keep_their_sign(images: Tensor) -> None:
    """A batch-norm whose gamma is below 0 turns its channel round, and so must the fitted one."""
    torch.manual_seed(1)
    layers = nn.Conv2d(2, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(216, 5)
    model = nn.Sequential(*layers).train()
    with torch.no_grad():
        model(images)
        model[1].weight.copy_(torch.tensor([1.0, -1, 0.5, -2, 1, -0.7]))
    converted = q.convert(model, images, weights=8, activations=8, quiet=True)
    assert converted.report.correlation > 0.99
    assert bool((converted.get_submodule("2").weight[1::2] < 0).all())


def test_a_value_that_is_turned_round_before_a_maximum(images: Tensor) -> None:
    """The maximum of 1 - x is not 1 - the maximum of x."""

    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(2, 6, 3), nn.Linear(54, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(F.max_pool2d(1 - self.conv(255 - x), 2).flatten(1))

    converted = q.convert(Turned(), images, weights=8, activations=8, quiet=True)
    assert converted.report.correlation > 0.99
    exact(converted, images)


def test_a_value_that_is_changed_in_place(images: Tensor) -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.last = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            F.relu_(x)
            y = F.adaptive_avg_pool2d(F.relu(self.last(x)), 1)
            y.squeeze_(-1)
            y.squeeze_(-1)
            return y

    converted = q.convert(Flat(), images, weights=8, activations=8, quiet=True)
    assert converted.eval()(images).shape == (48, 3) and converted.report.correlation > 0.99
    exact(converted, images)


def test_a_layer_may_have_the_name_of_a_function(images: Tensor) -> None:
    """A convolution called `squeeze` is no reshape: the ReLU after it stays there."""

    class Squeezed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.squeeze, self.flatten, self.mean = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = F.relu(self.flatten(F.relu(self.squeeze(x))))
            return self.mean(x.mean((2, 3)))

    converted = q.convert(Squeezed(), images, weights=8, activations=8, quiet=True)
    assert converted.report.correlation > 0.99
    exact(converted, images)


def test_a_model_that_counts_its_calls_is_refused(images: Tensor) -> None:
    class Counting(Own):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return super().forward(x * self.calls)

    with pytest.raises(EdgeTernaryError, match="cannot be converted"):
        q.convert(Counting(), images)


def test_a_wrong_example_is_named(images: Tensor) -> None:
    with pytest.raises(EdgeTernaryError, match=r"(?s)does not take the example.*'stem'"):
        q.convert(Own(), images[:, :1])
    with pytest.raises(EdgeTernaryError, match=r"2 InputSpecs for 1 inputs"):
        q.convert(Own(), images, inputs=[q.InputSpec(), q.InputSpec()])


def test_a_shared_step_is_one_parameter(images: Tensor) -> None:
    """Fault: with a step of its own for each branch the sum of codes would mean nothing."""
    model = q.convert(Own(), images, activations=4, quiet=True)
    adds = [
        n
        for n in model.graph.nodes
        if isinstance(n.op == "call_module" and model.get_submodule(n.target), q.Add)
    ]
    quantisers = [model.get_submodule(str(n.target)) for n in adds[0].args]
    assert quantisers[0].scale is quantisers[1].scale and quantisers[0].unit == quantisers[1].unit
