"""dead_channels: channels that are constant, or that nobody reads, leave the graph.

A channel is constant where its bounds say so: a row of weights that is 0 and the thresholds after it, or
thresholds out of reach. A layer with weights that reads constants c has them in its bias instead,

    bias'[o] = bias[o] + sum over constant i of w[o, i] * c[i]

and does without the columns; so the layers that make them do without the rows. A convolution with pads may do
so only where the pad value is the constant itself: elsewhere the channel differs between the middle and the
edge. Channels whose column is 0 are read by nobody, whatever they hold. Tables have constant bits in their
entries instead, and counts have them in their bias. Ops that work channel by channel lose the same channels
on both sides; inputs, outputs and states keep all, and every value keeps one.
"""

import json
from collections.abc import Callable
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeternary.ir import Graph, Op
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
from edgeternary.passes.bounds import Bounds, bounds

Mask = NDArray[np.bool_]
INFO = "dead_channels"  # of meta.info
MOST = 2**20  # channels that a remark may speak of


def fold_dead_channels(graph: Graph) -> Graph:
    """The graph without dead channels; the same answer for every input.

    A value keeps its type: where a smaller interval would have a narrower one, its channels stay.
    meta.info["dead_channels"] tells for each value which of its channels have left, see `lost_channels`.
    """
    kept: set[str] = set()
    known = bounds(graph)
    while True:
        dead = _dead(graph, known, kept)
        if not any(mask.any() for mask in dead.values()):
            return graph
        lost = {name: _told(mask) for name, mask in dead.items() if mask.any()}
        info = {**graph.meta.info, INFO: json.dumps(lost)}
        meta = msgspec.structs.replace(graph.meta, info=info)
        made = replace(graph, ops=tuple(_cut(graph, known, dead)), meta=meta)
        changed = {name for name, value in made.values.items() if value.type != graph.values[name].type}
        if not changed:
            return made
        kept |= changed | {name for op in graph.ops if op.name in kept for name in op.inputs}


