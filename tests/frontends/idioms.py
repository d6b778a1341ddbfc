"""What people write between, before and after layers: {name: Idiom}, each exact or refused by name.

A net is flat (N, 8) -> 6 codes -> 3 logits, or a map (N, 2, 5, 4) -> (N, 4, 5, 4) codes -> logits; an idiom
is a function of one tensor that stands at one place of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary import nn as q

EXACT = ""
Function = Callable[[Any, Tensor], Tensor]


class Net(nn.Module):
    """head(middle(body(before(x)))), then `after`: `function` at one of the places.

    c: a buffer of one number a channel.
    """

    def __init__(
        self, body: nn.Module, head: nn.Module, constant: Tensor, place: str, function: Function
    ) -> None:
        super().__init__()
        self.body, self.head, self.place, self.function = body, head, place, function
        self.register_buffer("c", constant)

    def at(self, place: str, x: Tensor) -> Tensor:
        return self.function(self, x) if place == self.place else x

    def forward(self, x: Tensor) -> Tensor:
        codes = self.at("middle", self.body(self.at("before", x)))
        return self.at("after", self.head(codes))


class Written(nn.Module):
    """A function as a layer."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def act(channels: int, kind: str | int = 2) -> list[nn.Module]:
    return [q.BatchNorm(channels), q.Activation(kind)]


def flat(place: str, function: Function, kind: str | int = 2, head: nn.Module | None = None) -> Net:
    body = nn.Sequential(integers(nn.Linear(8, 6, bias=False)), *act(6, kind))
    return Net(body, head or integers(nn.Linear(6, 3)), torch.arange(1.0, 7), place, function)


def image(place: str, function: Function, head: nn.Module | None = None) -> Net:
    body = nn.Sequential(integers(nn.Conv2d(2, 4, 3, padding=1, bias=False)), *act(4))
    head = head or flattened(80)
    return Net(body, head, torch.arange(1.0, 5)[:, None, None], place, function)


@dataclass(frozen=True)
class Idiom:
    """expected: EXACT, or what the refusal says (a pattern). shape and type: of the input."""

    make: Callable[[], nn.Module]
    expected: str
    shape: tuple[int, ...] = (8,)
    input_type: str = "uint4"


def end(function: Callable[[Tensor], Tensor], expected: str) -> Idiom:
    """Integers of a layer of torch (without a scale of its own), then the function."""
    return Idiom(lambda: nn.Sequential(integers(nn.Linear(8, 3)), Written(function)), expected)


def on_flat(function: Function, expected: str, head: nn.Module | None = None) -> Idiom:
    return Idiom(lambda: flat("middle", function, head=head), expected)


def on_map(function: Function, expected: str, head: int | Callable[[], nn.Module] = 80) -> Idiom:
    """head: how many features a Flatten and a Linear take, or another one."""
    make = head if callable(head) else lambda: flattened(head)
    return Idiom(lambda: image("middle", function, make()), expected, (2, 5, 4))


def quantised(function: Function, expected: str) -> Idiom:
    """Float functions of the map's codes, then a quantiser."""
    return on_map(lambda net, x: again(function(net, x)), expected)


def again(x: Tensor) -> Tensor:
    return torch.ops.edgeternary.quantize(x, torch.ones(()), 0, 3)


def module(make: Callable[[], nn.Module], expected: str, shape: tuple[int, ...] = (8,), **rest: Any) -> Idiom:
    return Idiom(make, expected, shape, **rest)


def integers(layer: Any, bias: float | None = None) -> Any:
    """Random weights in -3..3."""
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randint(-3, 4, p.shape))
        if bias is not None:
            layer.bias.fill_(bias)
    return layer


def ones(layer: Any, value: float = 1.0, bias: float | None = None) -> Any:
    with torch.no_grad():
        layer.weight.fill_(value)
        if bias is not None:
            layer.bias.fill_(bias)
    return layer


def flattened(features: int) -> nn.Module:
    return nn.Sequential(q.Flatten(), integers(nn.Linear(features, 3)))


def written_view(net: Any, x: Tensor) -> Tensor:
    y = x - 1
    y.view(len(y), -1).relu_()
    return again(y)


def written_base(net: Any, x: Tensor) -> Tensor:
    y = x - 1
    z = y.view(y.shape)
    F.relu(y, inplace=True)
    return again(z)


def written_codes(net: Any, x: Tensor) -> Tensor:
    F.hardtanh(x.view(x.shape), 0, 1, inplace=True)
    return x


def written_input(net: Any, x: Tensor) -> Tensor:
    F.hardtanh(x, -1, 1, inplace=True)
    return again(x)


def written_and_read(net: Any, x: Tensor) -> Tensor:
    x.relu_()
    return x


def written_dropped(net: Any, x: Tensor) -> Tensor:
    F.dropout(x, 0.5, False).sub(1).relu_()
    return x


def counted(net: Any, x: Tensor) -> Tensor:
    net.c += 1
    return again(x * net.c)


