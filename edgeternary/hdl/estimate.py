"""LUTs of each layer before synthesis, roughly: for choosing a network, not for a data sheet.

A matrix layer is 2/3 of folding's own cost model (folding.Matrix.cost), which ranks folds and counts some
logic twice; the factor is fitted to the two demo models (7,863 and 5,720 LUT4 of iCE40 after yosys). Of the
others, `lanes` values a beat, w bits wide:

    threshold       lanes * (K comparators of w bits + 4 w)         w: bits of the interval it reads
    requantize      lanes * 6 w: the shift-add graph of a multiplier and the clamp
    max_pool        lanes * 4 w a window row: compare, choose, line buffer in block RAM
    sum_pool, add   lanes * 3 w
    others          lanes * w

and each layer 60 LUTs for counters and its streams.
"""

from __future__ import annotations

from collections.abc import Callable

from edgeternary.hdl.folding import Folding, fold, matrix
from edgeternary.ir import Graph, Op, Value
from edgeternary.ops import MaxPool, Threshold

CONTROL = 60
SHARE = 2 / 3


def luts(graph: Graph, folding: Folding | None = None) -> dict[str, int]:
    """Estimated LUT4 of each op by name, with `folding` or the default one."""
    folding = folding or fold(graph)
    lanes = {graph.input.name: 1}
    found = {}
    for op in graph.ops:
        x, y = graph.ins(op)[0], graph.values[op.name]
        shape, chosen = matrix(op, x, y), folding.folds.get(op.name)
        if shape and chosen:
            lanes[op.name] = chosen.outputs
            found[op.name] = CONTROL + round(SHARE * shape.cost(chosen.pe, chosen.simd))
        else:
            lanes[op.name] = max(lanes.get(name, 1) for name in op.inputs)
            each = OTHERS.get(op.kind, _wires)
            found[op.name] = CONTROL + lanes[op.name] * each(op, x) if op.kind != "reshape" else 0
    return found


def _width(x: Value) -> int:
    """Bits of the narrowest type that holds the interval of x."""
    if x.type.name != "int32":
        return x.type.bits
    return max(x.hi.bit_length(), (-x.lo - 1).bit_length() if x.lo < 0 else 0) + (x.lo < 0)


def _threshold(op: Op, x: Value) -> int:
    assert isinstance(op, Threshold)
    return _width(x) * (op.t.shape[1] + 4)


def _pool(op: Op, x: Value) -> int:
    assert isinstance(op, MaxPool)
    return 4 * _width(x) * op.kernel[0]


def _wires(op: Op, x: Value) -> int:
    return _width(x)


OTHERS: dict[str, Callable[[Op, Value], int]] = {
    "threshold": _threshold,
    "max_pool": _pool,
    "requantize": lambda op, x: 6 * _width(x),
    "sum_pool": lambda op, x: 3 * _width(x),
    "add": lambda op, x: 3 * _width(x),
}
