"""Set bits of a flattened map, counted at each position as it comes and added up.

A count of the whole vector waits for all of its bits and holds them. Where the channels of a pixel belong to
the same groups at every position, the counts of the positions add up to it.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, parse
from edgeternary.ops import GroupCount, Lut, Reshape

PLACE = " at a position"  # in the name of what is counted there


class PixelCount(GroupCount, frozen=True, kw_only=True, eq=False):
    """The set bits of each group of channels, of every pixel of a map."""

    internal: ClassVar[bool] = True

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        return self.result((*x.shape[:2], self.ends.size), parse("int32"), 0, int(self.sizes.max()))

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        flat = super().ref(x.reshape(-1, x.shape[-1]))
        return flat.reshape(*x.shape[:3], -1)


class Total(Op, frozen=True, kw_only=True, eq=False):
    """The sum over all pixels of a map, and a bias: y[c] = bias[c] + sum of x[..., c]."""

    kind: ClassVar[str] = "total"
    internal: ClassVar[bool] = True

    bias: np.ndarray
    value: Value

    def infer(self, ins: Sequence[Value]) -> Value:
        return self.value

    def ref(self, *xs: IntArray) -> IntArray:
        total: IntArray = xs[0].sum(axis=(1, 2), dtype=np.int32) + self.bias
        return total


def count_by_position(graph: Graph) -> Graph:
    """map -> reshape to a vector -> (lut of one pin) -> group_count, as map -> (lut of one pin) -> PixelCount
    -> Total; the same graph where no group_count has this form, or its groups differ between positions."""
    for op in graph.ops:
        if isinstance(op, GroupCount) and not op.internal and (found := _positions(graph, op)):
            gone, made = found
            ops = [new for old in graph.ops for new in (made if old is op else [old]) if old.name not in gone]
            graph = graph.with_ops(ops)
    return graph


def _positions(graph: Graph, op: GroupCount) -> tuple[set[str], list[Op]] | None:
    """Names of the ops that leave, and the ops that come in place of a count."""
    made = {one.name: one for one in graph.ops}
    order = _only(graph, made.get(op.inputs[0]))
    pins = np.arange(op.ends[-1], dtype=np.int32)
    entries = np.tile(np.array([[0, 1]], np.int8), (len(pins), 1))
    flat, gone = order, set[str]()
    if isinstance(order, Lut) and order.wiring.shape[1] == 1:
        wiring, tables = order.all_pins()
        pins, entries = wiring[:, 0], (tables > 0).astype(np.int8)
        gone, flat = {order.name}, _only(graph, made.get(order.inputs[0]))
    if not isinstance(flat, Reshape) or len(flat.shape) != 1:
        return None
    x = graph.values[flat.inputs[0]]
    if len(x.shape) != 3 or x.size == x.channels:
        return None
    constant = entries[:, 0] == entries[:, 1]
    group = np.searchsorted(op.ends, np.arange(len(pins)), side="right")
    always = np.bincount(group[constant & (entries[:, 0] == 1)], minlength=len(op.ends)).astype(np.int32)
    rows = np.stack([pins // x.channels, group, pins % x.channels, entries[:, 0]], axis=1)[~constant]
    rows = rows[np.lexsort(rows.T[::-1])].astype(np.int32)
    count, left = divmod(len(rows), x.size // x.channels)
    if not count or left:
        return None
    places = rows.reshape(-1, count, 4)
    if (places[..., 0] != np.arange(len(places))[:, None]).any():
        return None
    if (places[..., 1:] != places[0, :, 1:]).any():
        return None
    return {*gone, flat.name}, _made(op, x, graph.values[op.name], places[0, :, 1:].T, always)


def _made(op: GroupCount, x: Value, y: Value, pixel: IntArray, always: IntArray) -> list[Op]:
    """The ops in place of a count of the map x that gives y.

    pixel   group, channel and whether it counts where it is not set, of all bits of a position
    always  in each group, bits that are always set
    """
    group, channel, inverted = pixel.astype(np.int32)
    counts, name = f"{op.name}{PLACE}", x.name
    made: list[Op] = []
    if len(channel) != x.channels or (channel != np.arange(x.channels)).any() or inverted.any():
        tables = np.stack([inverted, 1 - inverted], axis=1).astype(np.int8)
        name = f"{op.name} order"
        made.append(Lut(name=name, inputs=(x.name,), wiring=channel[:, None].copy(), tables=tables))
    sizes = np.bincount(group, minlength=len(op.ends))
    ends = np.cumsum(sizes).astype(np.int32)
    made.append(PixelCount(name=counts, inputs=(name,), ends=ends, bias=np.zeros_like(op.bias)))
    bias = (op.bias + always).astype(np.int32)
    return [*made, Total(name=op.name, inputs=(counts,), bias=bias, value=y)]


def _only(graph: Graph, op: Op | None) -> Op | None:
    """The op, where one other reads it and nothing else."""
    return op if op and op.name not in graph.shown and len(graph.consumers(op.name)) == 1 else None
