"""Thresholds at equal distances of 2^s, which are what a shift and a clamp do:

y = clamp((raw + b) >> s, lo, hi)           of bipolar codes: clamp(2 raw + b, -1, 1) with an odd b
"""

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.epilogue import Epilogue
from edgeternary.c.stepping import Stepping
from edgeternary.c.tables import Table, narrow
from edgeternary.ir import Type, Value
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Threshold
from edgeternary.passes.affine import Affine

Ints = NDArray[np.int64]
LONGEST = 30  # shift


def equidistant(op: Threshold, out: Value, affine: Affine, negate: NDArray[np.bool_]) -> Epilogue | None:
    """The requantize (form A or B) of raw sums, into natural layout; None where thresholds lie otherwise.

    negate  channels for which `affine` describes -acc; its gain is 1
    """
    stepping = Stepping.of(op).negate(negate).spread().on_raw(affine)
    if not stepping.direct:
        return None
    reach = max(abs(affine.lo), abs(affine.hi)) + 1
    if stepping.type.name == "bipolar":
        b, s, m = 1 - 2 * stepping.t[:, 0], np.zeros(len(stepping.t), np.int64), 2
    else:
        found = _shifts(stepping.t, stepping.type, affine)
        if found is None:
            return None
        (b, s), m = found, 1
    if m * reach + int(np.abs(b).max()) > INT32_HI:
        return None
    fields: dict[str, object] = {
        "kind": "requantize", "form": "A" if m == 1 else "B", "m": m, "planes": 0, "rounding": "floor",
        "ctype": out.type.ctype, "zero": 0, "lo": stepping.type.lo, "hi": stepping.type.hi,
        "saturates": True, "gain": 1, "has_offset": False,
    }  # fmt: skip
    tables = []
    for name, values in (("b", b), ("s", s)):
        same = bool(np.all(values == values[0]))
        fields[name] = int(values[0]) if same else None
        tables += [] if same else [Table(name, narrow(values))]
    return Epilogue(fields, tables)


def _shifts(t: Ints, type: Type, x: Affine) -> tuple[Ints, Ints] | None:
    """(b, s), each (C,), for the thresholds (C, K) that x can reach; one s for all if possible."""
    codes = np.arange(type.lo + 1, type.hi + 1, dtype=np.int64)
    inner = (t > x.lo) & (t <= x.hi)
    anchor = np.where(inner.any(axis=1), inner.argmax(axis=1), (t > x.hi).argmax(axis=1))
    below = ~inner.any(axis=1) & ~(t > x.hi).any(axis=1)  # the highest code, always
    rows = np.arange(len(t))
    good, offsets = [], []
    for s in range(LONGEST + 1):
        b = (codes[anchor] << s) - t[rows, anchor]
        b = np.where(below, (codes[-1] << s) - x.lo, b)
        same = np.clip((codes << s) - b[:, None], x.lo, x.hi + 1) == np.clip(t, x.lo, x.hi + 1)
        good.append(same.all(axis=1) & (np.abs(b) <= INT32_HI - max(abs(x.lo), abs(x.hi)) - 1))
        offsets.append(b)
    fits = np.array(good)
    if not fits.any(axis=0).all():
        return None
    common = fits.all(axis=1)
    first = fits.argmax(axis=0).astype(np.int64)
    chosen = np.full_like(first, common.argmax()) if common.any() else first
    return np.array(offsets)[chosen, rows], chosen
