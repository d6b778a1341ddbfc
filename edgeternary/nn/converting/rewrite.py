"""The traced float model in a form that is easier to convert; it computes the same.

What an operation in place changes is read from its result. A Linear on (N, T, features) becomes a
convolution of size 1 between permutations. A nonlinearity moves in front of a max pool or a change of shape,
relu(pool(x)) = pool(relu(x)): its quantiser then stands directly after the layer, and the pool works on
codes.
"""

from __future__ import annotations

import torch
from torch import fx, nn

from edgeternary.nn.converting.calls import call_of
from edgeternary.nn.converting.curves import CURVES
from edgeternary.nn.converting.heads import is_mean
from edgeternary.nn.converting.moves import PERMUTES, RESHAPES
from edgeternary.nn.converting.tracer import SHAPE, WHERE

RISING = (
    nn.ReLU,
    nn.ReLU6,
    nn.Hardtanh,
    nn.Tanh,
    nn.Sigmoid,
    nn.ELU,
    nn.CELU,
    nn.SELU,
    nn.Softplus,
    nn.Hardsigmoid,
)
POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d)


def rewrite(traced: fx.GraphModule) -> None:
    """Changes the model in place."""
    _without_writes(traced)
    for node in list(traced.graph.nodes):
        _pointwise(traced, node)
        _mean_of_steps(traced, node)
    moved = True
    while moved:
        moved = False
        for node in list(traced.graph.nodes):
            moved = _swapped(traced, node) or moved
    traced.recompile()


def _without_writes(traced: fx.GraphModule) -> None:
    """What reads x after x.squeeze_() reads its result: a graph has values that nothing changes."""
    place = {node: i for i, node in enumerate(traced.graph.nodes)}
    for node in list(place):
        name = str(node.target) if node.op == "call_method" else getattr(node.target, "__name__", "")
        writes = node.op == "call_method" or node.op == "call_function"
        if writes and name.endswith("_") and not name.endswith("__") and isinstance(node.args[0], fx.Node):
            later = [user for user in node.args[0].users if place[user] > place[node]]
            for user in later:
                user.replace_input_with(node.args[0], node)


def _pointwise(traced: fx.GraphModule, node: fx.Node) -> None:
    layer = traced.get_submodule(str(node.target)) if node.op == "call_module" else None
    if type(layer) is not nn.Linear or len(node.args[0].meta.get(SHAPE, ())) != 3:  # type: ignore[union-attr]
        return
    series = nn.Conv1d(layer.in_features, layer.out_features, 1, bias=layer.bias is not None)
    with torch.no_grad():
        series.weight.copy_(layer.weight[:, :, None])
        if layer.bias is not None and series.bias is not None:
            series.bias.copy_(layer.bias)
    path = str(node.target)
    parent, _, name = path.rpartition(".")
    if len([n for n in traced.graph.nodes if n.target == path]) > 1:
        return  # a layer that is used elsewhere stays
    setattr(traced.get_submodule(parent), name, series)
    source = node.args[0]
    assert isinstance(source, fx.Node)
    with traced.graph.inserting_before(node):
        turned = traced.graph.call_function(torch.permute, (source, (0, 2, 1)))
    with traced.graph.inserting_after(node):
        back = traced.graph.call_function(torch.permute, (node, (0, 2, 1)))
    samples, steps, _ = source.meta[SHAPE]
    turned.meta[SHAPE] = (samples, layer.in_features, steps)
    back.meta[SHAPE] = (samples, steps, layer.out_features)
    node.meta[SHAPE] = (samples, layer.out_features, steps)
    for made in (turned, back):
        made.meta[WHERE] = node.meta.get(WHERE, "")
    node.replace_all_uses_with(back, delete_user_cb=lambda user: user is not back)
    node.replace_input_with(source, turned)


def _mean_of_steps(traced: fx.GraphModule, node: fx.Node) -> None:
    """x.mean(1) of (N, T, C) as a mean over the last axis of (N, C, T)."""
    if not is_mean(node) or len(node.args[0].meta.get(SHAPE, ())) != 3:  # type: ignore[union-attr]
        return
    given = {**dict(zip(("dim", "keepdim"), node.args[1:], strict=False)), **node.kwargs}
    if given.get("dim") not in (1, -2, (1,), [1]) or given.get("keepdim"):
        return
    source = node.args[0]
    assert isinstance(source, fx.Node)
    with traced.graph.inserting_before(node):
        turned = traced.graph.call_function(torch.permute, (source, (0, 2, 1)))
    turned.meta[WHERE] = node.meta.get(WHERE, "")
    node.args, node.kwargs = (turned, 2), {}


def _swapped(traced: fx.GraphModule, node: fx.Node) -> bool:
    if node.op not in ("call_module", "call_function", "call_method") or len(node.all_input_nodes) != 1:
        return False
    curve, before = call_of(node, traced).layer, node.all_input_nodes[0]
    if (
        not isinstance(curve, CURVES)
        or len(before.users) != 1
        or not before.args
        or before.op == "placeholder"
    ):
        return False
    if before.op not in ("call_module", "call_function", "call_method") or isinstance(curve, nn.PReLU):
        return False
    mover = call_of(before, traced).layer
    rising = isinstance(curve, RISING) or (isinstance(curve, nn.LeakyReLU) and curve.negative_slope >= 0)
    pool = isinstance(mover, POOLS) and not getattr(mover, "return_indices", False) and rising
    named = before.op != "call_module" and before.target in (RESHAPES | PERMUTES)  # a layer may be called so
    reshape = isinstance(mover, nn.Flatten) or named
    if not (pool or reshape):
        return False
    source = before.args[0]
    assert isinstance(source, fx.Node)
    node.replace_all_uses_with(before)
    node.replace_input_with(before, source)
    before.replace_input_with(source, node)
    before.prepend(node)
    return True
