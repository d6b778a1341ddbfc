"""Calls of several values: sums, products, concatenations."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from edgeternary.nn.activations import StepSize
from edgeternary.nn.converting import moves, order
from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.calls import Call
from edgeternary.nn.converting.values import Codes, Constant, Float, Logits, Several, Sums, Value
from edgeternary.nn.curve import Curve
from edgeternary.nn.levels import Levels, levels
from edgeternary.nn.pool import MaxPool
from edgeternary.nn.structure import Add, Concat, Mul, Upsample


def add(b: Builder, call: Call, values: list[Value], given: Sequence[fx.Node] = ()) -> Value:
    """All become codes of one step, which the quantisers share. given: the calls that give the values."""
    if all(isinstance(v, Logits) for v in values):
        b.refuse(
            f"{b.name} cannot be converted",
            "it adds the results of two last layers, which have a scale each",
            "join their inputs (torch.cat) and use one layer",
        )
    sources = given or (call.inputs if len(call.inputs) == len(values) else call.inputs * len(values))
    whole = b.shape(call.node)
    shapes = [b.shape(n) for n in sources]
    if not all(_spreads(shape, whole) for shape in shapes):
        b.refuse(
            f"{b.name} cannot be converted",
            f"it adds values of the shapes {' and '.join(map(str, shapes))}",
            "give both as many axes, each of one size or of size 1: x[:, :, None, None]",
        )
    made = [
        spread_codes(b, call, codes, shape, whole) if shape != whole else codes
        for codes, shape in zip(_one_step(b, values, sources, _branch_kind(b)), shapes, strict=True)
    ]
    made, moves = order.together(b, made)
    lo, hi = sum(c.levels.lo for c in made), sum(c.levels.hi for c in made)
    node = made[0].node
    for codes in made[1:]:
        node = b.layer(b.free(call.path), Add(), node, codes.node)
    return order.again(b, Codes(node, _interval(lo, hi), made[0].owner), moves)


def _spreads(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether torch repeats a value of `shape` along axes of size 1 to have one of `whole`."""
    return len(shape) == len(whole) and all(n in (m, 1) for n, m in zip(shape, whole, strict=True))


