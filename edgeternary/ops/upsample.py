"""upsample: a map that is larger by a whole factor, each pixel repeated or between zeros."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value
from edgeternary.ops import build
from edgeternary.ops.window import Pair

FILLS = ("repeat", "zero")
MOST = 2**15  # of a factor


class Upsample(Op, frozen=True, kw_only=True, eq=False):
    """y[oy][ox] = x[oy / fy][ox / fx], divided towards 0.

    factor  (fy, fx), each from 1 on, not both 1
    fill    "repeat": for all oy and ox (the nearest neighbour)
            "zero": where fy divides oy and fx divides ox; the other pixels are the code 0 (what a transposed
            convolution reads), which the type must have
    Input (H, W, C), output (H * fy, W * fx, C); the type stays, and the interval but for the 0 of "zero".
    """

    kind: ClassVar[str] = "upsample"

    factor: Pair
    fill: str = "repeat"

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        self.require(len(x.shape) == 3, f"its input must be (height, width, channels), it is {x.shape}")
        self.require(
            all(1 <= f <= MOST for f in self.factor) and self.factor != (1, 1),
            f"its factor is {self.factor}",
            f"give two integers from 1 to {MOST:,}, not both 1",
        )
        self.require(self.fill in FILLS, f"it has no fill {self.fill!r}", f"name one of {', '.join(FILLS)}")
        lo, hi = x.lo, x.hi
        if self.fill == "zero":
            self.require(
                x.type.contains(np.array([0])),
                f"it fills with 0, which is no {x.type} code",
                'give it the fill "repeat", or read codes of a type that has 0',
            )
            lo, hi = min(lo, 0), max(hi, 0)
        height, width, channels = x.shape
        return self.result((height * self.factor[0], width * self.factor[1], channels), x.type, lo, hi)

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        fy, fx = self.factor
        if self.fill == "repeat":
            return x.repeat(fy, axis=1).repeat(fx, axis=2)
        samples, height, width, channels = x.shape
        y = np.zeros((samples, height * fy, width * fx, channels), np.int32)
        y[:, ::fy, ::fx] = x
        return y

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases: list[tuple[str, tuple[int, int, int], Pair, str]] = [
            ("uint8", (3, 5, 4), (2, 2), "repeat"), ("bipolar", (2, 3, 33), (3, 1), "repeat"),
            ("uint2", (1, 7, 8), (1, 4), "repeat"), ("ternary", (1, 1, 64), (4, 3), "repeat"),
            ("int16", (1, 1, 6), (5, 2), "repeat"), ("int32", (2, 2, 1), (1, 2), "repeat"),
            ("uint8", (3, 3, 1), (2, 3), "zero"), ("ternary", (3, 2, 33), (2, 2), "zero"),
            ("int4", (1, 5, 6), (1, 3), "zero"), ("int16", (2, 1, 3), (4, 1), "zero"),
        ]  # fmt: skip
        for type, shape, factor, fill in cases:
            x = build.value("x", shape, type)
            graphs.append(build.graph(x, cls(name="larger", inputs=("x",), factor=factor, fill=fill)))
        x = build.value("x", (2, 2, 4), "uint4", 3, 9)
        graphs.append(build.graph(x, cls(name="larger", inputs=("x",), factor=(2, 2), fill="zero")))
        return graphs
