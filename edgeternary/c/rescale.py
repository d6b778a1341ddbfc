"""Requantize in generated code: which arithmetic its numbers need.

* form A  |m| <= 1: no multiplication, 32 bits
* form B  one 32-bit product; proven not to leave int32
* form C  a 64-bit product
"""

from collections.abc import Sequence

import numpy as np

from edgeternary.c.tables import Table, narrow
from edgeternary.ir import Value
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ops import Requantize


def requantize_fields(op: Requantize, x: Value, out: Value) -> tuple[dict[str, object], Sequence[Table]]:
    """Template fields and tables of a requantize of accumulators in the interval of `x`."""
    fields: dict[str, object] = {
        "kind": "requantize", "planes": 0, "rounding": op.rounding, "ctype": out.type.ctype,
        "zero": op.zero, "lo": op.lo, "hi": op.hi,
    }  # fmt: skip
    tables: list[Table] = []

    def constant(name: str, values: np.ndarray) -> None:
        """A number in the text where all channels share it, else a table."""
        if np.all(values == values[0]):
            fields[name] = int(values[0])
        else:
            fields[name] = None
            tables.append(Table(name, narrow(values)))

    s = op.s.astype(np.int64)
    if op.rounding == "tflite_double":
        constant("m", op.m)
        constant("right", np.maximum(s - 31, 0))
        if twice(op, x):
            return {**fields, "form": "twice"}, tables
        constant("left", np.maximum(31 - s, 0))
        return {**fields, "form": "double"}, tables
    constant("m", op.m)
    constant("s", s)
    if form(op, x) == "C":
        constant("b", op.b)
        return {**fields, "form": "C"}, tables
    half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0) * (op.rounding != "floor")
    constant("b", op.b + half)
    return {**fields, "form": op.form(x)}, tables


def twice(op: Requantize, x: Value) -> bool:
    """Whether all steps of the helper round_twice, and + zero, stay in int32 for a tflite_double."""
    m, s = op.m.astype(np.int64), op.s.astype(np.int64)
    if s.min() < 32 or m.min() < 0:
        return False
    high = [((x.lo * m + (1 << 30)) >> 31) - 1, ((x.hi * m + (1 << 30)) >> 31) + (1 << np.maximum(s - 32, 0))]
    last = [end + op.zero for end in (high[0].min(), high[1].max())]
    return all(INT32_LO <= int(end) <= INT32_HI for end in (*last, high[0].min(), high[1].max()))


def form(op: Requantize, x: Value) -> str:
    """'A', 'B' or 'C' for accumulators in the interval of `x`: C where a step of the others leaves int32."""
    found = op.form(x)
    return found if _stays_in_int32(op, x) else "C"


def _stays_in_int32(op: Requantize, x: Value) -> bool:
    """Whether each step of x * m + (b + half) >> s, + zero stays in int32, the product alone included."""
    m, b, s = (a.astype(np.int64) for a in (op.m, op.b, op.s))
    half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0) * (op.rounding != "floor")
    product = np.stack([m * x.lo, m * x.hi])
    total = product + b + half
    steps = (product, b + half, total, (total >> s) + op.zero)
    return all(int(a.min()) >= INT32_LO and int(a.max()) <= INT32_HI for a in steps)
