"""lookup: y = table[x - offset]."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, parse
from edgeternary.ops import build


class Lookup(Op, frozen=True, kw_only=True, eq=False):
    """Any function of one code, one table for all channels.

    table   int32 (n,), n at most 65,536
    offset  int, the code of table[0]; the input's interval must lie in [offset, offset + n - 1]
    type    of the output
    """

    kind: ClassVar[str] = "lookup"

    table: np.ndarray
    offset: int
    type: str

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        out = parse(self.type)
        self.require(
            self.table.ndim == 1 and 1 <= self.table.size <= 2**16, "the table must have 1 to 65,536 entries"
        )
        self.check_array("table", (self.table.size,))
        self.require(out.contains(self.table), f"a table entry is not {out}")
        first, last = x.lo - self.offset, x.hi - self.offset
        self.require(
            first >= 0 and last < self.table.size,
            f"codes {x.lo} to {x.hi} leave the table of {self.offset} to {self.offset + self.table.size - 1}",
        )
        reached = self.table[first : last + 1]
        return self.result(x.shape, out, int(reached.min()), int(reached.max()))

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        return self.table[x - self.offset]

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases: list[tuple[str, tuple[int, ...], str]] = [
            ("uint8", (9,), "int8"), ("int8", (2, 3, 4), "int16"), ("uint2", (35,), "uint4"),
            ("bipolar", (5,), "int3"),
        ]  # fmt: skip
        for input_type, shape, output_type in cases:
            x, out = build.value("x", shape, input_type), parse(output_type)
            table = rng.integers(out.lo, out.hi + 1, x.hi - x.lo + 1).astype(np.int32)
            op = cls(name="table", inputs=("x",), table=table, offset=x.lo, type=output_type)
            graphs.append(build.graph(x, op))
        return graphs
