"""Quantisers of an exported torch program: thresholds up to 4 bits, requantize above; tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.torch_values import Codes, Context, Lowered, Pending, column
from edgeternary.ir import smallest
from edgeternary.nn.levels import Levels, levels
from edgeternary.ops import Lookup, Requantize, Threshold
from edgeternary.passes.steps import WHOLE_INTERVAL_LIMIT, steps


class BoundExceeded(EdgeTernaryError):
    """The Requantize at the module path `layer` gets accumulators beyond its bound; `needed` would do."""

    layer: str
    needed: int


def _type(c: Context, lo: int, hi: int) -> str:
    """The type that the layer declares; the narrowest for a bare operator."""
    declared = getattr(c.module, "levels", None)
    return declared.name if isinstance(declared, Levels) else smallest(lo, hi).name


def _thresholds(c: Context, x: Lowered, kind: str, quantize: Callable[[torch.Tensor], torch.Tensor]) -> Codes:
    base = c.per_channel(x.base if isinstance(x, Pending) else c.codes(x))
    value, channels, rank = c.values[base.name], base.channels, len(base.shape)
    if isinstance(x, Pending) and channels * (value.hi - value.lo + 1) > WHOLE_INTERVAL_LIMIT:
        _check_monotone(c, x)

    def f(codes: NDArray[np.int64]) -> NDArray[np.int64]:
        batch = column(np.broadcast_to(codes, (channels, codes.shape[1])), rank)
        y = quantize(x(batch) if isinstance(x, Pending) else batch)
        if y.shape != batch.shape:
            raise c.refuse("a function before it is not per channel", "use constants of one number a channel")
        return y.reshape(y.shape[:2]).numpy().T.astype(np.int64)

    found = steps(f, value.lo, value.hi, levels(kind).codes, c.path)
    t, first, step = found.t, found.base, found.step
    if base.order is not None:
        where = np.argsort(base.order)
        t, first, step = t[where], first[where], step[where]
    op = Threshold(name=c.name(), inputs=(base.name,), t=t, base=first, step=step, type=kind)
    return c.emit(op, base.shape, base.order)


def _check_monotone(c: Context, x: Pending) -> None:
    """Where the interval is too wide to try every integer, each function before a quantiser must be known."""
    for link in x.chain:
        if not link.monotone:
            raise c.refuse(
                f"a function in {link.layer!r} before it is not monotone, such as a negative slope",
                "use functions that only rise or only fall (ReLU, hard tanh), or narrower sums",
            )


def sign(c: Context, x: Lowered) -> Codes:
    return _thresholds(c, x, "bipolar", torch.ops.edgeternary.sign)


def quantize(c: Context, x: Lowered, scale: torch.Tensor, lo: int, hi: int) -> Codes:
    return _thresholds(c, x, _type(c, lo, hi), lambda y: torch.ops.edgeternary.quantize(y, scale, lo, hi))


def requantize(c: Context, x: Lowered, mbs: Lowered, lo: int, hi: int) -> Codes:
    x = c.per_channel(c.codes(x, "put the Requantize directly after the layer that makes the accumulators"))
    rows = c.integers(mbs, "multiplier").astype(np.int32)
    if x.order is not None:
        rows = rows[:, np.argsort(x.order)]
    m, b, s = (np.ascontiguousarray(row) for row in rows)
    op = Requantize(
        name=c.name(),
        inputs=(x.name,),
        m=m,
        b=b,
        s=s,
        zero=0,
        lo=lo,
        hi=hi,
        rounding="half_up",
        type=_type(c, lo, hi),
    )
    value = c.values[x.name]
    if op.form(value) == "C":
        raise _beyond(c, value.lo, value.hi)
    return c.emit(op, x.shape, x.order)


def _beyond(c: Context, lo: int, hi: int) -> BoundExceeded:
    needed = max(-lo, hi)
    said = c.refuse(
        f"its accumulators reach from {lo:,} to {hi:,}, more than its bound",
        f"give it bound={needed}, or call edgeternary.fit_bounds(model, example)",
    )
    error = BoundExceeded(said.what, said.why, said.remedy)
    error.layer, error.needed = c.path, needed
    return error


def lookup(c: Context, x: Lowered, table: Lowered, offset: int) -> Codes:
    x = c.codes(x)
    entries, value = c.integers(table, "table"), c.values[x.name]
    if value.lo < offset or value.hi >= offset + len(entries):
        raise c.refuse(
            f"its table holds {offset} to {offset + len(entries) - 1}, its input {value.lo} to {value.hi}",
            "give it the bits of its input, or the input its range: input_range=(lo, hi)",
        )
    kind = _type(c, int(entries.min()), int(entries.max()))
    op = Lookup(name=c.name(), inputs=(x.name,), table=entries.astype(np.int32), offset=offset, type=kind)
    return c.emit(op, x.shape, x.order)
