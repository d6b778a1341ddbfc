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


def equidistant(
    op: Threshold, values: tuple[Value, Value], affine: Affine, negate: NDArray[np.bool_]
) -> Epilogue | None:
    """The requantize (form A or B) of raw sums, into natural layout; None where thresholds lie otherwise.

    values  accumulators and codes
    negate  channels for which `affine` describes -acc; its gain is 1
    """
    acc, out = values
    stepping = Stepping.of(op).negate(negate).spread().on_raw(affine)
    if not stepping.direct:
        return None
    reach = max(abs(affine.lo), abs(affine.hi)) + 1
    if stepping.type.name == "bipolar":
        b, s, m = 1 - 2 * stepping.t[:, 0], np.zeros(len(stepping.t), np.int64), 2
    else:
        low, high = np.where(negate, -acc.hi, acc.lo), np.where(negate, -acc.lo, acc.hi)
        found = _shifts(stepping.t, stepping.type, low - affine.offset, high - affine.offset)
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
    for name, numbers in (("b", b), ("s", s)):
        same = bool(np.all(numbers == numbers[0]))
        fields[name] = int(numbers[0]) if same else None
        tables += [] if same else [Table(name, narrow(numbers))]
    return Epilogue(fields, tables)


def _shifts(t: Ints, type: Type, low: Ints, high: Ints) -> tuple[Ints, Ints] | None:
    """(b, s), each (C,), for thresholds (C, K) of numbers in [low, high], each (C,); one s if possible."""
    codes = np.arange(type.lo + 1, type.hi + 1, dtype=np.int64)
    first, last = low[:, None], high[:, None]
    inner = (t > first) & (t <= last)
    anchor = np.where(inner.any(axis=1), inner.argmax(axis=1), (t > last).argmax(axis=1))
    below = ~inner.any(axis=1) & ~(t > last).any(axis=1)  # the highest code, always
    rows = np.arange(len(t))
    room = INT32_HI - np.maximum(np.abs(low), np.abs(high)) - 1
    good, offsets = [], []
    for s in range(LONGEST + 1):
        b = (codes[anchor] << s) - t[rows, anchor]
        b = np.where(below, (codes[-1] << s) - low, b)
        same = np.clip((codes << s) - b[:, None], first, last + 1) == np.clip(t, first, last + 1)
        good.append(same.all(axis=1) & (np.abs(b) <= room))
        offsets.append(b)
    fits = np.array(good)
    if not fits.any(axis=0).all():
        return None
    common = fits.all(axis=1)
    chosen = fits.argmax(axis=0).astype(np.int64)
    if common.any():
        chosen[:] = common.argmax()
    return np.array(offsets)[chosen, rows], chosen
