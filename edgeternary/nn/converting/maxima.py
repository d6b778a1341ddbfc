"""Maxima over axes: of a map, of the channels, of groups in a vector."""

from __future__ import annotations

import math

import torch
from torch import fx, nn

from edgeternary.nn.converting import order
from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.calls import Call
from edgeternary.nn.converting.heads import Heads
from edgeternary.nn.converting.values import Codes, Lost, Several, Value
from edgeternary.nn.pool import MaxPool


def maximum(b: Builder, heads: Heads, call: Call, x: Value) -> Value:
    """x.amax(axes), and x.max(axis), whose first result it is."""
    given = call.bound("dim", "keepdim", keepdim=False)
    before = b.shape(call.inputs[0])
    rank, dims = len(before) + 1, given.get("dim")
    axes = {d % rank for d in (dims if isinstance(dims, (tuple, list)) else [dims]) if isinstance(d, int)}
    if not axes or 0 in axes or (1 in axes and axes != {1}):
        b.refuse(
            f"{b.name} cannot be converted",
            f"it takes the maximum over axes {sorted(axes) or 'all'} of {('N', *before)}",
            "take it over the map, x.amax((2, 3)) or x.amax(2) of a series, or over the channels, x.amax(1)",
        )
    codes = b.codes(x, placed=False)
    grouped = codes.moved is not None and len(codes.moved.shape) == 1 and len(before) == 2
    if grouped:  # (N, groups, size), made of a vector
        node, shape = _in_vector(b, call, codes, before, axes)
        affine = None
    else:
        codes = b.codes(codes)
        node, shape = (_over_channels if axes == {1} else _over_map)(b, call, codes.node, before, axes)
        affine = codes.affine
    made = Codes(node, codes.levels, codes.owner, affine)
    after = tuple(1 if d in axes else n for d, n in enumerate(before, 1) if given["keepdim"] or d not in axes)
    if after != shape:
        step = (torch.reshape, (-1, *after))
        place = order.moved(made, call.node, shape, after, lambda t: torch.reshape(t, step[1]), step)
        made = Codes(b.call(torch.reshape, node, step[1]), codes.levels, codes.owner, affine, moved=place)
    return made if "amax" in call.was else Several((made, Lost()))


def _over_map(
    b: Builder, call: Call, node: fx.Node, before: tuple[int, ...], axes: set[int]
) -> tuple[fx.Node, tuple[int, ...]]:
    kernel = tuple(n if d in axes else 1 for d, n in enumerate(before[1:], 2))
    pool = (nn.MaxPool1d if len(kernel) == 1 else nn.MaxPool2d)(kernel, kernel)
    shape = (before[0], *(1 if d in axes else n for d, n in enumerate(before[1:], 2)))
    return b.layer(call.path, pool, node), shape


def _over_channels(
    b: Builder, call: Call, node: fx.Node, before: tuple[int, ...], axes: set[int]
) -> tuple[fx.Node, tuple[int, ...]]:
    """The channels of a pixel lie side by side in the graph: as a row of a map with one channel."""
    pixels = math.prod(before[1:])
    row = order.as_map(b, node, before, (pixels, before[0], 1))
    pooled = b.layer(call.path, MaxPool((1, before[0]), (1, before[0])), row)
    return order.as_map(b, pooled, (1, pixels, 1), (*before[1:], 1)), (1, *before[1:])


def _in_vector(
    b: Builder, call: Call, codes: Codes, before: tuple[int, ...], axes: set[int]
) -> tuple[fx.Node, tuple[int, ...]]:
    assert codes.moved is not None
    kernel = (before[0], 1) if axes == {1} else (1, before[1])
    rows = b.call(torch.reshape, codes.moved.node, (-1, 1, *before))
    left = before[1] if axes == {1} else before[0]
    return b.call(torch.reshape, b.layer(call.path, MaxPool(kernel, kernel), rows), (-1, left)), (left,)
