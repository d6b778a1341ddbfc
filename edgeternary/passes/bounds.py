"""The interval of each channel of each value, which is narrower than that of the whole value.

dense, conv2d   bias[o] + sum(w > 0) w * hi[c] + sum(w < 0) w * lo[c], and with lo and hi exchanged;
                where a window leaves the image, the pad value widens the interval of its channel
compare         0 or 1 where the constant is out of reach
lut             what is common to all entries that constant bits leave
group_count     the bits that are always set, and those that ever are
the others      what the op makes of both ends, as all of them are monotone per channel
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir import Graph, Op, Value
from edgeternary.ops import (
    Add,
    Compare,
    Concat,
    Conv2d,
    Dense,
    GroupCount,
    Lookup,
    Lut,
    MaxPool,
    Mul,
    Requantize,
    Reshape,
    SumPool,
    Threshold,
    Upsample,
)

Wide = NDArray[np.int64]


@dataclass(frozen=True)
class Bounds:
    """Channel c of a value lies in [lo[c], hi[c]]; both (C,)."""

    lo: Wide
    hi: Wide

    @staticmethod
    def of(value: Value) -> Bounds:
        """The interval of the whole value for every channel."""
        return Bounds(*(np.full(value.channels, end, np.int64) for end in (value.lo, value.hi)))

    @property
    def constant(self) -> NDArray[np.bool_]:
        """(C,): channels that can take one code only."""
        return self.lo == self.hi


def bounds(graph: Graph) -> dict[str, Bounds]:
    """The bounds of every value; those of the whole value after ops that are not known here."""
    found = {name: Bounds.of(value) for name, value in graph.values.items()}
    for op in graph.ops:
        rule = RULES.get(type(op))
        if rule:
            found[op.name] = rule(op, [found[name] for name in op.inputs], graph.values[op.name])
    return found


def _dense(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    assert isinstance(op, Dense)
    return _sums(op.weights.astype(np.int64), ins[0].lo, ins[0].hi, op.bias)


def _conv2d(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    assert isinstance(op, Conv2d)
    lo, hi = ins[0].lo, ins[0].hi
    if any(op.pad):
        lo, hi = np.minimum(lo, op.pad_value), np.maximum(hi, op.pad_value)
    taps = op.weights.reshape(len(op.bias), -1, op.weights.shape[3]).astype(np.int64)
    outs, ins_each = len(op.bias) // op.groups, op.weights.shape[3]
    parts = []
    for g in range(op.groups):
        w, own = taps[g * outs : (g + 1) * outs], slice(g * ins_each, (g + 1) * ins_each)
        positive, negative = np.maximum(w, 0).sum(axis=1), np.minimum(w, 0).sum(axis=1)
        bias = op.bias[g * outs : (g + 1) * outs]
        parts.append(_ends(positive, negative, lo[own], hi[own], bias))
    return Bounds(*(np.concatenate(ends) for ends in zip(*parts, strict=True)))


def _sums(w: Wide, lo: Wide, hi: Wide, bias: NDArray[np.int32]) -> Bounds:
    return Bounds(*_ends(np.maximum(w, 0), np.minimum(w, 0), lo, hi, bias))


def _ends(positive: Wide, negative: Wide, lo: Wide, hi: Wide, bias: NDArray[np.int32]) -> tuple[Wide, Wide]:
    return bias + positive @ lo + negative @ hi, bias + positive @ hi + negative @ lo


def _monotone(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    """The op at both ends, in either order."""
    ends = op.ref(np.stack([ins[0].lo, ins[0].hi]).astype(np.int32)).astype(np.int64)
    return Bounds(ends.min(axis=0), ends.max(axis=0))


def _lookup(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    """A table need not be monotone: only a constant stays a constant."""
    assert isinstance(op, Lookup)
    at = np.where(ins[0].constant, ins[0].lo - op.offset, 0)
    whole = Bounds.of(out)
    constant, code = ins[0].constant, op.table[at].astype(np.int64)
    return Bounds(np.where(constant, code, whole.lo), np.where(constant, code, whole.hi))


def _max_pool(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    return ins[0]


def _sum_pool(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    assert isinstance(op, SumPool)
    count = op.kernel[0] * op.kernel[1]
    return Bounds(count * ins[0].lo, count * ins[0].hi)


def _upsample(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    assert isinstance(op, Upsample)
    (x,) = ins
    return x if op.fill == "repeat" else Bounds(np.minimum(x.lo, 0), np.maximum(x.hi, 0))


def _add(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    return Bounds(ins[0].lo + ins[1].lo, ins[0].hi + ins[1].hi)


def _mul(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    ends = np.stack([a * b for a in (ins[0].lo, ins[0].hi) for b in (ins[1].lo, ins[1].hi)])
    return Bounds(ends.min(axis=0), ends.max(axis=0))


def _concat(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    return Bounds(np.concatenate([x.lo for x in ins]), np.concatenate([x.hi for x in ins]))


def _reshape(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    """A map that becomes flat shows its channels again and again."""
    if out.channels % len(ins[0].lo):
        return Bounds.of(out)
    times = out.channels // len(ins[0].lo)
    return Bounds(np.tile(ins[0].lo, times), np.tile(ins[0].hi, times))


def _compare(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    assert isinstance(op, Compare)
    return _as_codes(ins[0].lo[op.source] >= op.t, ins[0].hi[op.source] >= op.t, out)


def _as_codes(always: NDArray[np.bool_], ever: NDArray[np.bool_], out: Value) -> Bounds:
    """Of bits that are always set, and that ever are."""
    return Bounds(*(np.where(bits, out.type.hi, out.type.lo).astype(np.int64) for bits in (always, ever)))


def _lut(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    assert isinstance(op, Lut)
    wiring, tables = op.all_pins()
    always, ever = (bound[wiring % len(bound)] > 0 for bound in (ins[0].lo, ins[0].hi))
    if any(op.pad):  # beyond the edges no bit is set
        always = np.zeros_like(always)
    address = np.arange(tables.shape[1])
    reached = np.ones(tables.shape, bool)
    for k in range(wiring.shape[1]):
        on = (address >> k & 1).astype(bool)
        reached &= np.where(on, ever[:, k, None], ~always[:, k, None])
    return _as_codes(((tables > 0) | ~reached).all(axis=1), ((tables > 0) & reached).any(axis=1), out)


def _group_count(op: Op, ins: list[Bounds], out: Value) -> Bounds:
    assert isinstance(op, GroupCount)
    below = [np.concatenate([[0], np.cumsum(bound > 0)])[op.ends] for bound in (ins[0].lo, ins[0].hi)]
    return Bounds(*(op.bias + np.diff(count, prepend=0) for count in below))


RULES: dict[type[Op], Callable[[Op, list[Bounds], Value], Bounds]] = {
    Dense: _dense, Conv2d: _conv2d, Threshold: _monotone, Requantize: _monotone, Lookup: _lookup,
    MaxPool: _max_pool, SumPool: _sum_pool, Add: _add, Mul: _mul, Concat: _concat, Reshape: _reshape,
    Upsample: _upsample, Compare: _compare, Lut: _lut, GroupCount: _group_count,
}  # fmt: skip
