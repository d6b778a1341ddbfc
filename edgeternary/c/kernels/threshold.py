"""threshold on natural inputs, to natural codes or bit planes."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL, Layout, Natural, planes
from edgeternary.c.stepping import Stepping, threshold_fields
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Threshold
from edgeternary.passes.affine import Affine

LOOP = (0.5, 0.67)  # of Core.touch: for an element, and for each of its thresholds, compared in a loop
UNROLLED = (0.3, 0.55)  # likewise, compared one after the other


class ThresholdNatural(Kernel):
    name = "threshold"
    code = 80
    patterns = (("threshold",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, out = cast(Threshold, match.ops[0]), match.ins[0], match.out
        levels = op.t.shape[1]
        element, threshold = LOOP if levels > accumulator.UNROLLED else UNROLLED
        cost = Cost(out.size * match.core.touch * (element + threshold * levels), op.t.size * 2)
        layouts: list[Layout] = [NATURAL]
        if out.type.bits <= accumulator.PLANE_BITS and Stepping.of(op).short:
            layouts.append(planes(out))
        for layout in layouts:
            shrinks = isinstance(layout, Natural) and out.type.dtype.itemsize <= x.type.dtype.itemsize
            yield Offer((NATURAL,), layout, cost, in_place=(0,) if shrinks else ())

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, out = cast(Threshold, match.ops[0]), match.ins[0], match.out
        stepping = Stepping.of(op)
        if x.hi < INT32_HI:  # a limit of hi + 1 says never
            stepping = stepping.spread().on_raw(Affine(1, np.zeros(x.channels, np.int64), x.lo, x.hi))
        fields, tables = threshold_fields(stepping, out, offer.out)
        return Body(tables, {"e": fields, "pixels": x.size // x.channels, "channels": x.channels})
