"""Pools and upsampling."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from edgeternary.nn.conv import Conv1d, Conv2d
from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.calls import Call
from edgeternary.nn.converting.fixed import fixed
from edgeternary.nn.converting.heads import Heads
from edgeternary.nn.converting.values import Codes, Float, Logits, Sums, Value
from edgeternary.nn.linear import Linear, Quantized
from edgeternary.nn.ops import conv_size
from edgeternary.nn.pool import MaxPool, SumPool
from edgeternary.nn.structure import Upsample

MAXIMA = (nn.MaxPool1d, nn.MaxPool2d)
AVERAGES = (nn.AvgPool1d, nn.AvgPool2d)
ADAPTIVE_AVERAGES = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
ADAPTIVE_MAXIMA = (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d)


def max_pool(b: Builder, heads: Heads, call: Call, x: Value, layer: Any) -> Value:
    if getattr(layer, "return_indices", False):
        b.refuse(
            f"{b.name} ({call.was}) cannot be converted",
            "return_indices=True gives places of maxima, which an unpooling reads",
            "use Upsample in place of the unpooling",
        )
    if isinstance(x, Float) and x.norm is None and not x.curves and isinstance(x.base, Sums):
        node = b.layer(call.path, layer, x.base.node)
        return Float(Sums(node, x.base.channels, None, x.base.unsigned), call.node, call.node)
    codes = b.codes(x)
    return Codes(b.layer(call.path, layer, codes.node), codes.levels, codes.owner, codes.affine)


def adaptive_max(b: Builder, heads: Heads, call: Call, x: Value, layer: Any) -> Value:
    factor, kernel, stride = _windows(b, call)
    make = nn.MaxPool1d if len(kernel) == 1 else nn.MaxPool2d
    return max_pool(b, heads, call, spread(b, call, x, factor), make(kernel, stride))


def _windows(b: Builder, call: Call) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """(factor, kernel, stride) of an adaptive pool, whose windows reach from floor(i n / m) to
    ceil((i + 1) n / m).

    Where these have several sizes, the pixels are first repeated `factor` times. Then windows of one size
    cover the same pixels, and those at an end as often as they lie inside.
    """
    size, out = b.shape(call.inputs[0])[1:], b.shape(call.node)[1:]
    factor, kernel, stride = [], [], []
    for n, m in zip(size, out, strict=True):
        starts, ends = [i * n // m for i in range(m)], [-(-(i + 1) * n // m) for i in range(m)]
        lengths = {e - s for s, e in zip(starts, ends, strict=True)}
        steps = {t - s for s, t in pairwise(starts)} or {1}
        regular = len(lengths) == len(steps) == 1
        times = 1 if regular else m // math.gcd(n, m)
        factor.append(times)
        kernel.append(lengths.pop() if regular else times * n // m)
        stride.append(steps.pop() if regular else kernel[-1])
    return tuple(factor), tuple(kernel), tuple(stride)


def average(b: Builder, heads: Heads, call: Call, x: Value, layer: Any) -> Value:
    """A sum over windows; the quantiser after it divides."""
    if call.node in heads.skipped:
        return x
    rank = 1 if isinstance(layer, nn.AvgPool1d) else 2
    size = b.shape(call.inputs[0])[1:]
    kernel, stride, padding = (_each(v, rank) for v in (layer.kernel_size, layer.stride, layer.padding))
    after = [0] * rank
    if layer.ceil_mode:
        out = b.shape(call.node)[1:]
        for i in range(rank):
            need = (out[i] - 1) * stride[i] + kernel[i] - size[i] - 2 * padding[i]
            after[i] = max(0, need)
            assert conv_size(size[i], padding[i], padding[i] + after[i], kernel[i], stride[i]) == out[i]
    if any(after):
        b.note("windows that reach beyond the map are divided by their full size")
    elif any(padding) and not layer.count_include_pad:
        b.note("windows at the border are divided by their full size, as with count_include_pad=True")
    left, right = padding[-1], padding[-1] + after[-1]
    top, bottom = (padding[0], padding[0] + after[0]) if rank == 2 else (0, 0)
    window = kernel[0] if rank == 1 else tuple(kernel)
    step = stride[0] if rank == 1 else tuple(stride)
    return summed(b, call, x, SumPool(window, step, (top, left, bottom, right)))  # type: ignore[arg-type]


def summed(b: Builder, call: Call, x: Value, pool: SumPool) -> Value:
    if isinstance(x, Logits):
        b.refuse(
            f"{b.name} cannot be converted",
            "it averages logits in windows, and only a mean over the whole map ends a network",
            "average the features before the last layer",
        )
    codes = b.codes(x)
    if any(pool.pad) and codes.levels.gap == 2:
        b.refuse(
            f"{b.name} cannot be converted",
            "it pads with 0, and its input has the codes -1 and +1 alone",
            "use padding=0, or activations of another kind",
        )
    node = b.layer(call.path, pool, codes.node)
    sums = Sums(node, b.shape(call.node)[0], None, codes.levels.lo >= 0)
    return Float(sums, call.node, call.node)


def adaptive_average(b: Builder, heads: Heads, call: Call, x: Value, layer: Any) -> Value:
    if call.node in heads.skipped:
        return x
    size, out = b.shape(call.inputs[0])[1:], b.shape(call.node)[1:]
    if size == out:
        return x
    if all(n == 1 for n in out):
        return summed(b, call, x, SumPool())
    if not any(m % n for n, m in zip(size, out, strict=True)):
        return spread(b, call, x, tuple(m // n for n, m in zip(size, out, strict=True)))
    factor, kernel, stride = _windows(b, call)
    if max(factor) > 1:
        b.note("its windows have several sizes: pixels at their ends count by the share that lies inside")
        x = spread(b, call, x, factor)
    one = len(size) == 1
    pool = SumPool(kernel[0] if one else kernel, stride[0] if one else stride)  # type: ignore[arg-type]
    return summed(b, call, x, pool)


def mean(b: Builder, heads: Heads, call: Call, x: Value) -> Value:
    """x.mean of the axes after the channels."""
    if call.node in heads.skipped:
        return _without_map(b, call, x)
    given = call.bound("dim", "keepdim", keepdim=False)
    before = b.shape(call.inputs[0])
    rank = len(before) + 1
    dims = given.get("dim")
    axes = (
        sorted(d % rank for d in (dims if isinstance(dims, (tuple, list)) else [dims]))
        if dims is not None
        else []
    )
    if axes == [1] and (given["keepdim"] or len(before) == 1):
        return _over_channels(b, call, x)
    if not axes or axes[0] < 2 or len(before) < 2:
        b.refuse(
            f"{b.name} cannot be converted",
            f"it takes the {call.was} over axes {axes or 'all'} of {('N', *before)}, not over a map",
            f"take it over the axes after the channels: x.{call.was}((2, 3)), or x.{call.was}(2) of a series",
        )
    if len(axes) == rank - 2:
        y = summed(b, call, x, SumPool())
    else:
        kernel = tuple(before[d - 1] if d in axes else 1 for d in range(2, rank))
        y = summed(b, call, x, SumPool(kernel, kernel))  # type: ignore[arg-type]
    if given["keepdim"] or not isinstance(y, Float):
        return y
    assert isinstance(y.base, Sums)
    flat = b.call(torch.reshape, y.base.node, (-1, *b.shape(call.node)))
    return Float(Sums(flat, y.base.channels, None, y.base.unsigned), call.node, call.node)


def _over_channels(b: Builder, call: Call, x: Value) -> Value:
    """The mean over the channels: a layer whose weights are 1; the quantiser after it divides."""
    codes, before = b.codes(x), b.shape(call.inputs[0])
    ours: Quantized = Linear(before[0], 1)
    if len(before) > 1:
        ours = (Conv1d if len(before) == 2 else Conv2d)(before[0], 1, 1)
    fixed(ours, torch.ones_like(ours.weight))
    return Float(
        Sums(b.layer(call.path, ours, codes.node), 1, ours, codes.levels.lo >= 0), call.node, call.node
    )


def _without_map(b: Builder, call: Call, x: Value) -> Value:
    """The logits of a head that averages its map, (N, C, 1, 1), in the shape of the float call."""
    if not isinstance(x, Logits):
        return x
    return Logits(b.call(torch.reshape, x.node, (-1, *b.shape(call.node))))


def upsample(b: Builder, heads: Heads, call: Call, x: Value, layer: nn.Module) -> Value:
    size, out = b.shape(call.inputs[0])[1:], b.shape(call.node)[1:]
    mode = getattr(layer, "mode", "nearest")
    factor = tuple(m // math.gcd(n, m) for n, m in zip(size, out, strict=True))
    step = tuple(n // math.gcd(n, m) for n, m in zip(size, out, strict=True))
    twice = set(factor) == {2} and set(step) == {1}
    if mode in ("linear", "bilinear") and twice and not isinstance(x, Logits):
        return _between(b, call, x, layer)
    if mode not in ("nearest", "nearest-exact"):
        b.note(f"{mode} became nearest: a graph repeats pixels")
    if max(step) == 1:
        return spread(b, call, x, factor)
    codes = b.codes(spread(b, call, b.codes(x), factor))  # then every step-th pixel
    pool = MaxPool(1, step[0]) if len(step) == 1 else MaxPool((1, 1), (step[0], step[1]))
    node = b.layer(b.free(f"{call.path}_step"), pool, codes.node)
    return Codes(node, codes.levels, codes.owner)


def _between(b: Builder, call: Call, x: Value, layer: nn.Module) -> Value:
    """(Bi)linear upsampling by 2: zeros between the pixels, then (1, 3, 3, 1) / 4 along each axis."""
    codes = b.codes(x)
    if codes.levels.gap == 2 or codes.affine is not None:
        return spread(b, call, x, (2,) * (len(b.shape(call.node)) - 1))
    channels, rank = b.shape(call.node)[0], len(b.shape(call.node)) - 1
    b.note(
        "the outermost pixels fade: zeros lie beyond the border"
        + ("; align_corners=True became False" if getattr(layer, "align_corners", False) else "")
    )
    wide = b.layer(
        b.free(f"{call.path}_zeros"), Upsample((2, 2) if rank == 2 else (1, 2), "zero"), codes.node
    )
    row = torch.tensor([1.0, 3.0, 3.0, 1.0])
    ours: Conv2d
    if rank == 2:
        ours = Conv2d(channels, channels, 4, 1, (2, 2, 1, 1), groups=channels, weights="lsq5")
        fixed(ours, torch.outer(row, row).expand_as(ours.weight))
    else:
        ours = Conv1d(channels, channels, 4, 1, (2, 1), groups=channels, weights="lsq5")
        fixed(ours, row.expand_as(ours.weight))
    sums = Sums(b.layer(call.path, ours, wide), channels, ours, codes.levels.lo >= 0)
    return Float(sums, call.node, call.node)


def spread(b: Builder, call: Call, x: Value, factor: tuple[int, ...]) -> Value:
    if all(f == 1 for f in factor):
        return x
    pair = factor if len(factor) == 2 else (1, *factor)
    layer = Upsample(pair, "repeat")  # type: ignore[arg-type]
    if isinstance(x, Logits):
        return Logits(b.layer(call.path, layer, x.node))
    codes = b.codes(x)
    return Codes(b.layer(call.path, layer, codes.node), codes.levels, codes.owner)


def _each(v: Any, rank: int) -> list[int]:
    each = [int(n) for n in v] if isinstance(v, (tuple, list, Tensor)) else [int(v)] * rank
    return each if len(each) == rank else each * rank
