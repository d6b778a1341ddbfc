"""Functions of one element: they wait for the quantiser after them, and become part of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from edgeternary.nn.activations import RPReLU
from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.calls import Call
from edgeternary.nn.converting.heads import Heads
from edgeternary.nn.converting.values import Codes, Elementwise, Float, Logits, Made, Value
from edgeternary.nn.norm import BatchNorm

CURVES = (
    nn.ReLU,
    nn.ReLU6,
    nn.Hardtanh,
    nn.LeakyReLU,
    nn.PReLU,
    nn.RReLU,
    nn.ELU,
    nn.CELU,
    nn.SELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Hardswish,
    nn.Hardsigmoid,
    nn.Sigmoid,
    nn.Tanh,
    nn.Softplus,
    nn.Softsign,
    nn.LogSigmoid,
    nn.Tanhshrink,
    nn.Softshrink,
    nn.Hardshrink,
    nn.Threshold,
)
UNSIGNED = (nn.ReLU, nn.ReLU6, nn.Sigmoid, nn.Hardsigmoid, nn.Softplus)


def curve(b: Builder, heads: Heads, call: Call, x: Value, layer: nn.Module) -> Value:
    if call.node in heads.skipped:
        return x
    if isinstance(layer, nn.RReLU):
        layer = nn.LeakyReLU((layer.lower + layer.upper) / 2)
        b.note("the random slope became its mean")
    if isinstance(layer, nn.ReLU) and isinstance(x, Codes) and x.levels.lo >= 0 and x.affine is None:
        return x
    return _append(b, call, x, _described(b, call, layer))


def _described(b: Builder, call: Call, layer: nn.Module) -> Elementwise:
    path, signed = call.path, not isinstance(layer, UNSIGNED)
    if isinstance(layer, nn.ReLU):
        return Elementwise(layer, path, True, True, relu=True)
    if isinstance(layer, nn.ReLU6):
        return Elementwise(layer, path, True, True, relu=True, top=6.0)
    if isinstance(layer, nn.Hardtanh):
        least = float(layer.min_val)
        return Elementwise(layer, path, least >= 0, True, relu=least == 0, top=float(layer.max_val))
    if isinstance(layer, nn.LeakyReLU):
        return Elementwise(layer, path, False, layer.negative_slope >= 0)
    if isinstance(layer, nn.PReLU):
        return _prelu(b, call, layer)
    return Elementwise(layer, path, not signed)


def _prelu(b: Builder, call: Call, layer: nn.PReLU) -> Elementwise:
    slopes = layer.weight.detach()
    if b.kind.hi - b.kind.lo > 15:
        slope = float(slopes.mean())
        if len(slopes) > 1:
            b.note(f"its slopes became one, {slope:.4g}, their mean: a table serves all channels")
        return Elementwise(nn.LeakyReLU(slope), call.path, False, False)
    if float(slopes.min()) < 0:
        b.note("negative slopes became positive ones: thresholds need a function that rises")
    ours = RPReLU(b.seen[call.node].shape[1])
    with torch.no_grad():
        ours.weight.copy_(slopes.abs().expand_as(ours.weight))
    return Elementwise(ours, call.path, False, True)


def _append(b: Builder, call: Call, x: Value, one: Elementwise) -> Value:
    if isinstance(x, Float):
        return Float(x.base, call.node, x.before, x.norm, x.norm_path, (*x.curves, one))
    if isinstance(x, Codes):
        return Float(x, call.node, call.inputs[0], curves=(one,))
    if isinstance(x, Made):
        node = (
            b.layer(one.path, one.call, x.node)
            if isinstance(one.call, nn.Module)
            else b.call(one.call, x.node)
        )
        return Made(node, call.node)
    if isinstance(x, Logits):
        b.refuse(
            f"{b.name} cannot be converted",
            "it changes the logits, which are integers times one scale",
            "leave it out of the model, and apply it to the logits",
        )
    return x


def after_norm(b: Builder, call: Call, x: Float, norm: BatchNorm) -> Value:
    """A batch-norm after an activation: part of the same thresholds up to 4 bits, else one more layer."""
    if b.kind.hi - b.kind.lo > 15 or b.kind.gap == 2 or not all(c.exact for c in x.curves):
        return Float(b.codes(x), call.node, call.node, norm, call.path)
    return Float(
        x.base,
        call.node,
        x.before,
        x.norm,
        x.norm_path,
        (*x.curves, Elementwise(norm, call.path, False, True)),
    )


class Applied(nn.Module):
    """A function of one element with its other arguments, as a layer."""

    def __init__(
        self,
        function: Callable[..., Any],
        before: tuple[Any, ...],
        after: tuple[Any, ...],
        named: dict[str, Any],
    ) -> None:
        super().__init__()
        self.function, self.before, self.after, self.named = function, before, after, named

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.function(*self.before, x, *self.after, **self.named)
        return y

    def extra_repr(self) -> str:
        return str(getattr(self.function, "__name__", self.function))


def function(b: Builder, call: Call, x: Value, place: int, args: tuple[Any, ...]) -> Value:
    """Any other function of one element and numbers: abs, square, clamp, x + 3."""
    target: Any = call.node.target
    function = getattr(torch.Tensor, target) if isinstance(target, str) else target
    named = {k: v for k, v in call.node.kwargs.items() if k != "input"}
    layer = Applied(function, args[:place], args[place + 1 :], named)
    y = b.seen[call.node].values
    return _append(b, call, x, Elementwise(layer, call.path, bool((y >= 0).all())))


def function_of(b: Builder, call: Call, x: Value, function: Callable[..., Any]) -> Value:
    """function(x), never below 0."""
    return _append(b, call, x, Elementwise(Applied(function, (), (), {}), call.path, True))


def negated(call: Call, x: Value) -> Value:
    """-x, which the quantiser that follows takes in."""
    one = Elementwise(Applied(torch.neg, (), (), {}), f"{call.path}_neg", False, True)
    if isinstance(x, Float):
        return Float(x.base, x.source, x.before, x.norm, x.norm_path, (*x.curves, one))
    if isinstance(x, Codes):
        return Float(x, call.inputs[-1], call.inputs[-1], curves=(one,))
    return x


def affine(b: Builder, call: Call, x: Value, apply: Callable[[Tensor], Tensor]) -> Value:
    """x times or plus constants. On the model's input it is folded into what the codes mean."""
    if isinstance(x, Codes) and x.affine is not None:
        scale, offset = x.affine
        zero, one = torch.zeros_like(scale + offset), torch.ones_like(scale + offset)
        base, step = apply(zero), apply(one) - apply(zero)
        found = step * scale, step * offset + base
        if bool((found[0] == 0).any()) or not torch.isfinite(found[0]).all():
            b.refuse(
                f"{b.name} cannot be converted",
                "it multiplies the input by 0, or by what is no number, in places",
                "choose the channels that count: x[:, a:b]",
            )
        if bool((found[0] > 0).all()):
            return Codes(x.node, x.levels, affine=found)
    rises = bool((torch.as_tensor(apply(torch.ones(())) - apply(torch.zeros(()))) > 0).all())
    if rises and isinstance(x, Float) and x.norm is None and not x.curves:
        return Float(x.base, call.node, call.node)  # the batch-norm that is added does it too
    return _append(b, call, x, Elementwise(_Affine(apply), call.path, False, True))


class _Affine(nn.Module):
    def __init__(self, apply: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.apply_ = apply

    def forward(self, x: Tensor) -> Tensor:
        return self.apply_(x)


def softmax(b: Builder, heads: Heads, call: Call, x: Value, layer: nn.Module) -> Value:
    if call.node in heads.skipped:
        return x
    b.refuse(
        f"{b.name} ({call.was}) cannot be converted",
        "a softmax between layers divides by a sum over the channels, which has no integer form",
        "use a Sigmoid for a gate of each channel; at the end of the model a softmax is left off by itself",
    )
