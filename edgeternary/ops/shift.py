"""shift: a shift register along the channels; what comes in at the end pushes out as much at the start."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, smallest
from edgeternary.ops import build
from edgeternary.ops.slice import Slice


class Shift(Op, frozen=True, kw_only=True, eq=False):
    """The last C channels of concat(x, y), where x has C channels and y has fewer.

    Where x is a state that is written back, it holds the last frames of y. Type and interval as of a concat.
    """

    kind: ClassVar[str] = "shift"
    arity: ClassVar[int | None] = 2

    def infer(self, ins: Sequence[Value]) -> Value:
        x, y = ins
        self.require(
            x.shape[:-1] == y.shape[:-1] and y.channels < x.channels,
            f"its inputs have the shapes {x.shape} and {y.shape}",
            "the second has the same shape but for the channels, of which it has fewer",
        )
        lo, hi = min(x.lo, y.lo), max(x.hi, y.hi)
        return self.result(x.shape, x.type if x.type == y.type else smallest(lo, hi), lo, hi)

    def ref(self, *xs: IntArray) -> IntArray:
        x, y = xs
        return np.concatenate([x[..., y.shape[-1] :], y], axis=-1)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases: list[tuple[tuple[int, ...], int, str, str]] = [
            ((24,), 8, "uint4", "uint4"), ((33,), 32, "bipolar", "bipolar"),
            ((2, 3, 5), 2, "uint2", "ternary"), ((9,), 3, "ternary", "ternary"),
            ((64,), 1, "int4", "int4"), ((72,), 8, "uint4", "uint4"),
        ]  # fmt: skip
        for shape, count, old, new in cases:
            x = build.value("x", shape, "int8")
            past = build.random_thresholds(rng, x, old, "past")
            whole = build.random_thresholds(rng, x, new, "whole")
            frame = Slice(name="frame", inputs=("whole",), start=shape[-1] - count, stop=shape[-1])
            graphs.append(build.graph(x, past, whole, frame, cls(name="moved", inputs=("past", "frame"))))
        x = build.value("x", (6,), "uint8")
        part = Slice(name="part", inputs=("x",), start=1, stop=3)
        graphs.append(build.graph(x, part, cls(name="moved", inputs=("x", "part"))))
        return graphs
