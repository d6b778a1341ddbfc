"""Networks as tutorials and papers write them: converted and lowered exactly, or refused with a remedy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.run import run  # noqa: E402

pytestmark = pytest.mark.torch

EXACT = ""


class Mnist(nn.Module):
    """The example of PyTorch's repository."""

    def __init__(self, end: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3, 1), nn.Conv2d(4, 8, 3, 1)
        self.dropout1, self.dropout2 = nn.Dropout(0.25), nn.Dropout(0.5)
        self.fc1, self.fc2, self.end = nn.Linear(8 * 9, 16), nn.Linear(16, 5), end

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = torch.flatten(self.dropout1(F.max_pool2d(x, 2)), 1)
        x = self.fc2(self.dropout2(F.relu(self.fc1(x))))
        return self.end(x)


class LeNet(nn.Module):
    """One average pool in two places."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.pool = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, 3), nn.AvgPool2d(2, 2)
        self.fc1, self.fc2 = nn.Linear(8, 12), nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(torch.tanh(self.conv2(self.pool(torch.tanh(self.conv1(x))))))
        return self.fc2(torch.tanh(self.fc1(x.view(x.size(0), -1))))


class Viewed(nn.Module):
    """A view of what a convolution gives, which torch refuses where its memory is channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc1, self.fc2 = nn.Conv2d(1, 4, 3, bias=False), nn.Linear(4 * 64, 8), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        return self.fc2(F.relu(self.fc1(x.view(x.size(0), -1))))


class Block(nn.Module):
    """A ResNet block of float layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(4, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        out = self.norm(self.conv(x))
        out += x
        return F.relu(out)


class Fire(nn.Module):
    """SqueezeNet's: two branches side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze, self.one = nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 1)
        self.three, self.fc = nn.Conv2d(4, 4, 3, padding=1), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x))
        return self.fc(torch.cat([F.relu(self.one(x)), F.relu(self.three(x))], 1).mean([2, 3]))


class Head(nn.Module):
    """SqueezeNet's classifier: a convolution that is averaged."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.classifier = unit(1, 4), nn.Conv2d(4, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(F.relu(self.classifier(self.body(x))), 1).flatten(1)


class Excited(nn.Module):
    """Squeeze and excitation: channels times a sigmoid."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.fc, self.out = unit(1, 4), nn.Linear(4, 4), nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        return self.out((x * torch.sigmoid(self.fc(x.mean((2, 3))))[:, :, None, None]).mean((2, 3)))


def unit(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU6(inplace=True))


def pooled(*layers: nn.Module, features: int = 8) -> nn.Module:
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(features, 5))


def vgg(size: int) -> nn.Module:
    features = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(True), nn.MaxPool2d(2, 2), nn.Conv2d(4, 8, 3, padding=1),
        nn.BatchNorm2d(8), nn.ReLU(True), nn.MaxPool2d(2, 2), nn.AdaptiveAvgPool2d(size),
    )  # fmt: skip
    classifier = nn.Linear(8 * size * size, 12), nn.ReLU(True), nn.Dropout(), nn.Linear(12, 5)
    return nn.Sequential(features, nn.Flatten(), nn.Sequential(*classifier))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "MNIST example": (lambda: Mnist(lambda x: F.log_softmax(x, dim=1)), EXACT),
    "MNIST example, logits": (lambda: Mnist(lambda x: x), EXACT),
    "MNIST example, probabilities": (lambda: Mnist(torch.sigmoid), EXACT),
    "LeNet": (LeNet, EXACT),
    "a view of a convolution": (Viewed, EXACT),
    "MobileNet": (lambda: pooled(unit(1, 4, 3, 2), unit(4, 4, 3, 1, 4), unit(4, 8, 1)), EXACT),
    "VGG": (lambda: vgg(1), EXACT),
    "VGG, adaptive": (lambda: vgg(2), EXACT),
    "SqueezeNet's fire": (Fire, EXACT),
    "SqueezeNet's head": (Head, EXACT),
    "ResNet": (lambda: pooled(unit(1, 4), Block(), features=4), EXACT),
    "linear bottleneck": (
        lambda: pooled(unit(1, 4), *unit(4, 6, 1)[:2], unit(6, 8, 1)), EXACT),
    "squeeze and excitation": (Excited, EXACT),
    "batch-norm first": (lambda: pooled(nn.BatchNorm2d(1), unit(1, 8)), EXACT),
    "recurrent": (lambda: nn.Sequential(nn.Flatten(2), nn.GRU(100, 4)), r"'1' \(GRU\) cannot be converted"),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_exact_or_refused(name: str) -> None:
    make, expected = NETWORKS[name]
    x = torch.randint(0, 256, (48, 1, 10, 10)).float()
    x[0], x[1] = 0, 255
    model = make()
    if expected:
        with pytest.raises(EdgeTernaryError, match=f"(?s){expected}") as caught:
            lower(q.convert(model, x, quiet=True), x)
        assert caught.value.remedy
        return
    converted = q.convert(model, x, quiet=True).eval()
    layers = [path for path, m in model.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    graph, codes = lower(converted, x), x.numpy().transpose(0, 2, 3, 1).astype(np.int32)
    assert set(layers) <= set(graph.values), "paths of modules stay"
    answer = run(graph, codes, on="torch", options={"torch_model": converted})
    np.testing.assert_array_equal(answer.outputs, run(graph, codes).outputs)
    assert len(np.unique(answer.outputs)) > 2
