"""slice: some of the channels, in their order."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value
from edgeternary.ops import build


class Slice(Op, frozen=True, kw_only=True, eq=False):
    """Channels start .. stop - 1 of every pixel. It undoes a concat, whose type and interval it keeps.

    start, stop  0 <= start < stop <= channels
    """

    kind: ClassVar[str] = "slice"

    start: int
    stop: int

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        self.require(
            0 <= self.start < self.stop <= x.channels,
            f"channels {self.start} to {self.stop} are not within {x.channels}",
            "give 0 <= start < stop <= channels",
        )
        return self.result((*x.shape[:-1], self.stop - self.start), x.type, x.lo, x.hi)

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        return x[..., self.start : self.stop]

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases: list[tuple[str, tuple[int, ...], int, int]] = [
            ("uint8", (12,), 4, 12), ("bipolar", (2, 3, 33), 1, 33), ("ternary", (3, 1, 64), 0, 32),
            ("int16", (5,), 2, 3), ("uint4", (1, 4, 7), 0, 7), ("uint2", (72,), 8, 72),
        ]  # fmt: skip
        for type, shape, start, stop in cases:
            x = build.value("x", shape, "int8")
            if type in ("uint8", "int16"):
                x = build.value("x", shape, type)
                graphs.append(build.graph(x, cls(name="part", inputs=("x",), start=start, stop=stop)))
                continue
            codes = build.random_thresholds(rng, x, type)
            graphs.append(build.graph(x, codes, cls(name="part", inputs=("act",), start=start, stop=stop)))
        return graphs