def lost_channels(graph: Graph) -> dict[str, Mask]:
    """(C,) for each value that has lost channels: the C that it had, True where one has left.

    They are read from meta.info["dead_channels"], JSON such as {"conv2": "1 5 of 32"}; the channels of a map
    that became flat are told once. Empty where that says something else than the shapes of the graph.
    """
    found = {}
    try:
        for name, text in json.loads(graph.meta.info.get(INFO, "{}")).items():
            channels, _, count = text.partition(" of ")
            left = np.zeros(min(int(count), MOST), bool)
            left[[int(channel) for channel in channels.split()]] = True
            found[name] = np.tile(left, graph.values[name].channels // int((~left).sum()))
            if (~found[name]).sum() != graph.values[name].channels:
                return {}
    except (AttributeError, IndexError, KeyError, ValueError, ZeroDivisionError, MemoryError):
        return {}
    return found


def _told(mask: Mask) -> str:
    """ "1 5 of 32": the channels that leave, of the shortest run that repeats."""
    size = next(n for n in range(1, len(mask) + 1) if len(mask) % n == 0 and _repeats(mask, n))
    return f"{' '.join(map(str, np.flatnonzero(mask[:size])))} of {size}"


def _repeats(mask: Mask, size: int) -> bool:
    return bool((mask.reshape(-1, size) == mask[:size]).all())


def _dead(graph: Graph, known: dict[str, Bounds], kept: set[str]) -> dict[str, Mask]:
    """(C,) for each value: the channels that leave. The largest sets that all ops agree on."""
    dead = {name: np.ones(value.channels, bool) for name, value in graph.values.items()}
    fixed = {
        *(value.name for value in graph.inputs),
        *graph.outputs,
        *(n for s in graph.states for n in (s.value.name, s.next)),
        *kept,
    }
    for name in fixed:
        dead[name][:] = False
    before = -1
    while before != (before := sum(int(mask.sum()) for mask in dead.values())):
        for op in reversed(graph.ops):
            AGREE.get(type(op), _keep)(op, dead, known)
        for mask in dead.values():
            mask[0] &= not mask.all()
    return dead


def _cut(graph: Graph, known: dict[str, Bounds], dead: dict[str, Mask]) -> list[Op]:
    """The ops without the dead channels; those of which nothing is taken stay as they are."""
    ops: list[Op] = []
    values = dict(graph.values)
    for op in graph.ops:
        if any(dead[name].any() for name in (*op.inputs, op.name)):
            op = CUT[type(op)](op, dead, known)
        if isinstance(op, Threshold):  # beyond the smaller interval thresholds are out of reach, too
            x = values[op.inputs[0]]
            op = msgspec.structs.replace(op, t=np.clip(op.t, x.lo, min(x.hi + 1, 2**31 - 1)).astype(np.int32))
        values[op.name] = op.infer([values[name] for name in op.inputs])
        ops.append(op)
    return ops


def _keep(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> None:
    """An op that is not known here keeps all."""
    for name in (*op.inputs, op.name):
        dead[name][:] = False


def _agree_matrix(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> None:
    """Columns of constants, and of zeros."""
    assert isinstance(op, Dense | Conv2d)
    (name,) = op.inputs
    constant = known[name].constant
    if isinstance(op, Conv2d) and any(op.pad):
        constant = constant & (known[name].lo == op.pad_value)
    if isinstance(op, Conv2d) and op.groups > 1:
        _agree_groups(op, dead)
        return
    dead[name] &= constant | ~op.weights.reshape(-1, op.weights.shape[-1]).any(axis=0)


def _agree_groups(op: Conv2d, dead: dict[str, Mask]) -> None:
    """Whole groups, with all that they read and make."""
    x, y = dead[op.inputs[0]], dead[op.name]
    group = x.reshape(op.groups, -1).all(axis=1) & y.reshape(op.groups, -1).all(axis=1)
    for mask in (x, y):
        mask &= np.repeat(group, len(mask) // op.groups)


def _agree_channelwise(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> None:
    names = (*op.inputs, op.name)
    both = np.logical_and.reduce([dead[name] for name in names])
    for name in names:
        dead[name] &= both


def _agree_concat(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> None:
    first = 0
    for name in op.inputs:
        part = dead[op.name][first : first + len(dead[name])]
        first += len(part)
        dead[name] &= part
        part &= dead[name]


def _agree_reshape(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> None:
    """Where a map becomes flat, a channel leaves everywhere."""
    assert isinstance(op, Reshape)
    x, y = dead[op.inputs[0]], dead[op.name]
    if len(op.shape) != 1 and len(x) != len(y):
        _keep(op, dead, known)
        return
    x &= y.reshape(-1, len(x)).all(axis=0)
    y &= np.tile(x, len(y) // len(x))


def _agree_compare(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> None:
    assert isinstance(op, Compare)
    dead[op.inputs[0]][op.source[~dead[op.name]]] = False


def _agree_lut(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> None:
    """Bits that no table reads, and constants."""
    assert isinstance(op, Lut)
    (name,) = op.inputs
    pins = op.wiring[~dead[op.name]]
    read = np.zeros(len(dead[name]), bool)
    read[pins[pins >= 0] % len(read)] = True
    constant = known[name].constant
    if any(op.pad):  # beyond the edges no bit is set
        constant = constant & (known[name].hi <= 0)
    dead[name] &= constant | ~read


def _agree_group_count(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> None:
    dead[op.name][:] = False
    dead[op.inputs[0]] &= known[op.inputs[0]].constant


def _cut_compare(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> Op:
    assert isinstance(op, Compare)
    rows = ~dead[op.name]
    left = np.cumsum(~dead[op.inputs[0]]) - 1
    return msgspec.structs.replace(op, source=left[op.source[rows]].astype(np.int32), t=op.t[rows])


def _cut_lut(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> Op:
    """Pins at constant bits are not used; where such a bit is set, the entries are those with it."""
    assert isinstance(op, Lut)
    (name,) = op.inputs
    rows, gone = ~dead[op.name], dead[name]
    wiring, tables = op.wiring[rows], op.tables[rows]
    place, channel = np.divmod(wiring, len(gone))
    fixed = (wiring >= 0) & gone[channel]
    is_set = (fixed & (known[name].lo > 0)[channel]) << np.arange(wiring.shape[1])
    entries = np.arange(tables.shape[1]) | is_set.sum(axis=1)[:, None]
    left = np.cumsum(~gone) - 1
    wiring = np.where(fixed | (wiring < 0), -1, place * int((~gone).sum()) + left[channel])
    tables = np.take_along_axis(tables, entries, axis=1)
    return msgspec.structs.replace(op, wiring=wiring.astype(np.int32), tables=tables)


def _cut_group_count(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> Op:
    assert isinstance(op, GroupCount)
    gone = dead[op.inputs[0]]
    is_set = gone & (known[op.inputs[0]].lo > 0)
    kept, counted = (np.concatenate([[0], np.cumsum(mask)])[op.ends] for mask in (~gone, is_set))
    bias = op.bias + np.diff(counted, prepend=0)
    return msgspec.structs.replace(op, ends=kept.astype(np.int32), bias=bias.astype(np.int32))


def _cut_dense(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> Op:
    assert isinstance(op, Dense)
    rows, columns = ~dead[op.name], dead[op.inputs[0]]
    bias = op.bias + op.weights[:, columns].astype(np.int64) @ _codes(op, dead, known)
    return msgspec.structs.replace(
        op, weights=op.weights[rows][:, ~columns], bias=bias[rows].astype(np.int32)
    )


def _cut_conv2d(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> Op:
    assert isinstance(op, Conv2d)
    rows, columns = ~dead[op.name], dead[op.inputs[0]]
    if op.groups > 1:
        groups = op.groups * int(rows.sum()) // len(rows)
        return msgspec.structs.replace(op, weights=op.weights[rows], bias=op.bias[rows], groups=groups)
    taps = op.weights.astype(np.int64).sum(axis=(1, 2))[:, columns]
    bias = (op.bias + taps @ _codes(op, dead, known))[rows].astype(np.int32)
    return msgspec.structs.replace(op, weights=op.weights[rows][..., ~columns], bias=bias)


def _codes(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> NDArray[np.int64]:
    """What the dead channels of the input hold; 0 for those that are not constant, whose weights are 0."""
    bound, mask = known[op.inputs[0]], dead[op.inputs[0]]
    return np.where(bound.constant, bound.lo, 0)[mask]


def _cut_rows(*fields: str) -> Callable[[Op, dict[str, Mask], dict[str, Bounds]], Op]:
    """For an op that works channel by channel, with arrays (C, ...) called `fields`."""

    def cut(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> Op:
        rows = ~dead[op.name]
        return msgspec.structs.replace(op, **{field: getattr(op, field)[rows] for field in fields})

    return cut


def _cut_reshape(op: Op, dead: dict[str, Mask], known: dict[str, Bounds]) -> Op:
    assert isinstance(op, Reshape)
    return msgspec.structs.replace(op, shape=(*op.shape[:-1], int((~dead[op.name]).sum())))


Agree = Callable[[Op, dict[str, Mask], dict[str, Bounds]], None]
Cut = Callable[[Op, dict[str, Mask], dict[str, Bounds]], Op]
AGREE: dict[type[Op], Agree] = {
    Dense: _agree_matrix, Conv2d: _agree_matrix, Concat: _agree_concat, Reshape: _agree_reshape,
    Compare: _agree_compare, Lut: _agree_lut, GroupCount: _agree_group_count,
    **dict.fromkeys(
        (Threshold, Requantize, Lookup, MaxPool, SumPool, Upsample, Add, Mul), _agree_channelwise
    ),
}  # fmt: skip
CUT: dict[type[Op], Cut] = {
    Dense: _cut_dense, Conv2d: _cut_conv2d, Reshape: _cut_reshape, Threshold: _cut_rows("t", "base", "step"),
    Requantize: _cut_rows("m", "b", "s"), MaxPool: _cut_rows("minimum"),
    Compare: _cut_compare, Lut: _cut_lut, GroupCount: _cut_group_count,
    **dict.fromkeys((Lookup, SumPool, Upsample, Add, Mul, Concat), _cut_rows()),
}  # fmt: skip
