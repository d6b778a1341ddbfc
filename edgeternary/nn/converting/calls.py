"""A call of the float model as a layer: F.relu(x), x.relu() and nn.ReLU()(x) are one thing."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

WINDOW = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
AVERAGE = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
SIZE = ("output_size",)
DROPPED = ("inplace", "training", "_stacklevel", "dtype")

# {function or method: (layer, names of its arguments after the first)}
FUNCTIONS: Mapping[Any, tuple[type[nn.Module], tuple[str, ...]]] = {
    F.relu: (nn.ReLU, ()),
    F.relu_: (nn.ReLU, ()),
    torch.relu: (nn.ReLU, ()),
    torch.relu_: (nn.ReLU, ()),
    "relu": (nn.ReLU, ()),
    "relu_": (nn.ReLU, ()),
    F.relu6: (nn.ReLU6, ()),
    F.leaky_relu: (nn.LeakyReLU, ("negative_slope",)),
    F.leaky_relu_: (nn.LeakyReLU, ("negative_slope",)),
    F.elu: (nn.ELU, ("alpha",)),
    F.celu: (nn.CELU, ("alpha",)),
    F.selu: (nn.SELU, ()),
    F.gelu: (nn.GELU, ("approximate",)),
    F.silu: (nn.SiLU, ()),
    F.mish: (nn.Mish, ()),
    F.hardswish: (nn.Hardswish, ()),
    F.hardsigmoid: (nn.Hardsigmoid, ()),
    F.softplus: (nn.Softplus, ("beta", "threshold")),
    F.hardtanh: (nn.Hardtanh, ("min_val", "max_val")),
    F.softsign: (nn.Softsign, ()),
    F.hardshrink: (nn.Hardshrink, ("lambd",)),
    torch.hardshrink: (nn.Hardshrink, ("lambd",)),
    F.softshrink: (nn.Softshrink, ("lambd",)),
    F.tanhshrink: (nn.Tanhshrink, ()),
    F.threshold: (nn.Threshold, ("threshold", "value")),
    F.rrelu: (nn.RReLU, ("lower", "upper")),
    F.logsigmoid: (nn.LogSigmoid, ()),
    F.sigmoid: (nn.Sigmoid, ()),
    torch.sigmoid: (nn.Sigmoid, ()),
    "sigmoid": (nn.Sigmoid, ()),
    "sigmoid_": (nn.Sigmoid, ()),
    F.tanh: (nn.Tanh, ()),
    torch.tanh: (nn.Tanh, ()),
    "tanh": (nn.Tanh, ()),
    "tanh_": (nn.Tanh, ()),
    F.softmax: (nn.Softmax, ("dim",)),
    torch.softmax: (nn.Softmax, ("dim",)),
    "softmax": (nn.Softmax, ("dim",)),
    F.log_softmax: (nn.LogSoftmax, ("dim",)),
    torch.log_softmax: (nn.LogSoftmax, ("dim",)),
    "log_softmax": (nn.LogSoftmax, ("dim",)),
    F.max_pool1d: (nn.MaxPool1d, WINDOW),
    F.max_pool2d: (nn.MaxPool2d, WINDOW),
    torch.max_pool1d: (nn.MaxPool1d, WINDOW),
    torch.max_pool2d: (nn.MaxPool2d, WINDOW),
    F.avg_pool1d: (nn.AvgPool1d, AVERAGE),
    F.avg_pool2d: (nn.AvgPool2d, AVERAGE),
    torch.avg_pool1d: (nn.AvgPool1d, AVERAGE),
    F.adaptive_avg_pool1d: (nn.AdaptiveAvgPool1d, SIZE),
    torch.adaptive_avg_pool1d: (nn.AdaptiveAvgPool1d, SIZE),
    F.adaptive_avg_pool2d: (nn.AdaptiveAvgPool2d, SIZE),
    F.adaptive_max_pool1d: (nn.AdaptiveMaxPool1d, SIZE),
    F.adaptive_max_pool2d: (nn.AdaptiveMaxPool2d, SIZE),
    F.interpolate: (nn.Upsample, ("size", "scale_factor", "mode", "align_corners")),
    F.upsample: (nn.Upsample, ("size", "scale_factor", "mode", "align_corners")),
    F.pixel_shuffle: (nn.PixelShuffle, ("upscale_factor",)),
    torch.pixel_shuffle: (nn.PixelShuffle, ("upscale_factor",)),
    F.normalize: (nn.LayerNorm, ()),
}
ARITHMETIC: Mapping[Any, Callable[..., Any]] = {
    operator.add: operator.add,
    operator.iadd: operator.add,
    torch.add: operator.add,
    "add": operator.add,
    "add_": operator.add,
    operator.sub: operator.sub,
    operator.isub: operator.sub,
    torch.sub: operator.sub,
    "sub": operator.sub,
    "sub_": operator.sub,
    operator.mul: operator.mul,
    operator.imul: operator.mul,
    torch.mul: operator.mul,
    torch.multiply: operator.mul,
    "mul": operator.mul,
    "mul_": operator.mul,
    operator.truediv: operator.truediv,
    torch.div: operator.truediv,
    "div": operator.truediv,
    "div_": operator.truediv,
    "divide": operator.truediv,
    operator.itruediv: operator.truediv,
}
ELEMENTWISE = {
    torch.abs,
    "abs",
    torch.square,
    "square",
    torch.exp,
    "exp",
    torch.sqrt,
    "sqrt",
    torch.neg,
    "neg",
    operator.neg,
    torch.clamp,
    "clamp",
    "clip",
    torch.clip,
    operator.pow,
    torch.pow,
    "pow",
    torch.log,
    "log",
    torch.sin,
    "sin",
    torch.log1p,
    "log1p",
    abs,
    torch.reciprocal,
    "reciprocal",
    operator.abs,
    "clamp_",
    "clamp_min",
    "clamp_max",
    torch.clamp_min,
    torch.sign,
    "sign",
    torch.rsqrt,
    "rsqrt",
    torch.cos,
    "cos",
}
UNCHANGED = {
    "contiguous",
    "clone",
    torch.clone,
    "detach",
    "float",
    "to",
    "type",
    "requires_grad_",
    "half",
    "double",
    "cpu",
    "cuda",
    "type_as",
}


@dataclass(frozen=True)
class Call:
    """One call. layer: what it does as a layer of torch, if it is one; args: positional and by name."""

    node: fx.Node
    layer: nn.Module | None
    is_layer: bool

    @property
    def path(self) -> str:
        """Of the layer, or the name of the call."""
        return str(self.node.target) if self.is_layer else self.node.name

    @property
    def inputs(self) -> list[fx.Node]:
        return self.node.all_input_nodes

    @property
    def was(self) -> str:
        """The class of the layer or the function's name."""
        if self.layer is not None and self.is_layer:
            return type(self.layer).__name__
        target = self.node.target
        return target if isinstance(target, str) else str(getattr(target, "__name__", target)).strip("_")

    def bound(self, *names: str, **defaults: Any) -> dict[str, Any]:
        """The arguments after the first by name."""
        given = {**dict(zip(names, self.node.args[1:], strict=False)), **self.node.kwargs}
        return {**defaults, **{n: v for n, v in given.items() if n in names}}


def call_of(node: fx.Node, traced: fx.GraphModule) -> Call:
    """The call of a node; a function that is a layer of torch's becomes that layer."""
    if node.op == "call_module":
        return Call(node, traced.get_submodule(str(node.target)), True)
    kind, names = FUNCTIONS.get(node.target, (None, ()))
    if kind is None:
        return Call(node, None, False)
    given = {**dict(zip(names, node.args[1:], strict=False)), **node.kwargs}
    given = {
        k: v for k, v in given.items() if k not in (*DROPPED, "input", "recompute_scale_factor", "antialias")
    }
    if kind is nn.LayerNorm:
        given = {"normalized_shape": 1}
    return Call(node, kind(**given), False)
