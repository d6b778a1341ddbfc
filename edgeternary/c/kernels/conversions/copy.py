"""A plain copy, where an answer or a next state would otherwise be the memory of something else."""

from edgeternary.c.kernel import Body, Conversion, Cost, Match, Offer
from edgeternary.c.layouts import NATURAL, Layout, Natural
from edgeternary.cores import Core
from edgeternary.ir import Value

TOUCHES = 0.5  # of Core.touch, for an element


class Copy(Conversion):
    name = "copy"

    def convert(self, value: Value, source: Layout, target: Layout, core: Core) -> Offer | None:
        if not (isinstance(source, Natural) and isinstance(target, Natural)):
            return None
        return Offer((NATURAL,), NATURAL, Cost(TOUCHES * value.size * core.touch))

    def body(self, match: Match, offer: Offer) -> Body:
        return Body(fields={"size": match.out.size})
