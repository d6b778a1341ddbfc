"""max_pool on natural inputs of 8 bits, four channels at a time."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.kernels.max_pool import in_place
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table
from edgeternary.ops import MaxPool

FOUR = 4
UNROLLED = 16  # taps of a window without pads
# Cycles of an output pixel, of four channels of it, and of a tap of these, without a loop and in one. A core
# without DSP instructions compares bytes with a dozen others.
COSTS = {
    "host": (10.0, 4.0, 3.0, 4.0), "cortex-m3": (20.0, 7.0, 11.0, 19.0),
    "cortex-m4": (8.0, 4.0, 4.0, 10.0),
    "cortex-m7": (5.0, 2.0, 2.5, 6.0), "cortex-m33": (8.0, 4.0, 4.0, 10.0),
    "cortex-m55": (6.0, 3.0, 3.0, 7.0),
}  # fmt: skip


class MaxPoolBytes(Kernel):
    """The minimum of a is the complement of the maximum of its complement; the last four channels may
    overlap those before."""

    name = "max_pool_bytes"
    code = 220
    patterns = (("max_pool",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op, out = cast(MaxPool, match.ops[0]), match.out
        if not match.core.unaligned or out.type.dtype.itemsize != 1 or out.channels < FOUR:
            return
        pixel, four, unrolled, looped = match.core.figures(COSTS)
        pixels, fours = out.size // out.channels, -(-out.channels // FOUR)
        taps, tap = op.kernel[0] * op.kernel[1], unrolled if _unrolled(op) else looped
        cost = Cost(pixels * (pixel + fours * (four + taps * tap)), out.channels if np.any(op.minimum) else 0)
        whole = out.channels % FOUR == 0
        yield Offer((NATURAL,), NATURAL, cost, in_place=in_place(op) if whole else ())

    def body(self, match: Match, offer: Offer) -> Body:
        op = cast(MaxPool, match.ops[0])
        turned = bool(np.any(op.minimum))
        masks = (op.minimum * 0xFF).astype(np.uint8)
        tables = [Table("turned", masks, "255: this channel takes the minimum")] if turned else []
        fields = {
            "op": op, "x": match.ins[0], "out": match.out, "turned": turned,
            "letter": "s" if match.out.type.signed else "u", "unrolled": _unrolled(op),
        }  # fmt: skip
        return Body(tables, fields)


def _unrolled(op: MaxPool) -> bool:
    return not any(op.pad) and op.kernel[0] * op.kernel[1] <= UNROLLED
