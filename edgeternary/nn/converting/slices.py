"""Parts of a value: chunks and slices of the channels, slices of a map, results of tuples."""

from __future__ import annotations

import math
import operator
from typing import Any

import torch
from torch import Tensor

from edgeternary.nn.conv import Conv1d, Conv2d
from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.calls import Call
from edgeternary.nn.converting.fixed import fixed
from edgeternary.nn.converting.heads import Heads
from edgeternary.nn.converting.moves import chosen, moved
from edgeternary.nn.converting.values import Codes, Float, Several, Sums, Value
from edgeternary.nn.pool import MaxPool

SPLITS = {
    torch.chunk,
    torch.split,
    "chunk",
    "split",
    torch.tensor_split,
    "tensor_split",
    torch.unbind,
    "unbind",
}


def split(b: Builder, heads: Heads, call: Call, x: Value) -> Value:
    """Parts of the channels, as a tuple."""
    dims = call.bound("split_size_or_sections" if "split" in call.was else "chunks", "dim", dim=0)
    rank = len(b.seen[call.inputs[0]].shape)
    dim = dims["dim"] % rank if isinstance(dims["dim"], int) else -1
    if dim != 1 or "unbind" in call.was:
        b.refuse(
            f"{b.name} cannot be converted",
            f"it takes axis {dim} apart, and a graph has parts of the channels alone",
            "split axis 1, (N, channels, ...)",
        )
    codes = b.codes(x, placed=False)
    places = torch.arange(b.seen[call.inputs[0]].shape[1]).reshape(1, -1)
    target: Any = call.node.target
    args, kwargs = (
        call.node.args[1:],
        {k: v for k, v in call.node.kwargs.items() if k not in ("input", "tensor")},
    )
    found = (
        getattr(places, target)(*args, **kwargs)
        if isinstance(target, str)
        else target(places, *args, **kwargs)
    )
    made = [_channels(b, codes, int(p[0, 0]), int(p[0, -1]) + 1) for p in found]
    return Several(tuple(made))


def _channels(b: Builder, codes: Codes, start: int, stop: int) -> Codes:
    every = slice(None)
    return Codes(b.call(operator.getitem, codes.node, (every, slice(start, stop))), codes.levels, codes.owner)


def getitem(b: Builder, heads: Heads, call: Call, x: Value) -> Value:
    index: Any = call.node.args[1]
    if isinstance(x, Several):
        return x.parts[index]
    before, after = b.seen[call.inputs[0]].shape, b.seen[call.node].shape
    places = torch.arange(math.prod(before[1:])).reshape(1, *before[1:])
    each = index if isinstance(index, tuple) else (index,)
    if not each or each[0] not in (slice(None), ...):
        b.refuse(
            f"{b.name} cannot be converted", "it chooses samples", "keep the first axis whole: x[:, ...]"
        )
    kept = places[index]
    if kept.numel() == places.numel() and len(after) != len(
        before
    ):  # x[:, None], x[..., 0] of an axis of size 1
        return moved(b, call, x, lambda t: t.reshape(-1, *after[1:]), (-1, *after[1:]))
    if len(after) == len(before) and before[2:] == after[2:]:
        first = int(kept.flatten()[0]) // max(math.prod(before[2:]), 1)
        wanted = places[:, first : first + after[1]]
        if torch.equal(wanted, kept):
            return (
                _channels(b, b.codes(x, placed=False), first, first + after[1])
                if after[1] != before[1]
                else x
            )
        channels = kept.reshape(after[1], -1)[:, 0] // max(math.prod(before[2:]), 1)
        if torch.equal(places[:, channels], kept):
            return chosen(b, call, b.codes(x), channels.tolist())
    if len(after) == len(before) and before[1] == after[1]:
        return _map_slice(b, call, x, places, kept, index)
    if len(before) > 2 and len(each) > 2 and _outer(places, kept):
        codes = b.codes(x, placed=False)
        if codes.affine is None or codes.affine[0].numel() == 1:
            return Codes(b.call(operator.getitem, codes.node, index), codes.levels, codes.owner, codes.affine)
    b.refuse(
        f"{b.name} cannot be converted",
        f"it takes {after[1:]} out of {before[1:]}; a graph has parts of the channels, and every s-th pixel",
        "slice channels, x[:, a:b], or pool with a stride",
    )


