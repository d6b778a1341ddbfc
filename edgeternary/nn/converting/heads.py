"""Which calls of a float model are nonlinearities and averages, and heads that would end in a few bits."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import fx, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.converting.pools import LAYERS as POOLS
from edgeternary.nn.converting.pools import pool_of

LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d)
NONLINEAR_LAYERS = (
    nn.ReLU, nn.ReLU6, nn.Hardtanh, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.LeakyReLU, nn.ELU, nn.Hardswish,
)  # fmt: skip
NONLINEAR_CALLS = {
    F.relu, F.relu6, F.hardtanh, F.gelu, F.silu, F.leaky_relu, F.elu, F.hardswish, F.sigmoid, F.tanh,
    torch.relu, torch.relu_, torch.tanh, torch.sigmoid,
}  # fmt: skip
NONLINEAR_METHODS = {"relu", "relu_", "tanh", "sigmoid"}
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
CHANNELWISE = (
    nn.MaxPool1d, nn.MaxPool2d, nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)  # fmt: skip
MAX_POOLS = {F.max_pool1d, F.max_pool2d, torch.max_pool1d, torch.max_pool2d}
SOFTMAX_LAYERS = (nn.Softmax, nn.LogSoftmax)
SOFTMAX_CALLS = {F.softmax, F.log_softmax, torch.softmax, torch.log_softmax}
MAP_AXES = ({2, 3}, {-1, -2})


def is_nonlinear(node: fx.Node, module: nn.Module | None) -> bool:
    return (
        isinstance(module, NONLINEAR_LAYERS)
        or (node.op == "call_function" and node.target in NONLINEAR_CALLS)
        or (node.op == "call_method" and node.target in NONLINEAR_METHODS)
    )


def is_map_mean(node: fx.Node) -> bool:
    """Whether a call is x.mean((2, 3)): the average of a map, whose other axes are samples and channels."""
    called = (node.op == "call_method" and node.target == "mean") or (
        node.op == "call_function" and node.target is torch.mean
    )
    axes = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else None)
    return called and isinstance(axes, (tuple, list)) and set(axes) in MAP_AXES


def check_heads(traced: fx.GraphModule) -> None:
    """Refuses what stands between the last layer and the output: it would become an output of few bits."""
    left = [a for node in traced.graph.nodes if node.op == "output" for a in node.all_input_nodes]
    seen: set[fx.Node] = set()
    while left:
        node = left.pop()
        module = _module(traced, node) or pool_of(node)
        if node in seen:
            continue
        seen.add(node)
        name = str(node.target) if node.op == "call_module" else node.name
        if isinstance(module, LINEAR):
            _check_last(name, module)
            continue
        if is_nonlinear(node, module):
            raise EdgeTernaryError(
                f"the nonlinearity {name!r} at the end of the model cannot be converted",
                "it would become an activation, and the output its codes of a few bits",
                "leave it out, and apply it to the logits, output * logit_scale (a sigmoid exceeds 1/2 where "
                "its logit is above 0)",
            )
        if isinstance(module, SOFTMAX_LAYERS) or _is_softmax(node):
            raise EdgeTernaryError(
                f"the softmax {name!r} at the end of the model cannot be converted",
                "it has no integer form",
                "leave it out: argmax of the logits is the same, and the logits keep their scale",
            )
        if isinstance(module, POOLS) or is_map_mean(node):
            raise EdgeTernaryError(
                f"the average {name!r} at the end of the model cannot be converted",
                "it would become a quantiser, and the output its codes of 4 bits",
                "average first, then end in a Linear: the mean of a 1x1 convolution's outputs is the 1x1 "
                "convolution, as a Linear, of the mean",
            )
        left += node.all_input_nodes


def keeps_channels(node: fx.Node, module: nn.Module | None) -> bool:
    """Whether a call leaves channels apart and in their order: a max pool, dropout, identity."""
    return isinstance(module, CHANNELWISE) or (node.op == "call_function" and node.target in MAX_POOLS)


def check_biases(traced: fx.GraphModule) -> None:
    """Refuses a bias that no batch-norm, nonlinearity or Output takes up; the last Linear is an Output."""
    layers = [node for node in traced.graph.nodes if isinstance(_module(traced, node), LINEAR)]
    for node in layers:
        module = _module(traced, node)
        held = node is layers[-1] and isinstance(module, nn.Linear)
        if held or getattr(module, "bias", None) is None:
            continue
        users = list(node.users)
        while users:
            user = users.pop()
            after = _module(traced, user)
            if keeps_channels(user, after):
                users += user.users
            elif user.op != "output" and not isinstance(after, NORMS) and not is_nonlinear(user, after):
                raise EdgeTernaryError(
                    f"the bias of {str(node.target)!r} cannot be converted",
                    f"{user.name!r} follows it, and only a batch-norm or an activation can take up a bias",
                    "use bias=False, or put a BatchNorm or a ReLU directly after the layer",
                )


def _module(traced: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    return traced.get_submodule(str(node.target)) if node.op == "call_module" else None


def _is_softmax(node: fx.Node) -> bool:
    named = node.op == "call_method" and node.target in ("softmax", "log_softmax")
    return named or (node.op == "call_function" and node.target in SOFTMAX_CALLS)


def _check_last(name: str, module: nn.Module) -> None:
    if not isinstance(module, nn.Linear) and module.bias is not None:
        raise EdgeTernaryError(
            f"the convolution {name!r} at the end of the model cannot be converted",
            "it has a bias, which only a batch-norm after it or edgeternary.nn.Output can hold",
            "use bias=False, or end in a Linear",
        )
