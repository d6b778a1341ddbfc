"""compare: y[..., j] = (x[..., source[j]] >= t[j]), the thermometer bits of numbers."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value
from edgeternary.ops import build
from edgeternary.ops.bits import bit_type, codes, interval


class Compare(Op, frozen=True, kw_only=True, eq=False):
    """One bit for each of J comparisons of a channel with a constant.

    source  int32 (J,), the channel that is compared
    t       int32 (J,), in [lo, hi + 1] of the input; hi + 1 is never reached
    type    of the output: binary or bipolar
    Input (..., C), output (..., J).
    """

    kind: ClassVar[str] = "compare"

    source: np.ndarray
    t: np.ndarray
    type: str = "binary"

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        type = bit_type(self, self.type)
        self.require(self.t.ndim == 1 and self.t.size > 0, "t must be (J,), with at least one comparison")
        for field in ("source", "t"):
            self.check_array(field, (self.t.size,))
        low, high = int(self.source.min()), int(self.source.max())
        self.require(
            low >= 0 and high < x.channels, f"it reads channels {low} to {high}, its input has {x.channels}"
        )
        low, high = int(self.t.min()), int(self.t.max())
        self.require(
            low >= x.lo and high <= x.hi + 1,
            f"constants must lie in [{x.lo}, {x.hi + 1}], they reach from {low} to {high}",
        )
        reached = np.stack([self.t <= x.lo, self.t <= x.hi])
        return self.result((*x.shape[:-1], self.t.size), type, *interval(reached, type))

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        return codes(x[..., self.source] >= self.t, bit_type(self, self.type))

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases: list[tuple[str, tuple[int, ...], int, str]] = [
            ("uint8", (9,), 33, "binary"), ("int8", (2, 3, 4), 7, "bipolar"), ("int16", (5,), 64, "bipolar"),
            ("uint2", (3, 1, 2), 1, "binary"), ("int32", (1,), 5, "binary"),
            ("uint8", (4, 5, 1), 37, "binary"),
        ]  # fmt: skip
        for input_type, shape, count, type in cases:
            x = build.value("x", shape, input_type)
            if input_type == "int32":
                x = build.value("x", shape, input_type, -(2**31), 2**31 - 2)
            t = rng.integers(x.lo, x.hi + 2, count)
            t[: count // 4] = x.lo  # always reached
            t[-(count // 4) or count :] = x.hi + 1  # never reached
            op = cls(
                name="bits",
                inputs=("x",),
                source=rng.integers(0, shape[-1], count).astype(np.int32),
                t=t.astype(np.int32),
                type=type,
            )
            graphs.append(build.graph(x, op))
        return graphs
