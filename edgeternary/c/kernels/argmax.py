"""argmax of a natural vector, ties to the lowest index."""

from collections.abc import Iterator

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL


class ArgmaxNatural(Kernel):
    name = "argmax"
    patterns = (("argmax",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        yield Offer((NATURAL,), NATURAL, Cost(match.ins[0].size * match.core.touch))

    def body(self, match: Match, offer: Offer) -> Body:
        return Body(fields={"size": match.ins[0].size, "ctype": match.out.type.ctype})