def autocast_inside(net: Any, x: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return net.head(x)


def without_gradient(net: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        return again(x + net.c)


def table_of_constants(net: Any, x: Tensor) -> Tensor:
    table = torch.zeros(4, 1, 1)
    table[1] = 2
    table += 1
    return again(x + table)


def conv1d(channels: int = 4, length: int = 5) -> nn.Module:
    return nn.Sequential(q.Conv1d(channels, 4, 3, weights="binary"), *act(4), flattened(4 * length - 8))


def one_column() -> nn.Module:
    """(N, 2, 5, 4) to codes (N, 4, 5, 1)."""
    return nn.Sequential(integers(nn.Conv2d(2, 4, (1, 4), bias=False)), *act(4))


def column(function: Callable[[Tensor], Tensor], head: int | Callable[[], nn.Module], expected: str) -> Idiom:
    make = head if callable(head) else lambda: flattened(head)
    return Idiom(lambda: nn.Sequential(one_column(), Written(function), make()), expected, (2, 5, 4))


def pooled(function: Callable[[Tensor], Tensor], expected: str) -> Idiom:
    """Codes (N, 4, 1, 1), the function and an Output."""
    return Idiom(
        lambda: nn.Sequential(
            integers(nn.Conv2d(2, 4, 3, padding=1)), q.MaxPool((5, 4)), *act(4), Written(function),
            integers(nn.Linear(4, 3)),
        ),
        expected, (2, 5, 4),
    )  # fmt: skip


class Sum(q.Residual):
    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__(nn.Sequential(integers(nn.Linear(6, 6)), *act(6)))
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.body(x), self.shortcut(x))


def residual(function: Callable[[Tensor, Tensor], Tensor], expected: str) -> Idiom:
    return Idiom(
        lambda: nn.Sequential(
            integers(nn.Linear(8, 6)), *act(6), Sum(function), *act(6, "ternary"), integers(nn.Linear(6, 3))
        ),
        expected,
    )


def torch_conv(expected: str, **options: Any) -> Idiom:
    return Idiom(lambda: nn.Sequential(integers(nn.Conv2d(2, 4, 3, **options)), *act(4)), expected, (2, 5, 4))


def torch_norm(**options: Any) -> Idiom:
    expected = EXACT if options.get("track_running_stats", True) else r"'norm' \(BatchNorm2d\).*statistics"
    return Idiom(
        lambda: nn.Sequential(
            integers(nn.Conv2d(2, 4, 3)), nn.BatchNorm2d(4, **options), q.Activation(2), flattened(24)
        ),
        expected.replace("norm", "1"), (2, 5, 4),
    )  # fmt: skip


class Doubled(nn.BatchNorm2d):
    """A batch-norm of one's own."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * 2


def own_norm() -> nn.Module:
    return nn.Sequential(integers(nn.Conv2d(2, 4, 3)), Doubled(4), q.Activation(2), flattened(24))


def hooked_norm() -> nn.Module:
    norm = nn.BatchNorm2d(4)
    norm.register_forward_hook(lambda module, args, y: y * 2)
    return nn.Sequential(integers(nn.Conv2d(2, 4, 3)), norm, q.Activation(2), flattened(24))


def hooked() -> nn.Module:
    layer = integers(nn.Linear(8, 6))
    layer.register_forward_hook(lambda module, args, y: y * 2 - 1)
    return nn.Sequential(layer, *act(6), integers(nn.Linear(6, 3)))


def hooked_before() -> nn.Module:
    layer = integers(nn.Linear(8, 6))
    layer.register_forward_pre_hook(lambda module, args: (args[0] * 2,))
    return nn.Sequential(layer, *act(6))


def weight_norm() -> nn.Module:
    layer = nn.utils.parametrizations.weight_norm(integers(nn.Linear(8, 6)))
    with torch.no_grad():
        layer.parametrizations.weight.original0.mul_(0.3)
    return nn.Sequential(layer, *act(6))


def rounded_weights() -> nn.Module:
    layer = integers(nn.Linear(8, 6))
    nn.utils.parametrize.register_parametrization(layer, "weight", Written(lambda w: w.round().clamp(-1, 1)))
    return nn.Sequential(layer, *act(6))


def twice() -> nn.Module:
    layer, activation = integers(nn.Linear(8, 8)), nn.Sequential(*act(8))
    return nn.Sequential(layer, activation, layer, activation, integers(nn.Linear(8, 3)))


class TrainsOn(nn.BatchNorm2d):
    def train(self, mode: bool = True) -> TrainsOn:
        return super().train(True)


def trains_on() -> nn.Module:
    return nn.Sequential(integers(nn.Conv2d(2, 4, 3)), TrainsOn(4), q.Activation(2), flattened(24))


class DropsOn(nn.Dropout):
    def train(self, mode: bool = True) -> DropsOn:
        return super().train(True)


def drops_on() -> nn.Module:
    return nn.Sequential(integers(nn.Linear(8, 6)), *act(6), DropsOn(0.5), integers(nn.Linear(6, 3)))


def slope(value: float, channels: int, kind: str | int = 2) -> nn.Module:
    """A leaky ReLU on sums of up to 8 * 127 * 15 * 256: beyond what is tried one by one."""
    layer = ones(nn.Linear(80, channels, bias=False), 127.0)
    return nn.Sequential(layer, nn.LeakyReLU(value), *act(channels, kind))


def in_dtype(dtype: torch.dtype) -> nn.Module:
    return flat("middle", lambda net, x: x).to(dtype)


def scaled_down(net: Any, x: Tensor) -> Tensor:
    return again(torch.add(x, net.c, alpha=0.1))
