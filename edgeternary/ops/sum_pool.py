"""sum_pool: y = sum over the window; an average pool is this and the quantiser after it."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, smallest
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ops import build
from edgeternary.ops.window import Pair, output_size, places


class SumPool(Op, frozen=True, kw_only=True, eq=False):
    """Sum over a sliding window, without padding.

    kernel (ky, kx);  stride (sy, sx)
    Input (H, W, C), output (OH, OW, C) of the narrowest type that holds ky * kx times the interval.
    """

    kind: ClassVar[str] = "sum_pool"

    kernel: Pair
    stride: Pair

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        height, width = output_size(self, x, self.kernel, self.stride, (0, 0, 0, 0))
        count = self.kernel[0] * self.kernel[1]
        lo, hi = count * x.lo, count * x.hi
        self.require(
            lo >= INT32_LO and hi <= INT32_HI,
            f"its sum could reach from {lo:,} to {hi:,}, beyond int32",
            "requantize its input to fewer bits, or sum over a smaller window",
        )
        return self.result((height, width, x.channels), smallest(lo, hi), lo, hi)

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        total: IntArray = np.zeros((), np.int32)
        for _, _, part in places(x, self.kernel, self.stride):
            total = total + part
        return total

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases: list[tuple[str, tuple[int, int, int], Pair, Pair]] = [
            ("uint2", (4, 6, 8), (2, 2), (2, 2)), ("bipolar", (5, 5, 33), (5, 5), (1, 1)),
            ("ternary", (7, 4, 5), (2, 3), (1, 1)), ("int8", (3, 3, 4), (3, 3), (3, 3)),
            ("uint8", (5, 7, 1), (3, 2), (2, 1)),
        ]  # fmt: skip
        for type, shape, kernel, stride in cases:
            x = build.value("x", shape, type)
            graphs.append(build.graph(x, cls(name="pool", inputs=("x",), kernel=kernel, stride=stride)))
        return graphs
