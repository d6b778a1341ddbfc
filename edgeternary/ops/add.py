"""add: y = a + b, element by element."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value
from edgeternary.ops.elementwise import elementwise_value, two_operand_examples


class Add(Op, frozen=True, kw_only=True, eq=False):
    """The sum of two values of one shape; both must be codes of one scale, which the front end ensures.

    The output has the narrowest type that holds the interval of the sum.
    """

    kind: ClassVar[str] = "add"
    arity: ClassVar[int | None] = 2

    def infer(self, ins: Sequence[Value]) -> Value:
        a, b = ins
        return elementwise_value(self, ins, [a.lo + b.lo, a.hi + b.hi])

    def ref(self, *xs: IntArray) -> IntArray:
        a, b = xs
        return a + b

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        return two_operand_examples(cls, rng)
