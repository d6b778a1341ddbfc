"""What cannot be lowered exactly is refused by layer, with the reason and the remedy."""

from __future__ import annotations

from collections import OrderedDict

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402

pytestmark = pytest.mark.torch

IMAGE = torch.zeros(1, 2, 6, 6)
FLAT = torch.zeros(1, 8)


def net(**layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(layers))


def act(channels: int, kind: str | int = 2) -> nn.Module:
    return net(bn=q.BatchNorm(channels), act=q.Activation(kind))


class Sum(nn.Module):
    """Adds two activations without a Residual."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = net(fc=q.Linear(8, 4), act=act(4)), net(fc=q.Linear(8, 4), act=act(4))
        self.out = q.Output(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.a(x) + self.b(x))


class Branching(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum() > 0 else -x


class LogSum(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.logsumexp(1)


def small_pool() -> nn.Module:
    return net(
        conv=q.Conv2d(2, 4, 3), act=act(4), pool=nn.AdaptiveAvgPool2d(1), flat=q.Flatten(), out=q.Output(4, 2)
    )


HEAD = {"out": q.Output(4, 2)}


def wide() -> nn.Module:
    return net(a=q.Conv2d(2, 4, 3), act=act(4, "bipolar"), b=q.Conv2d(4, 4, 3, pad=1), act2=act(4))


CASES = {
    "unknown layer": (net(fc=q.Linear(8, 4), gelu=nn.GELU(), **HEAD), FLAT, r"'gelu' \(GELU\).*Activation"),
    "nested path": (net(body=net(norm=nn.LayerNorm(8))), FLAT, r"'body.norm' \(LayerNorm\).*nn.BatchNorm"),
    "softmax": (net(out=q.Output(8, 2), soft=nn.Softmax(1)), FLAT, r"'soft' \(Softmax\).*argmax"),
    "average pool": (small_pool(), IMAGE, r"'pool' \(AdaptiveAvgPool2d\).*GlobalAvgPool"),
    "no activation": (
        net(fc=q.Linear(8, 4), bn=q.BatchNorm(4), **HEAD), FLAT,
        r"'out' \(Output\).*float output of 'bn'.*Activation",
    ),
    "float weights": (net(fc=nn.Linear(8, 4), act=act(4)), FLAT, r"'fc'.*not made of integers.*convert"),
    "pool after batch-norm": (
        net(conv=q.Conv2d(2, 4, 3), bn=q.BatchNorm(4), pool=q.MaxPool(2)), IMAGE,
        r"'pool'.*before the batch-norm",
    ),
    "no residual": (Sum(), FLAT, r"scales nothing ties together.*nn.Residual"),
    "class scales": (net(fc=q.Linear(8, 4), bn=q.BatchNorm(4)), FLAT, r"layer 'bn'.*one scale.*Output"),
    "bipolar padding": (wide(), IMAGE, r"'b'.*pad value 0.*-1 or \+1"),
    "too narrow a bound": (
        net(fc=q.Linear(8, 4, weights="binary"), rq=q.Requantize(4, 8, bound=8)), FLAT,
        r"'rq' \(Requantize\).*more than its bound.*bound=[0-9]{6}",
    ),
    "not flat": (net(conv=q.Conv2d(2, 4, 3), act=act(4), out=q.Output(16, 2)), IMAGE, r"'out'.*Flatten"),
    "beyond float32": (net(fc=q.Linear(8, 4, weights=8), act=act(4)), FLAT, r"'fc'.*2\^24"),
    "branch on values": (Branching(), FLAT, "cannot be exported"),
    "unknown operator": (net(lse=LogSum()), FLAT, r"'lse' \(LogSum\).*logsumexp"),
    "negative slope": (
        net(fc=q.Linear(8, 4), leak=nn.LeakyReLU(-0.5), act=q.Activation(2)), FLAT, "not monotone",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refused_by_layer(case):
    model, example, message = CASES[case]
    for module in model.modules():
        if isinstance(module, q.Linear) and case == "beyond float32":
            nn.init.ones_(module.weight)
    kind = "uint16" if case in ("beyond float32", "too narrow a bound") else "uint8"
    with pytest.raises(EdgeTernaryError, match=rf"(?s){message}"):
        lower(model, example, input_type=kind)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: q.Activation(8), "Requantize"),
        (lambda: q.Requantize(4, 3), "Activation"),
        (lambda: q.Activation("float"), "uint1..uint16"),
        (lambda: q.Activation("bipolar", surrogate="cubic"), "approx_sign"),
        (lambda: q.Linear(3, 3, weights="fp4"), "ternary_absmean"),
        (lambda: q.AvgPool(2), "quantiser"),
        (lambda: q.Residual(q.Linear(4, 4)), "end both branches"),
        (lambda: q.Residual(act(4, "bipolar"), act(4, 2)), "different steps"),
    ],
)
def test_layers_refuse_at_construction(make, message):
    with pytest.raises(EdgeTernaryError, match=message):
        make()
