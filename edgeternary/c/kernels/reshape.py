"""reshape costs nothing: natural elements and bit planes keep their order in memory."""

from collections.abc import Iterator

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL, Planes, planes


class ReshapeAlias(Kernel):
    """Bit planes keep the grouping of the input: a dense layer reads the channels of pixels as they lie."""

    name = "reshape"
    patterns = (("reshape",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        yield Offer((NATURAL,), NATURAL, Cost(0), alias=True)
        for layout in match.arriving[0]:
            if isinstance(layout, Planes):
                yield Offer((layout,), planes(match.out, layout.group), Cost(0), alias=True)

    def body(self, match: Match, offer: Offer) -> Body:
        return Body()
