"""Requantize in generated code: which arithmetic its numbers need.

* form A  |m| <= 1: no multiplication, 32 bits
* form B  one 32-bit product; proven not to leave int32
* form C  a 64-bit product: its high word (`high`), or products of 32 bits that are proven equal on the
  whole interval (`parts`); where neither serves, as the op is written. Vector registers have `doubled`, and
  the two roundings of tflite_double as they are written
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.rescale.doubled import doubled
from edgeternary.c.rescale.high import High, high
from edgeternary.c.rescale.parts import Parts, parts
from edgeternary.c.tables import Table, narrow
from edgeternary.cores import Core
from edgeternary.ir import Value
from edgeternary.ir.types import INT32_HI, INT32_LO
from edgeternary.ops import Requantize


@dataclass(frozen=True)
class Rescaling:
    """Template fields and tables of a requantize; `folded` where they hold the bias of the layer before."""

    fields: dict[str, object]
    tables: Sequence[Table] = field(default_factory=tuple)
    folded: bool = False


def rescaling(
    op: Requantize, x: Value, out: Value, core: Core, offset: NDArray[np.int64] | None = None
) -> Rescaling:
    """That of accumulators in the interval of `x`, which are raw + offset (C,)."""
    fields = _common(op, out, core)
    short = short_of(op, x, core)
    if short is None:
        more, tables = _as_written(op, x)
        return Rescaling({**fields, **more}, tables)
    offset = np.zeros(x.channels, np.int64) if offset is None else offset
    folds = isinstance(short, Parts) or short.folds(offset)
    more, tables = short.fields(offset if folds else 0 * offset)
    return Rescaling({**fields, **more}, tables, folds)


def vectored(op: Requantize, x: Value, out: Value, core: Core, offset: NDArray[np.int64]) -> Rescaling | None:
    """One that `epilogue_helium` takes four at a time, for x = raw + offset; None where there is none."""
    if form(op, x) != "C":
        return rescaling(op, x, out, core, offset)
    if op.rounding == "tflite_double" and twice(op, x):
        more, tables = _as_written(op, x)
        return Rescaling({**_common(op, out, core), **more}, tables)
    found = doubled(op, x, offset)
    if found is None:
        return None
    more, tables = found.fields()
    return Rescaling({**_common(op, out, core), **more}, tables, folded=True)


def _common(op: Requantize, out: Value, core: Core) -> dict[str, object]:
    return {
        "kind": "requantize", "planes": 0, "rounding": op.rounding, "ctype": out.type.ctype,
        "zero": op.zero, "lo": op.lo, "hi": op.hi,
        "saturates": core.isa == "thumb2",
    }  # fmt: skip


def short_of(op: Requantize, x: Value, core: Core) -> High | Parts | None:
    """What takes the place of form C, one number at a time; None where nothing does.

    One part is faster than form B, too, where a clamp takes many instructions.
    """
    written = form(op, x)
    if written == "A":
        return None
    if not core.thumb1:
        return high(op, x) if written == "C" else None
    found = parts(op, x)
    return found if written == "C" or (found is not None and found.count == 1) else None


def cycles(op: Requantize, x: Value, core: Core) -> float:
    """Of one element, loads and stores included, roughly."""
    found, costs = short_of(op, x, core), core.figures(COSTS)
    if isinstance(found, High):
        return core.touch + costs.first + costs.signs * found.signs
    if isinstance(found, Parts):
        return core.touch + costs.first + costs.part * found.count + costs.signs * found.signs
    written = form(op, x)
    return core.touch + {"A": 0, "B": costs.short}.get(written, costs.long)


@dataclass(frozen=True)
class Costs:
    """Cycles of an element, from counts, beyond those of form A, which are Core.touch.

    short  form B;  long: form C as it is written
    first  a long product's high word, or where products have parts, what they have in common
    part   a part
    signs  what a second rounding takes where it needs the sign
    """

    short: float
    long: float
    first: float
    part: float = 0
    signs: float = 4


COSTS = {
    "host": Costs(1, 4, 1, 0, 1), "cortex-m0plus": Costs(7, 120, 0, 4.2, 5.5),
    "cortex-m3": Costs(2, 28, 9, 0, 4), "cortex-m4": Costs(1, 24, 3, 0, 4),
    "cortex-m7": Costs(1, 12, 2, 0, 2), "cortex-m33": Costs(1, 24, 3, 0, 4), "cortex-m55": Costs(1, 20, 3),
}  # fmt: skip


def _as_written(op: Requantize, x: Value) -> tuple[dict[str, object], Sequence[Table]]:
    fields: dict[str, object] = {}
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
