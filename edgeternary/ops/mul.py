"""mul: y = a * b, element by element."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value
from edgeternary.ops.elementwise import elementwise_value, two_operand_examples


class Mul(Op, frozen=True, kw_only=True, eq=False):
    """The product of two values of one shape, for gates.

    The output has the narrowest type that holds the interval of the product.
    """

    kind: ClassVar[str] = "mul"
    arity: ClassVar[int | None] = 2

    def infer(self, ins: Sequence[Value]) -> Value:
        a, b = ins
        return elementwise_value(self, ins, [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)])

    def ref(self, *xs: IntArray) -> IntArray:
        a, b = xs
        return a * b

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        return two_operand_examples(cls, rng)
