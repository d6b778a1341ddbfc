"""Random networks of Brevitas, and FINN's, exported to QONNX by Brevitas' own exporter.

    python benchmarks/brevitas_nets.py nets --count 200    # MLP, CNN, 1-D, depthwise and residual ones
    python benchmarks/brevitas_nets.py nets/finn --finn    # TFC, SFC, LFC and CNV: 1W1A, 1W2A, 2W2A

It runs in an environment of its own, with torch, onnx, onnxoptimizer and brevitas 0.13, and imports nothing
of edgeternary. The files in tests/data/qonnx come from it: `--keep` leaves what readers do not need out.
"""

import argparse
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brevitas.nn as qnn
import onnx
import torch
from brevitas import quant
from brevitas.export import export_qonnx
from torch import nn


class PerChannelFixedPoint(quant.Int8WeightPerTensorFixedPoint):
    scaling_per_output_channel = True


WEIGHTS = [
    quant.Int8WeightPerTensorFloat, quant.Int8WeightPerChannelFloat, quant.Int8WeightPerTensorFixedPoint,
    PerChannelFixedPoint, quant.ShiftedUint8WeightPerTensorFloat,
]  # fmt: skip
SIGNED = [quant.Int8ActPerTensorFloat, quant.Int8ActPerTensorFixedPoint, quant.ShiftedUint8ActPerTensorFloat]
UNSIGNED = [quant.Uint8ActPerTensorFloat, quant.Uint8ActPerTensorFixedPoint]
ROUNDINGS = ["round", "round", "round", "round", "floor", "ceil"]
KINDS = ("mlp", "cnn", "line", "depthwise", "residual")


