"""argmax: the index of the largest element, ties to the lowest index."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, smallest
from edgeternary.ops import build


class Argmax(Op, frozen=True, kw_only=True, eq=False):
    """The class: input (n,), output (1,) in 0..n-1."""

    kind: ClassVar[str] = "argmax"

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        self.require(len(x.shape) == 1, f"its input must be flat, it is {x.shape}", "put a reshape before it")
        return self.result((1,), smallest(0, x.size - 1), 0, x.size - 1)

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        return x.argmax(axis=1, keepdims=True).astype(np.int32)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        cases: list[tuple[tuple[int, ...], str, int, int]] = [
            ((10,), "int32", -900, 900), ((3,), "int32", -1, 1), ((17,), "uint2", 0, 3),
            ((2,), "int8", -128, 127), ((33,), "bipolar", -1, 1), ((1,), "int8", -128, 127),
        ]  # fmt: skip
        return [
            build.graph(build.value("x", shape, type, lo, hi), cls(name="best", inputs=("x",)))
            for shape, type, lo, hi in cases
        ]
