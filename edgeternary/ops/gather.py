"""gather: y = table[x], one row for one code."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, parse
from edgeternary.ops import build
from edgeternary.ops.accumulate import WEIGHT_TYPES


class Gather(Op, frozen=True, kw_only=True, eq=False):
    """A row of a table, chosen by a code: the embedding of a symbol.

    table       int8 (rows, width), codes of `table_type`
    table_type  bipolar, ternary or int2 to int8
    Input (1,) in [0, rows - 1], output (width,) of type `table_type`.
    """

    kind: ClassVar[str] = "gather"
    packed: ClassVar[dict[str, str]] = {"table": "table_type"}

    table: np.ndarray
    table_type: str

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        self.require(
            x.shape == (1,), f"its input is one code, not {x.shape}", "use lookup for one number a code"
        )
        self.require(
            self.table_type in WEIGHT_TYPES,
            f"a table of type {self.table_type[:20]!r} is not supported",
            f"use one of {', '.join(WEIGHT_TYPES)}",
        )
        self.require(self.table.ndim == 2 and self.table.size > 0, "the table must be (rows, width)")
        self.check_array("table", self.table.shape, "int8")
        self.require(parse(self.table_type).contains(self.table), f"a table entry is not {self.table_type}")
        rows = len(self.table)
        self.require(x.lo >= 0 and x.hi < rows, f"codes {x.lo} to {x.hi} leave the table of {rows} rows")
        reached = self.table[x.lo : x.hi + 1]
        return self.result(
            (self.table.shape[1],), parse(self.table_type), int(reached.min()), int(reached.max())
        )

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        return self.table.astype(np.int32)[x[:, 0]]

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        for type, width, lo, hi, rows in [
            ("int8", 33, 0, 62, 63), ("ternary", 7, 0, 3, 4), ("bipolar", 35, 0, 1, 2), ("int4", 1, 0, 0, 1),
            ("int6", 64, 3, 200, 256), ("int8", 5, 0, 299, 300),
        ]:  # fmt: skip
            x = build.value("x", (1,), "uint16" if rows > 256 else "uint8", lo, hi)
            op = cls(name="row", inputs=("x",), table=build.codes(rng, (rows, width), type), table_type=type)
            graphs.append(build.graph(x, op))
        return graphs
