"""What people write in float models: converted and lowered exactly, or refused by name with a remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
END = "at the end of the model"
Forward = Callable[[Any, Tensor], Tensor]


class Net(nn.Module):
    """A network whose forward() is `forward`, with layers to be used."""

    def __init__(self, forward: Forward) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.point, self.plain = nn.Conv2d(4, 3, 1), nn.Conv2d(4, 3, 1, bias=False)
        self.relu, self.sigmoid = nn.ReLU(), nn.Sigmoid()
        self.pool, self.average = nn.MaxPool2d(2), nn.AvgPool2d(2)
        self.drop, self.noise = nn.Dropout(0.5), nn.AlphaDropout()
        self.fc, self.small, self.wide = nn.Linear(4 * 36, 8), nn.Linear(4, 8), nn.Linear(4 * 9, 8)
        self.out, self.series = nn.Linear(8, 3), nn.Conv1d(2, 4, 3, padding=1)
        self.function = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


def body(n: Any, x: Tensor) -> Tensor:
    """(N, 2, 6, 6) to (N, 4, 6, 6) after a ReLU."""
    return n.relu(n.norm(n.conv(x)))


def head(n: Any, x: Tensor) -> Tensor:
    return n.out(F.relu(n.fc(x.flatten(1))))


def mapped(f: Forward) -> Forward:
    """f on the codes of the map, then the head."""
    return lambda n, x: head(n, f(n, body(n, x)))


def pooled(f: Forward, first: str = "small") -> Forward:
    """f makes 4 (small) or 36 (wide) features of the map."""
    return lambda n, x: n.out(F.relu(getattr(n, first)(f(n, body(n, x)))))


def last(f: Forward) -> Forward:
    """f on the logits."""
    return lambda n, x: f(n, head(n, body(n, x)))


def series(f: Forward) -> Forward:
    """f makes (N, 4) of (N, 4, 36)."""
    return lambda n, x: n.out(F.relu(n.small(f(n, F.relu(n.series(x.flatten(2)))))))


def random_scale(n: Any, x: Tensor) -> Tensor:
    return x * torch.rand(1)


def auxiliary(n: Any, x: Tensor) -> Tensor:
    return n.relu(x) if n.training else x


IDIOMS: dict[str, tuple[Forward, str]] = {
    # dropout
    "F.dropout, self.training": (mapped(lambda n, x: F.dropout(x, 0.5, n.training)), EXACT),
    "F.dropout, training=self.training": (mapped(lambda n, x: F.dropout(x, training=n.training)), EXACT),
    "F.dropout2d": (mapped(lambda n, x: F.dropout2d(x, 0.5, n.training)), EXACT),
    "F.alpha_dropout": (mapped(lambda n, x: F.alpha_dropout(x, 0.5, n.training)), EXACT),
    "F.feature_alpha_dropout": (mapped(lambda n, x: F.feature_alpha_dropout(x, 0.5, n.training)), EXACT),
    "torch.dropout": (mapped(lambda n, x: torch.dropout(x, 0.5, n.training)), EXACT),
    "F.dropout twice": (
        mapped(lambda n, x: F.dropout(F.dropout(x, 0.2, n.training), 0.1, n.training)),
        EXACT,
    ),
    "F.dropout before the nonlinearity": (
        lambda n, x: head(n, F.relu(F.dropout(n.conv(x), 0.5, n.training))),
        EXACT,
    ),
    "F.dropout of the logits": (last(lambda n, x: F.dropout(x, 0.5, n.training)), EXACT),
    "F.dropout, p=0": (mapped(lambda n, x: F.dropout(x, 0.0)), EXACT),
    "F.dropout, training=False": (mapped(lambda n, x: F.dropout(x, 0.5, training=False)), EXACT),
    "nn.Dropout": (mapped(lambda n, x: n.drop(x)), EXACT),
    "nn.AlphaDropout": (mapped(lambda n, x: n.noise(x)), EXACT),
    "hand-written F.dropout": (
        mapped(lambda n, x: F.dropout(x, 0.5)),
        r"'dropout'.*drops elements in eval.*nn.Dropout",
    ),
    "hand-written torch.dropout": (
        mapped(lambda n, x: torch.dropout(x, 0.5, True)),
        r"'dropout'.*in eval mode",
    ),
    "dropout in eval mode only": (mapped(lambda n, x: F.dropout(x, 0.5, not n.training)), "in eval mode"),
    "p by the mode": (
        mapped(lambda n, x: F.dropout(x, 0.5 if n.training else 0.1, n.training)),
        "not the same in train mode",
    ),
    "a branch on self.training": (mapped(auxiliary), r"'relu\w*'.*not the same in train mode.*both modes"),
    "a constant by self.training": (mapped(lambda n, x: x * (2 if n.training else 3)), "'mul'.*not the same"),
    "a random constant": (mapped(random_scale), r"_tensor_constant.*random numbers"),
    # average pools
    "AvgPool2d": (pooled(lambda n, x: n.average(x).flatten(1), "wide"), EXACT),
    "F.avg_pool2d": (pooled(lambda n, x: F.avg_pool2d(x, 2).flatten(1), "wide"), EXACT),
    "F.avg_pool2d of the map": (pooled(lambda n, x: F.avg_pool2d(x, 6).flatten(1)), EXACT),
    "F.adaptive_avg_pool2d": (pooled(lambda n, x: F.adaptive_avg_pool2d(x, (1, 1)).flatten(1)), EXACT),
    "mean((2, 3))": (pooled(lambda n, x: x.mean((2, 3))), EXACT),
    "mean([-1, -2])": (pooled(lambda n, x: x.mean(dim=[-1, -2])), EXACT),
    "torch.mean with keepdim": (pooled(lambda n, x: torch.mean(x, (2, 3), keepdim=True).flatten(1)), EXACT),
    "adaptive, squeezed twice": (
        pooled(lambda n, x: F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1)),
        EXACT,
    ),
    "adaptive, squeezed": (pooled(lambda n, x: F.adaptive_avg_pool2d(x, 1).squeeze(3).squeeze(2)), EXACT),
    "F.avg_pool1d": (series(lambda n, x: F.avg_pool1d(x, 36).flatten(1)), EXACT),
    "F.adaptive_avg_pool1d": (series(lambda n, x: F.adaptive_avg_pool1d(x, 1).squeeze(-1)), EXACT),
    "padded AvgPool2d": (pooled(lambda n, x: F.avg_pool2d(x, 3, 2, padding=1).flatten(1), "wide"), EXACT),
    "padded on one axis": (
        pooled(lambda n, x: F.avg_pool2d(x, 3, 2, (0, 1)).mean((2, 3))),
        EXACT,
    ),
    "ceil_mode": (pooled(lambda n, x: F.avg_pool2d(x, 4, 4, ceil_mode=True).mean((2, 3))), EXACT),
    "divisor_override": (pooled(lambda n, x: F.avg_pool2d(x, 6, divisor_override=9).flatten(1)), EXACT),
    "adaptive to 2x2": (
        pooled(lambda n, x: F.adaptive_avg_pool2d(x, 2).mean((2, 3))),
        EXACT,
    ),
    "a window of the map's size": (pooled(lambda n, x: F.avg_pool2d(x, x.size()[2:]).flatten(1)), EXACT),
    # heads
    "logits": (last(lambda n, x: x), EXACT),
    "map of logits": (lambda n, x: n.plain(body(n, x)), EXACT),
    "sigmoid": (last(lambda n, x: torch.sigmoid(x)), EXACT),
    "x.sigmoid()": (last(lambda n, x: x.sigmoid()), EXACT),
    "nn.Sigmoid": (last(lambda n, x: n.sigmoid(x)), EXACT),
    "tanh": (last(lambda n, x: x.tanh()), EXACT),
    "relu": (last(lambda n, x: n.relu(x)), EXACT),
    "sigmoid, then dropout": (last(lambda n, x: n.drop(x.sigmoid())), EXACT),
    "sigmoid and squeeze": (last(lambda n, x: x.sigmoid().squeeze(1)), EXACT),
    "log_softmax": (last(lambda n, x: F.log_softmax(x, dim=1)), EXACT),
    "softmax": (last(lambda n, x: x.softmax(1)), EXACT),
    "codes of the body": (body, EXACT),
    "conv, then average": (lambda n, x: F.adaptive_avg_pool2d(n.point(body(n, x)), 1).flatten(1), EXACT),
    "conv, then mean": (lambda n, x: n.plain(body(n, x)).mean((2, 3)), EXACT),
    "conv, ReLU, then average": (
        lambda n, x: F.adaptive_avg_pool2d(F.relu(n.plain(body(n, x))), 1).flatten(1),
        EXACT,
    ),
    "conv with a bias": (lambda n, x: n.point(body(n, x)), EXACT),
    # where biases go
    "bias, pool, ReLU": (lambda n, x: n.out(F.relu(n.wide(F.relu(n.pool(n.conv(x))).flatten(1)))), EXACT),
    "bias, F.max_pool2d, ReLU": (
        lambda n, x: n.out(F.relu(n.wide(F.relu(F.max_pool2d(n.conv(x), 2)).flatten(1)))),
        EXACT,
    ),
    "bias, dropout, ReLU": (lambda n, x: head(n, n.relu(n.drop(n.conv(x)))), EXACT),
    "bias, then a layer": (lambda n, x: n.out(n.fc(body(n, x).flatten(1))), EXACT),
    "bias, then an average": (
        lambda n, x: n.out(F.relu(n.small(F.avg_pool2d(n.conv(x), 6).flatten(1)))),
        EXACT,
    ),
    "bias, then a sum": (lambda n, x: head(n, F.relu(n.conv(x) + n.conv(x))), EXACT),
}


@pytest.fixture(scope="module")
def images() -> Tensor:
    noise = torch.randint(0, 256, (48, 2, 6, 6), generator=torch.Generator().manual_seed(0)).float()
    noise[0], noise[1] = 0, 255
    return noise


@pytest.mark.parametrize("name", IDIOMS)
def test_exact_or_refused(name: str, images: Tensor) -> None:
    forward, expected = IDIOMS[name]
    model = Net(forward)
    if expected:
        for training in (True, False):
            with pytest.raises(EdgeTernaryError, match=f"(?s){expected}") as caught:
                q.convert(model.train(training), images)
            assert caught.value.why and caught.value.remedy
        return
    check = list(IDIOMS).index(name) % 3 == 0  # the dry run lowers once more
    converted = q.convert(model, images, quiet=True, check=check).eval()
    graph = lower(converted, images)
    codes = images.numpy().transpose(0, 2, 3, 1).astype(np.int32)
    answer = run(graph, codes, on="torch", options={"torch_model": converted})
    np.testing.assert_array_equal(answer.outputs, run(graph, codes).outputs)
    assert len(np.unique(answer.outputs)) > 2
    with torch.no_grad():
        assert torch.equal(converted(images), converted(images)), "eval mode draws nothing"
        if "dropout" in name.lower() and "False" not in name and "p=0" not in name:
            converted.train()
            assert not torch.equal(converted(images), converted(images)), "train mode drops"


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_the_model_does_not_matter(training: bool, images: Tensor) -> None:
    """A dropout follows the converted model's own mode, whatever the float model was in."""
    model = Net(IDIOMS["F.dropout, self.training"][0]).train(training)
    converted = q.convert(model, images, quiet=True)
    assert converted.training is training
    (drop,) = [m for m in converted.modules() if isinstance(m, nn.Dropout)]
    assert drop.p == 0.5 and drop.training is training and not drop.eval().training


def test_what_a_pool_makes_inexact_is_said(images: Tensor) -> None:
    head = nn.Flatten(), nn.LazyLinear(2)
    pools = {
        "full size": nn.AvgPool2d(3, 3, ceil_mode=True),
        "count_include_pad": nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
    }
    for said, pool in pools.items():
        model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), pool, *head)
        assert said in str(q.convert(model, images, quiet=True).report)
        head = nn.Flatten(), nn.LazyLinear(2)