def spread_codes(
    b: Builder, call: Call, codes: Codes, before: tuple[int, ...], shape: tuple[int, ...]
) -> Codes:
    """Codes (N, *before) repeated along axes of size 1, up to (N, *shape)."""
    codes = b.codes(codes)
    if before[0] != shape[0]:
        codes = _more_channels(b, call, codes, before, shape[0])
    factor = tuple(m // n for n, m in zip(before[1:], shape[1:], strict=True))
    if max(factor, default=1) == 1:
        return codes
    pair = factor if len(factor) == 2 else (1, *factor)
    wide = b.layer(b.free(f"{call.path}_spread"), Upsample(pair, "repeat"), codes.node)  # type: ignore[arg-type]
    return Codes(wide, codes.levels, codes.owner)


def _more_channels(b: Builder, call: Call, codes: Codes, before: tuple[int, ...], channels: int) -> Codes:
    """The one channel of (N, 1, ...) as each of `channels`: as if they were pixels of a row."""
    pixels = math.prod(before)
    row = order.as_map(b, codes.node, before, (pixels, 1, 1))
    wide = b.layer(b.free(f"{call.path}_channels"), Upsample((1, channels), "repeat"), row)
    node = order.as_map(b, wide, (1, pixels, channels), (*before[1:], channels))
    return Codes(node, codes.levels, codes.owner)


def total(b: Builder, call: Call, stacked: Several) -> Value:
    """torch.stack(values, d).sum(d), or the mean: sums of two, one after the other."""
    stack = call.inputs[0]
    parts: Any = stack.args[0] if stack.args else stack.kwargs["tensors"]
    rank = len(b.seen[stack].shape)
    dims = [Call(node, None, False).bound("dim", dim=0)["dim"] for node in (stack, call.node)]
    dims = [d[0] if isinstance(d, (tuple, list)) and len(d) == 1 else d for d in dims]
    if not all(isinstance(d, int) for d in dims) or dims[0] % rank != dims[1] % rank:
        b.refuse(
            f"{b.name} cannot be converted",
            "it sums along another axis than the values are stacked along",
            "add the values: a + b",
        )
    return add(b, call, list(stacked.parts), parts)


def _branch_kind(b: Builder) -> Levels:
    """Codes of a branch: signed, so that it can take away, and with 4 bits at least."""
    if b.kind.gap == 2:
        return b.kind
    bits = max(4, (b.kind.hi - b.kind.lo).bit_length())
    return levels(f"int{bits}")


def _interval(lo: int, hi: int) -> Levels:
    signed = lo < 0
    bits = max((-lo - 1).bit_length() if signed else 0, hi.bit_length()) + signed
    return Levels(f"{'' if signed else 'u'}int{max(bits, 2)}", lo, hi)


def _one_step(b: Builder, values: list[Value], sources: Sequence[fx.Node], kind: Levels) -> list[Codes]:
    """All as codes of one step size. sources: the calls of the float model that give the values."""
    owned: list[StepSize] = []
    made: list[Codes] = []
    for x, source in zip(values, sources, strict=True):
        if isinstance(x, Codes) and (x.owner is None or x.affine is not None) and b.kind.gap != 2:
            x = Float(x, source, source)  # codes whose step nothing can share
        elif isinstance(x, Codes) and b.is_kept(x.owner) and any(_apart(b, x.owner, o) for o in owned):
            x = Float(x, source, source)
        if isinstance(x, Float):
            unsigned = bool(x.curves) and x.curves[-1].unsigned
            codes = b.codes(x, b.kind if unsigned and b.kind.gap == 1 else kind)
        else:
            codes = b.codes(x, placed=False)
        made.append(codes)
        if codes.owner is not None:
            owned.append(codes.owner)
    b.ties.tie(owned)
    return made


def _apart(b: Builder, one: StepSize | None, other: StepSize) -> bool:
    """Whether both are quantisers that the model had, with steps of their own."""
    return one is not None and b.is_kept(other) and one.scale is not other.scale


def concat(b: Builder, call: Call, values: list[Value], sources: Sequence[fx.Node]) -> Value:
    dim = call.bound("dim", dim=0)["dim"] if "dim" in call.node.kwargs or len(call.node.args) > 1 else 0
    rank = len(b.seen[call.node].shape)
    if any(isinstance(v, Constant) for v in values):
        return _with_zeros(b, call, values, dim % rank)
    if dim % rank != 1:
        b.refuse(
            f"{b.name} cannot be converted",
            f"it joins along axis {dim % rank} of {rank}, and a graph joins channels, axis 1",
            "join the channels: torch.cat((a, b), 1)",
        )
    if all(isinstance(v, Codes) and v.affine is not None for v in values):
        made = [b.codes(v) for v in values]
        same = all(torch.equal(c.affine[0], made[0].affine[0]) and torch.equal(c.affine[1], made[0].affine[1])
                   for c in made if c.affine is not None and made[0].affine is not None
                   and c.affine[0].numel() == made[0].affine[0].numel() == 1)  # fmt: skip
        if same:
            node = b.layer(call.path, Concat(), *(c.node for c in made))
            return Codes(node, made[0].levels, None, made[0].affine)
    made = [b.codes(codes) for codes in _one_step(b, values, sources, b.signed(False))]
    lo, hi = min(c.levels.lo for c in made), max(c.levels.hi for c in made)
    kinds = {c.levels.name: c.levels for c in made}
    found = kinds.popitem()[1] if len(kinds) == 1 else _interval(lo, hi)
    node = b.layer(call.path, Concat(), *(c.node for c in made))
    return Codes(node, found, made[0].owner)


def _with_zeros(b: Builder, call: Call, values: list[Value], dim: int) -> Value:
    """One value between channels of zeros."""
    wanted: list[int | None] = []
    live = [v for v in values if not isinstance(v, Constant)]
    for value in values:
        part = value.value if isinstance(value, Constant) else None
        if isinstance(part, Tensor) and bool((part == 0).all()):
            wanted += [None] * part.shape[1]
        elif part is None:
            wanted += range(b.shape(call.inputs[0])[0])
    if len(live) != 1 or dim != 1 or len(wanted) != b.shape(call.node)[0] or len(b.shape(call.node)) < 2:
        b.refuse(
            f"{b.name} cannot be converted",
            "it joins a constant to an activation, and no value of a graph is constant",
            "give the constant as one more input of the model; what is the same at every pixel is a bias",
        )
    return moves.chosen(b, call, b.codes(live[0]), wanted)


def repeat(b: Builder, call: Call, x: Value) -> Value:
    """x.repeat(1, n, 1, 1): the same channels side by side."""
    before, after = b.shape(call.inputs[0]), b.shape(call.node)
    if len(after) != len(before) or after[1:] != before[1:] or not before:
        b.refuse(
            f"{b.name} cannot be converted",
            f"it makes {after} of {before}",
            "repeat channels, x.repeat(1, n, 1, 1), or pixels: F.interpolate(x, scale_factor=n)",
        )
    codes = b.codes(x)
    node = b.layer(call.path, Concat(), *[codes.node] * (after[0] // before[0]))
    return Codes(node, codes.levels, codes.owner)


def multiply(b: Builder, call: Call, values: list[Value]) -> Value:
    """A gate: the product of two codes, whose step is the product of both steps."""
    made = [b.codes(v, placed=False) for v in values]
    shapes = [b.shape(n) for n in call.inputs] if len(call.inputs) == 2 else [b.shape(call.node)] * 2
    whole = b.shape(call.node)
    if not all(_spreads(shape, whole) for shape in shapes):
        b.refuse(
            f"{b.name} cannot be converted",
            f"it multiplies {shapes[0]} by {shapes[1]}",
            "give both as many axes, each of one size or of size 1: gate[:, :, None, None]",
        )
    made = [
        spread_codes(b, call, codes, shape, whole) if shape != whole else codes
        for codes, shape in zip(made, shapes, strict=True)
    ]
    x, gate = (b.codes(codes) for codes in made)
    node = b.layer(f"{call.path}_product" if call.is_layer else call.path, Mul(), x.node, gate.node)
    ends = [p * q for p in (x.levels.lo, x.levels.hi) for q in (gate.levels.lo, gate.levels.hi)]
    sums = Sums(node, b.shape(call.node)[0], None, min(ends) >= 0)
    return Float(sums, call.node, call.node)


def larger(b: Builder, call: Call, values: list[Value]) -> Value:
    """torch.maximum(x, y): codes of one step side by side, as two rows of a map, and a pool over them."""
    whole = b.shape(call.node)
    if any(b.shape(n) != whole for n in call.inputs) or len(call.inputs) != 2:
        b.refuse(
            f"{b.name} cannot be converted", "its two inputs have different shapes", "give both one shape"
        )
    made = [b.codes(codes) for codes in _one_step(b, values, call.inputs, b.signed(False))]
    joined = b.layer(b.free(f"{call.path}_pair"), Concat(), *(codes.node for codes in made))
    channels, pixels = whole[0], math.prod(whole[1:])
    rows = order.as_map(b, joined, (2 * channels, *whole[1:]), (2 * pixels, channels, 1))
    pooled = b.layer(call.path, MaxPool((2, 1), (2, 1)), rows)
    node = order.as_map(b, pooled, (1, pixels, channels), (*whole[1:], channels))
    kinds = {codes.levels.name for codes in made}
    lo, hi = max(codes.levels.lo for codes in made), max(codes.levels.hi for codes in made)
    return Codes(node, made[0].levels if len(kinds) == 1 else _interval(lo, hi), made[0].owner)


def glu(b: Builder, call: Call, x: Value) -> Value:
    """a * sigmoid(b), with a and b the halves of the channels."""
    rank = len(b.seen[call.node].shape)
    if call.bound("dim", dim=-1)["dim"] % rank != 1:
        b.refuse(
            f"{b.name} cannot be converted", "it halves another axis than the channels", "use F.glu(x, 1)"
        )
    codes = b.codes(x)
    half = b.shape(call.node)[0]
    every = slice(None)
    parts = [
        Codes(b.call(operator.getitem, codes.node, (every, slice(s, s + half))), codes.levels, codes.owner)
        for s in (0, half)
    ]
    before = b.seen[call.inputs[0]].values[half:]
    gate = Curve(half, nn.Sigmoid(), levels(f"uint{max(4, b.kind.hi.bit_length())}").name)
    node = b.layer(b.free(f"{call.path}_gate"), gate, parts[1].node)
    b.targets[b.path(gate)] = before
    sums = Sums(b.layer(call.path, Mul(), parts[0].node, node), half, None, codes.levels.lo >= 0)
    return Float(sums, call.node, call.node)
