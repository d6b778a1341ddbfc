"""concat of natural inputs along the channels."""

from collections.abc import Iterator

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL


class ConcatNatural(Kernel):
    name = "concat"
    patterns = (("concat",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        yield Offer((NATURAL,) * len(match.ins), NATURAL, Cost(match.out.size * match.core.touch))

    def body(self, match: Match, offer: Offer) -> Body:
        out = match.out
        channels = [x.channels for x in match.ins]
        return Body(
            fields={"pixels": out.size // out.channels, "channels": channels, "ctype": out.type.ctype}
        )
