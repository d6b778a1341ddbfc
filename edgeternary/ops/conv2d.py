"""conv2d: acc[y, x, o] = bias[o] + sum of weights[o, ky, kx, c] * padded[y*sy + ky, x*sx + kx, c]."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, parse
from edgeternary.ops import build
from edgeternary.ops._matmul import exact_dtype, exact_matmul
from edgeternary.ops.accumulate import accumulator_bound, accumulator_interval, check_weights
from edgeternary.ops.window import Padding, Pair, output_size, pad_image, places, windows

CHUNK = 64  # images a matrix product, so that the unfolded windows stay in cache-sized memory


class Conv2d(Op, frozen=True, kw_only=True, eq=False):
    """A convolution; 1-D is a height of 1, depthwise is `groups` equal to the channels.

    weights      int8 (out, ky, kx, in / groups), codes of `weight_type`
    weight_type  bipolar, ternary or int2 to int8
    bias         int32 (out,)
    stride       (sy, sx)
    pad          (top, left, bottom, right), filled with the integer code `pad_value` of the input's type
    groups       output channel o reads the input channels of group o // (out / groups)
    Input (H, W, C), output int32 (OH, OW, out).
    """

    kind: ClassVar[str] = "conv2d"
    packed: ClassVar[dict[str, str]] = {"weights": "weight_type"}

    weights: np.ndarray
    weight_type: str
    bias: np.ndarray
    stride: Pair = (1, 1)
    pad: Padding = (0, 0, 0, 0)
    pad_value: int = 0
    groups: int = 1

    @property
    def kernel(self) -> Pair:
        return self.weights.shape[1], self.weights.shape[2]

    def edge(self, x: Value) -> int:
        """The code outside the image; where nothing is padded, some code of `x`: `pad_value` may be none."""
        return self.pad_value if any(self.pad) else x.lo

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        self.require(self.weights.ndim == 4, "weights must be (out, ky, kx, in / groups)")
        check_weights(self, self.weights, self.weight_type, self.bias)
        height, width = output_size(self, x, self.kernel, self.stride, self.pad)
        out = self.weights.shape[0]
        self.require(
            self.groups >= 1 and out % self.groups == 0 and x.channels == self.groups * self.weights.shape[3],
            f"{x.channels} channels in {self.groups} groups do not match weights {self.weights.shape}",
        )
        lo, hi = x.lo, x.hi
        if any(self.pad):
            self.require(
                x.type.contains(np.array([self.pad_value])),
                f"the pad value {self.pad_value} is not {x.type}",
                "pad with a code of the input's type: bipolar maps pad with -1 or +1",
            )
            lo, hi = min(lo, self.pad_value), max(hi, self.pad_value)
        lo, hi = accumulator_interval(self, self.weights, self.bias, lo, hi)
        return self.result((height, width, out), parse("int32"), lo, hi)

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        chunks = [self._ref_chunk(x[i : i + CHUNK]) for i in range(0, len(x), CHUNK)] or [self._ref_chunk(x)]
        return np.concatenate(chunks)

    def _ref_chunk(self, x: IntArray) -> IntArray:
        padded = pad_image(x, self.pad, self.pad_value)
        if self.weights.shape[3] == 1 and self.groups > 1:
            return self._depthwise(padded)
        peak = int(np.abs(padded).max(initial=0))
        bound = accumulator_bound(self.weights, -peak, peak)
        view = windows(
            padded.astype(exact_dtype(bound)), self.kernel, self.stride
        )  # samples, OH, OW, C, ky, kx
        ins, outs = self.weights.shape[3], self.weights.shape[0] // self.groups
        results = []
        for g in range(self.groups):
            part = view[:, :, :, g * ins : (g + 1) * ins].transpose(0, 1, 2, 4, 5, 3)
            columns = part.reshape(*view.shape[:3], self.weights[0].size)
            w = self.weights[g * outs : (g + 1) * outs].reshape(outs, -1).T
            results.append(exact_matmul(columns, w, bound))
        return np.concatenate(results, axis=-1) + self.bias

    def _depthwise(self, padded: IntArray) -> IntArray:
        """One input channel for each output channel: a sum over the window's places in int32."""
        wide = np.repeat(padded, self.weights.shape[0] // self.groups, axis=3)
        acc: IntArray = self.bias
        for y, x, part in places(wide, self.kernel, self.stride):
            acc = acc + part * self.weights[:, y, x, 0].astype(np.int32)
        return acc

    def macs(self, ins: Sequence[Value]) -> int:
        height, width = output_size(self, ins[0], self.kernel, self.stride, self.pad)
        return height * width * int(self.weights.size)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases: list[tuple[str, str, tuple[int, int, int], int, Pair, Pair, Padding, int, int]] = [
            # weights, input, (H, W, C), out, kernel, stride, pad, pad value, groups
            ("ternary", "uint8", (5, 5, 1), 4, (3, 3), (1, 1), (1, 1, 1, 1), 0, 1),
            ("ternary", "uint2", (6, 5, 8), 5, (3, 3), (1, 1), (1, 1, 1, 1), 0, 1),
            ("ternary", "uint2", (7, 7, 33), 3, (3, 3), (2, 2), (0, 1, 1, 0), 3, 1),
            ("bipolar", "bipolar", (5, 6, 7), 4, (3, 2), (1, 2), (1, 0, 1, 1), -1, 1),
            ("ternary", "bipolar", (4, 4, 16), 6, (2, 2), (1, 1), (1, 1, 0, 0), 1, 1),
            ("ternary", "ternary", (5, 4, 12), 6, (3, 3), (1, 1), (1, 1, 1, 1), 0, 1),
            ("ternary", "int8", (6, 6, 6), 6, (3, 3), (1, 1), (1, 1, 1, 1), -128, 6),
            ("int4", "uint4", (3, 5, 4), 6, (3, 3), (1, 1), (1, 1, 1, 1), 15, 2),
            ("ternary", "int8", (1, 11, 3), 4, (1, 5), (1, 2), (0, 2, 0, 2), 0, 1),
            ("bipolar", "uint3", (4, 3, 5), 7, (1, 1), (1, 1), (0, 0, 0, 0), 0, 1),
            ("int8", "binary", (3, 3, 2), 1, (3, 3), (1, 1), (2, 2, 2, 2), 1, 1),
            ("ternary", "uint4", (1, 7, 8), 8, (1, 7), (1, 1), (0, 0, 0, 0), 0, 8),
        ]
        for weight_type, input_type, shape, out, kernel, stride, pad, pad_value, groups in cases:
            x = build.value("x", shape, input_type)
            op = cls(
                name="conv",
                inputs=("x",),
                weights=build.codes(rng, (out, *kernel, shape[2] // groups), weight_type),
                weight_type=weight_type,
                bias=rng.integers(-9, 10, out).astype(np.int32),
                stride=stride,
                pad=pad,
                pad_value=pad_value,
                groups=groups,
            )
            graphs.append(build.graph(x, op))
        return graphs
