"""reduce_tables: the pins and entries of tables that have no effect.

A table sees only some of its addresses: a bit may be constant, two pins may read equal bits, and the
thermometer bits of one number are ordered (x >= 100 implies x >= 50). The other entries are don't-cares.
A pin leaves where the entries of both its values are equal wherever both can occur. Of equal comparisons, and
of equal tables, tables read the first one. The pins that are left come first, in ascending order; the others
are -1.
"""

from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeternary.ir import Graph, IntArray, Op
from edgeternary.ops import Compare, Lut, MaxPool, Reshape
from edgeternary.passes.bounds import Bounds, bounds

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class _Bits:
    """What is known of the channels of a value of bits.

    first   (C,): the lowest channel that always is equal to this one
    source  (C,): of a comparison, the number that it compares; each other bit has a number of its own
    t       (C,): the constant that this number is compared with
    """

    first: IntArray
    source: IntArray
    t: IntArray

    @staticmethod
    def unknown(channels: int) -> "_Bits":
        each = np.arange(channels, dtype=np.int32)
        return _Bits(each, each, np.zeros(channels, np.int32))


def reduce_tables(graph: Graph) -> Graph:
    """The graph with smaller tables; the same answer for every input, and the same intervals."""
    if not any(isinstance(op, Lut) for op in graph.ops):
        return graph
    limits, values = bounds(graph), graph.values
    known = {name: _Bits.unknown(value.channels) for name, value in values.items()}
    ops: list[Op] = []
    for op in graph.ops:
        if isinstance(op, Compare):
            known[op.name] = _compared(op)
        elif isinstance(op, Lut):
            (name,) = op.inputs
            made = _reduced(op, known[name], limits[name])
            op = made if made.infer([values[name]]) == values[op.name] else op
            known[op.name] = replace(known[op.name], first=_equal_rows(op))
        elif isinstance(op, Reshape) and len(op.shape) == 1:
            known[op.name] = _flat(known[op.inputs[0]], values[op.name].channels)
        elif isinstance(op, MaxPool) and np.unique(op.minimum).size == 1:  # what is ordered or equal stays so
            known[op.name] = known[op.inputs[0]]
        ops.append(op)
    return replace(graph, ops=tuple(ops))


def _compared(op: Compare) -> _Bits:
    rows = np.stack([op.source, op.t], axis=1)
    return _Bits(_first_equal(rows), op.source, op.t)


def _equal_rows(op: Lut) -> IntArray:
    return _first_equal(np.concatenate([op.wiring, op.tables.astype(np.int32)], axis=1))


def _first_equal(rows: IntArray) -> IntArray:
    """(n,): the lowest row that is equal to each one."""
    _, first, group = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first[group.reshape(-1)].astype(np.int32)


def _flat(bits: _Bits, channels: int) -> _Bits:
    """The same of a map that becomes flat: each pixel has numbers of its own."""
    size = len(bits.first)
    if channels % size:
        return _Bits.unknown(channels)
    pixel = np.repeat(np.arange(channels // size, dtype=np.int32), size)
    span = int(bits.source.max()) + 1
    tiles = channels // size
    return _Bits(
        np.tile(bits.first, tiles) + pixel * size,
        np.tile(bits.source, tiles) + pixel * span,
        np.tile(bits.t, tiles),
    )


def _reduced(op: Lut, bits: _Bits, limit: Bounds) -> Lut:
    channels = len(bits.first)
    always, ever = limit.lo > 0, limit.hi > 0
    if any(op.pad):  # beyond the edges no bit is set
        always = np.zeros_like(always)
    wiring, tables = np.full_like(op.wiring, -1), np.zeros_like(op.tables)
    for row, (pins, entries) in enumerate(zip(op.wiring, op.tables, strict=True)):
        place, channel = np.divmod(pins, channels)
        pins = np.where(pins < 0, -1, place * channels + bits.first[channel])
        left, kept = _table(pins, entries, _reachable(pins, bits, always, ever))
        wiring[row, : len(left)] = left
        tables[row] = np.tile(kept, len(entries) // len(kept))
    most = max(int((wiring >= 0).sum(axis=1).max()), 1)
    return msgspec.structs.replace(op, wiring=wiring[:, :most].copy(), tables=tables[:, : 1 << most].copy())


def _reachable(pins: IntArray, bits: _Bits, always: Mask, ever: Mask) -> Mask:
    """(2^F,): the addresses that can occur, where some channels are always set and some ever are."""
    values = (np.arange(1 << len(pins)) >> np.arange(len(pins))[:, None] & 1).astype(bool)
    can = np.ones(1 << len(pins), bool)
    place, channel = np.divmod(pins, len(bits.first))
    for k, one in enumerate(channel):
        if pins[k] < 0:
            can &= ~values[k]
            continue
        can &= (values[k] | ~always[one]) & (~values[k] | ever[one])
        for j in np.flatnonzero(
            (pins >= 0) & (place == place[k]) & (bits.source[channel] == bits.source[one])
        ):
            if bits.t[channel[j]] <= bits.t[one]:
                can &= ~values[k] | values[j]
    return can


def _table(pins: IntArray, entries: np.ndarray, can: Mask) -> tuple[list[int], np.ndarray]:
    """The pins with an effect, in ascending order, and the table over them; a constant has one entry."""
    order = np.argsort(pins, kind="stable").tolist()
    axes = [len(pins) - 1 - k for k in order]  # of the array (2, ..., 2), whose last axis is bit 0
    left = [int(pins[k]) for k in order]
    cube, care = (array.reshape((2,) * len(pins)).transpose(axes) for array in (entries, can))
    for axis in reversed(range(len(left))):
        (off, on), (off_care, on_care) = np.moveaxis(cube, axis, 0), np.moveaxis(care, axis, 0)
        if left[axis] < 0 or not np.any((off != on) & off_care & on_care):
            cube, care = np.where(off_care, off, on), off_care | on_care
            del left[axis]
    return left, cube.transpose().reshape(-1)
