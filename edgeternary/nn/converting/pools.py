"""Average pools of a float model, as layers and as functions, for convert(): sums and a 4-bit quantiser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn.activations import Activation
from edgeternary.nn.pool import AvgPool, GlobalAvgPool

POOL_BITS = 4
LAYERS = (nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
WINDOWED = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
CALLS: Mapping[Any, type[nn.Module]] = {
    F.avg_pool1d: nn.AvgPool1d,
    F.avg_pool2d: nn.AvgPool2d,
    torch.avg_pool1d: nn.AvgPool1d,
    F.adaptive_avg_pool1d: nn.AdaptiveAvgPool1d,
    F.adaptive_avg_pool2d: nn.AdaptiveAvgPool2d,
    torch.adaptive_avg_pool1d: nn.AdaptiveAvgPool1d,
}


def pool_of(node: fx.Node) -> nn.Module | None:
    """The layer that does what a call of a pooling function does; None for another node."""
    kind = CALLS.get(node.target) if node.op == "call_function" else None
    if kind is None:
        return None
    names = ("output_size",) if "Adaptive" in kind.__name__ else WINDOWED
    given = {**dict(zip(names, node.args[1:], strict=False)), **node.kwargs}
    given.pop("input", None)
    if any(isinstance(value, fx.Node) for value in given.values()):
        raise EdgeTernaryError(
            f"pool {node.name!r} cannot be converted",
            "its window is computed from the input's shape",
            "give it numbers, or F.adaptive_avg_pool2d(x, 1) for the whole map",
        )
    return kind(**given)


def check_pools(traced: fx.GraphModule) -> None:
    """Refuses average pools that `average` refuses."""
    for node in traced.graph.nodes:
        pool = traced.get_submodule(str(node.target)) if node.op == "call_module" else pool_of(node)
        if isinstance(pool, LAYERS):
            average(pool, str(node.target) if node.op == "call_module" else node.name)


def average(pool: Any, name: str) -> AvgPool:
    """AvgPool with a quantiser in place of a torch average pool; refuses windows that it does not have."""

    def refuse(why: str, remedy: str) -> EdgeTernaryError:
        return EdgeTernaryError(f"pool {name!r} ({type(pool).__name__}) cannot be converted", why, remedy)

    if hasattr(pool, "output_size"):
        if pool.output_size not in (1, (1,), (1, 1), [1], [1, 1]):
            raise refuse("only a global average has fixed windows", "use AvgPool2d, or output_size=1")
        return GlobalAvgPool(Activation(POOL_BITS))
    if any(_each(pool.padding)):
        raise refuse(
            f"padding={pool.padding} puts zeros into its windows, and sums here have no padding",
            "use padding=0, or a depthwise convolution with a stride",
        )
    if pool.ceil_mode:
        raise refuse("ceil_mode=True makes windows that are cut off", "use ceil_mode=False")
    if getattr(pool, "divisor_override", None) is not None:
        raise refuse("divisor_override makes it no average", "leave it out")
    kernel, stride = (_size(v) for v in (pool.kernel_size, pool.stride))
    return AvgPool(kernel, Activation(POOL_BITS), stride)


def _each(value: Any) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list, Tensor)) else (value,)


def _size(value: Any) -> Any:
    """A kernel or a stride as one number or a pair."""
    each = _each(value)
    return each[0] if len(each) == 1 else each
