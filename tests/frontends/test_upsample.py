"""Upsample, Mul and Add: torch and the graph agree, gradients are those of torch's own functions."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.nn import ops  # noqa: E402
from tests.frontends.nets import adversarial  # noqa: E402
from tests.frontends.test_exact import assert_same, image_inputs, to_torch  # noqa: E402

pytestmark = pytest.mark.torch


class UNet(nn.Module):
    """A map of half the size is brought back and joined with what it was made of."""

    def __init__(self, kind, fill: str = "repeat") -> None:
        super().__init__()
        self.first = nn.Sequential(q.Conv2d(2, 6, 3, pad=1), q.BatchNorm(6), q.Activation(kind))
        self.down = nn.Sequential(q.Conv2d(6, 6, 2, 2), q.BatchNorm(6), q.Activation(kind))
        self.up = q.Upsample(2, fill)
        self.last = q.Conv2d(12, 3, (2, 3))
        self.norm, self.act, self.sum = q.BatchNorm(3), q.Activation("int3"), q.SumPool()
        self.out = nn.Sequential(q.Flatten(), q.Output(3, 3))

    def forward(self, x):
        x = self.first(x)
        y = torch.cat([self.up(self.down(x)), x], 1)
        return self.out(self.act(self.norm(self.sum(self.last(y)))))


class Gated(nn.Module):
    """Squeeze-and-excitation: a gate for each channel, of `gate` codes, multiplies a map of `kind` codes."""

    def __init__(self, kind="int4", gate="uint4", flat: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(q.Conv2d(2, 5, 3, pad=1), *quantizer(5, kind))
        layer = [q.Flatten(), q.Linear(5, 5)] if flat else [q.Conv2d(5, 5, 1)]
        self.gate = nn.Sequential(q.AvgPool(None, q.Activation("uint4")), *layer, *quantizer(5, gate))
        self.mul, self.norm, self.act = q.Mul(), q.BatchNorm(5), q.Activation(2)
        self.out = nn.Sequential(q.AvgPool(None, q.Activation("uint4")), q.Flatten(), q.Output(5, 3))

    def forward(self, x):
        x = self.body(x)
        return self.out(self.act(self.norm(self.mul(x, self.gate(x)))))


class Joined(nn.Module):
    """A sum whose quantisers share one scale."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Sequential(q.Conv2d(2, 4, 3, pad=1), q.BatchNorm(4))
        self.b = nn.Sequential(q.Conv2d(2, 4, 1), q.BatchNorm(4))
        self.one, self.two, self.add = q.Activation("int3"), q.Activation("int3"), q.Add()
        self.two.scale = self.one.scale
        self.out = nn.Sequential(
            q.BatchNorm(4), q.Activation(2), q.AvgPool(None, q.Activation(4)), q.Flatten(), q.Output(4, 3)
        )

    def forward(self, x):
        return self.out(self.add(self.one(self.a(x)), self.two(self.b(x))))


def quantizer(channels: int, kind) -> list[nn.Module]:
    wide = kind in ("int8", "uint8")
    return [q.Requantize(channels, kind)] if wide else [q.BatchNorm(channels), q.Activation(kind)]


NETS = {
    "repeat": (lambda: UNet(2), ["upsample", "concat"]),
    "repeat, bipolar": (lambda: UNet("bipolar"), ["upsample", "concat"]),
    "zero": (lambda: UNet("ternary", "zero"), ["upsample", "concat"]),
    "uint4 gate": (lambda: Gated("uint4"), ["upsample", "mul"]),
    "flat gate": (lambda: Gated("int4", flat=True), ["upsample", "mul"]),
    "uint8 gate of int8": (lambda: Gated("int8", "uint8"), ["upsample", "mul"]),
    "sum": (Joined, ["add"]),
}


@pytest.mark.parametrize("name", NETS)
def test_networks_are_exact(name):
    make, kinds = NETS[name]
    torch.manual_seed(3)
    inputs = image_inputs(32)[:, :10, :8]
    model = adversarial(make(), to_torch(inputs))
    graph = lower(model, to_torch(inputs), input_type="uint4")
    found = [op.kind for op in graph.ops]
    assert all(kind in found for kind in kinds), found
    assert_same(graph, model, inputs, 32)
    assert_same(graph, model, inputs[:5], 1)


