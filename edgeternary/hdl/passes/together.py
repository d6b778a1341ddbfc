"""Dense layers that read the same vector become one matrix, so that they share its buffer and its control."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.hdl.engine import SHARES
from edgeternary.ir import Graph, IntArray, Op, Value
from edgeternary.ops import Dense


class Deal(Op, frozen=True, kw_only=True, eq=False):
    """Every `count`-th row from row `index` on: the answer of one of the layers."""

    kind: ClassVar[str] = "deal"
    internal: ClassVar[bool] = True

    index: int
    count: int
    value: Value

    def infer(self, ins: Sequence[Value]) -> Value:
        return self.value

    def ref(self, *xs: IntArray) -> IntArray:
        return xs[0][:, self.index :: self.count]


def together(graph: Graph) -> Graph:
    """Dense layers of one size and one type of weights that read one value, as a matrix whose rows are
    theirs in turn, and a Deal under the name of each. Those whose sums only a threshold reads stay as they
    are: it takes their constants in.
    """
    groups: dict[object, list[Dense]] = {}
    for op in graph.ops:
        if isinstance(op, Dense) and [r.kind for r in graph.consumers(op.name)] != ["threshold"]:
            groups.setdefault((op.inputs, op.weights.shape, op.weight_type), []).append(op)
    members = {op.name: group for group in groups.values() if len(group) > 1 for op in group}
    ops: list[Op] = []
    for op in graph.ops:
        if op.name not in members:
            ops.append(op)
            continue
        group = members[op.name]
        name = f"{group[0].name}{SHARES}{len(group) - 1}"
        if op is group[0]:
            ops.append(_merged(group, name))
        index = next(k for k, member in enumerate(group) if member is op)
        value = graph.values[op.name]
        ops.append(Deal(name=op.name, inputs=(name,), index=index, count=len(group), value=value))
    return graph.with_ops(ops) if members else graph


def _merged(group: list[Dense], name: str) -> Dense:
    weights = np.stack([op.weights for op in group], axis=1)
    bias = np.stack([op.bias for op in group], axis=1)
    return Dense(
        name=name,
        inputs=group[0].inputs,
        weights=weights.reshape(-1, weights.shape[-1]),
        bias=bias.reshape(-1),
        weight_type=group[0].weight_type,
    )


def dealt(graph: Graph, name: str) -> int:
    """How many layers share the matrix `name`."""
    return next((op.count for op in graph.consumers(name) if isinstance(op, Deal)), 1)
