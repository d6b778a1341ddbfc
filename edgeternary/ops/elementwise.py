"""What add and mul share: two operands of one shape, and an output of the narrowest type."""

from collections.abc import Sequence

import numpy as np

from edgeternary.ir import Graph, Op, Value, smallest
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ops import build
from edgeternary.ops.lookup import Lookup


def elementwise_value(op: Op, ins: Sequence[Value], ends: Sequence[int]) -> Value:
    """The output of a two-operand op whose extreme results are among `ends`."""
    a, b = ins
    op.require(a.shape == b.shape, f"its operands have the shapes {a.shape} and {b.shape}", "make them equal")
    lo, hi = min(ends), max(ends)
    op.require(
        lo >= INT32_LO and hi <= INT32_HI,
        f"its result could reach from {lo:,} to {hi:,}, beyond int32",
        "requantize its operands to fewer bits first",
    )
    return op.result(a.shape, smallest(lo, hi), lo, hi)


def two_operand_examples(op: type[Op], rng: np.random.Generator) -> list[Graph]:
    """x op lookup(x), op of two threshold branches, and x op x."""
    graphs = []
    for shape, type in [((7,), "uint8"), ((2, 3, 5), "int8"), ((33,), "uint4")]:
        x = build.value("x", shape, type)
        table = rng.integers(-128, 128, x.hi - x.lo + 1).astype(np.int32)
        other = Lookup(name="other", inputs=("x",), table=table, offset=x.lo, type="int8")
        graphs.append(build.graph(x, other, op(name="y", inputs=("x", "other"))))
    for type in ("uint2", "bipolar", "ternary"):
        x = build.value("x", (3, 2, 4), "int16", -200, 200)
        left = build.random_thresholds(rng, x, type, "left")
        right = build.random_thresholds(rng, x, type, "right")
        graphs.append(build.graph(x, left, right, op(name="y", inputs=("left", "right"))))
    x = build.value("x", (5,), "int8")
    graphs.append(build.graph(x, op(name="y", inputs=("x", "x"))))
    return graphs
