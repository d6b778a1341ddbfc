"""Integers on a grid: what multiplications and sums need of a tensor."""

from __future__ import annotations

import msgspec
import numpy as np

from edgeternary.frontends.onnx.codes import TABLE
from edgeternary.frontends.onnx.values import Context, Grid, Link, Live
from edgeternary.ir import smallest
from edgeternary.ops import Lookup, Threshold

F = np.float32
BEFORE = (
    "put a quantiser before it (Brevitas: a QuantIdentity, or return_quant_tensor=True on the layer before)"
)


def on_grid(grid: Grid) -> Link:
    """The float32 of integers on a grid: one product in float64, rounded once."""
    numbers = np.asarray(grid.scale), np.asarray(grid.zero), np.asarray(grid.offset)
    return Link(
        lambda q, s, z, b: ((q - z) * s + b).astype(F), numbers, lambda q, s, z, b: np.abs((q - z) * s)
    )


def integral(c: Context, x: Live) -> Live:
    """The tensor as integers times a scale, without an offset, or a refusal.

    Codes after functions such as Relu that leave every one of them on the grid become a table.
    """
    if x.grid is not None and x.grid.exact and not np.any(x.grid.offset):
        return x
    value = c.values[x.base]
    scale = x.hint if x.hint is not None else x.grid.scale if x.grid is not None and x.grid.exact else None
    if scale is None or np.ndim(scale) or not x.uniform or value.hi - value.lo >= TABLE:
        raise c.refuse("its input is not quantised: its numbers are no integers times a scale", BEFORE)
    every = np.arange(value.lo, value.hi + 1, dtype=np.int64)[None]
    numbers = x(every)[0]
    with np.errstate(all="ignore"):
        steps = np.rint(numbers.astype(np.float64) / scale)
    if not np.all(np.isfinite(steps)) or not np.array_equal((steps * scale).astype(F), numbers):
        raise c.refuse("its input left its grid: a function before it is no integer one", BEFORE)
    kind = smallest(int(steps.min()), int(steps.max())).name
    table = steps.astype(np.int32)
    op = Lookup(name=c.name("codes"), inputs=(x.base,), table=table, offset=value.lo, type=kind)
    c.emit(op)
    grid = Grid(np.asarray(scale))
    return Live(op.name, x.shape, x.order, (on_grid(grid),), grid)


def padded_codes(c: Context, x: Live, pad: int) -> Live:
    """x in a type that has the code `pad`: bipolar codes become ternary where a convolution pads with 0."""
    value = c.values[x.base]
    if value.type.contains(np.array([pad])):
        return x
    if value.type.name != "bipolar" or pad != 0:
        raise c.refuse(
            f"it pads with the code {pad}, which {value.type} has not", "use a zero point in range"
        )
    last = c.ops[-1] if c.ops else None
    if isinstance(last, Threshold) and last.name == x.base:  # nothing else reads it yet
        c.ops[-1] = msgspec.structs.replace(last, type="ternary")
        c.values[x.base] = c.ops[-1].infer([c.values[name] for name in last.inputs])
        return x
    ones = np.ones(value.channels, np.int32)
    op = Threshold(
        name=c.name("codes"), inputs=(x.base,), t=0 * ones[:, None], base=-ones, step=2 * ones, type="ternary"
    )
    c.emit(op)
    return Live(op.name, x.shape, x.order, x.chain, x.grid, x.hint)
