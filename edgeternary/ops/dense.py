"""dense: acc[o] = bias[o] + sum_i weights[o, i] * x[i]."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, parse
from edgeternary.ops import build
from edgeternary.ops._matmul import exact_matmul
from edgeternary.ops.accumulate import accumulator_bound, accumulator_interval, check_weights


class Dense(Op, frozen=True, kw_only=True, eq=False):
    """A fully connected layer.

    weights      int8 (out, in), codes of `weight_type`
    weight_type  bipolar, ternary or int2 to int8
    bias         int32 (out,)
    Input (in,), output int32 (out,).
    """

    kind: ClassVar[str] = "dense"
    packed: ClassVar[dict[str, str]] = {"weights": "weight_type"}

    weights: np.ndarray
    weight_type: str
    bias: np.ndarray

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        self.require(len(x.shape) == 1, f"its input must be flat, it is {x.shape}", "put a reshape before it")
        self.require(self.weights.ndim == 2, "weights must be (out, in)")
        check_weights(self, self.weights, self.weight_type, self.bias)
        self.require(
            self.weights.shape[1] == x.shape[0],
            f"weights are {self.weights.shape}, its input has {x.shape[0]} elements",
        )
        lo, hi = accumulator_interval(self, self.weights, self.bias, x.lo, x.hi)
        return self.result((self.weights.shape[0],), parse("int32"), lo, hi)

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        peak = int(np.abs(x).max(initial=0))
        bound = accumulator_bound(self.weights, -peak, peak)
        return exact_matmul(x, self.weights.T, bound) + self.bias

    def macs(self, ins: Sequence[Value]) -> int:
        return int(self.weights.size)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases = [
            ("bipolar", "bipolar", 70, 5), ("ternary", "bipolar", 33, 4), ("ternary", "uint8", 40, 7),
            ("ternary", "ternary", 64, 3), ("ternary", "uint2", 31, 8), ("ternary", "binary", 100, 2),
            ("bipolar", "uint4", 12, 9), ("bipolar", "int8", 37, 2), ("int2", "int3", 20, 3),
            ("int4", "uint8", 17, 6), ("int8", "int8", 9, 11), ("ternary", "int16", 5, 3),
            ("bipolar", "binary", 1, 1),
        ]  # fmt: skip
        for weight_type, input_type, n, out in cases:
            x = build.value("x", (n,), input_type)
            bias = rng.integers(-20, 21, out).astype(np.int32)
            weights = build.codes(rng, (out, n), weight_type)
            op = cls(name="fc", inputs=("x",), weights=weights, weight_type=weight_type, bias=bias)
            graphs.append(build.graph(x, op))
        return graphs
