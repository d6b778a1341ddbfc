"""Thresholds as generated code does them: how often is a limit reached, and which code does that count mean.

Three modes, from fast to general:

    direct  every channel counts up from the type's lowest code, so the count is the code (minus a constant);
            up to 15 levels
    codes   a table gives the code of each count, channel by channel; up to 15 levels
    linear  base[c] + step[c] * count, for more levels
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.layouts import Layout, Natural
from edgeternary.c.tables import Table, narrow
from edgeternary.ir import Type, Value, encoding, parse
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Threshold
from edgeternary.passes.affine import Affine

SHORT = 15
BEYOND = 2**40  # a limit that no int32 reaches


@dataclass(frozen=True)
class Stepping:
    """y = base[c] + step[c] * count over k of (raw >= t[c, k]), or of (raw < t[c, k]) with `below`."""

    t: NDArray[np.int64]
    base: NDArray[np.int64]
    step: NDArray[np.int64]
    type: Type
    below: bool = False
    close: bool = False  # raw - t never leaves int32

    @classmethod
    def of(cls, op: Threshold) -> Stepping:
        wide = [np.asarray(a, np.int64) for a in (op.t, op.base, op.step)]
        return cls(wide[0], wide[1], wide[2], parse(op.type))

    @property
    def levels(self) -> int:
        return int(self.t.shape[1])

    @property
    def short(self) -> bool:
        return self.levels <= SHORT

    @property
    def unit(self) -> int:
        """Distance of two neighbouring codes."""
        return 2 if self.type.name == "bipolar" else 1

    @property
    def direct(self) -> bool:
        lowest = bool(np.all(self.base == self.type.lo)) and bool(np.all(self.step == self.unit))
        return self.short and lowest and self.levels == (self.type.hi - self.type.lo) // self.unit

    def negate(self, channels: NDArray[np.bool_]) -> Stepping:
        """The same for -x on some channels: x >= t is not (-x >= 1 - t)."""
        flip = channels[:, None]
        t = np.where(flip, 1 - self.t[:, ::-1], self.t)
        base = np.where(channels, self.base + self.step * self.levels, self.base)
        return replace(self, t=t, base=base, step=np.where(channels, -self.step, self.step))

    def on_raw(self, x: Affine) -> Stepping:
        """The same in terms of the integer raw that x is carried as."""
        return replace(self, t=x.limits(self.t), below=x.gain < 0, close=x.hi - x.lo < INT32_HI)

    def spread(self) -> Stepping:
        """Rising channels with one limit for each code of a short type, so that the count is the code.

        A channel that starts above the lowest code gets limits that are always reached, one that ends below
        the highest code limits that never are.
        """
        full = (self.type.hi - self.type.lo) // self.unit
        if full > SHORT or np.any(self.step < 0):
            return self
        codes = self.type.lo + self.unit * np.arange(1, full + 1)
        reached = self.base[:, None] + self.step[:, None] * np.arange(self.levels + 1)  # codes by count
        first = (reached[:, None, :] < codes[None, :, None]).sum(axis=2)  # count that brings y to the code
        padded = np.pad(self.t, [(0, 0), (1, 1)], constant_values=((0, 0), (-BEYOND, BEYOND)))
        t = np.take_along_axis(padded, first, axis=1)
        channels = len(self.base)
        return replace(
            self,
            t=t,
            base=np.full(channels, self.type.lo, np.int64),
            step=np.full(channels, self.unit, np.int64),
        )


def threshold_fields(
    stepping: Stepping, out: Value, layout: Layout
) -> tuple[dict[str, object], Sequence[Table]]:
    """Template fields and tables of a threshold whose limits are in terms of `raw`."""
    natural = isinstance(layout, Natural)
    mode = "direct" if stepping.direct else "codes" if stepping.short else "linear"
    tables = [Table("thresholds", narrow(stepping.t), f"{stepping.levels} a channel")]
    if mode == "codes":
        counts = np.arange(stepping.levels + 1)
        codes = stepping.base[:, None] + stepping.step[:, None] * counts
        codes = np.clip(codes, stepping.type.lo, stepping.type.hi)  # counts that are never reached
        if stepping.type.name == "bipolar":
            codes = np.where(codes >= 0, 1, -1)
        tables.append(
            Table("codes", codes.astype(stepping.type.dtype), "code of each count")
            if natural
            else Table("codes", _bits(codes, stepping.type).astype(np.uint8), "bits of each count's code")
        )
    elif mode == "linear":
        tables += [Table("base", narrow(stepping.base)), Table("step", narrow(stepping.step))]
    fields: dict[str, object] = {
        "kind": "threshold",
        "mode": mode,
        "levels": stepping.levels,
        "compare": "<" if stepping.below else ">=",
        "ctype": layout.ctype(out),
        "limit": tables[0],
        "codes_ctype": tables[1].ctype if mode == "codes" else "",
        "planes": 0 if natural else out.type.planes,
        "type": out.type,
        "unit": stepping.unit,
        "signs": stepping.direct and stepping.close and stepping.levels <= 3 and not natural,
    }
    return fields, tables


def _bits(codes: NDArray[np.int64], type: Type) -> NDArray[np.int64]:
    """Bit k of the result is the code's bit in plane k."""
    planes = encoding.unpack(encoding.pack(codes.astype(np.int32), type), parse_plane(type), codes.shape[-1])
    return planes.astype(np.int64)


def parse_plane(type: Type) -> Type:
    """The unsigned type whose planes are the planes of `type`."""
    return parse("binary") if type.planes == 1 else parse(f"uint{type.planes}")
