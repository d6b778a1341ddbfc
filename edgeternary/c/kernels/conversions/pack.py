"""Natural elements to bit planes."""

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Conversion, Cost, Match, Offer
from edgeternary.c.layouts import NATURAL, Layout, Natural, Planes
from edgeternary.cores import Core
from edgeternary.ir import Value

TOUCHES, PLANE_TOUCHES = 0.5, 0.25  # of Core.touch, for an element, and for each of its planes


class Pack(Conversion):
    name = "pack"
    code = 120

    def convert(self, value: Value, source: Layout, target: Layout, core: Core) -> Offer | None:
        if not (isinstance(source, Natural) and isinstance(target, Planes)):
            return None
        if value.type.bits > accumulator.PLANE_BITS:
            return None
        cycles = value.size * core.touch * (TOUCHES + PLANE_TOUCHES * value.type.planes)
        return Offer((NATURAL,), target, Cost(cycles))

    def body(self, match: Match, offer: Offer) -> Body:
        value, layout = match.out, offer.out
        assert isinstance(layout, Planes)
        return Body(fields={"value": value, "group": layout.group, "groups": value.size // layout.group})
