"""max_pool: y = max over the window, or min for channels marked so."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value
from edgeternary.ops import build
from edgeternary.ops.window import Padding, Pair, output_size, pad_image, places


class MaxPool(Op, frozen=True, kw_only=True, eq=False):
    """Maximum (or minimum) over a sliding window; the type stays.

    kernel   (ky, kx);  stride (sy, sx);  pad (top, left, bottom, right), each below the kernel
    minimum  uint8 (C,): 1 where the channel takes the minimum (made by the sink_pool pass)
    Padding is neutral: the input's lo for a maximum, its hi for a minimum.
    Input (H, W, C), output (OH, OW, C).
    """

    kind: ClassVar[str] = "max_pool"

    kernel: Pair
    stride: Pair
    pad: Padding = (0, 0, 0, 0)
    minimum: np.ndarray

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        height, width = output_size(self, x, self.kernel, self.stride, self.pad)
        self.check_array("minimum", (x.channels,), "uint8")
        self.require(int(self.minimum.max()) <= 1, "minimum must hold 0 and 1")
        ky, kx = self.kernel
        top, left, bottom, right = self.pad
        self.require(
            max(top, bottom) < ky and max(left, right) < kx, "padding must be smaller than the window"
        )
        return self.result((height, width, x.channels), x.type, x.lo, x.hi)

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        flip = -self.minimum.astype(np.int32)  # x ^ -1 = -x - 1 turns the order round: min(x) = ~max(~x)
        padded = pad_image(x ^ flip if flip.any() else x, self.pad, np.iinfo(np.int32).min)
        parts = (part for _, _, part in places(padded, self.kernel, self.stride))
        highest = next(parts).copy()
        for part in parts:
            np.maximum(highest, part, out=highest)
        return highest ^ flip if flip.any() else highest

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases: list[tuple[str, tuple[int, int, int], Pair, Pair, Padding]] = [
            ("uint2", (4, 6, 8), (2, 2), (2, 2), (0, 0, 0, 0)),
            ("bipolar", (5, 5, 33), (3, 3), (2, 2), (1, 1, 1, 1)),
            ("ternary", (7, 4, 5), (2, 3), (1, 2), (1, 0, 0, 2)),
            ("uint8", (5, 7, 1), (3, 2), (2, 1), (0, 0, 0, 0)),
            ("int8", (3, 3, 4), (3, 3), (3, 3), (0, 0, 0, 0)),
            ("uint4", (1, 9, 2), (1, 2), (1, 2), (0, 0, 0, 0)),
            ("int32", (4, 4, 3), (2, 2), (2, 2), (0, 0, 0, 0)),
        ]
        for type, shape, kernel, stride, pad in cases:
            x = build.value("x", shape, type)
            minimum = rng.integers(0, 2, shape[2]).astype(np.uint8)
            op = cls(name="pool", inputs=("x",), kernel=kernel, stride=stride, pad=pad, minimum=minimum)
            graphs.append(build.graph(x, op))
        return graphs
