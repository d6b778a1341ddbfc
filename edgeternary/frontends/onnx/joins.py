"""Sums and products of two tensors: both as integers of one scale."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from edgeternary.frontends.onnx.grids import integral, on_grid
from edgeternary.frontends.onnx.values import Context, Grid, Live
from edgeternary.ir import smallest
from edgeternary.ops import Add, Lookup, Mul, Requantize

MOST = 1 << 10  # steps of the common scale in a branch's own
SHARE = "give both branches one quantiser (Brevitas: one QuantIdentity that both go through)"


def add(c: Context, a: Live, b: Live, sign: int = 1) -> Live:
    """a + b, or a - b: integers of the largest scale of which both scales are multiples."""
    a, b = _alike(c, integral(c, a), integral(c, b))
    assert a.grid is not None and b.grid is not None
    if np.ndim(a.grid.scale) or np.ndim(b.grid.scale):
        raise c.refuse("its branches have a scale for each channel", f"use one scale for each; {SHARE}")
    one, two, scale = _common(c, float(a.grid.scale), float(b.grid.scale))
    left, right = _times(c, a, one, "left"), _times(c, b, sign * two, "right")
    op = Add(name=c.name(), inputs=(left, right))
    c.emit(op)
    zero = np.asarray(a.grid.zero) * one + sign * np.asarray(b.grid.zero) * two
    grid = Grid(np.asarray(scale), zero)
    return Live(op.name, a.shape, a.order, (on_grid(grid),), grid)


def subtract(c: Context, a: Live, b: Live) -> Live:
    return add(c, a, b, -1)


def multiply(c: Context, a: Live, b: Live) -> Live:
    a, b = _alike(c, integral(c, a), integral(c, b))
    assert a.grid is not None and b.grid is not None
    if np.any(a.grid.zero) or np.any(b.grid.zero):
        raise c.refuse("its factors have zero points", "quantise both with a zero point of 0")
    op = Mul(name=c.name(), inputs=(a.base, b.base))
    c.emit(op)
    grid = Grid(np.asarray(a.grid.scale * b.grid.scale))
    return Live(op.name, a.shape, a.order, (on_grid(grid),), grid)


def _alike(c: Context, a: Live, b: Live) -> tuple[Live, Live]:
    same = a.shape == b.shape and c.values[a.base].shape == c.values[b.base].shape
    if not same or not np.array_equal(a.whole_order, b.whole_order):
        raise c.refuse(
            f"its operands are {(1, *a.shape)} and {(1, *b.shape)}", "use two tensors of one shape and layout"
        )
    return a, b


def _common(c: Context, a: float, b: float) -> tuple[int, int, float]:
    """(i, j, s) with a = i * s and b = j * s, both exactly."""
    exact = Fraction(a) / Fraction(b)
    near = exact.limit_denominator(MOST)
    if near != exact or near.numerator > MOST:
        raise c.refuse(
            f"its branches have the scales {a:.9g} and {b:.9g}, which have no common measure: "
            "their sum is no integer",
            SHARE,
        )
    scale = a / near.numerator
    if Fraction(scale) * near.numerator != Fraction(a):
        raise c.refuse(f"its branches have the scales {a:.9g} and {b:.9g}", SHARE)
    return near.numerator, near.denominator, scale


def _times(c: Context, x: Live, factor: int, part: str) -> str:
    """The name of the integers of x times a factor."""
    if factor == 1:
        return x.base
    value = c.values[x.base]
    ends = sorted((value.lo * factor, value.hi * factor))
    if value.hi - value.lo < 1 << 12:
        table = np.arange(value.lo, value.hi + 1, dtype=np.int64) * factor
        kind = smallest(ends[0], ends[1]).name
        op: Lookup | Requantize = Lookup(
            name=c.name(part), inputs=(x.base,), table=table.astype(np.int32), offset=value.lo, type=kind
        )
    else:
        op = scaled(c, x, np.full(value.channels, factor), part)
    c.emit(op)
    return op.name


def scaled(c: Context, x: Live, factors: np.ndarray, part: str) -> Requantize:
    """The integers of x times one factor for each channel, as int32."""
    value = c.values[x.base]
    ends = [int(f) * end for f in (factors.min(), factors.max()) for end in (value.lo, value.hi)]
    zeros = np.zeros(value.channels, np.int32)
    kind = smallest(min(ends), max(ends))
    return Requantize(
        name=c.name(part), inputs=(x.base,), m=factors.astype(np.int32), b=zeros, s=zeros, zero=0,
        lo=kind.lo, hi=kind.hi, rounding="floor", type=kind.name,
    )  # fmt: skip
