"""Calls of several values: sums, products, concatenations."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import torch
from torch import fx, nn

from edgeternary.nn.activations import StepSize
from edgeternary.nn.converting.builder import Builder
from edgeternary.nn.converting.calls import Call
from edgeternary.nn.converting.values import Codes, Float, Logits, Several, Sums, Value
from edgeternary.nn.curve import Curve
from edgeternary.nn.levels import Levels, levels
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
    pixel = (whole[0], *([1] * (len(whole) - 1))) if whole else ()
    shapes = [b.shape(n) for n in sources]
    if any(shape not in (whole, pixel) for shape in shapes):
        b.refuse(
            f"{b.name} cannot be converted",
            f"it adds values of the shapes {' and '.join(map(str, shapes))}",
            "give both one shape, or one of them a single pixel, (N, C, 1, 1)",
        )
    made = [
        spread_codes(b, call, codes, whole) if shape != whole else codes
        for codes, shape in zip(_one_step(b, values, sources, _branch_kind(b)), shapes, strict=True)
    ]
    lo, hi = sum(c.levels.lo for c in made), sum(c.levels.hi for c in made)
    node = made[0].node
    for codes in made[1:]:
        node = b.layer(b.free(call.path), Add(), node, codes.node)
    return Codes(node, _interval(lo, hi), made[0].owner)


def spread_codes(b: Builder, call: Call, codes: Codes, shape: tuple[int, ...]) -> Codes:
    """Codes of one pixel at every pixel of `shape`."""
    factor = shape[1:] if len(shape) == 3 else (1, *shape[1:])
    wide = b.layer(b.free(f"{call.path}_spread"), Upsample(factor, "repeat"), codes.node)  # type: ignore[arg-type]
    return Codes(wide, codes.levels, codes.owner)


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
            codes = b.codes(x)
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
    made = _one_step(b, values, sources, b.signed(False))
    lo, hi = min(c.levels.lo for c in made), max(c.levels.hi for c in made)
    kinds = {c.levels.name: c.levels for c in made}
    found = kinds.popitem()[1] if len(kinds) == 1 else _interval(lo, hi)
    node = b.layer(call.path, Concat(), *(c.node for c in made))
    return Codes(node, found, made[0].owner)


def multiply(b: Builder, call: Call, values: list[Value]) -> Value:
    """A gate: the product of two codes, whose step is the product of both steps."""
    x, gate = (b.codes(v) for v in values)
    shapes = [b.shape(n) for n in call.inputs] if len(call.inputs) == 2 else [b.shape(call.node)] * 2
    if shapes[0] != shapes[1]:
        if math.prod(shapes[0]) < math.prod(shapes[1]):
            (x, gate), shapes = (gate, x), shapes[::-1]
        if len(shapes[1]) != len(shapes[0]) or shapes[1] != (shapes[0][0], *([1] * (len(shapes[0]) - 1))):
            b.refuse(
                f"{b.name} cannot be converted",
                f"it multiplies {shapes[0]} by {shapes[1]}",
                "give both one shape, or a gate of one number for each channel, (N, C, 1, 1)",
            )
        gate = spread_codes(b, call, gate, shapes[0])
    node = b.layer(f"{call.path}_product" if call.is_layer else call.path, Mul(), x.node, gate.node)
    ends = [p * q for p in (x.levels.lo, x.levels.hi) for q in (gate.levels.lo, gate.levels.hi)]
    sums = Sums(node, b.shape(call.node)[0], None, min(ends) >= 0)
    return Float(sums, call.node, call.node)


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