class Draw:
    """Random choices for one network."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        torch.manual_seed(seed)

    def weights(self) -> dict[str, Any]:
        bits = self.r.choice([1, 1, 2, 2, 3, 4, 5, 6, 8])
        if bits == 1:
            return {"weight_quant": quant.SignedBinaryWeightPerTensorConst}
        shifted = self.r.random() < 0.1
        chosen = WEIGHTS[-1] if shifted else self.r.choice(WEIGHTS[:-1])
        more = {} if shifted else {"weight_narrow_range": self.r.random() < 0.7}
        return {"weight_quant": chosen, "weight_bit_width": min(bits, 7) if shifted else bits, **more}

    def bias(self, quantised: bool) -> dict[str, Any]:
        kind = self.r.choice(["none", "float", "integer"])
        if kind == "integer" and quantised:
            return {"bias": True, "bias_quant": self.r.choice([quant.Int32Bias, quant.Int16Bias])}
        return {"bias": kind != "none"}

    def activation(self, tensor: bool) -> nn.Module:
        bits = self.r.choice([1, 2, 2, 3, 4, 4, 5, 6, 7, 8])
        if bits == 1 and self.r.random() < 0.7:
            return qnn.QuantIdentity(
                act_quant=quant.SignedBinaryActPerTensorConst, return_quant_tensor=tensor
            )
        rounding = {"float_to_int_impl_type": self.r.choice(ROUNDINGS)}
        if self.r.random() < 0.5:
            chosen = self.r.choice(UNSIGNED)
            return qnn.QuantReLU(act_quant=chosen, bit_width=bits, return_quant_tensor=tensor, **rounding)
        chosen = self.r.choice(SIGNED)
        narrow = {"narrow_range": True} if self.r.random() < 0.3 and chosen in SIGNED[:2] else {}
        return qnn.QuantIdentity(
            act_quant=chosen, bit_width=max(bits, 2), return_quant_tensor=tensor, **narrow, **rounding
        )

    def input(self) -> nn.Module:
        chosen = self.r.choice([SIGNED[0], SIGNED[1], UNSIGNED[0], SIGNED[2]])
        bits = self.r.choice([2, 4, 8, 8])
        return qnn.QuantIdentity(act_quant=chosen, bit_width=bits, return_quant_tensor=True)

    def norm(self, channels: int, kind: Callable[[int], Any]) -> nn.Module:
        if self.r.random() < 0.15:
            return nn.Identity()
        norm: Any = kind(channels)
        with torch.no_grad():
            norm.weight.normal_(0.5, 1.0)
            norm.bias.normal_()
            for value in (0.0, -0.5, 1e-6, -1e-30):
                if self.r.random() < 0.3:
                    norm.weight[self.r.randrange(channels)] = value
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.01, 4)
        norm.momentum = 0.5
        return norm


class Chain(nn.Module):
    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Any) -> Any:
        for part in self.parts:
            x = part(x)
        return x


class Residual(nn.Module):
    """Both branches go through one quantiser."""

    def __init__(self, d: Draw, channels: int) -> None:
        super().__init__()
        self.shared = qnn.QuantIdentity(bit_width=d.r.choice([2, 4, 8]), return_quant_tensor=True)
        self.conv = qnn.QuantConv2d(channels, channels, 3, padding=1, bias=False, **d.weights())
        self.norm = d.norm(channels, nn.BatchNorm2d)
        self.after = d.norm(channels, nn.BatchNorm2d)
        self.act = d.activation(True)

    def forward(self, x: Any) -> Any:
        x = self.shared(x)
        y = self.shared(self.norm(self.conv(x)))
        return self.act(self.after(x + y))


def linear(d: Draw, ins: int, outs: int, last: bool = False) -> list[nn.Module]:
    layer = qnn.QuantLinear(ins, outs, **d.bias(True), **d.weights())
    return [layer] if last else [layer, d.norm(outs, nn.BatchNorm1d), d.activation(True)]


def convolution(d: Draw, ins: int, outs: int, **more: Any) -> list[nn.Module]:
    layer = qnn.QuantConv2d(ins, outs, d.r.choice([1, 3]), padding=d.r.choice([0, 1]), **d.bias(True),
                            **d.weights(), **more)  # fmt: skip
    pool = [nn.Identity(), nn.MaxPool2d(2, ceil_mode=True)][d.r.random() < 0.4]
    parts = [layer, d.norm(outs, nn.BatchNorm2d)]
    return [*parts, pool, d.activation(True)] if d.r.random() < 0.3 else [*parts, d.activation(True), pool]


def head(d: Draw, channels: int, size: int, outs: int) -> list[nn.Module]:
    kind = d.r.choice(["flatten", "mean", "trunc"])
    if kind == "mean":
        codes = qnn.QuantIdentity(bit_width=d.r.choice([4, 8]), return_quant_tensor=True)
        return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), codes,
                *linear(d, channels, outs, True)]  # fmt: skip
    if kind == "trunc" and size % 2 == 0:
        pool: nn.Module = qnn.TruncAvgPool2d(2, bit_width=d.r.choice([3, 4, 8]))
        return [qnn.QuantIdentity(bit_width=8, return_quant_tensor=True), pool, nn.Flatten(),
                *linear(d, channels * (size // 2) ** 2, outs, True)]  # fmt: skip
    return [nn.Flatten(), *linear(d, channels * size * size, outs, True)]


def network(kind: str, d: Draw) -> tuple[nn.Module, tuple[int, ...]]:
    """A random network of this kind, and the shape of its input."""
    outs, wide = d.r.randint(2, 6), d.r.choice([5, 8, 12])
    if kind == "mlp":
        ins = d.r.choice([9, 16, 33])
        hidden = linear(d, wide, wide) if d.r.random() < 0.5 else []
        return Chain(d.input(), *linear(d, ins, wide), *hidden, *linear(d, wide, outs, True)), (1, ins)
    if kind == "line":
        ins = d.r.choice([1, 3])
        stride, dilation = d.r.choice([1, 2]), d.r.choice([1, 2])
        layer = qnn.QuantConv1d(ins, wide, 3, stride=stride, dilation=dilation, padding=2,
                                **d.bias(True), **d.weights())  # fmt: skip
        first = [d.input(), layer, d.norm(wide, nn.BatchNorm1d), d.activation(True), nn.Flatten()]
        size = Chain(*first[:1], layer)(torch.randn(1, ins, 16)).shape[-1]
        return Chain(*first, *linear(d, wide * size, outs, True)), (1, ins, 16)
    ins, size = d.r.choice([1, 2, 3]), d.r.choice([6, 8])
    parts = [d.input(), *convolution(d, ins, wide)]
    if kind == "depthwise":
        parts += convolution(d, wide, wide, groups=wide)
    if kind == "residual":
        parts += [Residual(d, wide)]
    shape = Chain(*parts).eval()(torch.randn(1, ins, size, size)).shape
    return Chain(*parts, *head(d, wide, shape[-1], outs)), (1, ins, size, size)


def settled(net: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """The network after some batches, which give its quantisers their scales."""
    net.train()
    with torch.no_grad():
        for _ in range(4):
            net(torch.randn(16, *shape[1:]) * 2)
    for module in net.modules():  # statistics of a batch-norm are drawn, not measured
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.running_var is not None:
            module.running_var.clamp_(min=0.01)
    return net.eval()


def export(net: nn.Module, shape: tuple[int, ...], path: Path, dynamo: bool, keep: bool) -> None:
    export_qonnx(
        net,
        torch.zeros(shape),
        export_path=str(path),
        dynamo=dynamo,
        **({} if dynamo else {"opset_version": 17}),
    )
    if keep:
        model = onnx.load(str(path))
        del model.metadata_props[:], model.graph.metadata_props[:]
        model.producer_version = model.doc_string = ""
        for part in (*model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output):
            part.doc_string = ""
            del part.metadata_props[:]
        del model.graph.value_info[:]
        onnx.save(model, str(path))


def finn(folder: Path) -> None:
    """Brevitas' definitions of FINN's networks, with random weights and drawn statistics."""
    from brevitas_examples.bnn_pynq.models.CNV import CNV
    from brevitas_examples.bnn_pynq.models.FC import FC

    hidden = {"tfc": 64, "sfc": 256, "lfc": 1024}
    for weights, activations in ((1, 1), (1, 2), (2, 2)):
        for name in (*hidden, "cnv"):
            torch.manual_seed(0)
            if name == "cnv":
                net: nn.Module = CNV(10, weights, activations, 8, 3)
                shape: tuple[int, ...] = (1, 3, 32, 32)
            else:
                sizes = [hidden[name]] * 3
                net, shape = FC(10, weights, activations, activations, 1, sizes), (1, 1, 28, 28)
            net.train()
            with torch.no_grad():
                for _ in range(3):
                    net(torch.rand(8, *shape[1:]))
            export(net.eval(), shape, folder / f"{name}_{weights}w{activations}a.onnx", False, False)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=200, help="networks")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--finn", action="store_true", help="FINN's networks instead")
    parser.add_argument("--keep", action="store_true", help="without descriptions, as tests keep them")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.finn:
        finn(options.folder)
        return
    for seed in range(options.first, options.first + options.count):
        kind = KINDS[seed % len(KINDS)]
        net, shape = network(kind, Draw(seed))
        path = options.folder / f"{kind}_{seed:03}.onnx"
        export(settled(net, shape), shape, path, dynamo=seed % 20 == 19, keep=options.keep)
        print(path, f"{path.stat().st_size:,} bytes", flush=True)


if __name__ == "__main__":
    main()
