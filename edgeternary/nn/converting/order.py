"""Where elements lie: a graph has channels last, and reshapes and permutations leave them where they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn, Protocol

import torch
from torch import Tensor, fx, nn

from edgeternary.nn.conv import Conv2d
from edgeternary.nn.converting.fixed import fixed
from edgeternary.nn.converting.values import Codes, Float, Moved, Sums, Value
from edgeternary.nn.levels import Levels, levels

MOST = 1 << 22  # weights of a convolution that moves elements


class Graph(Protocol):
    """What is needed of a Builder, which asks for `turned` itself."""

    credit: fx.Node | None

    @property
    def name(self) -> str: ...
    def refuse(self, what: str, why: str, remedy: str) -> NoReturn: ...
    def free(self, path: str) -> str: ...
    def layer(self, path: str, layer: nn.Module, *inputs: fx.Node) -> fx.Node: ...
    def call(self, function: Callable[..., Any], *args: Any) -> fx.Node: ...
    def codes(
        self, x: Value, kind: Levels | None = None, padded: bool = False, placed: bool = True
    ) -> Codes: ...


def channels_last(shape: tuple[int, ...]) -> Tensor:
    """Where element i of torch's (C, ...) lies in a graph, which has (..., C)."""
    places = torch.arange(math.prod(shape))
    if len(shape) < 2:
        return places
    return places.reshape(*shape[1:], shape[0]).movedim(-1, 0).flatten()


def places_of(codes: Codes, shape: tuple[int, ...]) -> Tensor:
    """Where element i of codes (N, *shape) lies in the graph's value."""
    return channels_last(shape) if codes.moved is None else codes.moved.places


def moved(
    codes: Codes, source: fx.Node, before: tuple[int, ...], after: tuple[int, ...],
    move: Callable[[Tensor], Tensor], step: tuple[Callable[..., Any], Any],
) -> Moved | None:  # fmt: skip
    """What `move`, from (N, *before) to (N, *after), makes of the places; None where they are a graph's own.

    source: the call of the float model that moves; step: the call of the new graph, as (function, argument).
    """
    if codes.affine is not None:
        return None  # the graph's input lies as its first layer takes it
    places = move(places_of(codes, before).reshape(1, *before)).flatten()
    if len(after) < 2 or (len(after) <= 3 and torch.equal(places, channels_last(after))):
        plain = len(after) >= 2 or torch.equal(places, torch.arange(len(places)))
        if plain:
            return None
    origin = codes.moved or Moved(codes.node, before, places, source, after)
    return Moved(origin.node, origin.shape, places, source, after, (*origin.steps, step))


def together(b: Graph, made: list[Codes]) -> tuple[list[Codes], Moved | None]:
    """Codes before the moves that they share, and the moves; or codes as a graph has them, and None."""
    first = made[0].moved
    if first is not None and len(first.now) > 1 and all(_same(codes.moved, first) for codes in made):
        return [Codes(c.moved.node, c.levels, c.owner) for c in made if c.moved is not None], first
    return [b.codes(codes) for codes in made], None


def _same(one: Moved | None, other: Moved) -> bool:
    return one is not None and one.shape == other.shape and torch.equal(one.places, other.places)


def again(b: Graph, codes: Codes, moves: Moved | None) -> Codes:
    """The moves, made with other codes of the shape that they begin with."""
    if moves is None:
        return codes
    node = codes.node
    for function, argument in moves.steps:
        node = b.call(function, node, argument)
    place = replace(moves, node=codes.node, turned=None)
    return Codes(node, codes.levels, codes.owner, moved=place)


def turned(b: Graph, codes: Codes) -> Codes:
    """The codes as a graph has them: a convolution with weights 0 and 1 moves them.

    The graph's value is seen as (outer, rows, columns, channels), and rows and columns change places. Refused
    where this is not what the moves do.
    """
    origin = codes.moved
    assert origin is not None
    shape = origin.now
    if origin.turned is None:
        count = len(origin.places)
        wanted = torch.empty(count, dtype=torch.long)
        wanted[channels_last(shape)] = origin.places
        outer, rows, columns, channels = _transposed(wanted)
        same = torch.arange(count).reshape(outer, rows, columns, channels).transpose(1, 2).flatten()
        if not torch.equal(same, wanted) or (rows * channels) ** 2 > MOST:
            b.refuse(
                f"{b.name} cannot be converted",
                f"its input {shape} does not lie so in a graph, and no small convolution moves it there",
                "let (N, channels, ...) come in: permute back, or permute the input of the model alone",
            )
        origin.turned = _convolved(b, codes, (outer * rows, columns, channels), rows)
    return origin.turned


def _convolved(b: Graph, codes: Codes, view: tuple[int, int, int], rows: int) -> Codes:
    """view: (outer * rows, columns, channels) of the graph's value."""
    origin = codes.moved
    assert origin is not None
    shape = origin.now
    height, width, channels = view
    layer = Conv2d(channels, rows * channels, (rows, 1), (rows, 1))
    weights = torch.zeros_like(layer.weight)
    for row in range(rows):
        for c in range(channels):
            weights[row * channels + c, c, row, 0] = 1
    fixed(layer, weights)
    node = as_map(b, origin.node, origin.shape, view)
    b.credit = b.credit or origin.source
    node = b.layer(b.free(f"{origin.source.name}_turned"), layer, node)
    b.credit = None
    node = as_map(b, node, (rows * channels, height // rows, width), (*shape[1:], shape[0]))
    sums = Sums(node, shape[0], layer, codes.levels.lo >= 0)
    made = b.codes(Float(sums, origin.source, origin.source), levels(codes.levels.name))
    return Codes(made.node, made.levels, made.owner)


def as_map(b: Graph, node: fx.Node, before: tuple[int, ...], view: tuple[int, ...]) -> fx.Node:
    """(N, *before), channels first, as another shape of the same graph's value. view: that, channels last."""
    if len(before) > 1:
        node = b.call(torch.permute, node, (0, *range(2, len(before) + 1), 1))
    node = b.call(torch.reshape, node, (-1, *view))
    return b.call(torch.permute, node, (0, len(view), *range(1, len(view)))) if len(view) > 1 else node


def _transposed(wanted: Tensor) -> tuple[int, int, int, int]:
    """(outer, rows, columns, channels) of the transpose that the places `wanted` begin with."""
    found = wanted.tolist()
    count, channels = len(found), 1
    while channels < count and found[channels] == found[0] + channels:
        channels += 1
    if channels == count or count % channels or found[channels] % channels:
        return (1, 1, 1, count)
    step, rows = found[channels], 1
    while rows * channels < count and found[rows * channels] == found[0] + rows * step:
        rows += 1
    if step <= 0 or count % (rows * step):
        return (1, 1, 1, count)
    return (count // (rows * step), rows, step // channels, channels)
