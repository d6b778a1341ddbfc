"""slice of a natural input: some of the channels of every pixel, as one block for a single pixel."""

from collections.abc import Iterator

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL

TOUCHES = 0.5  # of Core.touch, for an element


class SliceNatural(Kernel):
    name = "slice"
    patterns = (("slice",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        yield Offer((NATURAL,), NATURAL, Cost(TOUCHES * match.out.size * match.core.touch))

    def body(self, match: Match, offer: Offer) -> Body:
        out = match.out
        return Body(
            fields={
                "pixels": out.size // out.channels,
                "start": match.ops[0].start,  # type: ignore[attr-defined] # the pattern says slice
                "count": out.channels,
                "width": match.ins[0].channels,
            }
        )
