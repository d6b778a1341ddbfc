"""lookup on natural inputs."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table
from edgeternary.ops import Lookup

TOUCHES = 0.7  # of Core.touch, for an element


class LookupNatural(Kernel):
    """Only the entries that the input's interval reaches are stored."""

    name = "lookup"
    patterns = (("lookup",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        x, out = match.ins[0], match.out
        shrinks = out.type.dtype.itemsize <= x.type.dtype.itemsize
        cost = Cost(TOUCHES * out.size * match.core.touch, (x.hi - x.lo + 1) * out.type.dtype.itemsize)
        yield Offer((NATURAL,), NATURAL, cost, in_place=(0,) if shrinks else ())

    def body(self, match: Match, offer: Offer) -> Body:
        op, x = cast(Lookup, match.ops[0]), match.ins[0]
        reached = op.table[x.lo - op.offset : x.hi - op.offset + 1].astype(match.out.type.dtype)
        fields = {"size": x.size, "first": x.lo}
        return Body([Table("table", reached, f"y for x = {x.lo} to {x.hi}", once=True)], fields)
