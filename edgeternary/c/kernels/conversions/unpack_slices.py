"""Slices to natural elements."""

from edgeternary.c.kernel import Body, Conversion, Cost, Match, Offer
from edgeternary.c.kernels.conversions.pack_slices import cycles, fields
from edgeternary.c.layouts import NATURAL, Layout, Natural
from edgeternary.c.slices.layout import Slices
from edgeternary.cores import Core
from edgeternary.ir import Value


class UnpackSlices(Conversion):
    name = "unpack_slices"

    def convert(self, value: Value, source: Layout, target: Layout, core: Core) -> Offer | None:
        if not (isinstance(source, Slices) and isinstance(target, Natural)):
            return None
        return Offer((source,), NATURAL, Cost(cycles(value, core)))

    def body(self, match: Match, offer: Offer) -> Body:
        assert isinstance(offer.ins[0], Slices)
        return Body(fields=fields(match.out, offer.ins[0]))
