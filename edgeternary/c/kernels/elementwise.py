"""add and mul on natural operands."""

from collections.abc import Iterator

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL

OPERATORS = {"add": "+", "mul": "*"}
TOUCHES = 0.65  # of Core.touch, for an element


class ElementwiseNatural(Kernel):
    name = "elementwise"
    code = 60
    patterns = tuple((kind,) for kind in OPERATORS)

    def offers(self, match: Match) -> Iterator[Offer]:
        size = match.out.type.dtype.itemsize
        in_place = tuple(i for i, x in enumerate(match.ins) if size <= x.type.dtype.itemsize)
        cost = Cost(TOUCHES * match.out.size * match.core.touch)
        yield Offer((NATURAL, NATURAL), NATURAL, cost, in_place=in_place)

    def body(self, match: Match, offer: Offer) -> Body:
        fields = {
            "size": match.out.size,
            "ctype": match.out.type.ctype,
            "operator": OPERATORS[match.ops[0].kind],
        }
        return Body(fields=fields)
