"""Layers of edgeternary.nn that the model holds already: they stay as they are."""

from __future__ import annotations

from torch import fx, nn

from edgeternary.nn.activations import Activation, RPReLU, StepSize
from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.calls import Call
from edgeternary.nn.converting.heads import Heads
from edgeternary.nn.converting.values import Codes, Float, Logits, Made, Sums, Value
from edgeternary.nn.encode import Binarize, BitPlanes, Thermometer
from edgeternary.nn.levels import levels
from edgeternary.nn.linear import Logits as LogitsLayer
from edgeternary.nn.linear import Quantized
from edgeternary.nn.norm import BatchNorm, Requantize
from edgeternary.nn.structure import Scale


def is_ours(layer: nn.Module | None) -> bool:
    return layer is not None and type(layer).__module__.startswith("edgeternary.")


def keep(b: Builder, heads: Heads, call: Call, values: list[Value], layer: nn.Module) -> Value:
    """The layer itself, on what its inputs became; it is not fitted to the example."""
    takes_float = isinstance(layer, (Activation, BatchNorm, RPReLU)) and not isinstance(layer, Requantize)
    nodes = [float_node(b, v) if takes_float else integer_node(b, v) for v in values]
    node = b.layer(call.path, layer, *nodes)
    b.kept.update(b.path(part) for part in [layer])
    if isinstance(layer, (LogitsLayer, Scale)):
        return Logits(node)
    if isinstance(layer, Quantized):
        return Float(Sums(node, layer.weight.shape[0], layer), call.node, call.node)
    if isinstance(layer, (BatchNorm, RPReLU)) and not isinstance(layer, Requantize):
        return Made(node, call.node)
    kind = getattr(layer, "levels", None)
    if isinstance(layer, StepSize) and kind is not None:
        return Codes(node, kind, layer if kind.gap == 1 else None)
    if isinstance(layer, (Binarize, BitPlanes, Thermometer)) or kind is not None:
        return Codes(node, kind or levels("binary"))
    first = values[0]
    if isinstance(first, Codes):
        return Codes(node, first.levels, first.owner, first.affine)
    if isinstance(first, Float):
        return Float(Sums(node, b.seen[call.node].shape[1], None), call.node, call.node)
    return Codes(node, levels("int16"))


def integer_node(b: Builder, x: Value) -> fx.Node:
    if isinstance(x, Float) and x.norm is None and not x.curves:
        return x.base.node
    if isinstance(x, (Logits, Made)):
        return x.node
    return b.codes(x).node


def float_node(b: Builder, x: Value) -> fx.Node:
    """The float value itself where there is one, without a batch-norm that the model does not have."""
    if isinstance(x, Float) and x.norm is None and not any(not c.exact for c in x.curves):
        node = x.base.node
        for curve in x.curves:
            call = curve.call
            node = b.layer(curve.path, call, node) if isinstance(call, nn.Module) else b.call(call, node)

        return node
    if isinstance(x, Float):
        return b.float_node(x)
    return integer_node(b, x)