@pytest.mark.parametrize("fill", ["repeat", "zero"])
def test_series(fill):
    torch.manual_seed(4)
    net = nn.Sequential(
        q.Conv1d(3, 4, 3), q.BatchNorm(4), q.Activation("int3"), q.Upsample(3, fill), q.Conv1d(4, 2, 2),
        q.BatchNorm(2), q.Activation(2), q.AvgPool(None, q.Activation(4)), q.Flatten(), q.Output(2, 3),
    )  # fmt: skip
    inputs = np.random.default_rng(2).integers(-8, 8, (32, 1, 9, 3)).astype(np.int32)
    x = torch.from_numpy(np.ascontiguousarray(inputs[:, 0].transpose(0, 2, 1)).astype(np.float32))
    model = adversarial(net, x)
    graph = lower(model, x, input_type="int4")
    assert graph.op("3").factor == (1, 3) and graph.op("3").fill == fill
    assert_same(graph, model, inputs, 32)


def test_a_factor_of_1_is_no_layer():
    x = torch.ones(1, 2, 3, 4)
    assert q.Upsample(1)(x) is x
    assert q.Upsample((2, 1))(x[:, :, 0]).shape == (1, 2, 4)


@pytest.mark.parametrize("factor", [(2, 3), (1, 2)])
def test_repeated_pixels_are_torchs_nearest(factor):
    x = torch.randn(2, 3, 4, 5, requires_grad=True)
    ours, theirs = q.Upsample(factor)(x), F.interpolate(x, scale_factor=factor, mode="nearest")
    assert torch.equal(ours, theirs)
    weight = torch.randn_like(ours)
    gradients = [torch.autograd.grad((y * weight).sum(), x)[0] for y in (ours, theirs)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("stride", [(2, 3), (3, 1)])
def test_zeros_and_a_convolution_are_a_transposed_one(stride):
    """y = conv(pad(zeros between), flipped kernel), of which the zeros after the last pixel are left out."""
    torch.manual_seed(5)
    x = torch.randint(-8, 8, (2, 3, 4, 5)).double().requires_grad_()
    weight = torch.randint(-2, 3, (3, 2, 3, 4)).double()
    wide = q.Upsample(stride, "zero")(x)
    flipped = weight.transpose(0, 1).flip(2, 3)
    ours = F.conv2d(F.pad(wide, (3, 4 - stride[1], 2, 3 - stride[0])), flipped)
    theirs = F.conv_transpose2d(x, weight, stride=stride)
    assert torch.equal(ours, theirs)
    gradients = [torch.autograd.grad(y.square().sum(), x)[0] for y in (ours, theirs)]
    assert torch.equal(*gradients)


@pytest.mark.parametrize("gate", [(2, 3, 1, 1), (2, 3), (2, 3, 4, 5)])
def test_products_and_their_gradients_are_torchs(gate):
    a, b = (torch.randn(shape, dtype=torch.double, requires_grad=True) for shape in ((2, 3, 4, 5), gate))
    assert torch.equal(q.Mul()(a, b), a * (b if b.dim() == 4 else b[..., None, None]))
    assert torch.equal(q.Mul()(b, a), q.Mul()(a, b))
    assert torch.autograd.gradcheck(ops.mul, (a, b))


def test_what_is_impossible_is_refused():
    with pytest.raises(EdgeTernaryError, match="factor is an integer from 1 on"):
        q.Upsample(0)
    with pytest.raises(EdgeTernaryError, match="one of repeat, zero"):
        q.Upsample(2, "linear")
    x = torch.zeros(1, 2, 6, 6)
    with pytest.raises(EdgeTernaryError, match="it fills with 0, which is no bipolar code"):
        lower(UNet("bipolar", "zero").eval(), x)

    class Wrong(Gated):
        def forward(self, x):
            return self.out(self.mul(self.body(x), self.body(x)[:, :, :1].contiguous()))

    with pytest.raises(EdgeTernaryError):
        lower(Wrong().eval(), x)
