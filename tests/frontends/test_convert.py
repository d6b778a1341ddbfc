"""Somebody's own float model: converted, trained a little, lowered, the same bits."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.run import run  # noqa: E402

pytestmark = pytest.mark.torch


class Own(nn.Module):
    """Layers as modules and as functions, with and without batch-norm."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(8)
        self.pool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(8, 16, 3)
        self.act2 = nn.ReLU()
        self.mean = nn.AvgPool2d(2)
        self.drop = nn.Dropout(0.1)
        self.fc1 = nn.Linear(16 * 4, 24)
        self.fc2 = nn.Linear(24, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(torch.relu(self.norm1(self.conv1(x))))
        x = self.mean(self.act2(self.conv2(x)))
        x = F.relu(self.fc1(self.drop(torch.flatten(x, 1))))
        return self.fc2(x)


@pytest.fixture
def images() -> torch.Tensor:
    noise = torch.randint(0, 128, (64, 1, 12, 12), generator=torch.Generator().manual_seed(0)).float()
    return noise + 64.0 * (torch.arange(64) % 3)[:, None, None, None].clamp_max(1)


@pytest.mark.parametrize(
    ("weights", "kind"), [("ternary", 2), ("binary", "bipolar"), (4, 8), ("ternary_absmean", "ternary")]
)
def test_a_converted_model_trains_and_lowers(weights, kind, images):
    torch.manual_seed(1)
    pixels = q.InputSpec.normalized(0.5, 0.25)
    model = q.convert(Own(), images, weights=weights, activations=kind, inputs=pixels, quiet=True)
    labels = (torch.arange(64) % 3).clamp_max(1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    model.eval()
    graph = lower(model, images, name="own")
    assert {"conv1", "conv2", "fc1", "fc2"} <= set(graph.values)
    codes = images.numpy().transpose(0, 2, 3, 1).astype(np.int32)
    numpy, answer = (
        run(graph, codes, on="numpy"),
        run(graph, codes, on="torch", options={"torch_model": model}),
    )
    np.testing.assert_array_equal(answer.outputs, numpy.outputs)
    assert len(np.unique(numpy.outputs)) > 2


@pytest.mark.parametrize("kind", [2, 8])
def test_one_relu_module_in_two_places(kind, images):
    """It becomes two activations, each with a batch-norm of its own width."""

    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm, self.fc1, self.fc2 = (
                nn.Conv2d(1, 4, 5),
                nn.BatchNorm2d(4),
                nn.Linear(256, 6),
                nn.Linear(6, 3),
            )
            self.relu, self.flat = nn.ReLU(), nn.Flatten()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc2(self.relu(self.fc1(self.flat(self.relu(self.norm(self.conv(x)))))))

    model = q.convert(Shared(), images, activations=kind, quiet=True).eval()
    quantisers = [m for m in model.modules() if isinstance(m, q.Activation if kind == 2 else q.Requantize)]
    norms = [m.weight.shape[0] for m in model.modules() if isinstance(m, q.BatchNorm)]
    assert len(quantisers) == 2 and sorted(norms) == [4, 6]
    codes = images.numpy().transpose(0, 2, 3, 1).astype(np.int32)
    graph = lower(model, images)
    answer = run(graph, codes, on="torch", options={"torch_model": model})
    np.testing.assert_array_equal(answer.outputs, run(graph, codes, on="numpy").outputs)


def test_weights_start_from_the_float_ones(images):
    torch.manual_seed(2)
    own = Own()
    model = q.convert(own, images, weights="binary", quiet=True)
    signs = torch.where(own.conv2.weight >= 0, 1.0, -1.0)
    torch.testing.assert_close(model.eval().conv2.codes(), signs, rtol=0, atol=0)
    assert own.conv2.weight.abs().max() < 1, "the float model is not touched"


def test_what_has_no_integer_form_is_named(images):
    reflect = nn.Conv2d(1, 4, 3, padding=1, padding_mode="reflect")
    model = nn.Sequential(reflect, nn.ReLU(), nn.Flatten(), nn.Linear(4 * 144, 2))
    with pytest.raises(EdgeTernaryError, match=r"layer '0' .Conv2d. cannot be converted"):
        q.convert(model, images)


def test_untraceable_models_are_refused(images):
    class Branching(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(EdgeTernaryError, match="cannot be traced"):
        q.convert(Branching(), images)


def test_plain_batch_norms_are_replaced_and_reported(images):
    model = nn.Sequential(
        q.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), q.Activation(2), q.Flatten(), q.Output(400, 3)
    )
    model(images)
    model.eval()
    graph = lower(model, images)
    assert graph.meta.info["replaced"] == "1"
    assert isinstance(model[1], nn.BatchNorm2d), "the caller's model is not touched"
    assert q.replace_batch_norms(model) == ["1"]
    codes = images.numpy().transpose(0, 2, 3, 1).astype(np.int32)
    answer = run(graph, codes, on="torch", options={"torch_model": model})
    np.testing.assert_array_equal(answer.outputs, run(graph, codes, on="numpy").outputs)


def test_plain_layers_with_integer_weights_lower():
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        q.Activation("bipolar"),
        nn.Flatten(),
        nn.Linear(64, 3),
    )
    with torch.no_grad():
        for layer in (model[0], model[4]):
            layer.weight.copy_(torch.randint(-2, 3, layer.weight.shape))
            layer.bias.copy_(torch.randint(-9, 9, layer.bias.shape))
    q.replace_batch_norms(model.eval())
    x = torch.randint(0, 4, (32, 2, 4, 4)).float()
    graph = lower(model, x, input_type="uint2")
    assert graph.op("4").weight_type == "int3"
    outputs = run(graph, x.numpy().transpose(0, 2, 3, 1).astype(np.int32), on="numpy").outputs
    np.testing.assert_array_equal(outputs, model(x).detach().numpy())
