"""reshape: the same elements, row-major with channels last, in another shape."""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value
from edgeternary.ops import build


class Reshape(Op, frozen=True, kw_only=True, eq=False):
    """Another shape for the same elements in the same order; flatten is (size,).

    shape  of the output, with as many elements as the input
    """

    kind: ClassVar[str] = "reshape"

    shape: tuple[int, ...]

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        self.require(
            all(n >= 1 for n in self.shape) and math.prod(self.shape) == x.size,
            f"{x.shape} has {x.size} elements, {self.shape} has not",
        )
        return self.result(self.shape, x.type, x.lo, x.hi)

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        return x.reshape(len(x), *self.shape)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        cases: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = [
            ("uint8", (3, 4, 5), (60,)), ("bipolar", (2, 2, 7), (28,)), ("uint2", (2, 3, 32), (192,)),
            ("ternary", (24,), (2, 3, 4)), ("int8", (6,), (1, 6)),
        ]  # fmt: skip
        return [
            build.graph(build.value("x", before, type), cls(name="flat", inputs=("x",), shape=after))
            for type, before, after in cases
        ]
