"""max_pool on bit planes: 32 channels at a time."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.kernels.max_pool import in_place
from edgeternary.c.layouts import planes
from edgeternary.c.tables import Table
from edgeternary.ir import encoding, parse
from edgeternary.ops import MaxPool

MAX_TAPS = 9  # as many are written out
UNROLLED = (0.6, -0.3)  # of Core.touch, for a tap of a word: for each plane, and once
LOOP = (1.0, 0.0)  # likewise, where taps are not written out


class MaxPoolPlanes(Kernel):
    """Codes are compared from the lowest plane up; a mask says which channels take the minimum."""

    name = "max_pool_planes"
    code = 250
    patterns = (("max_pool",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(MaxPool, match.ops[0]), match.ins[0]
        if x.type.bits > accumulator.PLANE_BITS:
            return
        words = match.out.size // x.channels * encoding.words(x.channels)
        taps = op.kernel[0] * op.kernel[1]
        plane, once = UNROLLED if _unrolled(op) else LOOP
        cost = Cost(
            words * taps * (plane * x.type.planes + once) * match.core.touch, 4 * encoding.words(x.channels)
        )
        yield Offer((planes(x),), planes(match.out), cost, in_place=in_place(op))

    def body(self, match: Match, offer: Offer) -> Body:
        op, x = cast(MaxPool, match.ops[0]), match.ins[0]
        mask = encoding.pack(op.minimum.astype(np.int32), parse("binary"))[0]
        taps = op.kernel[0] * op.kernel[1]
        mixed = taps > 1 and 0 < int(op.minimum.sum()) < op.minimum.size
        note = "1: this channel takes the minimum"
        tables = [Table("minimum", mask, note, hexadecimal=True)] if mixed else []
        fields = {
            "op": op, "x": x, "out": match.out, "words": encoding.words(x.channels), "planes": x.type.planes,
            "mixed": mixed, "all_minimum": op.minimum[0] == 1, "unrolled": _unrolled(op),
        }  # fmt: skip
        return Body(tables, fields)


def _unrolled(op: MaxPool) -> bool:
    """Whether the taps of a window are written out."""
    return not any(op.pad) and op.kernel[0] * op.kernel[1] <= MAX_TAPS
