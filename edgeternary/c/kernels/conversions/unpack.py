"""Bit planes to natural elements."""

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Conversion, Cost, Match, Offer
from edgeternary.c.kernels.conversions.pack import PLANE_TOUCHES, TOUCHES
from edgeternary.c.layouts import NATURAL, Layout, Natural, Planes
from edgeternary.cores import Core
from edgeternary.ir import Value


class Unpack(Conversion):
    name = "unpack"
    code = 80

    def convert(self, value: Value, source: Layout, target: Layout, core: Core) -> Offer | None:
        if not (isinstance(source, Planes) and isinstance(target, Natural)):
            return None
        if value.type.bits > accumulator.PLANE_BITS:
            return None
        cycles = value.size * core.touch * (TOUCHES + PLANE_TOUCHES * value.type.planes)
        return Offer((source,), NATURAL, Cost(cycles))

    def body(self, match: Match, offer: Offer) -> Body:
        value, layout = match.out, offer.ins[0]
        assert isinstance(layout, Planes)
        fields = {
            "value": value, "group": layout.group, "groups": value.size // layout.group,
            "words": layout.words, "ctype": value.type.ctype,
        }  # fmt: skip
        return Body(fields=fields)
