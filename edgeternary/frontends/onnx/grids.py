"""Integers on a grid: what multiplications and sums need of a tensor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.onnx.restep import restepped
from edgeternary.frontends.onnx.values import Context, Grid, Link, Live
from edgeternary.ir import smallest
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Conv2d, Dense, Lookup, Threshold

F = np.float32
TABLE = 1 << 16  # entries of a lookup
BEFORE = (
    "put a quantiser before it (Brevitas: a QuantIdentity, or return_quant_tensor=True on the layer before)"
)


def real_value(q: Any, scale: Any, zero: Any, offset: Any) -> Any:
    return (q - zero) * scale + offset


def value_of(q: Any, scale: Any, zero: Any, offset: Any) -> Any:
    return real_value(q, scale, zero, offset).astype(F)


def widened(x: Live) -> Live:
    """x in float64 from its integers on, where a float32 sum depends on its order: a scale that is no 2^k.

    There float32 decides no rounding that all engines share.
    """
    if not x.chain or x.chain[0].apply is not value_of:
        return x
    if np.all(np.frexp(np.abs(x.chain[0].numbers[0]))[0] == 0.5):
        return x
    return replace(x, chain=(replace(x.chain[0], apply=real_value), *x.chain[1:]))


def on_grid(grid: Grid) -> Link:
    """The float32 of integers on a grid: one product in float64, rounded once."""
    numbers = np.asarray(grid.scale), np.asarray(grid.zero), np.asarray(grid.offset)
    return Link(value_of, numbers, lambda q, s, z, b: np.abs((q - z) * s) + np.abs(b))


def shifted(c: Context, x: Live, by: NDArray[np.int64]) -> Live | None:
    """x after its accumulator, in the bias of its layer, has grown by `by` (C,); None where it cannot.

    Every tensor of that accumulator then subtracts it again; there is no other layer that reads it yet.
    """
    place = next((i for i, op in enumerate(c.ops) if op.name == x.base), -1)
    op = c.ops[place]
    family = {n: t for n, t in c.tensors.items() if isinstance(t, Live) and t.base == x.base}
    steps = [step.before for step in c.quantised if step.before.base == x.base]
    values = (value_of, real_value)
    whole = all(t.chain and t.chain[0].apply in values for t in (x, *family.values()))
    whole = whole or not (x.chain or family)
    if place < 0 or not isinstance(op, Dense | Conv2d) or not whole or steps:
        return None
    bias = op.bias + by
    if any(x.base in other.inputs for other in c.ops) or np.abs(bias).max() > INT32_HI:
        return None
    made = msgspec.structs.replace(op, bias=bias.astype(np.int32))
    try:
        c.values[x.base] = made.infer([c.values[name] for name in op.inputs])
    except EdgeTernaryError:
        return None
    c.ops[place] = made
    c.tensors.update({name: _minus(t, by) for name, t in family.items()})
    return _minus(x, by)


def _minus(x: Live, by: NDArray[np.int64]) -> Live:
    if not x.chain:
        return replace(x, chain=(Link(lambda q, z: q - z, (by,)),))
    scale, zero, offset = x.chain[0].numbers
    first = replace(x.chain[0], numbers=(scale, zero + by, offset))
    grid = replace(x.grid, zero=np.asarray(x.grid.zero) + by) if x.grid else None
    return replace(x, chain=(first, *x.chain[1:]), grid=grid)


def integral(c: Context, x: Live) -> Live:
    """The tensor as integers times a scale, without an offset, or a refusal.

    Codes after functions such as Relu that leave every one of them on the grid become a table.
    """
    if x.grid is not None and x.grid.exact and not np.any(x.grid.offset):
        return x
    stepped = restepped(c, x)
    if stepped:
        x, unit = stepped
        grid = Grid(np.asarray(unit))
        return replace(x, chain=(on_grid(grid),), grid=grid)
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
