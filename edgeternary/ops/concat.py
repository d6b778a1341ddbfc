"""concat: values side by side along the channels."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, smallest
from edgeternary.ops import build


class Concat(Op, frozen=True, kw_only=True, eq=False):
    """Two or more values of one shape but for the channels, which follow each other in order of the inputs.

    All must be codes of one scale, which the front end ensures. The output keeps a type that all share, else
    it has the narrowest type that holds the union of the intervals.
    """

    kind: ClassVar[str] = "concat"
    arity: ClassVar[int | None] = None

    def infer(self, ins: Sequence[Value]) -> Value:
        self.require(len(ins) >= 2, "it takes two or more inputs")
        leading = ins[0].shape[:-1]
        self.require(
            all(x.shape[:-1] == leading for x in ins), f"its inputs have the shapes {[x.shape for x in ins]}"
        )
        lo, hi = min(x.lo for x in ins), max(x.hi for x in ins)
        types = {x.type for x in ins}
        out = types.pop() if len(types) == 1 else smallest(lo, hi)
        return self.result((*leading, sum(x.channels for x in ins)), out, lo, hi)

    def ref(self, *xs: IntArray) -> IntArray:
        return np.concatenate(xs, axis=-1)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases: list[tuple[tuple[int, ...], str, str]] = [
            ((5,), "bipolar", "bipolar"), ((2, 3, 4), "uint2", "uint2"), ((3, 1, 33), "uint2", "ternary"),
        ]  # fmt: skip
        for shape, left_type, right_type in cases:
            x = build.value("x", shape, "int8")
            left = build.random_thresholds(rng, x, left_type, "left")
            right = build.random_thresholds(rng, x, right_type, "right")
            graphs.append(build.graph(x, left, right, cls(name="both", inputs=("left", "right"))))
        x = build.value("x", (4,), "uint8")
        graphs.append(build.graph(x, cls(name="both", inputs=("x", "x", "x"))))
        return graphs
