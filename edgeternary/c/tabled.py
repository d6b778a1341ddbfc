"""Two lookups, their sum and a requantize as one op, so that no map of int32 is stored.

Models of TFLite add maps of different scales in this way. The op is this back end's own.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value
from edgeternary.ops import Add, Lookup, Requantize


class Tabled(Op, frozen=True, kw_only=True, eq=False):
    """y = after(tables[0](a) + tables[1](b)); it has the name of `after`."""

    kind: ClassVar[str] = "tabled"
    arity: ClassVar[int | None] = 2
    internal: ClassVar[bool] = True

    tables: tuple[Lookup, Lookup]
    add: Add
    after: Requantize

    def total(self, ins: Sequence[Value]) -> Value:
        """The sum of the tables' entries."""
        return self.add.infer([table.infer([x]) for table, x in zip(self.tables, ins, strict=True)])

    def infer(self, ins: Sequence[Value]) -> Value:
        return self.after.infer([self.total(ins)])

    def ref(self, *xs: IntArray) -> IntArray:
        sides = [table.ref(x) for table, x in zip(self.tables, xs, strict=True)]
        return self.after.ref(np.add(*sides))


def tabled(graph: Graph) -> Graph:
    """The graph with a Tabled in place of each such group whose inner values nothing else reads."""
    ops = {op.name: op for op in graph.ops}
    gone: set[str] = set()
    made: dict[str, Op] = {}
    for op in graph.ops:
        found = _group(graph, ops, op) if isinstance(op, Requantize) else None
        if found is not None and isinstance(op, Requantize):
            add, tables = found
            inputs = tuple(table.inputs[0] for table in tables)
            made[op.name] = Tabled(name=op.name, inputs=inputs, tables=tables, add=add, after=op)
            gone |= {add.name, *(table.name for table in tables)}
    if not made:
        return graph
    return graph.with_ops([made.get(op.name, op) for op in graph.ops if op.name not in gone])


def _group(graph: Graph, ops: dict[str, Op], op: Requantize) -> tuple[Add, tuple[Lookup, Lookup]] | None:
    """What makes the value that `op` reads, if that is a sum of two tables."""
    add = ops.get(op.inputs[0])
    if not isinstance(add, Add) or not _private(graph, add.name):
        return None
    one, two = (ops.get(name) for name in add.inputs)
    if not isinstance(one, Lookup) or not isinstance(two, Lookup) or one is two:
        return None
    return (add, (one, two)) if _private(graph, one.name) and _private(graph, two.name) else None


def _private(graph: Graph, name: str) -> bool:
    """Whether one op alone reads the value."""
    return name not in graph.shown and len(graph.consumers(name)) == 1
