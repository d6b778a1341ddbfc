"""Layers with states of an exported torch program, one step of them: neurons and readouts.

drive = clamp(2^f x + b, LO, HI)        requantize
leak  = v - (v >> k)                    requantize: (v (2^k - 1) + 2^k - 1) >> k, the same for every integer
u     = clamp(leak + drive, LO, HI)     add, requantize
spike = u >= theta                      threshold
v     = u - theta spike                 requantize, add: within [LO - max theta, HI], the state's interval
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from edgeternary.frontends.torch_values import Codes, Context, Lowered
from edgeternary.ir import Value, parse, smallest
from edgeternary.nn.membrane import HI, LO, MOST, TOTAL
from edgeternary.ops import Add, Requantize, Threshold


def lif(c: Context, x: Lowered, rows: Tensor, steps: int, shift: int, fraction: int) -> Codes:
    """Seven ops and a state; the spikes carry the layer's name."""
    x = c.codes(x, "put an edgeternary.nn.Linear or Conv2d before it")
    b, theta, begin = (row.astype(np.int32) for row in c.integers(rows, "threshold"))
    if x.order is not None:
        where = np.argsort(x.order)
        b, theta, begin = b[where], theta[where], begin[where]
    if theta.max() >= MOST:
        raise c.refuse(
            f"its threshold reaches {int(theta.max()):,}, the end of what a potential can reach",
            "give it fewer fraction bits, or fewer inputs",
        )
    drive = _scaled(c, "drive", x, m=np.full_like(b, 1 << fraction), b=b, bounds=(LO, HI))
    value = c.values[drive.name]
    lowest, highest = _reach(value, shift, int(theta.max()), begin)
    held = Value(c.name("v"), value.shape, smallest(lowest, highest), lowest, highest)
    keep = c.hold(held, np.ascontiguousarray(np.broadcast_to(begin, value.shape)))
    leak = Codes(held.name, x.shape, x.order)
    if shift:
        top = np.full_like(b, (1 << shift) - 1)
        leak = _scaled(c, "leak", leak, m=top, b=top, s=np.full_like(b, shift), bounds=(lowest, highest))
    u = _clamped(c, "u", leak, drive, (LO, HI), "int16")
    ones, zeros = np.ones_like(b), np.zeros_like(b)
    op = Threshold(name=c.name(), inputs=(u.name,), t=theta[:, None], base=zeros, step=ones, type="binary")
    spike = c.emit(op, x.shape, x.order)
    fall = _scaled(c, "fall", spike, m=-theta, b=zeros, bounds=(-int(theta.max()), 0))
    after = Add(name=c.name("next"), inputs=(u.name, fall.name))
    written = c.emit(after, x.shape, x.order)
    if c.values[written.name].type != held.type:
        written = _scaled(c, "wide", written, m=ones, b=zeros, bounds=(lowest, highest), kind=held.type.name)
    keep(written.name)
    return spike


def _reach(drive: Value, shift: int, theta: int, begin: NDArray[np.int32]) -> tuple[int, int]:
    """An interval that potentials never leave, of the type that the interval after one more step has.

    From the widest that is possible, one step after the other narrows it.
    """
    lo, hi = LO - theta, HI
    while True:
        leaks = [v - (v >> shift) if shift else v for v in (lo, hi)]
        u = [min(max(leak + i, LO), HI) for leak, i in zip(leaks, (drive.lo, drive.hi), strict=True)]
        following = min(u[0] - theta, int(begin.min())), max(u[1], int(begin.max()))
        if smallest(u[0] - theta, u[1]) == smallest(lo, hi):
            return lo, hi
        if following == (lo, hi):  # the first potential is wider than all that follow
            return lo, hi
        lo, hi = following


def accumulate(c: Context, x: Lowered, bias: Tensor, steps: int) -> Codes:
    """The sums of a readout: a state that is the output as well."""
    x = c.codes(x, "put an edgeternary.nn.Linear before it")
    b = c.integers(bias, "bias").astype(np.int32)
    value = c.values[x.name]
    held = Value(c.name("sum"), value.shape, parse("int32"), -TOTAL, TOTAL)
    keep = c.hold(held, np.zeros(value.shape, np.int32))
    total = _clamped(c, "", Codes(held.name, x.shape), x, (-TOTAL, TOTAL), "int32", b)
    keep(total.name)
    return total


def _scaled(
    c: Context, part: str, x: Codes, *, m: NDArray[np.int32], b: NDArray[np.int32], bounds: tuple[int, int],
    s: NDArray[np.int32] | None = None, kind: str = "int16",
) -> Codes:  # fmt: skip
    """clamp((x * m + b) >> s, *bounds)."""
    op = Requantize(
        name=c.name(part), inputs=(x.name,), m=m, b=b, s=np.zeros_like(b) if s is None else s, zero=0,
        lo=bounds[0], hi=bounds[1], rounding="floor", type=kind,
    )  # fmt: skip
    return c.emit(op, x.shape, x.order)


def _clamped(
    c: Context, part: str, x: Codes, y: Codes, bounds: tuple[int, int], kind: str,
    bias: NDArray[np.int32] | None = None,
) -> Codes:  # fmt: skip
    """clamp(x + y + bias, *bounds)."""
    total = c.emit(
        Add(name=c.name(f"{part}.sum" if part else "rise"), inputs=(x.name, y.name)), y.shape, y.order
    )
    channels = c.values[y.name].channels
    zeros = np.zeros(channels, np.int32)
    op = Requantize(
        name=c.name(part), inputs=(total.name,), m=np.ones_like(zeros), b=zeros if bias is None else bias,
        s=zeros, zero=0, lo=bounds[0], hi=bounds[1], rounding="floor", type=kind,
    )  # fmt: skip
    return c.emit(op, y.shape, y.order)