def attribute(b: Builder, call: Call, x: Value) -> Value:
    """x.max(2).values, x.T."""
    name = call.node.args[1]
    if isinstance(x, Several) and name in ("values", "indices"):
        return x.parts[("values", "indices").index(str(name))]
    if name == "data":
        return x
    b.refuse(f"{b.name} cannot be converted", f"it reads the attribute {name!r}", "use a function of tensors")


def _phase(b: Builder, call: Call, x: Value, places: Tensor, kept: Tensor) -> Value | None:
    """x[..., 1::2, ::2]: a convolution for each channel with a single weight, or None for other slices."""
    size, out = places.shape[2:], kept.shape[2:]
    first = places[0, 0].reshape(-1).tolist().index(int(kept[0, 0].reshape(-1)[0]))
    start = [first // size[-1], first % size[-1]] if len(size) == 2 else [first]
    steps = [-(-(n - s) // m) for n, s, m in zip(size, start, out, strict=True)]
    slices = tuple(slice(s, None, t) for s, t in zip(start, steps, strict=True))
    if max(steps) == 1 or not torch.equal(places[(slice(None), slice(None), *slices)], kept):
        return None
    kernel = [max(s + 1, t) for s, t in zip(start, steps, strict=True)]
    pads = [max(0, (m - 1) * t + k - n) for m, t, k, n in zip(out, steps, kernel, size, strict=True)]
    channels, codes = places.shape[1], b.codes(x, placed=False)
    if len(size) == 2:
        layer = Conv2d(
            channels, channels, (kernel[0], kernel[1]), (steps[0], steps[1]), (0, 0, *pads), 0, channels
        )
    else:
        layer = Conv1d(channels, channels, kernel[0], steps[0], (0, pads[0]), 0, channels)
    weights = torch.zeros_like(layer.weight)
    weights[:, 0, start[0] if len(size) == 2 else 0, start[-1]] = 1
    fixed(layer, weights)
    node = b.layer(call.path, layer, codes.node)
    return Float(Sums(node, channels, layer, codes.levels.lo >= 0), call.node, call.node)


def _outer(places: Tensor, kept: Tensor) -> bool:
    """Whether kept holds whole channels-last blocks: steps of a series, or rows of a map."""
    rows = places.shape[2]
    inside = math.prod(tuple(places.shape[3:]))
    steps = sorted({int(p) // inside % rows for p in kept.flatten()})
    whole = kept.numel() == len(steps) * places.shape[1] * inside
    return whole and steps[-1] - steps[0] + 1 == len(steps)


def _map_slice(b: Builder, call: Call, x: Value, places: Tensor, kept: Tensor, index: Any) -> Value:
    """Every s-th pixel is a pool of size 1; pixels that a padded convolution made last are not made."""
    size, out = places.shape[2:], kept.shape[2:]
    steps = [-(-n // m) for n, m in zip(size, out, strict=True)]
    strided = places[(slice(None), slice(None), *(slice(None, None, s) for s in steps))]
    if torch.equal(strided, kept):
        codes = b.codes(x, placed=False)
        stride = tuple(steps) if len(steps) > 1 else steps[0]
        ones = (1, 1) if len(steps) > 1 else 1
        node = b.layer(call.path, MaxPool(ones, stride), codes.node)  # type: ignore[arg-type]
        return Codes(node, codes.levels, codes.owner, codes.affine)
    shifted = _phase(b, call, x, places, kept)
    if shifted is not None:
        return shifted
    cut = places[(slice(None), slice(None), *(slice(0, m) for m in out))]
    layer: Any = (
        x.base.layer if isinstance(x, Float) and isinstance(x.base, Sums) and not x.quantized else None
    )
    if torch.equal(cut, kept) and layer is not None and hasattr(layer, "pad") and max(layer.stride) == 1:
        top, left, bottom, right = layer.pad
        less = [n - m for n, m in zip(size, out, strict=True)]
        bottom, right = bottom - (less[0] if len(less) == 2 else 0), right - less[-1]
        if min(bottom, right) >= 0:
            layer.pad = (top, left, bottom, right)
            assert isinstance(x, Float)
            return Float(
                x.base, call.node, call.node if x.norm is None else x.before, x.norm, x.norm_path, x.curves
            )
    if _outer(places, kept):
        codes = b.codes(x, placed=False)
        return Codes(b.call(operator.getitem, codes.node, index), codes.levels, codes.owner, codes.affine)
    b.refuse(
        f"{b.name} cannot be converted",
        f"it cuts a map of {tuple(size)} to {tuple(out)}",
        "give the layer before it the padding that it needs, on each side",
    )
