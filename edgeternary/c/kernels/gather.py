"""gather: a row of a table of int8 codes is copied."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table
from edgeternary.ops import Gather

TOUCHES = 0.3  # of Core.touch, for an element


class GatherNatural(Kernel):
    """Only the rows that the input's interval reaches are stored."""

    name = "gather"
    patterns = (("gather",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        x, out = match.ins[0], match.out
        yield Offer(
            (NATURAL,), NATURAL, Cost(TOUCHES * out.size * match.core.touch, (x.hi - x.lo + 1) * out.size)
        )

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, out = cast(Gather, match.ops[0]), match.ins[0], match.out
        reached = op.table[x.lo : x.hi + 1].astype(np.int8)
        fields = {"size": out.size, "first": x.lo}
        return Body([Table("table", reached, f"rows {x.lo} to {x.hi}")], fields)
