"""A quantiser becomes an op of the graph: nothing, thresholds, a requantize or a table; each of them exact.

The chain from the integers to the quantiser and the quantiser itself are float32 functions that only rise or
fall in each channel, as rounding does; so what agrees at both sides of each step agrees everywhere. Where
that is cheap, every integer of the interval is tried nevertheless.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeternary.frontends.onnx.grids import TABLE, shifted, widened
from edgeternary.frontends.onnx.quantisers import Quantiser
from edgeternary.frontends.onnx.values import Context, Live, Quantised
from edgeternary.ir import Op, Value
from edgeternary.ops import Lookup, Requantize, Threshold
from edgeternary.passes.exact_requantize import Scaling, exact_requantize
from edgeternary.passes.steps import Steps, bisect, steps

FEW = 16  # levels, of which thresholds are the natural form
SHORT = 1 << 12  # entries of a lookup that is better than 255 thresholds
MOST_LEVELS = 256
TRIED = 1 << 22  # channels x integers that are tried one by one

Ints = NDArray[np.int64]
T = TypeVar("T", Steps, Scaling)


@dataclass(frozen=True)
class _Function:
    """From integers (C or 1, n) of a value to codes (C, n); refuses what is no number."""

    c: Context
    x: Live
    quantiser: Quantiser
    channels: int

    def __call__(self, codes: Ints) -> Ints:
        with np.errstate(all="ignore"):
            y = self.quantiser.codes(self.x(codes))
        if np.isnan(y).any():
            raise self.c.refuse("its input can be NaN", "check the numbers of the layers before it")
        rows = np.broadcast_to(y, (self.channels, y.shape[1])) if len(y) < self.channels else y
        return rows.astype(np.int64)


def quantised(c: Context, x: Live, q: Quantiser) -> Live:
    """The tensor after the quantiser `q` of the tensor x."""
    value = c.values[x.base]
    uniform = x.uniform and all(n.ndim == 0 for n in q.codes.numbers) and not q.own
    f = _Function(c, x, q, 1 if uniform else value.channels)
    after = (q.back,) if q.back else ()
    if _unchanged(f, value, q):
        c.remarks.append("its codes are those of its input")
        return Live(x.base, x.shape, x.order, after, q.grid)
    op, x = _op(c, f, value, uniform)
    c.emit(op)
    result = Live(op.name, x.shape, x.order, after, q.grid)
    c.quantised.append(Quantised(c.here.outputs[0], x, result, q.codes))
    return result


def _unchanged(f: _Function, value: Value, q: Quantiser) -> bool:
    """Whether codes stay what they are: a second quantiser of the same scale."""
    if value.hi - value.lo >= TABLE or value.type.name != q.type:
        return False
    every = np.arange(value.lo, value.hi + 1, dtype=np.int64)[None]
    if value.type.name == "bipolar":
        every = every[:, every[0] != 0]
    return bool(np.all(f(every) == every))


def _op(c: Context, f: _Function, value: Value, uniform: bool) -> tuple[Op, Live]:
    """The op, and the tensor that it reads."""
    x, q = f.x, f.quantiser
    count = value.hi - value.lo + 1
    if not all(link.monotone for link in (*x.chain, q.codes)):
        if uniform and count <= TABLE:
            return _lookup(c, f, value), x
        raise c.refuse(
            "the functions before it turn back, and it is no table of few codes",
            "use functions that only rise or only fall (Relu, Clip), or quantise before them",
        )
    ends = f(np.array([[value.lo, value.hi]], np.int64))
    low, high = int(ends.min()), int(ends.max())
    if q.type == "bipolar":
        return _threshold(c, f, value, [-1, 1]), x
    if high - low < FEW or q.type in ("binary", "ternary"):
        low, high = (low, high) if low < high else (q.lo, q.lo + 1) if low == q.lo else (low - 1, low)
        return _threshold(c, f, value, list(range(low, high + 1))), x
    if uniform and value.type.bits <= 8 and count <= MOST_LEVELS:
        return _lookup(c, f, value), x
    f = replace(f, x=widened(x))
    ends = f(np.array([[value.lo, value.hi]], np.int64))
    low, high = int(ends.min()), int(ends.max())
    found = bisect(f, value.lo, value.hi, np.arange(low, high + 1), c.here.name)
    requantize = _requantize(c, f, found, value, (low, high))
    if requantize:
        return requantize
    few = high - low < MOST_LEVELS
    if uniform and count <= (SHORT if few else TABLE):
        return _lookup(c, f, value), f.x
    if not few:
        raise c.refuse(
            f"it has {high - low + 1:,} levels, and no requantize equals it",
            "quantise to 8 bits or fewer, or give it a scale that is a power of two",
        )
    c.remarks.append(f"{high - low} thresholds: no requantize equals it")
    return _op_of_steps(c, x, _wide(found, value), q.type), f.x


def _requantize(
    c: Context, f: _Function, found: Steps, value: Value, ends: tuple[int, int]
) -> tuple[Op, Live] | None:
    """A requantize that equals the steps, and the tensor that it reads."""
    scaling = exact_requantize(found, value.lo, value.hi, *ends)
    if scaling is None:
        return None
    wide, t = _wide(scaling, value), _wide(found, value).t.astype(np.int64)
    reads = f
    if wide.a.any():  # the accumulator has to grow first
        x = shifted(c, f.x, wide.a)
        if x is None:
            return None
        reads = replace(f, x=x, channels=value.channels)
    op = Requantize(
        name=c.name(), inputs=(f.x.base,), m=wide.m, b=wide.b, s=wide.s, zero=0, lo=ends[0], hi=ends[1],
        rounding="floor", type=f.quantiser.type,
    )  # fmt: skip
    if not _agrees(op, reads, _points(value, t), wide.a):
        raise c.refuse("the requantize that should equal it does not", "report this as a bug")
    form = op.form(c.values[f.x.base])
    c.remarks.append(f"a requantize of form {form}, equal on all of {value.lo} to {value.hi}")
    return op, reads.x


def _threshold(c: Context, f: _Function, value: Value, levels: list[int]) -> Threshold:
    found = steps(f, value.lo, value.hi, levels, c.here.name, TRIED)
    return _op_of_steps(c, f.x, _wide(found, value), f.quantiser.type)


def _wide(found: T, value: Value) -> T:
    """What one row found for all channels, as one row for each."""
    rows = {name: np.repeat(a, value.channels, axis=0) for name, a in vars(found).items() if len(a) == 1}
    return replace(found, **rows)


def _op_of_steps(c: Context, x: Live, found: Steps, type: str) -> Threshold:
    return Threshold(name=c.name(), inputs=(x.base,), t=found.t, base=found.base, step=found.step, type=type)


def _lookup(c: Context, f: _Function, value: Value) -> Lookup:
    every = np.arange(value.lo, value.hi + 1, dtype=np.int64)[None]
    table = f(every)[0].astype(np.int32)
    c.remarks.append(f"a table of {len(table)} codes")
    return Lookup(name=c.name(), inputs=(f.x.base,), table=table, offset=value.lo, type=f.quantiser.type)


def _points(value: Value, t: Ints) -> Ints:
    """Every integer (1, n), or the steps t (C, K) of the function, which only rises or falls, and ends."""
    if value.channels * (value.hi - value.lo + 1) <= TRIED:
        return np.arange(value.lo, value.hi + 1, dtype=np.int64)[None]
    ends = np.array([[value.lo, value.hi]] * len(t), np.int64)
    return np.concatenate([np.clip(np.concatenate([t - 1, t], 1), value.lo, value.hi), ends], 1)


def _agrees(op: Requantize, f: _Function, points: Ints, grown: Ints) -> bool:
    """Whether op is f at the points of each channel, whose accumulator has grown."""
    given = points + grown[:, None]
    ours = op.ref(given.T.astype(np.int32)).T
    return bool(np.array_equal(ours, np.broadcast_to(f(given), given.shape)))
