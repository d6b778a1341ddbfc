"""What each op means for one number of its answer, by kind."""

from __future__ import annotations

import msgspec
import numpy as np

from edgeternary.ir import Graph, Op, Value
from edgeternary.ops import Argmax, Compare, Dense, Gather, GroupCount
from edgeternary.prove import maps
from edgeternary.prove.meaning import Key, Largest, Local, Meaning, Rule, Sum


def meaning(graph: Graph, op: Op, index: int) -> Meaning | None:
    """Of the number at a flat index of an op's answer; None where this file has no rule for it."""
    found = RULES.get(op.kind)
    return found(op, [graph.values[name] for name in op.inputs], index) if found else None


def _dense(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, Dense)
    (name,) = op.inputs
    factors = {(name, int(k)): int(op.weights[index, k]) for k in np.flatnonzero(op.weights[index])}
    return Sum(int(op.bias[index]), factors)


def _group_count(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, GroupCount)
    first = int(op.ends[index - 1]) if index else 0
    return Sum(int(op.bias[index]), {(op.inputs[0], k): 1 for k in range(first, int(op.ends[index]))}, True)


def _add(op: Op, ins: list[Value], index: int) -> Meaning:
    factors: dict[Key, int] = {}
    for name in op.inputs:
        factors[name, index] = factors.get((name, index), 0) + 1
    return Sum(0, factors)


def _elementwise(op: Op, ins: list[Value], index: int) -> Meaning:
    channel = index % ins[0].channels
    rows = {f: getattr(op, f)[channel : channel + 1] for f in PER_CHANNEL.get(op.kind, ())}
    one = msgspec.structs.replace(op, **rows)
    return Local(
        ((op.inputs[0], index),),
        lambda columns: one.ref(columns[0].astype(np.int32)[None, :, None])[0, :, 0].astype(np.int64),
    )


def _compare(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, Compare)
    pixel, j = divmod(index, len(op.source))
    one = msgspec.structs.replace(op, source=np.zeros(1, np.int32), t=op.t[j : j + 1])
    key = op.inputs[0], pixel * ins[0].channels + int(op.source[j])
    return Local((key,), lambda columns: one.ref(columns[0].astype(np.int32)[:, None])[:, 0].astype(np.int64))


def _argmax(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, Argmax)
    return Largest(tuple((op.inputs[0], k) for k in range(ins[0].size)))


def _mul(op: Op, ins: list[Value], index: int) -> Meaning:
    if op.inputs[0] == op.inputs[1]:
        return Local(((op.inputs[0], index),), lambda columns: columns[0] * columns[0])
    return Local(tuple((name, index) for name in op.inputs), lambda columns: columns[0] * columns[1])


def _gather(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, Gather)
    column = op.table[:, index].astype(np.int64)
    return Local(((op.inputs[0], 0),), lambda columns: column[np.clip(columns[0], 0, len(column) - 1)])


PER_CHANNEL = {
    "threshold": ("t", "base", "step"),
    "requantize": ("m", "b", "s"),
}  # fields with a row a channel
RULES: dict[str, Rule] = {
    "dense": _dense,
    "conv2d": maps.conv2d,
    "sum_pool": maps.sum_pool,
    "mul": _mul,
    "gather": _gather,
    "concat": maps.concat,
    "shift": maps.concat,
    "slice": maps.sliced,
    "upsample": maps.upsample,
    "group_count": _group_count,
    "add": _add,
    "threshold": _elementwise,
    "requantize": _elementwise,
    "lookup": _elementwise,
    "compare": _compare,
    "lut": maps.lut,
    "max_pool": maps.max_pool,
    "argmax": _argmax,
}
